"""Rows of arithmetic: ones, signs, powers, slopes, selections, conversions.

No row may lose a nan, an infinity, or (unless it says so) the sign of a zero: `x + 0` is not `x`
where x is -0.0, and `0 · x` is not 0 where x is infinite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.program import Const
from wengert.ops.arithmetic import (
    absolute,
    add,
    conj,
    convert,
    div,
    imag,
    mul,
    neg,
    power,
    real,
    square,
    sub,
)
from wengert.ops.compare import logical_and, logical_not, logical_or, maximum, minimum, select
from wengert.ops.families import scale
from wengert.rewrites.rule import Row, constant, wild

x, y, z, c = wild("x"), wild("y"), wild("z"), constant("c")

COMMUTATIVE = frozenset({add, mul, maximum, minimum, logical_and, logical_or})


def _halved(editor: Any, found: Any) -> Any:
    """x / c as x · (1/c), where 1/c is exact: c is a power of two."""
    value = found["c"]
    if value.dtype.kind != "f" or not np.isfinite(value) or value == 0:
        return None
    mantissa, _ = np.frexp(value)
    inverse = value.dtype.type(1) / value
    normal = np.isfinite(inverse) and abs(inverse) >= np.finfo(value.dtype).tiny
    if abs(mantissa) != 0.5 or not normal:
        return None
    return editor.emit(mul, found["x"], Const(inverse))


def _minus(prim: Any) -> Any:
    """The operation on x and -c."""

    def right(editor: Any, found: Any) -> Any:
        return editor.emit(prim, found["x"], Const(-found["c"])) if _signed(found["c"]) else None

    return right


def _signed(value: Any) -> bool:  # (of complex products the signs of zeros differ)
    return value.dtype.kind in "fi"


def _finite_slope(editor: Any, found: Any) -> Any:
    return editor.emit(mul, found["x"], found["y"]) if editor.finite(found["y"]) else None


def _nonzero(editor: Any, found: Any) -> Any:
    value = found["c"]
    return editor.emit(mul, found["x"], Const(value)) if value != 0 and value == value else None


def _chosen(editor: Any, found: Any) -> Any:
    return found["x"] if found["c"] else found["y"]


def _lossless(editor: Any, found: Any) -> Any:
    """convert ∘ convert as one, where the first one loses nothing."""
    source = found["x"].type.dtype
    if not np.can_cast(source, found["first"], "safe") or (
        source.kind in "iu" and found["first"].kind in "fc"
    ):
        return None
    return editor.emit(convert, found["x"], dtype=found["second"])


def _same_dtype(editor: Any, found: Any) -> Any:
    return found["x"] if found["x"].type.dtype == found["second"] else None


def _real_input(result: Any) -> Any:
    def right(editor: Any, found: Any) -> Any:
        return result(found["x"]) if found["x"].type.dtype.kind == "f" else None

    return right


def _boolean(editor: Any, found: Any) -> Any:
    return found["x"] if found["x"].type.dtype.kind == "b" else None


def _signed_x(right: Any) -> Any:
    def apply(editor: Any, found: Any) -> Any:
        return editor.emit(right, found["x"]) if found["x"].type.dtype.kind in "fci" else None

    return apply


def _real_square(editor: Any, found: Any) -> Any:
    return editor.emit(square, found["x"]) if found["x"].type.dtype.kind in "fi" else None


first, second = wild("first"), wild("second")

ROWS = [
    # ones
    Row("x · 1 = x", mul(x, 1), x),
    Row("x / 1 = x", div(x, 1), x),
    Row("x ^ 1 = x", power(x, 1), x),
    Row("x ^ 0 = 1", power(x, 0), 1),
    Row("x ^ 2 = x²", power(x, 2), square(x), "rounding"),
    Row("x / 2ⁿ = x · 2⁻ⁿ", div(x, c), _halved),
    # zeros: with the sign that changes nothing
    Row("x - 0 = x", sub(x, 0.0), x),
    Row("x + -0 = x", add(x, -0.0), x),
    Row("-0 - x = -x", sub(-0.0, x), neg(x)),
    # signs
    Row("-(-x) = x", neg(neg(x)), x),
    Row("x · -1 = -x", mul(x, -1), _signed_x(neg)),
    Row("x - (-y) = x + y", sub(x, neg(y)), add(x, y)),
    Row("x + (-y) = x - y", add(x, neg(y)), sub(x, y)),
    Row("(-x) · (-y) = x · y", mul(neg(x), neg(y)), mul(x, y)),
    Row("(-x) / (-y) = x / y", div(neg(x), neg(y)), div(x, y)),
    Row("(-x) · c = x · (-c)", mul(neg(x), c), _minus(mul)),
    Row("-(x · c) = x · (-c)", neg(mul(x, c)), _minus(mul)),
    Row("(-x)² = x²", square(neg(x)), square(x)),
    Row("|x|² = x²", square(absolute(x)), _real_square),
    Row("|-x| = |x|", absolute(neg(x)), absolute(x)),
    Row("||x|| = |x|", absolute(absolute(x)), absolute(x)),
    # slopes: `scale` is a product where no infinite slope can meet a zero
    Row("scale(1, x) = x", scale(1, x), x),
    Row("scale(0, x) = 0", scale(0, x), 0, "sign of zero"),
    Row("scale(c, x) = x · c, c ≠ 0", scale(c, x), _nonzero),
    Row("scale(x, y) = x · y, y finite", scale(x, y), _finite_slope),
    Row("scale(-x, -y) = scale(x, y)", scale(neg(x), neg(y)), scale(x, y)),
    # selections and logic
    Row("where(c, x, y) = x or y", select(c, x, y), _chosen),
    Row("where(z, x, x) = x", select(z, x, x), x),
    Row("where(not z, x, y) = where(z, y, x)", select(logical_not(z), x, y), select(z, y, x)),
    Row("max(x, x) = x", maximum(x, x), x),
    Row("min(x, x) = x", minimum(x, x), x),
    Row("not not x = x", logical_not(logical_not(x)), _boolean),
    Row("x and true = x", logical_and(x, True), _boolean),
    Row("x or false = x", logical_or(x, False), _boolean),
    # conversions and complex parts
    Row("the dtype that it has", convert(x, dtype=second), _same_dtype),
    Row("convert twice", convert(convert(x, dtype=first), dtype=second), _lossless),
    Row("conj(conj(x)) = x", conj(conj(x)), x),
    Row("re(x + 0i) = x", real(convert(x, dtype=first)), _real_input(lambda x: x)),
    Row("im(x + 0i) = 0", imag(convert(x, dtype=first)),
        _real_input(lambda x: Const(x.type.dtype.type(0)))),
]  # fmt: skip
