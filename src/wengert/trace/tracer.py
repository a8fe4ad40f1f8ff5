"""Tracer: the value that goes through the user's Python in place of an array.

A tracer is a handle: a name for a variable of the program being built. Writing into it (`x[0] = v`)
makes the handle name a new variable; programs themselves never change. A tracer knows its number
if all its arguments did. NumPy's names are put on this class by `numpy_api`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from wengert.errors import ConcretizationError
from wengert.ir import source
from wengert.ir.primitive import Handle
from wengert.ir.types import ArrayType

# from the spelling of the user's call: what happened and the way out, or None
ways_out: list[Callable[[str], tuple[str, str] | None]] = []
# what stands for the numbers of a value that is being written into a plain array, or None (trace.adoption)
rescues: list[Callable[[Any, str], Any]] = []


_WEAK = {"b": bool, "i": int, "f": float, "c": complex}  # the classes of Python's own numbers


class Tracer(Handle):
    """A value of a trace: `type` (shape and dtype) always, `value` (the number) if known."""

    # slots are quick to set and to read; what a tape remembers goes into the dictionary
    __slots__ = (
        "__dict__", "__weakref__", "builder", "node", "order", "still", "value", "version", "weak", "window",
    )  # fmt: skip
    boxed = False  # of shape (): is it an array all the same, to who made it?

    def __init__(self, builder: Any, node: Any, value: Any, weak: bool = False) -> None:
        self.builder = builder
        self.node = node
        self.value = value
        self.weak = weak  # did it come from a Python scalar? (NEP 50)
        self.window: Any = None  # trace.buffers.View when NumPy would have made a view
        self.order: Any = (
            None  # what is known of its memory, where the node does not tell (trace.layout)
        )
        self.version = 0  # grows with every write, so that views notice
        # the node that stop_gradient gave it: as long as it names that, nothing is lost
        self.still: Any = None

    @property
    def __class__(self) -> Any:
        """What `isinstance` finds: to the user it is the array or number that it stands for; to us, itself."""
        kind = self.node.type
        if type(kind) is not ArrayType or source.looks_on():
            return type(self)
        if kind.shape or self.boxed:
            return np.ndarray
        return _WEAK[kind.dtype.kind] if self.weak else kind.dtype.type

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        object.__dict__["__class__"].__set__(self, kind)

    def refresh(self) -> None:
        """Look again through a view whose base was written."""
        if self.window is not None:
            self.window.refresh(self)

    def snapshot(self) -> Tracer:
        """Another handle with the value of now: a write into one is not seen in the other."""
        if self.window is not None:
            self.window.refresh(self)
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
        outer = self.value
        while isinstance(outer, Tracer):  # the traces around depend on the answer too
            outer.builder.decide(outer.node, number)
            outer = outer.value
        return self.builder.decide(self.node, number)  # type: ignore[no-any-return]

    def _exact(self, asked: str) -> Any:
        """The number of an integer or boolean value (which carries no derivative)."""
        number = self.number()
        if self.type.inexact and self.builder.serial >= 0 and self.still is not self.node:
            return number if number is not None and source.is_testing() else _written(self, asked)
        if number is None:
            raise ConcretizationError(
                f"{asked} needs the number behind {self.type!r}, and this trace knows only its type",
                "keep it as an array, or pass the number in from outside; "
                "a plain array `a` is read at it by np.array(a)[i]",
                source.here(),
            )
        self.handed_out()
        return number

    def handed_out(self) -> None:
        """Python goes on with the plain number: the traces that know it remember that."""
        outer: Any = self
        while isinstance(outer, Tracer):
            outer.builder.taken.append(outer.node)
            outer = outer.value

    def __index__(self) -> int:
        return self._exact("an index or range()").__index__()  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return int(self._exact("int()"))

    def __float__(self) -> float:
        return float(self._exact("float()"))

    def __complex__(self) -> complex:
        return complex(self._exact("complex()"))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._exact("a conversion to a plain NumPy array"), dtype=dtype)

    def __hash__(self) -> int:
        if type(self.node.type) is not ArrayType or self.node.type.shape:
            return id(self)
        number = self.number()
        if (
            number is None
        ):  # what is equal to it, and so what a set or a dictionary finds, is not known
            raise ConcretizationError(
                f"a key of a set or a dictionary needs the number behind {self.type!r}, "
                "and this trace knows only its type",
                "use np.where or wg.cond here, or pass the key as a static argument",
                source.here(),
            )
        return hash(number[()])  # a scalar is equal to its number

    def __repr__(self) -> str:
        number = self.number()
        return f"Traced({self.type!r})" if number is None else f"Traced({number!r})"

    def __format__(self, spec: str) -> str:
        number = self.number()
        return (
            repr(self)
            if number is None
            else format(
                number[()] if isinstance(number, np.ndarray) and number.ndim == 0 else number, spec
            )
        )

    def __reduce__(self) -> NoReturn:
        raise ConcretizationError(
            f"a traced {self.type!r} is pickled; it stands for a number of the call that runs now",
            "return it (with has_aux=True, if it is not the result) and pickle what comes back",
            source.here(),
        )


def _written(tracer: Tracer, asked: str) -> Any:
    """NumPy asks for the numbers of a value that moves: only to write it into an array of the user's."""
    if source.is_assigning():
        for rescue in rescues:
            found = rescue(tracer, asked)
            if found is not None:
                return found
    return refuse(tracer, asked)


