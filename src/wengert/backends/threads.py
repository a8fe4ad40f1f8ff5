"""Threads for compiled loops: the state of `threads_ir`'s run-time, and what a fork does to it.

`WENGERT_THREADS` says how many threads a loop may have (all cores that this process may use); 1 means that
loops run on their caller's thread.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any

from wengert.backends import machine, symbols, threads_ir
from wengert.backends.once import once
from wengert.backends.threads_ir import State


def count() -> int:
    """How many threads a loop may have, its caller's among them."""
    named = os.environ.get("WENGERT_THREADS", "")
    if named.isdigit() and int(named) > 0:
        return int(named)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@once
def _state() -> Any:
    """The block of memory: aligned, and as it is when no thread has been started."""
    block = ctypes.create_string_buffer(State.SIZE + 64)
    block.aligned = (ctypes.addressof(block) + 63) // 64 * 64  # type: ignore[attr-defined]
    _empty(block)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: _empty(block))
    return block


def _empty(block: Any) -> None:
    ctypes.memset(block.aligned, 0, State.SIZE)
    process = symbols.process()
    sound = hasattr(process, "sem_init") and all(
        process.sem_init(ctypes.c_void_p(block.aligned + semaphore), 0, 0) == 0
        for semaphore in (State.WORK, State.DONE)
    )
    _wanted(block).value = count() - 1 if sound else 0  # (macOS has no such semaphores)


def _wanted(block: Any) -> Any:
    return ctypes.c_int64.from_address(block.aligned + State.WANTED)


def set_count(threads: int) -> None:
    """How many threads loops have from now on."""
    _wanted(_state()).value = max(threads - 1, 0)


@once
def code() -> machine.Loaded:
    """The run-time's machine code."""
    own = {"wg_state": _state().aligned}
    text = threads_ir.text(machine.machine().triple)
    return machine.load(text, (threads_ir.PARALLEL, threads_ir.INTERRUPTED), own)


symbols.offer_later(threads_ir.PARALLEL, lambda: code().addresses[threads_ir.PARALLEL])
symbols.offer_later(threads_ir.INTERRUPTED, lambda: code().addresses[threads_ir.INTERRUPTED])
