"""A derivative that is not finite: the tape says where it was born."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NonFiniteError, NonFiniteWarning


@wg.custom_gradient(check=False)
def textbook_exp(x):
    """With a rule whose product does not stop at zeros."""
    e = np.exp(x)
    return e, lambda upstream: upstream * e


def recorded(x, persistent=False):
    with np.errstate(over="ignore"), wg.GradientTape(persistent=persistent) as tape:
        y = 1.0 / textbook_exp(x)
    return tape, y


def test_the_nan_of_the_article_is_told_with_its_equation_and_line():
    x = wg.Variable(100.0, dtype=np.float32)
    tape, y = recorded(x)
    with pytest.warns(NonFiniteWarning, match=r"tape\.gradient holds 1 nan") as caught:
        slope = tape.gradient(y, x)
    assert np.isnan(slope)
    text = str(caught[0].message)
    assert "custom[textbook_exp]" in text
    assert "test_not_finite.py" in text
    assert "1.0 / textbook_exp(x)" in text


def test_the_nan_of_the_article_can_be_an_error():
    x = wg.Variable([0.0, 100.0], dtype=np.float32)
    tape, y = recorded(x, persistent=True)
    for ask in (tape.gradient, tape.jacobian):
        with wg.detect_anomaly(), pytest.raises(NonFiniteError, match=r"custom\[textbook_exp\]"):
            ask(y, x)


def test_wengerts_own_rules_give_a_number_there():
    x = wg.Variable(100.0, dtype=np.float32)
    with np.errstate(over="ignore"), wg.GradientTape() as tape:
        y = 1.0 / np.exp(x)
    assert tape.gradient(y, x) == 0.0  # -3.8e-44 in truth


def test_a_custom_gradient_mends_it_to_the_last_bit():
    @wg.custom_gradient
    def mended(x):
        return 1.0 / np.exp(x), lambda upstream: upstream * -np.exp(-x)

    x = wg.Variable(100.0, dtype=np.float32)
    with np.errstate(over="ignore"):
        with wg.GradientTape() as tape:
            y = mended(x)
        slope = tape.gradient(y, x)
    assert slope == np.float32(-3.78e-44)
    assert 0 < -slope < np.finfo(np.float32).tiny


def test_a_birth_is_found_behind_pauses_and_inner_tapes():
    x = wg.Variable([0.0, 1.0])
    with wg.GradientTape() as tape:
        with tape.stop_recording():
            hidden = np.exp(x)
        y = x * hidden
        with tape.stop_recording():
            hidden = y + 1.0
        with wg.GradientTape() as inner:
            z = np.sqrt(y) * hidden
    assert inner.gradient(z, x, unconnected_gradients="zero").shape == (2,)
    with pytest.warns(NonFiniteWarning, match=r"derivative of `sqrt` at test_not_finite"):
        tape.gradient(z, x)


def test_a_target_that_is_not_finite_is_nobodys_fault_but_its_own():
    x = wg.Variable(0.0)
    with np.errstate(divide="ignore"), wg.GradientTape() as tape:
        y = np.log(x)
    with pytest.warns(NonFiniteWarning, match="`log`"):
        assert tape.gradient(y, x) == np.inf
