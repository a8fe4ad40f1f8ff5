"""The slopes in the table of special points (`tests/laws/edges_scipy.py`) are mpmath's, not only our own."""

import math

import pytest
from tests.laws.edges_scipy import SCIPY_EDGES

mp = pytest.importorskip("mpmath")

TRUTH = {
    "expit": lambda x: 1 / (1 + mp.exp(-x)),
    "logit": lambda x: mp.log(x / (1 - x)),
    "log_expit": lambda x: -mp.log(1 + mp.exp(-x)),
    "entr": lambda x: -x * mp.log(x),
    "exprel": lambda x: mp.expm1(x) / x if x else mp.mpf(1),
    "exp10": lambda x: mp.mpf(10) ** x,
    "cosm1": lambda x: mp.cos(x) - 1,
    "sindg": lambda x: mp.sin(x * mp.pi / 180),
    "cosdg": lambda x: mp.cos(x * mp.pi / 180),
    "tandg": lambda x: mp.tan(x * mp.pi / 180),
    "gamma": mp.gamma,
    "gammaln": lambda x: mp.log(abs(mp.gamma(x))),
    "rgamma": mp.rgamma,
    "psi": mp.digamma,
    "j0": lambda x: mp.besselj(0, x),
    "j1": lambda x: mp.besselj(1, x),
    "i0": lambda x: mp.besseli(0, x),
    "i1": lambda x: mp.besseli(1, x),
    "i0e": lambda x: mp.exp(-abs(x)) * mp.besseli(0, x),
    "i1e": lambda x: mp.exp(-abs(x)) * mp.besseli(1, x),
    "airy_ai": mp.airyai,
    "airy_bi": mp.airybi,
    "airy_aip": lambda x: mp.airyai(x, derivative=1),
    "airy_bip": lambda x: mp.airybi(x, derivative=1),
    "ellipk": mp.ellipk,
    "ellipkm1": lambda p: mp.ellipk(1 - p),
    "ellipe": mp.ellipe,
    "exp1": mp.e1,
    "expi": mp.ei,
    "sici_si": mp.si,
    "sici_ci": mp.ci,
    "shichi_shi": mp.shi,
    "shichi_chi": mp.chi,
    "spence": lambda x: mp.polylog(2, 1 - x),
    "wrightomega": lambda x: mp.lambertw(mp.exp(x)),
}
ENDLESS = 800  # what grows without end, be it as a logarithm, is larger so near to the point
ROWS = [
    pytest.param(name, *row, id=f"{name}({row[0]})")
    for name in TRUTH
    for row in SCIPY_EDGES[name]
    if row[2] is not None and math.isfinite(row[0])
]


def slopes(f, x):
    """The slopes at a number from each side that has one, measured in 420 digits."""
    h = mp.mpf(10) ** -370
    found = []
    for side in (h, -h):
        near, far = x + side, x + 2 * side
        try:
            rise = (f(far) - f(near)) / side
        except (ValueError, ZeroDivisionError):
            continue
        if not isinstance(rise, mp.mpc) or abs(rise.imag) <= abs(rise.real) * mp.mpf(10) ** -30:
            found.append(mp.re(rise))
    return found


@pytest.mark.parametrize(("name", "x", "value", "slope"), ROWS)
def test_the_slope_of_the_table_is_the_slope_in_many_digits(name, x, value, slope):
    with mp.workdps(420):
        sides = slopes(TRUTH[name], mp.mpf(x))
        assert sides
        if math.isinf(slope):
            assert max(abs(s) for s in sides) > ENDLESS
            assert any(mp.sign(s) == math.copysign(1, slope) for s in sides)
        else:
            mean = sum(sides) / len(sides)
            close = [
                abs(s - slope) <= 1e-13 * abs(mp.mpf(slope)) + mp.mpf(10) ** -300
                for s in (mean, *sides)
            ]
            assert any(close), (slope, [mp.nstr(s, 20) for s in sides])
