"""Tracer: the value that goes through the user's Python in place of an array.

A tracer is a handle: a name for a variable of the program being built. Writing into it (`x[0] = v`)
makes the handle name a new variable; programs themselves never change. A tracer knows its number
if all its arguments did. NumPy's names are put on this class by `numpy_api`.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from wengert.errors import ConcretizationError
from wengert.ir import source
from wengert.ir.primitive import Handle


class Tracer(Handle):
    """A value of a trace: `type` (shape and dtype) always, `value` (the number) if known."""

    # rare things live in a dictionary of their own, made when needed: recording is quick
    __slots__ = ("__dict__", "__weakref__", "builder", "node", "value")
    weak = False  # did it come from a Python scalar? (NEP 50)
    window: Any = None  # trace.buffers.View when NumPy would have made a view
    version = 0  # grows with every write, so that views notice

    def __init__(self, builder: Any, node: Any, value: Any, weak: bool = False) -> None:
        self.builder = builder
        self.node = node
        self.value = value
        if weak:
            self.weak = weak

    def refresh(self) -> None:
        """Look again through a view whose base was written."""
        if self.window is not None:
            self.window.refresh(self)

    def snapshot(self) -> Tracer:
        """Another handle with the value of now: a write into one is not seen in the other."""
        self.refresh()
        handle: Tracer = self.builder.handle(self.node, self.value, self.weak)
        return handle

    @property
    def type(self) -> Any:
        """Shape and dtype."""
        return self.node.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array that this stands for."""
        shape: tuple[int, ...] = self.node.type.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the array that this stands for."""
        dtype: np.dtype[Any] = self.node.type.dtype
        return dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.node.type.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        size: int = self.node.type.size
        return size

    def number(self) -> Any:
        """The number behind this value, or None where the trace does not know it."""
        self.refresh()
        value = self.value
        while isinstance(value, Tracer):
            value.refresh()
            value = value.value
        return value

    # ---- looking at numbers: allowed where nothing is lost ----------------------------------------
    def __bool__(self) -> bool:
        number = self.number()
        if number is None:
            raise ConcretizationError(
                f"`if`, `while`, `and`, `or` or `not` needs the number behind {self.type!r}, "
                "and this trace knows only its type",
                "use np.where or wg.cond here (wg.while_loop for a loop)",
                source.here(),
            )
        return bool(number)

    def _exact(self, asked: str) -> Any:
        """The number of an integer or boolean value (which carries no derivative)."""
        number = self.number()
        if self.type.inexact and self.builder.serial >= 0:
            refuse(self, asked)
        if number is None:
            raise ConcretizationError(
                f"{asked} needs the number behind {self.type!r}, and this trace knows only its type",
                "keep it as an array, or pass the number in from outside",
                source.here(),
            )
        return number

    def __index__(self) -> int:
        return self._exact("an index or a range").__index__()  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return int(self._exact("int()"))

    def __float__(self) -> float:
        return float(self._exact("float()"))

    def __complex__(self) -> complex:
        return complex(self._exact("complex()"))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._exact("making a plain NumPy array of it"), dtype=dtype)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        number = self.number()
        return f"Traced({self.type!r})" if number is None else f"Traced({number!r})"

    def __format__(self, spec: str) -> str:
        number = self.number()
        return repr(self) if number is None else format(number[()] if isinstance(number, np.ndarray) and number.ndim == 0 else number, spec)

    def __reduce__(self) -> NoReturn:
        refuse(self, "pickling")


def refuse(tracer: Tracer, asked: str) -> NoReturn:
    """Raise: `asked` would silently drop the derivative of `tracer`."""
    if source.is_assigning():
        raise ConcretizationError(
            f"a traced {tracer.type!r} is written into a plain NumPy array, which cannot keep its derivative",
            "collect the parts in a list and join them (b = np.stack(parts)), "
            "or start from a traced array (b = 0 * x; b[0] = x[0])",
            source.here(),
        )
    what = "a plain NumPy array" if "NumPy array" in asked else "a plain Python number"
    raise ConcretizationError(
        f"{asked} asks a traced {tracer.type!r} for {what}, which would silently drop its derivative",
        "leave the conversion out: a traced value already behaves like its array; "
        "for a value without derivative write wg.stop_gradient(x) and look at it by print or format",
        source.here(),
    )
