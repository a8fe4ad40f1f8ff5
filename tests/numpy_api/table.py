"""What plain NumPy code does, one line per case: a name, the code, and the shapes it is tried on.

Every line is run for its value (test_values.py) and, where its results move, for its derivative
(test_derivatives.py). Domains keep away from kinks, which have tests of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One case: `f` on arrays of these shapes, with elements between `low` and `high`."""

    name: str
    f: Callable[..., Any]
    shapes: tuple[Shape, ...]
    low: float = -2.0
    high: float = 2.0
    dtypes: str = "df"
    moves: bool = True  # does the result move with the arguments?
    nans: bool = False  # put a nan into the first argument

    def args(self, dtype: str, seed: int = 0) -> list[Any]:
        """Arrays of distinct elements."""
        rng = np.random.default_rng(seed)
        found = []
        for n, shape in enumerate(self.shapes):
            size = int(np.prod(shape))
            place = (rng.permutation(size) + 0.2 + 0.6 * rng.random(size)) / max(size, 1)
            x = self.low + (self.high - self.low) * place
            if dtype in "FD":
                x = x + 1j * rng.permutation(x)
            if self.nans and n == 0 and size:
                x[rng.integers(size)] = np.nan
            found.append(x.reshape(shape).astype(dtype)[()])
        return found

    def __str__(self) -> str:
        return f"{self.name} {' '.join(map(str, self.shapes))}".replace(", ", ",")


def rows(name: str, f: Callable[..., Any], *shapes: Any, **more: Any) -> list[Row]:
    """A row for each setting: a shape (of the only argument), or a list of shapes."""
    return [Row(name, f, tuple(s) if isinstance(s, list) else (s,), **more) for s in shapes]


ALL = (), (3,), (2, 3), (1, 3), (0,), (2, 0, 3), (2, 3, 4)
SOME = (3,), (2, 3), (2, 3, 4)
FULL = (1,), (4,), (2, 3), (2, 3, 4)  # at least one element
TWO = (2, 3), (3, 2, 4)
SQUARE = (3, 3), (2, 3, 3), (1, 1)
MASK = np.array([[True, False, True], [False, True, True]])
CUBE = np.arange(24).reshape(2, 3, 4)


def spd(a: Any) -> Any:
    """A symmetric positive definite matrix."""
    return a @ np.conj(np.swapaxes(a, -1, -2)) + 3 * np.eye(a.shape[-1], dtype=a.dtype)


SELECTION = [
    *rows("where scalar", lambda x: np.where(x > 0, x, 0), *ALL),
    *rows("where float", lambda x: np.where(x > 0, 1.5, x), *ALL),
    *rows("where two", lambda x, y: np.where(x > y, x * y, y), [(3,), (2, 3)], [(2, 1), (3,)], [(), (2,)]),
    *rows("where mask", lambda x: np.where(MASK, x, -x), (2, 3), (3,), (), dtypes="dfD"),
    *rows("where number as condition", lambda x: np.where(np.floor(x), x, 2 * x), (3,)),
    *rows("select", lambda x: np.select([x < -1, x < 1], [x * x, np.sin(x)], 7.0), *ALL),
    *rows("select default", lambda x: np.select([x < 0], [x]), *SOME),
    *rows("piecewise", lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda x: -x, np.exp]), *SOME),
    *rows("piecewise arguments", lambda x: np.piecewise(x, [x < -1, x > 1], [-1.0, lambda x, k: k * x, lambda x, k: x**k], 3.0), (5,)),
    *rows("piecewise rest", lambda x: np.piecewise(x, [x < -1], [-1.0, lambda x: x * x]), (5,)),
    *rows("choose", lambda x, y: np.choose(np.array([0, 1, 1]), [x, y]), [(3,), (3,)], [(2, 3), (1,)]),
    *rows("choose wrap", lambda x, y: np.choose(np.array([-1, 2, 5]), [x, y], mode="wrap"), [(3,), (3,)]),
    *rows("clip", lambda x: np.clip(x, -0.5, 1), *ALL),
    *rows("clip one side", lambda x: np.clip(x, None, 0.5), *SOME),
    *rows("clip arrays", lambda x, lo: np.clip(x, lo, lo + 1), [(2, 3), (3,)]),
    *rows("nan_to_num", lambda x: np.nan_to_num(x, nan=2.0), *SOME, nans=True),
    *rows("nan_to_num plain", np.nan_to_num, (3,), dtypes="dfD"),
    *rows("fix", np.fix, *SOME, moves=False),
    *rows("round", np.round, *SOME, moves=False),
    *rows("round 2", lambda x: np.round(x, 2), *SOME, moves=False),
    *rows("round -1", lambda x: np.round(x * 20, -1), *SOME, moves=False),
    *rows("isclose", lambda x, y: np.isclose(x, y, atol=1.0), [(3,), (2, 3)], moves=False),
    *rows("allclose", lambda x: np.allclose(x, x + 1e-9), *SOME, moves=False),
    *rows("array_equal", lambda x: [np.array_equal(x, x), np.array_equal(x, x + 1), np.array_equal(x, x[:1])], (3,), moves=False),
    *rows("array_equiv", lambda x: np.array_equiv(x, x), (3,), moves=False),
    *rows("isposinf", lambda x: [np.isposinf(x), np.isneginf(x)], (3,), moves=False),
    *rows("sinc", np.sinc, *ALL),
    *rows("real imag", lambda z: [np.real(z), np.imag(z), z.real, z.imag, np.conj(z), np.abs(z)], *SOME, dtypes="dfD"),
    *rows("angle", np.angle, *SOME, dtypes="D"),
    *rows("angle deg", lambda z: np.angle(z, deg=True), (3,), dtypes="D"),
    *rows("iscomplex", lambda z: [np.iscomplex(z), np.isreal(z), np.iscomplexobj(z), np.isrealobj(z)], (3,), dtypes="dD", moves=False),
    *rows("maximum", lambda x, y: [np.maximum(x, y), np.minimum(x, y), np.fmax(x, y), np.fmin(x, 0.3)], [(3,), (2, 3)]),
]  # fmt: skip

