"""Products of matrices as compiled code calls them: in loops of our own (`product_ir`), large ones by SciPy's BLAS.

BLAS brings threads of its own. They wait for work by running in circles, and for each other inside of a product: on a
core that somebody else wants, that takes many times as long as the product. So large products are cut into pieces for
the threads that run our loops (`blas_ir`), and OpenBLAS is asked for one thread meanwhile. Where it cannot be asked
(another BLAS, or one that uses OpenMP), products are its own affair.
"""

from __future__ import annotations

import ctypes
import os
from functools import partial
from typing import Any

from wengert.backends import blas_ir, machine, product_ir, symbols, vecmath
from wengert.backends.blas_ir import State
from wengert.backends.once import once


@once
def threads_of_blas() -> Any:
    """The number of threads that OpenBLAS uses, as a word of its memory; None where there is no such word.

    Its function for that may start threads, and wait for others; this waits for nobody, also between fork and exec.
    """
    from scipy.linalg import cython_blas

    try:
        library = ctypes.CDLL(cython_blas.__file__)  # (which finds what it is linked with, too)
    except OSError:
        return None
    for name in ("scipy_openblas", "openblas"):
        for end in ("", "64_", "_64"):
            kind = getattr(library, f"{name}_get_parallel{end}", None)
            count = getattr(library, f"{name}_get_num_threads{end}", None)
            if kind is None or count is None:
                continue
            if kind() == _ALONE:
                return ctypes.c_int32.from_buffer(_state(), State.NOBODY)
            try:
                word = ctypes.c_int32.in_dll(library, "blas_cpu_number")
            except ValueError:
                return None
            return word if kind() == _OWN and word.value == count() else None
    return None


_ALONE, _OWN = (
    0,
    1,
)  # of OpenBLAS: without threads, with its own ones (2: OpenMP's, which do as they like)


@once
def _state() -> Any:
    """Who has asked OpenBLAS for one thread, and how many it had before: nobody, in the child of a fork."""
    block = ctypes.create_string_buffer(State.SIZE)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(_empty, block))
    return block


def _empty(block: Any) -> None:
    users, before = (
        ctypes.c_int32.from_buffer(block, at).value for at in (State.USERS, State.BEFORE)
    )
    word = threads_of_blas()
    if users and word is not None:
        word.value = before
    ctypes.memset(block, 0, State.SIZE)


def _large(letter: str) -> int:
    """The address of `wg_dgemm_large` and its kind: BLAS in pieces."""
    word, plain = threads_of_blas(), symbols.address(f"{letter}gemm")
    assert plain is not None
    own = {"wg_blas": ctypes.addressof(_state()), "gemm": plain}
    if word is not None:
        own["blas_threads"] = ctypes.addressof(word)
    text = blas_ir.text(machine.machine().triple, letter, word is not None)
    return _loaded(text, blas_ir.NAME.format(letter), own)


def _product(letter: str) -> int:
    """The address of `wg_dgemm` and its kind: our own loops, where they are good for the numbers and the machine."""
    large = symbols.address(blas_ir.NAME.format(letter))
    assert large is not None
    if letter not in "sd" or not vecmath.features() & {"fma", "neon"}:
        return large
    text = product_ir.text(machine.machine().triple, letter, vecmath.lanes())
    return _loaded(text, product_ir.NAME.format(letter), {"large": large})


def _loaded(text: str, name: str, own: dict[str, int]) -> int:
    _kept.append(machine.load(text, name, own))
    return int(_kept[-1].address)


_kept: list[machine.Loaded] = []
for _letter in "sdcz":
    symbols.offer_later(blas_ir.NAME.format(_letter), partial(_large, _letter))
    symbols.offer_later(product_ir.NAME.format(_letter), partial(_product, _letter))
