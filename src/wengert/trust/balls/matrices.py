"""Ball rules of linear algebra: products, solving, determinants, decompositions, transforms.

Matrices go through Arb's own. Signs of eigenvectors and the like, which the mathematics leaves
free, are taken from LAPACK's answer at the midpoint. Where an eigenvalue is not isolated, its
vectors are unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.ir.primitive import Primitive
from wengert.trust.balls.moves import as_objects, one
from wengert.trust.balls.number import Undecided, ball, complex_ball, each, flint

# ---- to Arb's matrices and back ------------------------------------------------------------------------


def _is_complex(*arrays: Any) -> bool:
    return any(v.__class__ is flint().acb for a in arrays for v in a.flat)


def matrix(a: Any, like: Any = None) -> Any:
    """An object array of two axes as a matrix; complex where `like` (or itself) is."""
    wide = _is_complex(a) if like is None else like
    make, enter = (flint().acb_mat, complex_ball) if wide else (flint().arb_mat, ball)
    return make(*a.shape, [enter(v) for v in a.flat])


def array(m: Any) -> Any:
    """A matrix as an object array."""
    y = np.empty(m.nrows() * m.ncols(), object)
    y[:] = m.entries()
    return y.reshape(m.nrows(), m.ncols())


def unknown(shape: tuple[int, ...]) -> Any:
    return np.full(shape, flint().arb("nan"), object)


def stacked(function: Callable[..., Any]) -> Callable[..., Any]:
    """A rule from a function of matrices (object arrays of two axes), for stacks of them."""

    def rule(prim: Primitive, *xs: Any, **params: Any) -> Any:
        arrays = [as_objects(x) for x in xs]
        stack = arrays[0].shape[:-2]
        rows = [[function(*(a[at] for a in arrays), **params) for at in np.ndindex(stack)]]
        if not rows[0]:
            return prim.eval(*(np.zeros(a.shape) for a in arrays), **params)
        many = isinstance(rows[0][0], tuple)
        parts = list(zip(*rows[0], strict=True)) if many else rows
        found = []
        for part in parts:
            shape = np.shape(part[0]) if isinstance(part[0], np.ndarray) else ()
            y = np.empty((len(part), *shape), object)
            for k, value in enumerate(part):
                y[k] = value
            found.append(one(y.reshape((*stack, *shape))))
        return tuple(found) if many else found[0]

    return rule


# ---- products ------------------------------------------------------------------------------------------


def _matmul(prim: Primitive, a: Any, b: Any) -> Any:
    a, b = as_objects(a), as_objects(b)
    if a.ndim > 2 or b.ndim > 2:
        y = np.empty((*a.shape[:-1], b.shape[-1]), object)
        for at in np.ndindex(a.shape[:-2]):
            y[at] = _product(a[at], b[at])
        return y
    rows, columns = a.reshape(-1, a.shape[-1]), b.reshape(b.shape[0], -1)
    y = _product(rows, columns)
    return one(y.reshape((*a.shape[:-1], *b.shape[1:])))


def _product(a: Any, b: Any) -> Any:
    wide = _is_complex(a, b)
    if not a.size or not b.size:
        return np.full((a.shape[0], b.shape[1]), ball(0), object)
    return array(matrix(a, wide) * matrix(b, wide))


def _einsum(prim: Primitive, *xs: Any, spec: str) -> Any:
    return one(np.asarray(np.einsum(spec, *map(as_objects, xs)), object))


def _convolve(prim: Primitive, a: Any, b: Any) -> Any:
    a, b = as_objects(a), as_objects(b)
    n, m = a.shape[-1], b.shape[-1]
    y = np.full((*a.shape[:-1], n + m - 1), ball(0), object)
    for k in range(m):
        y[..., k : k + n] = y[..., k : k + n] + a * b[..., k : k + 1]
    return y


# ---- solving, determinants -----------------------------------------------------------------------------


def _solve_one(a: Any, b: Any) -> Any:
    wide = _is_complex(a, b)
    try:
        return array(matrix(a, wide).solve(matrix(b, wide)))
    except ZeroDivisionError:
        return unknown(b.shape)


def _solve(prim: Primitive, a: Any, b: Any) -> Any:
    a, b = as_objects(a), as_objects(b)
    vector = b.ndim < a.ndim
    x = stacked(_solve_one)(prim, a, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def _banded_one(ab: Any, b: Any, *, below: int, above: int) -> Any:
    """`ab[above + i - j, j] = a[i, j]`."""
    n = ab.shape[-1]
    a = np.full((n, n), ball(0), object)
    for j in range(n):
        for i in range(max(0, j - above), min(n, j + below + 1)):
            a[i, j] = ab[above + i - j, j]
    return _solve_one(a, b)


def _lu_one(a: Any) -> tuple[Any, Any]:
    """Without exchanging rows, as it is defined."""
    a, n = np.array(a, object), len(a)
    lower = np.full((n, n), ball(0), object)
    for k in range(n):
        lower[k, k] = ball(1)
        for i in range(k + 1, n):
            lower[i, k] = a[i, k] / a[k, k]
            a[i, k] = ball(0)
            a[i, k + 1 :] = a[i, k + 1 :] - lower[i, k] * a[k, k + 1 :]
    return lower, a


def _triangle(a: Any, lower: bool, unit: bool) -> Any:
    n = a.shape[-1]
    zero, one_ = ball(0), ball(1)
    y = np.full(a.shape, zero, object)
    for i in range(n):
        for j in range(i + 1) if lower else range(i, n):
            y[i, j] = one_ if unit and i == j else a[i, j]
    return y


def _solve_triangular(prim: Primitive, a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    a = as_objects(a)
    triangles = np.empty(a.shape, object)
    for at in np.ndindex(a.shape[:-2]):
        triangles[at] = _triangle(a[at], lower, unit)
    return _solve(prim, triangles, b)


def _inverse(a: Any, *, lenient: bool = True) -> Any:
    try:
        return array(matrix(a).inv())
    except ZeroDivisionError:
        return unknown(a.shape)


def _det(a: Any) -> Any:
    return matrix(a).det()


def _ladder(a: Any, m: Any = None) -> tuple[Any, Any]:
    """The transposed cofactors of a (by Faddeev and LeVerrier: no division by a), their slope along m."""
    n = a.shape[0]
    big, wide = matrix(a), _is_complex(a)
    unit = matrix(_eye(n), wide)
    zero = unit * 0
    move = zero if m is None else matrix(m, wide)
    step, dstep = unit, zero
    for k in range(1, n):
        product, dproduct = big * step, move * step + big * dstep
        c, dc = -_trace(product) / k, -_trace(dproduct) / k
        step, dstep = product + unit * c, dproduct + unit * dc
    sign = 1 if n % 2 else -1
    return array(step * sign), array(dstep * sign)


def _eye(n: int) -> Any:
    y = np.full((n, n), ball(0), object)
    for k in range(n):
        y[k, k] = ball(1)
    return y


def _trace(m: Any) -> Any:
    total = ball(0)
    for k in range(m.nrows()):
        total = total + m[k, k]
    return total


def _cofactors(a: Any) -> Any:
    return _ladder(a)[0].T.copy()


def _cofactor_slope(a: Any, m: Any) -> Any:
    if _is_complex(m) and not _is_complex(a):
        a = each(complex_ball)(a)
    return _ladder(a, m)[1].T.copy()


def _slogdet(a: Any) -> tuple[Any, Any]:
    d = _det(a)
    if d.__class__ is flint().acb:
        size = abs(d)
        return d / size, flint().arb(size).log()
    size = abs(d)
    return d.sgn(), flint().arb("-inf") if size == 0 else size.log()


# ---- decompositions ------------------------------------------------------------------------------------


def _mirrored(a: Any) -> Any:
    """The Hermitian matrix whose lower triangle is given."""
    y = np.array(a)
    for i in range(len(a)):
        y[i, i] = a[i, i].real if a[i, i].__class__ is flint().acb else a[i, i]
        for j in range(i):
            y[j, i] = a[i, j].conjugate() if a[i, j].__class__ is flint().acb else a[i, j]
    return y


def _cholesky(a: Any) -> Any:
    a, n = _mirrored(a), len(a)
    low = np.full((n, n), ball(0), object)
    for j in range(n):
        rest = a[j, j]
        for k in range(j):
            rest = rest - _real(low[j, k] * _conj(low[j, k]))
        low[j, j] = _real(rest).sqrt()
        for i in range(j + 1, n):
            rest = a[i, j]
            for k in range(j):
                rest = rest - low[i, k] * _conj(low[j, k])
            low[i, j] = rest / low[j, j]
    return low


def _conj(x: Any) -> Any:
    return x.conjugate() if x.__class__ is flint().acb else x


def _real(x: Any) -> Any:
    return x.real if x.__class__ is flint().acb else x


def midpoints(a: Any) -> Any:
    """An object array as plain numbers."""
    kind = complex if _is_complex(a) else float
    return np.array([kind(v) for v in a.flat], kind).reshape(a.shape)


def _numbers(function: Callable[..., Any], a: Any, **settings: Any) -> Any:
    """LAPACK's answer for plain numbers; where it has none, nothing is known."""
    try:
        return function(a, **settings)
    except (np.linalg.LinAlgError, ValueError) as error:
        raise Undecided(str(error)) from None