SHAPING = [
    *rows("reshape", lambda x: np.reshape(x, (-1, 3)), (3,), (2, 3), (2, 3, 4)),
    *rows("reshape int", lambda x: np.reshape(x, -1), *ALL),
    *rows("reshape F", lambda x: np.reshape(x, (3, -1), order="F"), (2, 3), (2, 3, 4)),
    *rows("x.reshape", lambda x: [x.reshape(-1), x.reshape(3, -1), x.reshape((1, -1))], (2, 3), (3,)),
    *rows("ravel", lambda x: [np.ravel(x), x.ravel(), x.flatten(), np.ravel(x, "F"), x.flatten("F"), x.flat[0]], *TWO),
    *rows("transpose", lambda x: [np.transpose(x), x.T, x.transpose()], *ALL),
    *rows("transpose axes", lambda x: [np.transpose(x, (1, -1, 0)), x.transpose(2, 0, 1)], (2, 3, 4)),
    *rows("matrix_transpose", lambda x: [np.matrix_transpose(x), x.mT, np.linalg.matrix_transpose(x)], *TWO),
    *rows("swapaxes", lambda x: [np.swapaxes(x, 0, -1), x.swapaxes(-1, -2)], *TWO),
    *rows("moveaxis", lambda x: [np.moveaxis(x, 0, -1), np.moveaxis(x, (0, 1), (-1, 0))], *TWO),
    *rows("rollaxis", lambda x: [np.rollaxis(x, 2), np.rollaxis(x, 0, 3), np.rollaxis(x, 1, 2), np.rollaxis(x, 0, -1)], (2, 3, 4)),
    *rows("atleast", lambda x: [np.atleast_1d(x), np.atleast_2d(x), np.atleast_3d(x)], *ALL),
    *rows("atleast several", lambda x, y: np.atleast_2d(x, y), [(), (3,)]),
    *rows("expand_dims", lambda x: [np.expand_dims(x, 0), np.expand_dims(x, -1), np.expand_dims(x, (0, -1)), x[None]], *ALL),
    *rows("squeeze", lambda x: [np.squeeze(x), x.squeeze(), np.squeeze(x, 0)], (1, 3), (1, 1), (1,), (1, 0, 1)),
    *rows("broadcast_to", lambda x: np.broadcast_to(x, (2, 3)), (), (3,), (2, 1), (1, 3), (2, 3), (1, 1)),
    *rows("broadcast_arrays", lambda x, y: np.broadcast_arrays(x, y), [(3,), (2, 1)], [(), (2, 3)]),
    *rows("broadcast_arrays plain", lambda x: np.broadcast_arrays(x, np.ones((2, 1))), (3,)),
    *rows("meshgrid", lambda x, y, z: np.meshgrid(x, y, z), [(2,), (3,), (4,)], [(), (3,), (1,)]),
    *rows("meshgrid ij", lambda x, y: np.meshgrid(x, y, indexing="ij"), [(2,), (3,)]),
    *rows("meshgrid sparse", lambda x, y: np.meshgrid(x, y, sparse=True), [(2,), (3,)]),
    *rows("copy", lambda x: [np.copy(x), x.copy(), +x], *ALL),
    *rows("shape", lambda x: [np.shape(x), np.ndim(x), np.size(x), x.shape, x.ndim, x.size, x.nbytes, x.itemsize, len(x), np.size(x, 0)], (2, 3), moves=False),
    *rows("astype", lambda x: [x.astype("f8"), np.astype(x, "f8"), x.astype(x.dtype)], *SOME),
    *rows("astype f4", lambda x: [x.astype("f4"), x.astype(np.float16)], (3,), moves=False),
    *rows("astype int", lambda x: [x.astype(int), x.astype(bool)], (3,), moves=False),
    *rows("astype complex", lambda x: x.astype(complex), (3,)),
]  # fmt: skip

