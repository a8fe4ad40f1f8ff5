"""The scoreboard: what people write with `import numpy as np`, one expression after the other.

Every line is worth a point only if its value is plain NumPy's and its derivative is the slope that
Richardson's extrapolation measures (`test_scoreboard.py`). All are asked to have theirs. The names
stand for: s, t two numbers; x in (0.2, 0.9), y in (-2, 2) and p in (1.1, 3) six numbers each; A 3×3,
B 3×4 and T 2×3×4 arrays; z four complex numbers and Z a complex 3×3 matrix; P, C, L, H, HE and LA the modules of
numpy.polynomial. What needs several lines
stands in `scoreboard_scripts.py`.
"""

BOARD = {
    "ufuncs": """
        np.add(x, y)
        np.subtract(x, y)
        np.multiply(x, y)
        np.divide(x, p)
        np.true_divide(y, p)
        np.floor_divide(y, x)
        np.power(p, y)
        np.float_power(p, y)
        np.remainder(y, x)
        np.mod(y, x)
        np.fmod(y, x)
        np.divmod(y, x)
        divmod(y, x)
        np.negative(x)
        np.positive(x)
        np.absolute(y)
        np.abs(y)
        np.fabs(y)
        np.sign(y)
        np.heaviside(y, x)
        np.rint(y)
        np.exp(y)
        np.exp2(y)
        np.expm1(y)
        np.log(p)
        np.log2(p)
        np.log10(p)
        np.log1p(x)
        np.sqrt(p)
        np.square(y)
        np.cbrt(p)
        np.cbrt(y)
        np.reciprocal(p)
        np.sin(y)
        np.cos(y)
        np.tan(x)
        np.arcsin(x)
        np.arccos(x)
        np.arctan(y)
        np.arctan2(y, x)
        np.hypot(x, y)
        np.sinh(y)
        np.cosh(y)
        np.tanh(y)
        np.arcsinh(y)
        np.arccosh(p)
        np.arctanh(x)
        np.degrees(y)
        np.radians(y)
        np.deg2rad(y)
        np.rad2deg(y)
        np.asin(x)
        np.acos(x)
        np.atan(x)
        np.atan2(y, x)
        np.asinh(y)
        np.acosh(p)
        np.atanh(x)
        np.pow(p, y)
        np.concat([x, y])
        np.permute_dims(T, (2, 0, 1))
        np.maximum(x, y)
        np.minimum(x, y)
        np.fmax(x, y)
        np.fmin(x, y)
        np.copysign(x, y)
        np.spacing(x)
        np.modf(y)
        np.frexp(y)
        np.ldexp(x, [1, 2, 3, -1, 0, 2])
        np.floor(y)
        np.ceil(y)
        np.trunc(y)
        np.logaddexp(x, y)
        np.logaddexp2(x, y)
        np.sinc(y)
        np.i0(y)
        np.conj(z)
        np.conjugate(z)
        np.real(z)
        np.imag(z)
        np.angle(z)
        np.abs(z)
        np.real_if_close(x)
        np.unwrap(5 * y)
        np.signbit(y)
        np.isfinite(y)
        np.clip(y, -0.5, 0.7)
        np.clip(y, -x, x)
        np.clip(y, None, 0.3)
        np.clip(y, min=-0.2)
        np.nan_to_num(y)
        np.nan_to_num(np.array([1.0, np.nan, 2.0]) * y[:3], nan=y[3])
        np.fix(y)
        np.around(y, 1)
        np.round(y)
        np.equal(x, y) * x
        (y > 0) * y
        np.greater(y, 0.1).astype(float) * y
        np.logical_and(y > 0, x > 0.5) * x
        np.isclose(x, y) * x
        np.exp(1j * y)
        np.log(z)
        np.sqrt(z)
        np.power(z, 2.5)
        np.exp(z)
        z * np.conj(z)
        np.arctan(z)
        np.sinh(z)
        z.real * z.imag
        np.matvec(A, x[:3])
        np.vecmat(x[:3], A)
        np.vecdot(x, y)
        np.vecdot(B, B)
    """,
    "options of ufuncs": """
        np.exp(x, out=np.zeros(6))
        np.exp(y, where=y > 0, out=np.zeros(6))
        np.add(x, y, out=np.empty(6))
        np.multiply(x, y, where=[True, False, True, False, True, True], out=x * 1)
        np.sqrt(p, dtype=np.float64)
        np.add(x, 1, dtype=float)
        np.log(y, where=y > 0, out=np.full(6, 2.0))
        np.divide(x, y, out=np.zeros_like(x), where=y > 0.2)
    """,
    "methods of ufuncs": """
        np.add.reduce(x)
        np.add.reduce(T, axis=1)
        np.add.reduce(T, axis=(0, 2))
        np.add.reduce(T, axis=None, keepdims=True)
        np.multiply.reduce(x)
        np.multiply.reduce(B, axis=1, keepdims=True)
        np.maximum.reduce(y)
        np.minimum.reduce(B, axis=0)
        np.logaddexp.reduce(y)
        np.hypot.reduce(x)
        np.subtract.reduce(x)
        np.divide.reduce(p)
        np.logaddexp2.reduce(x)
        np.fmax.reduce(y)
        np.add.reduce(y, initial=3.0)
        np.multiply.reduce(y, initial=s)
        np.maximum.reduce(y, initial=s)
        np.maximum.reduce(y, where=x > 0.5, initial=-10.0)
        np.add.reduce(y, where=x > 0.5)
        np.add.reduce(B, dtype=float, axis=-1)
        np.add.reduce(x, out=np.zeros(()))
        np.add.accumulate(x)
        np.multiply.accumulate(y)
        np.maximum.accumulate(y)
        np.minimum.accumulate(T, axis=1)
        np.logaddexp.accumulate(y)
        np.add.accumulate(B, axis=1)
        np.subtract.accumulate(x)
        np.hypot.accumulate(x)
        np.divide.accumulate(p)
        np.add.reduceat(x, [0, 3, 1])
        np.multiply.reduceat(y, [0, 2, 4])
        np.maximum.reduceat(y, [0, 2])
        np.add.reduceat(B, [0, 2], axis=1)
        np.logaddexp.reduceat(y, [0, 3])
        np.add.outer(x, y)
        np.multiply.outer(x, y)
        np.subtract.outer(B, x)
        np.maximum.outer(x, y)
        np.power.outer(p, y)
        np.arctan2.outer(y, x)
        np.hypot.outer(x, y)
    """,
    "making arrays": """
        np.zeros_like(x) + x
        np.ones_like(x) * x
        np.full_like(x, s)
        np.empty_like(x) * 0 + x
        np.full(3, s)
        np.full((2, 2), s * t)
        np.linspace(s, t, 5)
        np.linspace(0, s, 4, endpoint=False)
        np.linspace(s, 3, 4, retstep=True)[1]
        np.linspace(x, y, 3)
        np.linspace(x, y, 3, axis=1)
        np.logspace(s, t, 4)
        np.geomspace(p[0], p[1], 4)
        np.arange(3) * s
        np.array([s, t])
        np.array([[s, -t], [t, s]])
        np.array([[np.cos(s), -np.sin(s)], [np.sin(s), np.cos(s)]]) @ x[:2]
        np.array([x, y])
        np.array([x[0], 1.0, t])
        np.asarray(x) * 2
        np.asarray([x[0], x[1]])
        np.array(x) * x
        np.array([[1.0, s], [0.0, 1.0]])
        np.array((s, t))
        np.ascontiguousarray(B.T)
        np.asanyarray(x) ** 2
        np.asfortranarray(B)
        np.copy(x) * 2
        np.eye(3) * A
        np.diag(x)
        np.diagflat(x)
        np.diag(A)
        np.diag(A, 1)
        np.tri(3) * A
        np.tril(A)
        np.triu(A, 1)
        np.vander(x[:3])
        np.vander(x[:3], 4, increasing=True)
        np.identity(3) @ A
        np.fromfunction(lambda i, j: i * s + j * t, (3, 4))
        np.array([x, y]).T
        np.array([1, 2, 3]) * s
        np.array([s, 2], dtype=float)
        np.array([x[:2], [1.0, 2.0]])
        np.array(s) * t
        np.array([B, B * 2])
        np.stack([s, t])
        np.array([s, t], ndmin=2)
        np.asarray(x, dtype=float)
        np.array([[s] * 2] * 2)
        np.asarray_chkfinite(x) * 2
        np.require(x) * 2
        np.empty((2, 2)) * 0 + s
        np.ones(3) * s
        np.array([[[s]]])
        np.array([[x[0], x[1]], [x[2], x[3]]]) @ y[:2]
    """,
    "like=": """
        np.array([s, t], like=x)
        np.zeros(3, like=x) + s
        np.ones((2, 2), like=x) * s
        np.full(3, s, like=x)
        np.asarray([s, t], like=x)
        np.eye(3, like=x) * s
        np.arange(4, like=x) * s
        np.empty(2, like=x) * 0 + s
        np.identity(2, like=x) * s
        np.fromfunction(lambda i: i * s, (3,), like=x)
        np.tri(3, like=x) * A
    """,
    "shapes, joining, splitting, inserting": """
        np.reshape(B, (4, 3))
        B.reshape(-1)
        B.reshape(2, 6)
        B.reshape((6, 2), order='F')
        np.ravel(B)
        B.ravel('F')
        B.flatten()
        np.transpose(T)
        np.transpose(T, (1, 0, 2))
        T.transpose(2, 1, 0)
        B.T @ x[:3]
        T.mT
        np.swapaxes(T, 0, 2)
        np.moveaxis(T, 0, -1)
        np.rollaxis(T, 2)
        np.expand_dims(x, 0)
        np.squeeze(x[None])
        x[:, None] * y
        x[np.newaxis, :] + y[:, np.newaxis]
        np.atleast_1d(s)
        np.atleast_2d(x)
        np.atleast_3d(B)
        np.broadcast_to(x, (2, 6))
        np.broadcast_arrays(x, y[:, None])
        np.matrix_transpose(T)
        np.concatenate([x, y])
        np.concatenate((B, B), axis=1)
        np.concatenate([B, B], axis=None)
        np.stack([x, y], axis=1)
        np.vstack([x, y])
        np.hstack([x, y])
        np.dstack([x, y])
        np.column_stack([x, y])
        np.block([[A, B], [B.T, np.eye(4)]])
        np.append(x, y)
        np.append(B, B, axis=0)
        np.append(x, s)
        np.split(x, 3)
        np.split(x, [1, 4])[1]
        np.array_split(x, 4)
        np.hsplit(B, 2)
        np.vsplit(B, 3)
        np.dsplit(T, 2)
        np.unstack(B)
        np.tile(x, 2)
        np.tile(x, (2, 2))
        np.repeat(x, 2)
        np.repeat(B, 2, axis=1)
        np.repeat(x, [1, 2, 0, 1, 1, 3])
        x.repeat(2)
        np.flip(x)
        np.flip(B, axis=1)
        np.fliplr(B)
        np.flipud(B)
        np.rot90(B)
        np.rot90(B, 2)
        np.roll(x, 2)
        np.roll(B, 1, axis=1)
        np.roll(B, (1, 2), axis=(0, 1))
        np.resize(x, (3, 3))
        np.insert(x, 1, s)
        np.insert(x, [0, 3], y[:2])
        np.insert(B, 1, x[:3], axis=1)
        np.delete(x, 2)
        np.delete(x, [0, 4])
        np.delete(B, 1, axis=0)
        np.delete(x, slice(1, 3))
        np.trim_zeros(np.concatenate([np.zeros(2), x]))
        np.r_[x, y]
        np.r_[x, s, 1.0]
        np.c_[x, y]
        np.r_[x, 0, y[::2]]
        np.r_['0,2', x, y]
        np.meshgrid(x, y)
        np.meshgrid(x, y, indexing='ij')
        np.meshgrid(x, y, sparse=True)
        x[np.ix_([0, 2])]
        A[np.ix_([0, 2], [1, 2])]
        np.ix_(x > 0.5, y > 0)[0] * s
        np.unravel_index(3, (2, 3))[0] * s
        np.lib.stride_tricks.sliding_window_view(x, 3)
    """,
    "padding": """
        np.pad(x, 2)
        np.pad(x, (1, 2), mode='edge')
        np.pad(x, 2, mode='reflect')
        np.pad(x, 2, mode='reflect', reflect_type='odd')
        np.pad(x, 2, mode='symmetric')
        np.pad(x, 2, mode='symmetric', reflect_type='odd')
        np.pad(x, 2, mode='wrap')
        np.pad(x, 2, mode='linear_ramp', end_values=s)
        np.pad(x, 2, mode='maximum')
        np.pad(y, 2, mode='minimum', stat_length=3)
        np.pad(x, 2, mode='mean')
        np.pad(x, 2, mode='median')
        np.pad(x, 2, constant_values=s)
        np.pad(B, ((1, 0), (2, 1)), constant_values=((1, 2), (3, 4)))
        np.pad(B, 1, mode='wrap')
        np.pad(B, {0: 1, 1: (2, 0)}) if np.lib.NumpyVersion(np.__version__) >= '2.2.0' else B
        np.pad(B, 2, mode='mean')
        np.pad(B, 7, mode='reflect')
        np.pad(x, 9, mode='symmetric')
        np.pad(x, 15, mode='wrap')
        np.pad(x, (2, 3), mode='empty')[2:-3]
        np.pad(x, 2, mode=lambda v, w, a, k: v.__setitem__(slice(0, w[0]), 1.5))
    """,
    "reductions": """
        np.sum(x)
        np.sum(B, axis=0)
        np.sum(T, axis=(0, 2), keepdims=True)
        np.sum(B, where=B > 0)
        np.sum(B, initial=2.0)
        np.sum(B, axis=-1, dtype=float)
        np.sum(x, out=np.zeros(()))
        np.prod(x)
        np.prod(B, axis=1)
        np.prod(B, where=B > 0, initial=2.0)
        np.mean(x)
        np.mean(B, axis=0, keepdims=True)
        np.mean(B, where=B > 0)
        np.mean(B, axis=1, where=[[True, False, True, True]] * 3)
        np.var(y)
        np.var(B, axis=1, ddof=1)
        np.var(B, where=B > -1)
        np.var(B, axis=0, keepdims=True, mean=B.mean(axis=0, keepdims=True))
        np.std(y)
        np.std(B, axis=0, ddof=1, keepdims=True)
        np.std(B, correction=1)
        np.std(B, where=B > -1)
        np.max(y)
        np.max(B, axis=1)
        np.max(B, axis=0, keepdims=True, initial=0.3)
        np.max(B, where=B < 0.5, initial=-5)
        np.amax(y)
        np.min(y)
        np.min(T, axis=(0, 1))
        np.amin(B, axis=0)
        np.ptp(y)
        np.ptp(B, axis=1, keepdims=True)
        np.median(y)
        np.median(y[:5])
        np.median(B, axis=1, keepdims=True)
        np.median(T, axis=(0, 2))
        np.percentile(y, 30)
        np.percentile(y, [10, 50, 75])
        np.percentile(B, 40, axis=1, keepdims=True)
        np.quantile(y, 0.33)
        np.quantile(y, 0.33, method='hazen')
        np.quantile(y, [0.2, 0.7], method='lower')
        np.quantile(B, 0.4, axis=0, method='nearest')
        np.quantile(y, 0.3, method='midpoint')
        np.quantile(y, 0.3, method='weibull')
        np.quantile(y, 0.37, method='median_unbiased')
        np.quantile(y, 0.37, method='normal_unbiased')
        np.quantile(y, 0.37, method='inverted_cdf')
        np.quantile(y, 0.37, method='averaged_inverted_cdf')
        np.quantile(y, 0.37, method='closest_observation')
        np.quantile(y, 0.37, method='interpolated_inverted_cdf')
        np.quantile(y, s)
        np.quantile(y, 0.4, weights=p, method='inverted_cdf')
        np.average(y)
        np.average(y, weights=x)
        np.average(B, axis=1, weights=p[:4])
        np.average(B, weights=B ** 2, axis=0, returned=True)
        np.linalg.norm(x)
        np.trace(A)
        np.trace(T, axis1=0, axis2=2)
        np.trace(A, offset=1)
        np.nansum(y)
        np.nanprod(x)
        np.nanmean(B, axis=0)
        np.nanvar(y, ddof=1)
        np.nanstd(y)
        np.nanmax(y)
        np.nanmin(B, axis=1)
        np.nanmedian(y)
        np.nanpercentile(y, 30)
        np.nanquantile(B, 0.4, axis=1)
        np.nancumsum(y)
        np.nancumprod(y)
        np.nansum(np.where(y > 0, y, np.nan))
        np.nanmean(np.where(B > 0, B, np.nan))
        np.nanmax(np.where(B > 0, B, np.nan), axis=1)
        np.nanstd(np.where(B > -1, B, np.nan))
        np.nanmedian(np.where(y > -1, y, np.nan))
        np.count_nonzero(y) * s
        np.argmax(y) * s
        np.argmin(y) * s
        np.any(y > 0) * s
        np.all(y > 0) * s
        np.cumsum(x)
        np.cumsum(B, axis=1)
        np.cumprod(y)
        np.cumprod(B, axis=0)
        np.cumulative_sum(x)
        np.cumulative_sum(x, include_initial=True)
        np.cumulative_prod(x)
        np.diff(x)
        np.diff(B, n=2, axis=1)
        np.diff(x, prepend=0.0, append=s)
        np.ediff1d(x)
        np.ediff1d(x, to_begin=s, to_end=[1.0, 2.0])
        np.gradient(y)
        np.gradient(y, 0.3)
        np.gradient(y, np.cumsum(x))
        np.gradient(B)
        np.gradient(B, axis=1, edge_order=2)
        np.gradient(y, s, edge_order=2)
        np.trapezoid(y)
        np.trapezoid(y, dx=s)
        np.trapezoid(y, np.cumsum(x))
        np.trapezoid(B, axis=0)
        np.cov(B)
        np.cov(x, y)
        np.cov(B, rowvar=False, ddof=0)
        np.cov(B, aweights=p[:4])
        np.cov(B, bias=True)
        np.cov(B, fweights=[1, 2, 1, 3])
        np.corrcoef(B)
        np.corrcoef(x, y)
        np.corrcoef(B, rowvar=False)
        np.histogram(y, bins=3)[0] * s
        np.bincount([0, 1, 1, 2, 0, 2], weights=y)
        np.digitize(y, [-1, 0, 1]) * x
        np.cross(x[:3], y[:3])
        np.cross(B[:, :3], A)
        np.linalg.cross(x[:3], y[:3])
    """,
    "selecting and sorting": """
        np.where(y > 0, y, 0)
        np.where(y > 0, y ** 2, -y)
        np.where(x > 0.5, s, t)
        np.select([y < -1, y < 1], [y, y ** 2], default=s)
        np.select([y > 0], [x])
        np.piecewise(y, [y < 0, y >= 0], [lambda v: -v, lambda v: v ** 2])
        np.piecewise(y, [y < 0], [lambda v: v, 2.0])
        np.choose([0, 1, 0, 1, 1, 0], [x, y])
        np.choose([0, 2, 1], A)
        np.compress([True, False, True], x[:3])
        np.extract(y > 0, y)
        np.take(x, [0, 2, 2])
        np.take(B, [1, 3], axis=1)
        np.take(x, [7, -9], mode='wrap')
        np.take(x, [7, -9], mode='clip')
        np.take_along_axis(B, np.argsort(B, axis=1), axis=1)
        x.take([1, 2])
        x.compress(y > 0)
        np.sort(y)
        np.sort(B, axis=0)
        np.sort(B, axis=None)
        -np.sort(-y)
        np.sort(y)[::-1]
        y[np.argsort(y)]
        np.partition(y, 2)[2]
        np.sort(np.partition(y, 3)[:3])
        np.searchsorted(np.sort(x), 0.5) * s
        np.unique(y)
        np.unique(y, return_index=True)[0]
        np.unique(np.concatenate([y, y]), return_inverse=True, return_counts=True)[0]
        np.unique_values(y)
        np.lexsort((x, y)) * s
        np.flatnonzero(y > 0) * s
        np.nonzero(y > 0)[0] * s
        np.argwhere(y > 0) * s
        np.sort_complex(y)
        np.intersect1d(x, x[1:4])
        np.union1d(x, y)
        np.setdiff1d(x, x[:2])
        np.setxor1d(x, y)
        np.isin(x, [1.0]) * x
        np.fmax(x, np.nan)
    """,
    "products, polynomials, signals": """
        np.polydiv(p, p[:3])
        np.poly(A)
        np.roots(p[:4])
        np.roots([1.0, -5.0 - s, 6.0 + t, s])
        np.dot(x, y)
        np.dot(A, B)
        np.dot(A, x[:3])
        np.dot(T, B.T)
        np.dot(s, x)
        np.matmul(A, B)
        A @ B
        T @ x[:4]
        np.vdot(x, y)
        np.vdot(z, z)
        np.inner(x, y)
        np.inner(A, B.T)
        np.outer(x, y)
        np.linalg.outer(x, y)
        np.tensordot(T, B, axes=([1, 2], [0, 1]))
        np.tensordot(T, B, axes=2)
        np.tensordot(A, B, axes=1)
        np.tensordot(x, y, axes=0)
        np.linalg.tensordot(T, B)
        np.einsum('ij,jk->ik', A, B)
        np.einsum('ii', A)
        np.einsum('ii->i', A)
        np.einsum('ijk,jk->i', T, B)
        np.einsum('i,j', x, y)
        np.einsum('...i,i', T, p[:4])
        np.einsum('ij,ij->', A, A)
        np.einsum('ij->ji', B)
        np.einsum(A, [0, 1], B, [1, 2])
        np.einsum('i,i,i->', x, y, p)
        np.einsum('ij,jk,kl->il', A, A, B, optimize=True)
        np.kron(A, B)
        np.kron(x, y)
        np.linalg.multi_dot([A, A, B])
        np.linalg.matrix_power(A, 3)
        np.linalg.matrix_power(A, -2)
        np.linalg.matrix_power(A, 0) * s
        np.convolve(x, y)
        np.convolve(x, y[:3], mode='same')
        np.convolve(x, y[:3], 'valid')
        np.correlate(x, y)
        np.correlate(x, y[:3], 'full')
        np.correlate(x, y[:3], 'same')
        np.interp(s, np.cumsum(x), y)
        np.interp(y, [-2.5, 0, 2.5], [1.0, 3.0, 2.0])
        np.interp(x, np.cumsum(x), y, left=s, right=t)
        np.interp(y, np.cumsum(x), p, period=2.0)
        np.polyval(y, s)
        np.polyval(y, x)
        np.polyfit(np.cumsum(x), y, 2)
        np.polyadd(x, y[:2])
        np.polysub(x, y)
        np.polymul(x, y)
        np.polyder(x)
        np.polyder(x, 2)
        np.polyint(x)
        np.polyint(x, 2, k=[1, 2])
        np.poly(x[:3])
        np.poly1d([1.0, 2.0, 3.0])(s)
        np.polynomial.legendre.legval(x, [1.0, 2.0, 3.0])
    """,
    "linear algebra": """
        np.abs(np.linalg.eigvals(A + 3 * np.diag([1, 2, 5])))
        np.linalg.eig(A + 5 * np.diag([1, 2, 5]))[0]
        np.abs(np.linalg.eig(A + 5 * np.diag([1, 2, 5]))[1])
        np.linalg.eigvals(Z)
        np.sum(np.linalg.eigvals(A)).real
        np.linalg.svd(B)[1]
        np.linalg.qr(B.T, mode='complete')[1]
        np.linalg.inv(A)
        np.linalg.solve(A, x[:3])
        np.linalg.solve(A, B)
        np.linalg.det(A)
        np.linalg.slogdet(A)[1]
        np.linalg.slogdet(A).logabsdet
        np.linalg.cholesky(A @ A.T + np.eye(3))
        np.linalg.cholesky(A @ A.T + np.eye(3), upper=True)
        np.linalg.eigh(A + A.T)[0]
        np.linalg.eigh(A + A.T).eigenvectors ** 2
        np.linalg.eigvalsh(A + A.T)
        np.linalg.eigvalsh(A + A.T, UPLO='U')
        np.linalg.svd(B, full_matrices=False)[1]
        np.abs(np.linalg.svd(B, full_matrices=False)[2])
        np.linalg.svd(B, compute_uv=False)
        np.linalg.svdvals(B)
        np.abs(np.linalg.svd(A)[0])
        np.linalg.qr(A)[1]
        np.linalg.qr(B.T)[0]
        np.linalg.qr(B)
        np.linalg.qr(A, mode='r')
        np.linalg.qr(B, mode='complete')[1]
        np.linalg.pinv(B)
        np.linalg.pinv(A)
        np.linalg.pinv(A + A.T, hermitian=True)
        np.linalg.lstsq(B.T, p[:4])[0]
        np.linalg.lstsq(B, x[:3])[0]
        np.linalg.lstsq(B.T, p[:4])[1]
        np.linalg.norm(x, 1)
        np.linalg.norm(x, np.inf)
        np.linalg.norm(x, 3)
        np.linalg.norm(B)
        np.linalg.norm(B, 'nuc')
        np.linalg.norm(B, 2)
        np.linalg.norm(B, -2)
        np.linalg.norm(B, 1)
        np.linalg.norm(B, axis=1)
        np.linalg.norm(B, axis=(0, 1))
        np.linalg.norm(T, ord=np.inf, axis=2, keepdims=True)
        np.linalg.vector_norm(x, ord=3)
        np.linalg.matrix_norm(T)
        np.linalg.cond(A)
        np.linalg.cond(A, 'fro')
        np.linalg.matrix_rank(A) * s
        np.linalg.tensorinv(np.eye(6).reshape(2, 3, 6) * 2 + np.outer(x, y).reshape(2, 3, 6) * 0.1, ind=2)
        np.linalg.tensorsolve(np.eye(6).reshape(2, 3, 6) + np.outer(x, y).reshape(2, 3, 6) * 0.1, B[:2, :3])
        np.linalg.diagonal(T)
        np.linalg.trace(T)
        np.linalg.matmul(A, B)
        np.linalg.vecdot(x, y)
        np.linalg.matrix_transpose(B)
        np.linalg.inv(np.stack([A, A + 2 * np.eye(3)]))
        np.linalg.det(np.stack([A, A @ A]))
        np.linalg.inv(Z)
        np.linalg.det(Z)
        np.linalg.solve(Z, z[:3])
        np.linalg.eigvalsh(Z + np.conj(Z.T))
        np.linalg.svdvals(Z)
    """,
    "Fourier transforms": """
        np.abs(np.fft.fft(x))
        np.fft.fft(x)
        np.fft.ifft(x)
        np.fft.fft(z)
        np.fft.ifft(z, n=6)
        np.fft.rfft(x)
        np.fft.irfft(z)
        np.fft.irfft(z, n=7)
        np.fft.hfft(z)
        np.fft.ihfft(x)
        np.fft.fft2(B)
        np.fft.ifft2(B)
        np.fft.rfft2(B)
        np.fft.irfft2(Z)
        np.fft.fftn(T)
        np.fft.ifftn(T)
        np.fft.rfftn(T)
        np.fft.irfftn(T + 0j)
        np.fft.fft(x, n=4)
        np.fft.fft(x, n=9, norm='ortho')
        np.fft.fft(B, axis=0, norm='forward')
        np.fft.fftshift(x)
        np.fft.ifftshift(B, axes=1)
        np.fft.fftfreq(6) * x
        np.fft.rfftfreq(6)[0] * s
        np.fft.rfft(B, axis=0)
        np.real(np.fft.ifft(np.fft.fft(x) * np.fft.fft(y)))
        np.fft.rfftn(T, s=(2, 2), axes=(0, 1))
    """,
    "functions of functions": """
        np.apply_along_axis(np.sum, 1, B)
        np.apply_along_axis(lambda r: r * r.max(), 0, B)
        np.apply_over_axes(np.sum, T, [0, 2])
        np.vectorize(lambda u, v: u * v if u > v else v)(x, y)
        np.vectorize(lambda u: u ** 2)(B)
        np.vectorize(np.dot, signature='(n),(n)->()')(B, B)
        np.frompyfunc(lambda u: u * 2, 1, 1)(x).astype(float)
    """,
    "methods and attributes": """
        x.sum()
        B.sum(axis=0)
        B.prod(1)
        B.mean()
        B.std(0)
        B.var(axis=1, ddof=1)
        y.max()
        y.min()
        B.max(axis=1, keepdims=True)
        y.argmax() * s
        y.argsort() * x
        x.cumsum()
        B.cumprod(axis=1)
        y.clip(-1, 1)
        y.clip(0)
        y.clip(max=0.3)
        y.round(2)
        x.dot(y)
        A.dot(B)
        A.trace()
        A.diagonal()
        B.swapaxes(0, 1)
        x.copy() * 2
        x.flatten()
        B.squeeze()
        z.conj() * z
        z.conjugate()
        z.real
        z.imag
        x.real * 2
        x.imag + x
        x.astype(np.float64)
        x.astype(complex) * 1j
        x.tolist()[0] * 2
        x.item(2)
        B.item(1, 2)
        x.searchsorted(0.5) * s
        y.nonzero()[0] * s
        np.choose([0, 1, 1], [x[:3], y[:3]])
        x.fill(3.0) or x * s
        [v := x.copy(), v.fill(s), v][2]
        [v := x.copy(), v.sort(), v][2]
        [v := y.copy(), v.partition(2), v[2]][2]
        [v := x.copy(), v.put([0, 1], [s, t]), v][2]
        x.T
        x.flat[2]
        list(x.flat)[1] * 3
        B.flat[5]
        B.flat[1:4]
        x.view() * 2
        x.__len__() * s
        len(B) * s
        x.size * s
        x.ndim * s
        x.shape[0] * s
        B.T.shape[0] * s
        x.nbytes * s
        x.itemsize * s
        x.dtype.itemsize * s
        x.any() * s
        x.all() * s
        B.transpose()
        B.ravel(order='F')
        B.take([1, 5])
        B.repeat(2, axis=0)
        x.__array_namespace__().sum(x)
        x.strides[0] * s
        x.flags.writeable * s
        B.flags['C_CONTIGUOUS'] * s
        x.device == 'cpu' and s
        B.mT
        x.view(np.float64) * 2
    """,
    "operators": """
        x + y
        x - 1
        2 - x
        x * y
        3 * x
        y / p
        1 / p
        y // x
        y % x
        5 % x
        p ** y
        p ** 2
        p ** 0.5
        p ** -1
        2 ** y
        p ** -1.5
        y ** 3
        -y
        +y
        abs(y)
        A @ x[:3]
        x[:3] @ A
        7 // x
        (x > y) * 1.0 + x
        ~(x > 0.5) * x
        divmod(y, 0.7)[1]
        divmod(3.0, x)[1]
        round(s, 1) + s
        pow(p, 3)
        x.__rsub__(1.0)
        np.pi * x
        np.float32(2) * x
        np.float64(2) * x
        np.int64(3) * x
        [1, 2, 3, 4, 5, 6] * x
        x * [1, 2, 3, 4, 5, 6]
        (1, 2, 3, 4, 5, 6) + x
        np.arange(6) * x
        1j * x
    """,
    "Python's own functions": """
        np.sum([s, t, 1.0])
        np.sum([v ** 2 for v in x])
        np.mean([s, t])
        np.max([s, t])
        np.prod([x, y], axis=0)
        np.dot([s, t], [1.0, 2.0])
        np.linalg.norm([s, t])
        np.cumsum([s, t])
        np.outer([s, t], [1, 2])
        np.std([s, t, 2.0])
        np.diag([s, t])
        np.linalg.det([[s, t], [1.0, s]])
        np.dot([1.0, 2.0], [s, t])
        np.median([s, t, 0.1])
        np.hstack([s, t, x])
        np.concatenate([[s], x])
        sum(x)
        sum(x * y)
        max(x)
        min(y)
        max(s, t)
        min(x[0], y[0])
        sorted(x)[2]
        sorted(y, reverse=True)[0]
        [v ** 2 for v in x]
        [a * b for a, b in zip(x, y)]
        sum(v * n for n, v in enumerate(x))
        list(x)[2]
        tuple(x)[1] * 2
        reversed(list(x)).__next__()
        list(reversed(x))[0]
        (lambda a, b, c: a * b + c)(*x[:3])
        dict(a=x)['a']
        any(v > 0.5 for v in x) * s
        all(x > 0) * s
        abs(s)
        round(t) * s
        sum([x, y])
        sum(B)
        np.stack([v for v in x])
        np.array([v for v in x])
        np.array(list(x))
        functools.reduce(lambda a, b: a * b, x)
        functools.reduce(np.multiply, [x, y, p])
        itertools.accumulate(x).__next__()
        max(x, key=lambda v: -v)
        s if s > 0 else t
        complex(0, 1) * s
        (s > t) * s
        [i for i in range(len(x)) if x[i] > 0.5][0] * s
        math.fsum(x)
        math.prod(x)
    """,
    "indexing": """
        x[0]
        x[-1]
        x[1:4]
        x[::-1]
        x[::2]
        x[4:1:-1]
        x[-2:]
        x[...]
        B[..., 0]
        B[1]
        B[1, 2]
        B[:, 1]
        B[::-1, ::-2]
        T[0, ..., 1]
        T[:, None, 1, ::2]
        x[[0, 2, 2]]
        x[np.array([1, 3])]
        x[y > 0]
        B[B > 0]
        B[[0, 1], [1, 2]]
        B[:, [0, 2]]
        B[[[0], [2]], [1, 3]]
        B[np.array([True, False, True])]
        B[[True, False, True], 1:3]
        x[None]
        x[:, None, None]
        T[[0, 1], :, [1, 2]]
        x[np.argmax(y)]
        x[int(2)]
        x[()]
        x[y.argsort()[::-1]]
        B[np.triu_indices(3)]
        A[np.diag_indices(3)]
        A[np.tril_indices(3, -1)]
        x[slice(1, 5, 2)]
        x[np.nonzero(y > 0)]
        x[np.s_[1:3]]
        B[(0, 1)]
        x[5:5].sum() + s
        x[-7:].sum()
        T[1][2][3]
        x[True].sum()
        x[x.argmax()]
        B[B.argmax(axis=0), np.arange(4)]
        np.delete(x, np.argmax(x))
        x[np.abs(y) < 1].prod()
    """,
    "math and cmath": """
        math.sin(s)
        math.exp(t)
        math.sqrt(s)
        math.log(s)
        math.log(s, 2)
        math.pow(s, 2)
        math.atan2(s, t)
        math.hypot(s, t)
        math.erf(s)
        math.erfc(s)
        math.gamma(s)
        math.lgamma(s)
        math.tanh(t)
        math.floor(t) * s
        math.ceil(t) * s
        math.fabs(t)
        math.log1p(s)
        math.expm1(s)
        math.cosh(s)
        math.acos(s)
        math.copysign(s, t)
        math.fmod(t, s)
        math.degrees(t)
        math.radians(t)
        math.isnan(s) or s
        math.trunc(t) * s
        math.log10(s)
        math.log2(s)
        math.cbrt(s)
        math.exp2(s)
        math.dist([s, t], [0.0, 1.0])
        math.modf(s)[0]
        math.frexp(s)[0]
        math.ldexp(s, 3)
        math.remainder(t, s)
        math.sumprod([s, t], [1.0, 2.0]) if hasattr(math, 'sumprod') else s
        math.fma(s, t, 1.0) if hasattr(math, 'fma') else s
        math.sin(x[0])
        math.exp(x[1] * y[2])
        cmath.exp(1j * s).real
        cmath.phase(z[0])
        cmath.sqrt(z[0])
        math.comb(5, 2) * s
        math.ulp(1.0) * s
        math.sinh(s)
        math.asinh(s)
        math.atanh(s)
        math.acosh(p[0])
        math.asin(s)
        math.atan(s)
        math.tan(s)
        math.cos(s)
    """,
    "lists of traced values": """
        np.sqrt([s, s+1])
        np.sqrt((s, s+1))
        np.sin([[s, t],[t, s]])
        np.exp([s])
        np.add([s, t], 1)
        np.add([s, t], [t, s])
        np.multiply([s, t], x[:2])
        np.maximum([s, t], 0.1)
        np.maximum.reduce([s, t])
        np.add.reduce([s, t, s*t])
        np.multiply.reduce([s, t, s*t])
        np.add.accumulate([s, t, s*t])
        np.multiply.outer([s, t], [t, s])
        np.hypot(*[s, t])
        np.hypot([s, t], 2)
        np.sum([s, t])
        np.sum((s, t))
        np.prod([s, t])
        np.dot([s, t],[t, s])
        np.vdot([s, t],[t, s])
        np.inner([s, t],[t, s])
        np.outer([s, t],[t, s])
        np.cross([s, t, 1.0],[t, s, 2.0])
        np.kron([s, t],[t, s])
        np.matmul([[s, t],[t, s]],[t, s])
        np.array([[s, t],[t, s]]) @ [t, s]
        [t, s] @ np.array([[s, t],[t, s]])
        np.eye(2) @ [t, s]
        np.eye(2) * [t, s]
        [t, s] * np.ones(2)
        [t, s] + np.array([1.0,2.0])
        np.linalg.det([[s, t],[t, s+2]])
        np.linalg.inv([[s, t],[t, s+2]])
        np.linalg.solve([[s, t],[t, s+2]], [s, t])
        np.linalg.eigvalsh([[s, t],[t, s+2]])
        np.polyval([s, t, 1], x)
        np.polyval([s, t, 1], s)
        np.mean([s, t], axis=0)
        max([s, t])
        min(s, t)
        sorted([s, t])
        sum([s, t])
        min(*x)
        sorted(x)
        math.fsum([s, t])
        np.where([True, False], [s, t], [t, s])
        np.where(True, s, t)
        np.clip([s, t], -1, 0.5)
        np.concatenate([[s, t], x])
        np.concatenate(([s], x, [t]))
        np.vstack([[s, t],[t, s]])
        np.column_stack([[s, t],[t, s]])
        np.append([s, t], 1)
        np.append(x, [s, t])
        np.insert(x, 1, [s, t])
        np.cumsum([s, t, 1])
        np.cumprod([s, t, 1])
        np.diff([s, t, 1])
        np.interp(0.3, [0, 1], [s, t])
        np.interp(s, [0, 1, 2], [0, 1, 4])
        np.trapezoid([s, t, 1], dx=0.5)
        np.average([s, t], weights=[1, 2])
        np.average([1, 2], weights=[s+3, t+3])
        np.einsum('i,i', [s, t], [t, s])
        np.einsum('ij,j->i', A, [s, t, 1])
        np.tensordot([s, t], [t, s], 1)
        np.tile([s, t], 2)
        np.repeat([s, t], 2)
        np.flip([s, t])
        np.roll([s, t, 1], 1)
        np.reshape([s, t, t, s], (2, 2))
        np.transpose([[s, t],[t*t, s]])
        np.squeeze([[s, t]])
        np.ravel([[s, t]])
        np.asarray([s, t]) * 2
        np.atleast_2d([s, t])
        np.broadcast_to([s, t], (3, 2))
        np.full((2,2), [s, t])
        np.linspace([s,t], [1,2], 5)
        np.geomspace(s, s+3, 4)
        np.vander([s, t], 3)
        np.meshgrid([s, t], [t, s])
        np.angle([s+1j*t])
        np.nan_to_num([s, t])
        np.round([s, t], 1)
        np.sign([s, t])
        np.power([s, s+1], [t, 2])
        np.sum([x, p], axis=0)
        np.mean([x, p], axis=0)
        np.max([x, p], axis=0)
        np.sqrt([x, p])
        np.linalg.norm([x, p], axis=0)
        np.dot([x, p], y)
        np.array([x, p]).T @ [s, t]
        np.logaddexp.reduce([s, t, 1.0])
        np.logaddexp.reduce(x)
        np.hypot.reduce([s, t, 1.0])
        np.minimum.accumulate([s, t, 1.0])
        np.unwrap([s, t, 8.0])
        np.convolve([s, t], [1, 2, s])
        np.correlate([s, t, 1], [1, s])
        np.polyadd([s, t], [1, s, 2])
        np.polymul([s, t], [1, s, 2])
        np.polysub([s, t], [1, s, 2])
        np.polydiv([s, t, 1.0, 2.0], [1, s])
        np.polyder([s, t, 1])
        np.polyint([s, t, 1])
        np.poly([s, t, 1])
        np.roots([s, t, 0.3])
        np.roots([1.0, t, 0.3, s])
        np.polyfit(x, y, 2)
        np.polyfit([0.0, 1, 2, 3], [s, t, 1, 2], 1)
        np.polyfit([0.0, 1, 2, 3], np.array([s, t, 1, 2]), 2)
        np.polyfit(x, y, 2, w=p)
        np.select([[True, False]], [[s, t]], [t, s])
        np.percentile([s, t, 1.0], 30)
        np.quantile([s, t, 1.0], [0.3, 0.6])
        np.cov([s, t, 1.0])
        np.cov([x, y])
        np.corrcoef([x, y])
        np.gradient([s, t, 1.0])
        np.sort([s, t, 1.0])
        np.argsort([s, t, 1.0])
        np.fft.fft([s, t, 1.0, 2.0])
        np.fft.rfft([s, t, 1.0, 2.0])
        np.apply_along_axis(np.sum, 0, [[s, t],[t, s]])
        np.sinc([s, t])
        np.i0([s, t])
        np.heaviside([s, t], 0.5)
        np.copysign([s, t], -1)
        np.ldexp([s, t], 2)
        np.modf([s, t])
        np.trace([[s, t],[t, s]])
        np.tril([[s, t],[t, s]])
        np.block([[A, np.zeros((3,1))],[np.ones((1,3))*s, t]])
        np.block([[s, t],[t, s]])
        np.array([(s, t), (t, s)])
        np.array([[s, 0], [0, t]]) @ np.array([1.0, 2.0])
        np.array([np.array([s, t]), np.array([t, s])])
        np.array([x[0], x[1]**2, 3])
        np.array([x, [s]*6])
        np.array({'a': s}['a'])
        np.array(list(map(lambda v: v**2, x)))
        np.array([v**2 for v in x])
        np.array([[xi*yj for xi in x] for yj in y])
        np.fromiter((v**2 for v in x), dtype=float)
        abs(s + 1j * t)
        divmod(s, 0.3)[1]
        pow(s, 2)
        round(s, 1) * t
        s.sum() + t
        np.float64(2.0) * s
        2.0 ** s
        s // 0.2 + s % 0.2
        np.isclose([s, t], [s, t])
        np.any([s > 0, t > 0])
        np.searchsorted([0.0, 1.0], s) * s
        np.digitize(x, [0.3, 0.6]) * x
        np.histogram(x, bins=3, weights=y)[0]
        np.bincount([0, 1, 1, 2, 0, 1], weights=y)
    """,
    "numpy.polynomial": """
        P.polyval(x, p)
        P.polyval(s, p)
        P.polyval(0.4, p)
        P.polyval(x, [s, t, 1.0])
        P.polyval([0.1,0.2], p)
        P.polyval(x, B)
        P.polyval(x, np.array([1.0, 2.0, 3.0]))
        P.polyval2d(x, y, A)
        P.polyval3d(x, y, p, T)
        P.polygrid2d(x, y, A)
        P.polyder(p)
        P.polyder(p, 2)
        P.polyint(p)
        P.polyint(p, 1, k=[s])
        P.polyint(p, 2, lbnd=0.5)
        P.polyadd(p, y)
        P.polysub(p, y[:3])
        P.polymul(p, y)
        P.polymulx(p)
        P.polydiv(p, y[:3])
        P.polypow(p[:3], 3)
        P.polyfit(x, y, 2)
        P.polyfit(x, y, 3, w=p)
        P.polyfromroots(x)
        P.polyroots(p)
        P.polyroots([s, t, 1.0])
        P.polyvander(x, 3)
        P.polyvander2d(x, y, [1,2])
        P.polycompanion(p)
        P.polyline(s, t)
        C.chebval(y, p)
        C.chebval(x, np.array([1.0,0.5,0.3]))
        C.chebval2d(x, y, A)
        C.chebder(p)
        C.chebint(p)
        C.chebadd(p, y)
        C.chebmul(p, y)
        C.chebvander(x, 3)
        C.chebfit(x, y, 2)
        C.cheb2poly(p)
        C.poly2cheb(p)
        C.chebfromroots(x)
        C.chebroots(p)
        L.legval(y, p)
        L.legder(p)
        L.legint(p)
        L.legmul(p, y)
        L.legvander(x, 3)
        L.legfit(x, y, 2)
        L.leg2poly(p)
        L.poly2leg(p)
        H.hermval(y, p)
        H.hermder(p)
        H.hermint(p)
        H.hermmul(p, y)
        H.hermvander(x, 3)
        H.hermfit(x, y, 2)
        HE.hermeval(y, p)
        HE.hermeder(p)
        HE.hermeint(p)
        HE.hermemul(p, y)
        HE.hermevander(x, 3)
        HE.hermefit(x, y, 2)
        LA.lagval(y, p)
        LA.lagder(p)
        LA.lagint(p)
        LA.lagvander(x, 3)
        LA.lagfit(x, y, 2)
        Polynomial(p)(x)
        Polynomial(p)(s)
        Polynomial([s, t, 1.0])(x)
        Polynomial([1.0, 2.0, 3.0])(x)
        Polynomial(p).deriv()(x)
        Polynomial(p).integ()(x)
        (Polynomial(p) * Polynomial(y))(s)
        (Polynomial(p) + Polynomial(y))(s)
        (Polynomial(p) - 2)(s)
        (Polynomial(p)**2)(s)
        Polynomial(p).coef
        Polynomial(p, domain=[0, 2])(x)
        Polynomial(p).roots()
        Polynomial.fit(x, y, 2)(s)
        Polynomial.fit(x, y, 2).convert().coef
        Polynomial.fromroots(x)(s)
        Chebyshev(p)(y)
        Chebyshev(p).deriv()(y)
        Chebyshev.fit(x, y, 2)(s)
        Legendre(p)(y)
        Hermite(p)(y)
        HermiteE(p)(y)
        Laguerre(p)(y)
        Polynomial([1.0, 2.0, 3.0]).deriv()(x)
        Chebyshev([1.0, 2.0, 3.0])(x)
        Polynomial([1.0, 2.0, 3.0]).integ()(s)
        np.poly1d(p)(x)
        np.poly1d([s, t, 1.0])(x)
        np.poly1d([1.0, 2.0, 3.0])(x)
        np.poly1d(p).deriv()(x)
        np.poly1d(p).integ()(x)
        np.poly1d(p).coeffs
        (np.poly1d(p) * np.poly1d(y))(s)
        np.poly1d(np.polyfit(x, y, 2))(s)
        np.polyval(np.polyfit(x, y, 2), s)
        np.polyval(np.poly1d(p), x)
        np.poly(x)
        np.roots(p)
        np.roots([1.0, s, t])
        np.sort(np.roots([1.0, t, -s]))
        np.polyder(p, 2)
        np.polyint(p, 2)
        np.polyint(p, 1, k=s)
        np.polymul(p, y)
        np.polydiv(p, y[:3])
        np.polyfit(x, B[:2].T[[0,1,2,3,0,1]], 1)
        np.polyfit(x, y, 1, full=True)[0]
        np.polyfit(x, y, 1, cov=True)
        P.polyval(x, np.arange(18.0).reshape(3,6))
        P.polyval(B, p)
        Polynomial([1.0, 2.0])(Polynomial(p))(s)
        Polynomial(p)(Polynomial([s, 2.0]))(t)
        Chebyshev(p).convert(kind=Polynomial).coef
        Polynomial(p).linspace(5)
        (Polynomial(p) % Polynomial([1.0, s])).coef
        (Polynomial(p) // Polynomial([1.0, s])).coef
        Chebyshev.interpolate(lambda v: s*v**2, 4)(t)
        np.polynomial.polynomial.polyval(x, p)
        np.polynomial.Polynomial(p)(x)
        np.polynomial.chebyshev.chebval(x, [1, 2, 3])
        np.polynomial.legendre.leggauss(4)[0]*s
        np.polyadd(np.poly1d([1.0,2.0]), y)
        Polynomial.basis(3)(x)
        Polynomial(p).truncate(3).coef
        Polynomial(p).trim().coef
        Polynomial.identity()(x)
        P.polyval(x[:3], A, tensor=False)
        P.polyvalfromroots(x, p)
        P.polyvalfromroots(B, x)
        P.polygrid3d(x[:2], y[:2], p[:2], T)
        P.polyvander3d(x, y, p, [1,1,2])
        P.polytrim(p)
        C.chebgrid2d(x, y, A)
        C.chebweight(x)
        C.chebcompanion(p)
        C.chebpow(p[:3], 2)
        C.chebdiv(p, y[:3])
        C.chebline(s, t)
        C.chebinterpolate(lambda v: s*v**2, 3)
        L.legcompanion(p)
        L.legroots(p)
        L.legweight(x)
        L.legfromroots(x)
        L.legpow(p[:3], 2)
        L.legmulx(p)
        H.hermroots(p)
        H.hermweight(y)
        H.hermcompanion(p)
        HE.hermeroots(p)
        HE.hermeweight(y)
        LA.lagroots(p)
        LA.lagweight(p)
        LA.lagmul(p, y)
        LA.lagfromroots(x)
        LA.poly2lag(p)
        H.herm2poly(p)
    """,
    "once more": """
        np.add(x, y, where=x > 0.5, out=np.zeros(6))
        np.multiply.reduceat(x, [0, 2, 4])
        np.add.reduce(B, axis=(0, 1), keepdims=True)
        np.maximum.reduce(B, axis=1, initial=0.1)
        np.add.reduce(B, where=B > 0)
        np.sum(B, axis=0, where=B > 0, initial=1.5)
        np.std(B, axis=1, ddof=1, keepdims=True)
        np.var(B, ddof=1, where=B > -1)
        np.std(Z)
        np.percentile(B, [10, 50], axis=0, method='midpoint')
        np.quantile(x, 0.3, method='hazen')
        np.quantile(x, 0.3, weights=np.abs(y), method='inverted_cdf')
        np.nanpercentile(B, 30, axis=1)
        np.median(B, axis=(0, 1))
        np.average(B, axis=0, weights=np.abs(B))
        np.average(B, weights=[1, 2, 3], axis=0, returned=True)
        np.linalg.norm(B, 'fro')
        np.linalg.norm(T, axis=(1, 2), ord=2)
        np.linalg.slogdet(A)
        np.linalg.tensorsolve(np.eye(6).reshape(2,3,2,3) + 0.1*x[0], y.reshape(2,3))
        np.linalg.eigvals(A)
        np.linalg.eig(A)[0]
        np.linalg.lstsq(B.T, x[:4])[0]
        np.linalg.multi_dot([A, B, B.T])
        np.linalg.qr(B, 'r')
        np.pad(x, (1, 2), 'reflect')
        np.pad(B, ((1, 0), (2, 1)), mode='symmetric')
        np.pad(B, 1, mode='linear_ramp', end_values=s)
        np.pad(B, 1, mode='mean')
        np.pad(B, 1, mode='maximum', stat_length=2)
        np.pad(B, 1, constant_values=((s, t), (1, 2)))
        np.rot90(B, 3)
        np.repeat(B, [1, 2, 0], axis=0)
        np.insert(B, 1, x[:4], axis=0)
        np.delete(B, [0, 2], axis=1)
        np.append(A, B, axis=1)
        np.take(B, [[0, 1], [2, 2]], axis=0)
        np.piecewise(y, [y < 0, y >= 0], [lambda v: -v, lambda v: v**2])
        np.select([y < 0, y > 1], [x, p], default=s)
        np.einsum('ijk,kl->ijl', T, B.T)
        np.einsum('ij->j', B)
        np.einsum('ij,ij->i', B, B, optimize=True)
        np.einsum(A, [0, 1], B, [1, 2], [0, 2])
        np.tensordot(T, B, axes=([1], [0]))
        np.cross(A, A.T)
        np.convolve(x, y, 'same')
        np.correlate(x, y, 'full')
        np.vander(x, 3, increasing=True)
        np.interp(x, np.sort(p), y)
        np.interp(s, x[np.argsort(x)], y, left=t, right=s)
        np.gradient(x, 0.5)
        np.gradient(x, np.sort(p))
        np.trapezoid(y, x)
        np.trapezoid(B, dx=0.3, axis=0)
        np.diff(x, n=2, prepend=s, append=t)
        np.cumprod(x)
        np.nancumsum(x)
        np.ediff1d(x, to_begin=s, to_end=t)
        np.unwrap(5*y)
        np.apply_along_axis(lambda v: v / np.linalg.norm(v), 1, B)
        np.vectorize(lambda a, b: a**2 if a > b else a*b)(x, y)
        np.fromfunction(lambda i, j: s**i + t*j, (3, 3))
        B[np.ix_([0, 2], [1, 3])]
        np.block([[A, B], [B.T @ A, B.T @ B]])
        np.modf(y)[0]
        np.divmod(y, x)[1]
        np.ldexp(x, 2)
        np.nan_to_num(y / 1.0)
        np.sort(np.partition(x, 2)[3:])
        np.unique(x)
        np.flip(T, (0, 2))
        np.moveaxis(T, [0, 1], [1, 2])
        np.fill_diagonal(A.copy(), s) or A
        np.triu(T, 1)
        np.histogram(x, bins=4, weights=p)[0]
        np.linspace(x, p, 4, axis=1)
        np.geomspace(p, p + 3, 3)
        np.full_like(B, s)
        np.asarray([x, y, p])
        np.array([[s, -t], [t, s]]) @ x[:2]
        np.array([s]) + 1
        x[::-2]
        x[..., None] * y
        B[:, ::-1][1:, -2:]
        T[1, ..., [0, 2]]
        x[x > 0.5]
        B[B > 0].sum()
        B.T.ravel(order='F')
        x.reshape(2, -1).mean(axis=0)
        x.clip(0.3, 0.6)
        B.cumsum(axis=0).max(axis=1)
        x.std(ddof=1)
        B.trace(offset=1)
        B.diagonal(1)
        x.take([0, 0, 5])
        x.astype(np.float64).sum()
        sum(x) / len(x)
        max(x) - min(x)
        sorted(x)[0]
        math.exp(s) + math.sqrt(s) * math.atan2(s, t)
        math.log(s, 2) + math.pow(s, 3) + math.hypot(s, t)
        math.erf(s) + math.gamma(s) + math.lgamma(s) + math.cbrt(s)
        cmath.exp(1j * s)
        cmath.sqrt(t + 0j)
        np.real(z) @ np.imag(z)
        np.abs(Z) ** 2
        np.fft.ifft(np.fft.fft(x) * np.exp(1j * np.arange(6)))
        np.fft.irfft(np.fft.rfft(x))
        np.outer(z, z.conj())
        np.random.default_rng(0).normal(s, p)
        np.random.default_rng(0).uniform(x, p)
        np.isclose(x, y).astype(float) * x
        np.heaviside(y, 0.5) * x
        np.logaddexp.accumulate(x)
        np.subtract.outer(x, y)
        np.matvec(B, x[:4])
        np.vecmat(x[:3], B)
        np.linalg.vecdot(B, B)
        np.linalg.vector_norm(B, axis=0, ord=3)
        np.array_split(x, 4)[1]
        np.split(B, 2, axis=1)[0]
        np.hsplit(B, 2)[1]
        np.atleast_3d(x)
        np.broadcast_arrays(x, s)[1]
        np.resize(x, (3, 4))
        np.trim_zeros(np.append(x, 0))
        np.ptp(B, axis=1)
        np.nanmax(B, axis=0)
        np.nanstd(B, axis=1)
        np.cov(B, rowvar=False)
        np.cov(x, y, ddof=0)
        np.cov(B, aweights=[1, 2, 3, 4])
        np.dot(T, B[0])
        np.inner(B, B)
        np.where(y > 0, np.sqrt(np.abs(y)), y**2)
        np.extract(x > 0.5, y)
        np.compress([1, 0, 1], B, axis=0)
        np.put_along_axis(B.copy(), np.array([[0], [1], [2]]), s, 1) or B
        np.bincount([0, 1, 1, 2, 2, 2], weights=x, minlength=5)
        np.digitize(x, [0.3, 0.6]) * y
    """,
    "outside of the real domain, histograms, walks": """
        np.emath.sqrt(y)
        np.emath.log(y)
        np.emath.log2(y)
        np.emath.log10(y)
        np.emath.logn(2, p)
        np.emath.logn(p, y)
        np.emath.power(y, 0.5)
        np.emath.power(p, -2)
        np.emath.power(p, y)
        np.emath.arccos(y)
        np.emath.arcsin(y)
        np.emath.arctanh(y)
        np.arccos(p + 0j)
        np.arcsin(p + 0j)
        np.arccosh(x - 0j)
        np.histogram2d([.1, .5, .9, .2, .3, .7], [.2, .3, .8, .1, .9, .4], bins=3, weights=x)
        np.histogram2d([.1, .5, .9, .2, .3, .7], [.2, .3, .8, .1, .9, .4], bins=[2, [0, .5, .6]], weights=x, density=True)
        np.histogramdd(np.arange(18).reshape(6, 3) % 5, bins=(2, 3, 2), weights=p)
        np.histogramdd([[1, 2, 3, 4, 5, 6]], bins=[[0, 3, 5]], weights=p)
        np.float64(s) * x
        np.float64(x)
        np.complex128(s) * z
        sum(v * v for v in np.nditer(T))
        [a * b for a, b in np.broadcast(x, x[:1])]
        [v * it.index for it in [np.nditer(A, flags=["c_index"])] for v in it]
    """,
}
