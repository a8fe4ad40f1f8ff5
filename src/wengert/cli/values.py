"""Inputs from the command line: literals, .npy, .npz and JSON files.

`x=1,2,3` is an array, `x=2` a number, `p={'w': [1, 2]}` a container, `x=data.npy`, `x=data.npz:name`,
`x=point.json`. Without a name an input is given by its place. `@point.json` and `@data.npz` hold all
inputs by name.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wengert import tree
from wengert.cli.failure import UsageError
from wengert.cli.target import parameters, required

_FORMS = "numbers as 1,2,3 or [[1, 2], [3, 4]], or a file: .npy, .npz:name, .json"


def arguments(
    f: Callable[..., Any], given: Sequence[str], wrt: str | None
) -> tuple[list[Any], list[int]]:
    """The positional arguments of a call, and which of them are differentiated.

    `wrt` names parameters, separated by commas. Without it, all that hold floats count, and integers
    written as literals become floats; with it, integers elsewhere stay integers.
    """
    names = parameters(f)
    found: dict[str, Any] = {}
    loose: list[Any] = []
    written: set[str] = set()  # given as literals
    for text in given:
        if text.startswith("@"):
            found.update(_all_of(Path(text[1:])))
            continue
        name, equals, value = text.partition("=")
        if equals and name.strip().isidentifier():
            if name.strip() in found:
                raise UsageError(f"{name.strip()} is given twice", "give each input once")
            found[name.strip()] = _value(value)
            if not _is_file(value):
                written.add(name.strip())
        else:
            loose.append(_value(text))
    for name, value in zip([n for n in names if n not in found], loose, strict=False):
        found[name] = value
        written.add(name)
    unknown = [n for n in found if n not in names]
    if unknown and names:
        raise UsageError(
            f"{_name(f)} has no parameter {unknown[0]!r}",
            f"its parameters are {', '.join(names) or 'none'}",
        )
    if len(loose) > len(names):
        raise UsageError(
            f"{len(loose)} inputs for the {len(names)} parameters of {_name(f)}",
            "give as many as it takes",
        )
    missing = [n for n in required(f) if n not in found]
    if missing:
        raise UsageError(
            f"{_name(f)} needs {', '.join(missing)}", f"add --at {missing[0]}=…, {_FORMS}"
        )
    last = max((names.index(n) for n in found), default=-1)
    wanted = _wanted(f, names[: last + 1], found, wrt)
    args: list[Any] = []
    for n, name in enumerate(names[: last + 1]):
        if name not in found:
            args.append(_default(f, name))
        elif n in wanted or (wrt is None and name in written):
            args.append(tree.map_leaves(_floating, found[name]))
        else:
            args.append(found[name])
    if wrt is None:
        wanted = [n for n in wanted if _has_floats(args[n])]
    if not wanted:
        raise UsageError("no input holds a float", "name one: --wrt x")
    return args, wanted


def _wanted(
    f: Callable[..., Any], names: Sequence[str], found: Mapping[str, Any], wrt: str | None
) -> list[int]:
    if wrt is None:
        return [n for n, name in enumerate(names) if name in found]
    wanted = []
    for name in wrt.split(","):
        if name.strip() not in names:
            raise UsageError(
                f"--wrt names {name.strip()!r}, and {_name(f)} is given {', '.join(names) or 'nothing'}",
                "name given inputs, separated by commas",
            )
        wanted.append(list(names).index(name.strip()))
    return wanted


def _default(f: Callable[..., Any], name: str) -> Any:
    return inspect.signature(f).parameters[name].default


def _floating(x: Any) -> Any:
    if isinstance(x, bool | np.bool_) or not isinstance(x, int | float | np.ndarray | np.generic):
        return x
    array = np.asarray(x)
    if array.dtype.kind in "iu":
        array = array.astype(float)
    return array if array.ndim else array[()].item() if isinstance(x, int | float) else array[()]


def _has_floats(value: Any) -> bool:
    return any(
        np.asarray(x).dtype.kind in "fc"
        for x in tree.flatten(value)[0]
        if isinstance(x, int | float | complex | np.ndarray | np.generic)
    )


def _name(f: Callable[..., Any]) -> str:
    return str(getattr(f, "__name__", f))


# ---- one input -----------------------------------------------------------------------------------


def _is_file(text: str) -> bool:
    return text.endswith((".npy", ".npz", ".json")) or ".npz:" in text


def _value(text: str) -> Any:
    text = text.strip()
    return _from_file(text) if _is_file(text) else literal(text)


def literal(text: str) -> Any:
    """A number, an array or a container, as it is written.

    >>> literal("2"), literal("1, 2.5")
    (2, array([1. , 2.5]))
    >>> literal("{'w': [1.0, inf]}")
    {'w': array([ 1., inf])}
    """
    try:
        node = ast.parse(text, mode="eval").body
        return _read(node)
    except (SyntaxError, ValueError, TypeError) as error:
        why = error.args[0] if isinstance(error, ValueError) and error.args else "cannot be read"
        raise UsageError(f"the input {text!r} {why}", f"write {_FORMS}") from None


def _read(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | complex | str):
        return node.value
    if isinstance(node, ast.Name) and node.id in ("inf", "nan", "pi"):
        return {"inf": np.inf, "nan": np.nan, "pi": np.pi}[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _read(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Div | ast.Mult):
        left, right = _read(node.left), _read(node.right)
        if isinstance(node.op, ast.Div):  # 1/3, pi/2, 1+2j
            return left / right
        if isinstance(node.op, ast.Mult):
            return left * right
        return left + right if isinstance(node.op, ast.Add) else left - right
    if isinstance(node, ast.List | ast.Tuple):
        return _array([_read(n) for n in node.elts])
    if isinstance(node, ast.Dict):
        return {_read(k): _read(v) for k, v in zip(node.keys, node.values, strict=True) if k}
    raise ValueError("cannot be read")


def _array(items: list[Any]) -> Any:
    """A list of numbers is an array, of equal rows a matrix; a list of other things stays a list."""
    if any(isinstance(x, dict | list | str) for x in items):
        return items
    if len({np.shape(x) for x in items}) > 1:
        raise ValueError("has rows of different lengths")
    return np.array(items)


def _from_file(text: str) -> Any:
    path, colon, key = (text, "", "")
    if ".npz:" in text:
        path, colon, key = text.rpartition(":")
    return _opened(Path(path), lambda p: _content(p, key if colon else None))


def _opened(path: Path, read: Callable[[Path], Any]) -> Any:
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "check the name and the folder")
    try:
        return read(path)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{path} cannot be read: {type(error).__name__}: {error}", f"give {_FORMS}"
        ) from None


def _content(path: Path, key: str | None) -> Any:
    if path.suffix == ".json":
        return _of_json(json.loads(path.read_text(encoding="utf-8")))
    found = np.load(path, allow_pickle=False)
    if path.suffix == ".npy":
        return found if found.ndim else found[()]
    names = list(found.files)
    if key is None and len(names) == 1:
        key = names[0]
    if key not in names:
        raise UsageError(
            f"{path} holds {', '.join(names) or 'nothing'}" + (f", not {key!r}" if key else ""),
            f"say which: {path}:{names[0] if names else 'name'}",
        )
    return found[key]


def _of_json(value: Any) -> Any:
    if isinstance(value, list):
        return _array([_of_json(x) for x in value])
    if isinstance(value, dict):
        return {k: _of_json(v) for k, v in value.items()}
    if value in ("nan", "inf", "-inf"):  # as `--json` writes them
        return float(value)
    return value


def _all_of(path: Path) -> dict[str, Any]:
    def read(path: Path) -> dict[str, Any]:
        if path.suffix == ".npz":
            found = np.load(path, allow_pickle=False)
            return {n: found[n] for n in found.files}
        value = _of_json(json.loads(path.read_text(encoding="utf-8")))
        if not isinstance(value, dict):
            raise UsageError(f"{path} holds no inputs by name", 'write {"x": …} into it')
        return value

    return _opened(path, read)  # type: ignore[no-any-return]