JOINING = [
    *rows("concatenate", lambda x, y: np.concatenate([x, y]), [(2,), (3,)], [(0,), (3,)], [(2, 3), (1, 3)]),
    *rows("concatenate axis", lambda x, y: np.concatenate((x, y, x), axis=-1), [(2,), (3,)], [(2, 3), (2, 1)]),
    *rows("concatenate None", lambda x, y: np.concatenate((x, y), axis=None), [(2, 3), (4,)], [(), (2,)]),
    *rows("concatenate mixed", lambda x: np.concatenate([x, [1.0, 2.0], np.float32([3])]), (2,)),
    *rows("concatenate dtype", lambda x: np.concatenate([x, x], dtype=np.float32), (2,), dtypes="f"),
    *rows("stack", lambda x, y: [np.stack([x, y]), np.stack([x, y], -1), np.stack((x, y), axis=1)], [(3,), (3,)], [(2, 3), (2, 3)]),
    *rows("stack scalars", lambda x, y: np.stack([x, y, 1.0]), [(), ()]),
    *rows("stack of array", np.stack, (2, 3)),
    *rows("vstack", lambda x, y: np.vstack([x, y]), [(3,), (3,)], [(2, 3), (3,)], [(), ()]),
    *rows("hstack", lambda x, y: np.hstack([x, y]), [(3,), (2,)], [(2, 3), (2, 1)], [(), (2,)]),
    *rows("dstack", lambda x, y: np.dstack([x, y]), [(3,), (3,)], [(2, 3), (2, 3)]),
    *rows("column_stack", lambda x, y: np.column_stack([x, y]), [(3,), (3,)], [(3,), (3, 2)]),
    *rows("append", lambda x, y: np.append(x, y), [(3,), (2,)], [(2, 3), ()]),
    *rows("append axis", lambda x, y: np.append(x, y, axis=1), [(2, 3), (2, 1)]),
    *rows("append values", lambda x: np.append(x, [1.0, 2.0]), (3,)),
    *rows("block", lambda x, y: np.block([[x, 2 * x], [y, x]]), [(2, 2), (2, 2)]),
    *rows("block vectors", lambda x, y: np.block([x, y, 1.0]), [(2,), (3,)]),
    *rows("split", lambda x: np.split(x, 2), (4,), (2, 3)),
    *rows("split at", lambda x: np.split(x, [1, 3], axis=-1), (4,), (2, 4)),
    *rows("array_split", lambda x: np.array_split(x, 3), (4,), (2, 3), (7,)),
    *rows("hsplit", lambda x: np.hsplit(x, 2), (4,), (2, 4)),
    *rows("vsplit", lambda x: np.vsplit(x, 2), (4, 2)),
    *rows("dsplit", lambda x: np.dsplit(x, [1]), (2, 3, 4)),
    *rows("insert", lambda x: np.insert(x, 1, 5.0), (3,), (2, 3)),
    *rows("insert traced", lambda x, v: np.insert(x, [0, 2], v), [(3,), (2,)], [(3,), ()]),
    *rows("insert axis", lambda x, v: np.insert(x, 1, v, axis=1), [(2, 3), (2,)]),
    *rows("insert slice", lambda x, v: np.insert(x, slice(0, 2), v), [(4,), (2,)]),
    *rows("delete", lambda x: np.delete(x, 1), (3,), (2, 3)),
    *rows("delete several", lambda x: np.delete(x, [0, -1], axis=-1), (3,), (2, 3)),
    *rows("delete slice", lambda x: np.delete(x, slice(None, None, 2), axis=0), (4, 2)),
    *rows("delete mask", lambda x: np.delete(x, np.array([True, False, True])), (3,)),
]  # fmt: skip
if hasattr(np, "unstack"):
    JOINING += rows("unstack", lambda x: [*np.unstack(x), *np.unstack(x, axis=-1)], *SOME)

MOVING = [
    *rows("roll", lambda x: [np.roll(x, 1), np.roll(x, -7)], *ALL),
    *rows("roll axis", lambda x: [np.roll(x, 1, 0), np.roll(x, -1, axis=-1), np.roll(x, (1, 2), (0, 1)), np.roll(x, 1, (0, 1))], *TWO),
    *rows("flip", lambda x: [np.flip(x), x[::-1], np.flip(x, 0)], *SOME),
    *rows("flip two", lambda x: [np.fliplr(x), np.flipud(x), np.flip(x, (0, 1))], *TWO),
    *rows("rot90", lambda x: [np.rot90(x, k) for k in range(-1, 5)], *TWO),
    *rows("rot90 axes", lambda x: np.rot90(x, 1, (2, 0)), (2, 3, 4)),
    *rows("tile", lambda x: [np.tile(x, 2), np.tile(x, (2, 3)), np.tile(x, (1,)), np.tile(x, (2, 1, 1, 2))], *ALL),
    *rows("repeat", lambda x: [np.repeat(x, 2), x.repeat(3)], *ALL),
    *rows("repeat axis", lambda x: [np.repeat(x, 2, axis=0), np.repeat(x, 2, axis=-1)], *SOME),
    *rows("repeat counts", lambda x: np.repeat(x, [2, 0, 1], axis=1), (2, 3), (2, 3, 4)),
    *rows("resize", lambda x: [np.resize(x, (3, 4)), np.resize(x, 2)], (3,), (2, 3)),
    *rows("sliding_window_view", lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), (4,)),
    *rows("tril", lambda x: [np.tril(x), np.tril(x, -1), np.triu(x), np.triu(x, 1), np.triu(x, -1)], (3, 3), (2, 3), (2, 3, 3), (3,)),
    *rows("diag of vector", lambda x: [np.diag(x), np.diag(x, 1), np.diag(x, -2), np.diagflat(x)], (3,), (1,)),
    *rows("diag of matrix", lambda x: [np.diag(x), np.diag(x, 1), np.diag(x, -1), np.diag(x, 9), np.diagflat(x)], (3, 3), (2, 3), (3, 2)),
    *rows("diagonal", lambda x: [np.diagonal(x), x.diagonal(1), np.diagonal(x, -1, 1, 2), np.diagonal(x, 0, -1, 0)], (2, 3, 4)),
    *rows("linalg.diagonal", lambda x: [np.linalg.diagonal(x), np.linalg.trace(x), np.linalg.trace(x, offset=1)], *SQUARE[:2]),
    *rows("trace", lambda x: [np.trace(x), x.trace(1), np.trace(x, offset=-1)], (3, 3), (2, 3), (2, 3, 4)),
    *rows("vander", lambda x: [np.vander(x), np.vander(x, 4, increasing=True), np.vander(x, 1)], (3,)),
    *rows("indices_from", lambda x: [*np.tril_indices_from(x), *np.triu_indices_from(x, 1), *np.diag_indices_from(x)], (3, 3), moves=False),
    *[
        r
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "mean", "median", "minimum")
        for r in rows(f"pad {mode}", lambda x, mode=mode: [np.pad(x, 2, mode), np.pad(x, ((1, 3),) * x.ndim, mode)], (4,), (4, 5))
    ],
    *rows("pad widths", lambda x: [np.pad(x, ((1, 0), (0, 2))), np.pad(x, (1, 2), "edge"), np.pad(x, 0)], (2, 3)),
    *rows("pad values", lambda x: np.pad(x, 1, constant_values=((1.5, 2), (3, 4))), (2, 3)),
    *rows("pad traced value", lambda x, v: np.pad(x, 1, constant_values=v), [(2, 3), ()]),
    *rows("pad ramp ends", lambda x, v: np.pad(x, (2, 3), "linear_ramp", end_values=(1.0, v)), [(3,), ()]),
    *rows("pad odd", lambda x: [np.pad(x, (2, 5), "reflect", reflect_type="odd")], (4,), (3, 4)),
    *rows("pad statistic", lambda x: [np.pad(x, 2, "maximum", stat_length=2), np.pad(x, 2, "mean", stat_length=(1, 3))], (4,), (4, 5)),
]  # fmt: skip

