"""SciPy, line by line: the value is SciPy's, and both roads give the slope that is measured."""

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.special
from tests.numpy_api.test_scoreboard import HERE, NUMBERS, check, function_of
from tests.scipy_api.board import BOARD

HERE |= {"sl": scipy.linalg, "sf": scipy.fft, "sc": scipy.special}
NUMBERS["S"] = NUMBERS["A"] @ NUMBERS["A"].T + 3 * np.eye(3)
LINES = [line.strip() for text in BOARD.values() for line in text.strip().splitlines()]


# (signs of eigenvectors are free: with numbers they are those of SciPy's driver, compiled those of NumPy's)
FREE = {"sl.eigh(A + A.T)"}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "line", [pytest.param(x, marks=[pytest.mark.eager] * (x in FREE)) for x in LINES]
)
def test_a_line_of_scipy_has_its_value_and_its_derivative(line):
    check(*function_of(line))
