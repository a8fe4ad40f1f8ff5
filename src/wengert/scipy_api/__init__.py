"""THE SECOND DOOR: SciPy's names → ops, put in place when the user imports SciPy, not before."""

from wengert.scipy_api import hooks as hooks
from wengert.scipy_api import refusal as refusal
