"""for_scipy: a loss over any container, as SciPy's optimisers want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import open_leaf
from wengert.api.gradients import value_and_grad
from wengert.api.jacobians import hvp
from wengert.errors import ShapeError
from wengert.ir import source


class ForScipy:
    """`p = for_scipy(loss, params, *args)`; `minimize(p.fun, p.x0, jac=True)`; `p.unflatten(result.x)`.

    `fun(x) -> (value, gradient)` on a flat float64 vector, `hessp(x, v)` for Newton-CG and
    trust-ncg. Leaves keep their dtypes inside.
    """

    def __init__(
        self, loss: Callable[..., Any], params: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.loss, self.args, self.kwargs = loss, args, kwargs
        leaves, self.structure = tree.flatten(params)
        self._leaves = leaves
        self._open = [open_leaf(x, lambda: "a parameter", "for_scipy") for x in leaves]
        self._both = value_and_grad(loss)
        self.size = sum(leaf.type.size for leaf in self._open if leaf is not None)
        self.x0 = self.flatten(params)

    def flatten(self, params: Any) -> Any:
        """The flat float64 vector of a container of parameters."""
        leaves, _ = tree.flatten(params)
        parts = [
            np.ravel(x) for x, leaf in zip(leaves, self._open, strict=True) if leaf is not None
        ]
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)

    def unflatten(self, x: Any) -> Any:
        """The container of a flat vector."""
        if np.shape(x) != (self.size,):
            raise ShapeError(f"a flat vector of {self.size} numbers was expected, and got shape {np.shape(x)}",
                             "pass what SciPy gave", source.here())  # fmt: skip
        found, start = [], 0
        for given, leaf in zip(self._leaves, self._open, strict=True):
            if leaf is None:
                found.append(given)
                continue
            part = (
                np.asarray(x[start : start + leaf.type.size])
                .astype(leaf.type.dtype)
                .reshape(leaf.type.shape)
            )
            start += leaf.type.size
            found.append(
                float(part)
                if isinstance(given, float | int)
                else part[()]
                if leaf.type.shape == ()
                else part
            )
        return tree.unflatten(self.structure, found)

    def fun(self, x: Any) -> tuple[float, Any]:
        """Value (a Python float) and gradient (flat float64, SciPy may keep it)."""
        value, gradient = self._both(self.unflatten(x), *self.args, **self.kwargs)
        return float(value), self.flatten(gradient)

    __call__ = fun

    def hessp(self, x: Any, v: Any) -> Any:
        """Hessian times vector."""
        product = hvp(
            lambda p: self.loss(p, *self.args, **self.kwargs),
            (self.unflatten(x),),
            (self.unflatten(v),),
        )
        return self.flatten(product)

    def __repr__(self) -> str:
        return f"<for_scipy({getattr(self.loss, '__name__', 'loss')}): {self.size} parameters>"


def for_scipy(loss: Callable[..., Any], params: Any, *args: Any, **kwargs: Any) -> ForScipy:
    """Make `loss(params, *args, **kwargs)` over any container ready for `scipy.optimize`.

    >>> import numpy as np
    >>> from scipy.optimize import minimize
    >>> def loss(p):
    ...     return (p["a"] - 1.0) ** 2 + np.sum((p["b"] - 2.0) ** 2)
    >>> p = for_scipy(loss, {"a": 0.0, "b": np.zeros(2)})
    >>> best = minimize(p.fun, p.x0, jac=True, method="BFGS").x
    >>> {k: np.round(v, 6) for k, v in p.unflatten(best).items()}
    {'a': np.float64(1.0), 'b': array([2., 2.])}
    """
    return ForScipy(loss, params, args, kwargs)
