"""Where eigenvalues or singular values repeat: exact slopes of what does not depend on the basis.

Vectors of a repeated value are any basis of their space, and LAPACK's choice jumps with its argument:
what depends on it has no slope. What does not is a smooth function of the matrix. Its slope G inside
of a block of equal values is not told by the cotangents of one basis, which give the diagonal of G
alone; but the same program, run again from bases turned by ±45° in planes of the block, gives the
diagonal there, hence all of G. The mean of both turns is right to second order in a gap, so that it
may be differentiated once more; further orders are refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.errors import DegenerateError, TrustWarning
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Handle
from wengert.ir.program import Eqn, Program
from wengert.ops.linalg import inv, transposed
from wengert.ops.spectral import as_diagonal, defective, repeated, svd
from wengert.transforms.vjp import vjp

_NEAR = 1e-8  # relative gap under which digits of the slope are lost, and somebody should know


def settled(builder: Any, targets: Sequence[Any], gs: Sequence[Any], entry: Any, given: Any) -> Any:
    """Cotangents of an equation whose results are fixed up to a basis; None where its own rule will do.

    Raises DegenerateError where what comes back depends on the basis.
    """
    if any(_number(y) is None for y in entry[7]):
        return None  # a trace on types alone: the rules give nan where values repeat
    if any(g is not None and np.isnan(_number(g)).any() for g in given):
        return None  # born elsewhere
    token = source.current.set(entry[4])
    try:
        rule = _RULES[entry[0].name]
        return rule(entry, given, lambda: _Rest(builder, targets, gs, entry))
    finally:
        source.current.reset(token)


def _number(x: Any) -> Any:
    return x.number() if isinstance(x, Handle) else x


def _depth(x: Any) -> int:
    """How many traces a value is nested in."""
    depth = 0
    while isinstance(x, Handle):
        depth, x = depth + 1, x.value  # type: ignore[attr-defined]
    return depth


class _Rest:
    """What the program makes of an equation's results: their cotangents, for any results."""

    def __init__(self, builder: Any, targets: Sequence[Any], gs: Sequence[Any], entry: Any) -> None:
        self.entry = entry
        arguments = getattr(builder, "given", None)
        if arguments is None:
            raise _refused(
                entry, "and this is asked of a tape", "ask wg.grad or wg.vjp of a function"
            )
        outputs = entry[3]
        captured = [(v, x) for v, x in builder.captured]
        inputs = [*outputs, *builder.inputs, *(v for v, _ in captured)]
        eqns = [
            Eqn(prim, ins, params, outs)
            for prim, ins, params, outs, *_ in builder.entries
            if outs is not outputs
        ]
        program = Program(inputs, eqns, targets)
        moving = [True] * len(outputs) + [False] * (len(inputs) - len(outputs))
        self.back, self.skip = vjp(program, moving), len(program.outputs)
        weights = [g for g, v in zip(gs, targets, strict=True) if v.type.inexact]
        # derivatives of derivatives may be nothing but rounding, of numbers of about this size
        nested = max(map(_depth, entry[7])) > 0
        self.noise = nested * 1e-12 * max(np.max(np.abs(_number(g)), initial=0) for g in weights)
        self.values = [*arguments, *(x for _, x in captured), *weights]

    def __call__(self, *results: Any) -> list[Any]:
        """Cotangents of these results."""
        return evaluate(self.back, [*results, *self.values])[self.skip :]


# ---- what is checked ---------------------------------------------------------------------------------


def _refused(entry: Any, why: str, way_out: str) -> DegenerateError:
    return DegenerateError(f"{entry[0].name}: {why}", way_out, str(source.resolve(entry[4]) or ""))


_WAY_OUT = (
    "use what no choice of basis changes (the values alone, v @ f(w) @ v.T, the projector on the whole space), "
    "or part the values, e.g. a + 1e-6 * np.diag(np.arange(n))"
)


def _depends(entry: Any, w: Any, at: tuple[int, ...]) -> DegenerateError:
    *stack, i, j = at
    row = w[tuple(stack)]
    eigen = entry[0].name in ("eigh", "eig")
    name, letter = ("eigenvalues", "λ") if eigen else ("singular values", "σ")
    i, j = sorted((int(i), int(j)))
    return _refused(
        entry,
        f"the derivative depends on the basis that was chosen for the vectors of equal {name} "
        f"({letter}{i} = {row[i]:.17g} and {letter}{j} = {row[j]:.17g}, gap {abs(row[i] - row[j]):.3g}); there is none",
        _WAY_OUT,
    )


