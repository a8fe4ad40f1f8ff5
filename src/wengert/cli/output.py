"""What commands print: for people, or with `--json` for programs."""

from __future__ import annotations

import dataclasses
import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from wengert.trust import report


def say(text: str = "") -> None:
    """One line to standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """One line to standard error."""
    sys.stderr.write(text + "\n")


def tell(data: Mapping[str, Any]) -> None:
    """One JSON object to standard output; nan and infinities, which JSON has not, are strings."""
    say(json.dumps(plain(data), ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Numbers, arrays and containers as JSON has them."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    if isinstance(value, complex):
        return {"real": plain(value.real), "imag": plain(value.imag)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(v) for v in value]
    return value


def shown(value: Any, indent: str = "  ") -> str:
    """Numbers and arrays for people, indented after the first line."""
    if isinstance(value, Mapping):
        return "".join(f"\n{indent}{k}: {shown(v, indent + '  ')}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "".join(f"\n{indent}[{k}]: {shown(v, indent + '  ')}" for k, v in enumerate(value))
    array = np.asarray(value)
    if array.ndim == 0:
        return str(array[()])
    text = np.array2string(array, floatmode="unique", separator=", ", max_line_width=100)
    return text if "\n" not in text else "\n" + "\n".join(indent + row for row in text.split("\n"))


@contextmanager
def collected() -> Iterator[list[str]]:
    """Warnings that are given inside, as texts, each once."""
    found: list[str] = []
    report.forget()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield found
    found += dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)
