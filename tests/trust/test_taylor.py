"""Limits are proved by power series where a common factor cancels, and called inferred where not."""

import numpy as np
import pytest
from scipy import special

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def asked(f, *xs, **policy):
    with wg.trust.policy(**{"action": "record", **policy}), np.errstate(all="ignore"):
        g = wg.grad(f, tuple(range(len(xs))), trust="repair")(*xs)
    return g, wg.last_report()


PROVED = {
    "sinc": (lambda x: np.sin(x) / x, [0.0], [0]),
    "bernoulli": (lambda x: x / (np.exp(x) - 1), [0.0], [-0.5]),
    "log at one": (lambda x: np.log(x) / (x - 1), [1.0], [-0.5]),
    "form factor": (lambda x: 3 * (np.sin(x) - x * np.cos(x)) / x**3, [0.0], [0]),
    "logarithmic mean": (lambda x, y: (x - y) / (np.log(x) - np.log(y)), [1.0, 1.0], [0.5, 0.5]),
    "annuity": (lambda x: (1 - (1 + x) ** -30.0) / x, [0.0], [-465]),
    "tanh over": (lambda x: np.tanh(x) / x + np.arctan(x) / x, [0.0], [0]),
    "error function": (lambda x: special.erf(x) / x, [0.0], [0]),
    "shifted root": (lambda x: (np.sqrt(1 + x) - 1) / x, [0.0], [-0.125]),
    "elements that moved": (lambda x: (np.expm1(x[::-1]) / x[::-1])[0], [np.array([0.3, 0.0])], [[0, 0.5]]),
    "a branch beside": (lambda x: np.where(x < 1, np.sin(x) / x, 0.0), [0.0], [0]),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVED)
def test_removable_singularities_are_proved(name):
    f, xs, want = PROVED[name]
    got, report = asked(f, *xs)
    assert np.allclose(np.concatenate([np.ravel(g) for g in got]), np.ravel(np.array(want, float)))
    settled = [
        c for c in report.components if c.how in ("limit", "confirmed") and "removable" in c.cause
    ]
    assert settled
    assert all(c.proved for c in settled)
    assert report.trusted
    if any(c.how == "limit" for c in settled):
        assert "by its limit, proved" in str(report)


INFERRED = {
    "a root that was squared": (lambda x: np.sqrt(x) ** 2, 0.0, 1),
    "poles that cancel": (lambda x: np.cosh(x) / np.sinh(x) - 1 / x, 0.0, 1 / 3),
    "a root of a square": (lambda x: np.sqrt(x * x * x * x) / x, 0.0, 1),
    "kinks that meet": (lambda x: np.maximum(np.maximum(x, 2 * x), 3 * x), 0.0, 2),
}


@pytest.mark.parametrize("name", INFERRED)
def test_what_is_not_proved_is_called_inferred(name):
    f, x, want = INFERRED[name]
    (got,), report = asked(f, x)
    assert got == pytest.approx(want, abs=1e-12)
    assert not report.components[0].proved


def test_beside_a_0_by_0_that_stays_it_is_inferred():
    (along, across), report = asked(lambda x, y: (1 - (1 + x) ** -y) / x, 0.0, 30.0)
    assert (along, across) == (-465, 1)
    assert [c.proved for c in report.components] == [True, False]  # (0/0 wherever y goes)


def test_explanations_say_so_too():
    proved = wg.explain(lambda x: np.sin(x) / x)(0.0)
    assert "limit, proved" in proved.text()
    inferred = wg.explain(lambda x: np.sqrt(x) ** 2)(0.0)
    assert "limit, inferred" in inferred.text()
    assert '"proved": false' in inferred.json()


def test_a_kink_is_not_taken_for_smooth():
    (got,), report = asked(lambda x: np.sin(np.abs(x)) / x, 0.0)  # jumps from -1 to 1
    assert np.isnan(got)
    assert report.flagged[0]