def _compatible(entry: Any, w: Any, m: Any, pairs: Any, size: float, noise: float = 0.0) -> None:
    """Raise if turning the basis inside of a block changes the result: m is not Hermitian there."""
    off = np.abs(m - np.conj(transposed(m)))
    bad = pairs & ~(off <= 1e-7 * size + noise)
    if bad.any():
        raise _depends(entry, w, tuple(np.argwhere(bad)[0]))


def _phases(entry: Any, m: Any, g: Any) -> None:
    """Raise if the phase of a complex vector counts, which LAPACK leaves free."""
    off = np.abs(np.imag(np.diagonal(m, axis1=-2, axis2=-1)))
    if m.dtype.kind == "c" and np.any(off > 1e-7 * np.max(np.abs(g), initial=1e-300)):
        raise _refused(
            entry,
            "the derivative depends on the phase of a complex vector, which LAPACK leaves free; there is none",
            "use what no phase changes: absolute values, v @ f(w) @ v.conj().T",
        )


def _alert(entry: Any, w: Any) -> None:
    """Say so where values are so near to each other that slopes of vectors lose their digits."""
    size = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    gap = np.abs(w[..., None, :] - w[..., :, None]) / np.where(size == 0, 1, size)
    near = (gap < _NEAR) & ~repeated(w)
    if near.any():
        *_, i, j = np.argwhere(near)[0]
        warnings.warn(
            f"{entry[0].name}: values {i} and {j} differ by {gap[near].min():.1e} of the largest, so slopes of their "
            f"vectors are good to about {2.2e-16 / gap[near].min():.0e} ({source.resolve(entry[4])})",
            TrustWarning,
            stacklevel=2,
        )


def _shallow(entry: Any, ys: Any) -> None:
    if max(map(_depth, ys)) > 1:
        raise _refused(
            entry,
            "a third derivative at repeated values; the first two are exact, this one is not known here",
            "part the values, e.g. a + 1e-6 * np.diag(np.arange(n))",
        )


# ---- turning bases ------------------------------------------------------------------------------------


def _rounds(n: int) -> list[list[tuple[int, int]]]:
    """Every pair of n, in rounds of disjoint pairs."""
    ring = list(range(n + n % 2))
    found = []
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        pairs = zip(ring[:half], reversed(ring[half:]), strict=True)
        found.append([(min(p), max(p)) for p in pairs if max(p) < n])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return found


def _block(
    entry: Any, w: Any, pairs: Any, gw: Any, turned: Callable[[Any], Any], size: float, noise: float
) -> Any:
    """G between the vectors of equal values; `turned(q)` gives the values' cotangents in a turned basis."""
    n = w.shape[-1]
    h = np.sqrt(0.5)
    total: Any = 0.0
    for pairing in _rounds(n):
        if not any(pairs[..., i, j].any() for i, j in pairing):
            continue
        for sign in (1.0, -1.0):
            q = np.broadcast_to(np.eye(n, dtype=w.dtype), pairs.shape).copy()
            for i, j in pairing:
                use = pairs[..., i, j]
                q[use, i, i] = q[use, j, j] = h
                q[use, j, i], q[use, i, j] = sign * h, -sign * h
            g = turned(q)
            _same_sums(entry, w, pairs, pairing, (_number(g), _number(gw)), size, noise)
            for i, j in pairing:
                place = np.zeros((n, n), w.dtype)
                place[i, j] = place[j, i] = 0.25 * sign
                weight = pairs[..., i, j, None, None] * place
                total = total + weight * (g[..., i] - g[..., j])[..., None, None]
    return total


def _same_sums(
    entry: Any, w: Any, pairs: Any, pairing: Any, both: tuple[Any, Any], size: float, noise: float
) -> None:
    """The trace of G in a plane is the same in every basis, if nothing depends on the basis."""
    g, gw = both
    size = max(np.max(np.abs(g), initial=0), np.max(np.abs(gw), initial=0), size)
    for i, j in pairing:
        off = np.abs(g[..., i] + g[..., j] - gw[..., i] - gw[..., j])
        bad = pairs[..., i, j] & ~(off <= 1e-7 * size + noise)
        if bad.any():
            raise _depends(entry, w, (*np.argwhere(bad)[0], i, j))


