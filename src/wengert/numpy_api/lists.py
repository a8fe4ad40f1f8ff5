"""Lists that hold traced values, where NumPy takes an array.

`np.sqrt([a, b])`: NumPy asks arrays whether they have something to say, but never the elements of
a list. So while a trace runs, the names of NumPy's functions and ufuncs first make arrays of such lists.
"""

from __future__ import annotations

import dis
import functools
import sys
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from wengert.numpy_api.creation import array, is_traced
from wengert.numpy_api.table import FUNCTIONS, PLAIN, UFUNCS
from wengert.trace.tracer import Tracer

# functions of which one argument is a list of arrays: each of them may be a list
_OF_MANY = frozenset({
    "concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack", "select", "choose", "lexsort",
    "multi_dot", "piecewise", "ravel_multi_index", "ix_", "block", "einsum_path",
})  # fmt: skip
# lists of places, pairs and shapes, which their rules read as such
_AS_THEY_ARE = frozenset({"pad", "block", "savez", "savez_compressed"})
_PLAIN = frozenset(
    {Tracer, np.ndarray, float, int, bool, str, np.float64, type(None), slice, complex}
)


def holds_traced(value: Any) -> bool:
    """Is this a list or tuple with a traced value in it?"""
    return (type(value) is list or type(value) is tuple) and is_traced(value)


def joined(value: Any) -> Any:
    """A list that holds traced values as an array; anything else as it is."""
    return array(value) if holds_traced(value) else value


def _each(value: Any) -> Any:
    """A list of arrays, some of which are lists."""
    return type(value)(map(joined, value)) if holds_traced(value) else value


def gatherer(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function of arrays, which takes lists of traced values for arrays too."""
    rule = FUNCTIONS[original]
    of_many = name in _OF_MANY
    turn = _each if of_many else joined

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        ours = False
        for a in args:
            cls = type(a)
            if cls is Tracer:
                ours = True
            elif cls is list or cls is tuple:
                if of_many:
                    if any(map(holds_traced, a)):
                        break
                elif is_traced(a):
                    break
            elif cls not in _PLAIN:
                ours = False
                break
        else:
            # (with a traced value the shortest way, without asking around)
            if not kwargs:
                return rule(*args) if ours else original(*args)
            if ours and all(type(v) in _PLAIN for v in kwargs.values()):
                return rule(*args, **kwargs)
        args = tuple(map(turn, args))
        return original(*args, **{key: turn(v) for key, v in kwargs.items()})

    return call


def functions(module: ModuleType, known: Any = ()) -> dict[str, tuple[Any, Any]]:
    """The functions of a module with a rule, each with what stands for it; not those that are `known`."""
    return {
        name: (f, gatherer(f, name))
        for name, f in vars(module).items()
        if name not in known
        and name not in _AS_THEY_ARE
        and callable(f)
        and not isinstance(f, np.ufunc | type)
        and f in FUNCTIONS
    }


def listening(original: np.ufunc) -> Callable[..., Any]:
    """A ufunc where it is called, which also takes lists of traced values."""
    rule, count = PLAIN.get(UFUNCS[original], UFUNCS[original]), original.nin

    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) == count:
            if count == 1 and type(args[0]) is Tracer:
                if (step := args[0].builder.path) is not None and step.door is rule:
                    y = step.go(step, 1, *args)
                    if y is not None:
                        return y
                return rule(args[0])
            traced = False
            for a in args:
                cls = type(a)
                if cls is Tracer:
                    traced = True
                elif cls not in _PLAIN:
                    break
            else:
                if traced:
                    return rule(*args)  # the shortest way, without asking around
        return original(*map(joined, args), **kwargs)

    def method(name: str) -> Callable[..., Any]:
        bound = getattr(original, name)
        return lambda *args, **kwargs: bound(*map(joined, args), **kwargs)

    for name in METHODS:
        setattr(call, name, method(name))
    return functools.wraps(original, assigned=("__name__", "__doc__"), updated=())(call)


METHODS = ("reduce", "accumulate", "reduceat", "outer", "at")
calls: dict[tuple[int, int], tuple[CodeType, bool]] = {}


def is_called(code: CodeType, lasti: int) -> bool:
    """Is the attribute that an instruction reads now called, or a method of it?

    Elsewhere (`op is np.add`, `{np.add: …}`) a ufunc must be itself.
    """
    key = id(code), lasti  # (the hash of a code object takes longer than all the rest)
    found = calls.get(key)
    if found is None or found[0] is not code:
        if len(calls) > 10_000:
            calls.clear()
        found = calls[key] = code, _looks_called(code, lasti)
    return found[1]


def _looks_called(code: CodeType, lasti: int) -> bool:
    steps = list(dis.get_instructions(code))
    at = next((n for n, i in enumerate(steps) if i.offset == lasti), None)
    if at is None or at + 1 == len(steps):
        return False
    step, following = steps[at], steps[at + 1]
    if step.opname == "LOAD_METHOD" or (
        step.opname == "LOAD_ATTR" and sys.version_info >= (3, 12) and (step.arg or 0) & 1
    ):
        return True
    if step.opname != "LOAD_ATTR":
        return False
    if following.opname == "PUSH_NULL" or following.argval in METHODS:
        return True
    if following.opname in (
        "LOAD_ATTR",
        "LOAD_METHOD",
    ):  # (another attribute of it is what is called)
        return False
    # where the file imports the module, a call of its function looks like that of any value: the
    # call begins where the name begins, and ends later
    name = step.positions
    return name is not None and any(
        s.opname.startswith("CALL") and s.positions is not None
        and (s.positions.lineno, s.positions.col_offset) == (name.lineno, name.col_offset)
        and (s.positions.end_lineno, s.positions.end_col_offset) > (name.end_lineno, name.end_col_offset)
        for s in steps[at + 1 :]
    )  # fmt: skip


def ufuncs(module: ModuleType) -> dict[str, tuple[Any, Any]]:
    """The ufuncs of a module that have a rule, each with what stands for it."""
    made: dict[Any, Any] = {}  # (several names have one ufunc)
    return {
        name: (f, made.setdefault(f, listening(f)))
        for name, f in vars(module).items()
        if isinstance(f, np.ufunc) and f in UFUNCS
    }
