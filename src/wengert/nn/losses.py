"""Losses: how far predictions are from the truth, one number for a batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.errors import InputError, ShapeError
from wengert.ir.source import here
from wengert.ir.types import type_of
from wengert.nn.activations import log_softmax
from wengert.tape.standin import plain
from wengert.trace.tracer import Tracer

_REDUCTIONS = ("sum_over_batch_size", "sum", "none")


class Loss:
    """Called as `loss(y_true, y_pred)`; subclasses answer `each`, one number per example."""

    def __init__(self, reduction: str | None = "sum_over_batch_size") -> None:
        self.reduction = reduction or "none"
        if self.reduction not in _REDUCTIONS:
            raise InputError(
                f"reduction={reduction!r} is unknown", f"one of {', '.join(_REDUCTIONS)}", here()
            )

    def each(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each example."""
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of the batch."""
        losses = self.each(plain(y_true), plain(y_pred))
        if self.reduction == "none":
            return losses
        return np.mean(losses) if self.reduction == "sum_over_batch_size" else np.sum(losses)

    def _alike(self, y_true: Any, y_pred: Any) -> Any:
        """The truth, of the shape and dtype of the prediction: NumPy would broadcast, and mean another loss."""
        if np.shape(y_true) != np.shape(y_pred):
            raise ShapeError(
                f"{type(self).__name__}: y_true has shape {np.shape(y_true)}, y_pred {np.shape(y_pred)}",
                "reshape one of them: one truth per prediction",
                here(),
            )
        return y_true if isinstance(y_true, Tracer) else np.asarray(y_true, type_of(y_pred).dtype)


class MeanSquaredError(Loss):
    """The mean of squared differences.

    >>> float(MeanSquaredError()([0.0, 1.0], np.array([0.0, 3.0])))
    2.0
    """

    def each(self, y_true: Any, y_pred: Any) -> Any:
        """The mean over the last axis."""
        squares = np.square(y_pred - self._alike(y_true, y_pred))
        return np.mean(squares, axis=-1) if squares.ndim else squares


class BinaryCrossentropy(Loss):
    """Of probabilities, or, better, of their logits (`from_logits=True`): log-odds, without overflow.

    >>> float(BinaryCrossentropy(from_logits=True)([1.0, 0.0], np.array([1000.0, 1000.0])))
    500.0
    """

    def __init__(
        self, from_logits: bool = False, reduction: str | None = "sum_over_batch_size"
    ) -> None:
        super().__init__(reduction)
        self.from_logits = from_logits

    def each(self, y_true: Any, y_pred: Any) -> Any:
        """The mean over the last axis."""
        y_true = self._alike(y_true, y_pred)
        if self.from_logits:
            losses = np.logaddexp(0, y_pred) - y_true * y_pred
        else:
            p = _inside(y_pred)
            losses = -(y_true * np.log(p) + (1 - y_true) * np.log1p(-p))
        return np.mean(losses, axis=-1) if losses.ndim else losses


class CategoricalCrossentropy(Loss):
    """Of one probability per class, or their logits; the truth holds one probability per class too."""

    def __init__(
        self, from_logits: bool = False, reduction: str | None = "sum_over_batch_size"
    ) -> None:
        super().__init__(reduction)
        self.from_logits = from_logits

    def each(self, y_true: Any, y_pred: Any) -> Any:
        """One number per row."""
        return -np.sum(self._alike(y_true, y_pred) * self.log(y_pred), axis=-1)

    def log(self, y_pred: Any) -> Any:
        """The logarithms of the predicted probabilities, which sum to 1."""
        if self.from_logits:
            return log_softmax(y_pred)
        return np.log(_inside(y_pred / np.sum(y_pred, axis=-1, keepdims=True)))


class SparseCategoricalCrossentropy(CategoricalCrossentropy):
    """The same, with the number of the true class in place of probabilities.

    >>> loss = SparseCategoricalCrossentropy(from_logits=True)
    >>> float(loss([1, 0], np.array([[0.0, 1000.0], [0.0, 1000.0]])))
    500.0
    """

    def each(self, y_true: Any, y_pred: Any) -> Any:
        """One number per row."""
        labels = np.asarray(y_true)
        if labels.shape == (*np.shape(y_pred)[:-1], 1):
            labels = labels[..., 0]
        if labels.shape != np.shape(y_pred)[:-1] or labels.dtype.kind not in "iu":
            raise ShapeError(
                f"{type(self).__name__}: y_true is {type_of(labels)!r}, y_pred {type_of(y_pred)!r}",
                "y_true holds one integer, the number of its class, per row of y_pred",
                here(),
            )
        return -np.take_along_axis(self.log(y_pred), labels[..., None], axis=-1)[..., 0]


def _inside(p: Any, least: float = 1e-7) -> Any:
    """Probabilities off 0 and 1, as Keras keeps them, so that their logarithms are finite."""
    return np.clip(p, least, 1 - least)
