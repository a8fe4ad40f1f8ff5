"""Special points as a table: zeros of both signs, infinities, ties, subnormals, and far out.

A row of `EDGES` is arguments, value, slopes: `(x, y, dy/dx)` for one argument, `(x, y, z, dz/dx,
dz/dy)` for two. `free` is not asserted: outside of its domain, where the value is nan already, a
function may have any slope. Numbers that are no formula were computed with mpmath at 60 digits.

`CONVENTIONS` are whole functions of NumPy at their kinks (docs/kinks.md says why).
"""

import math

import numpy as np
from tests.laws.edges_scipy import SCIPY_EDGES

inf, nan, pi = math.inf, math.nan, math.pi
tiny = 5e-324  # the smallest subnormal
free = None
near_one = 0.999999999999999

EDGES: dict[str, list[tuple]] = {
    # ---- arithmetic
    "add": [(0.0, -0.0, 0.0, 1, 1), (inf, -inf, nan, 1, 1), (tiny, tiny, 1e-323, 1, 1), (1e308, 1e308, inf, 1, 1)],
    "sub": [(0.0, -0.0, 0.0, 1, -1), (inf, inf, nan, 1, -1), (tiny, tiny, 0.0, 1, -1), (-inf, 1.0, -inf, 1, -1)],
    "mul": [
        (0.0, -0.0, -0.0, -0.0, 0.0), (0.0, inf, nan, inf, 0), (-inf, 2.0, -inf, 2, -inf), (tiny, 0.5, 0.0, 0.5, tiny),
        (1e200, 1e200, inf, 1e200, 1e200),
    ],
    "div": [
        (1.0, 0.0, inf, inf, -inf), (1.0, -0.0, -inf, -inf, -inf), (0.0, 1.0, 0.0, 1, 0), (0.0, 0.0, nan, inf, nan),
        (1.0, inf, 0.0, 0, 0), (-inf, 2.0, -inf, 0.5, inf), (tiny, tiny, 1.0, inf, -inf),
        (1.0, 1e200, 1e-200, 1e-200, 0), (1e200, 1e200, 1.0, 1e-200, -1e-200), (1e-200, 1e-200, 1.0, 1e200, -1e200),
        (1e300, 1e200, 1e100, 1e-200, -1e-100),
    ],
    "neg": [(0.0, -0.0, -1), (-0.0, 0.0, -1), (inf, -inf, -1), (-inf, inf, -1), (tiny, -tiny, -1)],
    "reciprocal": [(0.0, inf, -inf), (-0.0, -inf, -inf), (inf, 0.0, 0), (-inf, -0.0, 0), (tiny, inf, -inf), (1e150, 1e-150, -1e-300)],
    "square": [(0.0, 0.0, 0), (-0.0, 0.0, 0), (inf, inf, inf), (-inf, inf, -inf), (tiny, 0.0, 1e-323), (1e200, inf, 2e200)],
    "sqrt": [(0.0, 0.0, inf), (-0.0, -0.0, free), (inf, inf, 0), (-inf, nan, free), (tiny, 2.2227587494850775e-162, 2.2494568972715982e161)],
    "cbrt": [
        (0.0, 0.0, inf), (-0.0, -0.0, inf), (inf, inf, 0), (-inf, -inf, 0), (tiny, 1.7031839360032603e-108, 1.1490942214795806e215),
        (8.0, 2.0, 1 / 12), (1e-300, 1e-100, 3.3333333333333334e199),
    ],
    "abs": [(0.0, 0.0, 0), (-0.0, 0.0, 0), (inf, inf, 1), (-inf, inf, -1), (tiny, tiny, 1), (-tiny, tiny, -1)],
    "fabs": [(0.0, 0.0, 0), (-0.0, 0.0, 0), (inf, inf, 1), (-inf, inf, -1), (tiny, tiny, 1), (-tiny, tiny, -1)],
    "sign": [(0.0, 0.0, 0), (-0.0, 0.0, 0), (inf, 1.0, 0), (-inf, -1.0, 0), (tiny, 1.0, 0)],
    "power": [
        (0.0, 0.0, 1.0, 0, 0), (-0.0, 0.0, 1.0, 0, 0), (3.0, 0.0, 1.0, 0, math.log(3)), (-3.0, 0.0, 1.0, 0, free),
        (0.0, 1.0, 0.0, 1, 0), (0.0, 2.0, 0.0, 0, 0), (0.0, 0.5, 0.0, inf, 0), (-0.0, 3.0, -0.0, 0, 0), (0.0, -1.0, inf, -inf, 0),
        (1.0, inf, 1.0, inf, 0), (2.0, -inf, 0.0, free, 0), (inf, 2.0, inf, inf, inf), (-inf, 2.0, inf, -inf, free), (inf, -1.0, 0.0, 0, 0),
        (-2.0, 2.0, 4.0, -4, free), (2.0, 10.0, 1024.0, 5120, 709.782712893384), (1e-10, 0.5, 1e-5, 50000, -2.3025850929940458e-4),
        (tiny, 1.0, tiny, 1, -3.676e-321), (tiny, 0.5, 2.2227587494850775e-162, 2.2494568972715982e161, -1.6547106833305505e-159),
    ],
    "mod": [(0.0, 3.0, 0.0, 1, 0), (-0.0, 3.0, 0.0, 1, 0), (7.0, 3.0, 1.0, 1, -2), (-7.0, 3.0, 2.0, 1, 3), (inf, 3.0, nan, free, free), (5.0, inf, 5.0, 1, 0), (5.0, -inf, -inf, 1, 1), (tiny, 1.0, tiny, 1, 0)],
    "fmod": [(0.0, 3.0, 0.0, 1, 0), (-0.0, 3.0, -0.0, 1, 0), (7.0, 3.0, 1.0, 1, -2), (-7.0, 3.0, -1.0, 1, 2), (inf, 3.0, nan, free, free), (5.0, -inf, 5.0, 1, 0), (tiny, 1.0, tiny, 1, 0)],
    "ldexp": [(0.0, 3, 0.0, 8, free), (-0.0, 3, -0.0, 8, free), (inf, -1, inf, 0.5, free), (-inf, 1, -inf, 2, free), (tiny, 1074, 1.0, inf, free), (3.0, 2, 12.0, 4, free)],
    "exponent": [(0.0, 0), (-0.0, 0), (inf, 0), (-inf, 0), (tiny, -1073), (3.0, 2), (-0.25, -1)],
    "nextafter": [
        (0.0, 1.0, tiny, 1, 0), (-0.0, 1.0, tiny, 1, 0), (0.0, -inf, -tiny, 1, 0), (tiny, 0.0, 0.0, 1, 0), (inf, 1.0, 1.7976931348623157e308, 1, 0),
        (-inf, inf, -1.7976931348623157e308, 1, 0), (1.0, 1.0, 1.0, 1, 0),
    ],
    "floor_divide": [(7.0, 2.0, 3.0, 0, 0), (0.0, 2.0, 0.0, 0, 0), (-0.0, 2.0, -0.0, 0, 0), (1.0, inf, 0.0, 0, 0), (1.0, -inf, -1.0, 0, 0), (tiny, 1.0, 0.0, 0, 0)],
    "floor": [(0.0, 0.0, 0), (-0.0, -0.0, 0), (1.0, 1.0, 0), (inf, inf, 0), (-inf, -inf, 0), (tiny, 0.0, 0), (-tiny, -1.0, 0)],
    "ceil": [(0.0, 0.0, 0), (-0.0, -0.0, 0), (1.0, 1.0, 0), (inf, inf, 0), (-inf, -inf, 0), (tiny, 1.0, 0)],
    "trunc": [(0.0, 0.0, 0), (-0.0, -0.0, 0), (1.0, 1.0, 0), (inf, inf, 0), (-inf, -inf, 0), (tiny, 0.0, 0)],
    "rint": [(0.0, 0.0, 0), (-0.0, -0.0, 0), (0.5, 0.0, 0), (1.5, 2.0, 0), (inf, inf, 0), (-inf, -inf, 0), (tiny, 0.0, 0)],
    "stop": [(0.0, 0.0, 0), (-0.0, -0.0, 0), (inf, inf, 0), (-inf, -inf, 0), (tiny, tiny, 0)],
    "scale": [  # a zero of the first stops everything; its slope stays the second all the same
        (0.0, inf, 0.0, inf, 0), (-0.0, -inf, 0.0, -inf, 0), (0.0, nan, 0.0, nan, 0), (2.0, inf, inf, inf, 2), (inf, 0.0, nan, 0, inf),
        (tiny, 1e300, 4.940656458412466e-24, 1e300, tiny),
    ],
    # ---- exponentials
    "exp": [(0.0, 1.0, 1), (-0.0, 1.0, 1), (inf, inf, inf), (-inf, 0.0, 0), (tiny, 1.0, 1), (710.0, inf, inf)],
    "exp2": [(0.0, 1.0, math.log(2)), (-0.0, 1.0, math.log(2)), (inf, inf, inf), (-inf, 0.0, 0), (tiny, 1.0, math.log(2)), (0.5, math.sqrt(2), 0.9802581434685472)],
    "expm1": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, inf, inf), (-inf, -1.0, 0), (tiny, tiny, 1), (-50.0, -1.0, 1.9287498479639178e-22)],
    "log": [(0.0, -inf, inf), (-0.0, -inf, free), (inf, inf, 0), (-inf, nan, free), (tiny, -744.4400719213812, inf)],
    "log2": [(0.0, -inf, inf), (-0.0, -inf, free), (inf, inf, 0), (-inf, nan, free), (tiny, -1074.0, inf), (1e-5, -16.609640474436812, 144269.50408889633)],
    "log10": [(0.0, -inf, inf), (-0.0, -inf, free), (inf, inf, 0), (-inf, nan, free), (tiny, -323.3062153431158, inf), (1e-5, -5.0, 43429.44819032518)],
    "log1p": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, inf, 0), (-inf, nan, free), (tiny, tiny, 1), (-1.0, -inf, inf), (1e-20, 1e-20, 1), (-1 + 2**-53, -53 * math.log(2), 2.0**53)],
    "logaddexp": [
        (0.0, 0.0, math.log(2), 0.5, 0.5), (-inf, -inf, -inf, 0.5, 0.5), (inf, inf, inf, 0.5, 0.5), (-inf, 0.0, 0.0, 0, 1), (0.0, -inf, 0.0, 1, 0),
        (inf, -0.0, inf, 1, 0), (1000.0, 0.0, 1000.0, 1, 0), (-800.0, -790.0, -789.9999546011007, 4.5397868702434395e-05, 0.9999546021312976),
        (tiny, 0.0, math.log(2), 0.5, 0.5),
    ],
    "logaddexp2": [
        (0.0, 0.0, 1.0, 0.5, 0.5), (-inf, -inf, -inf, 0.5, 0.5), (inf, inf, inf, 0.5, 0.5), (-inf, 0.0, 0.0, 0, 1), (-0.0, -inf, 0.0, 1, 0),
        (3.0, 5.0, 5.321928094887362, 0.2, 0.8), (2000.0, 0.0, 2000.0, 1, 0), (tiny, 0.0, 1.0, 0.5, 0.5),
    ],
    # ---- hyperbolic functions
    "sinh": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, inf, inf), (-inf, -inf, inf), (tiny, tiny, 1), (700.0, 5.0711602736750225e303, 5.0711602736750225e303)],
    "cosh": [(0.0, 1.0, 0), (-0.0, 1.0, 0), (inf, inf, inf), (-inf, inf, -inf), (tiny, 1.0, tiny), (-700.0, 5.0711602736750225e303, -5.0711602736750225e303)],
    "tanh": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, 1.0, 0), (-inf, -1.0, 0), (tiny, tiny, 1), (20.0, 1.0, 1.6993417021166355e-17), (-300.0, -1.0, 1.0601586212017243e-260), (-0.5, -0.46211715726000973, 0.7864477329659274)],
    "arcsinh": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, inf, 0), (-inf, -inf, 0), (tiny, tiny, 1), (1e200, 461.2101657793691, 1e-200)],
    "arccosh": [(1.0, 0.0, inf), (inf, inf, 0), (0.0, nan, free), (-0.0, nan, free), (-inf, nan, free), (tiny, nan, free), (1.000000000001, 1.4142764231805424e-06, 707075.3521795856), (1 + 2**-52, 2.1073424255447017e-08, 47453132.81212577), (1e200, 461.2101657793691, 1e-200)],
    "arctanh": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (1.0, inf, inf), (-1.0, -inf, inf), (inf, nan, free), (-inf, nan, free), (tiny, tiny, 1), (near_one, 17.616361586450413, 500399958596722.0)],
    # ---- trigonometric functions
    "sin": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, nan, nan), (-inf, nan, nan), (tiny, tiny, 1)],
    "cos": [(0.0, 1.0, 0), (-0.0, 1.0, 0), (inf, nan, nan), (-inf, nan, nan), (tiny, 1.0, -tiny)],
    "tan": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, nan, nan), (-inf, nan, nan), (tiny, tiny, 1), (1.57, 1255.7655915007897, 1576948.220797328)],
    "arcsin": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (1.0, pi / 2, inf), (-1.0, -pi / 2, inf), (inf, nan, free), (-inf, nan, free), (tiny, tiny, 1), (near_one, 1.570796282091413, 22369621.33333334), (-near_one, -1.570796282091413, 22369621.33333334)],
    "arccos": [(0.0, pi / 2, -1), (-0.0, pi / 2, -1), (1.0, 0.0, -inf), (-1.0, pi, -inf), (inf, nan, free), (-inf, nan, free), (tiny, pi / 2, -1), (near_one, 4.4703483581542975e-08, -22369621.33333334)],
    "arctan": [(0.0, 0.0, 1), (-0.0, -0.0, 1), (inf, pi / 2, 0), (-inf, -pi / 2, 0), (tiny, tiny, 1), (1e8, 1.5707963167948966, 1e-16), (1e200, pi / 2, 0)],
    "deg2rad": [(0.0, 0.0, pi / 180), (-0.0, -0.0, pi / 180), (inf, inf, pi / 180), (-inf, -inf, pi / 180), (tiny, 0.0, pi / 180)],
    "rad2deg": [(0.0, 0.0, 180 / pi), (-0.0, -0.0, 180 / pi), (inf, inf, 180 / pi), (-inf, -inf, 180 / pi), (tiny, 2.8e-322, 180 / pi)],
    "sinc": [(0.0, 1.0, 0), (-0.0, 1.0, 0), (inf, nan, free), (-inf, nan, free), (tiny, 1.0, -1.5e-323), (1e-5, 0.9999999998355066, -3.289868133371756e-05), (0.25, 0.9003163161571061, -0.7728381398822342), (0.5, 0.6366197723675814, -1.2732395447351628)],
    "hypot": [
        (0.0, 0.0, 0.0, 0, 0), (-0.0, 0.0, 0.0, 0, 0), (0.0, -2.0, 2.0, 0, -1), (inf, 1.0, inf, nan, 0), (1.0, -inf, inf, 0, nan), (tiny, 0.0, tiny, 1, 0),
        (1e200, 1e200, 1.4142135623730951e200, 0.7071067811865476, 0.7071067811865476), (3e-200, 4e-200, 5e-200, 0.6, 0.8),
    ],
    "arctan2": [
        (0.0, 0.0, 0.0, 0, 0), (-0.0, 0.0, -0.0, 0, 0), (0.0, 2.0, 0.0, 0.5, 0), (1.0, 0.0, pi / 2, 0, -1), (0.0, -1.0, pi, -1, 0), (1.0, inf, 0.0, free, 0), (1.0, -inf, pi, free, 0),
        (tiny, 1.0, tiny, 1, -tiny), (1e200, 1e200, pi / 4, 5e-201, -5e-201), (1e-200, 1e-200, pi / 4, 5e199, -5e199),
    ],
    # ---- selection: ties share, a selection follows its branch
    "maximum": [
        (0.0, -0.0, 0.0, 0.5, 0.5), (2.0, 2.0, 2.0, 0.5, 0.5), (2.0, 1.0, 2.0, 1, 0), (inf, inf, inf, 0.5, 0.5), (-inf, 0.0, 0.0, 0, 1), (tiny, 0.0, tiny, 1, 0),
        (nan, 1.0, nan, free, 0), (1.0, nan, nan, 0, free),
    ],
    "minimum": [
        (0.0, -0.0, 0.0, 0.5, 0.5), (2.0, 2.0, 2.0, 0.5, 0.5), (2.0, 1.0, 1.0, 0, 1), (inf, inf, inf, 0.5, 0.5), (-inf, 0.0, -inf, 1, 0), (tiny, 0.0, 0.0, 0, 1),
        (nan, 1.0, nan, free, 0), (1.0, nan, nan, 0, free),
    ],
    "fmax": [(0.0, -0.0, 0.0, 0.5, 0.5), (2.0, 1.0, 2.0, 1, 0), (-inf, inf, inf, 0, 1), (nan, 1.0, 1.0, 0, 1), (1.0, nan, 1.0, 1, 0), (tiny, 0.0, tiny, 1, 0)],
    "fmin": [(0.0, -0.0, 0.0, 0.5, 0.5), (2.0, 1.0, 1.0, 0, 1), (-inf, inf, -inf, 1, 0), (nan, 1.0, 1.0, 0, 1), (1.0, nan, 1.0, 1, 0), (tiny, 0.0, 0.0, 0, 1)],
    "heaviside": [(0.0, 0.5, 0.5, 0, 1), (-0.0, 0.5, 0.5, 0, 1), (inf, 0.5, 1.0, 0, 0), (-inf, 0.5, 0.0, 0, 0), (tiny, 0.5, 1.0, 0, 0), (-tiny, 0.5, 0.0, 0, 0)],
    "copysign": [(0.0, -1.0, -0.0, 0, 0), (-0.0, 1.0, 0.0, 0, 0), (inf, -0.0, -inf, -1, 0), (-inf, 1.0, inf, -1, 0), (2.0, 3.0, 2.0, 1, 0), (tiny, -1.0, -tiny, -1, 0)],
    # ---- no slopes: comparisons and tests
    "equal": [(0.0, -0.0, True), (inf, inf, True), (-inf, inf, False), (nan, nan, False), (tiny, 0.0, False)],
    "not_equal": [(0.0, -0.0, False), (inf, inf, False), (-inf, inf, True), (nan, nan, True), (tiny, 0.0, True)],
    "less": [(0.0, -0.0, False), (-inf, inf, True), (nan, 1.0, False), (0.0, tiny, True)],
    "less_equal": [(0.0, -0.0, True), (-inf, inf, True), (nan, 1.0, False), (tiny, 0.0, False)],
    "greater": [(0.0, -0.0, False), (-inf, inf, False), (nan, 1.0, False), (tiny, 0.0, True)],
    "greater_equal": [(0.0, -0.0, True), (-inf, inf, False), (nan, 1.0, False), (0.0, tiny, False)],
    "logical_and": [(0.0, 1.0, False), (-0.0, 1.0, False), (inf, nan, True), (-inf, tiny, True)],
    "logical_or": [(0.0, -0.0, False), (inf, 0.0, True), (-inf, 0.0, True), (tiny, 0.0, True)],
    "logical_xor": [(0.0, -0.0, False), (inf, -inf, False), (tiny, 0.0, True)],
    "logical_not": [(0.0, True), (-0.0, True), (inf, False), (-inf, False), (nan, False), (tiny, False)],
    "isfinite": [(0.0, True), (-0.0, True), (inf, False), (-inf, False), (nan, False), (tiny, True)],
    "isinf": [(0.0, False), (-0.0, False), (inf, True), (-inf, True), (nan, False), (tiny, False)],
    "isnan": [(0.0, False), (-0.0, False), (inf, False), (-inf, False), (nan, True), (tiny, False)],
    "signbit": [(0.0, False), (-0.0, True), (inf, False), (-inf, True), (tiny, False)],
}  # fmt: skip
for _same, _as in {"float_power": "power", "radians": "deg2rad", "degrees": "rad2deg"}.items():
    EDGES[_same] = EDGES[_as]