# ---- the rules --------------------------------------------------------------------------------------------


def _off(same: Any) -> Any:
    return same & ~np.eye(same.shape[-1], dtype=bool)


def _eigh(entry: Any, given: Any, rest: Callable[[], _Rest]) -> Any:
    (gw, gv), (w, v) = given, entry[7]
    if gv is None:
        return None
    number, g = _number(w), _number(gv)
    m = np.matmul(transposed(_number(v)), g)
    pairs = _off(repeated(number))
    _phases(entry, m, g)
    if not pairs.any():
        return _alert(entry, number)
    if v.dtype.kind == "c":
        raise _complex(entry)
    _shallow(entry, (w, v))
    again = rest()
    size = float(np.max(np.abs(g), initial=0))
    _compatible(entry, number, m, pairs, size, again.noise)

    def turned(q: Any) -> Any:
        basis = np.matmul(v, q)
        gw, gv = again(w, basis)
        m = np.matmul(transposed(_number(basis)), _number(gv))
        _compatible(entry, number, m, pairs, size, again.noise)
        return gw

    gw = np.zeros_like(number) if gw is None else gw
    scale = size / max(np.max(np.abs(number)), 1e-300)
    block = _block(entry, number, pairs, gw, turned, scale, again.noise)
    inner = as_diagonal(gw) + np.matmul(transposed(v), gv) * _parted(w, pairs) + block
    return (entry[0].outer(inner, v),)


def _eig(entry: Any, given: Any, rest: Callable[[], _Rest]) -> Any:
    (_, gv), (w, v) = given, map(_number, entry[7])
    pairs = _off(repeated(w))
    if pairs.any():
        if gv is not None:
            raise _depends(entry, w, tuple(np.argwhere(pairs)[0]))
        if np.any(defective(w, v, inv.eval(v, lenient=True))):
            raise _refused(
                entry,
                "a matrix without a basis of eigenvectors: its repeated eigenvalues move like a root, with an infinite slope",
                "use functions of the matrix itself (np.trace(a @ a), scipy.linalg.expm), whose slopes are known there",
            )
    return _alert(entry, w)


def _parted(w: Any, pairs: Any) -> Any:
    """1 / (wⱼ - wᵢ) where values differ, else 0."""
    none = pairs | np.eye(pairs.shape[-1], dtype=bool)
    gap = w[..., None, :] - w[..., :, None]
    return np.where(none, 0, 1 / np.where(none, 1, gap))


def _complex(entry: Any) -> DegenerateError:
    return _refused(
        entry,
        "complex vectors of repeated values; their slopes are known here for real matrices",
        "use the values alone, or part them, e.g. a + 1e-6 * np.diag(np.arange(n))",
    )


def _svd(entry: Any, given: Any, rest: Callable[[], _Rest]) -> Any:
    return _thin(entry, given, entry[7], rest, False)


def _turned(entry: Any, again: _Rest, q: Any) -> tuple[Any, Any]:
    """Cotangents of the values in a turned basis, and of turning it further."""
    u, s, vh = entry[7]
    k = s.shape[-1]
    first, last = np.matmul(u[..., :k], q), np.matmul(transposed(q), vh[..., :k, :])
    wide = u.shape[-1] > k, vh.shape[-2] > k
    gu, gs, gvh = again(
        np.concatenate([first, u[..., k:]], -1) if wide[0] else first,
        s,
        np.concatenate([last, vh[..., k:, :]], -2) if wide[1] else last,
    )
    gu, gvh = _number(gu)[..., :k], _number(gvh)[..., :k, :]
    return gs, np.matmul(transposed(_number(first)), gu) + np.matmul(_number(last), transposed(gvh))