def _eigen(a: Any) -> tuple[list[Any], Any]:
    """Eigenvalues of a Hermitian matrix in ascending order; vectors as columns, or None."""
    m = matrix(a, True)
    vectors = None
    try:
        values, right = m.eig(right=True)
        vectors = array(right)
    except ValueError:
        try:
            values = m.eig(multiple=True)
        except ValueError:
            return [flint().arb("nan")] * len(a), None
    found = [v.real for v in values]
    order = sorted(range(len(found)), key=lambda k: float(found[k].mid()))
    return [found[k] for k in order], None if vectors is None else vectors[:, order]


def _aligned(columns: Any, like: Any) -> Any:
    """Real unit vectors with the signs of `like`."""
    y = np.empty(columns.shape, object)
    for k in range(columns.shape[1]):
        v = [_real(x) for x in columns[:, k]]
        largest = int(np.argmax([abs(float(x.mid())) for x in v]))
        v = [x / v[largest] for x in v]
        size = sum((x * x for x in v), ball(0)).sqrt()
        sign = 1 if like[largest, k] >= 0 else -1
        y[:, k] = [x / size * sign for x in v]
    return y


def _eigh(a: Any) -> tuple[Any, Any]:
    a = _mirrored(a)
    values, vectors = _eigen(a)
    w = np.empty(len(values), object)
    w[:] = values
    if vectors is None or _is_complex(a):  # the phases of complex vectors are anybody's choice
        return w, unknown(a.shape)
    real = np.array([[_real(x) for x in row] for row in vectors], object).reshape(a.shape)
    return w, _aligned(real, _numbers(np.linalg.eigh, midpoints(a))[1])


