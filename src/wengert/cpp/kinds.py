"""What is exported of a function: its value and derivatives, each as a program with named ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api.forward import jvp
from wengert.api.gradients import grad, value_and_grad, vjp
from wengert.api.jacobians import hessian, jacobian
from wengert.api.mapping import vmap
from wengert.cpp.naming import distinct, identifier, leaf_names
from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.program import Program
from wengert.ir.types import ArrayType, type_of
from wengert.ops.literal import literal_inputs
from wengert.rewrites.simplify import simplify
from wengert.trace.trace import program_of
from wengert.transforms.sweep import sweep

KINDS = (
    "value",
    "gradient",
    "value_and_gradient",
    "jacobian",
    "jvp",
    "vjp",
    "hessian",
    "hvp",
)


class Port(NamedTuple):
    """An input or output: its name and type."""

    name: str
    type: ArrayType


class Exported(NamedTuple):
    """One exported function: a program, and names for its inputs and outputs."""

    kind: str
    program: Program
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class Question(NamedTuple):
    """A function and how it is called: which leaves are inputs, which of them derivatives are by."""

    fun: Callable[..., Any]
    structure: Any
    leaves: tuple[Any, ...]  # all of them; static ones are given as they are
    places: tuple[int, ...]  # which of them are inputs
    inputs: tuple[Port, ...]
    moving: tuple[bool, ...]  # which inputs derivatives are by

    def called(self, values: Sequence[Any]) -> list[Any]:
        """The leaves of the result, for values of the inputs."""
        leaves = list(self.leaves)
        for place, v in zip(self.places, values, strict=True):
            leaves[place] = v
        return tree.flatten(self.fun(*tree.unflatten(self.structure, leaves)))[0]

    def by(self, values: Sequence[Any]) -> Callable[..., list[Any]]:
        """The result as a function of the moving inputs, the others as they are."""

        def function(*moving: Any) -> list[Any]:
            rest = iter(moving)
            whole = [next(rest) if m else v for v, m in zip(values, self.moving, strict=True)]
            return self.called(whole)

        return function

    def chosen(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The moving ones among the inputs' values."""
        return tuple(v for v, m in zip(values, self.moving, strict=True) if m)


def question(
    fun: Callable[..., Any], args: Sequence[Any], argnums: Any, single: bool
) -> tuple[Question, list[Any]]:
    """A question about `fun` as it is called with `args`, and the inputs' values."""
    leaves, structure = tree.flatten(tuple(args))
    names = leaf_names(fun, args)
    wanted = _argnums(argnums, len(args))
    owners = [n for n, a in enumerate(args) for _ in tree.flatten(a)[0]]
    places, ports, values, moving = [], [], [], []
    for n, leaf in enumerate(leaves):
        value = _number(leaf, single)
        if value is None:
            continue
        places.append(n)
        values.append(value)
        t = type_of(value)
        ports.append(Port(names[n], t))
        moves = t.inexact and (wanted is None or owners[n] in wanted)
        moving.append(moves)
    if not places:
        raise InputError(
            "an exported function needs an argument of numbers",
            "pass example arguments: floats or arrays",
            source.here(),
        )
    made = Question(fun, structure, tuple(leaves), tuple(places), tuple(ports), tuple(moving))
    return made, values


def _argnums(argnums: Any, count: int) -> set[int] | None:
    if argnums is None:
        return None
    given = (argnums,) if isinstance(argnums, int | np.integer) else tuple(argnums)
    for n in given:
        if not -count <= n < count:
            raise InputError(
                f"argnums={n}, but {count} arguments are given", "check argnums=", source.here()
            )
    return {n % count for n in given}


def _number(leaf: Any, single: bool) -> Any:
    """An input's value; None for what stays as it is (Python integers, flags, strings, functions)."""
    if isinstance(leaf, bool | int | str | bytes) or leaf is None:
        return None
    if isinstance(leaf, float | complex) or hasattr(leaf, "__array__"):
        value = np.asarray(leaf)
        if value.dtype.kind not in "fciub":
            return None
        if single and value.dtype == np.float64:
            value = value.astype(np.float32)
        return value[()]
    return None


