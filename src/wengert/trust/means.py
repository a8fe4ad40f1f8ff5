"""Means that trust may use, lent to it by rooms above: machine code, at present."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.ir.program import Program

# makes a program ready for large arrays; whoever has such means puts them here
machine: list[Callable[[Program], Callable[[Sequence[Any]], Sequence[Any]]]] = []
