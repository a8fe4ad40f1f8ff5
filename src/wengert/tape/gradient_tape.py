"""GradientTape: record what happens in a `with` block, then ask for derivatives. TensorFlow's spelling."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Any

import numpy as np

from wengert import tree
from wengert.errors import DTypeError, InputError, ShapeError, TapeError
from wengert.ir.program import Var
from wengert.ir.source import here, names
from wengert.ir.types import type_of
from wengert.tape.question import (
    Question,
    Sources,
    conjugate,
    differentiable,
    node_of,
    said,
    weight,
    weights,
)
from wengert.tape.recorder import Pages, TapeBuilder, recording, shared
from wengert.tape.standin import plain
from wengert.tape.variable import Variable, Watchable
from wengert.trace import trace
from wengert.trace.tracer import Tracer
from wengert.transforms.reverse import reverse
from wengert.transforms.slopes import by_columns, by_rows, pulled
from wengert.trust import policies


class UnconnectedGradients(Enum):
    """What `gradient` gives for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Records the use of watched values, and differentiates what was recorded.

    Trainable `wg.Variable`s are watched when they are read; a `wg.constant` is watched by
    `tape.watch(x)`; a plain array by `x = tape.watch(x)`, since only the returned value can be
    followed. Values made under a tape stay readable: `print(y)`, `y.numpy()`.

    >>> import numpy as np, wengert as wg
    >>> w = wg.Variable([[1.0], [2.0]])
    >>> with GradientTape() as tape:
    ...     loss = np.sum((np.ones((3, 2)) @ w) ** 2)
    >>> print(loss.numpy())
    27.0
    >>> tape.gradient(loss, w)
    array([[18.],
           [18.]])

    A tape gives one set of gradients, unless it is `persistent`. Tapes nest: what an inner tape
    computes inside the outer `with` is recorded by the outer tape.

    `trust` says how closely the slopes are looked at, as everywhere (`wg.grad`).

    >>> x = wg.Variable(3.0)
    >>> with GradientTape() as outer:
    ...     with GradientTape() as inner:
    ...         y = x**3
    ...     slope = inner.gradient(y, x)
    >>> print(slope, outer.gradient(slope, x))
    27.0 18.0
    """

    def __init__(
        self, persistent: bool = False, watch_accessed_variables: bool = True, *, trust: str = "report"
    ) -> None:  # fmt: skip
        self._persistent = persistent
        self.trust = policies.level(trust)
        self._accessed = watch_accessed_variables
        self._open = False
        self.on = False  # does it record now? (not in a pause)
        self._clear()

    def _clear(self) -> None:
        """Nothing recorded, nothing watched."""
        self._used = False
        self._watched: dict[int, Watchable] = {}
        self._release()

    def _release(self) -> None:
        """Nothing recorded."""
        self.builder: TapeBuilder | None = None
        self._pages: Pages | None = None
        self._spans: list[list[int]] = []
        self._nodes: set[Var] = set()  # of plain values that are watched
        self._given: list[Any] = []  # what those were made of

    # ---- recording -----------------------------------------------------------------------------
    def __enter__(self) -> GradientTape:
        if self._open:
            raise TapeError(
                "this tape is still recording: an active tape cannot be entered again",
                "make a tape for each `with wg.GradientTape() as tape:`",
                here(),
            )
        if self._used:
            self._clear()
        if self.builder is None or self._pages is None:
            self.builder, self._pages = shared()
        self.builder.enter(self._pages)
        self._open = True
        self._start(self.builder)
        for enter, _ in trace.hooks:  # np.array([y, z]), math.sin(y), np.sum([y, z])
            enter()
        trace.meet(names())
        return self

    def __exit__(self, *error: object) -> None:
        if self._open and self.builder is not None:
            self._stop(self.builder)
            self._open = False
            self.builder.leave()
            for _, leave in trace.hooks:
                leave()
        raised = error[1] if error else None
        if isinstance(raised, Exception):
            cause = trace.lifted(raised)
            if cause is not raised:
                raise cause from None

    def _start(self, builder: TapeBuilder) -> None:
        self._spans.append([len(builder.entries)] * 2)
        self.on = True
        builder.listeners += 1
        recording.set((*recording.get(), self))

    def _stop(self, builder: TapeBuilder) -> None:
        if self.on:
            self._spans[-1][1] = len(builder.entries)
            self.on = False
            builder.listeners -= 1
            recording.set(tuple(tape for tape in recording.get() if tape is not self))

    def _must_record(self, what: str) -> None:
        if not self.on:
            raise TapeError(
                f"{what}: this tape is not recording", f"call {what} inside of its `with`", here()
            )

    def stop_recording(self) -> AbstractContextManager[None]:
        """A `with` block that this tape does not see."""
        self._must_record("stop_recording")
        return self._paused()

    @contextmanager
    def _paused(self) -> Iterator[None]:
        if self.builder is not None:
            self._stop(self.builder)
        try:
            yield
        finally:
            if self._open and self.builder is not None:
                self._start(self.builder)

    def reset(self) -> None:
        """Forget all that was recorded and watched, and go on recording."""
        self._must_record("reset")
        self.__exit__()
        self._clear()
        self.__enter__()

    # ---- watching ------------------------------------------------------------------------------
    def watch(self, tensor: Any) -> Any:
        """Follow a constant, a variable, an array, or a container of them; returns what to use.

        A `wg.constant` or `wg.Variable` is watched where it is, and comes back itself. For a plain
        array or number the returned value must be used: `x = tape.watch(x)`.
        """
        self._must_record("watch")
        return tree.map_leaves(self._watch, tensor)

    def _watch(self, x: Any) -> Any:
        differentiable(x, "watch: the argument")
        if isinstance(x, Watchable):
            self._watched[id(x)] = x
            return x
        builder, node = self.builder, node_of(x, self.builder)
        assert builder is not None
        if node is None:
            self._given.append(x)
            value = plain(x)
            if not isinstance(value, Tracer):
                value = np.array(value)[()]
            elif value.builder.serial > builder.serial:
                raise TapeError(
                    f"watch: the argument is a value of {value.builder.name}, which began after this tape",
                    "start the tape inside of that function",
                    here(),
                )
            x = builder.input(type_of(value), value)
            node = x.node
        self._nodes.add(node)
        return x

    def sees(self, x: Watchable) -> bool:
        """Does it follow `x`, which is read now?"""
        if id(x) in self._watched:
            return True
        if self._accessed and x.trainable and x.type.inexact:
            self._watched[id(x)] = x
            return True
        return False

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that it watches, in the order of their first use."""
        return tuple(x for x in self._watched.values() if isinstance(x, Variable))

    # ---- derivatives ---------------------------------------------------------------------------
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """The slopes of `target` in `sources`, in the containers of `sources`.

        Of several or non-scalar targets it is the slope of their sum, weighted with
        `output_gradients`. A source that no target depends on gives None, or zeros with
        `unconnected_gradients="zero"`. For complex numbers it is the conjugate (descent convention).
        """
        zero, question = _zero(unconnected_gradients), self._question("gradient")
        targets = tree.flatten(target)[0]
        given = weights(output_gradients, len(targets))
        nodes, gs = [], []
        for y, g in zip(targets, given, strict=True):
            node = question.target(y, self.sees)
            if node is not None:
                nodes.append(node)
                gs.append(weight(g, node.type))
        if not nodes and not zero:
            raise question.unrecorded(targets)
        asked = self._sources(question, sources)
        found = reverse(question.window, nodes, gs, asked.nodes)  # type: ignore[arg-type]
        if self.trust in ("check", "repair") and nodes:
            found = question.looked_at(self.trust, nodes, gs, asked.nodes, found)
        answer = asked.answer(asked.nodes, map(conjugate, found), zero, taken=given)
        return self._answered(question, answer, nodes, asked.nodes, gs)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """All slopes of one target: for each source an array of shape `(*target, *source)`.

        >>> import numpy as np, wengert as wg
        >>> x = wg.Variable([1.0, 2.0])
        >>> with GradientTape() as tape:
        ...     y = x**2
        >>> tape.jacobian(y, x)
        array([[2., 0.],
               [0., 4.]])
        """
        zero, question = _zero(unconnected_gradients), self._question("jacobian")
        asked, targets, nodes = self._pair(question, target, sources, zero)
        t = type_of(target)
        blocks: list[Any] = []
        if nodes:
            compute = by_columns if sum(v.type.size for v in nodes) <= t.size else by_rows
            with np.errstate(all="ignore"):
                (blocks,) = compute(question.window, nodes, targets)
            if self.trust in ("check", "repair"):
                blocks = question.looked_at(self.trust, targets, None, nodes, blocks)
        answer = asked.answer(nodes, blocks, zero, t.shape)
        return self._answered(question, answer, targets, nodes)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
    ) -> Any:
        """Each example's own slopes: `(batch, *target[0], *source[0])`.

        The first axis of `target` and `source` counts examples that do not influence one another.

        >>> import numpy as np, wengert as wg
        >>> x = wg.Variable([[1.0, 2.0], [3.0, 4.0]])
        >>> with GradientTape() as tape:
        ...     y = x**2
        >>> tape.batch_jacobian(y, x).shape
        (2, 2, 2)
        """
        zero, question = _zero(unconnected_gradients), self._question("batch_jacobian")
        asked, targets, nodes = self._pair(question, target, source, zero)
        out, into = type_of(target).shape, type_of(source).shape
        if not out or not into or out[0] != into[0]:
            raise ShapeError(
                f"batch_jacobian: the target is {said(target)}, the source {said(source)}",
                "their first axes count the same examples",
                here(),
            )
        blocks: list[Any] = []
        if nodes:
            count = math.prod(out[1:])
            unit = np.eye(count, dtype=type_of(target).dtype).reshape(count, 1, *out[1:])
            with np.errstate(all="ignore"):
                pull = pulled(question.window, nodes, targets, count)
                units = np.repeat(unit, out[0], axis=1)
                rows = pull([units])
                if self.trust in ("check", "repair"):
                    rows = question.rows_looked_at(self.trust, targets, units, nodes, rows, out[1:])
                blocks = [np.reshape(np.moveaxis(g, 0, 1), (*out, *into[1:])) for g in rows]
        answer = asked.answer(nodes, blocks, zero, out)
        return self._answered(question, answer, targets, nodes)

    # ---- questions -----------------------------------------------------------------------------
    def _question(self, what: str) -> Question:
        """What it has seen so far."""
        if self._used:
            raise TapeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)",
                "ask for all sources at once, or make it wg.GradientTape(persistent=True)",
                here(),
            )
        if self.builder is None or self._pages is None:
            raise TapeError(
                "this tape has recorded nothing",
                "use it as `with wg.GradientTape() as tape:` first",
                here(),
            )
        if self.on:
            self._spans[-1][1] = len(self._pages.entries)
        if not self._persistent:
            self.__exit__()
        return Question(what, self.builder, self._pages, self._spans)

    def _answered(
        self,
        question: Question,
        answer: Any,
        targets: list[Var],
        sources: list[Var],
        gs: Any = None,
    ) -> Any:
        """Look at the numbers of an answer; only a persistent tape can take another question."""
        if not self._persistent:
            self._release()
            self._used = True
        if self.trust == "report":
            question.inspect(answer, targets, sources, gs)
        return answer

    def _sources(self, question: Question, sources: Any) -> Sources:
        return question.sources(sources, self._watched, self._nodes, self._given)

    def _pair(
        self, question: Question, target: Any, sources: Any, zero: bool
    ) -> tuple[Sources, list[Var], list[Var]]:
        """The sources, the target's node, and those of the sources' nodes that lead to it."""
        node = question.target(target, self.sees)
        if node is None and not zero:
            raise question.unrecorded([target])
        asked = self._sources(question, sources)
        if any(v.type.dtype.kind == "c" for v in (node, *asked.nodes) if v is not None):
            raise DTypeError(
                f"{question.what}: of complex numbers there is no one matrix of slopes",
                "take real and imaginary parts as two arrays, or use gradient",
                here(),
            )
        if node is None:
            return asked, [], []
        before = question.window.leading_to(node)
        return asked, [node], [v for v in asked.nodes if v in before]


def _zero(unconnected_gradients: Any) -> bool:
    try:
        return UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO
    except ValueError:
        raise InputError(
            f"unconnected_gradients={unconnected_gradients!r} is unknown",
            'say "none" or "zero"',
            here(),
        ) from None
