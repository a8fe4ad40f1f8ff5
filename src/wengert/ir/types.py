"""Types: what a program knows about a value before it runs.

`ArrayType(shape, dtype)` prints as `f64[3,4]`; `StackType(item)`, printed `Stack[f64[3]]`, is the
type of what a loop of unknown length leaves behind for its derivative.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

Shape = tuple[int, ...]

_LETTERS = {"f": "f", "c": "c", "i": "i", "u": "u"}


class ArrayType:
    """Shape and dtype of an array; a Python or NumPy scalar has shape `()`.

    >>> ArrayType.of((3, 4), np.dtype(float))
    f64[3,4]
    >>> ArrayType.of((), np.dtype(bool))
    bool[]
    """

    __slots__ = ("_hash", "dtype", "inexact", "ndim", "shape", "size")
    _interned: ClassVar[dict[tuple[Shape, np.dtype[Any]], ArrayType]] = {}

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype
        self.ndim = len(shape)
        size = 1
        for extent in shape:
            size *= extent
        self.size = size
        self.inexact = dtype.kind in "fc"
        self._hash = hash((shape, dtype))

    @classmethod
    def of(cls, shape: Shape, dtype: np.dtype[Any]) -> ArrayType:
        """The one instance for this shape and dtype (interned, so that comparing is cheap)."""
        try:
            return cls._interned[shape, dtype]
        except KeyError:
            if len(cls._interned) > 20_000:  # equality does not rest on identity: dropping is safe
                cls._interned.clear()
            # (NumPy has two kinds of 64-bit integers that are equal and have different numbers: one stands for both)
            plain = np.dtype(np.dtype(dtype).str)
            new = cls._interned[shape, plain] = cls(tuple(int(n) for n in shape), plain)
            return new

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, ArrayType) and self.shape == other.shape and self.dtype == other.dtype
        )

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrayType.of, (self.shape, self.dtype)

    def __repr__(self) -> str:
        letter = _LETTERS.get(self.dtype.kind)
        name = f"{letter}{8 * self.dtype.itemsize}" if letter else self.dtype.name
        return f"{name}[{','.join(map(str, self.shape))}]"


class StackType:
    """A sequence of items of one type, whose length is known only when the program runs."""

    __slots__ = ("inexact", "item")

    def __init__(self, item: Type) -> None:
        self.item: Any = item
        self.inexact: bool = item.inexact

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StackType) and self.item == other.item

    def __hash__(self) -> int:
        return hash(("Stack", self.item))

    def __reduce__(self) -> tuple[Any, ...]:
        return StackType, (self.item,)

    def __repr__(self) -> str:
        return f"Stack[{self.item!r}]"


Type = ArrayType | StackType


def repeated(t: Any, extent: int) -> Any:
    """The type of a batch: a new leading axis, in each item of a stack.

    >>> repeated(StackType(ArrayType.of((3,), np.dtype(float))), 2)
    Stack[f64[2,3]]
    """
    if isinstance(t, StackType):
        return StackType(repeated(t.item, extent))
    return ArrayType.of((extent, *t.shape), t.dtype)


def single(t: Any) -> Any:
    """The type of one example of a batch."""
    return (
        StackType(single(t.item))
        if isinstance(t, StackType)
        else ArrayType.of(t.shape[1:], t.dtype)
    )


_of_scalar: dict[type, ArrayType] = {
    bool: ArrayType.of((), np.dtype(np.bool_)),
    int: ArrayType.of((), np.dtype(np.int64)),
    float: ArrayType.of((), np.dtype(np.float64)),
    complex: ArrayType.of((), np.dtype(np.complex128)),
} | {
    scalar: ArrayType.of((), np.dtype(scalar))
    for scalar in (
        np.float64,
        np.float32,
        np.float16,
        np.complex128,
        np.complex64,
        np.int64,
        np.int32,
        np.bool_,
    )
}
_interned = ArrayType._interned


def type_of(value: Any) -> ArrayType:
    """Type of a number, an array or a traced value.

    >>> type_of(np.zeros((2, 3), np.float32)), type_of(1.0)
    (f32[2,3], f64[])
    """
    cls = type(value)
    if cls is np.ndarray:
        try:
            return _interned[value.shape, value.dtype]
        except KeyError:
            return ArrayType.of(value.shape, value.dtype)
    if cls is ArrayType:
        return value  # type: ignore[no-any-return]
    known = _of_scalar.get(cls)
    if known is not None:
        return known
    found = getattr(value, "type", None)
    if type(found) is ArrayType or type(found) is StackType:
        return found  # type: ignore[return-value]
    if cls is StackType:
        return value  # type: ignore[no-any-return]
    return ArrayType.of(value.shape, value.dtype)
