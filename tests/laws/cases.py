"""One line per primitive: the domain of its arguments, and the shapes and parameters worth trying.

A line here buys a primitive every law (`test_laws.py`). Its awkward points have their own table,
`edges.py`. `smooth` is for primitives that have derivatives, `constant` for those whose results are
integers, booleans or steps, `decreed` for those that have no slope because we say so.
"""

from typing import Any

import numpy as np
from tests.laws.domains import Case, Domain, constant, decreed, on, smooth

from wengert.ops.literal import Frozen

REAL = Domain(-3, 3)
NONZERO = Domain(-3, 3, away=(0,))
POSITIVE = Domain(0.125, 8)
UNIT = Domain(-0.875, 0.875)
ABOVE_ONE = Domain(1.125, 8)
ABOVE_MINUS_ONE = Domain(-0.875, 8)
BETWEEN_INTEGERS = Domain(-3.5, 3.5, away=tuple(range(-4, 5)))
BETWEEN_HALVES = Domain(-0.875, 0.875, away=(-0.5, 0.5))
BETWEEN_POLES = Domain(-1.25, 1.25)
DISTINCT = Domain(-3, 3, distinct=True)
TRUTH = Domain(0, 1, dtype="bool")
SHIFT = Domain(0, 7)
ORDER = Domain(0, 3, dtype="int64")  # orders of SciPy's functions have no slope
FAR = Domain(-12, 12)
OPEN_UNIT = Domain(0.0625, 0.9375)
WHOLE = Domain(1, 4, dtype="int64")
ABOVE_WHOLE = Domain(2, 5, dtype="int64")
NO_POLE = Domain(-2.5, 4, away=(0, -1, -2))


def row(n: int) -> Domain:
    """Row numbers of an array with n rows."""
    return Domain(0, n - 1, dtype="int64")


def apart(x: Any, d: Any) -> tuple[Any, Any]:
    """Two arguments that never tie."""
    return x, x + d


def quotient(q: Any, y: Any) -> tuple[Any, Any]:
    """x and y whose quotient is given."""
    return q * y, y


def highest(y: Any, x: Any) -> tuple[Any, Any]:
    """An array behind its own maxima."""
    return np.broadcast_to(np.max(x, axis=-1, keepdims=True), x.shape), x


def sorted_first(a: Any, v: Any) -> tuple[Any, Any]:
    """The first in ascending order."""
    return np.sort(a), v


def generic(a: Any) -> Any:
    """Added to matrices, so that LAPACK's choices of signs do not sit on a fence."""
    rows, columns = a.shape[-2:]
    angle = 1 + np.arange(rows * columns).reshape(rows, columns)
    return (np.exp(1j * angle) if a.dtype.kind == "c" else np.cos(angle)) / 4


def regular(a: Any, *rest: Any) -> tuple[Any, ...]:
    """A well-conditioned matrix of full rank (and what goes with it)."""
    return (a / 3 + 3 * np.eye(*a.shape[-2:]) + generic(a), *rest)


def strong_diagonal(ab: Any, b: Any) -> tuple[Any, Any]:
    """Diagonals of a matrix, the second of which outweighs the others (and what goes with them)."""
    return ab / 3 + 4 * (np.arange(ab.shape[-2]) == 1)[:, None], b


def definite(a: Any) -> tuple[Any]:
    """A Hermitian matrix of positive eigenvalues."""
    return (a @ np.swapaxes(np.conj(a), -1, -2) / 3 + np.eye(a.shape[-1]),)


def definite_first(a: Any, e: Any) -> tuple[Any, Any]:
    """The first Hermitian, of positive eigenvalues."""
    return (*definite(a), e)


def apart_from_zero(a: Any, b: Any, q: Any) -> tuple[Any, Any, Any]:
    """Two matrices whose eigenvalues never cancel."""
    return a / 3 + 3 * np.eye(len(a)), b / 3 + 3 * np.eye(len(b)), q


