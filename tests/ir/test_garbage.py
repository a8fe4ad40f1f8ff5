"""The collector of garbage stands still while programs are made, and is as it was afterwards."""

import gc

import numpy as np
import pytest

import wengert as wg
from wengert.ir import garbage


def test_nothing_is_looked_through_inside_and_all_is_as_before_outside():
    assert gc.isenabled()
    with garbage.kept():
        assert not gc.isenabled()
        with garbage.kept():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_the_user_stopped_stays_stopped():
    gc.disable()
    try:
        with garbage.kept():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_trace_that_fails_leaves_the_collector_running():
    seen = []

    def bad(x):
        seen.append(gc.isenabled())
        raise KeyError("no such thing")

    with pytest.raises(KeyError):
        wg.jit(bad)(np.ones(3))
    assert seen == [False]
    assert gc.isenabled()
