"""trust="repair": what is wrong is settled, what is right is left alone, what stays open is said."""

import threading

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.errors import TrustError, TrustWarning

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def repaired(f, *xs, **policy):
    """Gradients under repair, and the report."""
    with wg.trust.policy(**{"action": "record", **policy}):
        g = wg.grad(f, tuple(range(len(xs))), trust="repair")(*xs)
    return g, wg.last_report()


CASES = {
    # cancellation
    "cosine": (lambda x: (1 - np.cos(x)) / x**2, [1e-8], [-8.333333333333334e-10]),
    "small cube": (lambda x: ((1 + x) - 1) ** 3, [1e-17], [3e-34]),
    "difference of logs": (lambda x: np.log(x + 2) - np.log(x), [1e15], [-2e-30]),
    # overflow, underflow
    "softplus": (lambda x: np.log(1 + np.exp(x)), [900.0], [1.0]),
    "quotient": (lambda x, y: x * x / (x * x + y * y), [3e-200, 4e-200], [2 * 3 * 16 / 625 / 1e-200, -2 * 9 * 4 / 625 / 1e-200]),
    "length": (lambda x, y: np.sqrt(x * x + y * y), [3e-200, 4e-200], [0.6, 0.8]),
    "reciprocal": (lambda x: np.exp(1 / np.exp(x)), [800.0], [0.0]),
    # saturation
    "tail": (lambda x: np.log(1 - special.erf(x)), [7.0], [-14.14008]),
    "inverse": (lambda x: np.arctanh(np.tanh(x)), [25.0], [1.0]),
    # removable singularities
    "sinc": (lambda x: np.sin(x) / x, [0.0], [0.0]),
    "expm1": (lambda x: (np.exp(x) - 1) / x, [0.0], [0.5]),
    "root squared": (lambda x: np.sqrt(x) ** 2, [0.0], [1.0]),
    "harmonic": (lambda x, y: 2 / (1 / x + 1 / y), [0.0, 1.0], [2.0, 0.0]),
    "x² log x": (lambda x: x * x * np.log(x), [0.0], [0.0]),
    # kinks
    "hypotenuse": (lambda x, y: np.sqrt(x * x + y * y), [0.0, 0.0], [0.0, 0.0]),
    "slopes 1 and 3": (lambda x: np.sqrt(x * x) + 2 * x, [0.0], [2.0]),
    # infinite slopes
    "cube root": (lambda x: x ** (1 / 3), [0.0], [np.inf]),
    "arccos": (np.arccos, [1.0], [-np.inf]),
    "x log x": (lambda x: x * np.log(x), [0.0], [-np.inf]),
    # dead branches
    "root of a negative": (lambda x: np.where(x > 0, np.sqrt(x), 0 * x), [-1.0], [0.0]),
    "where by equality": (lambda x: np.where(x == 0, 1 + 0 * x, np.sin(x) / x), [0.0], [0.0]),
    # chaos: right, if one takes the program at its word
    "chaos": (lambda x: _logistic(x, 100), [0.3], [-2.47365573906808e29]),
}  # fmt: skip


def _logistic(x, n):
    for _ in range(n):
        x = 4.0 * x * (1.0 - x)
    return x


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_settled(name):
    f, xs, want = CASES[name]
    got, report = repaired(f, *xs)
    assert got == pytest.approx(want, rel=1e-4, abs=0)
    assert report.trusted
    assert report.level == "repair"


def test_what_is_right_is_left_alone():
    f = lambda x: np.sum(np.sin(x) * np.exp(-x))
    x = np.linspace(0.1, 3, 7)
    (got,), report = repaired(f, x)
    assert np.array_equal(got, wg.grad(f)(x))
    assert report.count(report.repaired) == 0
    assert report.components == []  # nothing was suspected


