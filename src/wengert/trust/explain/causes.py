"""Causes: the class of what an equation did, told from its numbers, computed and exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ir.program import Const, Eqn
from wengert.trust.explain.evidence import At, Birth, Evidence, result, within

OVERFLOW, UNDERFLOW = "overflow", "underflow"
INF_TIMES_ZERO, ZERO_BY_ZERO, INF_LESS_INF = "inf·0", "0/0", "inf-inf"
CANCELLATION, SATURATION = "cancellation", "saturation"
DOMAIN, KINK, JUMP, INFINITE, REMOVABLE = (
    "domain edge", "kink", "jump", "infinite slope", "removable singularity",
)  # fmt: skip
DEAD, CONDITION, SPECTRUM = "dead branch", "ill-conditioned", "degenerate spectrum"
EQUALITY, LOOP, INTEGER, CHAOS = (
    "branch on equality", "early loop exit", "integer-only path", "chaos",
)  # fmt: skip
CAUSES = (
    OVERFLOW, UNDERFLOW, INF_TIMES_ZERO, ZERO_BY_ZERO, INF_LESS_INF, CANCELLATION, SATURATION, DOMAIN, KINK,
    JUMP, INFINITE, REMOVABLE, DEAD, CONDITION, SPECTRUM, EQUALITY, LOOP, INTEGER, CHAOS,
)  # fmt: skip

_SUMS = ("add", "sub", "sum", "mean", "matmul", "einsum", "accumulate", "centre", "cumsum")
_PRODUCTS = ("mul", "scale", "matmul", "einsum")
_FLAT = ("tanh", "erf", "erfc", "expit", "arctan", "ndtr")
_EDGES = ("log", "log2", "log10", "log1p", "sqrt", "arcsin", "arccos", "arccosh", "arctanh", "logit", "power",
          "float_power", "xlogy", "gammaln")  # fmt: skip
_DECOMPOSED = ("eigh", "svd", "eig")
_OFFSET = ("add", "sub")
_VANISHING = ("mul", "scale", "div", "exp", "exp2", "power", "square", "prod", "erfc", "reciprocal")


def of_birth(evidence: Evidence, birth: Birth) -> str:
    """The class of a birth."""
    eqn, at = evidence.program.eqns[birth.position], birth.at
    name = eqn.prim.name
    out = result(eqn, at)
    y = np.asarray(evidence.value(out, at))
    y = y[()] if y.ndim == 0 else y.ravel()[0]
    if _of_spectrum(evidence, eqn):
        return SPECTRUM
    ins = evidence.given(eqn, at)
    if np.isnan(y):
        return _of_nan(evidence, eqn, ins, at)
    if np.isinf(y):
        return _of_infinity(name, ins)
    truth = evidence.truth(out, at)
    vanished = abs(y) < float(np.finfo(y.dtype).tiny) and truth is not None and truth != 0
    if vanished and name in _VANISHING:
        return UNDERFLOW
    if name in _SUMS:
        return SATURATION if _flattened(evidence, eqn) else CANCELLATION
    if any(_flattened(evidence, m) or _swallowed(evidence, m, at) for m in _makers(evidence, eqn)):
        return SATURATION
    if name in _EDGES or name in ("reciprocal", "div"):
        return (
            CANCELLATION
            if any(m.prim.name in _OFFSET for m in _makers(evidence, eqn))
            else CONDITION
        )
    return CONDITION


def dead_product(evidence: Evidence, birth: Birth) -> Birth | None:
    """Where a number that is not finite is multiplied by the zero of a mask, on its way from a birth."""
    program = evidence.program
    for n, k in enumerate((birth.position, *birth.path)):
        eqn = program.eqns[k]
        if eqn.prim.name not in ("mul", "scale") or not isinstance(
            eqn.outputs[0].type.shape, tuple
        ):
            continue
        y = np.asarray(evidence.values[eqn.outputs[0]])
        at = birth.at if within(birth.at, y.shape) else None
        if at is None or not np.isnan(y[at]):
            continue
        for a in eqn.inputs:
            if np.all(evidence.value(a, at) == 0) and _is_mask(evidence, a):
                return Birth(k, at, birth.path[n:])
    return None


def _of_nan(evidence: Evidence, eqn: Eqn, ins: list[Any], at: At) -> str:
    name = eqn.prim.name
    zero = [np.any(np.asarray(x) == 0) for x in ins]
    inf = [np.any(np.isinf(np.asarray(x, dtype=complex))) for x in ins]
    if name in _PRODUCTS and any(zero):
        for x, a in zip(ins, eqn.inputs, strict=True):
            if np.ndim(x) == 0 and x == 0 and _is_mask(evidence, a):
                return DEAD
        if any(inf):
            return INF_TIMES_ZERO
    if name == "div" and zero[0] and zero[1]:
        return ZERO_BY_ZERO
    if name in _SUMS:
        return INF_LESS_INF
    if name == "div":
        return OVERFLOW
    return DOMAIN


def _of_infinity(name: str, ins: list[Any]) -> str:
    if name in ("div", "reciprocal", "power", "float_power") and any(
        np.ndim(x) == 0 and x == 0 for x in ins
    ):
        return DOMAIN
    if name in _EDGES and name != "power":
        return DOMAIN
    return OVERFLOW


def _is_mask(evidence: Evidence, atom: Any, depth: int = 6) -> bool:
    """Is it made of truth values and numbers that were written down alone?"""
    if isinstance(atom, Const) or atom.type.dtype.kind == "b":
        return True
    k = evidence.maker.get(atom)
    if k is None or depth == 0:
        return False
    return all(_is_mask(evidence, a, depth - 1) for a in evidence.program.eqns[k].inputs)


def _makers(evidence: Evidence, eqn: Eqn) -> list[Eqn]:
    places = [evidence.maker.get(a) for a in eqn.inputs if not isinstance(a, Const)]
    return [evidence.program.eqns[k] for k in places if k is not None]


def _flattened(evidence: Evidence, eqn: Eqn, depth: int = 2) -> bool:
    """Does it hang on a function that is flat there: at its limit to the last digits?"""
    for maker in [eqn, *_makers(evidence, eqn)] if depth == 2 else _makers(evidence, eqn):
        if maker.prim.name in _FLAT:
            y = np.abs(np.asarray(evidence.values[maker.outputs[0]], float))
            limit = np.pi / 2 if maker.prim.name == "arctan" else 1.0
            if np.any(np.abs(y - limit) < 1e-4) or np.any(y < 1e-300):
                return True
        if (
            maker is not eqn
            and maker.prim.name in ("div", "reciprocal")
            and any(_swallowed(evidence, m, ()) for m in _makers(evidence, maker))
        ):
            return True  # a logistic function by its quotient
        if (
            depth
            and maker is not eqn
            and maker.prim.name in ("square", "mul", "neg")
            and _flattened(evidence, maker, depth - 1)
        ):
            return True
    return False


def _swallowed(evidence: Evidence, eqn: Eqn, at: At) -> bool:
    """Has a sum swallowed one of its terms whole?"""
    if eqn.prim.name not in _OFFSET:
        return False
    y = evidence.values[eqn.outputs[0]]
    for a in eqn.inputs:
        x = a.value if isinstance(a, Const) else evidence.values[a]
        other = [b for b in eqn.inputs if b is not a]
        rest = other[0] if other else a
        z = rest.value if isinstance(rest, Const) else evidence.values[rest]
        if np.shape(x) in ((), np.shape(y)) and np.any(
            (np.abs(y) == np.abs(x)) & (np.asarray(z) != 0)
        ):
            return True
    return False


def spectrum(evidence: Evidence) -> tuple[Eqn, str] | None:
    """The decomposition whose values lie closest, and these values."""
    best: tuple[float, Eqn, str] | None = None
    for eqn in evidence.program.eqns:
        if eqn.prim.name in _DECOMPOSED:
            w = np.asarray(evidence.values[eqn.outputs[1 if eqn.prim.name == "svd" else 0]])
            flat = np.sort(
                np.abs(w.reshape(-1, w.shape[-1]))
                if w.dtype.kind == "c"
                else w.reshape(-1, w.shape[-1]),
                -1,
            )
            gaps = np.diff(flat, axis=-1)
            gap = float(gaps.min()) if gaps.size else np.inf
            listed = ", ".join(f"{x:.6g}" for x in flat[0][:6]) + (
                ", …" if flat.shape[-1] > 6 else ""
            )
            if best is None or gap < best[0]:
                best = gap, eqn, f"values {listed}; the smallest gap is {gap:.3g}"
    return (
        None
        if best is None or best[0] > 1e-4 * float(np.max(np.abs(w), initial=1e-300))
        else best[1:]
    )


def _of_spectrum(evidence: Evidence, eqn: Eqn) -> bool:
    """Was it written by the rule of a decomposition?"""
    if eqn.prim.name in _DECOMPOSED:
        return False
    return any(
        e.prim.name in _DECOMPOSED and e.origin == eqn.origin and e.origin >= 0
        for e in evidence.program.eqns
    )
