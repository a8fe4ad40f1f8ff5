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


def test_names_that_were_imported_before_us_are_known():
    code = (
        "import numpy as np\n"
        "from scipy.linalg import cho_factor, cho_solve as solved\n"
        "from scipy.special import gammaln, logsumexp, erf\n"
        "from scipy.fft import dct\n"
        "import wengert as wg\n"
        "def f(x):\n"
        "    A = np.diag(x) + 1\n"
        "    return logsumexp(solved(cho_factor(A), x)) + np.sum(dct(x) ** 2) + gammaln(x[0]) + erf(x[1])\n"
        "x = np.array([1.0, 2.0, 3.0])\n"
        "h = 1e-6 * np.eye(3)\n"
        "slope = [(f(x + d) - f(x - d)) / 2e-6 for d in h]\n"
        "print(np.abs(wg.grad(f)(x) - slope).max() < 1e-7)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"
