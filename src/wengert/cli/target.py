"""`file.py:f` or `package.module:f`: the function that a command is about."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from wengert.cli.failure import Raised, UsageError
from wengert.ir import source


def load(target: str) -> Callable[..., Any]:
    """The function named by `file.py:f`, `module:f` or `module:Class.method`.

    Raises UsageError where the file, the module or the function is missing.
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise UsageError(
            f"{target!r} names no function", "write it as file.py:function, or module:function"
        )
    module = _from_file(Path(place)) if place.endswith(".py") else _by_name(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(f"{place} has no {part!r}", _suggestion(found, part))
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(
            f"{target} is not a function, but of type {type(found).__name__}", "name a function"
        )
    return found  # type: ignore[no-any-return]


def parameters(f: Callable[..., Any]) -> list[str]:
    """The names of its positional parameters, as far as they can be known."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [p.name for p in inspect.signature(f).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):
        return []


def required(f: Callable[..., Any]) -> list[str]:
    """The names of parameters that must be given."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in found if p.default is p.empty and p.kind not in loose]


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.py")) if path.parent.is_dir() else []
        close = difflib.get_close_matches(path.name, near, 1)
        raise UsageError(
            f"there is no file {path}",
            f"did you mean {path.with_name(close[0])}?" if close else "check the name and the folder",
        )  # fmt: skip
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"_wengert_{abs(hash(path.resolve()))}"  # fmt: skip
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as Python does for a script: its neighbours can be imported
    return _run(lambda: spec.loader.exec_module(module), str(path)) or module  # type: ignore[union-attr]


def _by_name(name: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(name)
    except (ModuleNotFoundError, ValueError):
        raise UsageError(
            f"there is no module {name!r}", f"name an installed module, or a file: {name}.py:f"
        ) from None
    return _run(lambda: importlib.import_module(name), name)  # type: ignore[no-any-return]


def _run(load: Callable[[], Any], what: str) -> Any:
    try:
        return load()
    except SyntaxError as error:
        raise Raised(error, f"{what}:{error.lineno}") from error
    except Exception as error:
        raise Raised(error, where(error)) from error


def where(error: BaseException) -> str | None:
    """The user's last own line in a traceback."""
    own = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if not source.is_internal(f.filename) and not f.filename.startswith("<frozen")
    ]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else None


def _suggestion(found: Any, name: str) -> str:
    functions = [n for n in dir(found) if callable(getattr(found, n, None)) and not n.startswith("_")]  # fmt: skip
    own = [n for n in functions if getattr(getattr(found, n), "__module__", None) == getattr(found, "__name__", None)]  # fmt: skip
    close = difflib.get_close_matches(name, functions, 1)
    if close:
        return f"did you mean {close[0]}?"
    return f"it has {', '.join(own[:8])}" if own else "check the name"
