"""Constants that the rules of derivatives have rounded: they count as rounded, and are not taken for the user's."""

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.trust.constants import radius_of

pytestmark = pytest.mark.filterwarnings("ignore")

THIRD = 1 / 3

# what cancels but for the roundings of constants
FUNCTIONS = {
    "a rounded third beside the user's": lambda x: x / 3 - x * THIRD,
    "thirds and sixths": lambda x: x / 3 + x / 6 - x / 2,
    "a tenth and back": lambda x: (x / 0.1) * 0.1 - x + x * x * 1e-20,
    "roots whose exponents add up": lambda x: x ** (1 / 3) * x ** (2 / 3) - x,
    "five sixths": lambda x: ((1 + 0.2 * x * x) / 1.2) ** 3 / x,
}


def asked(gradient, x):
    with wg.trust.policy(action="record"):
        return gradient(x), wg.last_report()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("format", [np.float64, np.float32])
@pytest.mark.parametrize("compiled", [False, True])
def test_what_a_rule_has_rounded_counts_as_rounded(name, format, compiled):
    f, x = FUNCTIONS[name], format(0.7)
    right = wg.certify(wg.grad(f))(x).value
    ask = lambda level: (wg.jit if compiled else lambda g: g)(wg.grad(f, trust=level))
    slope, report = asked(ask("repair"), x)
    assert report.trusted
    assert slope == pytest.approx(right, rel=1e-3, abs=0)
    slope, report = asked(ask("check"), x)
    assert not report.trusted or slope == pytest.approx(right, rel=1e-2, abs=0)


@pytest.mark.parametrize("x", [50.0, 64.0, 100.0])
def test_a_turn_of_many_half_circles_ends_at_zero_also_in_single_precision(x):
    for format in (np.float64, np.float32):
        g = wg.grad(lambda x: special.fresnel(x)[0], trust="repair")
        assert asked(g, format(x))[0] == 0


def test_short_numbers_and_whole_numbers_are_exact():
    assert radius_of(np.float64(0.375)) is None
    assert radius_of(np.float64(123456789)) is None
    assert 0 < radius_of(np.float64(0.1)) < 1e-16
    assert 0 < radius_of(np.float32(0.1)) < 1e-7
    assert radius_of(np.int64(3)) is None
