"""jvp and linearize: how the result moves with the arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api import looked_at, unsettled
from wengert.api.arguments import Call, Leaf, split_aux
from wengert.api.gradients import apart, case_of, number_of, record_call
from wengert.errors import ShapeError, StructureError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.types import type_of
from wengert.trace.trace import run
from wengert.trace.tracer import Tracer
from wengert.transforms.forward import PushBuilder, linear_part
from wengert.trust import anomaly, policies, report


def matched(given: Any, like: Any, what: str) -> list[Any]:
    """Leaves of a tangent (or cotangent) that must look like `like`."""
    leaves, structure = tree.flatten(given)
    wanted, shape = tree.flatten(like)
    if structure != shape and len(leaves) != len(wanted):
        raise StructureError(
            f"{what} has the structure {structure}, expected {shape}", "", source.here()
        )
    for n, (g, x) in enumerate(zip(leaves, wanted, strict=True)):
        if type_of(g).shape != type_of(x).shape:
            where = tree.paths(like)[n]
            raise ShapeError(
                f"{what}{' at ' + where if where else ''} has shape {type_of(g).shape}, expected {type_of(x).shape}",
                "give it the shape of the value that it belongs to",
                source.here(),
            )
    return leaves


def like_leaf(g: Any, leaf: Leaf) -> Any:
    """A tangent in its leaf's dtype."""
    if isinstance(g, Tracer):
        return g
    return np.asarray(g).astype(leaf.type.dtype)[()]


def finished(y: Any) -> Any:
    """A result as plain NumPy gives it: no views of internal buffers, numbers for 0-d."""
    if isinstance(y, Tracer) or not isinstance(y, np.ndarray):
        return y
    if y.ndim == 0:
        return y[()]
    return y if y.base is None and y.flags.writeable else np.array(y)


def open_all(fun: Callable[..., Any], primals: Sequence[Any], what: str) -> Call:
    """All positional arguments opened into leaves."""
    return Call(fun, tuple(primals), {}, tuple(range(len(primals))), None, what)


def leaves_like(call: Call, given: Sequence[Any], primals: Sequence[Any], what: str) -> list[Any]:
    """Tangents in the order of the call's leaves; those of static leaves are dropped."""
    flat: list[Any] = []
    for t, (structure, places) in zip(given, call.structures, strict=True):
        opened, found = tree.flatten(t)
        if len(opened) != len(places) or found != structure:
            raise StructureError(
                f"{what} has the structure {found}, its argument {structure}",
                "tangents have the containers of their arguments",
                source.here(),
            )
        for g, p in zip(opened, places, strict=True):
            if isinstance(p, int):
                leaf = call.leaves[p]
                if np.shape(g) != leaf.type.shape:
                    raise ShapeError(
                        f"{what} of shape {np.shape(g)} for an argument of shape {leaf.type.shape}",
                        "tangents have the shapes of their arguments",
                        source.here(),
                    )
                flat.append(like_leaf(g, leaf))
    return flat


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False, trust: str = "report"
) -> Any:  # fmt: skip
    """`(value, tangent)` of `fun` at `primals` in the direction `tangents`, in one forward run.

    `primals` and `tangents` are tuples with one entry per positional argument (containers welcome).

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 10.0))
    (np.float64(12.0), np.float64(34.0))
    """
    call = open_all(fun, primals, "jvp")
    if len(tangents) != len(call.args):
        raise StructureError(
            f"jvp: {len(call.args)} primals, but {len(tangents)} tangents", "", source.here()
        )
    dxs = leaves_like(call, tangents, primals, "jvp: a tangent")
    builder = PushBuilder(getattr(fun, "__name__", "f"))
    tracers = [
        builder.moving(x.type, x.value, x.weak, dx) for x, dx in zip(call.leaves, dxs, strict=True)
    ]
    out = run(builder, lambda *xs: (call.run(xs),), tracers)[0]
    out, aux = split_aux(out, has_aux)
    leaves, structure = tree.flatten(out)
    ys = [finished(number_of(builder, y)) for y in leaves]
    dys = [_tangent(builder, y) for y in leaves]
    if builder.settling and not builder.nested:
        dys = unsettled.tangents(call, dxs, dys, has_aux)
    level = looked_at.wanted(policies.level(trust), builder, [*ys, *dys])
    if level:  # (nothing is kept of a forward run: once more, with a list)
        again, _, said = record_call(call)
        outs = tree.flatten(split_aux(said, has_aux)[0])[0]
        ys, dys = looked_at.tangents("jvp", level, call, again, outs, dxs, ys, dys, has_aux)
    elif trust != "off" or anomaly.watched.get() is not None:
        report.inspect("jvp", [*ys, *dys], lambda: pushed_case(call, dxs))
    result = tree.unflatten(structure, ys), tree.unflatten(structure, dys)
    return (*result, tree.map_leaves(lambda a: number_of(builder, a), aux)) if has_aux else result


