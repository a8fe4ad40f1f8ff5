"""wg.explain: the guilty line, the class of the cause, and what to write instead: three of every class."""

import inspect
import json

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.trust.explain import causes

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


# fmt: off
def softplus(x):
    e = np.exp(x)                                  # guilty
    return np.log(1 + e)


def logsumexp(x):
    return np.log(np.sum(np.exp(x)))               # guilty


def logistic(x):
    return np.exp(x) / (1 + np.exp(x))             # guilty


def length(x, y):
    return np.sqrt(x * x + y * y)                  # guilty


def ratio(x, y):
    a = x * x                                      # guilty
    return a / (a + y * y)


def geometric(x):
    p = np.prod(x)                                 # guilty
    return np.log(p)


def zero_times_huge(x):
    return x * np.exp(1 / x)                       # guilty


def times_log(x):
    y = np.log(x)
    return x * y                                   # guilty


def times_pole(x):
    return x**2 * (1 / x)                          # guilty


def sinc(x):
    return np.sin(x) / x                           # guilty


def quotient(x):
    return (x * x - 1) / (x - 1)                   # guilty


def exprel(x):
    return (np.exp(x) - 1) / x                     # guilty


def infinities(x):
    return 1 / x - 1 / x**2                        # guilty


def logs(x):
    return np.log(x) - np.log(x * x)               # guilty


def cotangents(x):
    return 1 / np.tan(x) - 1 / x                   # guilty


def versine(x):
    return (1 - np.cos(x)) / x**2                  # guilty


def roots(x):
    return np.sqrt(x + 1) - np.sqrt(x)             # guilty


def variance(x):
    return np.mean(x**2) - np.mean(x) ** 2         # guilty


def quadratic(a, b, c):
    d = np.sqrt(b * b - 4 * a * c)
    return (-b + d) / (2 * a)                      # guilty


def flat(x):
    return np.log(1 - np.tanh(x) ** 2)             # guilty


def tail(x):
    return np.log(1 - special.erf(x))              # guilty


def there_and_back(x):
    y = np.tanh(x)
    return np.arctanh(y)                           # guilty


def log_edge(x):
    return x * 0.5 + np.log(x)                     # guilty


def arcsine(x):
    return np.arcsin(x)                            # guilty


def root_of_negative(x):
    return np.sqrt(x - 2)                          # guilty


def pole(x):
    return 3 / x                                   # guilty


def absolute(x):
    return np.abs(x) + 2 * x                       # guilty


def hinge(x):
    return np.maximum(x, 3 * x) + x                # guilty


def relu(x):
    y = 2 * x
    return np.maximum(y, 0.0)                      # guilty


def square_root(x):
    return 1 + np.sqrt(x)                          # guilty


def cube_root(x):
    return x ** (1 / 3)                            # guilty


def arccosine(x):
    return 2 * np.arccos(x)                        # guilty


def squared_root(x):
    return np.sqrt(x) ** 2                         # guilty


def masked_log(x):
    m = (x > 0) * 1.0
    return m * np.log(x)                           # guilty


def masked_root(x):
    positive = x >= 0
    return positive * np.sqrt(x) + x               # guilty


def masked_quotient(x):
    mask = np.where(x == 0, 0.0, 1.0)
    return mask * (x / x)                          # guilty


def large_angle(x):
    y = x * x
    return np.sin(y)                               # guilty


def fast_wave(x):
    e = np.exp(x)
    return 2 + np.cos(e)                           # guilty


def nearly_singular(a):
    b = np.ones(2)
    return np.sum(np.linalg.solve(a, b) * np.arange(2.0))   # guilty


def vector(a):
    w, v = np.linalg.eigh(a)                       # guilty
    return np.sum(v[:, 0] * np.arange(len(w)))


def singular(a):
    u, s, vt = np.linalg.svd(a)                    # guilty
    return u[0, 0] + s[0] * vt[0, 1]