EDGES.update(SCIPY_EDGES)

INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"}
COMPLEX = {"wofz", "hankel1", "hankel2"}  # their special points are not on a line


CONVENTIONS = {
    "abs": (lambda x: np.abs(x), 0.0, 0.0),
    "maximum with a constant": (lambda x: np.maximum(x, 0), 0.0, 0.5),
    "maximum with itself": (lambda x: np.maximum(x, x), 2.0, 1.0),
    "abs as maximum": (lambda x: np.maximum(x, -x), 0.0, 0.0),
    "max, two tie": (lambda x: np.max(x), [1.0, 1.0], [0.5, 0.5]),
    "max, three tie": (lambda x: np.max(x), [1.0, 1.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3, 0.0]),
    "min, two tie": (lambda x: np.min(x), [3.0, 1.0, 1.0], [0.0, 0.5, 0.5]),
    "max, infinite": (lambda x: np.max(x), [np.inf, 1.0], [1.0, 0.0]),
    "clip at the low edge": (lambda x: np.clip(x, 0, 1), 0.0, 0.5),
    "clip at the high edge": (lambda x: np.clip(x, 0, 1), 1.0, 0.5),
    "clip outside": (lambda x: np.clip(x, 0, 1), 2.0, 0.0),
    "sqrt": (lambda x: np.sqrt(x), 0.0, np.inf),
    "norm": (lambda x: np.linalg.norm(x), [0.0, 0.0], [0.0, 0.0]),
    "norm, far out": (lambda x: np.linalg.norm(x), [3e200, 4e200], [0.6, 0.8]),
    "norm, far in": (lambda x: np.linalg.norm(x), [3e-200, 4e-200], [0.6, 0.8]),
    "norm, one is zero": (lambda x: np.linalg.norm(x), [0.0, -2.0], [0.0, -1.0]),
    "hypot": (lambda x: np.hypot(x, 0.0), 0.0, 0.0),
    "std of equals": (lambda x: np.std(x), [1.0, 1.0], [0.0, 0.0]),
    "std of equals, in rows": (lambda x: np.sum(np.std(x, axis=1)), [[1.0, 1.0], [0.0, 2.0]], [[0.0, 0.0], [-0.5, 0.5]]),
    "var of equals": (lambda x: np.var(x), [1.0, 1.0], [0.0, 0.0]),
    "power 0": (lambda x: x**0.0, 0.0, 0.0),
    "power 1": (lambda x: x**1.0, 0.0, 1.0),
    "power 2": (lambda x: x**2, 0.0, 0.0),
    "power 2, negative base": (lambda x: x**2.0, -3.0, -6.0),
    "power 3, negative base": (lambda x: x**3, -2.0, 12.0),
    "power -2, negative base": (lambda x: x**-2.0, -2.0, 0.25),
    "power 0.5": (lambda x: x**0.5, 0.0, np.inf),
    "base 0": (lambda x: 0.0**x, 2.0, 0.0),
    "base 0, exponent 0": (lambda x: np.power(0.0, x), 0.0, 0.0),
    "where follows its branch": (lambda x: np.where(x > 0, x, 0), 0.0, 0.0),
    "where hides log": (lambda x: np.where(x > 0, np.log(x), 0), 0.0, 0.0),
    "where hides sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0), 0.0, 0.0),
    "where hides division": (lambda x: np.where(x == 0, 1, np.sin(x) / x), 0.0, 0.0),
    "where hides exp": (lambda x: np.where(x > 0, 1, np.exp(-x * 1e3)), 800.0, 0.0),
    "where hides norm": (lambda x: np.where(np.sum(x) > 0, np.sqrt(np.sum(x * x)), 0), [0.0, 0.0], [0.0, 0.0]),
    "where hides arccos": (lambda x: np.where(np.abs(x) < 1, np.arccos(x), 0), 1.0, 0.0),
    "where hides power": (lambda x: np.where(x > 0, x**0.5, x), 0.0, 1.0),
    "logaddexp of minus infinities": (lambda x: np.logaddexp(x[0], x[1]), [-np.inf, -np.inf], [0.5, 0.5]),
    "logaddexp.reduce by hand": (lambda x: np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x), [1e4, 1e4], [0.5, 0.5]),
    "arctan2": (lambda x: np.arctan2(x, 0.0), 0.0, 0.0),
    "prod, one zero": (lambda x: np.prod(x), [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    "prod, two zeros": (lambda x: np.prod(x), [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
    "cumprod, one zero": (lambda x: np.sum(np.cumprod(x)), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
    "sort, a tie": (lambda x: np.sum(np.sort(x) * np.array([1.0, 2.0, 4.0])), [5.0, 1.0, 5.0], [2.0, 1.0, 4.0]),
    "floor": (lambda x: np.floor(x), 1.0, 0.0),
    "sign": (lambda x: np.sign(x), 0.0, 0.0),
    "round": (lambda x: np.round(x), 0.5, 0.0),
    "x sin x at zero": (lambda x: x * np.sin(x), 0.0, 0.0),
    "empty sum": (lambda x: np.sum(x[:0]), [1.0, 2.0], [0.0, 0.0]),
}  # fmt: skip


def mixed(x):
    """A function whose mixed second derivative lives on where its slope is zero."""
    return x[0] * np.sin(x[1])


# second derivatives: function, point, Hessian
SECOND = {
    "x sin y at x = 0": (mixed, [0.0, 0.5], [[0.0, math.cos(0.5)], [math.cos(0.5), 0.0]]),
    "where hides log": (lambda x: np.where(x > 0, np.log(x), x * x), 0.0, 2.0),
    "where hides sqrt": (lambda x: np.where(x > 0, np.sqrt(x), 0), 0.0, 0.0),
    "where hides division": (lambda x: np.where(x == 0, x, 1 / x), 0.0, 0.0),
    "where keeps log": (lambda x: np.where(x > 0, np.log(x), 0), 2.0, -0.25),
    "power 0": (lambda x: x**0.0, 0.0, 0.0),
    "power 1": (lambda x: x**1.0, 0.0, 0.0),
    "power 2": (lambda x: x**2.0, 0.0, 2.0),
    "power 3": (lambda x: x**3.0, 0.0, 0.0),
    "square": (lambda x: x**2, 0.0, 2.0),
    "power, both": (lambda x: x[0] ** x[1], [2.0, 0.0], [[0.0, 0.5], [0.5, math.log(2) ** 2]]),
    "logaddexp at a tie": (lambda x: np.logaddexp(x[0], x[1]), [1.0, 1.0], [[0.25, -0.25], [-0.25, 0.25]]),
    "maximum of squares": (lambda x: np.maximum(x * x, 1.0), 2.0, 2.0),
    "max": (lambda x: np.max(x) ** 2, [3.0, 1.0], [[2.0, 0.0], [0.0, 0.0]]),
    "clip inside": (lambda x: np.clip(x, 0, 2) ** 2, 1.0, 2.0),
    "clip outside": (lambda x: np.clip(x, 0, 2) ** 2, 3.0, 0.0),
    "abs of a square": (lambda x: np.abs(x) ** 2, -1.5, 2.0),
    "tanh, far out": (lambda x: np.tanh(x), 20.0, -3.398683404233271e-17),
    "norm": (lambda x: np.linalg.norm(x), [3.0, 4.0], [[0.128, -0.096], [-0.096, 0.072]]),
    "hypot": (lambda x: np.hypot(x[0], x[1]), [3.0, 4.0], [[0.128, -0.096], [-0.096, 0.072]]),
    "prod with a zero": (lambda x: np.prod(x), [2.0, 0.0, 3.0], [[0.0, 3.0, 0.0], [3.0, 0.0, 2.0], [0.0, 2.0, 0.0]]),
    "division": (lambda x: x[0] / x[1], [1e200, 1e200], [[0.0, 0.0], [0.0, 0.0]]),
}  # fmt: skip
