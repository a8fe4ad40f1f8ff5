"""Traps: small functions at the points where derivatives go wrong, and what is right there.

A trap is a function, its arguments, and the slopes: numbers (None: any), an interval for kinks, or FLAGGED,
where there is no slope and somebody should say so.
"""

from typing import NamedTuple

import numpy as np
import scipy.linalg as sl
import scipy.special as sp

import wengert as wg

FLAGGED = "flagged"


class between(NamedTuple):
    """Any number from low to high."""

    low: float
    high: float


class Trap(NamedTuple):
    """A function, its arguments in one format, and its slopes there."""

    function: object
    arguments: tuple
    want: object


def trap(function, *arguments, want, format=np.float64):
    """One row of the table."""
    return Trap(function, tuple(np.asarray(a, format)[()] for a in arguments), want)


def symmetric(m):
    """Its symmetric part."""
    return (m + np.swapaxes(m, -1, -2)) / 2


def spectral(function, m):
    """The sum of a function of a symmetric matrix, by its eigenvectors."""
    w, v = np.linalg.eigh(symmetric(m))
    return np.sum((v * function(w)) @ v.T)


def swapped(x):
    """The first two exchanged in place."""
    y = x.copy()
    first = y[0]
    y[0] = y[1]
    y[1] = first
    return y @ np.array([1.0, 3.0])


def overwritten(x):
    """The same by views: the second exchange reads what the first has written."""
    y = x.copy()
    first = y[:1]
    y[:1] = y[1:]
    y[1:] = first
    return y @ np.array([1.0, 3.0])


def negated(x):
    """Negative numbers turned in place."""
    y = x.copy()
    y[y < 0] *= -1
    return np.sum(y)


def buffered(x):
    """A buffer that is filled, multiplied and added to itself in reverse."""
    y = np.zeros(3)
    y[:] = x
    y[1] = y[0] * y[1]
    y += y[::-1]
    return np.sum(y * y)


def root(tolerance, start):
    """Newton's iteration for a square root, which ends when it is close."""

    def f(x):
        y = start + 0 * x
        while abs(y * y - x) > tolerance:
            y = 0.5 * (y + x / y)
        return y

    return f


def bisected(x):
    """A square root by halving: nothing that is computed moves with x."""
    low, high = 0.0, 4.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if middle * middle < x else (low, middle)
    return (low + high) / 2


