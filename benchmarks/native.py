"""The hand-written C++ of `native/`, built once with g++ and called through ctypes."""

import ctypes
import subprocess
from functools import cache
from pathlib import Path

import numpy

HERE = Path(__file__).parent / "native"
FLAGS = ["-O3", "-march=native", "-std=c++17", "-fopenmp", "-shared", "-fPIC"]


@cache
def library(name):
    """The shared library of `native/<name>.cpp`, rebuilt when the source is newer."""
    source, built = HERE / f"{name}.cpp", HERE.parent.parent / "out" / f"{name}.so"
    built.parent.mkdir(exist_ok=True)
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["g++", *FLAGS, str(source), "-o", str(built)], check=True)
    return ctypes.CDLL(str(built))


def _pointer(a):
    return a.ctypes.data_as(ctypes.c_void_p)


def _call(name, sizes, arrays, outputs, numbers=(), file=None):
    """A call without arguments that fills `outputs` and returns them."""
    function = getattr(library(file or name), name)
    function.restype = None
    arrays = [numpy.ascontiguousarray(a) for a in arrays]
    given = [
        *map(ctypes.c_int64, sizes), *map(_pointer, arrays), *map(ctypes.c_double, numbers),
        *map(_pointer, outputs),
    ]  # fmt: skip

    def call():
        function(*given)
        return outputs

    call.keep = arrays
    return call


def gmm(alpha, mu, q, l, x, gamma, m):
    (k, d), n = mu.shape, len(x)
    outputs = [numpy.empty_like(a) for a in (alpha, mu, q, l)]
    return _call("gmm", (d, k, n), (alpha, mu, q, l, x), outputs, (gamma, m))


def ba(cameras, points, weights, features, who, what):
    p = len(weights)
    shapes = ((p, 2, 11), (p, 2, 3), (p, 2), (p,))
    arrays = (cameras, points, weights, features, who.astype(numpy.int64), what.astype(numpy.int64))
    return _call("ba", (p,), arrays, [numpy.empty(s) for s in shapes])


def lstm(main, extra, state, sequence):
    layers, (c, b) = len(main) // 2, sequence.shape
    return _call(
        "lstm", (layers, c, b), (main, extra, state, sequence),
        [numpy.empty_like(main), numpy.empty_like(extra)],
    )  # fmt: skip


def triad(b, c, a):
    return _call("triad", (len(a),), (b, c), [a], file="stream")
