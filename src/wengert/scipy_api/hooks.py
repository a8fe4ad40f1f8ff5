"""When the user imports a module of SciPy, its functions learn about traced values.

A finder stands in front of `sys.meta_path` and says nothing, except about the modules that have
rules: those it has loaded as ever, and their loader furnishes them before anybody sees them.
Modules that were there before wengert are furnished at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:  # (the bases do nothing here, and to import them takes longer than all of SciPy's rules)
    Loader = MetaPathFinder = object

# the modules that are imported late and have rules, and where the rules are
ROOMS = {
    "scipy.special": "wengert.scipy_api.special",
    "scipy.linalg": "wengert.scipy_api.linalg",
    "scipy.fft": "wengert.scipy_api.fft",
    "numpy.random": "wengert.numpy_api.random",
    "numpy.polynomial": "wengert.numpy_api.polynomials",
}


def furnish(module: ModuleType) -> None:
    """Give a loaded module of SciPy its rules."""
    room = importlib.import_module(ROOMS[module.__name__])
    if hasattr(
        room, "install"
    ):  # else the room itself has named the module, and installs at its end
        room.install(module)


class Finder(MetaPathFinder):
    """Finds only what has rules, by asking the finders behind it."""

    def __init__(self) -> None:
        self._asking = threading.local()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module with rules, its loader replaced; None for all others."""
        if fullname not in ROOMS or getattr(self._asking, "now", False):
            return None
        self._asking.now = True
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec: ModuleSpec | None = find(fullname, path, target) if find else None
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = Furnisher(spec.loader)
                    return spec
        finally:
            self._asking.now = False
        return None


class Furnisher(Loader):
    """Loads a module as its own loader does, then furnishes it and steps back."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the module's own loader."""
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, put its own loader back, and furnish it."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        furnish(module)


def start() -> None:
    """Stand at the door, and furnish what is inside already."""
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, Finder())
    for name in ROOMS:
        if name in sys.modules:  # perhaps another thread is loading it just now: wait for that
            furnish(importlib.import_module(name))


start()
