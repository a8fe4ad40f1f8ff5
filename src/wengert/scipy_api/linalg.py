"""`scipy.linalg` on traced values."""

from __future__ import annotations

from types import ModuleType

from wengert.scipy_api import table


def install(module: ModuleType) -> None:
    """Furnish `scipy.linalg`."""
    table.install(module)
