"""Derivatives of plain NumPy code, at the speed of native code, that say when they cannot be trusted."""

import wengert.numpy_api as _door  # noqa: F401  (puts NumPy's names on traced values)
from wengert.api.forward import jvp as jvp
from wengert.api.forward import linearize as linearize
from wengert.api.gradients import grad as grad
from wengert.api.gradients import value_and_grad as value_and_grad
from wengert.api.gradients import vjp as vjp
from wengert.api.inspect import program as program
from wengert.api.jacobians import hessian as hessian
from wengert.api.jacobians import hvp as hvp
from wengert.api.jacobians import jacfwd as jacfwd
from wengert.api.jacobians import jacobian as jacobian
from wengert.api.jacobians import jacrev as jacrev
from wengert.api.scipy_helper import for_scipy as for_scipy

__version__ = "0.1.0"
