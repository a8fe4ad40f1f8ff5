"""Taylor: the slope of a function at a point where its program divides 0 by 0, proved by power series.

Along a line through the point every number is a power series with balls as coefficients. A factor that
numerator and denominator share is cancelled only where its coefficients are exactly zero, and each
operation must be analytic at what it is given: then the result is the function's own series, and its
second coefficient is the slope. Whatever does not fit is left undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.ir.evaluate import evaluate
from wengert.ir.program import Eqn
from wengert.ir.types import type_of
from wengert.ops.families import Movement
from wengert.trust.balls.moves import as_objects, one
from wengert.trust.balls.number import Undecided, ball, each, entered, flint, precision
from wengert.trust.question import Recorded

_TERMS = 12
_BITS = 192


def slope(recorded: Recorded, gs: Sequence[Any], dxs: Sequence[Any]) -> Any:
    """The slope of the weighted outputs along `dxs`, as a ball; None where series do not prove it."""
    context = flint().ctx
    before = context.cap
    try:
        with precision(_BITS):
            context.cap = _TERMS
            return _slope(recorded, gs, dxs)
    except (Undecided, ArithmeticError, ValueError, TypeError, NotImplementedError):
        return None
    finally:
        context.cap = before


class Series:
    """A power series, in a box: NumPy would take a bare one for the list of its coefficients."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __add__(self, other: Series) -> Series:
        return Series(self.it + other.it)

    def __mul__(self, other: Series) -> Series:
        return Series(self.it * other.it)


def _slope(recorded: Recorded, gs: Sequence[Any], dxs: Sequence[Any]) -> Any:
    program = recorded.program
    args = []
    for n, (a, t) in enumerate(zip(recorded.args, program.in_types, strict=True)):
        dx = dxs[n] if n < len(dxs) else None
        args.append(_line(a, dx) if t.dtype.kind == "f" else a)
    found = evaluate(program, args, arithmetic=_step)
    total = _series(ball(0))
    for g, y in zip(gs, found, strict=True):
        if g is not None:
            weights = as_objects(entered(g, type_of(g).dtype))
            for w, v in zip(weights.flat, as_objects(y).flat, strict=True):
                total = total + _boxed(v).it * _series(w)
    if total.prec < 2:
        raise Undecided("too few terms are left")
    found_slope = total[1]
    return found_slope if found_slope.is_finite() else None


def _series(x: Any) -> Any:
    return flint().arb_series([ball(x)])


def _boxed(x: Any) -> Series:
    return x if type(x) is Series else Series(_series(x))


_boxes = each(_boxed)


def _line(a: Any, dx: Any) -> Any:
    """A number, or numbers, that move along dx."""
    a = as_objects(entered(np.asarray(a)[()], np.asarray(a).dtype))
    d = np.zeros(a.shape) if dx is None else np.asarray(dx)
    y = np.empty(a.shape, object)
    for at in np.ndindex(a.shape):
        y[at] = Series(flint().arb_series([a[at], ball(d[at])]))
    return one(y)


# ---- one equation ------------------------------------------------------------------------------------------


def _start(x: Any) -> Any:
    """The number at the point itself."""
    return x[0]


def _positive(x: Any) -> Any:
    if not _start(x) > 0:
        raise Undecided("an edge of a domain")
    return x


def _log(x: Any) -> Any:
    return _positive(x).log()


def _power(x: Any, p: Any) -> Any:
    if p.length() > 1:
        return (p * _log(x)).exp()
    n = _start(p).unique_fmpz() if _start(p).is_integer() else None
    if n is not None and 0 <= int(n) <= 64:
        y = _series(1)
        for _ in range(int(n)):
            y = y * x
        return y
    if n is not None and -64 <= int(n) < 0:
        return _series(1) / _power(x, -p)
    return (p * _log(x)).exp()


def _abs(x: Any) -> Any:
    return x if _start(x) > 0 else -x if _start(x) < 0 else _undecided()


def _undecided() -> Any:
    raise Undecided("a kink")


def _exp(x: Any) -> Any:
    return x.exp()


def _sinh(x: Any) -> Any:
    return (_exp(x) - _exp(-x)) / 2


def _cosh(x: Any) -> Any:
    return (_exp(x) + _exp(-x)) / 2


def _inside(x: Any) -> Any:
    if not abs(_start(x)) < 1:
        raise Undecided("an edge of a domain")
    return x


