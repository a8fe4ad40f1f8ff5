"""Symbolic derivatives: a Program read as a SymPy expression, differentiated there, and back.

`expression(f)("x")` evaluates the program of `f` with symbols in place of numbers: movements carry
symbols about, sums and products add and multiply them, each elementary operation is the function of
its name. Arrays are unrolled element by element. SymPy is optional: `pip install 'wengert[symbolic]'`.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tree
from wengert.errors import InputError, UnsupportedError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn, Program
from wengert.ir.types import ArrayType
from wengert.ops.families import Movement
from wengert.trace.trace import program_of

_MOST = 4096  # elements of an array that may still be unrolled


def sympy() -> Any:
    """The module, or an error that names the extra."""
    try:
        return importlib.import_module("sympy")
    except ImportError as error:
        raise ImportError(
            "wengert.symbolic needs SymPy: pip install 'wengert[symbolic]'"
        ) from error


def symbols(name: str, shape: int | tuple[int, ...] = ()) -> Any:
    """A real symbol, or an array of them.

    >>> symbols("w", (2, 2))
    array([[w_0_0, w_0_1],
           [w_1_0, w_1_1]], dtype=object)
    """
    extents = (shape,) if isinstance(shape, int) else shape
    if extents == ():
        return sympy().Symbol(name, real=True)
    found = np.empty(extents, object)
    for at in np.ndindex(*extents):
        found[at] = sympy().Symbol("_".join([name, *map(str, at)]), real=True)
    return found


def expression(f: Callable[..., Any] | Program, *, exact: bool = False) -> Callable[..., Any]:
    """`expression(f)(*variables)`: the result of `f` as a SymPy expression.

    A variable is a name, a symbol, or an array of symbols (see `symbols`); a number stays a number;
    without any, the parameters of `f` give the names. Array results are NumPy arrays of
    expressions. Numbers are written short where nothing is lost (integers, halves, π); the others
    are floats, or with `exact=True` the fractions that they are.

    >>> expression(lambda x, y: x * np.sin(y) + 0.5)("x", "y")
    x*sin(y) + 1/2
    """

    def build(*variables: Any) -> Any:
        given = [_variable(v) for v in (variables or _parameters(f))]
        program, values = _traced(f, given)
        result = evaluate(
            program, [_symbolic(v, exact) for v in values], arithmetic=_Reader(program, exact)
        )
        found = [_plain(y, exact) for y in result]
        return found[0] if len(found) == 1 else tuple(found)

    return build


def derivative(
    f: Callable[..., Any] | Program, argnum: int = 0, order: int = 1, *, exact: bool = False
) -> Callable[..., Any]:
    """`derivative(f)(*variables)`: the derivative of `expression(f)(*variables)` by one of them.

    Array arguments and array results give arrays, of shape `(*result, *argument)`. Steps (floor,
    sign) have the derivative 0, as everywhere in wengert.

    >>> derivative(lambda x: np.exp(-x * x))("x")
    -2*x*exp(-x**2)
    """

    def build(*variables: Any) -> Any:
        given = [_variable(v) for v in (variables or _parameters(f))]
        y, x = (
            np.asarray(expression(f, exact=exact)(*given), object),
            np.asarray(given[argnum], object),
        )
        slopes = np.empty((*y.shape, *x.shape), object)
        for i in np.ndindex(y.shape):
            for k in np.ndindex(x.shape):
                slopes[(*i, *k)] = _almost_everywhere(sympy().diff(y[i], x[k], order))
        return slopes[()]

    return build


def _almost_everywhere(expr: Any) -> Any:
    """Steps do not move: the derivatives of `floor`, `ceiling` and `sign` are 0."""
    sp = sympy()
    if expr.has(sp.DiracDelta, sp.Derivative):
        expr = expr.replace(sp.DiracDelta, lambda *args: sp.Integer(0))
        steps = (sp.Subs, sp.Derivative)
        expr = expr.replace(
            lambda e: isinstance(e, steps) and e.has(sp.floor, sp.ceiling), lambda e: sp.Integer(0)
        )
    return expr


def function(expr: Any, *variables: Any) -> Callable[..., Any]:
    """An expression (or an array of them) as a NumPy function of `variables`.

    Without variables: of its free symbols in alphabetical order. Symbols stand for numbers or for
    arrays of equal shape; an array of symbols stands for an array of its shape.

    >>> slope = function(derivative(lambda x: x**3)("x"))
    >>> slope(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    flat = [sympy().sympify(e) for e in np.ravel(np.asarray(expr, object))]
    shape = np.shape(np.asarray(expr, object))
    if not variables:
        free = set().union(*(e.free_symbols for e in flat))
        variables = tuple(sorted(free, key=lambda s: s.name))
    places = [_variable(v) for v in variables]
    names = [s for p in places for s in np.ravel(np.asarray(p, object))]
    compute = sympy().lambdify(names, flat, modules=["scipy", "numpy"], cse=True)

    def call(*args: Any) -> Any:
        parts: list[Any] = []
        for place, x in zip(places, args, strict=True):
            parts.extend(np.ravel(x) if np.ndim(place) else [x])
        with np.errstate(divide="ignore", invalid="ignore"):  # of branches that are not selected
            found = compute(*parts)
        return found[0] if shape == () else np.reshape(np.array(np.broadcast_arrays(*found)), shape)

    return call


def latex(expr: Any) -> str:
    """LaTeX of an expression or of an array of them.

    >>> print(latex(derivative(lambda x: np.sqrt(x))("x")))
    \\frac{1}{2 \\sqrt{x}}
    """
    sp = sympy()
    if isinstance(expr, np.ndarray):
        expr = sp.Array(expr.tolist()) if expr.ndim else expr[()]
    return str(sp.latex(expr))


def nodes(expr: Any) -> int:
    """How large an expression is: the nodes of its tree, shared parts counted each time.

    >>> nodes(expression(lambda x: x * np.sin(x))("x"))
    4
    """
    return sum(1 for e in np.ravel(np.asarray(expr, object)) for _ in sympy().preorder_traversal(e))


# ---- variables and numbers -----------------------------------------------------------------------


def _parameters(f: Any) -> list[str]:
    if isinstance(f, Program):
        return [f"x{n}" for n in range(len(f.inputs))]
    return [p.name for p in inspect.signature(f).parameters.values() if p.default is p.empty]


def _variable(v: Any) -> Any:
    """A symbol or an array of symbols; numbers are left alone."""
    if isinstance(v, str):
        return symbols(v)
    if isinstance(v, list | tuple) or hasattr(v, "tolist"):
        found = np.array(v.tolist() if hasattr(v, "tolist") else v, object)
        if found.dtype == object and all(isinstance(s, sympy().Basic) for s in found.flat):
            return found
        if np.asarray(v).dtype.kind in "fciub":
            return np.asarray(v)
        raise InputError(
            "a symbolic variable is a name, a symbol, or an array of symbols",
            'write "x", or wg.symbolic.symbols("x", (2, 3))',
            source.here(),
        )
    return v


def _is_symbolic(v: Any) -> bool:
    return isinstance(v, sympy().Basic) or (isinstance(v, np.ndarray) and v.dtype == object)


def _traced(f: Any, given: list[Any]) -> tuple[Program, list[Any]]:
    """The program of a call on symbols, and the values of all its inputs."""
    symbolic = [v for v in given if _is_symbolic(v)]
    if isinstance(f, Program):
        return f, given
    if sum(np.size(v) for v in symbolic) > _MOST:
        raise InputError(
            f"{sum(np.size(v) for v in symbolic)} symbols are too many to unroll",
            "use wg.grad, or a smaller example",
            source.here(),
        )
    types = [ArrayType.of(np.shape(v), np.dtype(float)) for v in symbolic]

    def call(*tracers: Any) -> list[Any]:
        moving = iter(tracers)
        y = f(*(next(moving) if _is_symbolic(v) else v for v in given))
        return tree.flatten(y)[0]

    weak = [np.ndim(v) == 0 for v in symbolic]
    program, captured = program_of(call, types, getattr(f, "__name__", "f"), weak)
    return program, [*symbolic, *captured]


def number(value: Any, exact: bool = False) -> Any:
    """A Python or NumPy number in SymPy's terms."""
    sp = sympy()
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, bool):
        return sp.true if value else sp.false
    if isinstance(value, int):
        return sp.Integer(value)
    if isinstance(value, complex):
        return number(value.real, exact) + sp.I * number(value.imag, exact)
    if not math.isfinite(value):
        return sp.nan if math.isnan(value) else sp.oo if value > 0 else -sp.oo
    if value.is_integer() or (value * 64).is_integer() or exact:
        return sp.Rational(*value.as_integer_ratio())
    return {math.pi: sp.pi, math.e: sp.E}.get(value) or sp.Float(value)


