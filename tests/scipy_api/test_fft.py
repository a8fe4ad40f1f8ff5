"""Fourier transforms of NumPy and SciPy: values, gradients, every norm and padding."""

import numpy as np
import pytest
import scipy.fft
from tests.scipy_api.slopes import first_holds as holds

import wengert as wg

X = np.random.default_rng(0).normal(size=(5, 4))
W = np.random.default_rng(1).normal(size=(12, 12))


def loss(y):
    """A real number that every part of y moves."""
    w = W[: y.shape[0], : y.shape[1]]
    return np.sum(np.real(y) ** 2 * w) + np.sum(np.imag(y) * w.T[: y.shape[1], : y.shape[0]].T)


ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
SEVERAL = ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"]


@pytest.mark.parametrize("module", [np.fft, scipy.fft], ids=["numpy", "scipy"])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("options", [{}, {"n": 3}, {"n": 6}, {"axis": 0}], ids=str)
@pytest.mark.parametrize("name", ONE)
def test_a_transform_along_one_axis(module, name, norm, options):
    holds(lambda x: loss(getattr(module, name)(x, norm=norm, **options)), X)


@pytest.mark.parametrize("module", [np.fft, scipy.fft], ids=["numpy", "scipy"])
@pytest.mark.parametrize(
    "options", [{}, {"s": (3, 5), "axes": (0, 1)}, {"s": (6, -1), "axes": (-1, 0)}], ids=str
)
@pytest.mark.parametrize("name", SEVERAL)
def test_a_transform_along_several_axes(module, name, options):
    holds(lambda x: loss(getattr(module, name)(x, **options)), X)


@pytest.mark.parametrize("name", ["hfft2", "ihfft2", "hfftn", "ihfftn"])
def test_scipys_hermitian_transforms(name):
    holds(lambda x: loss(getattr(scipy.fft, name)(x)), X)


@pytest.mark.parametrize("module", [np.fft, scipy.fft], ids=["numpy", "scipy"])
@pytest.mark.parametrize("axes", [None, 0, (0, 1)])
def test_shifts_carry_the_gradient_along(module, axes):
    for name in ("fftshift", "ifftshift"):
        holds(lambda x, name=name: np.sum(getattr(module, name)(x, axes) ** 2 * W[:5, :4]), X)


@pytest.mark.parametrize("orthogonalize", [None, True, False])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["dct", "idct", "dst", "idst"])
def test_cosines_and_sines(name, kind, norm, orthogonalize):
    function = getattr(scipy.fft, name)
    holds(lambda x: loss(function(x, kind, norm=norm, orthogonalize=orthogonalize)), X)
    holds(lambda x: loss(function(x, kind, 3, 0, norm=norm, orthogonalize=orthogonalize)), X)


@pytest.mark.parametrize("name", ["dctn", "idctn", "dstn", "idstn"])
def test_cosines_and_sines_along_several_axes(name):
    holds(lambda x: loss(getattr(scipy.fft, name)(x, norm="ortho")), X)
    holds(lambda x: loss(getattr(scipy.fft, name)(x, s=(3, 6), axes=(0, 1))), X)


def test_single_precision_stays():
    y = []
    wg.grad(lambda x: (y.append(np.fft.rfft(x)), np.sum(np.abs(y[0])))[1])(np.ones(4, "f"))
    assert y[0].dtype == np.complex64


def test_a_complex_signal_has_a_complex_gradient():
    z = X[0] + 1j * X[1]
    f = lambda z: np.sum(np.abs(np.fft.fft(z)) ** 2)
    # Parseval: n Σ |z|²
    np.testing.assert_allclose(np.abs(wg.grad(f)(z)), 2 * 4 * np.abs(z))