def _maximum(x: Any, y: Any) -> Any:
    return x if _start(x) > _start(y) else y if _start(x) < _start(y) else _undecided()


def _compared(decide: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def rule(x: Any, y: Any) -> bool:
        a, b = _start(x), _start(y)
        if not (a < b or a > b):
            raise Undecided("a comparison that turns")
        return decide(a, b)

    return rule


_RULES: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "scale": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "stop": lambda x: _series(_start(x)),
    "square": lambda x: x * x,
    "reciprocal": lambda x: _series(1) / x,
    "sqrt": lambda x: _positive(x).sqrt(),
    "power": _power,
    "float_power": _power,
    "exp": _exp,
    "expm1": lambda x: _exp(x) - 1,
    "exp2": lambda x: (x * _series(flint().arb(2).log())).exp(),
    "log": _log,
    "log1p": lambda x: _log(1 + x),
    "log2": lambda x: _log(x) / _series(flint().arb(2).log()),
    "log10": lambda x: _log(x) / _series(flint().arb(10).log()),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.sin() / x.cos(),
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": lambda x: _sinh(x) / _cosh(x),
    "arctan": lambda x: x.atan(),
    "arcsin": lambda x: _inside(x).asin(),
    "arccos": lambda x: _inside(x).acos(),
    "arcsinh": lambda x: (x + (1 + x * x).sqrt()).log(),
    "arctanh": lambda x: ((1 + _inside(x)).log() - (1 - x).log()) / 2,
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
    "erfi": lambda x: x.erfi(),
    "gammaln": lambda x: _positive(x).lgamma(),
    "gamma": lambda x: _positive(x).gamma(),
    "abs": _abs,
    "fabs": _abs,
    "maximum": _maximum,
    "minimum": lambda x, y: -_maximum(-x, -y),
    "logaddexp": lambda x, y: (x.exp() + y.exp()).log(),
    "expit": lambda x: _series(1) / (1 + _exp(-x)),
    "less": _compared(lambda a, b: bool(a < b)),
    "less_equal": _compared(lambda a, b: bool(a < b)),
    "greater": _compared(lambda a, b: bool(a > b)),
    "greater_equal": _compared(lambda a, b: bool(a > b)),
    "equal": _compared(lambda a, b: False),
    "not_equal": _compared(lambda a, b: True),
}
_NUMBERS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")


def _step(eqn: Eqn, ins: Sequence[Any]) -> Any:
    """The results of an equation, series for floats."""
    types = [a.type for a in eqn.inputs]
    if any(getattr(t, "dtype", np.dtype("c16")).kind == "c" for t in types):
        raise Undecided("complex numbers")
    xs = [
        _boxes(as_objects(x)) if t.dtype.kind == "f" else x for x, t in zip(ins, types, strict=True)
    ]
    name, out = eqn.prim.name, eqn.outputs[0].type
    if all(t.dtype.kind in "biu" for t in types) and out.dtype.kind in "biu":
        return eqn.prim.eval(*ins, **eqn.params)
    if name == "select":
        return one(as_objects(np.where(xs[0], xs[1], xs[2])))
    if name == "convert" and out.dtype.kind == "f":
        return one(_boxes(as_objects(xs[0])))
    if name == "sum":
        return one(as_objects(np.add.reduce(xs[0], eqn.params["axes"])))
    if name == "prod":
        return one(as_objects(np.multiply.reduce(xs[0], eqn.params["axes"])))
    if isinstance(eqn.prim, Movement):
        held = [as_objects(x) if t.dtype.kind == "f" else x for x, t in zip(xs, types, strict=True)]
        moved = eqn.prim.eval(*held, **eqn.params)
        return one(_boxes(as_objects(moved)))
    rule = _RULES.get(name)
    if rule is None or not all(t.dtype.kind == "f" for t in types):
        raise Undecided(f"no series of {name}")
    if name in _NUMBERS:
        y = each(lambda a, b: rule(a.it, b.it), 2)(*xs)
        return np.asarray(y, bool)[()]
    return each(lambda *vs: _sound(rule(*(v.it for v in vs))), len(xs))(*xs)


def _sound(x: Any) -> Series:
    if not all(c.is_finite() for c in x.coeffs()):
        raise Undecided("a singularity")
    return Series(x)