def weighted(a):
    w, v = np.linalg.eigh((a + a.T) / 2)           # guilty
    return np.sum(v[:, -1] ** 4) + w[0]


def at_zero(x):
    if x == 0:                                     # guilty
        return 0.0 * x
    return x


def special_case(x):
    if x == 1:                                     # guilty
        return 1.0 + 0.0 * x
    return np.log(x) / (x - 1)


def skips(x):
    s = 0.0 * x
    if x != 0:                                     # guilty
        s = s + 3 * x
    return s


def newton(x):
    y = 2.0000001 + 0.0 * x
    while np.abs(y * y - x) > 1e-5:                # guilty
        y = 0.5 * (y + x / y)
    return y


def halving(x):
    y = 1.0 + 0.0 * x
    while y > x:                                   # guilty
        y = y / 2
    return y


def counting(x):
    n = 0.0 * x
    while n < x:                                   # guilty
        n = n + 1
    return n


def rounded(x):
    return np.round(x * 1000.0) / 1000.0           # guilty


def whole(x):
    n = np.floor(x)                                # guilty
    return n * n


def signed(x):
    return 3 * np.sign(x)                          # guilty


def sawtooth(x):
    y = x * x
    return y - np.floor(y)                         # guilty


def stair(x):
    return np.where(x > 1, x + 1, x)               # guilty


def rest(x):
    return x * np.fmod(x, 2.0)                     # guilty


def logistic_map(x):
    for _ in range(100):
        x = 4.0 * x * (1.0 - x)                    # guilty
    return x


def doubling(x):
    for _ in range(60):
        x = np.mod(2.1 * x + np.sin(7 * x), 1.0)   # guilty
    return x


def standard_map(x):
    p = 0.2
    for _ in range(80):
        p = p + 6.0 * np.sin(x)                    # guilty
        x = x + p
    return np.sin(x)
# fmt: on

