"""Whose last bits are not ours: primitives that BLAS and LAPACK compute, so that no two runs need agree to the bit.

The place of an array in memory, the processor and the number of threads move their last bits
(docs/architecture.md, decision 10), and SciPy's `logm` chooses its approximation by random vectors.
What all other primitives compute repeats to the bit, on every machine.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.ir.program import Program

# the modules whose primitives are BLAS's, LAPACK's and SciPy's matrix routines
ROOMS = frozenset(
    f"wengert.ops.{m}" for m in ("banded", "factor", "linalg", "matmul", "matrix", "spectral")
)

# of these, sums of products: few roundings, whoever computes them
PRODUCTS = frozenset(["matmul", "einsum", "convolve"])


def primitives(what: Primitive | Program) -> Iterator[Primitive]:
    """A primitive, or those of a program and of the programs in it."""
    if isinstance(what, Primitive):
        yield what
        return
    for e in what.eqns:
        yield e.prim
        for value in e.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                if isinstance(inner, Program):
                    yield from primitives(inner)


def by_a_library(what: Primitive | Program) -> bool:
    """Does BLAS or LAPACK have a part in it?"""
    return any(type(p).__module__ in ROOMS for p in primitives(what))


def digits(what: Primitive | Program, dtype: Any, exact: float = 0.0) -> float:
    """How far two runs may be apart, relative to the largest number; `exact` is for what has no part of a library."""
    return (1e4 if by_a_library(what) else exact) * float(np.finfo(dtype).eps)


def assert_repeats(found: Any, first: Any, what: Primitive | Program, note: str = "") -> None:
    """What a primitive or a program computed twice: the same types, and the same bits unless a library has a part."""
    for y, z in zip(found, first, strict=True):
        y, z = np.asarray(y), np.asarray(z)
        assert (y.shape, y.dtype) == (z.shape, z.dtype), note
        off = digits(what, z.dtype) if z.dtype.kind in "fc" else 0.0
        size = float(np.max(np.abs(z[np.isfinite(z)]), initial=1)) if off else 0.0
        np.testing.assert_allclose(y, z, rtol=off, atol=off * size, err_msg=note)
        if not off:
            np.testing.assert_array_equal(_signs(y), _signs(z), err_msg=note)


def _signs(x: Any) -> Any:
    """The signs of zeros count, those of nans do not."""
    if x.dtype.kind == "c":
        return np.stack([_signs(x.real), _signs(x.imag)])
    return np.signbit(x) & (x == x) if x.dtype.kind == "f" else x