def test_only_the_wrong_elements_change():
    f = lambda x: np.sum((1 - np.cos(x)) / x**2)
    x = np.array([1.0, 1e-8, 2.0])
    (got,), report = repaired(f, x)
    plain = wg.grad(f)(x)
    assert report.repaired[0].tolist() == [False, True, False]
    assert got[0] == plain[0]
    assert got[2] == plain[2]
    assert got[1] == pytest.approx(-1e-8 / 12)


def test_a_branch_on_equality_takes_another_path_through_python():
    def f(x):
        if x == 0:
            return 0.0 * x
        return np.sin(x)

    assert repaired(f, 0.0)[0] == (1.0,)

    def skipping(a, b):
        total = 0.0 * b
        if a != 0:
            total = total + a * b
        return total

    assert repaired(skipping, 0.0, 3.0)[0] == (3.0, 0.0)


def test_a_branch_that_rounding_decides_is_decided_exactly():
    def f(x):
        return 2 * x if x + 1e-20 > x else -x

    assert wg.grad(f)(1.0) == -1.0
    assert repaired(f, 1.0)[0] == (2.0,)


def test_no_derivative_is_flagged_and_the_number_kept():
    f = lambda x: np.sqrt(np.abs(x))  # infinite slopes of both signs
    (got,), report = repaired(f, 0.0)
    assert report.flagged[0]
    assert not report.trusted
    f = lambda x: x * np.sin(1 / x)
    (got,), report = repaired(f, 0.0)
    assert np.isnan(got)
    assert report.flagged[0]


@pytest.mark.parametrize(
    ("at_kink", "want"), [("mean", 0.0), ("left", -1.0), ("right", 1.0), ("nan", np.nan)]
)
def test_the_policy_at_kinks(at_kink, want):
    for f in (np.abs, lambda x: np.maximum(x, -x), lambda x: np.sqrt(x * x)):
        (got,), _ = repaired(f, 0.0, at_kink=at_kink)
        assert got == pytest.approx(want, nan_ok=True)


def test_raising_at_kinks():
    with pytest.raises(TrustError, match="kink"):
        repaired(np.abs, 0.0, at_kink="raise")
    assert repaired(np.abs, 0.5, at_kink="raise")[0] == (1.0,)


def test_check_flags_and_changes_nothing():
    f = lambda x: (1 - np.cos(x)) / x**2
    with wg.trust.policy(action="record"):
        got = wg.grad(f, trust="check")(1e-8)
    assert got == wg.grad(f)(1e-8)
    assert wg.last_report().flagged[0]
    with pytest.raises(TrustError), wg.trust.policy(action="raise"):
        wg.grad(f, trust="check")(1e-8)


def test_the_tolerance_decides_what_is_wrong():
    f = lambda x: (1 - np.cos(x)) / x**2
    (got,), report = repaired(f, 0.1)  # off by 1e-11
    assert got == wg.grad(f)(0.1)
    (got,), report = repaired(f, 0.1, tolerance=1e-13)
    assert report.repaired[0]
    assert got != wg.grad(f)(0.1)


def test_a_repair_is_said():
    with pytest.warns(TrustWarning, match="was wrong, -8.33333e-10 is right"):
        wg.grad(lambda x: (1 - np.cos(x)) / x**2, trust="repair")(1e-8)


def test_the_budget_ends_the_work_and_leaves_flags():
    f = lambda x: np.sum((1 - np.cos(x)) / x**2)
    _, report = repaired(f, np.full(50, 1e-150), budget=1e-4)
    assert report.flagged[0].any()
    assert report.seconds < 5


def test_only_the_outermost_call_repairs():
    f = lambda x: (1 - np.cos(x)) / x**2
    inner = wg.grad(f, trust="repair")
    with wg.trust.policy(action="record"):
        got = wg.grad(lambda x: inner(x) * 2.0)(1e-5)  # the wish goes to the call around it
    assert got == pytest.approx(-1 / 6, rel=1e-4)
    assert wg.last_report().what.startswith("grad(<lambda>)")


