"""Large programs under trust: what balls and wide formats cannot do in time is flagged, not waited for."""

from time import perf_counter

import numpy as np

import wengert as wg
from wengert.trust.effort import operations


def loss(w, x):
    return np.sum((np.tanh(x @ w) - 1) ** 2 * 1e-30 - 1e-30)


def test_operations_count_inner_loops():
    w, x = np.ones((200, 300)), np.ones((100, 200))
    count = operations(wg.program(loss)(w, x))
    assert 100 * 200 * 300 < count < 2 * 100 * 200 * 300
    assert operations(wg.program(lambda x: np.sin(x) + 1)(np.ones(50))) == 100


def test_large_programs_are_flagged_within_the_budget():
    draw = np.random.default_rng(0)
    w, x = draw.standard_normal((400, 300)) * 0.05, draw.standard_normal((300, 400))
    with wg.trust.policy(action="record", tolerance=1e-14, budget=1.0):
        start = perf_counter()
        wg.grad(loss)(w, x)
        wg.grad(loss, trust="check")(w, x)
        assert perf_counter() - start < 30
    report = wg.last_report()
    assert not report.trusted
    assert "too large for balls" in report.components[0].cause
    assert np.max(report.bounds[0]) > 1e-14
