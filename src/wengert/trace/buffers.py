"""Views of arrays that are written, and arrays of the user's that must not be.

In NumPy `x[1:3]`, `x.T` and mostly `x.reshape(…)` share memory with x: a write into one is seen in the
other. Here only the root, the array at the bottom, is ever written; a view remembers the way to it
and looks again when the root has changed. Nothing is done until that happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from wengert.errors import InputError, UnsupportedError
from wengert.ir import source
from wengert.ir.primitive import Handle, Primitive
from wengert.trace.body import inside
from wengert.trace.layout import standin

_SAMPLES = 256  # so many elements of an array are looked at to notice that it has changed


class View:
    """How a handle was read from another: `prim(parent, *args)`; `root` is the handle at the bottom.

    `seen` is the root's version when the view was last read. It is stale when they differ.
    """

    __slots__ = ("args", "params", "parent", "prim", "readonly", "root", "seen")

    def __init__(
        self,
        parent: Any,
        prim: Primitive,
        params: Mapping[str, Any],
        args: tuple[Any, ...] = (),
        readonly: bool = False,
    ) -> None:
        root = parent if parent.window is None else parent.window.root
        self.root = root
        self.seen = root.version
        self.parent = parent
        self.prim = prim
        self.params = params
        self.args = args
        self.readonly = readonly

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
                fresh = self.prim(self.parent, *self.args, **self.params)
        finally:
            builder.closed = closed
        if isinstance(fresh, Handle):
            handle.builder, handle.node, handle.value = fresh.builder, fresh.node, fresh.value  # type: ignore[attr-defined]
        else:  # an idle array after its trace
            handle.value = fresh
        self.seen = version

    def steps(self, start: Any = None) -> list[View]:
        """The way from the root, or from the handle `start` on it."""
        parent = self.parent
        return [
            *([] if parent is start or parent.window is None else parent.window.steps(start)),
            self,
        ]

    def release(self) -> None:
        """Forget the numbers between here and the root, which is about to be written."""
        parent = self.parent
        if parent.window is not None:
            forget(parent)
            parent.window.release()


class Unsure(View):
    """A reshape of which nobody knows whether NumPy would copy: good until one of the two is written."""

    __slots__ = ()

    def refresh(self, handle: Any) -> None:
        if self.stale:
            self._refuse()

    def steps(self, start: Any = None) -> list[View]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnsupportedError(
            f"a {self.parent.type!r} and its reshape are both alive, and one of them is written; whether they share memory "
            "depends on how NumPy lays the array out, which a trace that knows only types cannot tell",
            "reshape a copy in C order, x.copy().reshape(…), or write first and reshape then",
            source.here(),
        )


def forget(view: Any) -> None:
    """Drop a view's number, so that its root can be written where it stands; it is stale now."""
    view.value = None
    view.window.seen = -1


def look(
    y: Any, x: Any, prim: Primitive, params: Mapping[str, Any], args: tuple[Any, ...] = ()
) -> Any:
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
        shared = prim.name != "reshape" or _shares(x, params["shape"])
        if shared is not False:
            y.window = (Unsure if shared is None else View)(x, prim, params, args)  # type: ignore[attr-defined]
    return y


def _shares(x: Any, shape: Any) -> bool | None:
    """Would NumPy reshape without a copy? None if that depends on what is not known."""
    if x.window is None:
        value = x.value
        if x.ndim < 2 or (type(value) is np.ndarray and value.flags.c_contiguous):
            return True
    if [n for n in x.shape if n != 1] == [n for n in shape if n != 1]:
        return True
    memory = memory_of(x)
    if memory is None:
        return None
    try:
        np.reshape(memory, shape, copy=False)
    except ValueError:
        return False
    return True


def memory_of(x: Any) -> Any:
    """An array that lies in memory as x does: a view of its root, or a root; None if unknown."""
    window = x.window
    if window is None:
        return standin(x)
    above = None if isinstance(window, Unsure) else memory_of(window.parent)
    if above is None:
        return None
    if window.prim.name == "part":  # (a part is a copy, but stands for a view)
        return above[window.params["at"]]
    if window.prim.name == "gather":  # a diagonal or windows: an even step through memory
        return _strided(above, window.args[0])
    if window.prim.name in ("real", "imag"):  # (their numbers are copies)
        return getattr(above, window.prim.name)
    return window.prim.eval(above, *window.args, **window.params)


def _strided(x: Any, ids: Any) -> Any:
    """The view of x whose elements have these numbers, which lie evenly along every axis."""
    if ids.size == 0:
        return np.empty(ids.shape, x.dtype)
    places = np.unravel_index(ids, x.shape)
    strides = tuple(
        sum(
            int(p.take(1, d).flat[0] - p.take(0, d).flat[0]) * s
            for p, s in zip(places, x.strides, strict=True)
        )
        if n > 1
        else 0
        for d, n in enumerate(ids.shape)
    )
    return np.lib.stride_tricks.as_strided(x, ids.shape, strides, writeable=False)


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
            if array.size > _SAMPLES:
                step = -(-array.size // _SAMPLES)
                array = array[(*(slice(None),) * axis, slice(None, None, step))]
        array = np.ascontiguousarray(array)
    flat = array.ravel("K")
    if flat.size > _SAMPLES:
        flat = flat[:: -(-flat.size // _SAMPLES) | 1]  # (odd: not the same column of every row)
    return hash(flat.tobytes())


def exposed(array: Any) -> bool:
    """Can somebody else overwrite this array?"""
    return array.flags.writeable or (
        isinstance(array.base, np.ndarray) and array.base.flags.writeable
    )


def unchanged(builder: Any) -> None:
    """Raise InputError if a captured array that a derivative reads has been overwritten since."""
    for position, array, before in builder.watched:
        if fingerprint(array) == before or position == len(entries := builder.entries):
            continue
        entry = entries[position]
        if any(v is array for v in entry[6] or ()):
            raise InputError(
                f"the derivative of {entry[0].name} needs an array ({array.dtype}, shape {array.shape}) "
                "that was overwritten after it was used here",
                "use it as it was: pass array.copy(), or write the new numbers into a new array",
                str(source.resolve(entry[4])),
            )