def exported(kind: str, q: Question, result: Sequence[Port], forward: bool = False) -> Exported:
    """The program of one kind of derivative (`result` names what the function returns).

    `forward`: gradients and Jacobians column by column, which leaves nothing behind in loops.
    """
    moving = tuple(p for p, m in zip(q.inputs, q.moving, strict=True) if m)
    if kind != "value" and not moving:
        raise InputError(
            f"{kind}: no input is a floating-point number to differentiate by",
            "pass floats or float arrays, or name them with argnums=",
            source.here(),
        )
    if kind in ("gradient", "value_and_gradient", "hessian", "hvp"):
        _check_scalar(kind, result)
    build, extra, outputs = (FORWARD if forward else _BUILD)[kind](q, moving, tuple(result))
    names = distinct(
        [*(p.name for p in extra), *(name for name in outputs)], [p.name for p in q.inputs]
    )
    extra = tuple(p._replace(name=n) for p, n in zip(extra, names, strict=False))
    count = len(q.inputs)
    types = [*(p.type for p in q.inputs), *(p.type for p in extra)]

    def flat(*values: Any) -> list[Any]:
        return list(tree.flatten(build(values[:count], values[count:]))[0])

    program, captured = program_of(flat, types, name=getattr(q.fun, "__name__", "f"))
    program = simplify(sweep(literal_inputs(program, captured)))
    ports = tuple(Port(n, t) for n, t in zip(names[len(extra) :], program.out_types, strict=True))
    return Exported(kind, program, (*q.inputs, *extra), ports)


def results(q: Question) -> tuple[Port, ...]:
    """Names and types of what the function returns."""
    paths: list[str] = []

    def flat(*values: Any) -> list[Any]:
        leaves = list(q.leaves)
        for place, v in zip(q.places, values, strict=True):
            leaves[place] = v
        out = q.fun(*tree.unflatten(q.structure, leaves))
        found = tree.flatten(out)[0]
        paths[:] = tree.paths(out) if len(found) > 1 or isinstance(out, dict) else [""]
        return list(found)

    program, _ = program_of(flat, [p.type for p in q.inputs])
    names = distinct(
        (identifier(f"y{p}" if p[:2] != "['" else p) for p in paths), [p.name for p in q.inputs]
    )
    return tuple(Port(n, t) for n, t in zip(names, program.out_types, strict=True))


def _check_scalar(kind: str, result: Sequence[Port]) -> None:
    if len(result) != 1 or result[0].type.shape != () or result[0].type.dtype.kind != "f":
        raise InputError(
            f"{kind} of a function that returns {', '.join(repr(p.type) for p in result)}",
            "return one real number, or ask for the jacobian, jvp or vjp",
            source.here(),
        )


# ---- the kinds: (how to compute, inputs more, names of the outputs) ---------------------------------------


def _value(q: Question, moving: Any, result: Any) -> Any:
    return lambda xs, _: q.called(xs), (), [p.name for p in result]


def _one(q: Question, values: Any) -> Callable[..., Any]:
    function = q.by(values)
    return lambda *moving: function(*moving)[0]


def _gradient(q: Question, moving: Any, result: Any) -> Any:
    many = tuple(range(len(moving)))
    return (
        lambda xs, _: grad(_one(q, xs), many, trust="off")(*q.chosen(xs)),
        (),
        [f"grad_{p.name}" for p in moving],
    )


def _value_and_gradient(q: Question, moving: Any, result: Any) -> Any:
    many = tuple(range(len(moving)))
    return (
        lambda xs, _: value_and_grad(_one(q, xs), many, trust="off")(*q.chosen(xs)),
        (),
        [result[0].name, *(f"grad_{p.name}" for p in moving)],
    )


