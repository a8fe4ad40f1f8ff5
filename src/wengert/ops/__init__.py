"""THE VOCABULARY: each primitive once, with all its rules."""

from wengert.ir.primitive import Primitive
from wengert.ops import (
    arithmetic,
    bessel,
    compare,
    control,
    counted,
    custom,
    elliptic,
    erf,
    exponential,
    factor,
    families,
    fft,
    gamma,
    hypergeometric,
    index,
    linalg,
    literal,
    logistic,
    matmul,
    matrix,
    order,
    printing,
    reduce,
    running,
    shape,
    special,
    spectral,
    trigonometric,
)

_rooms = (
    families,
    arithmetic,
    exponential,
    trigonometric,
    compare,
    shape,
    reduce,
    counted,
    order,
    running,
    index,
    literal,
    matmul,
    linalg,
    factor,
    spectral,
    matrix,
    special,
    erf,
    logistic,
    gamma,
    bessel,
    elliptic,
    hypergeometric,
    fft,
    custom,
    control,
    printing,
)

# every primitive by its name
PRIMITIVES: dict[str, Primitive] = {
    p.name: p for room in _rooms for p in vars(room).values() if isinstance(p, Primitive)
}
