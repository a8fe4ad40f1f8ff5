"""plot: what is drawn is true, and lies inside the axes."""

import numpy as np
import pytest

import wengert as wg
from wengert.draw.profile import seconds, size
from wengert.errors import InputError


def net(ps):
    y = np.ones((5, 3))
    for p in ps:
        z = y @ p["w"] + p["b"]
        y = np.tanh(z)
    return np.sum(y**2)


PARAMS = [{"w": np.full((3, 3), 0.1 * k), "b": np.zeros(3)} for k in (1, 2, 0)]


def test_a_function_and_its_derivatives(tmp_path):
    xs = np.linspace(0, 2, 9)
    picture = wg.plot(lambda x: x**3, orders=3)(xs)
    assert list(picture.data) == ["f", "f'", "f''", "f'''"]
    for found, true in zip(
        picture.data.values(), (xs**3, 3 * xs**2, 6 * xs, 6 + 0 * xs), strict=True
    ):
        np.testing.assert_allclose(found, true, atol=1e-12)
    for axes, ys in zip(picture.figure.axes, picture.data.values(), strict=True):
        np.testing.assert_array_equal(axes.lines[1].get_ydata(), ys)
    assert picture.save(tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert "<svg" in picture._repr_html_()


def test_infinite_slopes_leave_a_gap():
    axes = wg.plot(np.sqrt, orders=1)(np.linspace(0, 1, 5)).figure.axes[1]
    assert np.isnan(axes.lines[1].get_ydata()[0])


@pytest.mark.parametrize("xs", [3.0, np.ones((2, 2)), [1.0]])
def test_it_needs_a_row_of_numbers(xs):
    with pytest.raises(InputError, match=r"Way out: pass np\.linspace"):
        wg.plot(np.sin)(xs)


def test_the_v_of_differences_and_the_exact_slope_below_it():
    data = wg.plot.steps(lambda x: np.exp(np.sin(x)))(0.7).data
    for name, best in (("forward difference", 1e-6), ("central difference", 1e-8)):
        errors, at = data[name], int(np.argmin(data[name]))
        assert errors[at] < best
        assert errors[0] > 1e3 * errors[at]  # to the left rounding
        assert errors[-1] > 1e3 * errors[at]  # to the right truncation
        assert data["wengert"] < errors[at]


def test_gradients_by_parameter_and_line():
    picture = wg.plot.gradients(net)(PARAMS)
    gradient = wg.grad(net)(PARAMS)
    sizes = picture.data["parameters"]
    assert list(sizes) == [
        "ps[0]['b']",
        "ps[0]['w']",
        "ps[1]['b']",
        "ps[1]['w']",
        "ps[2]['b']",
        "ps[2]['w']",
    ]
    np.testing.assert_allclose(sizes["ps[2]['w']"], np.sqrt(np.mean(gradient[2]["w"] ** 2)))
    assert [k.split("  ")[1] for k in picture.data["lines"]] == [
        'z = y @ p["w"] + p["b"]',
        "y = np.tanh(z)",
        "return np.sum(y**2)",
    ]
    bars = picture.figure.axes[0].patches
    assert len(bars) == 6


def test_a_vanished_gradient_is_drawn_red():
    picture = wg.plot.gradients(lambda a, b: a * 0.0 + b)(1.0, 2.0)
    colours = [p.get_facecolor() for p in picture.figure.axes[0].patches]
    assert colours[0] != colours[1]
    assert picture.data["parameters"] == {"a": 0.0, "b": 1.0}


def test_the_profile_counts_equations_bytes_and_time_by_line():
    def f(x):
        y = np.exp(x)
        return np.sum(y * x)

    profile = wg.plot.profile(f)(np.ones(1000)).data
    rows = {r.text: r for r in profile.rows}
    assert rows["y = np.exp(x)"].equations == 1
    assert rows["y = np.exp(x)"].made == 8000
    assert rows["return np.sum(y * x)"].equations == 2
    assert rows["return np.sum(y * x)"].made == 8008
    assert profile.kept == 16000  # y, by exp and by the product, once; and x
    assert all(r.forward > 0 and r.backward > 0 for r in profile.rows)
    assert sum(r.forward for r in profile.rows) == profile.forward
    assert "kept for the derivative: 16 kB" in str(profile)
    assert "<table>" in profile._repr_html_()


def test_the_profile_draws_a_bar_per_line():
    picture = wg.plot.profile(net)(PARAMS)
    assert len(picture.figure.axes[0].patches) == 2 * len(picture.data.rows) == 6


@pytest.mark.parametrize(
    ("t", "text"), [(2.0, "2 s"), (1.5e-3, "1.5 ms"), (2e-6, "2 µs"), (3e-8, "30 ns")]
)
def test_times_are_written_short(t, text):
    assert seconds(t) == text


@pytest.mark.parametrize(
    ("n", "text"), [(8, "8 B"), (1500, "1.5 kB"), (2_000_000, "2 MB"), (3 * 10**9, "3 GB")]
)
def test_sizes_are_written_short(n, text):
    assert size(n) == text


def test_nothing_global_is_touched():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    wg.plot(np.sin)(np.linspace(0, 1, 5))
    assert plt.get_fignums() == before


def test_the_profile_of_a_compiled_function_is_by_line_too():
    def f(x):
        y = np.exp(x)
        return np.sum(y * x)

    fast = wg.jit(wg.grad(f))
    x = np.linspace(0, 1, 20_000)
    picture = wg.plot.profile(fast)(x)
    profile = picture.data
    assert profile.compiled
    assert profile.title == "jit(grad(f))"
    assert "y = np.exp(x)" in {r.text for r in profile.rows}
    assert all(r.forward > 0 for r in profile.rows)
    assert 0.2 * profile.plain < profile.forward < 20 * profile.plain
    assert "its lines, compiled one by one" in str(profile)
    assert "backwards" not in profile.html()
    assert len(picture.figure.axes[0].patches) == len(profile.rows)


def test_a_compiled_profile_is_of_the_numbers_of_the_call():
    fast = wg.jit(lambda x, n: np.sum(np.sin(x) ** n))
    made = {r.made for r in wg.plot.profile(fast)(np.ones(100), 2.0).data.rows}
    assert made == {8}  # one line, one number comes out


def test_pictures_look_through_jit():
    def f(x):
        return np.sum(np.sin(x) ** 2)

    x = np.array([0.5, 1.0])
    for look in (wg.draw, wg.trace_table, wg.chain_rule, wg.page):
        assert repr(look(wg.jit(f))(x)) == repr(look(f)(x))
