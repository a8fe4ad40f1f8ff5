"""Initializers: the spread that they promise, and the seed."""

import math

import numpy as np
import pytest

from wengert.nn import initializers


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 500),
        ("glorot_normal", 2 / 500),
        ("he_uniform", 2 / 200),
        ("he_normal", 2 / 200),
    ],
)
def test_the_variance_is_that_of_the_name(name, variance):
    w = getattr(initializers, name)(seed=0)((200, 300), np.float64)
    assert abs(np.mean(w)) < 4 * math.sqrt(variance / w.size)
    np.testing.assert_allclose(np.var(w), variance, rtol=0.03)


def test_the_truncated_normal_has_no_tails():
    w = initializers.he_normal(seed=0)((200, 300))
    limit = 2 * math.sqrt(2 / 200) / 0.87962566103423978
    assert 0.99 * limit < np.max(np.abs(w)) <= limit


def test_a_kernel_of_a_convolution_counts_its_field():
    w = initializers.VarianceScaling(1.0, "fan_out", "uniform", seed=0)((3, 3, 50, 40))
    np.testing.assert_allclose(np.var(w), 1 / (9 * 40), rtol=0.05)


@pytest.mark.parametrize(
    "make", [initializers.RandomNormal, initializers.RandomUniform, initializers.glorot_uniform]
)
def test_a_seed_repeats_itself_and_none_does_not(make):
    seeded, fresh = make(seed=3), make()
    np.testing.assert_array_equal(seeded((2, 3)), seeded((2, 3)))
    assert not np.array_equal(fresh((2, 3)), fresh((2, 3)))
    assert seeded((2, 3), np.float32).dtype == np.float32


def test_constants_fill_and_arrays_are_taken():
    np.testing.assert_array_equal(initializers.Constant(2)((2, 2), float), [[2.0, 2.0], [2.0, 2.0]])
    np.testing.assert_array_equal(initializers.Constant([1.0, 2.0])((2,), float), [1.0, 2.0])
    np.testing.assert_array_equal(initializers.get("zeros")((2,), float), [0.0, 0.0])
    np.testing.assert_array_equal(initializers.get("ones")((2,), float), [1.0, 1.0])
    assert (
        repr(initializers.RandomNormal(0.0, 0.1, seed=1))
        == "RandomNormal(seed=1, mean=0.0, stddev=0.1)"
    )
