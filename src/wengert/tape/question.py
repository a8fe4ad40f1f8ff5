"""One question to a tape: targets and sources found on its list, and the answer in their containers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import optree

from wengert import tree
from wengert.errors import DTypeError, InputError, ShapeError, StructureError, TapeError
from wengert.ir.primitive import Handle
from wengert.ir.program import Var
from wengert.ir.source import here
from wengert.ir.types import type_of
from wengert.tape.recorder import Pages, TapeBuilder, place_of
from wengert.tape.standin import plain
from wengert.tape.variable import Watchable
from wengert.tape.window import Window
from wengert.trace.builder import Builder
from wengert.trace.tracer import Tracer
from wengert.trust import policies, verdict
from wengert.trust.guard import examine
from wengert.trust.question import Question as Looked
from wengert.trust.question import Recorded, Result
from wengert.trust.report import Case, inspect

NUMBERS = (np.ndarray, np.generic, float, int, complex)


class Question:
    """`what` is asked of the tape that saw `spans`, and watched `watched` and the nodes `own`."""

    def __init__(self, what: str, builder: TapeBuilder, pages: Pages, spans: Any) -> None:
        self.what, self.builder, self.pages = what, builder, pages
        self.window = Window(builder, pages, spans)

    def node(self, x: Any) -> Var | None:
        """Where a value stands on the list."""
        return node_of(x, self.builder)

    def target(self, y: Any, sees: Any) -> Var | None:
        """Where a target stands; None if it was not recorded."""
        differentiable(y, f"{self.what}: the target")
        if not isinstance(y, Watchable):
            return self.node(y)
        if not sees(y):
            return None
        nodes = self.pages.nodes(y)
        if not nodes:
            nodes.append((Var(y.type), y.numpy()))
        return nodes[-1][0]

    def inspect(
        self, answer: Any, targets: Sequence[Var], sources: Sequence[Var], gs: Any = None
    ) -> None:
        """Warn of numbers that are not finite, and say where they were born (trust.report)."""
        weights = [np.ones(v.type.shape, v.type.dtype)[()] for v in targets] if gs is None else gs
        inspect(
            f"tape.{self.what}",
            tree.flatten(answer)[0],
            lambda: self._case(targets, weights, sources),
            self.window.stopped,
        )

    def _case(self, targets: Sequence[Var], gs: Sequence[Any], sources: Sequence[Var]) -> Case:
        """The question as a program at its numbers."""
        values = dict(self.pages.known)
        movers = [node for node in sources if node in values]
        others = [node for node in values if node not in set(movers)]
        whole = Builder("tape")
        whole.inputs, whole.entries = [*movers, *others], self.pages.entries
        program = whole.program([Tracer(whole, node, None) for node in targets])
        return Case(program, [values[node] for node in program.inputs], len(movers), gs=list(gs))

    def looked_at(
        self, level: str, targets: Sequence[Var], gs: Sequence[Any] | None, sources: Sequence[Var], found: Sequence[Any]
    ) -> list[Any]:  # fmt: skip
        """Slopes under trust: of the weighted targets, or (without `gs`) whole blocks of one target.

        Sources that were computed on the tape are taken as they are: nothing is known of their values.
        """
        weights = [np.ones(v.type.shape, v.type.dtype)[()] for v in targets] if gs is None else gs
        if any(isinstance(x, Handle) for x in (*weights, *found)):
            policies.wish(level)
            return list(found)
        case = self._case(targets, weights, sources)
        movers = [v for v in sources if v in set(case.program.inputs[: case.movers])]
        places = [n for n, v in enumerate(sources) if v in set(movers) and found[n] is not None]
        leaf = {v: n for n, v in enumerate(movers)}
        results = [
            Result(found[n], leaf=leaf[sources[n]], gs=weights, rows=gs is None) for n in places
        ]
        weak = [False] * case.movers
        seen = Recorded(case.program, case.args, case.movers, self.builder.decisions, None, weak)
        answer = list(found)
        looked = examine(Looked(f"tape.{self.what}", results, seen), level)
        for n, y in zip(places, looked, strict=True):
            answer[n] = y
        return answer

    def rows_looked_at(
        self, level: str, targets: Sequence[Var], units: Any, sources: Sequence[Var], found: Sequence[Any],
        shape: tuple[int, ...],
    ) -> list[Any]:  # fmt: skip
        """Batched rows of slopes under trust: `found[source][row]` is of the target weighted by `units[row]`; `shape` is an example's."""
        if any(isinstance(x, Handle) for x in found):
            policies.wish(level)
            return list(found)
        answer = [np.array(y) for y in found]
        reports = []
        for n, unit in enumerate(units):
            with policies.policy(action="record"):
                row = self.looked_at(level, targets, [unit], sources, [y[n] for y in found])
            for y, looked in zip(answer, row, strict=True):
                y[n] = looked
            report = verdict.last_report()
            if report is not None:
                reports.append(report)
        if reports:
            verdict.deliver(verdict.joined(reports, shape, policies.current()))
        return answer

    def unrecorded(self, targets: Sequence[Any]) -> TapeError:
        """The error for targets of which none was recorded."""
        which = (
            f"the target is {said(targets[0])}" if len(targets) == 1 else "no target was recorded"
        )
        return TapeError(
            f"{self.what}: {which}, and nothing that this tape watches led to it",
            "compute it inside of the `with`, from a wg.Variable, a watched wg.constant, or from what "
            "`x = tape.watch(x)` returned",
            here(),
        )

    def sources(
        self, given: Any, watched: dict[int, Watchable], own: set[Var], made: Sequence[Any]
    ) -> Sources:
        """The sources: watchables in `watched`, `own` nodes (made of the values `made`), and what depends on them."""
        leaves, structure = tree.flatten(given)
        names = tree.paths(given) if len(leaves) > 1 else [""]
        roots = own.union(node for x in watched.values() for node, _ in self.pages.nodes(x))
        known: set[Any] = set(roots)
        places = []
        for x, name in zip(leaves, names, strict=True):
            where = f"{self.what}: the source{' ' + name if name else ''}"
            differentiable(x, where)
            if isinstance(x, Watchable):
                places.append([n for n, _ in self.pages.nodes(x)] if id(x) in watched else [])
                continue
            node = self.node(x)
            if node is None and (plain_value(x) or any(x is m for m in made)):
                raise _unwatched(x, where, made)
            if node not in known:
                known = self.window.reached(roots)
            places.append([node] if node is not None and node in known else [])
        return Sources(leaves, structure, places)


