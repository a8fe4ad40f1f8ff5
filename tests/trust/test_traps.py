"""Traps: what is right is given, what has no slope is flagged, and nothing is wrong and unsaid."""

import numpy as np
import pytest
from tests.trust.traps import FLAGGED, TRAPS, between

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore")


def asked(name, level, compiled=False):
    """Slopes, and which of them are said to be wrong."""
    function, arguments, _ = TRAPS[name]
    gradient = wg.grad(function, tuple(range(len(arguments))), trust=level)
    gradient = wg.jit(gradient) if compiled else gradient
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        slopes = gradient(*arguments)
    flagged = wg.last_report().flagged
    slopes = np.concatenate([np.ravel(s) for s in slopes]).astype(float)
    said = np.concatenate([np.ravel(f) for f in flagged]) | np.isnan(slopes)
    return slopes, said


def right(name, slopes):
    """Which of the slopes are right."""
    _, arguments, want = TRAPS[name]
    if isinstance(want, between):
        return (slopes >= want.low - 1e-9) & (slopes <= want.high + 1e-9)
    wanted = np.ravel(np.array(want, object))
    size = max((abs(w) for w in wanted if w is not None and np.isfinite(w)), default=0) or 1
    tolerance = 1e-2 if arguments[0].dtype == np.float32 else 1e-3
    return np.array(
        [
            w is None or s == w or abs(s - w) <= tolerance * (abs(w) or 1e-3 * size)
            for s, w in zip(slopes, wanted, strict=True)
        ]
    )


def modes():
    """Every trap as it is called from Python; some of them compiled, all of them at night."""
    for n, name in enumerate(TRAPS):
        yield pytest.param(name, False, id=name)
        marks = () if n % 6 == 0 else (pytest.mark.nightly,)
        yield pytest.param(name, True, id=f"{name}, compiled", marks=marks)


@pytest.mark.parametrize(("name", "compiled"), list(modes()))
def test_a_trap_is_repaired_or_told(name, compiled):
    slopes, said = asked(name, "repair", compiled)
    if TRAPS[name].want is FLAGGED:
        assert said.any()
    else:
        assert not said.any()
        assert right(name, slopes).all(), slopes


@pytest.mark.parametrize("name", [n for n, t in TRAPS.items() if t.want is not FLAGGED])
def test_nothing_is_wrong_and_unsaid_under_check(name):
    slopes, said = asked(name, "check")
    assert (right(name, slopes) | said).all(), slopes
