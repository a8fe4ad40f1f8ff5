"""Arguments that nothing is differentiated by are looked at too: what is computed of them alone can be wrong."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
lse = lambda x, y: np.log(np.exp(x) + np.exp(y))
SHARE = 1 / (1 + np.exp(-1.0))

CALLS = {
    "grad": lambda trust: wg.grad(lse, trust=trust)(1000.0, 999.0),
    "by keyword": lambda trust: wg.grad(lse, trust=trust)(1000.0, y=999.0),
    "jacobian": lambda trust: wg.jacfwd(lse, trust=trust)(1000.0, 999.0),
    "compiled": lambda trust: wg.jit(wg.grad(lse, trust=trust))(1000.0, 999.0),
    "batch": lambda trust: wg.vmap(wg.grad(lse, trust=trust))(np.array([1000.0]), np.array([999.0]))[0],
    "value": lambda trust: wg.value_and_grad(lse, trust=trust)(1000.0, 999.0)[1],
    "arrays": lambda trust: wg.grad(lambda x, p: lse(x, p["y"])[0], trust=trust)(1000.0, {"y": np.array([999.0])}),
    "single precision": lambda trust: wg.grad(lse, trust=trust)(np.float32(100), np.float32(99)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_they_are_flagged_and_settled(name):
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        assert CALLS[name]("repair") == pytest.approx(SHARE)
        assert wg.last_report().trusted
        CALLS[name]("check")
        assert not wg.last_report().trusted


def test_functions_that_ask_for_plain_numbers_get_them():
    f = lambda x, n, mode: x ** int(n) * float(n) if mode == "power" else x
    for trust in ("check", "repair"):
        assert wg.grad(f, trust=trust)(2.0, 3.0, "power") == 36
    assert wg.certify(wg.grad(f))(2.0, 3.0, "power").value == 36


def test_their_lines_and_names_are_told():
    found = wg.explain(wg.grad(lse, 1))(1000.0, 999.0).findings[0]
    assert found.cause == "overflow"
    assert "np.logaddexp(x, y)" in found.suggestion


def test_certificates_hold_for_them():
    found = wg.certify(wg.grad(lambda x, y: x * np.exp(y)))(1.0, 0.3)
    with mpmath.workdps(60):
        exact = mpmath.exp(mpmath.mpf(0.3))
        assert found.lower <= exact <= found.upper
        assert found.value == float(exact)
    third = wg.certify(wg.grad(wg.grad(lambda x, y: x * x * (y / 3))))(1.0, 0.7)
    assert third.value == float(2 * Fraction(0.7) / 3)
