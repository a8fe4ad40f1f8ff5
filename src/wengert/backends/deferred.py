"""Guards of slopes left to code of their own, which is made when a number first needs them.

A guard (`0 · anything = 0`) is three operations for each product of a derivative, and two thirds of the time that a compiler takes
for straight-line code; in loops, code with and without them was twice as long. Hardly any number needs one. So the code is made without them: where one would have acted, a result is no
number. Then, and from then on, the guarded function runs instead, and writes all results again.
"""

from __future__ import annotations

import copy
import ctypes
import hashlib
import threading
from collections.abc import Callable, Iterable
from typing import Any

from wengert.backends import machine
from wengert.backends.code import AGAIN, Block, Check, For, Function, If, Store, Value
from wengert.backends.guards import FEWEST, Guard, Lifted, guard, hidden, lift, tests_of
from wengert.backends.vary import weight

CELL = "wg_guarded"  # two pointers: to the guarded function, once it is there; to what makes it


def quick(function: Function) -> Function | None:
    """The function without guards, which stops with `AGAIN` where one is needed; None where that gains nothing.

    In vector loops they are lifted (`guards`) on this occasion.
    """
    if function.callbacks:  # what they do would be done twice
        return None
    items = function.body.items
    if all(isinstance(item, Value | Store | Check) for item in items):
        return _straight(function, items)
    lifted = lift(function)
    body = _loops(function.body, lifted)
    return None if body is function.body else _again(function, body, lifted.values())


def _again(function: Function, body: Block, without: Iterable[Any]) -> Function:
    """A function with this body; it says which guards it is without, as equal code may be that of others."""
    places = []
    for _, items, guards in without:
        number = {item: n for n, item in enumerate(items)}
        places += [
            tuple(number.get(x, -1) for x in (*g, g.zero.args[0], g.value.args[0]))
            for g in guards.values()
        ]
    found = copy.copy(function)
    found.body = body
    found.again = hashlib.blake2b(repr(places).encode(), digest_size=10).hexdigest()
    return found


# ---- loops -------------------------------------------------------------------------------------------------


def _loops(block: Block, lifted: dict[For, Lifted]) -> Block:
    """The block with loops that leave where a guard is needed; itself, if there is none in it."""
    items: list[Any] = []
    for item in block.items:
        if item.__class__ is not For:
            items.append(item)
            continue
        if item in lifted:
            items.append(_leaving(item, lifted[item].branch))
            continue
        inner = _loops(item.block, lifted)
        items.append(item if inner is item.block else _with(item, inner))
    if all(a is b for a, b in zip(items, block.items, strict=True)):
        return block
    found = Block()
    found.items = items
    return found


def _leaving(loop: For, branch: If) -> For:
    """The first of a loop's two versions alone."""
    block = Block()
    fine = Value("not", "bool", (branch.test,), None, block)
    block.items = [
        *loop.block.items[:-1], fine, Check(fine, AGAIN), *branch.otherwise.items
    ]  # fmt: skip
    found = _with(loop, block)
    now = {result: value for _, value, result in branch.results}
    found.reductions = [r._replace(value=now.get(r.value, r.value)) for r in loop.reductions]
    return found


def _with(loop: For, block: Block) -> For:
    """A loop with another body that is done in the same way."""
    found = copy.copy(loop)
    found.block, found.weight = block, weight(loop)
    return found


# ---- straight-line code --------------------------------------------------------------------------------------


def _straight(function: Function, items: list[Any]) -> Function | None:
    guards = {v: g for v in items if v.__class__ is Value and v.op == "select" and (g := guard(v))}
    stored = {item.buffer for item in items if isinstance(item, Store)}
    if len(guards) < FEWEST or any(
        v.op == "load" and v.data in stored for v in items if isinstance(v, Value)
    ):
        return None
    away = hidden(items, guards)
    guards = {v: g for v, g in guards.items() if v not in away}
    if len(guards) < FEWEST:
        return None
    body = _without(items, guards)
    return None if body is None else _again(function, body, [(None, items, guards)])


def _without(items: list[Any], guards: dict[Value, Guard]) -> Block | None:
    """All that is not for guards; and are the results numbers?"""
    own = tests_of(items, guards)
    block = Block()
    now: dict[Value, Value] = {}
    tested: set[Value] = set()
    fine: Value | None = None  # are all results numbers?
    for item in items:
        if isinstance(item, Store):
            if item.value in now:
                value = now[item.value]
                item = Store(item.buffer, item.index, value)
                if value not in tested:
                    tested.add(value)
                    test = Value("eq", "bool", (value, value), None, block)
                    block.items.append(test)
                    if fine is not None:
                        test = Value("and", "bool", (fine, test), None, block)
                        block.items.append(test)
                    fine = test
        elif item in guards:
            product = guards[item].product
            now[item] = now.get(product, product)
            continue
        elif item in own:
            continue
        elif isinstance(item, Value) and not now.keys().isdisjoint(item.args):
            args = tuple([now.get(a, a) for a in item.args])
            now[item] = item = Value(item.op, item.type, args, item.data, block)
        block.items.append(item)
    if fine is None:  # nobody reads them
        return None
    block.items.append(Check(fine, AGAIN))
    return block


# ---- in a process ------------------------------------------------------------------------------------------

_Kernel = ctypes.CFUNCTYPE(ctypes.c_int32, *(ctypes.c_void_p,) * 4)


class Cell:
    """Where quick code finds its guarded version; `source` gives the name and the text of that.

    Threads of C may be the first to need it. What goes wrong while it is made is given to `failed`, and the call fails.
    """

    def __init__(
        self, source: Callable[[], tuple[str, str]], failed: Callable[[BaseException], None]
    ) -> None:
        self._source, self._failed = source, failed
        self._lock = threading.Lock()
        self._loaded: machine.Loaded | None = None
        self._first = _Kernel(self._make)
        self._table = (ctypes.c_void_p * 2)(None, ctypes.cast(self._first, ctypes.c_void_p))

    @property
    def symbols(self) -> dict[str, int]:
        """As the code asks for it."""
        return {CELL: ctypes.addressof(self._table)}

    def _make(self, *args: Any) -> int:
        try:
            with self._lock:
                if self._loaded is None:
                    name, text = self._source()
                    self._loaded = machine.load(text, name)
                    self._table[0] = self._loaded.address
            return int(_Kernel(self._loaded.address)(*args))
        except BaseException as error:
            self._failed(error)
            return 1


def wrapped(name: str, again: str) -> str:
    """The function that calls the quick one, and the guarded one where that is needed."""
    return _WRAPPED.format(name=name, again=again, cell=CELL)


_WRAPPED = """\
; guards {again}
@{cell} = external global [2 x ptr]
define i32 @{name}(ptr %ins, ptr %outs, ptr %extents, ptr %work) #0 {{
entry:
  %guarded = load ptr, ptr @{cell}
  %there = icmp ne ptr %guarded, null
  br i1 %there, label %careful, label %quick
quick:
  %status = call i32 @{name}.quick(ptr %ins, ptr %outs, ptr %extents, ptr %work)
  %odd = icmp eq i32 %status, -3
  br i1 %odd, label %make, label %done
done:
  ret i32 %status
make:
  %place = getelementptr ptr, ptr @{cell}, i64 1
  %maker = load ptr, ptr %place
  br label %careful
careful:
  %function = phi ptr [ %guarded, %entry ], [ %maker, %make ]
  %found = call i32 %function(ptr %ins, ptr %outs, ptr %extents, ptr %work)
  ret i32 %found
}}
"""