def _symbolic(v: Any, exact: bool) -> Any:
    """Numbers that may meet symbols become SymPy's; integer and boolean arrays stay (they index)."""
    if _is_symbolic(v):
        return v
    if np.ndim(v) == 0:
        return number(v, exact)
    v = np.asarray(v)
    return v if v.dtype.kind in "iub" else _each(lambda e: number(e, exact), v)


def _plain(y: Any, exact: bool) -> Any:
    y = _symbolic(y, exact)
    return y[()] if isinstance(y, np.ndarray) and y.ndim == 0 else y


def _each(rule: Callable[..., Any], *xs: Any) -> Any:
    return np.frompyfunc(rule, len(xs), 1)(*xs)


# ---- reading equations ---------------------------------------------------------------------------

# structural operations whose NumPy code does the same to arrays of expressions
_BY_NUMPY = {
    "sum", "cumsum", "prod", "cumprod", "matmul", "einsum", "update", "accumulate", "gather", "put", "scatter_add",
}  # fmt: skip


class _Reader:
    """Computes an equation on expressions: the `arithmetic` of `evaluate`."""

    def __init__(self, program: Program, exact: bool) -> None:
        self.program, self.exact = program, exact
        self.rules = _rules(sympy())

    def __call__(self, eqn: Eqn, ins: Any) -> Any:
        prim, params = eqn.prim, eqn.params
        ins = [x if _is_symbolic(x) else _symbolic(x, self.exact) for x in ins]
        if prim.name in self.rules:
            return _each(self.rules[prim.name], *ins)
        boxes = [np.asarray(x, object) if not isinstance(x, np.ndarray) else x for x in ins]
        if isinstance(prim, Movement):
            places = prim.ids(*(a.type for a in eqn.inputs), **params)
            pool = np.array([number(0), *(e for x in boxes for e in x.ravel())], object)
            return pool[places + 1]
        if prim.name in _BY_NUMPY:
            return prim.eval(*boxes, **params)
        if prim.name == "literal":
            return _symbolic(params["value"].array, self.exact)
        if prim.name == "convert" and params["dtype"].kind in "fc":
            return (
                ins[0]
                if eqn.inputs[0].type.dtype.kind != "b"
                else _each(self.rules["indicator"], ins[0])
            )
        if f"all {prim.name}" in self.rules:
            return _reduced(self.rules[f"all {prim.name}"], boxes[0], params["axes"])
        if prim.name == "centre":
            x, axes = boxes[0], params["axes"]
            return x - np.expand_dims(_reduced(self.rules["all mean"], x, axes), axes)
        line = self.program.line(eqn)
        raise UnsupportedError(
            f"{prim.name} has no symbolic form" + (f": {line.text}" if line is not None else ""),
            "write it with elementary functions, or differentiate by wg.grad",
            None if line is None else str(line),
        )


