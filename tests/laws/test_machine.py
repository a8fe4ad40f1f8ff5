"""Law 5: machine code agrees with NumPy. Every primitive, in every dtype of its case."""

import math

import numpy as np
import pytest
from tests.laws.cases import CASES, ELSEWHERE
from tests.laws.libraries import PRODUCTS, assert_repeats, by_a_library
from tests.laws.machine import distance, points, sample, settings_of

from wengert.backends import vecmath
from wengert.backends.compile import compile
from wengert.ops import PRIMITIVES

pytest.importorskip("llvmlite")

# sums whose terms may cancel: units in the last place of the largest argument
CANCELLING = frozenset(
    [
        "logaddexp",
        "logaddexp2",
        "sum",
        "mean",
        "centre",
        "cumsum",
        "recurrence",
        "scatter_add",
        "accumulate",
    ]
)
# more than four units off themselves, so held against what is exact: (SciPy's erfc is eight)
EXACT = {"erfc": np.vectorize(math.erfc, otypes=[float])}

# what NumPy or SciPy evaluates inside the compiled function, in float64
CALLED_BACK = frozenset(
    [
        "cofactor_slope",
        "cofactors",
        "dct",
        "dst",
        "eig",
        "erfcx_integral",
        "expm",
        "expm_slope",
        "fft",
        "irfft",
        "logm",
        "logm_slope",
        "pinv",
        "polygamma",
        "rfft",
        "sqrtm",
        "sqrtm_slope",
        "sylvester",
        "lu",
        "zeta_x",
        "gammainc_a",
        "betainc_a",
        "betainc_b",
        "solve_banded",
        "zeta",
        "sort",
        "argsort",
        "lambertw",
    ]
)


def allowed(name, args, values):
    """How many units in the last place machine code may be off, and of what at least."""
    library = by_a_library(PRIMITIVES[name])
    if not library and name not in CANCELLING:
        return 4, 0
    numbers = (*args, *values) if library else args
    scale = max((float(np.max(np.abs(a), initial=0)) for a in numbers), default=0)
    return (16 if name in PRODUCTS else 200) if library else 4, scale


def held(name, dtype):
    """Compare at every setting; the call-backs that were needed."""
    needed = set()
    for k, setting in enumerate(settings_of(name, dtype)):
        s = sample(name, setting, dtype, k)
        compiled = compile(s.program)
        needed |= {c.prim.name for c in compiled.function.callbacks}
        want = s.values(*s.args)
        if name in EXACT and dtype in "fd":
            want = (EXACT[name](s.args[0]).astype(dtype) if np.size(s.args[0]) else want[0],)
        limit, scale = allowed(name, s.args, want)
        for y, z in zip(compiled(*s.args), want, strict=True):
            off = distance(y, np.asarray(z), scale)
            assert off <= limit, f"{name} of {dtype}{setting}: {off} ulp"
    return needed


@pytest.mark.parametrize("name", CASES)
def test_machine_code_agrees_with_numpy(name):
    case = CASES[name]
    for dtype in case.dtypes:
        needed = held(name, dtype)
        if dtype not in "FD":
            assert needed <= CALLED_BACK, f"{name} of {dtype} has no lowering"


def layouts(a):
    """The same numbers, laid out in memory in every way that NumPy knows."""
    a = np.asarray(a)
    if a.ndim == 0:
        return {}
    fixed = a.copy()
    fixed.flags.writeable = False
    off = np.empty(a.nbytes + 1, np.uint8)[1 : a.nbytes + 1].view(a.dtype).reshape(a.shape)
    off[...] = a
    return {
        "every second": np.repeat(a, 2, axis=-1)[..., ::2],
        "backwards": np.ascontiguousarray(a[::-1])[::-1],
        "last axis backwards": np.ascontiguousarray(a[..., ::-1])[..., ::-1],
        "Fortran": np.asfortranarray(a),
        "read-only": fixed,
        "misaligned": off,
    }


@pytest.mark.parametrize("name", CASES)
def test_the_layout_of_the_arguments_does_not_matter(name):
    """Strided, backwards, Fortran, read-only, misaligned: the same bits (of BLAS's and LAPACK's, nearly)."""
    dtype = CASES[name].dtypes[0]
    ranked = [s for s in settings_of(name, dtype) if any(s.shapes)]
    for k, setting in enumerate(ranked[:2]):
        s = sample(name, setting, dtype, k)
        compiled = compile(s.program)
        want = compiled(*s.args)
        laid = [layouts(a) for a in s.args]
        for layout in sorted(set().union(*laid)):
            args = [at.get(layout, a) for at, a in zip(laid, s.args, strict=True)]
            assert_repeats(compiled(*args), want, s.prim, f"{name}{setting}: {layout}")


@pytest.mark.parametrize("name", ["add", "mul", "power", "arctan2", "maximum", "select", "matmul"])
def test_repeated_and_broadcast_arguments_are_like_others(name):
    dtype = CASES[name].dtypes[0]
    setting = next(s for s in settings_of(name, dtype) if s.shapes and any(s.shapes))
    s = sample(name, setting, dtype, 0)
    compiled = compile(s.program)
    flat = [np.broadcast_to(np.asarray(a).flat[0], np.shape(a)) for a in s.args]
    assert_repeats(compiled(*flat), compiled(*(a.copy() for a in flat)), s.prim)
    last = s.args[-1]
    alike = [np.shape(a) == last.shape and a.dtype == last.dtype for a in s.args]
    twice = [last if like else a for a, like in zip(s.args, alike, strict=True)]
    assert_repeats(compiled(*twice), compiled(*(np.array(a) for a in twice)), s.prim)


def test_nine_of_ten_primitives_have_a_lowering():
    assert set(PRIMITIVES) == set(CASES) | set(ELSEWHERE)
    assert len(CALLED_BACK) <= len(PRIMITIVES) / 10


MATHEMATICS = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "cbrt",
    "erf",
    "power",
    "arctan2",
    "hypot",
    "logaddexp",
]


@pytest.mark.parametrize("lanes", ["2", "4"])
@pytest.mark.parametrize("library", ["libmvec", "libm"])
def test_narrow_vectors_and_libm_agree_too(lanes, library, monkeypatch):
    monkeypatch.setenv("WENGERT_LANES", lanes)
    monkeypatch.setenv("WENGERT_VECMATH", library)
    vecmath.routine.cache_clear()
    for name in (*MATHEMATICS, "sum", "matmul", "mod", "ldexp", "select", "max"):
        held(name, "d")
        held(name, "f")
    vecmath.routine.cache_clear()


@pytest.mark.parametrize("name", MATHEMATICS)
def test_bits_do_not_depend_on_the_place(name):
    case, rng = CASES[name], np.random.default_rng(0)
    for dtype in ("f", "d"):
        xs = [points(d, rng, (37,), np.dtype(dtype)) for d in case.domains]
        program = sample(name, settings_of(name, dtype)[2], dtype, 0).program
        (whole,) = compile(program)(*xs)
        one = compile(sample(name, settings_of(name, dtype)[0], dtype, 0).program)
        single = [one(*(x[k] for x in xs))[0] for k in range(37)]
        np.testing.assert_array_equal(whole, np.array(single))
