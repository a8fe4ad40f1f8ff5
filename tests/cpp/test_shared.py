"""Shared libraries straight from LLVM: called from C, for this machine and for another one."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.errors import CppError

pytest.importorskip("llvmlite")
needs_cc = pytest.mark.skipif(
    not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler on this machine"
)


def smooth(x, y):
    return np.sum(np.tanh(x) * y) + np.sum(np.cumsum(x) ** 2)


def settled(a, b):
    solved = np.linalg.solve(a @ a.T, b) + np.linalg.cholesky(a @ a.T) @ b
    return np.sum(solved) + np.linalg.slogdet(a)[1] + np.sum(special.gammaln(b))


def halved(x):
    return np.sum(wg.while_loop(lambda v: np.sum(v) > 1.0, lambda v: v * np.sin(v), x))


CASES = {
    "smooth": (
        smooth,
        (np.linspace(0, 1, 150), np.linspace(0, 1, 150)),
        ("value", "gradient", "hvp"),
    ),
    "settled": (
        settled,
        (np.eye(3) * 3 + 1 / (1 + np.arange(9.0).reshape(3, 3)), np.arange(1.0, 4)),
        ("value", "gradient"),
    ),
    "halved": (halved, (np.linspace(0.1, 1, 5),), ("value", "gradient")),  # its memory grows
}


@needs_cc
@pytest.mark.parametrize("name", CASES)
def test_the_library_computes_what_python_computes(name, tmp_path):
    f, args, what = CASES[name]
    export = wg.export_shared(f, *args, what=what, name=name, directory=tmp_path)
    assert export.functions == tuple(f"{name}_{kind}" for kind in what)
    library = ctypes.CDLL(str(export.library))
    check = library[f"{name}_self_check"]
    check.restype, check.argtypes = ctypes.c_double, [ctypes.c_void_p]
    assert check(None) < 1e-12
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in args]
    found = [np.empty(a.shape) for a in args]
    call = library[f"{name}_gradient"]
    assert call(*pointers, *(ctypes.c_void_p(y.ctypes.data) for y in found), None) == 0
    right = wg.grad(f, tuple(range(len(args))))(*args)
    for y, r in zip(found, right, strict=True):
        np.testing.assert_allclose(y, r, rtol=1e-10, atol=1e-12)


@needs_cc
def test_a_large_workspace_is_the_callers_and_need_not_be_aligned(tmp_path):
    x = np.linspace(0, 1, 3000)
    export = wg.export_shared(
        lambda x: np.cumsum(x * np.cumsum(x)[::-1]),
        x,
        what="value",
        name="twice",
        directory=tmp_path,
    )
    size = int(export.header.split("#define twice_value_work_bytes ")[1].split()[0])
    assert size > 3000 * 8
    work, y = np.full(size + 3, 0xFF, np.uint8), np.empty(3000)
    call = ctypes.CDLL(str(export.library)).twice_value
    places = (x.ctypes.data, y.ctypes.data, work.ctypes.data + 3)
    assert call(*map(ctypes.c_void_p, places)) == 0
    np.testing.assert_allclose(y, np.cumsum(x * np.cumsum(x)[::-1]), rtol=1e-13)


@pytest.mark.skipif(
    not (shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64")),
    reason="no compiler and emulator of ARM on this machine",
)
def test_another_machine_is_named_by_its_triple(tmp_path):
    f, args, what = CASES["smooth"]
    wg.export_shared(
        f, *args, what=what, name="smooth", directory=tmp_path, triple="aarch64-linux-gnu"
    )
    (tmp_path / "m.c").write_text(
        '#include "smooth.h"\nint main(void) { return smooth_self_check(0) < 1e-12 ? 0 : 1; }\n'
    )
    build = ["aarch64-linux-gnu-gcc", "m.c", "-L.", "-lsmooth", "-lm", "-o", "m"]
    subprocess.run(build, cwd=tmp_path, check=True)
    run = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-E", "LD_LIBRARY_PATH=.", "./m"]
    assert subprocess.run(run, cwd=tmp_path, check=False).returncode == 0


@needs_cc
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"linker": "no-such-cc"}, "there is no no-such-cc"),
        ({"triple": "potato-unknown-none"}, "LLVM knows no target 'potato-unknown-none'"),
        ({"triple": "riscv64-linux-musl"}, "there is no riscv64-linux-musl-gcc"),
    ],
)
def test_what_is_missing_is_said(options, said, tmp_path):
    with pytest.raises(CppError, match=said):
        wg.export_shared(np.sin, 1.0, what="value", directory=tmp_path, **options)
    assert not list(tmp_path.iterdir())


@needs_cc
def test_functions_of_python_are_refused_with_the_users_line(tmp_path):
    with pytest.raises(CppError, match=r"test_shared.py:\d+: value: .*fft has no machine code"):
        wg.export_shared(
            lambda x: np.abs(np.fft.fft(x)), np.ones(4), what="value", directory=tmp_path
        )
    with pytest.raises(CppError, match="j0 is a function of SciPy's"):
        wg.export_shared(special.j0, np.ones(4), what="value", directory=tmp_path)