def _reduced(rule: Callable[..., Any], x: Any, axes: tuple[int, ...]) -> Any:
    kept = tuple(d for d in range(x.ndim) if d not in axes)
    rows = x.transpose(*kept, *axes).reshape(*(x.shape[d] for d in kept), -1)
    found = np.empty(rows.shape[:-1], object)
    for at in np.ndindex(found.shape):
        found[at] = rule(*rows[at])
    return found


def _rules(sp: Any) -> dict[str, Callable[..., Any]]:
    """What each elementary operation is in SymPy, by the name of its primitive."""

    def choose(c: Any, x: Any, y: Any) -> Any:
        return sp.Piecewise((x, c), (y, True))

    def power(x: Any, p: Any) -> Any:
        return x**p

    def trunc(x: Any) -> Any:
        return choose(x >= 0, sp.floor(x), sp.ceiling(x))

    rules: dict[str, Callable[..., Any]] = {
        "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y, "scale": lambda g, slope: g * slope, "neg": lambda x: -x,
        "reciprocal": lambda x: 1 / x, "square": lambda x: x**2, "power": power, "float_power": power,
        "cbrt": lambda x: choose(x >= 0, x ** sp.Rational(1, 3), -((-x) ** sp.Rational(1, 3))),
        "mod": lambda x, y: x - y * sp.floor(x / y), "fmod": lambda x, y: x - y * trunc(x / y),
        "trunc": trunc,
        "floor_divide": lambda x, y: sp.floor(x / y),
        "ceil": sp.ceiling, "abs": sp.Abs, "absolute": sp.Abs, "fabs": sp.Abs, "modulus": sp.Abs,
        "real": sp.re, "imag": sp.im, "conj": sp.conjugate,
        "exp2": lambda x: 2**x, "expm1": lambda x: sp.exp(x) - 1, "log2": lambda x: sp.log(x) / sp.log(2),
        "log10": lambda x: sp.log(x) / sp.log(10), "log1p": lambda x: sp.log(1 + x),
        "logaddexp": lambda x, y: sp.log(sp.exp(x) + sp.exp(y)),
        "logaddexp2": lambda x, y: sp.log(2**x + 2**y) / sp.log(2),
        "hypot": lambda x, y: sp.sqrt(x**2 + y**2), "arctan2": sp.atan2,
        "deg2rad": lambda x: x * sp.pi / 180, "radians": lambda x: x * sp.pi / 180,
        "rad2deg": lambda x: x * 180 / sp.pi, "degrees": lambda x: x * 180 / sp.pi,
        "maximum": sp.Max, "fmax": sp.Max, "minimum": sp.Min, "fmin": sp.Min,
        "copysign": lambda x, y: sp.Abs(x) * choose(y < 0, -1, 1),
        "less": sp.Lt, "less_equal": sp.Le, "greater": sp.Gt, "greater_equal": sp.Ge, "equal": sp.Eq, "not_equal": sp.Ne,
        "logical_and": sp.And, "logical_or": sp.Or, "logical_xor": sp.Xor, "logical_not": sp.Not,
        "bitwise_and": sp.And, "bitwise_or": sp.Or, "bitwise_xor": sp.Xor, "invert": sp.Not,
        "select": choose, "indicator": lambda c: choose(c, 1, 0),
        "all max": sp.Max, "all min": sp.Min, "all length": lambda *xs: sp.sqrt(sp.Add(*(x**2 for x in xs))),
        "all mean": lambda *xs: sp.Add(*xs) / len(xs), "all logsumexp": lambda *xs: sp.log(sp.Add(*map(sp.exp, xs))),
    }  # fmt: skip
    same = {
        "exp": "exp", "log": "log", "sqrt": "sqrt", "sign": "sign", "floor": "floor", "sin": "sin", "cos": "cos",
        "tan": "tan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsin": "asin", "arccos": "acos",
        "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "erf": "erf", "erfc": "erfc",
        "erfinv": "erfinv", "gamma": "gamma", "gammaln": "loggamma", "loggamma": "loggamma", "digamma": "digamma",
        "psi": "digamma", "lambertw": "LambertW", "jv": "besselj", "yv": "bessely", "iv": "besseli", "kv": "besselk",
        "beta": "beta", "zeta": "zeta", "sinc": "sinc",
    }  # fmt: skip
    rules.update((ours, getattr(sp, theirs)) for ours, theirs in same.items())
    rules["expit"] = lambda x: 1 / (1 + sp.exp(-x))
    rules["logit"] = lambda x: sp.log(x / (1 - x))
    rules["xlogy"] = lambda x, y: x * sp.log(y)
    rules["sinc"] = lambda x: sp.sinc(sp.pi * x)
    return rules
