"""THE VOCABULARY: each primitive once, with all its rules."""

from wengert.ir.primitive import Primitive
from wengert.ops import (
    arithmetic,
    compare,
    exponential,
    families,
    index,
    literal,
    matmul,
    reduce,
    shape,
    trigonometric,
)

_rooms = (families, arithmetic, exponential, trigonometric, compare, shape, reduce, index, literal, matmul)

# every primitive by its name
PRIMITIVES: dict[str, Primitive] = {
    p.name: p for room in _rooms for p in vars(room).values() if isinstance(p, Primitive)
}