HUGE = np.array([800.0, 900.0])
CASES = [
    (softplus, (900.0,), causes.OVERFLOW, "np.logaddexp(0, x)"),
    (logsumexp, (HUGE,), causes.OVERFLOW, "logsumexp(x)"),
    (logistic, (800.0,), causes.OVERFLOW, "expit(x)"),
    (length, (3e-200, 4e-200), causes.UNDERFLOW, "np.hypot(x, y)"),
    (ratio, (3e-200, 4e-200), causes.UNDERFLOW, ""),
    (geometric, (np.full(400, 0.1),), causes.UNDERFLOW, "logarithms"),
    (zero_times_huge, (0.0,), causes.INF_TIMES_ZERO, ""),
    (times_log, (0.0,), causes.INF_TIMES_ZERO, ""),
    (times_pole, (0.0,), causes.INF_TIMES_ZERO, ""),
    (sinc, (0.0,), causes.ZERO_BY_ZERO, "np.sinc(x / np.pi)"),
    (quotient, (1.0,), causes.ZERO_BY_ZERO, ""),
    (exprel, (0.0,), causes.ZERO_BY_ZERO, ""),
    (infinities, (0.0,), causes.INF_LESS_INF, ""),
    (logs, (0.0,), causes.INF_LESS_INF, ""),
    (cotangents, (0.0,), causes.INF_LESS_INF, ""),
    (versine, (1e-8,), causes.CANCELLATION, "np.sinc(x / (2 * np.pi))**2 / 2"),
    (roots, (1e14,), causes.CANCELLATION, "np.sqrt(x + 1) + np.sqrt(x)"),
    (variance, (1e8 + np.arange(3.0),), causes.CANCELLATION, "np.mean((x - np.mean(x))**2)"),
    (quadratic, (1.0, 1e8, 1.0), causes.CANCELLATION, ""),
    (flat, (20.0,), causes.SATURATION, "1 / np.cosh(x)**2"),
    (tail, (7.0,), causes.SATURATION, ""),
    (there_and_back, (25.0,), causes.SATURATION, ""),
    (root_of_negative, (1.0,), causes.DOMAIN, ""),
    (pole, (0.0,), causes.DOMAIN, ""),
    (log_edge, (0.0,), causes.DOMAIN, ""),
    (absolute, (0.0,), causes.KINK, "does not exist"),
    (hinge, (0.0,), causes.KINK, "does not exist"),
    (relu, (0.0,), causes.KINK, "does not exist"),
    (sawtooth, (2.0,), causes.JUMP, "jumps"),
    (stair, (1.0,), causes.JUMP, "jumps"),
    (rest, (4.0,), causes.JUMP, "jumps"),
    (square_root, (0.0,), causes.INFINITE, "infinite"),
    (cube_root, (0.0,), causes.INFINITE, "infinite"),
    (arccosine, (1.0,), causes.INFINITE, "infinite"),
    (squared_root, (0.0,), causes.REMOVABLE, "limit"),
    (sinc, (0.0,), causes.REMOVABLE, "np.sinc(x / np.pi)"),
    (quotient, (1.0,), causes.REMOVABLE, ""),
    (masked_log, (-1.0,), causes.DEAD, "np.where(mask, value, 0)"),
    (masked_root, (-1.0,), causes.DEAD, "np.where(mask, value, 0)"),
    (masked_quotient, (0.0,), causes.DEAD, "np.where(mask, value, 0)"),
    (large_angle, (1234567890.1,), causes.CONDITION, "digits of the argument"),
    (fast_wave, (40.0,), causes.CONDITION, "digits of the argument"),
    (nearly_singular, (np.array([[0.1, 0.3], [0.2, np.nextafter(0.6, 1)]]),), causes.CONDITION, "digits of the argument"),
    (vector, (np.eye(3),), causes.SPECTRUM, "arbitrary"),
    (singular, (np.eye(2),), causes.SPECTRUM, "arbitrary"),
    (weighted, (np.diag([1.0, 2.0, 2.0]),), causes.SPECTRUM, "arbitrary"),
    (at_zero, (0.0,), causes.EQUALITY, "this point alone"),
    (special_case, (1.0,), causes.EQUALITY, "this point alone"),
    (skips, (0.0,), causes.EQUALITY, "this point alone"),
    (newton, (4.0,), causes.LOOP, "fixed number of steps"),
    (halving, (0.3,), causes.LOOP, "fixed number of steps"),
    (counting, (2.5,), causes.LOOP, "fixed number of steps"),
    (rounded, (0.4567,), causes.INTEGER, "stop_gradient"),
    (whole, (2.5,), causes.INTEGER, "stop_gradient"),
    (signed, (-1.0,), causes.INTEGER, "stop_gradient"),
    (logistic_map, (0.3,), causes.CHAOS, "no rewriting helps"),
    (doubling, (0.3,), causes.CHAOS, "no rewriting helps"),
    (standard_map, (1.0,), causes.CHAOS, "no rewriting helps"),
]  # fmt: skip


def guilty(f):
    lines, start = inspect.getsourcelines(f)
    return next((start + n for n, text in enumerate(lines) if "# guilty" in text), None)


@pytest.mark.parametrize(
    ("f", "args", "cause", "says"), CASES, ids=[f"{c}-{f.__name__}" for f, _, c, _ in CASES]
)
def test_the_line_the_cause_and_the_way_out_are_told(f, args, cause, says):
    account = wg.explain(f)(*args)
    assert not account.trusted
    found = [q for q in account.findings if q.cause == cause]
    assert found, account.text()
    lines = {q.line.line for q in found}
    assert guilty(f) in lines, account.text()
    assert len(lines) == 1 or f is quadratic, account.text()
    assert any(says in q.suggestion for q in found), account.text()
    assert all(q.line.file == __file__ for q in found)


@pytest.mark.parametrize("cause", causes.CAUSES)
def test_every_class_has_three_cases(cause):
    assert sum(c == cause for _, _, c, _ in CASES) >= 3


