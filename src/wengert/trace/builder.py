"""Builder: the list that one trace writes, equation by equation.

With numbers at hand (un-jitted calls) it also keeps what the derivative rules will read, so that
the fast road can walk backwards without a second forward run. Without numbers it only types.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from wengert.errors import InputError, TracerLeakError
from wengert.ir import source
from wengert.ir.evaluate import alone, call_reusing
from wengert.ir.primitive import Primitive
from wengert.ir.program import Atom, Const, Eqn, Program, Var, constant
from wengert.ir.types import type_of
from wengert.trace.body import body
from wengert.trace.buffers import exposed, fingerprint
from wengert.trace.path import Paths, Step, is_here, last_origin, onward
from wengert.trace.tracer import Tracer

_serials = count()
_current, caller = source.current.get, source.caller
_new, _getframe = object.__new__, sys._getframe
_internal, is_internal = source.internal, source.is_internal
_body = body.get
_SMALL = 2048  # captured arrays up to this size are copied, so that later writes cannot reach them


_FLOAT = np.dtype(float)
_SCALARS = (np.generic, float, int, bool, complex)

# One recorded equation, as a tuple because tuples are quick to make: primitive, input atoms, params,
# output variables, source, and for the derivative: who wants a cotangent (or None if nobody does),
# the argument values and result values that its rule reads.
Entry = tuple[Any, ...]
_NOTHING: dict[str, Any] = {}
_ONE, _FIRST, _SECOND, _BOTH = (True,), (True, False), (False, True), (True, True)
_PLAIN = frozenset((np.ndarray, np.float64))


class Builder:
    """Equations, inputs and captured values of one trace.

    `saving` keeps what reverse and forward passes read. `serial` grows with every trace: among
    tracers of several traces the youngest builder records, the others' values are captured.
    """

    __slots__ = (
        "captured", "closed", "companion", "decisions", "finite", "given", "inputs", "kept", "list", "name", "nested", "ordered",
        "orders", "path", "paths", "quick", "saving", "serial", "sources", "stopped", "taken", "trust", "watched",
        "written",
    )  # fmt: skip

    def __init__(
        self, name: str = "program", saving: bool = False, sources: tuple[Any, ...] | None = None,
        paths: Paths | None = None,
    ) -> None:  # fmt: skip
        self.serial = next(_serials)
        self.name = name
        self.saving = saving
        self.list: list[Entry] = []  # the equations, where no path leads
        self.paths = paths  # what is known from earlier calls of the same function (trace.path)
        self.path: Step | None = None if paths is None else paths.start  # where on them this is
        self.kept: list[Any] = []  # the numbers that the steps up to here read on the way back
        self.inputs: list[Var] = []
        self.given: list[Any] = []  # their numbers, where known
        self.captured: list[tuple[Var, Any]] = []
        self.sources = sources  # of the primal program, when a transform builds a derived one
        self.decisions: list[tuple[Var, bool, Any]] = []  # what Python's `if` and `while` asked
        self.taken: list[Var] = []  # whole numbers that Python was given: indices, lengths, keys
        self.trust = "off"  # how closely derivatives taken inside wish to be looked at
        self.stopped = False  # did zeros stop what was not finite, on a way back?
        self.finite = False  # are the results of a way back known to be finite?
        self.closed = False
        self.companion: Any = None  # the builder of idle values made in this trace (trace.idle)
        self.nested = False  # do values contain tracers of an outer trace?
        # may `note` be used? It runs on numbers (perhaps of an outer trace), and nobody records otherwise
        self.quick = saving and type(self).record is Builder.record
        self.written: list[
            tuple[Tracer, Builder]
        ] = []  # outer handles that were written here, and whose they are
        self.orders: Any = (
            None  # memory orders of values without numbers, of `ordered` entries (trace.layout)
        )
        self.watched: list[tuple[int, Any, int]] = []  # captured arrays that the user can overwrite

    @property
    def home(self) -> Builder:
        """The trace that may write into its values."""
        return self  # (not an attribute: a cycle would keep every trace until the garbage is collected)

    @property
    def entries(self) -> list[Entry]:
        """The equations, with what their rules read."""
        if self.path is None:
            return self.list
        kept = self.kept
        return [
            (s.prim, s.inputs, s.params, s.outputs, s.origin, s.wanted, *s.values(kept))
            for s in self.path.way()
        ]

    @entries.setter
    def entries(self, entries: list[Entry]) -> None:
        self.list, self.path = entries, None

    def count(self) -> int:
        """How many equations there are."""
        return len(self.list) if self.path is None else self.path.number

    def leave(self) -> None:
        """Go on where no path leads: what was done up to here is written out."""
        if self.path is not None and self.paths is not None:
            self.paths.lost += 1
            self.entries = self.entries
            self.kept = []

    # ---- values in -----------------------------------------------------------------------------
    def input(self, type: Any, value: Any = None, weak: bool = False) -> Tracer:
        """A new input; `value` is its number, or an outer tracer, or None when unknown."""
        var = (
            Var(type)
            if self.path is None or self.paths is None
            else self.paths.variable("input", len(self.inputs), type)
        )
        self.inputs.append(var)
        if isinstance(value, Tracer):
            self.nested = True
            value = value.snapshot()
        self.given.append(value)
        return Tracer(self, var, value, weak)

    def handle(self, node: Var, value: Any, weak: bool = False) -> Tracer:
        """Another handle on a value of this trace."""
        return Tracer(self, node, value, weak)

    def shown(self, handle: Tracer) -> Any:
        """What the user is given of a value of this trace."""
        return handle

    def lift(self, value: Any) -> tuple[Atom, Any]:
        """A value from outside as an atom of this program, and the value to compute with."""
        if type(value) is np.float64 or type(value) is float:  # (the most common scalars)
            const = constant(_FLOAT, value)
            return const, const.value
        if isinstance(value, np.ndarray):
            if value.ndim == 0:
                return self.lift(value[()])
            if value.dtype.hasobject:
                raise InputError(
                    "an array of Python objects meets a traced value",
                    "use a numeric dtype",
                    source.here(),
                )
            value = self._guarded(value)
        elif isinstance(value, Tracer):
            value = value.snapshot()
            if value.builder.serial < 0:  # idle: plain numbers, which a write would copy first
                value = value.value
        elif isinstance(value, _SCALARS):
            const = Const(value)
            return const, const.value
        return self.capture(value), value

    def _guarded(self, value: Any) -> Any:
        """An array that nobody overwrites unnoticed: itself or a copy."""
        if exposed(value):
            if value.size <= _SMALL:
                value = value.copy()
                value.setflags(write=False)  # so that it need not be copied again
            elif self.saving:
                self.watched.append((self.count(), value, fingerprint(value)))
        return value

    def recapture(self, var: Var, value: Any) -> Any:
        """`lift` of an array that is captured as `var`, as in an earlier call."""
        value = self._guarded(value)
        self.captured.append((var, value))
        return value

    def capture(self, value: Any) -> Var:
        """A new captured input, whose value nobody changes: an array, or an outer tracer."""
        if isinstance(value, Tracer):
            self.nested = True
        var = (
            Var(type_of(value))
            if self.path is None or self.paths is None
            else self.paths.variable("captured", len(self.captured), type_of(value))
        )
        self.captured.append((var, value))
        return var

    def reveal(self, value: Any, weak: bool) -> Tracer:
        """A captured number or array as a traced value, so that what is computed of it alone is recorded too."""
        self.leave()  # (a captured value that moves: paths do not tell it from one that rests)
        var, value = (self.capture(value), value) if not np.ndim(value) else self.lift(value)
        return Tracer(self, var, value, weak)

    # ---- equations -----------------------------------------------------------------------------
    def record(
        self, prim: Primitive, args: tuple[Any, ...], params: Mapping[str, Any] = _NOTHING
    ) -> Any:
        """Write one equation down and return its traced results."""
        inner = _body()
        if inner is not None and inner.serial > self.serial:
            return inner.record(prim, args, params)
        if self.quick and not prim.multiple:  # one or two arguments: by far the most common
            count = len(args)
            if count == 1:
                (x,) = args
                if type(x) is Tracer and x.builder is self and x.node.type.inexact and (
                    x.window is None or x.window.root.version == x.window.seen
                ):  # fmt: skip
                    v = x.value
                    z = prim(v, **params) if self.nested else prim.eval(v, **params)
                    return self.note(prim, x.node, None, params, _ONE, v, None, z)
            elif count == 2:
                x, y = args
                if (
                    type(x) is Tracer and x.builder is self and x.node.type.inexact
                    and type(y) is Tracer and y.builder is self and y.node.type.inexact
                    and (x.window is None or x.window.root.version == x.window.seen)
                    and (y.window is None or y.window.root.version == y.window.seen)
                ):  # fmt: skip
                    v, w = x.value, y.value
                    z = prim(v, w, **params) if self.nested else prim.eval(v, w, **params)
                    return self.note(prim, x.node, y.node, params, _BOTH, v, w, z)
                if (
                    type(x) is Tracer and x.builder is self and x.node.type.inexact
                    and type(y) in _PLAIN
                    and (x.window is None or x.window.root.version == x.window.seen)
                ):  # fmt: skip
                    b, w = self.lift(y)
                    v = x.value
                    z = prim(v, w, **params) if self.nested else prim.eval(v, w, **params)
                    return self.note(prim, x.node, b, params, _FIRST, v, w, z)
                if (
                    type(y) is Tracer and y.builder is self and y.node.type.inexact
                    and type(x) in _PLAIN
                    and (y.window is None or y.window.root.version == y.window.seen)
                ):  # fmt: skip
                    a, v = self.lift(x)
                    w = y.value
                    z = prim(v, w, **params) if self.nested else prim.eval(v, w, **params)
                    return self.note(prim, a, y.node, params, _SECOND, v, w, z)
        inputs: list[Any] = []
        values: list[Any] = []
        wanted: list[bool] = []
        for arg in args:
            if type(arg) is Tracer:
                window = arg.window
                if window is not None and window.root.version != window.seen:
                    was = arg.builder
                    window.refresh(arg)
                    if (
                        arg.builder is not was
                    ):  # its root was written in an inner trace, or that is over
                        return prim(*args, **params)
                if arg.builder is self:
                    node = arg.node
                    inputs.append(node)
                    values.append(arg.value)
                    wanted.append(node.type.inexact)
                    continue
            atom, value = self.lift(arg)
            inputs.append(atom)
            values.append(value)
            wanted.append(False)
        saved = None
        if not self.saving:
            ys = None
        elif prim.multiple:
            if prim.saves and True in wanted:
                ys, saved = prim.eval_saving(tuple(wanted), *values, **params)
            else:
                ys = prim(*values, **params)
        else:
            ys = (prim if self.nested else prim.eval)(*values, **params)
            if not self.closed:
                return self.note_all(prim, tuple(inputs), params, tuple(wanted), values, ys)
        return self._append(prim, tuple(inputs), params, tuple(wanted), values, ys, saved)

    def note(
        self, prim: Primitive, a: Any, b: Any, params: Mapping[str, Any], wanted: tuple[bool, ...], v: Any, w: Any,
        y: Any, kind: Any = None,
    ) -> Tracer:  # fmt: skip
        """Write down an equation of one or two arguments (`b` is None) whose one result `y` is known.

        `v` and `w` are the arguments' numbers. Everything quick goes through here, and it is short:
        objects are made without their constructors.
        """
        step = self.path
        if step is None:
            if b is None:
                return self.note_all(prim, (a,), params, wanted, [v], y, kind)
            return self.note_all(prim, (a, b), params, wanted, [v, w], y, kind)
        ahead: Any = step.ahead
        known = (
            ahead is not None and ahead.prim is prim and ahead.a is a and ahead.b is b
            and (ahead.params is params or ahead.params == params)
        )  # fmt: skip
        if known:
            if _current() is None and type(y) is not Tracer:  # (as `is_here`, without a call)
                try:
                    frame = _getframe(ahead.deep)
                    known = frame.f_lasti == ahead.lasti and frame.f_code is ahead.code
                except ValueError:
                    known = False
            else:
                known = is_here(ahead, y, 1)
        if not known:
            inputs, values = ((a,), [v]) if b is None else ((a, b), [v, w])
            ahead = onward(self, step, prim, inputs, params, wanted, y, kind)
            if ahead is None:
                return self.note_all(prim, inputs, params, wanted, values, y, kind)
        self.path = ahead
        keep = ahead.keep
        if keep:
            kept = self.kept
            if keep & 1:
                kept.append(v)
            if b is None:
                if keep & 2:
                    kept.append(y)
            else:
                if keep & 2:
                    kept.append(w)
                if keep & 4:
                    kept.append(y)
        made = _new(Tracer)
        made.builder, made.node, made.value = self, ahead.node, y
        made.weak, made.window, made.order, made.version, made.still = False, None, None, 0, None
        return made

    def note_all(
        self, prim: Primitive, inputs: tuple[Atom, ...], params: Mapping[str, Any], wanted: tuple[bool, ...],
        values: list[Any], y: Any, kind: Any = None,
    ) -> Tracer:  # fmt: skip
        """`note` for any number of arguments; `values` is given away."""
        step = self.path
        if step is not None:
            ahead: Any = step.ahead
            if (
                ahead is None or ahead.prim is not prim or ahead.inputs != inputs
                or (ahead.params is not params and ahead.params != params)
                or not is_here(ahead, y, 1)
            ):  # fmt: skip
                ahead = onward(self, step, prim, inputs, params, wanted, y, kind)
            if ahead is not None:
                self.path = ahead
                if ahead.keep:
                    self.kept += [values[n] for n in ahead.places or ()]
                    if len(self.kept) < ahead.first + ahead.size:
                        self.kept.append(y)
                return Tracer(self, ahead.node, y)
        output = _new(Var)
        origin: Any = _current()
        if type(y) is Tracer:  # of an outer trace, which has just looked where that was
            output.type = y.node.type
            origin = last_origin(y) or origin
        else:
            output.type = type_of(y) if kind is None else kind
        if origin is None:
            frame = _getframe(2)  # who called here is a room of ours
            while True:
                code = frame.f_code
                internal = _internal.get(code.co_filename)
                if internal is None:
                    internal = is_internal(code.co_filename)
                if not internal:
                    origin = code, frame.f_lasti
                    break
                frame = frame.f_back  # type: ignore[assignment]
                if frame is None:
                    break
        if True in wanted:
            drop, keep = prim.read_plan.get(wanted) or prim.plan(wanted)
            if drop is None:
                kept: Any = None
            else:
                for p in drop:
                    values[p] = None
                kept = values
            self.list.append(
                (prim, inputs, params, (output,), origin, wanted, kept, (y,) if keep else None)
            )
        else:
            self.list.append((prim, inputs, params, (output,), origin, None, None, None))
        made = _new(Tracer)
        made.builder, made.node, made.value = self, output, y
        made.weak, made.window, made.order, made.version, made.still = False, None, None, 0, None
        return made

    def record_reusing(
        self, prim: Primitive, holder: list[Any], args: list[Any], params: Mapping[str, Any]
    ) -> Any:
        """`record` for a primitive whose first argument (in `holder`) may give its memory to the result."""
        handle: Tracer = holder.pop() if alone(holder) else holder.pop().snapshot()
        if handle.window is not None:
            handle.refresh()
            handle.window = None
        self.change(handle, prim, args[1:], params)
        return handle

    # ---- writes --------------------------------------------------------------------------------
    def change(
        self,
        handle: Tracer,
        prim: Primitive,
        args: Sequence[Any],
        params: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Let `handle` name the result of `prim(handle, *args)`, which takes over its memory if it can."""
        if self.closed:
            raise _leaked()
        self.borrow(handle)
        inputs: list[Any] = [handle.node]
        values: list[Any] = [None]
        wanted = [handle.node.type.inexact]
        for arg in args:
            if type(arg) is Tracer and arg.builder is self:
                atom, value = arg.node, arg.value
                wanted.append(atom.type.inexact)
            else:
                atom, value = self.lift(arg)
                wanted.append(False)
            inputs.append(atom)
            values.append(value)
        ys = None
        if self.saving:
            holder = [handle.value]
            handle.value = None
            try:
                ys = call_reusing(prim, holder, values, params)
            except BaseException:
                handle.value = holder.pop()
                raise
        values[0] = None
        self.bind(handle, self._append(prim, tuple(inputs), params, tuple(wanted), values, ys))

    def bind(self, handle: Tracer, result: Tracer) -> None:
        """Let `handle` name what `result`, a value of this trace, names."""
        self.borrow(handle)
        handle.node, handle.value, handle.weak = result.node, result.value, False
        handle.version += 1

    def borrow(self, handle: Tracer) -> None:
        """Make a handle of an outer trace one of this trace, until it closes."""
        if handle.builder is self:
            return
        origin, value = handle.builder, handle.snapshot()
        if origin.serial < 0:
            value = value.value
        handle.builder, handle.node, handle.value = self, self.capture(value), value
        self.written.append((handle, origin))

    def _append(
        self, prim: Primitive, inputs: tuple[Atom, ...], params: Mapping[str, Any], wanted: tuple[bool, ...],
        values: Any, ys: Any, saved: Any = None,
    ) -> Any:  # fmt: skip
        if self.closed:
            raise _leaked()
        if self.path is not None:
            if ys is not None and not prim.multiple:
                return self.note_all(prim, inputs, params, wanted, values, ys)
            self.leave()
        origin = _current()
        if origin is None:
            origin = caller()
        if prim.multiple:
            if ys is None:
                outputs = tuple(map(Var, prim.typeof(*(a.type for a in inputs), **params)))
                result: Any = tuple(Tracer(self, v, None) for v in outputs)
            else:
                outputs = tuple(Var(type_of(y)) for y in ys)
                result = tuple(Tracer(self, v, y) for v, y in zip(outputs, ys, strict=True))
        else:
            output = Var(
                prim.typeof(*(a.type for a in inputs), **params) if ys is None else type_of(ys)
            )
            outputs = (output,)
            result = Tracer(self, output, ys)
        if not self.saving or True not in wanted:
            self.list.append((prim, inputs, params, outputs, origin, None, None, None))
            return result
        try:
            drop, keep_ys = prim.read_plan[wanted]
        except KeyError:
            drop, keep_ys = prim.plan(wanted)
        if drop is None:
            values = None
        else:
            for p in drop:
                values[p] = None
        if keep_ys and not prim.multiple:
            ys = (ys,)
        kept = saved if prim.saves else ys if keep_ys else None
        self.list.append((prim, inputs, params, outputs, origin, wanted, values, kept))
        return result

    def decide(self, node: Var, number: Any) -> bool:
        """Python asks for a truth value: the answer, which the path of this trace depends on."""
        answer = bool(number)
        self.decisions.append((node, answer, caller()))
        return answer

    # ---- the result ----------------------------------------------------------------------------
    def atom(self, value: Any) -> Atom:
        """An output of the trace as an atom of its program."""
        if isinstance(value, Tracer):
            value.refresh()
            if value.builder is self:
                node: Var = value.node
                return node
        return self.lift(value)[0]

    def program(self, outputs: Any) -> Program:
        """The finished program: its inputs, then the captured values, lead to `outputs`."""
        atoms = tuple(self.atom(o) for o in outputs)
        inputs = (*self.inputs, *(v for v, _ in self.captured))
        sources: list[Any] = list(self.sources or ())
        eqns = []
        for prim, ins, params, outs, origin, *_ in self.entries:
            if type(origin) is not int:
                sources.append(origin)
                origin = len(sources) - 1
            eqns.append(Eqn(prim, ins, params, outs, origin))
        return Program(inputs, eqns, atoms, tuple(sources), self.name)

    def close(self) -> None:
        """End the trace: outer handles that were written here fall back to their primal value."""
        self.closed, self.quick = True, False
        self.companion = (
            None  # which knows this builder: nothing but the user's values may keep a trace
        )
        for handle, origin in self.written:
            value = handle.value
            if isinstance(value, Tracer):
                if (
                    value.builder is not origin
                ):  # a trace between the two, which has been written to as well
                    value.builder.written.append((handle, origin))
                handle.builder, handle.node, handle.value = value.builder, value.node, value.value
            elif value is not None:  # a trace on types alone has no number to fall back to
                handle.builder, handle.node = origin, origin.capture(value)
            handle.version += 1  # views look again


def _leaked() -> TracerLeakError:
    return TracerLeakError(
        "a traced value is used after the function that was traced had returned",
        "return it from the function, or use has_aux=True, instead of storing it outside",
        source.here(),
    )
