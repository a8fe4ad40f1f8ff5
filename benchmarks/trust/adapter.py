"""wengert as the yardstick asks for it: gradients of batches and of single calls, with flags."""

import sys
from pathlib import Path

import numpy as np
import scipy.special

import wengert as wg

sys.path.insert(0, str(Path(__file__).parent))
from names import expression_names, trap_names


class Wengert:
    """Under `trust=level`; counts how many numbers were looked at closely."""

    level = "repair"
    batched = staticmethod(wg.vmap)

    def __init__(self):
        self.names = expression_names(np, scipy.special)
        self.trap_names = trap_names(np, scipy.special, wg.stop_gradient)
        self.looked, self.points, self.seconds = 0, 0, 0.0

    def grads(self, f, X, fmt):
        """Values, gradients and flags of a batch of points."""
        k = X.shape[1]
        columns = [X[:, n].astype(np.float32 if fmt == "f32" else np.float64) for n in range(k)]
        one = lambda *xs: f(self.names, *xs)
        with wg.trust.policy(action="record"), np.errstate(all="ignore"):
            value = wg.vmap(one)(*columns)
            gradient = self.batched(wg.grad(one, tuple(range(k)), trust=self.level))(*columns)
        report = wg.last_report()
        flags = np.stack(report.flagged, 1)
        seen = np.stack(report.escalated, 1).any(1)
        self.looked += int(seen.sum())
        self.points += len(X)
        return value, np.stack(gradient, 1), flags

    def grad(self, f, args, fmt):
        """Value, gradient and flag of one call."""
        one = wg.value_and_grad(
            lambda *xs: f(self.trap_names, *xs), tuple(range(len(args))), trust=self.level
        )
        with wg.trust.policy(action="record"), np.errstate(all="ignore"):
            value, gradient = one(*args)
        return value, list(gradient), not wg.last_report().trusted


class Checked(Wengert):
    """Numbers as computed, and the same flags."""

    level = "check"


class Compiled(Wengert):
    """The same, compiled; single calls are compiled, too, where they can be."""

    @staticmethod
    def batched(gradient):
        """Gradients of a batch as one compiled program."""
        return wg.jit(wg.vmap(gradient))

    def grad(self, f, args, fmt):
        """Value, gradient and flag of one call."""
        one = wg.jit(
            wg.value_and_grad(
                lambda *xs: f(self.trap_names, *xs), tuple(range(len(args))), trust=self.level
            )
        )
        with wg.trust.policy(action="record"), np.errstate(all="ignore"):
            value, gradient = one(*args)
        return value, list(gradient), not wg.last_report().trusted
