"""SciPy's modules are furnished whichever module of ours is the first to be imported."""

import subprocess
import sys

import pytest

HERE = [
    "closed_forms",
    "distributions",
    "orthogonal",
    "special",
    "linalg",
    "factors",
    "structured",
    "fft",
]


@pytest.mark.parametrize("name", HERE)
def test_any_module_may_come_first(name):
    code = (
        f"import wengert.scipy_api.{name}, scipy.special, scipy.linalg, scipy.fft\n"
        "import numpy as np, wengert as wg\n"
        "print(wg.grad(lambda x: scipy.special.spence(x) + scipy.special.eval_legendre(2, x))(1.0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "2.0"