def test_batches_settle_single_examples():
    f = lambda x: np.log(1 + np.exp(x))
    x = np.array([1.0, 900.0, -1.0], dtype=np.float32)
    with wg.trust.policy(action="record"):
        got = wg.vmap(wg.grad(f, trust="repair"))(x)
    plain = wg.vmap(wg.grad(f))(x)
    assert got.dtype == np.float32
    assert got[1] == 1
    assert np.array_equal(got[[0, 2]], plain[[0, 2]])
    assert wg.last_report().repaired[0].tolist() == [False, True, False]
    assert wg.last_report().components[0].index == (1,)


def test_degenerate_eigenvalues_of_gauge_invariant_losses():
    a = np.eye(3)
    f = lambda a: np.sum(np.exp(np.linalg.eigvalsh((a + a.T) / 2)))
    (got,), report = repaired(f, a)
    assert got == pytest.approx(np.e * np.eye(3))

    def g(a):
        w, v = np.linalg.eigh((a + a.T) / 2)
        return np.sum((v * np.exp(w)) @ v.T)

    (got,), report = repaired(g, a)
    assert report.trusted
    assert got == pytest.approx(np.full((3, 3), np.e))


def test_threads_repair_side_by_side():
    results = []

    def work(k):
        x = 10.0**-k
        results.append((x, repaired(lambda x: (1 - np.cos(x)) / x**2, x)[0][0]))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(6, 12)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert len(results) == 6
    for x, g in results:
        assert g == pytest.approx(-x / 12)


def test_complex_gradients_are_settled_too():
    f = lambda z: np.abs((np.exp(z) - 1) / z) ** 2
    with wg.trust.policy(action="record"):
        got = wg.grad(f, trust="repair")(1e-9 + 1e-9j)
    assert got == pytest.approx(1.0, rel=1e-6)


def test_a_function_without_ball_rules_says_so():
    largest = lambda p: np.linalg.eigvals(np.array([[1.0, 2.0], [0.5, 3.0]]) * p).real[0]
    here = largest(0.3)
    f = lambda p: (largest(p) - here) ** 2
    (got,), report = repaired(f, 0.3)
    assert got == wg.grad(f)(0.3)
    assert report.flagged[0]
    assert "no ball rule for eig" in report.components[0].cause


def test_owens_function_is_settled_by_its_integral():
    f = lambda h, a: special.owens_t(h, a) - special.owens_t(h, a + 1e-9)
    found, report = repaired(f, 1e-9, 0.5)
    assert report.trusted
    assert found[0] == pytest.approx(1e-18 / (2 * np.pi), rel=1e-6)
    assert wg.certify(special.owens_t)(1.0, 2.0).value == pytest.approx(
        0.07846818699308411, rel=1e-15
    )


def cosine(x):
    return (1 - np.cos(x)) / x**2


def test_vjp_jvp_jacobians_and_hessians_are_settled():
    x = np.array([1e-8, 1.0])
    right = np.array([-1e-8 / 12, wg.grad(cosine)(1.0)])
    with wg.trust.policy(action="record"):
        _, back = wg.vjp(cosine, x, trust="repair")
        assert back(np.ones(2))[0] == pytest.approx(right)
        assert wg.last_report().repaired[0].tolist() == [True, False]
        value, moved = wg.jvp(cosine, (x,), (np.ones(2),), trust="repair")
        assert moved == pytest.approx(right)
        assert value[0] == pytest.approx(0.5)
        for make in (wg.jacobian, wg.jacfwd, wg.jacrev):
            assert make(cosine, trust="repair")(x) == pytest.approx(np.diag(right))
            assert wg.last_report().repaired[0].tolist() == [[True, False], [False, False]]
        wide = wg.jacobian(lambda t: cosine(t * np.array([1.0, 2.0, 3.0])), trust="repair")(1e-8)
        assert wide == pytest.approx(-np.array([1.0, 4.0, 9.0]) * 1e-8 / 12)
        found = wg.hessian(lambda x: np.sum(cosine(x)), trust="repair")(x)
        assert found[0, 0] == pytest.approx(-1 / 12)
        found = wg.hessian(lambda x: np.sqrt(x @ x) ** 2, trust="repair")(np.zeros(2))
        assert found == pytest.approx(2 * np.eye(2))


