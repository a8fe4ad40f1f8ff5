"""SciPy's modules learn about traced values whenever they are imported, and not before."""

import importlib
import inspect
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.special

import wengert as wg
from wengert.errors import ConcretizationError, UnsupportedError
from wengert.scipy_api.hooks import ROOMS, Finder
from wengert.scipy_api.table import RULES


def told(code):
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_wengert_starts_without_scipy():
    code = "import sys, wengert; print(any(m.split('.')[0] == 'scipy' for m in sys.modules))"
    assert told(code) == ["False"]


SLOPE = "print(wg.grad(lambda x: sc.erf(x) + sc.logsumexp(np.array([x, x])) + sl.det(np.eye(2) * x))(0.0))"


@pytest.mark.parametrize(
    "imports",
    [
        "import wengert as wg; import scipy.special as sc, scipy.linalg as sl",
        "import scipy.special as sc, scipy.linalg as sl; import wengert as wg",
        "import wengert as wg; import scipy; sc = scipy.special; sl = scipy.linalg",
        "import scipy; import wengert as wg; sc = scipy.special; sl = scipy.linalg",
        "import scipy.stats; import wengert as wg; import scipy.special as sc, scipy.linalg as sl",
    ],
)
def test_the_order_of_imports_does_not_matter(imports):
    found = told(f"import numpy as np; {imports}; {SLOPE}")
    np.testing.assert_allclose(float(found[0]), 2 / np.sqrt(np.pi) + 1, rtol=1e-15)


def test_many_threads_may_import_at_once():
    code = """
import threading, numpy as np, wengert as wg
def work():
    from scipy.special import logsumexp
    from scipy.fft import dct
    found.append(float(np.sum(wg.grad(lambda x: logsumexp(dct(x)))(np.ones(3)))))
found = []
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(found), len(set(found)))
"""
    assert told(code) == ["8", "1"]


def test_a_reloaded_module_is_furnished_again():
    code = """
import importlib, numpy as np, wengert as wg, scipy.fft
importlib.reload(scipy.fft)
print(wg.grad(lambda x: np.abs(scipy.fft.fft(x)[0]))(np.ones(2)))
"""
    assert told(code) == ["[1.", "1.]"]


def test_the_loader_steps_back():
    for name in ROOMS:
        spec = importlib.util.find_spec(name)
        assert type(sys.modules[name].__spec__.loader).__name__ != "Furnisher"
        assert spec is not None


def test_the_finder_knows_nothing_of_other_modules():
    assert Finder().find_spec("scipy.optimize", None) is None
    assert Finder().find_spec("numpy", None) is None


@pytest.mark.parametrize("name", ["solve", "expm", "schur"])
def test_a_wrapped_function_stays_what_it_was(name):
    function = getattr(scipy.linalg, name)
    original = function.__wengert_original__
    assert pickle.loads(pickle.dumps(function)) is function
    assert inspect.signature(function) == inspect.signature(original)
    assert function.__doc__ == original.__doc__
    assert function.__name__ == name
    np.testing.assert_array_equal(
        scipy.linalg.inv(np.diag([2.0, 4.0])),
        scipy.linalg.inv.__wengert_original__(np.diag([2.0, 4.0])),
    )


def test_every_rule_stands_at_a_name_of_scipy():
    for name in RULES:
        module, _, function = name.rpartition(".")
        if hasattr(sys.modules[module], function):  # some came with a later SciPy, some have gone
            assert hasattr(getattr(sys.modules[module], function), "__wengert_original__"), name


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: scipy.linalg.schur(x)[0][0, 0], "scipy.linalg.schur"),
        (lambda x: scipy.special.mathieu_a(1, x[0, 0]), "scipy.special.mathieu_a"),
        (lambda x: scipy.linalg.ldl(x)[0], "scipy.linalg.ldl"),
        (lambda x: scipy.linalg.expm_cond([[x[0, 0]]]), "scipy.linalg.expm_cond"),
    ],
)
def test_a_function_without_a_rule_refuses_by_its_name(f, name):
    with pytest.raises(UnsupportedError, match=name) as caught:
        wg.grad(f)(np.eye(2))
    assert "test_hooks.py" in str(caught.value)


def test_a_module_without_rules_refuses_by_the_name_of_the_function():
    from scipy.integrate import simpson

    with pytest.raises(ConcretizationError, match=r"test_hooks.*scipy.integrate.simpson"):
        wg.grad(lambda x: simpson(x))(np.ones(5))


def test_a_function_taken_before_wengert_says_so():
    solve = scipy.linalg.solve.__wengert_original__
    with pytest.raises(
        ConcretizationError, match=r"import wengert first, or call scipy\.linalg\.solve"
    ):
        wg.grad(lambda x, solve=solve: np.sum(solve(x, np.ones(2))))(np.eye(2))
    seen = wg.grad(lambda x: np.sum(solve(x, np.ones(2))))(np.eye(2))  # (it is a variable of ours)
    np.testing.assert_array_equal(seen, -np.ones((2, 2)))


def test_another_thread_without_traces_gets_plain_arrays():
    found = []
    done = threading.Event()

    def plain():
        while not done.is_set():
            found.append(type(scipy.special.logsumexp(np.ones(3))))

    thread = threading.Thread(target=plain)
    thread.start()
    for _ in range(20):
        wg.grad(lambda x: scipy.special.logsumexp(x))(np.ones(3))
    done.set()
    thread.join()
    assert set(found) == {np.float64}


def test_duals_and_tapes_go_through_the_same_door():
    x = wg.AutoDiffScalar(np.array([1.0, 2.0]), np.eye(2))
    np.testing.assert_allclose(
        scipy.special.logsumexp(x).derivatives(), scipy.special.softmax([1.0, 2.0])
    )
    v = wg.Variable(np.array([1.0, 2.0]))
    with wg.GradientTape() as tape:
        y = scipy.special.logsumexp(v)
    np.testing.assert_allclose(tape.gradient(y, v), scipy.special.softmax([1.0, 2.0]))
