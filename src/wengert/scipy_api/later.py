"""Rules of SciPy's ufuncs that are made at their first use: to look at such a ufunc loads SciPy, which asks for the rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from wengert.numpy_api.ufuncs import elementwise


def later(prim: Any) -> Callable[..., Any]:
    """The rule of the ufunc that is this primitive."""

    @cache
    def rule() -> Callable[..., Any]:
        return elementwise(prim.function, prim)

    return lambda *args, **kwargs: rule()(*args, **kwargs)
