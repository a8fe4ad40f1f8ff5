"""Every question to a tape is looked at under trust: gradients, Jacobians, and Jacobians of examples."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import TrustError

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def asked(kind, f, x, level, **policy):
    with wg.trust.policy(**{"action": "record", **policy}), np.errstate(all="ignore"):
        x = wg.Variable(x)
        with wg.GradientTape(trust=level) as tape:
            y = f(x)
        return getattr(tape, kind)(y, x), wg.last_report()


versine = lambda x: (1 - np.cos(x)) / x**2
CASES = {
    "cancellation": (versine, 1e-8, -1e-8 / 12),
    "kinks that meet": (lambda x: np.maximum(np.maximum(x, 2 * x), 3 * x), 0.0, 2.0),
    "a zero that stops": (lambda x: np.sqrt(x) ** 2, 0.0, 1.0),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["gradient", "jacobian", "batch_jacobian"])
def test_what_is_wrong_is_flagged_and_settled(kind, name):
    f, at, want = CASES[name]
    x = np.array([[at, 0.77], [0.5, 0.6]])
    take = {"gradient": (0, 0), "jacobian": (0, 0, 0, 0), "batch_jacobian": (0, 0, 0)}[kind]
    got, report = asked(kind, f, x, "repair")
    assert got[take] == pytest.approx(want)
    assert report.trusted
    assert report.what == f"tape.{kind}"
    assert report.count(report.repaired) == 1
    _, report = asked(kind, f, x, "check")
    assert report.count(report.flagged) == 1
    with pytest.raises(TrustError):
        asked(kind, f, x, "check", action="raise")


@pytest.mark.parametrize("kind", ["gradient", "jacobian", "batch_jacobian"])
def test_jumps_are_flagged(kind):
    _, report = asked(kind, lambda x: np.floor(x) * x, np.array([[2.0, 0.77]]), "repair")
    assert report.count(report.flagged) == 1
    assert "jump" in [c.cause for c in report.components]


def test_jacobians_of_examples_that_mix_their_elements():
    f = lambda x: np.stack([x[:, 0] * x[:, 1], versine(x[:, 0]), x[:, 1] ** 2], axis=1)
    x = np.array([[1e-8, 2.0], [0.5, 0.7]])
    got, report = asked("batch_jacobian", f, x, "repair")
    exact = [
        [[2, 1e-8], [-1e-8 / 12, 0], [0, 4]],
        [[0.7, 0.5], [wg.grad(versine)(0.5), 0], [0, 1.4]],
    ]
    assert got == pytest.approx(np.array(exact), rel=1e-6)
    assert [c.index for c in report.components if c.how == "balls"] == [(0, 1, 0)]
    assert report.repaired[0].shape == got.shape
    assert report.repaired[0][0, 1, 0]
