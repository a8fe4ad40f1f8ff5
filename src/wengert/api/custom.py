"""Derivatives of your own: the forms of JAX, TensorFlow, autograd and wengert, and `stop_gradient`.

One rule is given, in one direction; the other is derived, and both are checked at first use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert import tree
from wengert.api.custom_function import CustomFunction
from wengert.api.rule_forms import (
    CustomGradient,
    CustomJvp,
    CustomSlopes,
    CustomVjp,
    PerArgumentVjp,
)
from wengert.numpy_api.table import overridable
from wengert.ops.custom import stop
from wengert.trace.tracer import Tracer


def _decorator(cls: type[CustomFunction], fun: Any, **options: Any) -> Any:
    return (lambda f: cls(f, **options)) if fun is None else cls(fun, **options)


def custom_vjp(
    fun: Callable[..., Any] | None = None, nondiff_argnums: Sequence[int] | int = (), *,
    nondiff_argnames: Sequence[str] | str = (), check: bool = True,
) -> Any:  # fmt: skip
    """A function whose backward rule you give with `f.defvjp(fwd, bwd)`, as in JAX.

    `fwd(*args)` returns the value and whatever `bwd` needs; `bwd(residuals, g)` returns a tuple
    with a cotangent (or None, for zero) for each argument. Forward mode is derived: it is the
    transpose of `bwd`, which should be linear in `g` (where it is not, its slope at `g = 0`).

    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_vjp
    ... def softplus(x):
    ...     return np.logaddexp(x, 0)
    >>> softplus.defvjp(lambda x: (np.logaddexp(x, 0), x), lambda x, g: (g / (1 + np.exp(-x)),))
    >>> wg.grad(softplus)(0.0), wg.jvp(softplus, (0.0,), (1.0,))[1]
    (0.5, np.float64(0.5))
    """
    return _decorator(
        CustomVjp,
        fun,
        nondiff_argnums=nondiff_argnums,
        nondiff_argnames=nondiff_argnames,
        check=check,
    )


def custom_jvp(
    fun: Callable[..., Any] | None = None, nondiff_argnums: Sequence[int] | int = (), *,
    nondiff_argnames: Sequence[str] | str = (), check: bool = True,
) -> Any:  # fmt: skip
    """A function whose forward rule you give with `f.defjvp` or `f.defjvps`, as in JAX.

    The rule takes tuples of primals and tangents and returns value and tangent. Reverse mode is
    derived: it is the transpose.

    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_jvp
    ... def sinc(x):
    ...     return np.sin(x) / x
    >>> @sinc.defjvp
    ... def slope(primals, tangents):
    ...     (x,), (dx,) = primals, tangents
    ...     return sinc(x), dx * (np.cos(x) - sinc(x)) / x
    >>> wg.grad(sinc)(np.pi)
    -0.3183098861837907
    """
    return _decorator(
        CustomJvp,
        fun,
        nondiff_argnums=nondiff_argnums,
        nondiff_argnames=nondiff_argnames,
        check=check,
    )


def custom_gradient(fun: Callable[..., Any] | None = None, *, check: bool = True) -> Any:
    """A function that returns its value and its gradient function, as in TensorFlow.

    `grad_fn(upstream)` returns a cotangent, or a tuple of them for several arguments; with a tuple
    of results it gets one upstream cotangent for each.

    >>> import numpy as np
    >>> import wengert as wg
    >>> @wg.custom_gradient
    ... def log1pexp(x):
    ...     e = np.exp(x)
    ...     return np.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> wg.grad(log1pexp)(100.0)
    1.0
    """
    return _decorator(CustomGradient, fun, check=check)


def primitive(fun: Callable[..., Any] | None = None, *, check: bool = True) -> Any:
    """A function that is not looked into; `wg.defvjp` gives it a rule, as in autograd."""
    return _decorator(PerArgumentVjp, fun, check=check)


def defvjp(
    fun: Callable[..., Any], *vjps: Callable[..., Any] | None, argnums: Sequence[int] | None = None, check: bool = True
) -> Callable[..., Any]:  # fmt: skip
    """Give a function one vjp per argument, as autograd's: `lambda ans, x: lambda g: cotangent`.

    A `wg.primitive` is changed; of any other function a primitive is made. It is returned.

    >>> import math
    >>> import wengert as wg
    >>> sine = defvjp(math.sin, lambda ans, x: lambda g: g * math.cos(x))
    >>> wg.grad(sine)(0.0)
    1.0
    """
    made = fun if isinstance(fun, PerArgumentVjp) else PerArgumentVjp(fun, check=check)
    made.defvjp(*vjps, argnums=argnums)
    return made


def custom_slopes(fun: Callable[..., Any], *slopes: Any, check: bool = True) -> Callable[..., Any]:
    """An elementwise function with the slope in each argument: a formula of result and arguments.

    A slope may also be a number, or None where it is zero. Arguments broadcast.

    >>> import numpy as np
    >>> import wengert as wg
    >>> logistic = custom_slopes(lambda x: 1 / (1 + np.exp(-x)), lambda y, x: y * (1 - y))
    >>> wg.grad(lambda x: np.sum(logistic(x)))(np.array([0.0, 40.0]))
    array([0.25, 0.  ])
    """
    return CustomSlopes(fun, slopes, check)


@overridable
def stop_gradient(x: Any) -> Any:
    """`x`, as a constant for every derivative; containers welcome.

    >>> import wengert as wg
    >>> wg.grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return tree.map_leaves(_stopped, x)


def _stopped(leaf: Any) -> Any:
    if not isinstance(leaf, Tracer) or not leaf.type.inexact:
        return leaf
    y = stop(leaf)
    if isinstance(y, Tracer):
        y.still = y.node  # Python may look at its number: no derivative is lost
    return y