def test_values_are_settled_with_their_gradients():
    with wg.trust.policy(action="record"):
        value, slope = wg.value_and_grad(lambda x: np.log(1 + np.exp(x)), trust="repair")(900.0)
    assert (value, slope) == (900.0, 1.0)
    assert [bool(m) for m in wg.last_report().repaired] == [True, True]


def test_compiled_gradients_are_settled():
    with wg.trust.policy(action="record"):
        assert wg.jit(wg.grad(cosine, trust="repair"))(1e-8) == pytest.approx(-1e-8 / 12)


def test_the_tape_settles_its_answers():
    x = wg.Variable([1e-8, 1.0])
    right = [-1e-8 / 12, wg.grad(cosine)(1.0)]
    with wg.trust.policy(action="record"), wg.GradientTape(persistent=True, trust="repair") as tape:
        loss = np.sum(cosine(x))
        ys = cosine(x)
    with wg.trust.policy(action="record"):
        assert tape.gradient(loss, x) == pytest.approx(right)
        assert wg.last_report().repaired[0].tolist() == [True, False]
        assert tape.jacobian(ys, x) == pytest.approx(np.diag(right))
    z = wg.Variable(0.0)
    with wg.GradientTape(trust="repair") as tape:
        y = np.sin(z) / z
    with wg.trust.policy(action="record"):
        assert tape.gradient(y, z) == 0
    assert wg.last_report().components[0].how == "limit"


def test_functions_that_return_more_than_a_number():
    f = lambda x: (np.sin(x) / x, {"seen": x})
    with wg.trust.policy(action="record"):
        assert wg.grad(f, has_aux=True, trust="repair")(0.0) == (0.0, {"seen": 0.0})
        back = wg.vjp(f, 0.0, has_aux=True, trust="repair")[1]
        assert back(1.0) == (0.0,)
        many = lambda x: (np.sin(x) / x, 3, x)
        back = wg.vjp(many, 0.0, trust="repair")[1]
        assert back((1.0, 0, 2.0)) == (2.0,)
        assert wg.jacobian(f, has_aux=True, trust="repair")(0.0)[0] == 0
        assert wg.jvp(f, (0.0,), (1.0,), has_aux=True, trust="repair")[:2] == (1.0, 0.0)


def test_a_function_that_fails_at_other_points_is_left_alone():
    def f(x):
        if x != 0:
            raise KeyError("only at 0")
        return np.sin(x) / x

    _, report = repaired(f, 0.0)
    assert report.flagged[0]


def test_containers_keywords_and_single_precision():
    def f(p, *, scale):
        return scale * np.sum((1 - np.cos(p["x"])) / p["x"] ** 2) + p["y"]

    p = {"x": np.array([1e-4, 1.0], np.float32), "y": np.float32(2)}
    with wg.trust.policy(action="record"):
        g = wg.grad(f, trust="repair")(p, scale=2.0)
    assert g["x"].dtype == np.float32
    assert g["x"][0] == pytest.approx(-2e-4 / 12)
    assert g["y"] == 1


def test_loops_and_branches_that_stay_in_the_program():
    def f(x):
        y = wg.fori_loop(0, 60, lambda k, y: 4.0 * y * (1.0 - y), x)
        return wg.cond(x > 0, lambda y: y, lambda y: -y, y)

    (got,), _ = repaired(f, 0.3)
    assert got == pytest.approx(wg.certify(wg.grad(lambda x: _logistic(x, 60)))(0.3).value)
