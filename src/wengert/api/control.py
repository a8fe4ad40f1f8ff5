"""Control flow that stays in the program: `cond`, `while_loop`, `fori_loop`, `scan`, `map`.

Python's own `if`, `for` and `while` work too wherever numbers are known; they are unrolled. These
functions write one equation, however often the loop runs. The functions given to them are traced
once, on types alone; what they use from outside is found by itself. Where nothing is traced, they
just run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.body import Body, delivered, leaf, name_of, shared, trace_body, written
from wengert.api.carry import Carry, common, described, is_plain, own, place
from wengert.errors import DTypeError, InputError, ShapeError, StructureError
from wengert.ir import source
from wengert.ir.program import Const, Eqn, Program, Var
from wengert.ir.types import ArrayType, type_of
from wengert.numpy_api.promote import cast, is_weak
from wengert.numpy_api.table import overridable
from wengert.ops import control as ops
from wengert.ops.arithmetic import add
from wengert.ops.compare import less
from wengert.trace.tracer import Tracer

_INT = np.dtype(np.int64)
_BOOL = ArrayType.of((), np.dtype(bool))


@overridable
def cond(
    pred: Any, true_fun: Callable[..., Any], false_fun: Callable[..., Any], *operands: Any
) -> Any:
    """`true_fun(*operands)` if `pred`, else `false_fun(*operands)`; both must return alike.

    Only the branch taken runs; both are traced.

    >>> f = lambda x: cond(x > 0, lambda x: x**2, lambda x: -x, x)
    >>> f(3.0), f(-3.0)
    (np.float64(9.0), np.float64(3.0))
    >>> import wengert as wg
    >>> wg.grad(f)(3.0), wg.grad(f)(-3.0)
    (6.0, -1.0)
    """
    which = _decision(pred)
    if is_plain([which, *tree.flatten(operands)[0]]):
        taken = true_fun if which else false_fun
        leaves, structure = tree.flatten(taken(*tree.map_leaves(own, operands)))
        return delivered([leaf(y, "the result of cond") for y in leaves], structure)
    given, structure = _opened(operands, "cond: an operand")
    bodies = [
        trace_body(
            lambda *xs, f=f: f(*tree.unflatten(structure, xs)),
            [type_of(x) for x in given],
            [is_weak(x) for x in tree.flatten(operands)[0]],
            name_of(f, kind),
            f"a branch of cond ({name_of(f, kind)})",
        )
        for f, kind in ((true_fun, "true"), (false_fun, "false"))
    ]
    _agree(*bodies)
    (true, false), captured = shared(*bodies)
    return delivered(
        written(ops.cond, which, *captured, *given, true=true, false=false), bodies[0].structure
    )


def _decision(pred: Any) -> Any:
    which = leaf(pred, "cond: the predicate")
    t = type_of(which)
    if t.shape != ():
        raise ShapeError(
            f"cond decides by one boolean, and got {t!r}",
            "reduce it with np.all or np.any; to choose element by element use np.where",
            source.here(),
        )
    return which if t.dtype.kind == "b" else which != 0


def _agree(true: Body, false: Body) -> None:
    """Bring both branches to the same types, or say how they differ."""
    if true.structure != false.structure:
        raise StructureError(
            f"cond: the branches return different structures, {described(true.structure)} and {described(false.structure)}",
            "return the same containers from both",
            source.here(),
        )
    dtypes = []
    for n, (a, b, v, w) in enumerate(
        zip(true.program.out_types, false.program.out_types, true.weak, false.weak, strict=True)
    ):
        where = place(true.structure, n)
        if a.shape != b.shape:
            raise ShapeError(
                f"cond: the branches return {a!r} and {b!r}{where}",
                "make the shapes equal",
                source.here(),
            )
        dtype = common(a.dtype, v, b.dtype, w)
        if dtype is None:
            raise DTypeError(
                f"cond: the branches return {a!r} and {b!r}{where}",
                f"bring one to the other's dtype, e.g. with .astype({a.dtype.name!r})",
                source.here(),
            )
        dtypes.append(dtype)
    true.cast(dtypes)
    false.cast(dtypes)


def _opened(given: Any, what: str) -> tuple[list[Any], Any]:
    """Typed leaves of a container."""
    leaves, structure = tree.flatten(given)
    return [leaf(x, what) for x in leaves], structure


# ---- loops -------------------------------------------------------------------------------------------------


@overridable
def while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init: Any) -> Any:
    """Apply `body_fun` to the carried value as long as `cond_fun` of it is true.

    How often, only the numbers tell; reverse mode works all the same.

    >>> def root(a):  # Newton's method
    ...     error = lambda x: np.abs(x * x - a) > 1e-14 * a
    ...     return while_loop(error, lambda x: (x + a / x) / 2, a)
    >>> import wengert as wg
    >>> print(f"{root(4.0):.9f} {wg.grad(root)(4.0):.9f}")
    2.000000000 0.250000000
    """
    carry = Carry(init, "while_loop")
    if is_plain(carry.raw):
        value = carry.start()
        while _goes_on(cond_fun(value)):
            value = carry.step(body_fun(value))
        return carry.end(value)

    def unflat(f: Callable[[Any], Any]) -> Callable[..., Any]:
        return lambda *xs: f(tree.unflatten(carry.structure, xs))

    body = carry.settle(
        lambda types, weak: trace_body(
            unflat(body_fun), types, weak, name_of(body_fun, "body"), "the body of while_loop"
        ),
        lambda structure: structure,
    )
    test = trace_body(
        unflat(cond_fun),
        carry.types,
        carry.weak,
        name_of(cond_fun, "cond"),
        "the condition of while_loop",
    )
    if test.program.out_types != (_BOOL,):
        raise _no_condition(test.program.out_types)
    test.cast([np.dtype(bool)])
    (condition, program), captured = shared(test, body)
    ys = written(
        ops.while_loop, *captured, *carry.values, cond=condition, body=program, consts=len(captured)
    )
    return delivered(ys, carry.structure)


def _goes_on(answer: Any) -> bool:
    """The answer of a condition that has run on plain numbers."""
    if isinstance(answer, bool | np.bool_):
        return bool(answer)
    types = tuple(type_of(leaf(y, "the result of the condition")) for y in tree.flatten(answer)[0])
    if types != (_BOOL,):
        raise _no_condition(types)
    return bool(answer)


def _no_condition(types: Sequence[Any]) -> StructureError:
    return StructureError(
        f"while_loop: the condition must return one boolean, and returns {', '.join(repr(t) for t in types) or 'nothing'}",
        "compare (x > 0), and reduce arrays with np.all or np.any",
        source.here(),
    )


@overridable
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:  # fmt: skip
    """`carry, y = f(carry, x)` for the slices x of `xs` along axis 0; the last carry and the stacked ys.

    Without `xs`, `length` says how often; with `reverse`, from the end.

    >>> scan(lambda total, x: (total + x, total), 0.0, np.array([1.0, 2.0, 3.0]))
    (np.float64(6.0), array([0., 1., 3.]))
    """
    carry = Carry(init, "scan")
    over, shape = _opened(xs, "scan: xs")
    steps = _length(over, xs, length, "scan")
    if steps and is_plain([*carry.raw, *over]):
        return _plain_scan(f, carry, over, shape, range(steps)[:: -1 if reverse else 1])
    count = len(carry.types)
    slices = [ArrayType.of(t.shape[1:], t.dtype) for t in (type_of(x) for x in over)]
    pair: Any = None

    def step(*leaves: Any) -> Any:
        nonlocal pair
        pair = _pair(
            f(
                tree.unflatten(carry.structure, leaves[:count]),
                tree.unflatten(shape, leaves[count:]),
            )
        )
        return pair

    body = carry.settle(
        lambda types, weak: trace_body(
            step,
            [*types, *slices],
            [*weak, *(False,) * len(slices)],
            name_of(f, "step"),
            "the body of scan",
        ),
        lambda _: tree.flatten(pair[0])[1],
    )
    _, outs = tree.flatten(pair[1])
    (program,), captured = shared(body)
    found = written(
        ops.scan,
        *captured, *carry.values, *over,
        body=program, consts=len(captured), carry=count, length=steps, reverse=bool(reverse),
    )  # fmt: skip
    return delivered(found[:count], carry.structure), delivered(found[count:], outs)


def _pair(result: Any) -> Any:
    if isinstance(result, tuple) and len(result) == 2:
        return result
    raise StructureError(
        f"scan: the body must return a pair (carry, y), and returns {described(tree.flatten(result)[1])}",
        "return carry, y (y may be None)",
        source.here(),
    )


def _plain_scan(
    f: Any, carry: Carry, over: Sequence[Any], shape: Any, steps: Sequence[int]
) -> tuple[Any, Any]:
    value: Any = carry.start()
    rows: list[list[Any]] = []
    outs: Any = None
    for k in steps:
        new, y = _pair(f(value, tree.unflatten(shape, [own(x[k]) for x in over])))
        value = carry.step(new)
        leaves, structure = tree.flatten(y)
        if rows and structure != outs:
            raise StructureError(
                f"scan: the body returns {described(structure)} for its y, after {described(outs)}",
                "return the same containers in every step",
                source.here(),
            )
        outs = structure
        rows.append([leaf(v, "the y of the body of scan") for v in leaves])
    columns = zip(*(rows if steps[0] <= steps[-1] else rows[::-1]), strict=True)
    return carry.end(value), delivered([np.stack(column) for column in columns], outs)


def _length(over: Sequence[Any], xs: Any, length: int | None, what: str) -> int:
    """How many slices all these have."""
    shapes = [type_of(x).shape for x in over]
    if any(s == () for s in shapes):
        n = next(n for n, s in enumerate(shapes) if s == ())
        path = tree.paths(xs)[n]
        raise ShapeError(
            f"{what} runs along axis 0, and a leaf of xs{' at ' + path if path else ''} is a scalar",
            "close over what is the same in every step",
            source.here(),
        )
    found = [s[0] for s in shapes] if length is None else [*(s[0] for s in shapes), int(length)]
    if not found:
        raise InputError(f"{what} was given neither xs nor length", "pass length=", source.here())
    if len(set(found)) > 1:
        paths = tree.paths(xs)
        listed = ", ".join(f"xs{p} has {s[0]}" for p, s in zip(paths, shapes, strict=True))
        asked = "" if length is None else f", length is {length}"
        raise ShapeError(
            f"{what}: the lengths differ: {listed}{asked}",
            "make the first axes equally long",
            source.here(),
        )
    return int(found[0])


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` of each slice of `xs` along axis 0, one after the other, stacked. See `vmap` for all at once.

    >>> map(lambda x: x**2, np.array([1.0, 2.0, 3.0]))
    array([1., 4., 9.])
    """
    return scan(lambda _, x: (None, f(x)), None, xs)[1]


