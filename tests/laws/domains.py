"""What a case is made of: domains to draw arguments from, settings to draw them in."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wengert.ops import PRIMITIVES
from wengert.testing import Sample

GAP = 1 / 16  # how far points stay away from kinks


def _plain(x: float) -> float:
    """Zero instead of almost zero: underflow is for the table of edges."""
    return x if abs(x) > 2**-10 else 0.0


@dataclass(frozen=True)
class Domain:
    """Where the elements of an argument lie. Bounds are exact in every float dtype."""

    low: float
    high: float
    away: tuple[float, ...] = ()
    dtype: str | None = None  # None: whatever dtype the case is tried in
    distinct: bool = False  # no two elements within a gap of each other

    def draw(self, draw: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """An array of elements of this domain; a scalar where the shape is ()."""
        kind = np.dtype(self.dtype or dtype)
        if self.distinct:
            size = int(np.prod(shape))
            order = draw(st.permutations(range(size)))
            place = self.low + (np.array(order) + 0.5) * (self.high - self.low) / max(size, 1)
            return place.reshape(shape).astype(kind)[()]
        if kind.kind == "c":
            real = replace(self, dtype="float64").draw(draw, shape, dtype)
            turn = Domain(-0.75, 0.75, dtype="float64").draw(draw, shape, dtype)
            return np.asarray(real + 1j * turn, kind)[()]
        if kind.kind == "b":
            elements = st.booleans()
        elif kind.kind in "iu":
            elements = st.integers(int(self.low), int(self.high))
        else:
            elements = st.floats(self.low, self.high, width=8 * kind.itemsize).map(_plain)
        if self.away:
            elements = elements.filter(lambda x: all(abs(x - a) >= GAP for a in self.away))
        return draw(hnp.arrays(kind, shape, elements=elements, fill=st.nothing()))[()]


@dataclass(frozen=True)
class Setting:
    """Shapes of the arguments with the parameters that go with them."""

    shapes: tuple[tuple[int, ...], ...] | None
    params: dict[str, Any]


def on(*shapes: tuple[int, ...], **params: Any) -> Setting:
    """A setting of a case."""
    return Setting(shapes, params)


ALIKE = [(), (3,), (2, 3)]  # elementwise: all arguments have one shape


@dataclass(frozen=True)
class Case:
    """What a primitive is tried on."""

    domains: tuple[Domain, ...]
    settings: tuple[Setting, ...]
    dtypes: str
    via: Callable[..., tuple[Any, ...]] | None
    laws: tuple[int, ...]

    @property
    def differentiable(self) -> bool:
        """Has it derivatives to hold against each other?"""
        return 3 in self.laws

    @st.composite
    def _samples(draw: Any, self, name: str, dtypes: str | None, settings: Any) -> Sample:
        setting = draw(st.sampled_from(settings or self.settings))
        dtype = np.dtype(draw(st.sampled_from(dtypes or self.dtypes)))
        shapes = setting.shapes
        if shapes is None:
            shapes = (draw(st.sampled_from(ALIKE)),) * len(self.domains)
        domains = self.domains * (len(shapes) if len(self.domains) == 1 else 1)
        args = [d.draw(draw, shape, dtype) for d, shape in zip(domains, shapes, strict=True)]
        if self.via is not None:
            args = [np.asarray(a, dtype)[()] for a in self.via(*args)]
        moving = draw(st.lists(st.booleans(), min_size=len(args), max_size=len(args)))
        if not any(moving):
            moving = [True] * len(args)
        return Sample(PRIMITIVES[name], args, setting.params, moving, draw(st.integers(0, 99)))

    def samples(self, name: str, dtypes: str | None = None, settings: Any = None) -> Any:
        """Points of a primitive, drawn by hypothesis."""
        return Case._samples(self, name, dtypes, settings)


def smooth(*given: Domain | Setting, dtypes: str = "fd", via: Any = None) -> Case:
    """A primitive with derivatives."""
    settings = tuple(d for d in given if isinstance(d, Setting)) or (Setting(None, {}),)
    domains = tuple(d for d in given if isinstance(d, Domain))
    return Case(domains, settings, dtypes, via, (1, 2, 3, 4, 6, 7))


def constant(*given: Domain | Setting, dtypes: str = "fd", via: Any = None) -> Case:
    """A primitive whose results do not move."""
    return replace(smooth(*given, dtypes=dtypes, via=via), laws=(1, 2, 4, 7))


def decreed(*given: Domain | Setting, dtypes: str = "fd", via: Any = None) -> Case:
    """A primitive whose slope is 0 by definition, whatever differences say."""
    return replace(smooth(*given, dtypes=dtypes, via=via), laws=(1, 4, 7))