def _svd(a: Any) -> tuple[Any, Any, Any]:
    like = _numbers(np.linalg.svd, midpoints(a), full_matrices=False)
    if a.shape[0] >= a.shape[1]:
        return _tall_svd(a, like[2].T)
    u, s, vh = _tall_svd(a.T, like[0])
    return vh.T.copy(), s, u.T.copy()


def _tall_svd(a: Any, like: Any) -> tuple[Any, Any, Any]:
    """Of at least as many rows as columns; signs of the right vectors as in `like`."""
    m, n = a.shape
    gram = _product(a.T, a)
    values, vectors = _eigen(_mirrored(gram))
    s = np.empty(n, object)
    s[:] = [v.nonnegative_part().sqrt() if v.is_finite() else v for v in values[::-1]]
    if vectors is None or _is_complex(a):
        return unknown((m, n)), s, unknown((n, n))
    v = _aligned(vectors[:, ::-1], like)
    u = _product(a, v) / s[None, :]
    return u, s, v.T.copy()


def _qr(a: Any) -> tuple[Any, Any]:
    if _is_complex(a):
        return unknown(a.shape), unknown((a.shape[1], a.shape[1]))
    r = _cholesky(_product(a.T, a)).T.copy()
    signs = np.sign(np.diagonal(_numbers(np.linalg.qr, midpoints(a))[1]))
    for k, sign in enumerate(signs):
        if sign < 0:
            r[k] = -r[k]
    inverse = _inverse(r)
    return _product(a, inverse), r


