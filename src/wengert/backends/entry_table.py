"""What the quick call reads: the table of a call, in 64-bit words, and where Python keeps its fields."""

from __future__ import annotations

from enum import IntEnum


class Words(IntEnum):
    """Positions in the table of a call."""

    KERNEL = 0
    INPUTS = 1
    OUTPUTS = 2
    ARGUMENTS = 3  # pointer to 4 words per argument: kind, type number, ndim, pointer to extents
    RESULTS = (
        4  # pointer to 7 words per result: the same, the dtype, how many floats, their bytes (or 0)
    )
    BOUND = 5  # pointer to the pointers that follow those of the arguments
    BOUNDS = 6
    EXTENTS = 7
    WORK_BYTES = 8
    WORK = 9  # a workspace that nobody uses now, or 0
    OTHERWISE = 10  # called with the arguments, where they are not as expected
    FAILED = 11  # called with the status, where that is not 0
    FREES = 12  # 1: other Python threads may run meanwhile
    SINGLE = 13  # 1: the result is no tuple
    GIVEN = 14  # 1: arrays for the results may follow the arguments
    GUARDS = (
        15  # pointer to 3 words per guard: a cell, 0, an object; or a dictionary, a key, an object
    )
    GUARD_COUNT = 16
    WATCHED = 17  # called with the arguments, where a result is not finite; 0: nobody looks
    COUNT = 18


class Kind(IntEnum):
    """What an argument or result is in Python."""

    ARRAY = 0
    FLOAT = 1  # Python"s
    DOUBLE = 2  # numpy.float64
    SCALAR = 3  # another NumPy scalar (results only)
    INT = 4  # Python"s


class Layout(IntEnum):
    """Where fields are, in bytes; `entry.probe` makes sure of it."""

    TYPE = 8
    NUMBER = 16  # of a float
    POINTER = 16  # of a capsule
    CELL = 16  # what a cell holds
    DATA = 16
    NDIM = 24
    EXTENTS = 32
    DTYPE = 56
    FLAGS = 64
    BYTEORDER = 26  # of a dtype
    TYPE_NUMBER = 28
