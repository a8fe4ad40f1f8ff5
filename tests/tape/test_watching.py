"""Whom a tape watches: trainable variables that are read, constants and arrays on request."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DTypeError, InputError, TapeError


def test_trainable_variables_of_floats_are_watched_when_they_are_read():
    read, unread = wg.Variable(1.0, name="read"), wg.Variable(1.0)
    fixed, counter = wg.Variable(1.0, trainable=False), wg.Variable(3)
    with wg.GradientTape() as tape:
        y = read * read * fixed * counter
    assert tape.watched_variables() == (read,)
    assert tape.gradient(y, [read, unread, fixed]) == [6.0, None, None]
    assert tape.watched_variables() == (read,)


def test_a_fixed_variable_can_be_watched_on_request():
    x = wg.Variable(2.0, trainable=False)
    with wg.GradientTape() as tape:
        tape.watch(x)
        y = x**3
    assert tape.gradient(y, x) == 12.0


def test_a_constant_is_watched_from_watch_on():
    x = wg.constant(3.0)
    with wg.GradientTape(persistent=True) as tape:
        before = x * x
        tape.watch(x)
        after = x * x
    assert type(before) is np.float64
    assert tape.gradient(after, x) == 6.0


def test_a_constant_that_nobody_watches_gives_none():
    x, v = wg.constant(3.0), wg.Variable(1.0)
    with wg.GradientTape() as tape:
        y = x * v
    assert tape.gradient(y, {"x": x, "v": v}) == {"x": None, "v": 3.0}


def test_without_accessed_variables_only_watch_watches():
    x0, x1 = wg.Variable(0.0), wg.Variable(10.0)
    with wg.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x1)
        y = np.sum(np.sin(x0) + np.logaddexp(0.0, x1))
    slopes = tape.gradient(y, {"x0": x0, "x1": x1})
    assert slopes["x0"] is None
    np.testing.assert_allclose(slopes["x1"], 1 / (1 + np.exp(-10.0)), rtol=1e-15)


def test_what_watch_returns_for_a_plain_array_is_followed():
    given = np.array([1.0, 2.0])
    with wg.GradientTape() as tape:
        x = tape.watch(given)
        y = np.sum(x**2)
    given[:] = 0.0
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0])


def test_watch_takes_containers():
    with wg.GradientTape() as tape:
        p = tape.watch({"a": 2.0, "b": [np.ones(2), wg.constant(3.0)]})
        y = p["a"] * np.sum(p["b"][0]) * p["b"][1]
    slopes = tape.gradient(y, p)
    assert slopes["a"] == 6.0
    np.testing.assert_array_equal(slopes["b"][0], [6.0, 6.0])
    assert slopes["b"][1] == 4.0


def test_a_plain_array_that_was_watched_and_not_replaced_is_an_error():
    x = np.array([1.0, 2.0])
    with wg.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(x**2)
    with pytest.raises(TapeError, match=r"nothing that this tape watches led to it"):
        tape.gradient(y, x)
    v = wg.Variable(1.0)
    with wg.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(v * x**2)
    with pytest.raises(InputError, match=r"which was watched, but NumPy does not tell") as caught:
        tape.gradient(y, x)
    assert "x = tape.watch(x)" in str(caught.value)
    assert "test_watching.py" in str(caught.value)


def test_a_plain_array_as_source_is_an_error():
    v = wg.Variable(1.0)
    with wg.GradientTape() as tape:
        y = v * 2
    with pytest.raises(
        InputError, match=r"the source \['x'\] is f64\[2\], a plain value, which no tape can follow"
    ):
        tape.gradient(y, {"v": v, "x": np.ones(2)})


@pytest.mark.parametrize("x", [wg.Variable(10), wg.constant([1, 2]), np.arange(3), 3, True])
def test_integers_cannot_be_watched(x):
    with wg.GradientTape() as tape, pytest.raises(DTypeError, match="integers cannot move"):
        tape.watch(x)


def test_an_integer_source_is_an_error():
    n, v = wg.Variable(3), wg.Variable(2.0)
    with wg.GradientTape() as tape:
        y = v**n
    with pytest.raises(DTypeError, match=r"'Variable', which is i64\[\]"):
        tape.gradient(y, n)


def test_an_integer_target_is_an_error():
    v = wg.Variable([2.0, 3.0])
    with wg.GradientTape() as tape:
        y = np.argmax(v)
    with pytest.raises(DTypeError, match=r"the target is i64\[\]"):
        tape.gradient(y, v)


def test_a_string_cannot_be_watched_nor_be_a_source():
    with wg.GradientTape() as tape:
        with pytest.raises(InputError, match="the argument is a str"):
            tape.watch("x")
        y = wg.Variable(1.0) * 2
    with pytest.raises(InputError, match="the source is a str"):
        tape.gradient(y, "x")


def test_unconnected_sources_give_none_or_zeros():
    x, y = wg.Variable(2.0), wg.Variable([1.0, 2.0], dtype=np.float32)
    with wg.GradientTape(persistent=True) as tape:
        z = x * x
        _ = y * y
    assert tape.gradient(z, [x, y]) == [4.0, None]
    for zero in ("zero", wg.UnconnectedGradients.ZERO):
        slopes = tape.gradient(z, [x, y], unconnected_gradients=zero)
        np.testing.assert_array_equal(slopes[1], np.zeros(2, np.float32))
        assert slopes[1].dtype == np.float32
    assert tape.gradient(z, y, unconnected_gradients=wg.UnconnectedGradients.NONE) is None


def test_an_unknown_word_for_unconnected_gradients_is_an_error():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        y = x * x
    with pytest.raises(InputError, match='say "none" or "zero"'):
        tape.gradient(y, x, unconnected_gradients="zeros")


def test_a_variable_that_was_replaced_by_its_number_breaks_the_chain_loudly():
    x = wg.Variable(2.0)
    for epoch in range(2):
        with wg.GradientTape() as tape:
            y = x + 1
        if epoch == 0:
            assert tape.gradient(y, x) == 1.0
            x = x + 1  # this should have been x.assign_add(1)
        else:
            with pytest.raises(TapeError, match=r"the target is f64\[\]"):
                tape.gradient(y, x)


def test_assign_is_not_differentiated_through():
    x0, x1 = wg.Variable(3.0), wg.Variable(0.0)
    with wg.GradientTape(persistent=True) as tape:
        x1.assign_add(x0)
        y = x1**2
    assert tape.gradient(y, x0) is None
    assert tape.gradient(y, x1) == 6.0


def test_the_gradient_counts_every_value_of_a_variable_that_was_read():
    x = wg.Variable(2.0)
    with wg.GradientTape() as tape:
        before = x * x
        x.assign(3.0)
        after = x * x
    assert tape.gradient([before, after], x) == 4.0 + 6.0


def test_the_gradient_is_at_the_values_that_were_read():
    x = wg.Variable([2.0, 3.0])
    with wg.GradientTape() as tape:
        y = np.sum(x**3)
    x.assign([100.0, 100.0])
    np.testing.assert_array_equal(tape.gradient(y, x), [12.0, 27.0])


def test_watch_outside_of_the_with_is_an_error():
    with pytest.raises(TapeError, match="watch: this tape is not recording"):
        wg.GradientTape().watch(wg.constant(1.0))


def test_a_value_that_is_recorded_already_is_watched_where_it_is():
    x = wg.Variable(3.0)
    with wg.GradientTape() as outer:
        given = outer.watch(2.0)
        y = x * given
        with wg.GradientTape() as inner:
            assert inner.watch(y) is y
            z = y**2
    assert inner.gradient(z, [y, x, given]) == [12.0, None, None]
    assert outer.gradient(z, [y, x, given]) == [12.0, 24.0, 36.0]


def test_a_value_of_an_older_tape_can_be_watched_by_a_new_one():
    x = wg.Variable(3.0)
    with wg.GradientTape():
        y = x * 2.0
    with wg.GradientTape() as tape:
        y = tape.watch(y)
        z = y**2
    assert tape.gradient(z, y) == 12.0