HONEST = {
    "smooth": (lambda x: np.sin(x) * np.exp(-x), (0.7,)),
    "a branch that is not taken": (lambda x: np.where(x > 0, np.sqrt(x), 0.0 * x), (-1.0,)),
    "a logarithm that is not taken": (lambda x: np.where(x > 5, x, np.log(5 - x)), (7.5,)),
    "a matrix": (
        lambda a: np.linalg.slogdet(a @ a.T + np.eye(3))[1],
        (np.arange(9.0).reshape(3, 3),),
    ),
    "underflow that does not matter": (lambda x: 1 + np.exp(-x), (800.0,)),
    "a loop": (lambda x: wg.fori_loop(0, 5, lambda k, c: c * x + 1, x), (0.5,)),
}


@pytest.mark.parametrize("name", HONEST)
def test_nothing_is_told_of_what_is_right(name):
    f, args = HONEST[name]
    account = wg.explain(f)(*args)
    assert account.trusted, account.text()
    assert "can be trusted" in str(account)


def test_the_caret_stands_under_the_guilty_expression():
    lines = str(wg.explain(versine)(1e-8)).splitlines()
    n = next(k for k, line in enumerate(lines) if "^" in line)
    shown, carets = lines[n - 1], lines[n]
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "1 - np.cos(x)"
    assert f"test_explain.py:{guilty(versine)}" in lines[n - 2]


def test_wrong_and_certified_numbers_and_the_bits_between():
    (finding,) = [q for q in wg.explain(versine)(1e-8).findings if q.component == "slope in x"]
    assert finding.wrong == wg.grad(versine)(1e-8)
    assert finding.right == -8.333333333333334e-10
    assert finding.bits == 0
    assert "exactly 5.00000e-17" in finding.numbers
    low, high = finding.repair.at
    assert low <= 1e-12
    assert high >= 1e-2
    for x in (low, 1e-8, high):
        again = wg.grad(lambda x: eval(finding.repair.steps[0][2], {"np": np, "x": x}))(x)
        assert wg.grad(versine, trust="repair")(x) == pytest.approx(again, rel=1e-6)


def test_the_repair_speaks_of_the_users_own_names():
    def loss(temperature, energies):
        weights = np.exp(-energies / temperature)
        return np.log(np.sum(weights))

    account = wg.explain(loss)(0.001, np.array([1.0, 2.0]))
    assert not account.trusted
    assert "logsumexp" in account.findings[0].suggestion
    assert "energies" in account.findings[0].suggestion


def test_derivatives_are_explained_as_functions_are():
    account = wg.explain(wg.grad(versine))(1e-8)
    assert [q.component for q in account.findings] == ["slope in x"]
    account = wg.explain(wg.value_and_grad(softplus))(900.0)
    assert [q.component for q in account.findings] == ["value", "slope in x"]
    assert wg.explain(wg.grad(np.sin))(1.0).trusted


def test_ill_conditioned_functions_are_told_how_many_digits_they_need():
    f = lambda x: (x - 1e16) * np.sin(x)
    account = wg.explain(f)(1e16 + 4)
    for finding in account.findings:
        assert finding.cause == causes.CONDITION
        assert "digits of the argument" in finding.suggestion


def test_elements_of_an_array_are_told_apart():
    x = np.array([1.0, 1e-8, 0.5])
    account = wg.explain(lambda x: np.sum((1 - np.cos(x)) / x**2))(x)
    assert "slope in x[1]" in {q.component for q in account.findings}
    assert "slope in x[0]" not in {q.component for q in account.findings}


def test_as_json():
    data = json.loads(wg.explain(softplus)(900.0).json())
    first = data["findings"][0]
    assert first["cause"] == "overflow"
    assert first["line"] == guilty(softplus)
    assert first["repair"][0]["after"] == "np.logaddexp(0, x)"
    assert first["computed"] == "inf"
    assert first["true"] == 900.0
    assert max(row["bits_lost"] for row in data["lines"]) == 53