REDUCTIONS = [
    *rows("sum", lambda x: [np.sum(x), x.sum(), np.sum(x, keepdims=True)], *ALL, dtypes="dfD"),
    *rows("sum axis", lambda x: [np.sum(x, axis=0), x.sum(-1), np.sum(x, axis=-1, keepdims=True)], *SOME),
    *rows("sum axes", lambda x: [np.sum(x, axis=(0, -1)), np.sum(x, axis=()), x.sum((1, 0), keepdims=True)], *TWO),
    *rows("sum empty", lambda x: np.sum(x, axis=1), (2, 0, 3)),
    *rows("sum options", lambda x: [np.sum(x, where=MASK), np.sum(x, initial=3.0), np.sum(x, dtype="f8"), np.sum(x, 0, where=MASK)], (2, 3)),
    *rows("sum traced initial", lambda x, y: np.sum(x, axis=0, initial=y), [(2, 3), ()]),
    *rows("prod", lambda x: [np.prod(x), x.prod(0), np.prod(x, -1, keepdims=True)], *SOME),
    *rows("prod where", lambda x: [np.prod(x, where=MASK), np.prod(x, initial=2.0)], (2, 3)),
    *rows("mean", lambda x: [np.mean(x), x.mean(0), np.mean(x, -1, keepdims=True)], *SOME, dtypes="dfD"),
    *rows("mean where", lambda x: [np.mean(x, where=MASK), np.mean(x, 0, where=MASK), np.mean(x, 1, where=MASK, keepdims=True), np.mean(x, dtype="f8")], (2, 3)),
    *rows("var", lambda x: [np.var(x), x.var(0), np.var(x, -1, keepdims=True, ddof=1)], (4,), (2, 3), (2, 3, 4), dtypes="dfD"),
    *rows("var options", lambda x: [np.var(x, where=MASK), np.var(x, axis=1, where=MASK, ddof=1), np.var(x, correction=1), np.var(x, mean=0.5)], (2, 3)),
    *rows("std", lambda x: [np.std(x), x.std(0), np.std(x, -1, keepdims=True, ddof=1)], (4,), (3, 4), dtypes="dfD"),
    *rows("std options", lambda x: [np.std(x, where=MASK), np.std(x, axis=1, where=MASK, ddof=0), np.std(x, correction=1)], (2, 3)),
    *rows("max", lambda x: [np.max(x), x.max(0), np.max(x, -1, keepdims=True), np.amax(x)], *FULL),
    *rows("min", lambda x: [np.min(x), x.min(0), np.min(x, -1, keepdims=True), np.amin(x)], *FULL),
    *rows("max options", lambda x: [np.max(x, initial=0.3), np.max(x, 1, where=MASK, initial=-9.0), np.min(x, initial=-0.3)], (2, 3)),
    *rows("max traced initial", lambda x, y: [np.max(x, initial=y), np.max(x, 0, where=MASK, initial=y)], [(2, 3), ()]),
    *rows("ptp", lambda x: [np.ptp(x), np.ptp(x, 0), np.ptp(x, axis=-1, keepdims=True)], *FULL[1:]),
    *rows("average", lambda x: [np.average(x), np.average(x, axis=0)], *SOME),
    *rows("average weights", lambda x, w: [np.average(x, weights=w), np.average(x, axis=0, weights=w)], [(3,), (3,)], [(2, 3), (2, 3)], low=0.5),
    *rows("average weights axis", lambda x, w: [np.average(x, axis=1, weights=w), *np.average(x, axis=-1, weights=w, returned=True)], [(2, 3), (3,)], low=0.5),
    *rows("average plain weights", lambda x: np.average(x, weights=[1, 2, 3.0]), (3,)),
    *rows("nansum", lambda x: [np.nansum(x), np.nansum(x, 0), np.nanprod(x), np.nanprod(x, -1, keepdims=True)], *SOME, nans=True),
    *rows("nanmean", lambda x: [np.nanmean(x), np.nanmean(x, 0)], (2, 3), (3, 4), nans=True),
    *rows("nanvar", lambda x: [np.nanvar(x), np.nanvar(x, 1), np.nanstd(x), np.nanstd(x, 1, ddof=1, keepdims=True)], (3, 4), nans=True),
    *rows("nanmax", lambda x: [np.nanmax(x), np.nanmax(x, 0), np.nanmin(x), np.nanmin(x, -1, keepdims=True)], (2, 3), (3, 4), nans=True),
    *rows("nanargmax", lambda x: [np.nanargmax(x), np.nanargmax(x, 0), np.nanargmin(x, -1)], (3, 4), nans=True, moves=False),
    *rows("nancumsum", lambda x: [np.nancumsum(x), np.nancumprod(x), np.nancumsum(x, 0)], (4,), (2, 3), nans=True),
    *rows("argmax", lambda x: [np.argmax(x), x.argmax(0), np.argmin(x, -1), np.argmax(x, keepdims=True)], *FULL, moves=False),
    *rows("all any", lambda x: [np.all(x > 0), (x > 0).any(0), np.any(x, -1), np.count_nonzero(x > 0), np.count_nonzero(x, axis=0)], *FULL, moves=False),
    *rows("all where", lambda x: [np.all(x > 0, where=MASK), np.any(x > 0, 0, where=MASK)], (2, 3), moves=False),
]  # fmt: skip