def distinct_values(a: Any) -> tuple[Any]:
    """A matrix whose singular values, or eigenvalues of its lower triangle, lie apart."""
    return (a / 4 + np.eye(*a.shape[-2:]) * (2 + 3 * np.arange(a.shape[-1])) + generic(a),)


R = ((2, 3),)
CASES: dict[str, Case] = {
    # ---- arithmetic
    "add": smooth(REAL, REAL, dtypes="fdDl"),
    "sub": smooth(REAL, REAL, dtypes="fdDl"),
    "mul": smooth(REAL, REAL, dtypes="fdDl"),
    "div": smooth(REAL, NONZERO, dtypes="fdD"),
    "neg": smooth(REAL, dtypes="fdDl"),
    "reciprocal": smooth(NONZERO, dtypes="fdD"),
    "square": smooth(REAL, dtypes="fdDl"),
    "sqrt": smooth(POSITIVE, dtypes="fdD"),
    "cbrt": smooth(NONZERO),
    "abs": smooth(NONZERO, dtypes="fdl"),
    "fabs": smooth(NONZERO),
    "sign": constant(NONZERO, dtypes="fdl"),
    "power": smooth(POSITIVE, REAL, dtypes="fdD"),
    "float_power": smooth(POSITIVE, REAL, dtypes="dD"),
    "mod": smooth(BETWEEN_INTEGERS, NONZERO, via=quotient),
    "fmod": smooth(BETWEEN_INTEGERS, NONZERO, via=quotient),
    "ldexp": smooth(REAL, Domain(-3, 3, dtype="int32")),
    "exponent": constant(POSITIVE),
    "nextafter": decreed(REAL, REAL),
    "floor_divide": constant(BETWEEN_INTEGERS, NONZERO, via=quotient),
    "floor": constant(BETWEEN_INTEGERS),
    "ceil": constant(BETWEEN_INTEGERS),
    "trunc": constant(BETWEEN_INTEGERS),
    "rint": constant(BETWEEN_HALVES),
    "stop": decreed(REAL, dtypes="fdDl"),
    "scale": smooth(REAL, REAL, dtypes="fdD"),
    "convert": smooth(REAL, on(*R, dtype=np.dtype("d")), on(*R, dtype=np.dtype("f")), on((), dtype=np.dtype("D")), dtypes="fdDl"),
    "real": smooth(REAL, dtypes="FD"),
    "imag": smooth(REAL, dtypes="FD"),
    "conj": smooth(REAL, dtypes="FD"),
    "modulus": smooth(NONZERO, dtypes="FD"),
    # ---- exponentials, hyperbolic functions
    "exp": smooth(REAL, dtypes="fdD"),
    "exp2": smooth(REAL, dtypes="fdD"),
    "expm1": smooth(REAL, dtypes="fdD"),
    "log": smooth(POSITIVE, dtypes="fdD"),
    "log2": smooth(POSITIVE, dtypes="fdD"),
    "log10": smooth(POSITIVE, dtypes="fdD"),
    "log1p": smooth(ABOVE_MINUS_ONE, dtypes="fdD"),
    "logaddexp": smooth(REAL, REAL),
    "logaddexp2": smooth(REAL, REAL),
    "sinh": smooth(REAL, dtypes="fdD"),
    "cosh": smooth(REAL, dtypes="fdD"),
    "tanh": smooth(REAL, dtypes="fdD"),
    "arcsinh": smooth(REAL, dtypes="fdD"),
    "arccosh": smooth(ABOVE_ONE, dtypes="fdD"),
    "arctanh": smooth(UNIT, dtypes="fdD"),
    # ---- trigonometric functions
    "sin": smooth(REAL, dtypes="fdD"),
    "cos": smooth(REAL, dtypes="fdD"),
    "tan": smooth(BETWEEN_POLES, dtypes="fdD"),
    "arcsin": smooth(UNIT, dtypes="fdD"),
    "arccos": smooth(UNIT, dtypes="fdD"),
    "arctan": smooth(REAL, dtypes="fdD"),
    "deg2rad": smooth(REAL),
    "rad2deg": smooth(REAL),
    "radians": smooth(REAL),
    "degrees": smooth(REAL),
    "sinc": smooth(REAL),
    "hypot": smooth(NONZERO, REAL),
    "arctan2": smooth(NONZERO, NONZERO),
    # ---- comparison and selection
    "equal": constant(REAL, REAL, dtypes="fdDl?"),
    "not_equal": constant(REAL, REAL, dtypes="fdDl?"),
    "less": constant(REAL, REAL, dtypes="fdl"),
    "less_equal": constant(REAL, REAL, dtypes="fdl"),
    "greater": constant(REAL, REAL, dtypes="fdl"),
    "greater_equal": constant(REAL, REAL, dtypes="fdl"),
    "logical_and": constant(REAL, REAL, dtypes="dl?"),
    "logical_or": constant(REAL, REAL, dtypes="dl?"),
    "logical_xor": constant(REAL, REAL, dtypes="dl?"),
    "logical_not": constant(REAL, dtypes="dl?"),
    "bitwise_and": constant(REAL, REAL, dtypes="il?"),
    "bitwise_or": constant(REAL, REAL, dtypes="il?"),
    "bitwise_xor": constant(REAL, REAL, dtypes="il?"),
    "invert": constant(REAL, dtypes="il?"),
    "left_shift": constant(REAL, SHIFT, dtypes="il"),
    "right_shift": constant(REAL, SHIFT, dtypes="il"),
    "isfinite": constant(REAL, dtypes="fdD"),
    "isinf": constant(REAL, dtypes="fdD"),
    "isnan": constant(REAL, dtypes="fdD"),
    "signbit": constant(REAL),
    "maximum": smooth(REAL, NONZERO, via=apart, dtypes="fdl"),
    "minimum": smooth(REAL, NONZERO, via=apart, dtypes="fdl"),
    "fmax": smooth(REAL, NONZERO, via=apart),
    "fmin": smooth(REAL, NONZERO, via=apart),
    "heaviside": smooth(NONZERO, REAL),
    "copysign": smooth(NONZERO, NONZERO),
    "select": smooth(TRUTH, REAL, REAL, dtypes="fdDl"),
    # ---- shape
    "broadcast": smooth(REAL, on((3,), shape=(2, 3), dims=(1,)), on((), shape=(2,), dims=()), on((2, 1), shape=(3, 2), dims=(1, 0)), dtypes="fdDl"),
    "reshape": smooth(REAL, on((2, 3), shape=(3, 2)), on((1,), shape=()), on((0, 2), shape=(0,)), dtypes="fdDl"),
    "permute": smooth(REAL, on((2, 3), axes=(1, 0)), on((2, 1, 3), axes=(2, 0, 1)), dtypes="fdDl"),
    "concat": smooth(REAL, on((2, 3), (1, 3), axis=0), on((2, 1), (2, 0), (2, 2), axis=1), dtypes="fdDl"),
    "stack": smooth(REAL, on((3,), (3,), axis=0), on((3,), (3,), axis=1), on((), (), (), axis=0), dtypes="fdDl"),
    "flip": smooth(REAL, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), dtypes="fdDl"),
    "pad": smooth(REAL, on((2, 3), low=(1, 0), high=(0, 2)), on((3,), low=(2,), high=(1,)), dtypes="fdDl"),
    # ---- reductions
    "sum": smooth(REAL, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), on((3,), axes=()), on((0, 2), axes=(0,)), dtypes="fdDl"),
    "cumsum": smooth(REAL, on((3,), axis=0), on((2, 3), axis=1), on((0,), axis=0), on((2, 0), axis=0), dtypes="fdDl"),
    "max": smooth(DISTINCT, on((3,), axes=(0,)), on((2, 3), axes=(1,)), on((2, 3), axes=(0, 1)), dtypes="fdl"),
    "min": smooth(DISTINCT, on((3,), axes=(0,)), on((2, 3), axes=(1,)), on((2, 3), axes=(0, 1)), dtypes="fdl"),
    "prod": smooth(REAL, on((3,), axes=(0,)), on((2, 3), axes=(1,)), on((2, 2, 2), axes=(0, 2)), on((0, 2), axes=(0,)), dtypes="fdDl"),
    "length": smooth(NONZERO, on((3,), axes=(0,)), on((2, 3), axes=(1,)), on((2, 2), axes=(0, 1)), on((0, 2), axes=(0,))),
    "mean": smooth(REAL, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), dtypes="fdD"),
    "centre": smooth(REAL, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), dtypes="fdD"),
    "logsumexp": smooth(REAL, on((3,), axes=(0,)), on((2, 3), axes=(1,)), on((2, 3), axes=(0, 1))),
    "share": decreed(DISTINCT, DISTINCT, on((2, 3), (2, 3), axes=(1,)), via=highest, dtypes="fd"),
    "sort": smooth(DISTINCT, on((3,), axis=0), on((2, 3), axis=1), on((3, 2), axis=0), on((0, 2), axis=0), dtypes="fdl"),
    "searchsorted": constant(DISTINCT, REAL, on((4,), (3,), side="left"), on((4,), (3,), side="right"), via=sorted_first),
    "all": constant(REAL, on((2, 3), axes=(0,)), on((3,), axes=(0,)), on((0, 2), axes=(0,)), dtypes="d?"),
    "any": constant(REAL, on((2, 3), axes=(0,)), on((3,), axes=(0,)), on((0, 2), axes=(0,)), dtypes="d?"),
    "argmax": constant(DISTINCT, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), dtypes="fdl"),
    "argmin": constant(DISTINCT, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), dtypes="fdl"),
    "count_nonzero": constant(REAL, on((2, 3), axes=(0,)), on((2, 3), axes=(0, 1)), on((0, 2), axes=(0,)), dtypes="dl"),
    "argsort": constant(DISTINCT, on((3,), axis=0), on((2, 3), axis=1), on((0, 2), axis=0), dtypes="fdl"),
    "cumprod": smooth(REAL, on((3,), axis=0), on((2, 3), axis=1), on((2, 3), axis=0), on((0,), axis=0), on((2, 0), axis=0), dtypes="fdD"),
    "cummax": smooth(DISTINCT, on((4,), axis=0), on((2, 3), axis=1)),
    "cummin": smooth(DISTINCT, on((4,), axis=0), on((2, 3), axis=1)),
    "recurrence": smooth(REAL, on((4,), (4,), axis=0, reverse=False), on((4,), (4,), axis=0, reverse=True), on((2, 3), (2, 3), axis=1, reverse=True), dtypes="fdD"),
    # ---- indexing
    "index": smooth(REAL, on((3,), at=(1,)), on((3, 4), at=(slice(0, 2), -1)), on((5,), at=(slice(None, None, -2),)), on((3,), at=(slice(2, 2),)), dtypes="fdDl"),
    "part": smooth(REAL, on((3,), at=(1,)), on((3, 4), at=(slice(0, 2), -1)), dtypes="fdDl"),
    "update": smooth(REAL, on((3,), (), at=(1,)), on((3, 4), (2,), at=(slice(0, 2), -1)), on((5,), (3,), at=(slice(None, None, -2),)), dtypes="fdDl"),
    "accumulate": smooth(REAL, on((3,), (), at=(1,)), on((3, 4), (2,), at=(slice(0, 2), -1)), on((5,), (3,), at=(slice(None, None, -2),)), dtypes="fdDl"),
    "gather": smooth(REAL, row(3), on((3,), (2,)), on((3, 2), (2, 2)), on((3, 2), ()), on((2, 3), (4,), axis=1), on((2, 2, 2), (3,), axis=0, merged=2), dtypes="fdDl"),
    "put": smooth(REAL, REAL, row(3), on((3,), (2,), (2,)), on((3, 2), (4, 2), (4,)), on((2, 3), (2, 4), (4,), axis=1), on((2, 2), (3,), (3,), axis=0, merged=2), dtypes="fdDl"),
    "scatter_add": smooth(REAL, REAL, row(3), on((3,), (2,), (2,)), on((3, 2), (4, 2), (4,)), on((2, 3), (2, 4), (4,), axis=1), on((2, 2), (3,), (3,), axis=0, merged=2), dtypes="fdDl"),
    "literal": constant(on(value=Frozen(np.arange(3.0))), on(value=Frozen(np.eye(2, dtype=bool)))),
    # ---- products
    "matmul": smooth(REAL, REAL, on((2, 3), (3, 2)), on((3,), (3,)), on((3,), (3, 2)), on((2, 3), (3,)), on((2, 1, 3), (2, 3, 2)), dtypes="fdD"),
    "einsum": smooth(REAL, on((2, 3), (3, 2), spec="ij,jk->ik"), on((2, 3), spec="ij->ji"), on((3,), (3,), (3,), spec="i,i,i->"), on((2, 3), (2,), spec="ij,i->j"), dtypes="fdD"),
    "convolve": smooth(REAL, on((3,), (2,)), on((2, 3), (2, 4)), dtypes="fdD"),
    # ---- linear algebra; phases and signs of eigenvectors are LAPACK's, so complex ones have no slope to measure
    "solve": smooth(REAL, on((3, 3), (3,)), on((3, 3), (3, 2)), on((2, 2, 2), (2, 2)), dtypes="fdD", via=regular),
    "inv": smooth(REAL, on((3, 3), lenient=False), on((2, 2, 2), lenient=True), dtypes="fdD", via=regular),
    "det": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="fdD", via=regular),
    "cofactors": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="fdD", via=regular),
    "cofactor_slope": smooth(REAL, REAL, on((3, 3), (3, 3)), on((2, 2, 2), (2, 2, 2)), dtypes="fdD", via=regular),
    "slogdet": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="fdD", via=regular),
    "cholesky": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="fdD", via=definite),
    "eigh": smooth(REAL, on((3, 3)), on((2, 2, 2)), via=distinct_values),
    "svd": smooth(REAL, on((3, 3)), on((3, 2)), on((2, 3)), via=distinct_values),
    "full_svd": smooth(REAL, on((3, 3)), on((3, 2)), on((2, 3)), via=distinct_values),
    "eig": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="d", via=distinct_values),
    "qr": smooth(REAL, on((3, 3)), on((3, 2)), via=regular),
    "chosen": smooth(REAL, on((3, 1), (3, 1)), on((2, 3, 1), (2, 3, 1))),
    "full_qr": smooth(REAL, on((3, 3)), on((3, 2)), via=regular),
    "pinv": smooth(REAL, on((3, 2), rcond=None), on((2, 3), rcond=None), dtypes="fdD", via=regular),
    "solve_triangular": smooth(REAL, on((3, 3), (3,), lower=True, unit=False), on((3, 3), (3, 2), lower=False, unit=True), on((2, 2, 2), (2, 2), lower=False, unit=False), dtypes="fdD", via=regular),
    "lu": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="fdD", via=regular),
    "solve_banded": smooth(REAL, on((3, 4), (4, 2), below=1, above=1), on((2, 3, 4), (2, 4, 1), below=1, above=1), on((2, 3), (3, 1), below=0, above=1), dtypes="fdD", via=strong_diagonal),
    "sylvester": smooth(REAL, on((3, 3), (2, 2), (3, 2)), dtypes="fdD", via=apart_from_zero),
    "expm": smooth(UNIT, on((3, 3)), on((2, 2, 2)), dtypes="fdD"),
    "expm_slope": smooth(UNIT, on((3, 3), (3, 3)), on((2, 2, 2), (2, 2, 2)), dtypes="fdD"),
    "logm": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="d", via=definite),
    "logm_slope": smooth(REAL, REAL, on((3, 3), (3, 3)), dtypes="d", via=definite_first),
    "sqrtm": smooth(REAL, on((3, 3)), on((2, 2, 2)), dtypes="dD", via=definite),
    "sqrtm_slope": smooth(REAL, REAL, on((3, 3), (3, 3)), dtypes="dD", via=definite_first),
    # ---- the error function and its family
    "erf": smooth(REAL, dtypes="fdD"),
    "erfc": smooth(REAL, dtypes="fdD"),
    "erfi": smooth(REAL, dtypes="fdD"),
    "erfcx": smooth(REAL),
    "erfcx_integral": smooth(REAL, on((2, 3), times=0), on((3,), times=1), on((3,), times=3)),
    "erfinv": smooth(UNIT),
    "erfcinv": smooth(OPEN_UNIT),
    "dawsn": smooth(FAR),
    "wofz": smooth(UNIT, dtypes="D"),
    "ndtr": smooth(REAL, dtypes="fdD"),
    "log_ndtr": smooth(FAR),
    "ndtri": smooth(OPEN_UNIT),
    "ndtri_exp": smooth(Domain(-8, -0.125)),
    "owens_t": smooth(REAL, REAL),
    "fresnel_s": smooth(REAL, dtypes="fdD"),
    "fresnel_c": smooth(REAL, dtypes="fdD"),
    # ---- logistic functions, entropies, losses
    "expit": smooth(FAR),
    "logit": smooth(OPEN_UNIT),
    "log_expit": smooth(FAR),
    "xlogy": smooth(REAL, POSITIVE, dtypes="fdD"),
    "xlog1py": smooth(REAL, ABOVE_MINUS_ONE, dtypes="fdD"),
    "entr": smooth(POSITIVE),
    "rel_entr": smooth(POSITIVE, POSITIVE),
    "kl_div": smooth(OPEN_UNIT, ABOVE_ONE),
    "huber": smooth(POSITIVE, NONZERO, via=apart),
    "pseudo_huber": smooth(POSITIVE, REAL),
    "exprel": smooth(FAR),
    "exp10": smooth(REAL),
    "cosm1": smooth(REAL),
    "powm1": smooth(POSITIVE, REAL),
    "boxcox": smooth(POSITIVE, REAL),
    "boxcox1p": smooth(ABOVE_MINUS_ONE, REAL),
    "inv_boxcox": smooth(UNIT, UNIT),
    "inv_boxcox1p": smooth(UNIT, UNIT),
    "sindg": smooth(FAR),
    "cosdg": smooth(FAR),
    "tandg": smooth(FAR),
    "cotdg": smooth(POSITIVE),
    "radian": smooth(REAL, REAL, REAL),
    # ---- gamma functions and incomplete integrals
    "gamma": smooth(NO_POLE, dtypes="fd"),
    "gammaln": smooth(NO_POLE),
    "loggamma": smooth(POSITIVE),
    "gammasgn": constant(NO_POLE),
    "rgamma": smooth(REAL),
    "psi": smooth(NO_POLE),
    "polygamma": smooth(POSITIVE, on((2, 3), order=1), on((3,), order=2)),
    "zeta_x": smooth(ABOVE_WHOLE, POSITIVE, dtypes="d"),
    "zeta": smooth(ABOVE_WHOLE, POSITIVE, dtypes="d"),
    "beta": smooth(POSITIVE, POSITIVE),
    "betaln": smooth(POSITIVE, POSITIVE),
    "poch": smooth(POSITIVE, POSITIVE),
    "binom": smooth(POSITIVE, UNIT),
    "gammainc": smooth(WHOLE, POSITIVE, dtypes="d"),
    "gammainc_a": smooth(WHOLE, POSITIVE, dtypes="d"),
    "betainc_a": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "betainc_b": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "gammaincc": smooth(WHOLE, POSITIVE, dtypes="d"),
    "gammaincinv": smooth(WHOLE, OPEN_UNIT, dtypes="d"),
    "gammainccinv": smooth(WHOLE, OPEN_UNIT, dtypes="d"),
    "betainc": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "betaincc": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "betaincinv": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "betainccinv": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "chdtr": smooth(WHOLE, POSITIVE, dtypes="d"),
    "chdtrc": smooth(WHOLE, POSITIVE, dtypes="d"),
    "pdtr": smooth(ORDER, POSITIVE, dtypes="d"),
    "pdtrc": smooth(ORDER, POSITIVE, dtypes="d"),
    "stdtr": smooth(ABOVE_WHOLE, REAL, dtypes="d"),
    # (near the median SciPy itself is good to eight digits only)
    "stdtrit": smooth(ABOVE_WHOLE, Domain(0.6, 0.95), dtypes="d"),
    # ---- Bessel functions
    **{name: smooth(ORDER, POSITIVE, dtypes="d") for name in ("struve", "modstruve", "jv", "yv", "iv", "kv", "yn", "kn", "jve", "yve", "ive", "kve")},
    **{name: smooth(REAL) for name in ("j0", "j1", "i0", "i1")},
    **{name: smooth(POSITIVE) for name in ("y0", "y1", "k0", "k1", "k0e", "k1e")},
    **{name: smooth(NONZERO) for name in ("i0e", "i1e")},
    **{name: smooth(ORDER, POSITIVE, dtypes="D") for name in ("hankel1", "hankel2")},
    **{name: smooth(REAL, dtypes="fdD") for name in ("airy_ai", "airy_aip", "airy_bi", "airy_bip")},
    **{name: smooth(POSITIVE, on((2, 3), order=0), on((3,), order=2)) for name in ("spherical_jn", "spherical_yn", "spherical_in", "spherical_kn")},
    # ---- elliptic and hypergeometric functions, integrals of elementary ones
    "ellipk": smooth(Domain(-3, 0.875)),
    "ellipe": smooth(Domain(-3, 0.875)),
    "ellipkm1": smooth(POSITIVE),
    "ellipem1": smooth(Domain(0.0625, 0.6875)),
    "hyp0f1": smooth(WHOLE, REAL, dtypes="d"),
    "hyp1f1": smooth(WHOLE, WHOLE, REAL, dtypes="d"),
    "hyp2f1": smooth(WHOLE, WHOLE, WHOLE, UNIT, dtypes="d"),
    "hyperu": smooth(WHOLE, WHOLE, OPEN_UNIT, dtypes="d"),
    "exp1": smooth(POSITIVE, dtypes="fdD"),
    "expi": smooth(POSITIVE, dtypes="fd"),
    "expn": smooth(ORDER, POSITIVE, dtypes="d"),
    "sici_si": smooth(REAL),
    "sici_ci": smooth(POSITIVE),
    "shichi_shi": smooth(REAL),
    "shichi_chi": smooth(POSITIVE),
    "spence": smooth(POSITIVE),
    "wrightomega": smooth(REAL),
    "lambertw": smooth(POSITIVE, on((2, 3), branch=0, tol=1e-8), on((3,), branch=-1, tol=1e-8), dtypes="D"),
    # ---- Fourier transforms
    "fft": smooth(REAL, on((4,), axes=(0,), norm="backward", inverse=False), on((2, 3), axes=(1, 0), norm="ortho", inverse=True), on((3, 2), axes=(0,), norm="forward", inverse=True), dtypes="fdFD"),
    "rfft": smooth(REAL, on((4,), axes=(0,), norm="backward"), on((2, 3), axes=(0, 1), norm="ortho"), on((3, 2), axes=(1, 0), norm="forward")),
    "irfft": smooth(REAL, on((3,), n=4, axes=(0,), norm="backward"), on((2, 2), n=3, axes=(0, 1), norm="ortho"), on((3, 2), n=4, axes=(1, 0), norm="forward"), dtypes="FD"),
    "dct": smooth(REAL, *(on((2, 4), kind=kind, axis=1) for kind in (1, 2, 3, 4)), on((3, 2), kind=2, axis=0), dtypes="fdD"),
    "dst": smooth(REAL, *(on((2, 4), kind=kind, axis=1) for kind in (1, 2, 3, 4)), on((3, 2), kind=3, axis=0), dtypes="fdD"),
}  # fmt: skip

# primitives that are tried elsewhere, and why
_CONTROL = "tests/ops/test_control.py: holds programs, and has its own laws"
ELSEWHERE = dict.fromkeys(("cond", "while_loop", "scan", "map", "remat", "empty"), _CONTROL)
ELSEWHERE |= {"call": "tests/api/test_jit.py", "print": "tests/api/test_print.py"}
