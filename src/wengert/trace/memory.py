"""Memory that traces free stays with the process.

A trace keeps its numbers until it has been walked back, then frees them all at once. The C library
of Linux hands such a heap back to the system, and the next call pays a page fault for every 4 kB of
it: a third of the time of a small network's gradient. It ceases to do so when it has seen one large
array come and go, as it has in most programs that compute. So let it see one: no page of it is
touched, and limits that the user has set herself (MALLOC_TRIM_THRESHOLD_ and the like) stay in force.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

_BYTES = 31 << 20  # below the largest size that moves the limit, 32 MB


def settle() -> None:
    """Let the C library see a large array come and go."""
    with suppress(MemoryError):  # a limit is set, and matters more
        np.empty(_BYTES, np.uint8)
