"""Views of arrays that are written, and arrays of the user's that must not be.

In NumPy `x[1:3]`, `x.T` and mostly `x.reshape(…)` share memory with x: a write into one is seen in the
other. Here only the root, the array at the bottom, is ever written; a view remembers the way to it
and looks again when the root has changed. Nothing is done until that happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive
from wengert.trace.body import inside

_WORDS = 256  # how much of an array is looked at to notice that it has changed
_weights = (
    np.arange(1, 2 * _WORDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
) | np.uint64(1)
_HALF = np.uint64(32)
_words = {1: "u1", 2: "u2", 4: "u4", 8: "u8", 16: "u8", 32: "u8"}  # by the size of an element


class View:
    """How a handle was read from another: `prim(parent)`; `root` is the handle at the bottom.

    `seen` is the root's version when the view was last read. It is stale when they differ.
    """

    __slots__ = ("params", "parent", "prim", "root", "seen")

    def __init__(self, parent: Any, prim: Primitive, params: Mapping[str, Any]) -> None:
        root = parent if parent.window is None else parent.window.root
        self.root = root
        self.seen = root.version
        self.parent = parent
        self.prim = prim
        self.params = params

    @property
    def stale(self) -> bool:
        """Has the root been written since?"""
        return bool(self.root.version != self.seen)

    def refresh(self, handle: Any) -> None:
        """Let `handle`, whose window this is, name what the root holds now."""
        version = self.root.version
        if version == self.seen:
            return
        self.parent.refresh()
        builder = self.parent.builder
        closed, builder.closed = builder.closed, False  # a function may return a stale view
        try:
            with inside(None):
                fresh = self.prim(self.parent, **self.params)
        finally:
            builder.closed = closed
        if isinstance(fresh, Handle):
            handle.builder, handle.node, handle.value = fresh.builder, fresh.node, fresh.value  # type: ignore[attr-defined]
        else:  # an idle array after its trace
            handle.value = fresh
        self.seen = version

    def steps(self) -> list[tuple[Primitive, Mapping[str, Any], Any]]:
        """The way from the root: primitive, params, and the type they are applied to."""
        above = [] if self.parent.window is None else self.parent.window.steps()
        return [*above, (self.prim, self.params, self.parent.type)]

    def release(self) -> None:
        """Forget the numbers between here and the root, which is about to be written."""
        parent = self.parent
        if parent.window is not None:
            forget(parent)
            parent.window.release()


def forget(view: Any) -> None:
    """Drop a view's number, so that its root can be written where it stands; it is stale now."""
    view.value = None
    view.window.seen = -1


def look(y: Any, x: Any, prim: Primitive, params: Mapping[str, Any]) -> Any:
    """`y = prim(x)` as NumPy would give it: a view of x, if the memory of x allows.

    >>> import numpy as np, wengert as wg
    >>> def f(x):
    ...     flat = x.reshape(-1)
    ...     x[0, 1] = 3 * x[1, 1]
    ...     return flat[1]
    >>> wg.grad(f)(np.eye(2))
    array([[0., 0.],
           [0., 3.]])
    """
    if isinstance(y, Handle) and y is not x:
        view = View(x, prim, params)
        if prim.name != "reshape" or _shares(view):
            y.window = view  # type: ignore[attr-defined]
    return y


def _shares(view: View) -> bool:
    """Would NumPy reshape without a copy? Where numbers are unknown, the root is taken to be C-ordered."""
    root = view.root
    x = root.number()
    if view.parent is root and (x is None or x.ndim < 2 or x.flags.c_contiguous):
        return True
    if x is None:
        x = np.empty(root.shape, root.dtype)
    *above, (_, params, _) = view.steps()
    for prim, given, _ in above:  # (a part is a copy, but stands for a view)
        x = x[given["at"]] if prim.name == "part" else prim.eval(x, **given)
    try:
        np.reshape(x, params["shape"], copy=False)
    except ValueError:
        return False
    return True


# ---- captured arrays ---------------------------------------------------------------------------------


def fingerprint(array: Any) -> int:
    """A number that changes when the array is overwritten: of all of it, or of evenly spread samples.

    >>> a = np.arange(100.0)
    >>> before = fingerprint(a)
    >>> a[3] = 7.0
    >>> before == fingerprint(a)
    False
    """
    if not array.flags.forc:
        if 0 in array.strides:  # repeated: once is enough
            array = array[tuple(slice(None) if stride else slice(1) for stride in array.strides)]
        for axis in range(array.ndim):
            if array.size > _WORDS:
                array = array[(*(slice(None),) * axis, slice(None, None, -(-array.size // _WORDS)))]
        array = np.ascontiguousarray(array)
    words = array.ravel("K").view(_words[array.dtype.itemsize])
    if words.size > _WORDS:
        words = words[:: -(-words.size // _WORDS) | 1]  # (odd: real and imaginary parts in turn)
    words = words.astype(np.uint64)
    words ^= words >> _HALF  # round numbers have all their digits in front
    return int(words.dot(_weights[: words.size]))


def exposed(array: Any) -> bool:
    """Can somebody else overwrite this array?"""
    return array.flags.writeable or (
        isinstance(array.base, np.ndarray) and array.base.flags.writeable
    )


def unchanged(builder: Any) -> None:
    """Raise InputError if a captured array that a derivative reads has been overwritten since."""
    for position, array, before in builder.watched:
        if position == len(builder.entries) or fingerprint(array) == before:
            continue
        entry = builder.entries[position]
        if any(v is array for v in entry[6] or ()):
            raise InputError(
                f"the derivative of {entry[0].name} needs an array ({array.dtype}, shape {array.shape}) "
                "that was overwritten after it was used here",
                "use it as it was: pass array.copy(), or write the new numbers into a new array",
                str(source.resolve(entry[4])),
            )
