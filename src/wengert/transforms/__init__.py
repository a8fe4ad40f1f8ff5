"""PROGRAM → PROGRAM, exact."""

from wengert.ir import passes as _passes
from wengert.transforms.batch import batch as batch
from wengert.transforms.derive import derive as derive
from wengert.transforms.jvp import jvp as jvp
from wengert.transforms.reverse import reverse as reverse
from wengert.transforms.split import split as split
from wengert.transforms.sweep import sweep as sweep
from wengert.transforms.transpose import transpose as transpose
from wengert.transforms.vjp import linearize as linearize
from wengert.transforms.vjp import vjp as vjp

_passes.install(
    derive=derive,
    sweep=sweep,
    jvp=lambda *args: sweep(jvp(*args)),
    transpose=lambda *args: sweep(transpose(*args)),
    batch=lambda *args: sweep(batch(*args)),
    split=split,
)
