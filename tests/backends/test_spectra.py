"""Factors by LAPACK's pointers, of matrices of every size by shared code: what NumPy's routines give, without a call-back."""

import numpy as np
import pytest

import wengert as wg

pytest.importorskip("llvmlite")

RNG = np.random.default_rng(0)
FACTORS = {
    "thin svd": lambda a: tuple(np.linalg.svd(a, full_matrices=False)),
    "svd": lambda a: tuple(np.linalg.svd(a)),
    "qr": lambda a: tuple(np.linalg.qr(a)),
    "complete qr": lambda a: tuple(np.linalg.qr(a, mode="complete")),
}


def spread(m, n):
    """A matrix whose singular values lie well apart."""
    left, right = (np.linalg.qr(RNG.normal(size=(k, k)))[0] for k in (m, n))
    return left[:, : min(m, n)] * np.arange(1.0, min(m, n) + 1) @ right[: min(m, n)]


@pytest.mark.parametrize("name", FACTORS)
def test_factors_of_every_size_are_those_of_numpy(name):
    f = FACTORS[name]
    jitted = wg.jit(f)
    assert not wg.explain_compile(f)(spread(5, 3)).callbacks
    for m, n in ((1, 1), (5, 3), (16, 16), (17, 17), (40, 23), (61, 33), (23, 40), (120, 90)):
        if m < n and "qr" in name:
            continue
        a = spread(m, n)
        for got, want in zip(jitted(a), f(a), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)


def test_eigenvalues_and_vectors_of_every_size_are_those_of_numpy():
    jitted = wg.jit(lambda a: tuple(np.linalg.eigh(a)))
    for n in (1, 2, 16, 17, 40, 97):
        q = np.linalg.qr(RNG.normal(size=(n, n)))[0]
        a = q * np.arange(1.0, n + 1) @ q.T
        for got, want in zip(jitted(a), np.linalg.eigh(a), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)


def test_what_does_not_converge_is_numpys_error_with_the_line():
    with pytest.raises(np.linalg.LinAlgError, match=r"test_spectra\.py:\d+: SVD did not converge"):
        wg.jit(lambda a: np.linalg.svd(a)[1])(np.full((3, 3), np.nan))