UFUNC_METHODS = [
    *rows("reduce", lambda x: [np.add.reduce(x), np.multiply.reduce(x, -1), np.maximum.reduce(x, axis=None), np.minimum.reduce(x)], *FULL[1:]),
    *rows("logaddexp.reduce", lambda x: [np.logaddexp.reduce(x), np.logaddexp.reduce(x, -1, keepdims=True), np.logaddexp.reduce(x, axis=None)], (4,), (2, 3)),
    *rows("hypot.reduce", lambda x: np.hypot.reduce(x), (4,), (2, 3)),
    *rows("fmax.reduce", lambda x: [np.fmax.reduce(x), np.fmin.reduce(x, 0)], (2, 3), nans=True),
    *rows("subtract.reduce", lambda x: [np.subtract.reduce(x), np.divide.reduce(x, axis=1), np.power.reduce(x, axis=0, keepdims=True)], (2, 3), low=0.5),
    *rows("accumulate", lambda x: [np.add.accumulate(x), np.multiply.accumulate(x, -1)], (4,), (2, 3)),
    *rows("maximum.accumulate", lambda x: [np.maximum.accumulate(x), np.minimum.accumulate(x, -1)], (1,), (5,), (2, 4), (3, 1)),
    *rows("subtract.accumulate", lambda x: np.subtract.accumulate(x, axis=1), (2, 3)),
    *rows("ufunc.outer", lambda x, y: [np.multiply.outer(x, y), np.subtract.outer(y, x)], [(2,), (3,)], [(2, 2), (3,)]),
    *rows("reduceat", lambda x: np.add.reduceat(x, [0, 2, 1]), (4,)),
]  # fmt: skip

RUNNING = [
    *rows("cumsum", lambda x: [np.cumsum(x), x.cumsum(-1)], *SOME, (0,), dtypes="dfD"),
    *rows("cumprod", lambda x: [np.cumprod(x), x.cumprod(0)], (4,), (2, 3)),
    *rows("diff", lambda x: [np.diff(x), np.diff(x, axis=0), np.diff(x, n=2)], (4,), (2, 3), (3, 4)),
    *rows("diff ends", lambda x, y: [np.diff(x, prepend=0.0), np.diff(x, append=y, axis=0)], [(3,), ()], [(2, 3), (1, 3)]),
    *rows("diff short", lambda x: np.diff(x), (1,), (0,), (2, 1)),
    *rows("ediff1d", lambda x: [np.ediff1d(x), np.ediff1d(x, to_end=[1.0, 2.0]), np.ediff1d(x, to_begin=-1.0)], (4,), (2, 3)),
    *rows("gradient", lambda x: [np.gradient(x), np.gradient(x, 0.5), np.gradient(x, edge_order=2)], (5,)),
    *rows("gradient spacing", lambda x, y: [np.gradient(x, y[0]), np.gradient(x, np.cumsum(y * y)), np.gradient(x, np.cumsum(y * y), edge_order=2)], [(5,), (5,)], low=0.5),
    *rows("gradient axes", lambda x: [*np.gradient(x), np.gradient(x, axis=-1), *np.gradient(x, 0.5, 2.0)], (3, 4)),
    *rows("trapezoid", lambda x: [np.trapezoid(x), np.trapezoid(x, dx=0.5, axis=0)], (4,), (2, 3)),
    *rows("trapezoid x", lambda x, t: [np.trapezoid(x, t), np.trapezoid(x, t * t, axis=-1)], [(4,), (4,)], [(2, 3), (3,)]),
    *rows("unwrap", lambda x: [np.unwrap(3 * x), np.unwrap(4 * x, axis=0), np.unwrap(3 * x, period=2.5)], (7,), (3, 4)),
]  # fmt: skip
if hasattr(np, "cumulative_sum"):
    RUNNING += [
        *rows(
            "cumulative_sum",
            lambda x: [np.cumulative_sum(x, axis=-1), np.cumulative_prod(x, axis=0)],
            (4,),
            (2, 3),
        ),
        *rows(
            "cumulative initial",
            lambda x: np.cumulative_sum(x, axis=0, include_initial=True),
            (4,),
            (2, 3),
        ),
    ]