def plain_write(value: Any, line: str | None, reason: str = "") -> ConcretizationError:
    """The error for an array of NumPy's into which a traced value is written."""
    return ConcretizationError(
        f"a traced {value.type!r} is written into a plain NumPy array, which cannot keep its derivative"
        + (f"; {reason}" if reason else ""),
        "make the array inside of the traced function, in a variable of its own (b = np.zeros(n); of one from outside "
        "b = np.array(a)), collect the parts in a list and join them (b = np.stack(parts)), "
        "or start from a traced array (b = 0 * x; b[0] = x[0])",
        line,
    )


def refuse(tracer: Tracer, asked: str) -> NoReturn:
    """Raise: `asked` would silently drop the derivative of `tracer`."""
    if source.is_assigning():
        raise plain_write(tracer, source.here())
    call = source.called()
    for explain in ways_out:
        found = explain(call)
        if found is not None:
            raise ConcretizationError(*found, source.here())
    if "index" in asked:
        raise ConcretizationError(
            f"a traced {tracer.type!r} is used as an index or in range(), which need an integer",
            "count by a shape (x.shape[0]), or pass the integer as an argument that is not differentiated",
            source.here(),
        )
    array = "array" in asked
    if not array and call.rpartition(".")[2] not in ("", "float", "int", "complex"):
        asked = f"{call} asks for the {asked} of its argument, which"
        raise ConcretizationError(
            f"{asked}, of a traced {tracer.type!r}, would silently drop its derivative",
            "call NumPy's or math's function by its module (np.cos, math.cos); give another one a rule with @wg.custom_vjp; "
            "where no derivative is wanted, pass wg.stop_gradient(x)",
            source.here(),
        )
    if array and source.is_operator():
        raise ConcretizationError(
            f"a list with a traced {tracer.type!r} meets a plain array in an operator, which converts it and would silently "
            "drop the derivative",
            "make an array of the list first, A @ np.array([…]); where no derivative is wanted, pass wg.stop_gradient(x)",
            source.here(),
        )
    raise ConcretizationError(
        f"{asked} of a traced {tracer.type!r} would silently drop its derivative"
        + (
            f" ({call or 'a function that wengert does not know'} converts its arguments)"
            if array
            else ""
        ),
        (
            "give that function a rule with @wg.custom_vjp"
            if array
            else "leave it out: a traced value behaves like its number"
        )
        + "; where no derivative is wanted, convert wg.stop_gradient(x)",
        source.here(),
    )
