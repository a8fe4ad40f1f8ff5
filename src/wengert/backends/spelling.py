"""LLVM's names of types, and its spelling of numbers."""

from __future__ import annotations

import struct
from typing import Any

TYPES = {
    "f64": "double", "f32": "float", "i64": "i64", "u64": "i64", "i32": "i32", "u32": "i32",
    "i16": "i16", "u16": "i16", "i8": "i8", "u8": "i8", "bool": "i1",
}  # fmt: skip
MEMORY = {**TYPES, "bool": "i8"}


def constant(value: Any, type: str) -> str:
    """A number in LLVM's spelling."""
    if type[0] == "f":
        return f"0x{struct.unpack('Q', struct.pack('d', value))[0]:016X}"
    if type == "bool":
        return "true" if value else "false"
    return str(value)
