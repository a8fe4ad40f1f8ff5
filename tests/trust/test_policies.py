"""Policies, and what is done about numbers that are flagged."""

import warnings
from threading import Thread

import numpy as np
import pytest

import wengert as wg
from wengert.errors import InputError, TrustError, TrustWarning
from wengert.trust import policies, verdict


def report(flagged, repaired=False, **policy):
    one = lambda b: [np.array([b, False])]
    parts = [verdict.Component(0, (0,), 1.0, 2.0, "" if flagged else "balls", "cancellation", 64)]
    with wg.trust.policy(**policy) as p:
        return verdict.Report("grad(f)", "repair", p, one(flagged), one(repaired), one(True), components=parts)  # fmt: skip


@pytest.fixture(autouse=True)
def fresh():
    verdict.forget()


def test_a_policy_holds_inside_and_keeps_what_is_not_given():
    with wg.trust.policy(tolerance=1e-6, at_kink="left"):
        with wg.trust.policy(action="raise") as inner:
            assert (inner.action, inner.tolerance, inner.at_kink) == ("raise", 1e-6, "left")
        assert policies.current().action == "warn"
    assert policies.current() == policies.Policy()


@pytest.mark.parametrize(
    "given",
    [{"action": "shout"}, {"at_kink": "up"}, {"tolerance": 0}, {"tolerance": "a"}, {"budget": -1.0},
     {"tolerance": float("nan")}],
)  # fmt: skip
def test_unknown_settings_are_refused(given):
    with pytest.raises(InputError, match="policy: "), wg.trust.policy(**given):
        pass
    assert policies.current() == policies.Policy()


def test_a_policy_belongs_to_its_thread():
    seen = []
    with wg.trust.policy(action="raise"):
        worker = Thread(target=lambda: seen.append(policies.current().action))
        worker.start()
        worker.join()
    assert seen == ["warn"]


def test_tolerances_by_dtype():
    assert policies.Policy().tolerated(np.float64) == 1e-3
    assert policies.Policy().tolerated(np.float32) == 1e-2
    assert policies.Policy(tolerance=1e-9).tolerated(np.float32) == 1e-9


def test_flags_warn_once_per_place_and_tell_the_component():
    def here():
        verdict.deliver(report(True))

    with pytest.warns(TrustWarning, match=r"leaf 0\[0\]: 1 cannot be trusted \(cancellation\)"):
        here()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        here()


def test_a_repair_is_said_too():
    with pytest.warns(TrustWarning, match="1 was wrong, 2 is right, certified with 64 bits"):
        verdict.deliver(report(False, True))


def test_raising_and_recording():
    with pytest.raises(TrustError, match="cannot be trusted"):
        verdict.deliver(report(True, action="raise"))
    assert not wg.last_report().trusted
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        verdict.deliver(report(True, action="record"))
        verdict.deliver(report(False, action="raise"))  # nothing is flagged
    assert wg.last_report().trusted
    assert wg.last_report().count(wg.last_report().suspected) == 1