@overridable
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init: Any) -> Any:
    """`value = body_fun(i, value)` for i from `lower` to `upper` - 1.

    >>> fori_loop(0, 5, lambda i, total: total + i, 0)
    np.int64(10)
    """
    carry = Carry(init, "fori_loop")
    low, high = _bound(lower, "lower"), _bound(upper, "upper")
    if is_plain([lower, upper, *carry.raw]):
        value = carry.start()
        for i in range(low, high):
            value = carry.step(body_fun(i, value))
        return carry.end(value)
    body = carry.settle(
        lambda types, weak: trace_body(
            lambda i, *xs: body_fun(i, tree.unflatten(carry.structure, xs)),
            [ArrayType.of((), _INT), *types],
            [True, *weak],
            name_of(body_fun, "body"),
            "the body of fori_loop",
        ),
        lambda structure: structure,
    )
    (program,), captured = shared(body)
    program = _counted(program, len(captured))
    consts, count = len(captured), len(carry.types) + 1
    if isinstance(low, int) and isinstance(high, int):
        ys = written(
        ops.scan,
            *captured, np.int64(low), *carry.values,
            body=program, consts=consts, carry=count, length=max(high - low, 0), reverse=False,
        )  # fmt: skip
    else:
        body_with, condition = _until(program, consts)
        ys = written(
        ops.while_loop,
            *captured, cast(high, _INT), cast(low, _INT), *carry.values,
            cond=condition, body=body_with, consts=consts + 1,
        )  # fmt: skip
    return delivered(ys[1:], carry.structure)


