"""One call of the user's function from the command line: its inputs, and its errors told by her line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.cli.failure import Raised, UsageError
from wengert.cli.target import load, parameters, where
from wengert.cli.values import arguments
from wengert.errors import WengertError
from wengert.ir.types import type_of


class Job(NamedTuple):
    """A function with the inputs of a call, and which of them are differentiated."""

    name: str
    f: Callable[..., Any]
    args: list[Any]
    names: list[str]
    argnums: tuple[int, ...]

    @property
    def inputs(self) -> dict[str, Any]:
        """The differentiated inputs by name."""
        return {self.names[n]: self.args[n] for n in self.argnums}

    def ask(self, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Any:
        """`make(f)(*args)`; an error of the function is told with her line and the inputs."""
        try:
            with np.errstate(all="ignore"):
                return make(self.f)(*self.args)
        except (WengertError, UsageError):
            raise
        except Exception as error:
            raise Raised(
                type(error)(f"{error}\n  with {self.described()}")
                if type(error) in (ValueError, TypeError, IndexError, KeyError)
                else error,
                where(error),
            ) from error

    def described(self) -> str:
        """The inputs with their types."""
        return ", ".join(f"{n}: {_type(v)}" for n, v in zip(self.names, self.args, strict=False))


def _type(value: Any) -> str:
    leaves = tree.flatten(value)[0]
    if len(leaves) == 1 and isinstance(leaves[0], int | float | complex | np.ndarray | np.generic):
        return repr(type_of(leaves[0]))
    return f"{type(value).__name__} of {len(leaves)}"


def job(options: argparse.Namespace) -> Job:
    """The call that `file.py:f --at … --wrt …` means."""
    f = load(options.target)
    args, wanted = arguments(f, options.at or [], getattr(options, "wrt", None))
    name = options.target.rpartition(":")[2]
    names = parameters(f) or [f"x{n}" for n in range(len(args))]
    return Job(name, f, args, names, tuple(wanted))