def _adjoint(a: Any) -> Any:
    return each(_conj)(a.T)


def _pinv(a: Any, *, rcond: Any) -> Any:
    h = _adjoint(a)
    if a.shape[0] >= a.shape[1]:
        return _product(_inverse(_product(h, a)), h)
    return _product(h, _inverse(_product(a, h)))


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    m, n = q.shape
    zero = ball(0)
    big = np.full((m * n, m * n), zero, object)
    for i in range(m):
        for j in range(n):
            for k in range(m):
                big[i * n + j, k * n + j] = big[i * n + j, k * n + j] + a[i, k]
            for k in range(n):
                big[i * n + j, i * n + k] = big[i * n + j, i * n + k] + b[k, j]
    return _solve_one(big, q.reshape(-1, 1)).reshape(m, n)


# ---- functions of matrices -----------------------------------------------------------------------------


def _expm(a: Any) -> Any:
    return array(matrix(a).exp())


def _expm_slope(a: Any, e: Any) -> Any:
    n = len(a)
    zero = np.full((n, n), ball(0), object)
    whole = np.block([[a, e], [zero, a]])
    return _expm(whole)[:n, n:]


def _by_values(f: Callable[[Any], Any], slope: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """A function of matrices by isolated eigenvalues, and its slope by divided differences."""

    def parts(a: Any) -> Any:
        values, right = matrix(a, True).eig(right=True)
        return values, right, right.inv()

    def function(a: Any) -> Any:
        try:
            values, right, left = parts(a)
        except (ValueError, ZeroDivisionError):
            return unknown(a.shape)
        inner = flint().acb_mat(len(a), len(a))
        for k, v in enumerate(values):
            inner[k, k] = f(v)
        return _like(array(right * inner * left), a)

    def moved(a: Any, e: Any) -> Any:
        try:
            values, right, left = parts(a)
        except (ValueError, ZeroDivisionError):
            return unknown(a.shape)
        inner = left * matrix(e, True) * right
        for i, v in enumerate(values):
            for j, w in enumerate(values):
                quotient = slope(v, f(v)) if i == j else (f(v) - f(w)) / (v - w)
                inner[i, j] = inner[i, j] * quotient
        return _like(array(right * inner * left), a, e)

    return function, moved


def _like(y: Any, *given: Any) -> Any:
    """Real, where all that it was made of is."""
    return y if _is_complex(*given) else each(_real)(y)


_logm, _logm_slope = _by_values(lambda v: v.log(), lambda v, y: 1 / v)
_sqrtm, _sqrtm_slope = _by_values(lambda v: v.sqrt(), lambda v, y: 0.5 / y)


RULES: dict[str, Callable[..., Any]] = {
    "matmul": _matmul,
    "einsum": _einsum,
    "convolve": _convolve,
    "solve": _solve,
    "chosen": lambda prim, x, basis: x,
    "solve_banded": stacked(_banded_one),
    "lu": stacked(_lu_one),
    "solve_triangular": _solve_triangular,
    "inv": stacked(_inverse),
    "det": stacked(_det),
    "cofactors": stacked(_cofactors),
    "cofactor_slope": stacked(_cofactor_slope),
    "slogdet": stacked(_slogdet),
    "cholesky": stacked(_cholesky),
    "eigh": stacked(_eigh),
    "svd": stacked(_svd),
    "qr": stacked(_qr),
    "pinv": stacked(_pinv),
    "sylvester": stacked(_sylvester),
    "expm": stacked(_expm),
    "expm_slope": stacked(_expm_slope),
    "logm": stacked(_logm),
    "logm_slope": stacked(_logm_slope),
    "sqrtm": stacked(_sqrtm),
    "sqrtm_slope": stacked(_sqrtm_slope),
}
