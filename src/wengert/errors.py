"""Exceptions: what happened, at which of your lines, and the way out.

Every class has one anchor in `docs/errors.md`; its message ends with that address.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import ClassVar

# refusals of the trace that runs here, which plain numbers would not have met
refusals: ContextVar[list[WengertError] | None] = ContextVar("wengert_refusals", default=None)


class WengertError(Exception):
    """Base of all errors that wengert raises on purpose.

    `what` says what happened, `way_out` what to do, `where` is the user's `file:line`.

    >>> print(ShapeError("f64[3] and f64[4] do not fit", "make the shapes equal", "model.py:14"))
    model.py:14: f64[3] and f64[4] do not fit
      Way out: make the shapes equal
      See docs/errors.md#shape
    """

    anchor: ClassVar[str] = "wengert"
    refuses: ClassVar[bool] = False  # what plain numbers would have done

    def __init__(self, what: str, way_out: str = "", where: str | None = None) -> None:
        self.what, self.way_out, self.where = what, way_out, where
        text = f"{where}: {what}" if where else what
        if way_out:
            text += f"\n  Way out: {way_out}"
        kept = refusals.get() if self.refuses else None
        if kept is not None:
            kept.append(self)
        super().__init__(f"{text}\n  See docs/errors.md#{self.anchor}")

    def __reduce__(self) -> tuple[type[WengertError], tuple[str, str, str | None]]:
        return type(self), (self.what, self.way_out, self.where)


class ShapeError(WengertError, ValueError):
    """Shapes that do not fit together."""

    anchor = "shape"


class DTypeError(WengertError, TypeError):
    """A dtype that cannot carry the derivative that was asked for."""

    anchor = "dtype"


class InputError(WengertError, TypeError):
    """An argument that wengert cannot differentiate: object, masked, pandas, integer arrays."""

    anchor = "input"
    refuses = True


class NonScalarOutputError(WengertError, TypeError):
    """`grad` of a function whose result is not one real number."""

    anchor = "non-scalar-output"


class ConcretizationError(WengertError, TypeError):
    """Python asked for the number behind a traced value where it is unknown or would be lost."""

    anchor = "concretization"
    refuses = True


class DataDependentShapeError(ConcretizationError):
    """A shape that depends on numbers, in a trace that knows only shapes and dtypes."""

    anchor = "data-dependent-shape"


class TracerLeakError(WengertError, RuntimeError):
    """A traced value used after the function that was traced had returned."""

    anchor = "tracer-leak"
    refuses = True


class UnsupportedError(WengertError, TypeError):
    """A NumPy or SciPy call that has no derivative rule here."""

    anchor = "unsupported"
    refuses = True


class NotDifferentiableError(WengertError, TypeError):
    """A derivative was asked through something that has none."""

    anchor = "not-differentiable"
    refuses = True


class DegenerateError(WengertError, ArithmeticError):
    """Eigenvalues or singular values repeat, and the loss depends on the basis chosen for their vectors."""

    anchor = "degenerate"


class RuleError(WengertError, TypeError):
    """A custom rule that breaks its contract: wrong shape, dtype, count, or wrong numbers."""

    anchor = "rule"


class RuleWarning(UserWarning):
    """A custom rule disagrees with the slope of its function; it may be meant to."""


class TapeError(WengertError, RuntimeError):
    """A gradient tape that is used twice, or outside of its `with`, or asked for what it did not see."""

    anchor = "tape"


class StructureError(WengertError, TypeError):
    """Containers that should have the same structure but do not."""

    anchor = "structure"


class NonFiniteError(WengertError, ArithmeticError):
    """Raised by `detect_anomaly()`: a nan or an infinity was born in a value or a derivative."""

    anchor = "non-finite"


class NonFiniteWarning(RuntimeWarning):
    """A derivative is nan or infinite; the message names the equation and the line."""


class TrustError(WengertError, ArithmeticError):
    """Under `wg.trust.policy(action="raise")`: a derivative that cannot be trusted."""

    anchor = "trust"


class TrustWarning(RuntimeWarning):
    """A derivative cannot be trusted, or was repaired; `wg.last_report()` tells the whole story."""


class CppError(WengertError, RuntimeError):
    """C++ that does not compile or that threw; a missing compiler; a program that C++ cannot say."""

    anchor = "cpp"


class NativeWarning(RuntimeWarning):
    """A function that `jit` was asked to compile runs without machine code; the message says why."""


class InternalError(WengertError, AssertionError):
    """A bug of ours: please report it with the printed program."""

    anchor = "internal"