def _tangent(builder: Any, y: Any) -> Any:
    if isinstance(y, Tracer) and y.builder is builder and y.node.tangent is not None:
        return finished(y.node.tangent)
    t = type_of(y)
    return np.zeros(t.shape, t.dtype if t.inexact else np.float64)[()]


def pushed_case(call: Call, dxs: list[Any]) -> report.Case:
    """A call in forward mode, recorded once more, to be replayed."""
    builder, _, out = record_call(call)
    leaves = [y for y in tree.flatten(out)[0] if isinstance(y, Tracer)]
    return case_of(call, builder, leaves, dxs=dxs)


class LinearMap:
    """The derivative at a point, as a function of the tangents: what `linearize` returns.

    Call it with one tangent per argument. It is a program with its residuals, so it is cheap to
    apply many times.
    """

    def __init__(
        self,
        call: Call,
        program: Any,
        residuals: list[Any],
        structure: Any,
        primals: Any,
        trust: str,
    ) -> None:
        self.call, self.program, self.residuals = call, program, residuals
        self.structure, self.primals, self.trust = structure, primals, trust

    def __call__(self, *tangents: Any) -> Any:
        dxs = leaves_like(self.call, tangents, self.primals, "linearize: a tangent")
        with np.errstate(all="ignore"):
            dys = evaluate(self.program, [*dxs, *self.residuals])
        if self.trust != "off" or anomaly.watched.get() is not None:
            report.inspect("linearize", dys, lambda: pushed_case(self.call, dxs))
        return tree.unflatten(self.structure, [finished(dy) for dy in dys])

    def __repr__(self) -> str:
        return f"<LinearMap of {len(self.program.eqns)} equations>"


def linearize(
    fun: Callable[..., Any], *primals: Any, has_aux: bool = False, trust: str = "report"
) -> Any:
    """`(value, linear map)`: the derivative at a point, cheap to apply again and again.

    >>> value, slope = linearize(lambda x: x**3, 2.0)
    >>> slope(1.0), slope(10.0)
    (np.float64(12.0), np.float64(120.0))
    """
    call = open_all(fun, primals, "linearize").own()
    builder, tracers, out = record_call(call)
    out, aux = split_aux(out, has_aux)
    leaves, structure = tree.flatten(out)
    targets = [builder.atom(y) for y in leaves]
    with np.errstate(all="ignore"):
        program, residuals = linear_part(builder, [x.node for x in tracers], targets)
    ys = [apart(number_of(builder, y)) for y in leaves]
    if policies.level(trust) != "off" or anomaly.watched.get() is not None:
        report.inspect("linearize", ys, lambda: case_of(call, builder, leaves))
    value = tree.unflatten(structure, ys)
    linear = LinearMap(call, program, residuals, structure, primals, trust)
    return (
        (value, linear, tree.map_leaves(lambda a: number_of(builder, a), aux))
        if has_aux
        else (value, linear)
    )
