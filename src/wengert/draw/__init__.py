"""LOOKING: tables and pictures of derivatives. Upstairs, on public names only; matplotlib is lazy."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """`wg.draw` is the name of this room and of its first function: calling the room calls that."""

    def __call__(self, f: Callable[..., Any], *args: Any, **options: Any) -> Callable[..., Any]:
        from wengert.draw.flow import draw

        return draw(f, *args, **options)

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        from wengert.draw.flow import draw

        return draw.__doc__ or ""


sys.modules[__name__].__class__ = _Room