def _full_svd(entry: Any, given: Any, rest: Callable[[], _Rest]) -> Any:
    (gu, gs, gvh), (u, s, vh) = given, entry[7]
    k = s.shape[-1]
    first, last = u[..., :k], vh[..., :k, :]
    if gu is not None:
        gu = _without_rest(entry, gu[..., :k], gu[..., k:], first, u[..., k:])
    if gvh is not None:
        gv = transposed(gvh)
        gv = _without_rest(
            entry, gv[..., :k], gv[..., k:], transposed(last), transposed(vh[..., k:, :])
        )
        gvh = transposed(gv)
    if u.dtype.kind == "c" and not (gu is None and gvh is None):
        return None
    return _thin(entry, (gu, gs, gvh), (first, s, last), rest, True)


def _without_rest(entry: Any, g: Any, g_rest: Any, q: Any, rest: Any) -> Any:
    """The cotangent of a basis together with that of its complement, which turns with it."""
    m = _number(np.matmul(transposed(rest), g_rest))
    size = np.max(np.abs(_number(g_rest)), initial=0)
    if np.any(np.abs(m - np.conj(transposed(m))) > 1e-7 * (size + 1e-300)):
        raise _refused(
            entry,
            "the derivative depends on the basis that was chosen for the added columns; there is none",
            "use the projector on all of them, q2 @ q2.T, or leave them out (full_matrices=False, mode='reduced')",
        )
    return g - np.matmul(rest, np.matmul(transposed(g_rest), q))


def _full_qr(entry: Any, given: Any, rest: Callable[[], _Rest]) -> Any:
    (gq, _), (q, r) = given, entry[7]
    if gq is not None:
        n = r.shape[-1]
        _without_rest(entry, gq[..., :n], gq[..., n:], q[..., :n], q[..., n:])
    return None


def _thin(entry: Any, given: Any, results: Any, rest: Callable[[], _Rest], full: bool) -> Any:
    """Cotangents of a singular value decomposition; its own rule (None) for complex numbers."""
    (gu, gs, gvh), (u, s, vh) = given, results
    if gu is None and gvh is None:
        return svd.pullback(given, (None,), results, (True,)) if full else None
    number = _number(s)
    v = transposed(vh)
    zero = np.zeros_like(number)
    mu = 0 * s[..., None, :] * s[..., :, None] if gu is None else np.matmul(transposed(u), gu)
    mv = 0 * mu if gvh is None else np.matmul(transposed(v), transposed(gvh))
    pairs = _off(repeated(number))
    g = [_number(x) for x in (gu, gvh) if x is not None]
    size = float(max(np.max(np.abs(x), initial=0) for x in g))
    if u.dtype.kind == "c":
        _phases(entry, _number(mu + np.conjugate(mv)), np.array([size]))
        if pairs.any():
            raise _complex(entry)
        return _alert(entry, number)
    if np.any(number <= 8 * number.shape[-1] * np.finfo(s.dtype).eps * np.max(number, initial=0)):
        if size > 0:
            raise _refused(
                entry,
                "a matrix of lower rank: the vectors of a singular value that is 0 are any basis, of any sign",
                "use np.linalg.pinv or np.linalg.lstsq, whose slopes are known there, or the values alone",
            )
    elif not pairs.any():
        _alert(entry, number)
    gs = zero if gs is None else gs
    block: Any = 0.0
    if pairs.any():
        _shallow(entry, results)
        again = rest()
        _compatible(entry, number, _number(mu + mv), pairs, size, again.noise)

        def turned(q: Any) -> Any:
            g, m = _turned(entry, again, q)
            _compatible(entry, number, m, pairs, size, again.noise)
            return g

        block = _block(entry, number, pairs, gs, turned, size / np.max(number), again.noise)
    near = 0.5 * (mu + mv - transposed(mu + mv)) * _parted(s, pairs)
    sums = s[..., None, :] + s[..., :, None]
    far = 0.5 * (mu - mv - transposed(mu - mv)) / np.where(sums == 0, 1, sums)
    y = np.matmul(np.matmul(u, as_diagonal(gs) + near + far + block), vh)
    k = s.shape[-1]
    if gu is not None and u.shape[-2] > k:
        y = y + np.matmul((gu - np.matmul(u, mu)) / s[..., None, :], vh)
    if gvh is not None and v.shape[-2] > k:
        gv = transposed(gvh)
        y = y + np.matmul(u, transposed((gv - np.matmul(v, mv)) / s[..., None, :]))
    return (y,)


_RULES = {"eigh": _eigh, "eig": _eig, "svd": _svd, "full_svd": _full_svd, "full_qr": _full_qr}
