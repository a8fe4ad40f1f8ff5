"""Traced NumPy code has plain NumPy's values, dtypes and shapes, with numbers and without."""

import numpy as np
import pytest
from tests.numpy_api.table import ROWS, TABLES, Row

from wengert import tree
from wengert.ir.evaluate import evaluate
from wengert.ir.types import type_of
from wengert.trace.trace import program_of, record
from wengert.trace.tracer import Tracer


def leaves(result):
    """All arrays and numbers of a result, in order."""
    return tree.flatten(result)[0]


def known(value):
    """The number behind a traced value."""
    return value.number() if isinstance(value, Tracer) else value


def with_numbers(f, args):
    """What `f` makes of traced arguments that know their numbers."""
    recording = record(
        lambda *xs: leaves(f(*xs)), args, [type_of(x) for x in args], [False] * len(args)
    )
    return [known(y) for y in recording.outputs]


def without_numbers(f, args):
    """What the program of `f` makes of the numbers when it is run."""
    shapes = []

    def flat(*xs):
        ys = leaves(f(*xs))
        shapes.extend(ys)
        return [y for y in ys if isinstance(y, Tracer)]

    program, captured = program_of(flat, [type_of(x) for x in args])
    found = iter(evaluate(program, [*args, *captured]))
    return [next(found) if isinstance(y, Tracer) else y for y in shapes]


def same(ours, plain):
    """Same type, and values equal but for the last digits."""
    assert len(ours) == len(plain)
    for y, truth in zip(ours, plain, strict=True):
        y, truth = np.asarray(y), np.asarray(truth)
        assert y.shape == truth.shape
        assert y.dtype == truth.dtype
        if truth.dtype.kind in "fc" and truth.size:
            scale = np.max(np.abs(truth[np.isfinite(truth)]), initial=1.0)
            np.testing.assert_allclose(
                y, truth, rtol=1e-30, atol=100 * scale * np.finfo(truth.dtype).eps
            )
        else:
            np.testing.assert_array_equal(y, truth)


CASES = [pytest.param(row, d, id=f"{row} {d}") for row in ROWS for d in row.dtypes]


@pytest.mark.parametrize(("row", "dtype"), CASES)
def test_value_dtype_and_shape_are_plain_numpys(row: Row, dtype):
    args = row.args(dtype)
    same(with_numbers(row.f, args), leaves(row.f(*args)))


ASKS_FOR_NUMBERS = ("unique", "sets", "resize")


@pytest.mark.parametrize(
    "row", [pytest.param(r, id=str(r)) for r in ROWS if not r.name.startswith(ASKS_FOR_NUMBERS)]
)
def test_a_program_without_numbers_computes_the_same(row: Row):
    args = row.args("d", seed=1)
    same(without_numbers(row.f, args), leaves(row.f(*args)))


@pytest.mark.parametrize(
    "row", [pytest.param(r, id=str(r)) for r in ROWS if max(map(len, r.shapes)) > 1]
)
def test_memory_layout_does_not_matter(row: Row):
    args = [
        np.asfortranarray(np.repeat(x, 2, axis=-1))[..., ::2] if np.ndim(x) else x
        for x in row.args("d", seed=2)
    ]
    same(with_numbers(row.f, args), leaves(row.f(*args)))


def in_dtype(row, dtype):
    """Arguments of a row in a dtype that it was not written for."""
    args = row.args("D" if dtype == "F" else "d")
    return [(3 * x).astype(dtype) if dtype == "l" else x.astype(dtype) for x in args]


@pytest.mark.parametrize("dtype", ["e", "F", "l"])
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # roots of negative integers and the like
def test_other_dtypes_are_promoted_as_in_numpy(name, dtype):
    for row in TABLES[name]:
        args = in_dtype(row, dtype)
        try:
            plain = leaves(row.f(*args))
        except (TypeError, ValueError, np.linalg.LinAlgError):
            continue  # NumPy itself does not do it
        for y, truth in zip(with_numbers(row.f, args), plain, strict=True):
            ours, numpys = np.asarray(y), np.asarray(truth)
            assert (ours.dtype, ours.shape) == (numpys.dtype, numpys.shape), row
