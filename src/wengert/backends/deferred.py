"""Guards of slopes left to code of their own, which is made when a number first needs them.

A guard (`0 · anything = 0`) is three operations for each product of a derivative, and two thirds of the time that a compiler takes
for straight-line code. Hardly any number needs one. So the code is made without them: where one would have acted, a result is no
number. Then, and from then on, the guarded function runs instead, and writes all results again.
"""

from __future__ import annotations

import copy
import ctypes
import hashlib
import threading
from collections.abc import Callable
from typing import Any

from wengert.backends import machine
from wengert.backends.code import AGAIN, Block, Check, Function, Store, Value
from wengert.backends.guards import FEWEST, Guard, free, guard

CELL = "wg_guarded"  # two pointers: to the guarded function, once it is there; to what makes it


def quick(function: Function) -> Function | None:
    """Straight-line code without its guards, which stops with `AGAIN` where one is needed; None where that gains nothing."""
    items = function.body.items
    guards = {v: g for v in items if v.__class__ is Value and (g := guard(v))}
    if len(guards) < FEWEST or not all(isinstance(i, Value | Store | Check) for i in items):
        return None
    stored = {item.buffer for item in items if isinstance(item, Store)}
    if any(v.op == "load" and v.data in stored for v in items if isinstance(v, Value)):
        return None
    open_, users = free(items, guards)
    guards = {v: g for v, g in guards.items() if v in open_}
    if len(guards) < FEWEST:
        return None
    return _without(function, guards, users)


def _without(
    function: Function, guards: dict[Value, Guard], users: dict[Value, list[Any]]
) -> Function | None:
    own: set[Value] = set(guards)  # what nobody but guards looks at
    for g in guards.values():
        test = g.value.args[0]
        if all(u in own for u in users[test]):
            own.add(test)
    for g in guards.values():
        own.update(x for x in (g.zero, g.none) if all(u in own for u in users[x]))
    block = Block()
    now: dict[Value, Value] = {}
    tested: set[Value] = set()
    fine: Value | None = None  # are all results numbers?
    for item in function.body.items:
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
        elif isinstance(item, Value):
            args = tuple([now.get(a, a) for a in item.args])
            if args != item.args:
                now[item] = item = Value(item.op, item.type, args, item.data, block)
        block.items.append(item)
    if fine is None:  # nobody reads them
        return None
    block.items.append(Check(fine, AGAIN))
    found = copy.copy(function)
    found.body, found.again = block, _digest(function, guards)
    return found


def _digest(function: Function, guards: dict[Value, Guard]) -> str:
    """Which guards there were: equal code without guards may be that of other code with them."""
    number = {item: n for n, item in enumerate(function.body.items)}
    places = [
        tuple(number.get(x, -1) for x in (*g[:4], g.zero.args[0], g.value.args[0]))
        for g in guards.values()
    ]
    return hashlib.blake2b(repr(places).encode(), digest_size=10).hexdigest()


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