class Sources:
    """The leaves that are asked for, and for each its nodes on the list (none: unconnected)."""

    def __init__(self, leaves: list[Any], structure: Any, places: list[list[Var]]) -> None:
        self.leaves, self.structure, self.places = leaves, structure, places

    @property
    def nodes(self) -> list[Var]:
        """The nodes of all leaves, each once."""
        return list(dict.fromkeys(node for nodes in self.places for node in nodes))

    def answer(
        self,
        nodes: Iterable[Var],
        found: Iterable[Any],
        zero: bool,
        lead: tuple[int, ...] = (),
        taken: Sequence[Any] = (),
    ) -> Any:
        """What was `found` for the nodes, per leaf, in the containers of the sources.

        Of a leaf without a node it is None, or zeros of shape `(*lead, *leaf)`. Arrays in `taken`
        belong to the user already, and are not handed out.
        """
        slopes = dict(zip(nodes, found, strict=True))
        seen = {id(g) for g in taken}
        answers = []
        for x, places in zip(self.leaves, self.places, strict=True):
            parts = [slopes[node] for node in places if slopes.get(node) is not None]
            answer = parts[0] if parts else None
            for part in parts[1:]:
                answer = answer + part
            if answer is None and zero:
                t = type_of(x)
                answer = np.zeros((*lead, *t.shape), t.dtype)
            if isinstance(answer, np.ndarray):
                if id(answer) in seen or answer.base is not None or not answer.flags.writeable:
                    answer = np.array(answer)
                answer = answer if answer.ndim else answer[()]
            seen.add(id(answer))
            answers.append(answer)
        return tree.unflatten(self.structure, answers)


def node_of(x: Any, builder: TapeBuilder | None) -> Var | None:
    """Where a value stands, or once stood, on the list of `builder`."""
    if not isinstance(x, Tracer):
        return None
    x.refresh()
    return place_of(x, builder)


def plain_value(x: Any) -> bool:
    """Is it a value that was never on any tape?"""
    return not (isinstance(x, Tracer) and (isinstance(x.builder, TapeBuilder) or place_of(x)))


def said(x: Any) -> str:
    """A value as messages call it: `'w', which is f64[3]`."""
    name = f"{x.name!r}, which is " if isinstance(x, Watchable) else ""
    known = isinstance(x, (Watchable, Tracer, *NUMBERS))
    return f"{name}{type_of(x)!r}" if known else f"a {type(x).__name__}"


def differentiable(x: Any, what: str) -> None:
    """Raise unless `x` holds floating-point (or complex) numbers."""
    if not isinstance(x, (Watchable, Tracer, *NUMBERS)):
        raise InputError(
            f"{what} is {said(x)}", "pass numbers, arrays, or containers of them", here()
        )
    if not type_of(x).inexact:
        raise DTypeError(
            f"{what} is {said(x)}: integers cannot move by an infinitesimal step",
            "make it floating-point: wg.Variable(3.0), x.astype(float)",
            here(),
        )


def _unwatched(x: Any, where: str, made: Sequence[Any]) -> InputError:
    if any(x is m for m in made):
        what = f"{where} is {said(x)}, which was watched, but NumPy does not tell when a plain array is used"
    else:
        what = f"{where} is {said(x)}, a plain value, which no tape can follow"
    return InputError(
        what,
        "use what watch returns, `x = tape.watch(x)`, or make it a wg.Variable or wg.constant",
        here(),
    )


def weights(output_gradients: Any, count: int) -> list[Any]:
    """One weight, or None, per target."""
    if output_gradients is None:
        return [None] * count
    found = optree.tree_leaves(output_gradients, none_is_leaf=True, namespace=tree.NAMESPACE)
    if len(found) != count:
        raise StructureError(
            f"gradient: {count} targets, but {len(found)} output_gradients",
            "pass one array per target, or None for ones",
            here(),
        )
    return [plain(g) for g in found]


def weight(g: Any, t: Any) -> Any:
    """The cotangent of a target of type `t`: ones, or what was given, conjugated at the door."""
    if g is None:
        return np.ones(t.shape, t.dtype)[()]
    if np.shape(g) != t.shape:
        raise ShapeError(
            f"gradient: output_gradients of shape {np.shape(g)} for a target that is {t!r}",
            "they have the shape of their target",
            here(),
        )
    return conjugate(g if isinstance(g, Tracer) else np.asarray(g).astype(t.dtype)[()])


def conjugate(g: Any) -> Any:
    """The conjugate of complex numbers (descent convention); anything else as it is."""
    return np.conjugate(g) if g is not None and g.dtype.kind == "c" else g
