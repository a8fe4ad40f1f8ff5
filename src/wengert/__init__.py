"""Derivatives of plain NumPy code."""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

import wengert.numpy_api as _door  # (puts NumPy's names on traced values)
import wengert.scipy_api as _second_door  # noqa: F401  (waits for the user's import of SciPy)
from wengert.api.control import cond as cond
from wengert.api.control import fori_loop as fori_loop
from wengert.api.control import map as map
from wengert.api.control import scan as scan
from wengert.api.control import while_loop as while_loop
from wengert.api.custom import custom_gradient as custom_gradient
from wengert.api.custom import custom_jvp as custom_jvp
from wengert.api.custom import custom_slopes as custom_slopes
from wengert.api.custom import custom_vjp as custom_vjp
from wengert.api.custom import defvjp as defvjp
from wengert.api.custom import primitive as primitive
from wengert.api.custom import stop_gradient as stop_gradient
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
from wengert.api.mapping import checkpoint as checkpoint
from wengert.api.mapping import vmap as vmap
from wengert.api.printing import print as print
from wengert.api.scipy_helper import for_scipy as for_scipy
from wengert.ops.custom import Blackbox as Op  # noqa: F401  (what a user calls it)
from wengert.trust import policy as _policy  # noqa: F401  (`wengert.trust` is a public name)
from wengert.trust.anomaly import detect_anomaly as detect_anomaly
from wengert.trust.rule_check import rule_checks as rule_checks
from wengert.trust.verdict import last_report as last_report

if _TYPE_CHECKING:
    from wengert import nn as nn
    from wengert import numeric as numeric
    from wengert import optim as optim
    from wengert import symbolic as symbolic
    from wengert import testing as testing
    from wengert.api.certify import certify as certify
    from wengert.api.error_bound import error_bound as error_bound
    from wengert.api.explain import explain as explain
    from wengert.api.explain_compile import explain_compile as explain_compile
    from wengert.api.explain_compile import why_recompiled as why_recompiled
    from wengert.api.explain_zero import explain_zero as explain_zero
    from wengert.api.jit import jit as jit
    from wengert.api.precision import precision_report as precision_report
    from wengert.api.stabilise import stabilise as stabilise
    from wengert.cpp.export import export_cpp as export_cpp
    from wengert.cpp.function import cpp_function as cpp_function
    from wengert.cpp.shared import export_shared as export_shared
    from wengert.draw.comparison import compare as compare
    from wengert.draw.flow import draw as draw
    from wengert.draw.page import page as page
    from wengert.draw.plots import plot as plot
    from wengert.draw.reading import chain_rule as chain_rule
    from wengert.draw.table import trace_table as trace_table
    from wengert.dual import AutoDiffScalar as AutoDiffScalar
    from wengert.dual import convert as convert
    from wengert.dual import gradients as gradients
    from wengert.tape import GradientTape as GradientTape
    from wengert.tape import UnconnectedGradients as UnconnectedGradients
    from wengert.tape import Variable as Variable
    from wengert.tape import constant as constant
    from wengert.testing.check_grads import check_grads as check_grads
    from wengert.testing.gradcheck import gradcheck as gradcheck

_door.hooks.keep_plain()

__version__ = "0.1.0"

# What not every program needs is imported when it is first asked for: `import wengert` stays quick.
_LATER = {
    "draw": "",
    "nn": "",
    "numeric": "",
    "optim": "",
    "symbolic": "",
    "testing": "",
    "certify": "api.certify",
    "error_bound": "api.error_bound",
    "explain_compile": "api.explain_compile",
    "why_recompiled": "api.explain_compile",
    "explain": "api.explain",
    "explain_zero": "api.explain_zero",
    "jit": "api.jit",
    "precision_report": "api.precision",
    "stabilise": "api.stabilise",
    "cpp_function": "cpp.function",
    "export_cpp": "cpp.export",
    "export_shared": "cpp.shared",
    "compare": "draw.comparison",
    "page": "draw.page",
    "plot": "draw.plots",
    "chain_rule": "draw.reading",
    "trace_table": "draw.table",
    "AutoDiffScalar": "dual",
    "convert": "dual",
    "gradients": "dual",
    "GradientTape": "tape",
    "UnconnectedGradients": "tape",
    "Variable": "tape",
    "constant": "tape",
    "check_grads": "testing.check_grads",
    "gradcheck": "testing.gradcheck",
}


def __getattr__(name: str) -> _Any:
    room = _LATER.get(name)
    if room is None:
        raise AttributeError(f"module 'wengert' has no attribute {name!r}")
    if room == "":
        return _import_module(f"wengert.{name}")
    value = globals()[name] = getattr(_import_module(f"wengert.{room}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
