"""Losses: by the book where the book's formula holds, finite where it does not."""

import numpy as np
import pytest
from scipy.special import expit, softmax

import wengert as wg
from wengert.errors import InputError, ShapeError

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4))
LABELS = RNG.integers(0, 4, 6)
ONE_HOT = np.eye(4)[LABELS]


def test_the_mean_squared_error_is_what_it_says():
    t = RNG.normal(size=(6, 4))
    np.testing.assert_allclose(wg.nn.MeanSquaredError()(t, LOGITS), np.mean((t - LOGITS) ** 2))


def test_a_prediction_of_another_shape_is_an_error_not_a_broadcast():
    with pytest.raises(ShapeError, match=r"y_true has shape \(6,\), y_pred \(6, 1\)"):
        wg.nn.MeanSquaredError()(np.ones(6), np.ones((6, 1)))


def test_categorical_losses_agree_with_each_other_and_the_book():
    p = softmax(LOGITS, axis=-1)
    expected = -np.mean(np.log(p[np.arange(6), LABELS]))
    nn = wg.nn
    for loss, truth, prediction in (
        (nn.SparseCategoricalCrossentropy(from_logits=True), LABELS, LOGITS),
        (nn.SparseCategoricalCrossentropy(), LABELS[:, None], p),
        (nn.CategoricalCrossentropy(from_logits=True), ONE_HOT, LOGITS),
        (nn.CategoricalCrossentropy(), ONE_HOT, p),
    ):
        np.testing.assert_allclose(loss(truth, prediction), expected, rtol=1e-12)


def test_the_slope_of_the_categorical_loss_is_probability_minus_truth():
    loss = wg.nn.SparseCategoricalCrossentropy(from_logits=True)
    slope = wg.grad(lambda z: loss(LABELS, z))(LOGITS)
    np.testing.assert_allclose(slope, (softmax(LOGITS, axis=-1) - ONE_HOT) / 6, atol=1e-15)


def test_binary_losses_agree_with_each_other_and_the_book():
    t, z = RNG.integers(0, 2, 10).astype(float), RNG.normal(size=10)
    p = expit(z)
    expected = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(
        wg.nn.BinaryCrossentropy(from_logits=True)(t, z), expected, rtol=1e-12
    )
    np.testing.assert_allclose(wg.nn.BinaryCrossentropy()(t, p), expected, rtol=1e-12)
    slope = wg.grad(lambda z: wg.nn.BinaryCrossentropy(from_logits=True)(t, z))(z)
    np.testing.assert_allclose(slope, (p - t) / 10, atol=1e-15)


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_losses_of_logits_stay_finite_far_out(far):
    z = np.array([[far, 0.0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for label in (0, 1):
            loss = wg.nn.SparseCategoricalCrossentropy(from_logits=True)
            value, slope = wg.value_and_grad(lambda z, label=label, loss=loss: loss([label], z))(z)
            assert value == max(0.0, far * (1 if label else -1))
            assert np.isfinite(slope).all()
            binary = wg.nn.BinaryCrossentropy(from_logits=True)([[float(label)] * 2], z)
            assert np.isfinite(binary)


def test_losses_of_probabilities_at_zero_and_one_are_finite():
    certain = np.array([[1.0, 0.0]])
    assert 16 < wg.nn.SparseCategoricalCrossentropy()([1], certain) < 17
    assert 16 < wg.nn.BinaryCrossentropy()([[0.0, 1.0]], certain) < 17


def test_reductions():
    loss = [
        wg.nn.MeanSquaredError(r)(np.zeros((2, 3)), np.ones((2, 3)) * 2)
        for r in ("none", None, "sum")
    ]
    np.testing.assert_array_equal(loss[0], [4.0, 4.0])
    np.testing.assert_array_equal(loss[1], [4.0, 4.0])
    assert loss[2] == 8.0
    with pytest.raises(InputError, match="reduction='average'"):
        wg.nn.MeanSquaredError("average")


def test_labels_must_be_integers_one_per_row():
    loss = wg.nn.SparseCategoricalCrossentropy(from_logits=True)
    for wrong in (ONE_HOT, LABELS[:-1], LABELS.astype(float)):
        with pytest.raises(ShapeError, match="one integer"):
            loss(wrong, LOGITS)


def test_the_truth_takes_the_dtype_of_the_prediction():
    z = LOGITS.astype(np.float32)
    for loss, truth in (
        (wg.nn.MeanSquaredError(), ONE_HOT),
        (wg.nn.CategoricalCrossentropy(from_logits=True), ONE_HOT.astype(int)),
        (wg.nn.BinaryCrossentropy(from_logits=True), ONE_HOT),
    ):
        assert loss(truth, z).dtype == np.float32


def test_variables_may_stand_on_either_side():
    truth, guess = wg.Variable([1.0, 2.0]), wg.Variable([3.0, 2.0])
    with wg.GradientTape() as tape:
        loss = wg.nn.MeanSquaredError()(truth, guess)
    slopes = tape.gradient(loss, [truth, guess])
    np.testing.assert_array_equal(slopes, [[-2.0, 0.0], [2.0, 0.0]])