def _columns(q: Question, moving: Sequence[Port], result: Sequence[Port]) -> Callable[..., Any]:
    """The Jacobian by tangents, one column after the other: loops leave nothing behind."""
    sizes = [p.type.size for p in moving]
    ends = np.cumsum(sizes)

    def build(xs: Any, _: Any) -> list[Any]:
        def column(e: Any) -> tuple[Any, ...]:
            parts = [
                np.reshape(e[end - n : end], p.type.shape).astype(p.type.dtype)
                for p, n, end in zip(moving, sizes, ends, strict=True)
            ]
            dys = jvp(q.by(xs), q.chosen(xs), tuple(parts), trust="off")[1]
            return tuple(dy for dy, p in zip(dys, result, strict=True) if p.type.inexact)

        return [
            np.reshape(
                np.moveaxis(columns[end - n : end], 0, -1),
                (*type_of(columns).shape[1:], *p.type.shape),
            )
            for columns in vmap(column)(np.eye(sum(sizes)))
            for p, n, end in zip(moving, sizes, ends, strict=True)
        ]

    return build


def _gradient_forward(q: Question, moving: Any, result: Any) -> Any:
    return _columns(q, moving, result), (), [f"grad_{p.name}" for p in moving]


def _jacobian_forward(q: Question, moving: Any, result: Any) -> Any:
    return _columns(q, moving, result), (), _jacobian_names(moving, result)


def _jacobian_names(moving: Sequence[Port], result: Sequence[Port]) -> list[str]:
    real = [p for p in result if p.type.inexact]
    if len(real) == 1:
        return [f"jac_{x.name}" for x in moving]
    return [f"jac_{y.name}_{x.name}" for y in real for x in moving]


def _jacobian(q: Question, moving: Any, result: Any) -> Any:
    many = tuple(range(len(moving)))

    def build(xs: Any, _: Any) -> Any:
        def function(*chosen: Any) -> list[Any]:
            ys = q.by(xs)(*chosen)
            return [y for y, p in zip(ys, result, strict=True) if p.type.inexact]

        return jacobian(function, many, trust="off")(*q.chosen(xs))

    return build, (), _jacobian_names(moving, result)


def _jvp(q: Question, moving: Any, result: Any) -> Any:
    tangents = tuple(Port(f"d_{p.name}", p.type) for p in moving)
    real = [p for p in result if p.type.inexact]

    def build(xs: Any, dxs: Any) -> Any:
        ys, dys = jvp(q.by(xs), q.chosen(xs), tuple(dxs), trust="off")
        return [*ys, *(dy for dy, p in zip(dys, result, strict=True) if p.type.inexact)]

    return build, tangents, [*(p.name for p in result), *(f"d_{p.name}" for p in real)]


def _vjp(q: Question, moving: Any, result: Any) -> Any:
    real = [p for p in result if p.type.inexact]
    cotangents = tuple(Port(f"{p.name}_bar", p.type) for p in real)

    def build(xs: Any, gs: Any) -> Any:
        def function(*chosen: Any) -> list[Any]:
            ys = q.by(xs)(*chosen)
            return [y for y, p in zip(ys, result, strict=True) if p.type.inexact]

        _, pull = vjp(function, *q.chosen(xs), trust="off")
        return pull(list(gs))

    return build, cotangents, [f"{p.name}_bar" for p in moving]


def _hessian(q: Question, moving: Any, result: Any) -> Any:
    many = tuple(range(len(moving)))
    names = [f"hess_{a.name}_{b.name}" for a in moving for b in moving]
    names = [f"hess_{moving[0].name}"] if len(moving) == 1 else names
    return (
        lambda xs, _: hessian(_one(q, xs), many, trust="off")(*q.chosen(xs)),
        (),
        names,
    )


def _hvp(q: Question, moving: Any, result: Any) -> Any:
    many = tuple(range(len(moving)))
    directions = tuple(Port(f"v_{p.name}", p.type) for p in moving)

    def build(xs: Any, vs: Any) -> Any:
        slope = grad(_one(q, xs), many, trust="off")
        return jvp(slope, q.chosen(xs), tuple(vs), trust="off")[1]

    return build, directions, [f"hvp_{p.name}" for p in moving]


_BUILD = {
    "value": _value,
    "gradient": _gradient,
    "value_and_gradient": _value_and_gradient,
    "jacobian": _jacobian,
    "jvp": _jvp,
    "vjp": _vjp,
    "hessian": _hessian,
    "hvp": _hvp,
}
FORWARD = {"gradient": _gradient_forward, "jacobian": _jacobian_forward}