def test_as_a_page_that_stands_alone():
    page = wg.explain(versine)(1e-8)._repr_html_()
    assert "<mark>1 - np.cos(x)</mark>" in page
    assert "<svg" in page
    assert "bits" in page
    assert "http" not in page


def test_colour_is_for_terminals():
    account = wg.explain(versine)(1e-8)
    assert "\x1b[" in account.text(color=True)
    assert "\x1b[" not in str(account)


def test_a_function_that_ignores_its_arguments_is_an_error():
    with pytest.raises(wg.errors.InputError, match="do not depend"):
        wg.explain(lambda x: 3.0)(1.0)


def batched(x):
    def one(t):
        e = np.exp(t)  # guilty
        return np.log(1 + e)

    return np.sum(wg.vmap(one)(x))


@wg.jit
def compiled(x):
    y = 1 - np.cos(x)  # guilty
    return y / x**2


@pytest.mark.parametrize(("f", "x"), [(batched, np.array([1.0, 900.0])), (compiled, 1e-8)])
def test_lines_inside_of_batches_and_compiled_functions_are_named(f, x):
    account = wg.explain(f)(x)
    assert {q.line.line for q in account.findings} == {guilty(getattr(f, "fun", f))}


def test_elements_beside_a_kink_are_not_told_of():
    account = wg.explain(lambda x: np.sum(np.abs(x) + x))(np.array([0.0, 1.0]))
    assert [q.component for q in account.findings] == ["slope in x[0]"]
    account = wg.explain(lambda x: np.sum(np.where(x > 1, np.log(x - 1), np.sqrt(1 - x))))(
        np.array([0.5, 1.0, 2.0])
    )
    assert {q.component for q in account.findings if "slope" in q.component} == {"slope in x[1]"}


def test_a_repair_of_several_steps_is_a_function_to_paste():
    finding = wg.explain(quadratic)(1.0, 1e8, 1.0).findings[0]
    code = finding.repair.code
    assert code in finding.suggestion.replace("    ", "")
    space = {"np": np}
    body = "\n".join(f"    {line}" for line in code.splitlines())
    exec(f"def pasted(a, b, c):\n{body}", space)
    assert space["pasted"](1.0, 1e8, 1.0) == pytest.approx(-1e-8, rel=1e-12)
    slopes = wg.grad(space["pasted"], (0, 1, 2))(1.0, 1e8, 1.0)
    assert slopes == pytest.approx((-1e-24, 1e-16, -1e-8), rel=1e-10, abs=0)


def test_functions_of_one_structure_have_their_own_lines():
    def first(x):
        return (1 - np.cos(x)) / x**2

    def second(x):
        return (1 - np.cos(x)) / x**2

    places = [wg.explain(f)(1e-8).findings[-1].line for f in (first, second)]
    assert [place.function for place in places] == ["first", "second"]
    assert places[0].line == first.__code__.co_firstlineno + 1
    assert places[1].line == second.__code__.co_firstlineno + 1


def test_conventions_at_kinks_are_called_so():
    account = wg.explain(np.abs)(0.0)
    assert "1 of 2 numbers by convention" in account.text()
    assert "a convention: there is no derivative here" in account.text()
    assert "truth" not in account.text()


def test_results_of_other_shapes_than_their_arguments():
    f = lambda v: np.abs(np.fft.rfft(v))[1]
    account = wg.explain(f)(np.ones(4, np.float32))  # its transpose takes three numbers to four
    assert {q.cause for q in account.findings} == {causes.KINK}


def test_terms_that_cancel_in_the_reals_are_still_named_where_floats_lose_them():
    def f(x, y):
        total = x + y
        return (total - y) ** 2  # guilty

    account = wg.explain(f)(1e-9, 1e8)
    assert {q.cause for q in account.findings} == {causes.CANCELLATION}
    assert {q.line.text.strip().endswith("# guilty") for q in account.findings} == {True}