TRAPS = {
    "abs tie vector sum": trap(lambda x: np.sum(np.abs(x)), [0.0, 1.0, -2.0], want=[None, 1, -1]),
    "abs of product": trap(lambda x, y: np.abs(x * y), 0.0, 2.0, want=between(-2, 2)),
    "relu 0": trap(lambda x: np.maximum(x, 0), 0.0, want=between(0, 1)),
    "relu six": trap(lambda x: np.minimum(np.maximum(x, 0), 6), 6.0, want=between(0, 1)),
    "leaky at 0": trap(lambda x: np.where(x > 0, x, 0.01 * x), 0.0, want=between(0.01, 1)),
    "hinge": trap(lambda x: np.maximum(0, 1 - x), 1.0, want=between(-1, 0)),
    "abs minus abs": trap(lambda x: np.abs(x) - np.abs(-x), 0.0, want=0),
    "relu minus": trap(lambda x: np.maximum(x, 0) - np.maximum(-x, 0), 0.0, want=1),
    "max of same": trap(lambda x: np.maximum(x, x) * 2, 3.0, want=2),
    "abs squared": trap(lambda x: np.abs(x) ** 2, 0.0, want=0),
    "abs times sign": trap(lambda x: np.abs(x) * np.sign(x), 0.0, want=1),
    "x abs x": trap(lambda x: x * np.abs(x), 0.0, want=0),
    "sqrt x2": trap(lambda x: np.sqrt(x ** 2), 0.0, want=between(-1, 1)),
    "sqrt x4": trap(lambda x: np.sqrt(x ** 4), 0.0, want=0),
    "sqrt of x2+y4": trap(lambda x, y: np.sqrt(x * x + y ** 4), 0.0, 0.0, want=between(-1, 1)),
    "min max same": trap(lambda x: np.max(x) + np.min(x), [1.0, 1.0], want=[1, 1]),
    "ptp equal": trap(lambda x: np.max(x) - np.min(x), [1.0, 1.0, 1.0], want=between(-1, 1)),
    "relu squared": trap(lambda x: np.maximum(x, 0) ** 2, 0.0, want=0),
    "elu 0": trap(lambda x: np.where(x > 0, x, np.expm1(x)), 0.0, want=1),
    "elu naive 0": trap(lambda x: np.where(x > 0, x, np.exp(x) - 1), 0.0, want=1),
    "selu 0": trap(lambda x: 1.05 * np.where(x > 0, x, 1.67 * (np.exp(x) - 1)), 0.0, want=between(1.05, 1.05 * 1.67)),
    "huber edge": trap(lambda x: np.where(np.abs(x) <= 1, 0.5 * x * x, np.abs(x) - 0.5), 1.0, want=1),
    "smoothstep edge": trap(lambda x: np.where(x < 0, 0, np.where(x > 1, 1, x * x * (3 - 2 * x))), 1.0, want=0),
    "clip inside edge": trap(lambda x: np.sum(np.clip(x, 0, 1) ** 2), [0.0, 1.0, 0.5], want=[0, None, 1]),
    "mod edge": trap(lambda x: np.mod(x, 1.0) * 0 + x, 2.0, want=1),
    "clip equal bounds": trap(lambda x: np.clip(x, 1.0, 1.0), 1.0, want=between(0, 1)),
    "heaviside times": trap(lambda x: np.heaviside(x, 0.5) * x * x, 0.0, want=0),
    "floor jump": trap(lambda x: np.floor(x) + x, 2.0, want=FLAGGED),
    "round half": trap(lambda x: np.rint(x * 2) * x, 0.25, want=FLAGGED),
    "sign at 0": trap(lambda x: np.sign(x), 0.0, want=FLAGGED),
    "trunc zero ok": trap(lambda x: np.trunc(x) + x, 0.0, want=1),
    "copysign": trap(lambda x: np.copysign(x, -1.0), 2.0, want=-1),
    "copysign 0": trap(lambda x: np.copysign(x, 1.0), 0.0, want=between(-1, 1)),
    "sin2 over x": trap(lambda x: np.sin(x) ** 2 / x, 0.0, want=1),
    "tan over x": trap(lambda x: np.tan(x) / x, 0.0, want=0),
    "expm1 over x": trap(lambda x: np.expm1(x) / x, 0.0, want=0.5),
    "log1p over x": trap(lambda x: np.log1p(x) / x, 0.0, want=-0.5),
    "x/x": trap(lambda x: x / x, 0.0, want=0),
    "x2/x": trap(lambda x: x * x / x, 0.0, want=1),
    "x^3/x^2": trap(lambda x: x ** 3 / x ** 2, 0.0, want=1),
    "sqrt1p minus 1 over x": trap(lambda x: (np.sqrt(1 + x) - 1) / x, 0.0, want=-0.125),
    "asin/x": trap(lambda x: np.arcsin(x) / x, 0.0, want=0),
    "log x/(x2-1)": trap(lambda x: np.log(x) / (x * x - 1), 1.0, want=-0.5),
    "(a^x-b^x)/x": trap(lambda x: (3.0 ** x - 2.0 ** x) / x, 0.0, want=(np.log(3) ** 2 - np.log(2) ** 2) / 2),
    "logmean vector": trap(lambda a, b: np.sum((a - b) / (np.log(a) - np.log(b))), [1.0, 2.0], [1.0, 3.0], want=[0.5, None, 0.5, None]),
    "0*log": trap(lambda x: 0 * np.log(x) + x, 0.0, want=1),
    "sinc lib": trap(lambda x: np.sinc(x), 0.0, want=0),
    "j1/x": trap(lambda x: sp.j1(x) / x, 0.0, want=0),
    "erf/x": trap(lambda x: sp.erf(x) / x, 0.0, want=0),
    "gamma x*x": trap(lambda x: sp.gamma(x) * x, 0.0, want=-np.euler_gamma),
    "harmonic of zeros": trap(lambda x: 1 / np.sum(1 / x), [0.0, 2.0], want=[1, 0]),
    "x over abs x": trap(lambda x: x / np.abs(x) * x * x, 0.0, want=0),
    "unit vector 0": trap(lambda x: np.sum(x / np.linalg.norm(x)), [0.0, 0.0], want=FLAGGED),
    "cosine similarity 0": trap(lambda x: x @ np.array([1.0, 2.0]) / (np.linalg.norm(x) * np.linalg.norm(np.array([1.0, 2.0]))), [0.0, 0.0], want=FLAGGED),
    "norm cubed": trap(lambda x: np.linalg.norm(x) ** 3, [0.0, 0.0], want=[0, 0]),
    "norm squared": trap(lambda x: np.linalg.norm(x) ** 2, [0.0, 0.0, 0.0], want=[0, 0, 0]),
    "sqrt*sqrt": trap(lambda x: np.sqrt(x) * np.sqrt(x), 0.0, want=1),
    "x sqrt x": trap(lambda x: x * np.sqrt(x), 0.0, want=0),
    "x^1.5": trap(lambda x: x ** 1.5, 0.0, want=0),
    "x^.5*x^.5": trap(lambda x: x ** 0.5 * x ** 0.5, 0.0, want=1),
    "exp log": trap(lambda x: np.exp(2 * np.log(x)), 0.0, want=0),
    "exp(-1/x)": trap(lambda x: np.exp(-1 / x), 0.0, want=FLAGGED),
    "exp(-1/x2)": trap(lambda x: np.exp(-1 / x ** 2), 0.0, want=0),
    "x exp(-1/x2)": trap(lambda x: x * np.exp(-1 / x ** 2) + x, 0.0, want=1),
    "x sin(1/x)": trap(lambda x: x * np.sin(1 / x), 0.0, want=FLAGGED),
    "arctan(1/x)": trap(lambda x: np.arctan(1 / x) * x * x, 0.0, want=0),
    "where log": trap(lambda x: np.where(x > 0, np.log(x), 0.0), -1.0, want=0),
    "where sqrt vec": trap(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), [4.0, -1.0], want=[0.25, 0]),
    "where arccos": trap(lambda x: np.where(np.abs(x) < 1, np.arccos(x), 0.0), 2.0, want=0),
    "where exp over": trap(lambda x: np.where(x < 700, np.exp(x), x), 800.0, want=1),
    "where nan const": trap(lambda x: np.where(x > 0, x, np.nan), 1.0, want=1),
    "mask multiply": trap(lambda x: (x > 0) * np.log(x), -1.0, want=FLAGGED),
    "select three": trap(lambda x: np.select([x < 0, x < 1], [np.log(-x), np.sqrt(x)], x), 2.0, want=1),
    "piecewise": trap(lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda v: -v * v, lambda v: v * v]), 0.0, want=0),
    "nan_to_num": trap(lambda x: np.nan_to_num(np.log(x)) + x, 1.0, want=2),
    "masked mean": trap(lambda x: np.mean(np.log(x), where=np.array([True, False])), [2.0, 0.0], want=[0.5, 0]),
    "max of logs": trap(lambda x: np.maximum(np.log(x), x), 0.0, want=1),
    "double where safe": trap(lambda x: np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0), -1.0, want=0),
    "cond dead": trap(lambda x: wg.cond(x > 0, lambda v: np.log(v), lambda v: v * 2, x), -1.0, want=2),
    "eigvalsh sum equal": trap(lambda M: np.sum(np.linalg.eigvalsh(symmetric(M))), np.eye(3), want=np.eye(3)),
    "eigvalsh logsum equal": trap(lambda M: np.sum(np.log(np.linalg.eigvalsh(symmetric(M)))), 2 * np.eye(2), want=np.eye(2) / 2),
    "eigh first vector equal": trap(lambda M: np.sum(np.linalg.eigh(symmetric(M))[1][:, 0]), np.eye(2), want=FLAGGED),
    "eigh projector": trap(lambda M: (lambda w, V: np.sum(V * w ** 2 @ V.T))(*np.linalg.eigh(symmetric(M))), np.eye(2), want=[[2, 2], [2, 2]]),
    "eigh projector near": trap(lambda M: (lambda w, V: np.sum(V * w ** 2 @ V.T))(*np.linalg.eigh(symmetric(M))), np.diag([1.0, 1.0 + 1e-13]), want=[[2, 2], [2, 2]]),
    "svd sumsq zero": trap(lambda M: np.sum(np.linalg.svd(M, compute_uv=False) ** 2), np.diag([1.0, 0.0]), want=[[2, 0], [0, 0]]),
    "svd nuclear rank1": trap(lambda M: np.sum(np.linalg.svd(M, compute_uv=False)), np.diag([1.0, 0.0]), want=[[1, 0], [0, None]]),
    "norm nuc equal": trap(lambda M: np.linalg.norm(M, 'nuc'), 2 * np.eye(2), want=np.eye(2)),
    "norm fro 0": trap(lambda M: np.linalg.norm(M), np.zeros((2, 2)), want=between(-1, 1)),
    "det rank1": trap(lambda M: np.linalg.det(M), np.ones((3, 3)), want=np.zeros((3, 3))),
    "det rank2": trap(lambda M: np.linalg.det(M), np.diag([1.0, 2.0, 0.0]), want=np.diag([0, 0, 2.0])),
    "det 0": trap(lambda M: np.linalg.det(M), np.zeros((2, 2)), want=np.zeros((2, 2))),
    "logdet singular": trap(lambda M: np.linalg.slogdet(M)[1], np.ones((2, 2)), want=FLAGGED),
    "cholesky ldl": trap(lambda M: np.sum(np.log(np.diag(np.linalg.cholesky(symmetric(M))))) * 2, np.diag([1e-200, 1e-150]), want=np.diag([1e+200, 1e+150])),
    "expm zero": trap(lambda M: np.sum(sl.expm(M)), np.zeros((2, 2)), want=[[1, 1], [1, 1]]),
    "trace power": trap(lambda M: np.trace(M @ M @ M), np.zeros((2, 2)), want=np.zeros((2, 2))),
    "matrix power 0": trap(lambda M: np.trace(np.linalg.matrix_power(M, 3)), np.diag([0.0, 1.0]), want=np.diag([0, 3.0])),
    "qr": trap(lambda M: np.sum(np.abs(np.diag(np.linalg.qr(M)[1]))), np.eye(2), want=np.eye(2)),
    "slogdet tiny": trap(lambda M: np.linalg.slogdet(M)[1], np.diag([1e-200, 1e-200]), want=np.diag([1e+200, 1e+200])),
    "lstsq": trap(lambda b: np.sum(np.linalg.lstsq(np.array([[1.0, 1.0], [1.0, 1.0]]), b, rcond=None)[0]), [1.0, 2.0], want=[0.5, 0.5]),
    "logsumexp": trap(lambda x: np.log(np.sum(np.exp(x))), [800.0, 0.0], want=[1, 0]),
    "logsumexp neg": trap(lambda x: np.log(np.sum(np.exp(x))), [-800.0, -800.0], want=[0.5, 0.5]),
    "softmax over": trap(lambda x: (np.exp(x) / np.sum(np.exp(x)))[1], [800.0, 801.0], want=[-0.19661193, 0.19661193]),
    "softmax xent": trap(lambda x: -np.log((np.exp(x) / np.sum(np.exp(x)))[0]), [0.0, 1000.0], want=[-1, 1]),
    "logaddexp -inf": trap(lambda x, y: np.logaddexp(x, y), -np.inf, 1.0, want=[0, 1]),
    "softmax -inf": trap(lambda x: sp.softmax(x)[0], [1.0, -np.inf], want=[0, 0]),
    "log_softmax -inf": trap(lambda x: sp.log_softmax(x)[0], [1.0, -np.inf], want=[0, 0]),
    "norm big": trap(lambda x: np.linalg.norm(x), [3e+200, 4e+200], want=[0.6, 0.8]),
    "norm small": trap(lambda x: np.sqrt(np.sum(x * x)), [3e-200, 4e-200], want=[0.6, 0.8]),
    "hypot zero": trap(lambda x, y: np.hypot(x, y), 0.0, 0.0, want=between(-1, 1)),
    "p norm big": trap(lambda x: np.sum(np.abs(x) ** 4) ** 0.25, [1e+100, 0.0], want=[1, 0]),
    "p norm 3 at zero": trap(lambda x: np.sum(np.abs(x) ** 3) ** (1 / 3), [0.0, 0.0], want=between(-1, 1)),
    "norm inf tie": trap(lambda x: np.linalg.norm(x, np.inf), [1.0, -1.0], want=between(-1, 1)),
    "norm 1 zero": trap(lambda x: np.linalg.norm(x, 1), [0.0, -1.0], want=[None, -1]),
    "norm -inf tie": trap(lambda x: np.linalg.norm(x, -np.inf), [1.0, 1.0], want=between(0, 1)),
    "prod over": trap(lambda x: np.prod(x) ** (1 / len(x)), np.full(20, 1e+30), want=np.full(20, 0.05)),
    "cumprod under": trap(lambda x: np.log(np.cumprod(x)[-1]), np.full(10, 1e-40), want=np.full(10, 1e+40)),
    "variance big": trap(lambda x: np.var(x), [1000000000.0, 1000000000.0 + 1], want=[-0.5, 0.5]),
    "variance naive": trap(lambda x: np.mean(x * x) - np.mean(x) ** 2, [1000000000.0, 1000000000.0 + 1], want=[-0.5, 0.5]),
    "std equal": trap(lambda x: np.std(x), [3.0, 3.0, 3.0], want=between(-1, 1)),
    "var equal": trap(lambda x: np.var(x, ddof=1), [3.0, 3.0], want=[0, 0]),
    "zscore equal": trap(lambda x: ((x - np.mean(x)) / np.std(x))[0], [3.0, 3.0], want=FLAGGED),
    "corrcoef exact": trap(lambda x: np.corrcoef(x, np.array([1.0, 2.0, 3.0]))[0, 1], [1.0, 2.0, 3.0], want=[0, 0, 0]),
    "corrcoef const": trap(lambda x: np.corrcoef(x, np.array([1.0, 2.0, 3.0]))[0, 1], [1.0, 1.0, 1.0], want=FLAGGED),
    "layernorm eps": trap(lambda x: np.sum((x - np.mean(x)) / np.sqrt(np.var(x) + 1e-12) * np.array([1.0, 0.0])), [1.0, 1.0], want=[500000.0, -500000.0]),
    "gammaln ratio": trap(lambda x: sp.gamma(x + 1) / sp.gamma(x), 180.0, want=1),
    "binom big": trap(lambda x: np.exp(sp.gammaln(x + 1) - sp.gammaln(x)), 1000000000000000.0, want=1),
    "cosh-sinh": trap(lambda x: np.cosh(x) - np.sinh(x), 30.0, want=-np.exp(-30.0)),
    "cosh2-sinh2": trap(lambda x: np.cosh(x) ** 2 - np.sinh(x) ** 2, 20.0, want=0),
    "tanh sat": trap(lambda x: np.arctanh(np.tanh(x)), 30.0, want=1),
    "f32 overflow square": trap(lambda x: np.sqrt(x * x + 1), 1e+30, want=1, format=np.float32),
    "f32 logsumexp": trap(lambda x: np.log(np.sum(np.exp(x))), [100.0, 99.0], want=[0.7310586, 0.2689414], format=np.float32),
    "f32 1-cos": trap(lambda x: (1 - np.cos(x)) / x ** 2, 0.0001, want=-8.3333e-06, format=np.float32),
    "arctan2 00": trap(lambda y, x: np.arctan2(y, x), 0.0, 0.0, want=FLAGGED),
    "arctan2 small": trap(lambda y, x: np.arctan2(y, x), 1e-200, 1e-200, want=[5e+199, -5e+199]),
    "angle": trap(lambda y: np.angle(1 + 1j * y), 0.0, want=1),
    "pow 0 half": trap(lambda x: x ** 0.5, 0.0, want=[np.inf]),
    "pow neg int": trap(lambda x: x ** (-1.0) * x ** 2, 0.0, want=1),
    "pow x 1": trap(lambda x: x ** 1.0, 0.0, want=1),
    "pow 0 2": trap(lambda x: x ** 2.0, 0.0, want=0),
    "pow 0 y+": trap(lambda x, y: x ** y, 0.0, 3.0, want=[0, 0]),
    "1**y": trap(lambda y: 1.0 ** y, 1e+300, want=0),
    "(-1)**2 exact": trap(lambda x: x ** 2, -1e-200, want=-2e-200),
    "cbrt 0": trap(lambda x: np.cbrt(x), 0.0, want=[np.inf]),
    "cbrt x3": trap(lambda x: np.cbrt(x ** 3), 0.0, want=1),
    "cbrt x6": trap(lambda x: np.cbrt(x ** 6), 0.0, want=0),
    "x2^(1/3)": trap(lambda x: (x * x) ** (1 / 3), 0.0, want=FLAGGED),
    "median tie": trap(lambda x: np.median(x), [1.0, 1.0, 1.0, 1.0], want=between(0, 0.5)),
    "median odd tie": trap(lambda x: np.median(x), [1.0, 2.0, 2.0], want=between(0, 1)),
    "sort ties weighted": trap(lambda x: np.sort(x) @ np.array([1.0, 1.0, 3.0]), [1.0, 1.0, 2.0], want=[1, 1, 3]),
    "sort ties unequal weights": trap(lambda x: np.sort(x) @ np.array([1.0, 2.0]), [1.0, 1.0], want=between(1, 2)),
    "quantile": trap(lambda x: np.quantile(x, 0.5), [1.0, 3.0, 2.0], want=[0, 0, 1]),
    "percentile tie": trap(lambda x: np.percentile(x, 50), [2.0, 2.0, 5.0], want=between(0, 1)),
    "interp knot": trap(lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 2.0]), 1.0, want=between(0, 2)),
    "interp outside": trap(lambda x: np.interp(x, [0.0, 1.0], [0.0, 2.0]), 5.0, want=0),
    "interp knot smooth": trap(lambda x: np.interp(x, [0.0, 1.0, 2.0], [0.0, 2.0, 4.0]), 1.0, want=2),
    "interp end": trap(lambda x: np.interp(x, [0.0, 1.0], [0.0, 2.0]), 1.0, want=between(0, 2)),
    "searchsorted": trap(lambda x: np.array([1.0, 2.0, 4.0])[np.searchsorted(np.array([0.0, 1.0]), x)] * x, 1.0, want=FLAGGED),
    "cummax": trap(lambda x: np.sum(np.maximum.accumulate(x)), [1.0, 1.0, 0.0], want=between(0, 3)),
    "max tie three": trap(lambda x: np.max(x), [2.0, 2.0, 2.0], want=between(0, 1)),
    "trapz": trap(lambda x: np.trapezoid(x ** 2, np.array([0.0, 1.0, 2.0])), [0.0, 0.0, 0.0], want=[0, 0, 0]),
    "fft zero abs": trap(lambda x: np.sum(np.abs(np.fft.fft(x))), [0.0, 0.0, 0.0, 0.0], want=between(-4, 4)),
    "fft power zero": trap(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2), [0.0, 0.0, 1.0, 0.0], want=[0, 0, 8, 0]),
    "fft angle zero": trap(lambda x: np.sum(np.angle(np.fft.fft(x))), [0.0, 0.0], want=FLAGGED),
    "complex abs 0": trap(lambda x: np.abs(x + 0j), 0.0, want=between(-1, 1)),
    "conv": trap(lambda x: np.max(np.convolve(x, [1.0, 1.0])), [0.0, 0.0], want=between(0, 1)),
    "prod excl": trap(lambda x: np.prod(x[:2]) * x[2], [0.0, 3.0, 4.0], want=[12, 0, 0]),
    "cumsum log": trap(lambda x: np.sum(np.cumsum(np.log(x))), [1.0, 1e-300], want=[2, 1e+300]),
    "einsum zero": trap(lambda M: np.einsum('ij,ij->', M, M), np.zeros((2, 2)), want=np.zeros((2, 2))),
    "if lt smooth": trap(lambda x: x * x if x < 1 else 2 * x - 1, 1.0, want=2),
    "if kink": trap(lambda x: x if x < 1 else 3 * x - 2, 1.0, want=between(1, 3)),
    "if jump": trap(lambda x: x if x < 1 else 3 * x, 1.0, want=FLAGGED),
    "swap scalars": trap(swapped, [1.0, 2.0], want=[3, 1]),
    "swap views": trap(overwritten, [1.0, 2.0], want=[0, 4]),
    "mask negate": trap(negated, [0.0, -1.0, 2.0], want=[None, -1, 1]),
    "while": trap(lambda x: wg.while_loop(lambda s: s[1] < 5, lambda s: (s[0] * x, s[1] + 1), (x * 1.0, 0))[0], 0.0, want=0),
    "vmap norm": trap(lambda x: np.sum(wg.vmap(np.linalg.norm)(x)), [[0.0, 0.0], [3.0, 4.0]], want=[None, None, 0.6, 0.8]),
    "1-cos": trap(lambda x: (1 - np.cos(x)) / x ** 2, 1e-09, want=-1e-09 / 12),
    "x-sin/x3": trap(lambda x: (x - np.sin(x)) / x ** 3, 1e-07, want=-1e-07 / 60),
    "quad": trap(lambda b: (-b + np.sqrt(b * b - 4)) / 2, 1000000000.0, want=1e-18),
    "f32 var": trap(lambda x: np.mean(x ** 2) - np.mean(x) ** 2, [1000.0, 1000.5], want=[-0.25, 0.25], format=np.float32),
    "det 2x2 cancel": trap(lambda M: M[0, 0] * M[1, 1] - M[0, 1] * M[1, 0], [[100000000.0 + 1, 100000000.0], [100000000.0, 100000000.0 - 1]], want=[[100000000.0 - 1, -100000000.0], [-100000000.0, 100000000.0 + 1]]),
    "softplus diff": trap(lambda x: np.logaddexp(0, x) - x, 50.0, want=-1 / (1 + np.exp(50.0))),
    "acosh1": trap(lambda x: np.arccosh(1 + x * x), 1e-09, want=np.sqrt(2)),
    "acosh1 at 0": trap(lambda x: np.arccosh(1 + x * x), 0.0, want=between(-np.sqrt(2), np.sqrt(2))),
    "acos edge": trap(lambda x: np.arccos(1 - x * x), 1e-09, want=np.sqrt(2)),
    "asin edge": trap(lambda x: np.arcsin(x) ** 2, 1.0, want=[np.inf]),
    "acos edge squared": trap(lambda x: np.arccos(x) ** 2, 1.0, want=-2),
    "sqrt(1-x2) edge": trap(lambda x: np.sqrt(1 - x * x), 1.0, want=[-np.inf]),
    "log det chol": trap(lambda x: np.log(x * x - (x - 1) * (x + 1)), 1000000000.0, want=0),
    "sum kahan": trap(lambda x: np.sum(x) - 1e+16, [1e+16, 1.0], want=[1, 1]),
    "hyperbolic dist": trap(lambda x: np.arccosh(1 + 2 * (x - 0.3) ** 2 / ((1 - x * x) * (1 - 0.09))), 0.3, want=between(-2.2, 2.2)),
    "kl softmax same": trap(lambda x: np.sum(sp.softmax(x) * (sp.log_softmax(x) - sp.log_softmax(np.array([1.0, 2.0])))), [1.0, 2.0], want=[0, 0]),
    "quaternion": trap(lambda q: 2 * np.arctan2(np.linalg.norm(q[1:]), q[0]), [1.0, 0.0, 0.0, 0.0], want=between(-2, 2)),
    "haversine same": trap(lambda x: np.arcsin(np.sqrt(np.sin((x - 0.5) / 2) ** 2)), 0.5, want=between(-0.5, 0.5)),
    "triangle area 0": trap(lambda a, b, c: np.sqrt((a + b + c) * (a + b - c) * (a - b + c) * (-a + b + c)) / 4, 1.0, 1.0, 2.0, want=[np.inf, np.inf, -np.inf]),
    "buffer": trap(buffered, [1.0, 2.0, 3.0], want=[48, 16, 16]),
    "loop that ends at its start": trap(root(1e-3, 2.0), 4.0, want=FLAGGED),
    "loop that ends too early": trap(root(1e-2, 2.0001), 4.0, want=FLAGGED),
    "bisection": trap(bisected, 3.0, want=FLAGGED),
    "whole numbers": trap(lambda x: x.astype(int) * 1.0, 1.7, want=FLAGGED),
    "hundredths": trap(lambda x: np.floor(x * 100) / 100, 0.123, want=FLAGGED),
    "angle at the cut": trap(lambda y, x: np.arctan2(y, x), 0.0, -1.0, want=FLAGGED),
    "angle of a real signal": trap(lambda x: np.sum(np.angle(np.fft.fft(x)) ** 2), [-1.0, 0.0], want=[0, 0]),
    "no ball rule": trap(lambda M: np.prod(np.linalg.eigvals(M)).real, [[0.0, 1.0], [-1.0, 0.0]], want=FLAGGED),
}  # fmt: skip