def _bound(x: Any, which: str) -> Any:
    """An int where the number is known, else a traced integer."""
    value = leaf(x, f"fori_loop: the {which} bound")
    t = type_of(value)
    if t.shape != () or t.dtype.kind not in "iu":
        raise DTypeError(
            f"fori_loop: the {which} bound is {t!r}, not an integer",
            "convert it with int(...)",
            source.here(),
        )
    number = value.number() if isinstance(value, Tracer) else value
    return value if number is None else int(number)


def _counted(program: Program, at: int) -> Program:
    """A body that carries its counter, which is input `at`."""
    i, after = program.inputs[at], Var(ArrayType.of((), _INT))
    step = Eqn(add, (i, Const(np.int64(1))), {}, (after,))
    return Program(
        program.inputs,
        [*program.eqns, step],
        [after, *program.outputs],
        program.sources,
        program.name,
    )


def _until(program: Program, at: int) -> tuple[Program, Program]:
    """The body with an upper bound before its counter, and the condition that holds below it."""
    bound = Var(ArrayType.of((), _INT))
    wider = [*program.inputs[:at], bound, *program.inputs[at:]]
    body = Program(wider, program.eqns, program.outputs, program.sources, program.name)
    inputs = [Var(v.type) for v in wider]
    below = Var(ArrayType.of((), np.dtype(bool)))
    test = Eqn(less, (inputs[at + 1], inputs[at]), {}, (below,))
    return body, Program(inputs, [test], [below], (), "below")
