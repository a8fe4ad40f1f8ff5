"""The meaning of loop code, in Python: slow and exact, to check the printers against."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.backends.code import (
    DTYPES,
    MATH,
    SPECIAL,
    Block,
    Buffer,
    Call,
    Check,
    For,
    Function,
    If,
    Reserve,
    Statement,
    Store,
    Value,
    While,
)


def _truncated(x: Any, y: Any, dtype: Any) -> Any:
    a, b = int(x), int(y)
    q = abs(a) // abs(b)
    return dtype.type(q if (a < 0) == (b < 0) else -q)


def _remainder(x: Any, y: Any, dtype: Any) -> Any:
    a, b = int(x), int(y)
    r = abs(a) % abs(b)
    return dtype.type(-r if a < 0 else r)


def _fused(x: Any, y: Any, z: Any, dtype: Any) -> Any:
    from fractions import Fraction

    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
        return dtype.type(x * y + z)
    exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z))
    return dtype.type(float(exact)) if exact else dtype.type(x * y + z)


# each takes its arguments and the dtype of the result
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y, t: np.add(x, y),
    "sub": lambda x, y, t: np.subtract(x, y),
    "mul": lambda x, y, t: np.multiply(x, y),
    "neg": lambda x, t: np.negative(x),
    "abs": lambda x, t: np.abs(x),
    "div": lambda x, y, t: np.divide(x, y),
    "fma": _fused,
    "sqrt": lambda x, t: np.sqrt(x),
    "floor": lambda x, t: np.floor(x),
    "ceil": lambda x, t: np.ceil(x),
    "trunc": lambda x, t: np.trunc(x),
    "rint": lambda x, t: np.rint(x),
    "copysign": lambda x, y, t: np.copysign(x, y),
    "tdiv": _truncated,
    "trem": _remainder,
    "and": lambda x, y, t: x & y,
    "or": lambda x, y, t: x | y,
    "xor": lambda x, y, t: x ^ y,
    "not": lambda x, t: ~x,
    "shl": lambda x, y, t: x << y,
    "shr": lambda x, y, t: x >> y,
    "lt": lambda x, y, t: x < y,
    "le": lambda x, y, t: x <= y,
    "gt": lambda x, y, t: x > y,
    "ge": lambda x, y, t: x >= y,
    "eq": lambda x, y, t: x == y,
    "ne": lambda x, y, t: x != y,
    "select": lambda c, x, y, t: x if c else y,
    "cast": lambda x, t: np.asarray(x).astype(t)[()],
    "bits": lambda x, t: np.asarray(x).view(t)[()],
}

_NUMPY = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "pow": "power", "atan2": "arctan2",
}  # fmt: skip
_SCIPY = {"erf": "erf", "erfc": "erfc", "lgamma": "gammaln", "tgamma": "gamma", "exp10": "exp10"}


def function_of(name: str) -> Callable[..., Any]:
    """NumPy's or SciPy's function for an operation of libm or of SciPy."""
    if name in _SCIPY or name.startswith(SPECIAL):
        from wengert.backends import specials

        found: Callable[..., Any] = specials.value(_SCIPY.get(name, name))
        return found
    if name in MATH:
        ufunc: Callable[..., Any] = getattr(np, _NUMPY.get(name, name))
        return ufunc
    raise KeyError(name)


COMBINE: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
}


class Stopped(Exception):
    """A check failed: the number of the problem."""


class Interpreter:
    """Runs a function on arrays."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.env: dict[Value, Any] = {}
        self.memory: dict[Buffer, Any] = {}

    def __call__(
        self, ins: Sequence[Any], outs: Sequence[Any], extents: Sequence[int] | None = None
    ) -> int:
        """Fill `outs`; the status. Arrays are in C order, of complex numbers too."""
        f = self.function
        self.extents = f.extents if extents is None else tuple(extents)
        self.env.clear()
        for b, x in zip([*f.inputs, *f.outputs], [*ins, *outs], strict=True):
            flat = x.reshape(-1)
            self.memory[b] = flat.view(DTYPES[b.type]) if flat.dtype.kind == "c" else flat
        for b in f.constants:
            assert b.array is not None
            flat = b.array.reshape(-1)
            self.memory[b] = flat.view(DTYPES[b.type]) if flat.dtype.kind == "c" else flat
        for b in (*f.temporaries, *f.privates):
            self.memory[b] = np.empty(b.elements(self.extents), DTYPES[b.type])
        for b in f.tapes:
            self.memory[b] = np.empty(0, DTYPES[b.type])
        try:
            with np.errstate(all="ignore"):
                self.run(f.body)
        except Stopped as stopped:
            return int(stopped.args[0])
        return 0

    def value(self, v: Value) -> Any:
        """What a value is now."""
        if v.op == "const":
            return DTYPES[v.type].type(v.data)
        if v.op == "extent":
            return np.int64(self.extents[v.data])
        return self.env[v]

    def run(self, block: Block) -> None:
        """Do what a block says."""
        for item in block.items:
            if isinstance(item, Value):
                self.env[item] = self.compute(item)
            else:
                self.do(item)

    def compute(self, v: Value) -> Any:
        """One operation."""
        args = [self.value(a) for a in v.args]
        if v.op == "load":
            return self.memory[v.data][args[0]]
        found = OPERATIONS.get(v.op)
        if found is not None:
            return DTYPES[v.type].type(found(*args, DTYPES[v.type]))
        return DTYPES[v.type].type(function_of(v.op)(*args))

    def do(self, s: Statement) -> None:
        """One statement."""
        if isinstance(s, Store):
            self.memory[s.buffer][self.value(s.index)] = self.value(s.value)
        elif isinstance(s, For):
            self.loop(s)
        elif isinstance(s, While):
            self.enter(s.carried)
            while True:
                self.run(s.before)
                if not self.value(s.test):
                    break
                self.run(s.block)
                self.step(s.carried)
            for c in s.carried:
                self.env[c.result] = self.env[c.param]
        elif isinstance(s, If):
            taken = bool(self.value(s.test))
            self.run(s.then if taken else s.otherwise)
            for a, b, result in s.results:
                self.env[result] = self.value(a if taken else b)
        elif isinstance(s, Check):
            if not self.value(s.ok):
                raise Stopped(s.problem)
        elif isinstance(s, Reserve):
            memory, size = self.memory[s.buffer], int(self.value(s.size))
            if size > len(memory):
                more = np.empty(max(size, 2 * len(memory)), memory.dtype)
                more[: len(memory)] = memory
                self.memory[s.buffer] = more
        elif isinstance(s, Call):
            raise NotImplementedError(f"the interpreter makes no calls of {s.name}")

    def loop(self, s: For) -> None:
        """A `For`: reductions from the first iteration to the last."""
        n = int(self.value(s.extent))
        self.enter(s.carried)
        totals = [self.value(r.init) for r in s.reductions]
        for k in range(n - 1, -1, -1) if s.reverse else range(n):
            self.env[s.index] = np.int64(k)
            self.run(s.block)
            totals = [
                DTYPES[r.value.type].type(COMBINE[r.op](t, self.value(r.value)))
                for r, t in zip(s.reductions, totals, strict=True)
            ]
            self.step(s.carried)
        for r, t in zip(s.reductions, totals, strict=True):
            self.env[r.result] = t
        for c in s.carried:
            self.env[c.result] = self.env[c.param]

    def enter(self, carried: Any) -> None:
        """Carried values begin."""
        values = [self.value(c.init) for c in carried]
        self.env.update(zip((c.param for c in carried), values, strict=True))

    def step(self, carried: Any) -> None:
        """Carried values go on, all at once."""
        values = [self.value(c.next) for c in carried]
        self.env.update(zip((c.param for c in carried), values, strict=True))
