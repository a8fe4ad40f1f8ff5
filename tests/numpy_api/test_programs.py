"""Whole functions as people write them: values, slopes in every mode, second derivatives, and machine code."""

import numpy as np
import pytest
from tests.numpy_api import programs, programs_alone, programs_of_objects
from tests.numpy_api.test_scoreboard import check, flat, own, total

import wengert as wg

R = np.random.default_rng(0)
KEPLER = R.normal(size=6) * 0.1 + np.array([1, 0, 0, 0, 1, 0.1])


def number(x):
    return np.float64(x)


PROGRAMS = {
    "nbody": (programs.nbody, R.normal(size=(4, 3)), R.normal(size=(4, 3)) * 0.1, R.uniform(0.5, 1.5, 4)),
    "raytrace": (programs.raytrace, np.array([0.1, 0.2, -5.0]), np.array([0.05, -0.02, 1.0]), number(1.3)),
    "kalman": (programs.kalman, R.normal(size=(5, 2)), np.array([0.1, 0.2]), np.array([0.5]), R.normal(size=4)),
    "hmm": (lambda *xs: programs.hmm_forward(*xs, np.array([0, 1, 3, 2, 2, 0])), R.normal(size=(3, 3)), R.normal(size=(3, 4)), R.normal(size=3)),
    "viterbi": (programs.viterbi_hard, R.normal(size=(3, 3)), R.normal(size=(6, 3))),
    "fem1d": (programs.fem1d, R.uniform(0.5, 2, 6), number(1.7)),
    "spline": (lambda x, y: programs.natural_spline(x, y, np.linspace(0.5, 4.5, 7)), np.sort(R.uniform(0, 5, 8)), R.normal(size=8)),
    "adaptive steps": (programs.rk45_adaptive, np.array([1.0, 0.0]), number(1.5)),
    "biquad": (programs.biquad, R.normal(size=20), number(0.8), number(5.0)),
    "windows": (programs.stft_spec, R.normal(size=40)),
    "thin film": (programs.thinfilm, np.array([0.1, 0.25, 0.1]), np.array([1.0, 1.5, 2.3, 1.0]), number(0.55)),
    "implicit steps": (programs.robertson, np.array([0.5, 0.03, 1.2]), np.array([1.0, 0.2, 0.1])),
    "dtw": (programs.dtw, R.normal(size=6), R.normal(size=8)),
    "lstm": (programs.lstm, R.normal(size=(3, 3)), R.normal(size=3)),
    "ring buffer": (programs.ringbuf, R.normal(size=8)),
    "frozen dataclass": (programs_of_objects.frozen, R.normal(size=(3, 2)), R.uniform(1, 2, 3)),
    "slots": (programs_of_objects.slots, number(1.2), number(0.8), R.uniform(1, 2, 6)),
    "buffers of an object": (programs_of_objects.sim, number(0.2), R.normal(size=4)),
    "the user's own duals": (programs_of_objects.userdual, number(1.3), number(0.4)),
    "orbital elements": (programs_alone.kepler_elements, KEPLER, number(1.0)),
    "robot arm": (programs_alone.fk, np.array([0.4, 0.3, 0.2]), number(1.2)),
    "jacobi": (programs_alone.jacobi_eig, R.uniform(0.5, 1, (4, 4))),
    "gauss": (programs_alone.gauss_elim, R.uniform(0.5, 1, (4, 4)), R.normal(size=4)),
    "cholesky": (programs_alone.cholesky_manual, R.uniform(0.5, 1, (4, 4))),
    "garch": (programs_alone.garch, R.uniform(0.2, 0.8, 3), R.normal(size=9)),
    "bfgs": (programs_alone.rosen_bfgs, np.array([1.2, 0.9])),
    "haversine": (programs_alone.haversine, np.array([[48.85, 2.35], [51.5, -0.12], [40.71, -74.0]])),
    "oscillator": (lambda x, w: programs_alone.hermite_osc(x, w), np.array([0.2, 0.3]), number(1.1)),
    "secants": (programs_alone.bisect_secant, number(1.7), number(0.3)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_its_value_and_its_slopes(name):
    f, *args = PROGRAMS[name]
    check(f, args)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_second_derivatives_and_machine_code(name):
    f, *args = PROGRAMS[name]
    rng = np.random.default_rng(7)
    dxs = [rng.normal(size=a.shape)[()] for a in args]

    def scalar(*xs):
        return total(flat(f(*xs)))

    gradient = wg.grad(scalar, argnums=tuple(range(len(args))))
    h = 1e-5
    up, down = (
        gradient(*[a + e * d for a, d in zip(own(args), dxs, strict=True)]) for e in (h, -h)
    )
    _, second = wg.jvp(lambda *xs: gradient(*xs), tuple(own(args)), tuple(dxs))
    for s, a, b in zip(second, up, down, strict=True):
        np.testing.assert_allclose(s, (a - b) / (2 * h), rtol=1e-4, atol=1e-4)
    for ours, plain in zip(wg.jit(gradient)(*own(args)), gradient(*own(args)), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-9, atol=1e-10)