METHODS = ("linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull", "median_unbiased", "inverted_cdf",
           "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "normal_unbiased")  # fmt: skip
ORDERING = [
    *rows("sort", lambda x: [np.sort(x), np.sort(x, axis=0), np.sort(x, axis=None)], (4,), (2, 3), (2, 3, 4)),
    *rows("argsort", lambda x: [np.argsort(x), x.argsort(0), np.argsort(x, axis=None)], (4,), (2, 3), moves=False),
    *rows("partition", lambda x: np.partition(x, 1)[..., 1], (4,), (2, 3)),
    *rows("lexsort", lambda x, y: np.lexsort((np.round(x), y)), [(5,), (5,)], moves=False),
    *rows("median", lambda x: [np.median(x), np.median(x, 0), np.median(x, -1, keepdims=True)], *FULL),
    *rows("median axes", lambda x: np.median(x, axis=(0, 2)), (2, 3, 4)),
    *rows("median nan", lambda x: [np.median(x), np.median(x, axis=1)], (2, 3), nans=True, moves=False),
    *rows("quantile", lambda x: [np.quantile(x, 0.3), np.quantile(x, [0.1, 0.8]), np.quantile(x, 0.9, axis=0, keepdims=True)], (5,), (4, 3)),
    *rows("quantile ends", lambda x: [np.quantile(x, 0), np.quantile(x, 1), np.quantile(x, [[0.25], [0.75]], axis=-1)], (5,), (4, 3)),
    *[
        r for m in METHODS for r in rows(f"quantile {m}", lambda x, m=m: np.quantile(x, [0.13, 0.5, 0.87], method=m), (7,), (6,))
    ],
    *rows("quantile traced", lambda x, q: np.quantile(x, q), [(7,), ()], [(7,), (2,)], low=0.05, high=0.95),
    *rows("percentile", lambda x: [np.percentile(x, 30), np.percentile(x, [10, 55.5], axis=0)], (5,), (4, 3)),
    *rows("nanmedian", lambda x: [np.nanmedian(x), np.nanmedian(x, 0), np.nanmedian(x, axis=-1, keepdims=True)], (2, 3), (4, 3), nans=True),
    *rows("nanquantile", lambda x: [np.nanquantile(x, 0.3), np.nanpercentile(x, [20, 70], axis=0)], (4, 3), nans=True),
    *rows("searchsorted", lambda x: [np.searchsorted([-1.0, 0.0, 1.0], x), np.searchsorted(np.sort(x.ravel()), 0.1, side="right")], (3,), (2, 3), moves=False),
    *rows("digitize", lambda x: [np.digitize(x, [-1.0, 0.0, 1.0]), np.digitize(x, [1.0, 0.0, -1.0], right=True)], (3,), moves=False),
    *rows("bincount", lambda w: np.bincount([0, 2, 2], w, 5), (3,), dtypes="d"),
    *rows("unique", lambda x: [np.unique(x), *np.unique(x, True, True, True)], (4,), (2, 3)),
    *rows("unique ties", lambda x: np.unique_values(np.concatenate([x, x])), (4,)),
    *rows("sets", lambda x: [np.union1d(x, [9.0]), np.intersect1d(x, x[:2]), np.setdiff1d(x, x[1:2]), np.setxor1d(x, x[:1])], (4,)),
    *rows("isin", lambda x: np.isin(x, x[:2]), (4,), moves=False),
]  # fmt: skip

PRODUCTS = [
    *rows("matmul", lambda a, b: [a @ b, np.matmul(a, b)], [(2, 3), (3, 2)], [(3,), (3,)], [(3,), (3, 2)], [(2, 3), (3,)], [(4, 2, 3), (4, 3, 2)], dtypes="dfD"),
    *rows("matmul stacks", lambda a, b: a @ b, [(4, 2, 3), (3,)], [(4, 2, 3), (3, 2)], [(2, 3), (4, 3, 2)], [(3,), (4, 3, 2)],
          [(4, 1, 2, 3), (5, 3, 2)], [(1, 2, 3), (4, 3, 2)], [(2, 0), (0, 3)]),
    *rows("matmul plain", lambda a: [a @ np.ones((3, 2)), np.ones((2, 2)) @ a, a @ np.arange(3)], (2, 3)),
    *rows("dot", lambda a, b: [np.dot(a, b), a.dot(b)], [(3,), (3,)], [(2, 3), (3,)], [(2, 3), (3, 4)], [(2,), ()], [(2, 3), ()], [(4, 3), (2, 3, 2)], [(2, 4, 3), (3,)]),
    *rows("vdot", np.vdot, [(3,), (3,)], [(2, 3), (3, 2)], dtypes="dfD"),
    *rows("inner", np.inner, [(3,), (3,)], [(2, 3), (4, 3)], [(), (2,)], [(2, 3), (2, 4, 3)]),
    *rows("outer", np.outer, [(2,), (3,)], [(2, 2), (3,)], [(), (3,)], [(1,), (3,)]),
    *rows("kron", np.kron, [(2,), (3,)], [(2, 2), (2, 3)], [(3,), (2, 2)], [(), (2,)]),
    *rows("cross", np.cross, [(3,), (3,)], [(2, 3), (3,)], [(2, 3), (2, 3)]),
    *rows("cross axis", lambda a, b: np.cross(a, b, axis=0), [(3, 2), (3, 2)]),
    *rows("linalg.cross", lambda a, b: np.linalg.cross(a, b), [(2, 3), (2, 3)]),
    *rows("tensordot", lambda a, b: [np.tensordot(a, b), np.tensordot(a, b, 1), np.tensordot(a, b, axes=([0], [1])), np.tensordot(a, b, 0)], [(3, 3), (3, 3)]),
    *rows("tensordot axes", lambda a, b: [np.tensordot(a, b, ((2, 0), (0, -1))), np.tensordot(a, b, (1, 1))], [(2, 3, 4), (4, 3, 2)]),
    *rows("multi_dot", lambda a, b, c: np.linalg.multi_dot([a, b, c]), [(2, 3), (3, 4), (4, 2)], [(3,), (3, 4), (4,)], [(5, 1), (1, 4), (4, 2)]),
    *rows("matrix_power", lambda a: [np.linalg.matrix_power(a, n) for n in (-2, -1, 0, 1, 2, 3, 5)], (3, 3), (2, 2, 2), dtypes="d"),
    *rows("linalg.outer", lambda a, b: [np.linalg.outer(a, b), np.linalg.tensordot(a, b, axes=1), np.linalg.vecdot(a, b), np.linalg.matmul(a, b)], [(3,), (3,)]),
    *rows("vecdot", np.vecdot, [(3,), (3,)], [(2, 3), (3,)], dtypes="dfD"),
]  # fmt: skip
if hasattr(np, "matvec"):
    PRODUCTS += [
        *rows("matvec", np.matvec, [(2, 3), (3,)], [(4, 2, 3), (3,)]),
        *rows("vecmat", np.vecmat, [(3,), (3, 2)], [(4, 3), (3, 2)], dtypes="dfD"),
    ]

_SPECS: list[tuple[str, list[Shape]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ij,j->i", [(2, 3), (3,)]), ("i,i->", [(3,), (3,)]),
    ("i,j->ij", [(2,), (3,)]), ("ij->ji", [(2, 3)]), ("ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ij->i", [(2, 3)]),
    ("ii->i", [(3, 3)]), ("ii", [(3, 3)]), ("iij->j", [(3, 3, 2)]), ("ijij->ji", [(2, 3, 2, 3)]), ("iii->i", [(2, 2, 2)]),
    ("bij,bjk->bik", [(4, 2, 3), (4, 3, 2)]), ("bij,jk->bik", [(4, 2, 3), (3, 2)]), ("bi,bi->b", [(4, 3), (4, 3)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]), ("ij,kl->il", [(2, 3), (4, 2)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
    ("i,j,k->ijk", [(2,), (3,), (2,)]), ("ij,ik,il->jkl", [(2, 3), (2, 2), (2, 4)]), ("i,i,i->", [(3,), (3,), (3,)]),
    ("...ij,...jk->...ik", [(4, 2, 3), (3, 2)]), ("...i->...", [(2, 3)]), ("i...,i...", [(3, 2), (3, 2)]), ("...,...", [(3,), ()]),
    ("...ij,...j", [(1, 2, 3), (4, 3)]), ("ij,jk->", [(2, 3), (3, 4)]), ("abc,cd,ae->dbe", [(2, 3, 4), (4, 2), (2, 3)]),
    ("i,ij,j->", [(3,), (3, 4), (4,)]), ("ii,jj->ij", [(2, 2), (3, 3)]), (",i->i", [(), (3,)]), ("ij,ij->j", [(1, 3), (2, 3)]),
    ("ij,jk,kl,lm->im", [(2, 3), (3, 2), (2, 4), (4, 2)]), ("i->i", [(3,)]), ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
]  # fmt: skip
EINSUM = [
    r
    for spec, shapes in _SPECS
    for r in rows(f"einsum {spec}", lambda *xs, spec=spec: np.einsum(spec, *xs), shapes)
]
EINSUM += [
    *rows("einsum lists", lambda x, y: [np.einsum(x, [0, 1], y, [1, 2], [2, 0]), np.einsum(x, [0, 1], y, [1, 2])], [(2, 3), (3, 4)]),
    *rows("einsum list ellipsis", lambda x: np.einsum(x, [Ellipsis, 0], [0, Ellipsis]), (2, 3)),
    *rows("einsum plain", lambda x: np.einsum("ij,jk,k->i", np.ones((2, 3)), x, np.arange(4)), (3, 4)),
    *rows("einsum optimize", lambda x, y: np.einsum("ij,jk,ik->", x, y, x @ y, optimize=True), [(2, 3), (3, 4)]),
]  # fmt: skip

LINALG = [
    *rows("solve", np.linalg.solve, [(3, 3), (3,)], [(3, 3), (3, 2)], [(2, 3, 3), (2, 3, 4)], [(2, 3, 3), (3, 2)], [(3, 3), (2, 3, 1)], [(1, 1), (1,)]),
    *rows("solve vector for a stack", lambda a, b: np.linalg.solve(a, b), [(2, 3, 3), (3,)]),
    *rows("inv", np.linalg.inv, *SQUARE, dtypes="dfD"),
    *rows("det", np.linalg.det, *SQUARE, dtypes="dfD"),
    *rows("slogdet", lambda a: [*np.linalg.slogdet(a), np.linalg.slogdet(a).logabsdet], *SQUARE, dtypes="dfD"),
    *rows("cholesky", lambda a: np.linalg.cholesky(spd(a)), *SQUARE, dtypes="dfD"),
    *rows("cholesky upper", lambda a: np.linalg.cholesky(spd(a), upper=True), (3, 3)),
    *rows("pinv", np.linalg.pinv, (3, 2), (2, 3), (2, 4, 2), (3, 3), dtypes="dfD"),
    *rows("lstsq", lambda a, b: [np.linalg.lstsq(a, b)[k] for k in (0, 1, 3)], [(4, 2), (4,)], [(4, 2), (4, 3)], [(3, 3), (3,)]),
    *rows("norm", lambda x: [np.linalg.norm(x), np.linalg.norm(x, axis=0), np.linalg.norm(x, axis=-1, keepdims=True), np.linalg.norm(x, keepdims=True)], (3,), (2, 3), dtypes="dfD"),
    *rows("norm ord", lambda x: [np.linalg.norm(x, p) for p in (1, 2, 3, 2.5, np.inf, -np.inf, -1, 0.5)], (4,)),
    *rows("norm axis ord", lambda x: [np.linalg.norm(x, p, axis=1) for p in (1, 2, 3, np.inf, -np.inf, 0)], (2, 3)),
    *rows("matrix norm", lambda x: [np.linalg.norm(x, p) for p in ("fro", 1, -1, np.inf, -np.inf, 2, -2, "nuc")], (2, 3), (3, 3)),
    *rows("matrix norm axes", lambda x: [np.linalg.norm(x, p, axis=a) for p in (None, 1, np.inf, 2) for a in ((0, 1), (2, 0))], (2, 3, 4)),
    *rows("vector_norm", lambda x: [np.linalg.vector_norm(x), np.linalg.vector_norm(x, axis=-1, keepdims=True), np.linalg.matrix_norm(x)], (2, 3)),
    *rows("eigvalsh", lambda a: [np.linalg.eigvalsh(a), np.linalg.eigvalsh(a, "U"), np.linalg.eigh(a)[0]], *SQUARE, dtypes="dfD"),
    *rows("eigh", lambda a: np.abs(np.linalg.eigh(a)[1]) ** 2, *SQUARE, dtypes="dfD"),
    *rows("svd values", lambda a: [np.linalg.svd(a, compute_uv=False), np.linalg.svdvals(a)], (3, 2), (2, 3), (2, 3, 3)),
    *rows("svd", lambda a: [np.abs(x) for x in np.linalg.svd(a, full_matrices=False)], (3, 2), (2, 3), (3, 3), (2, 4, 2), dtypes="dfD"),
    *rows("qr", lambda a: [*np.linalg.qr(a), np.linalg.qr(a, "r")], (3, 2), (3, 3), (2, 3), (2, 4, 2), dtypes="dfD"),
    *rows("cond", lambda a: [np.linalg.cond(a), np.linalg.cond(a, 1), np.linalg.cond(a, "fro"), np.linalg.cond(a, -2)], (3, 3)),
    *rows("matrix_rank", lambda a: [np.linalg.matrix_rank(a), np.linalg.matrix_rank(a, tol=0.1)], (3, 3), (2, 3, 2), moves=False),
    *rows("tensorsolve", lambda a, b: np.linalg.tensorsolve(a, b), [(2, 3, 6), (2, 3)]),
    *rows("tensorinv", lambda a: np.linalg.tensorinv(a, ind=1), (6, 2, 3)),
]  # fmt: skip

SIGNALS = [
    *rows("interp", lambda x: np.interp(x, [-1.0, 0.0, 0.5, 1.5], [3.0, 1.0, -2.0, 0.0]), (5,), (2, 3)),
    *rows("interp all", lambda x, xp, fp: np.interp(x, np.cumsum(xp * xp) - 2, fp, left=0.5), [(5,), (4,), (4,)]),
    *rows("interp period", lambda x, xp: np.interp(x, xp, np.sin(xp), period=1.7), [(5,), (4,)]),
    *rows("convolve", lambda a, b: [np.convolve(a, b, m) for m in ("full", "same", "valid")], [(5,), (3,)], [(3,), (5,)], [(4,), (4,)], [(1,), (3,)], [(6,), (2,)]),
    *rows("correlate", lambda a, b: [np.correlate(a, b, m) for m in ("full", "same", "valid")], [(5,), (3,)], [(3,), (5,)], [(3,), (6,)], [(4,), (4,)], dtypes="dfD"),
    *rows("polyval", np.polyval, [(4,), ()], [(4,), (3,)], [(1,), (2, 3)]),
    *rows("polynomials", lambda p, q: [np.polyadd(p, q), np.polysub(p, q), np.polymul(p, q), np.polyder(p), np.polyder(p, 2), np.polyint(p), np.polyint(p, 2, [1.0, 2.0])], [(4,), (2,)]),
    *rows("polyfit", lambda x, y: np.polyfit(x, y, 2), [(6,), (6,)], dtypes="d"),
    *rows("polyfit weights", lambda x, y, w: np.polyfit(x, y, 1, w=w), [(5,), (5, 2), (5,)], dtypes="d", low=0.5),
    *rows("poly", np.poly, (3,)),
    *rows("cov", lambda x: [np.cov(x), np.cov(x, ddof=0), np.cov(x, rowvar=False), np.cov(x, bias=True)], (3, 5), dtypes="dD"),
    *rows("cov vectors", lambda x, y: [np.cov(x), np.cov(x, y)], [(5,), (5,)]),
    *rows("cov weights", lambda x: [np.cov(x, fweights=[1, 2, 1, 3]), np.cov(x, aweights=[0.5, 1.0, 2.0, 0.7])], (2, 4)),
    *rows("corrcoef", lambda x: [np.corrcoef(x), np.corrcoef(x[0], x[1])], (3, 5)),
]  # fmt: skip

CREATION = [
    *rows("likes", lambda x: [np.zeros_like(x), np.ones_like(x), np.full_like(x, 3), np.zeros_like(x, shape=(2,), dtype=int)], *SOME, moves=False),
    *rows("full_like", lambda x, v: np.full_like(x, v), [(2, 3), ()]),
    *rows("linspace", lambda a, b: [np.linspace(a, b, 5), np.linspace(0, b, 4, endpoint=False), np.linspace(a, 1, 3, retstep=True)[1], np.linspace(a, b, 1)], [(), ()]),
    *rows("linspace arrays", lambda a, b: [np.linspace(a, b, 4), np.linspace(a, b, 3, axis=-1)], [(2,), (2,)], [(2, 1), (3,)]),
    *rows("logspace", lambda a, b: [np.logspace(a, b, 4), np.logspace(a, b, 3, base=2.0)], [(), ()]),
    *rows("geomspace", lambda a, b: [np.geomspace(a, b, 4), np.geomspace(a, 2.5, 3, endpoint=False)], [(), ()], low=0.5),
    *rows("apply_along_axis", lambda x: [np.apply_along_axis(np.sum, 0, x), np.apply_along_axis(lambda r: r / r[0], 1, x)], (2, 3)),
    *rows("apply_over_axes", lambda x: np.apply_over_axes(np.sum, x, [0, 2]), (2, 3, 4)),
    *rows("result_type", lambda x: [str(np.result_type(x, np.float32)), str(np.result_type(x, 1.0)), str(np.common_type(x)), np.can_cast(x.dtype, "f8")], (3,), moves=False),
]  # fmt: skip

TABLES = {
    "selection": SELECTION, "shaping": SHAPING, "joining": JOINING, "moving": MOVING, "reductions": REDUCTIONS,
    "ufunc methods": UFUNC_METHODS, "running": RUNNING, "ordering": ORDERING, "products": PRODUCTS, "einsum": EINSUM,
    "linalg": LINALG, "signals": SIGNALS, "creation": CREATION,
}  # fmt: skip
ROWS = [row for table in TABLES.values() for row in table]
