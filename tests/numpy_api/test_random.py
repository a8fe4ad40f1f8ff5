"""Random numbers with traced parameters: the numbers of plain NumPy, and the slope of their path."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import wengert as wg

CASES = {
    "normal": (1e3, 2.0), "uniform": (1.3, 4.7), "exponential": (2.3,), "laplace": (1.1, 0.7), "gumbel": (1.1, 0.7),
    "logistic": (1.1, 0.7), "lognormal": (0.3, 0.6), "rayleigh": (1.7,), "weibull": (1.7,), "pareto": (2.7,),
    "power": (1.7,), "triangular": (1.0, 2.2, 4.0),
}  # fmt: skip


def module(seed):
    np.random.seed(seed)  # noqa: NPY002
    return np.random


SOURCES = {
    "Generator": lambda: np.random.default_rng(5),
    "RandomState": lambda: np.random.RandomState(5),
    "np.random": lambda: module(5),
}


def slopes(f, p, h=1e-6):
    """Central differences of the sum of a sample, in each parameter."""
    up = [np.sum(f(*[q + h * (i == k) for k, q in enumerate(p)])) for i in range(len(p))]
    down = [np.sum(f(*[q - h * (i == k) for k, q in enumerate(p)])) for i in range(len(p))]
    return (np.array(up) - np.array(down)) / (2 * h)


def ulps(y, want):
    return np.max(np.abs(np.asarray(y) - want) / np.spacing(np.abs(want)))


@pytest.mark.eager
@pytest.mark.parametrize("size", [None, 7, (2, 3)], ids=str)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", CASES)
def test_samples_are_those_of_plain_numpy_and_their_slopes_those_of_the_path(name, source, size):
    p, after = CASES[name], []

    def sample(*p):
        rng = SOURCES[source]()
        y = getattr(rng, name)(*p, size=size)
        after.append(rng.random())
        return y

    want = sample(*p)
    f = lambda *p: (lambda y: (np.sum(y), y))(sample(*p))
    gradient, y = wg.grad(f, argnums=tuple(range(len(p))), has_aux=True)(*p)
    assert np.shape(y) == np.shape(want)
    assert ulps(y, want) <= (4 if name == "pareto" and source != "Generator" else 1)  # exp(z/a) - 1
    assert after[0] == after[1]  # the stream has moved as far
    np.testing.assert_allclose(gradient, slopes(sample, p), rtol=1e-5, atol=1e-6)


def test_parameters_broadcast_and_their_cotangents_are_summed():
    loc, scale = np.array([[1.0], [2.0]]), np.array([0.5, 1.0, 2.0])

    def f(loc, scale):
        return np.sum(np.random.default_rng(1).normal(loc, scale) ** 2)

    z = np.random.default_rng(1).standard_normal((2, 3))
    x = loc + scale * z
    g, s = wg.grad(f, argnums=(0, 1))(loc, scale)
    np.testing.assert_allclose(g, 2 * x.sum(1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(s, 2 * (x * z).sum(0), rtol=1e-14)


def test_keywords_and_defaults_are_numpys():
    def f(s):
        rng = np.random.default_rng(2)
        return (
            rng.normal(scale=s)
            + np.sum(rng.uniform(high=s, size=(2,)))
            + np.random.default_rng(3).laplace(scale=s)
        )

    assert wg.value_and_grad(f)(1.5)[0] == pytest.approx(f(1.5), rel=1e-15)
    assert wg.grad(f)(1.5) == pytest.approx(f(1.0), rel=1e-14)  # linear in s


def test_gamma_is_linear_in_its_scale():
    f = lambda s: np.sum(np.random.default_rng(2).gamma([1.0, 3.0], s))
    value, g = wg.value_and_grad(f)(1.5)
    assert value == pytest.approx(f(1.5), rel=1e-15)
    assert g == pytest.approx(f(1.0), rel=1e-14)


COV = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]])


@pytest.mark.parametrize("size", [None, 4, (2, 2)], ids=str)
@pytest.mark.parametrize(
    ("make", "more"),
    [(SOURCES["Generator"], {"method": m}) for m in ("svd", "eigh", "cholesky")]
    + [(SOURCES["RandomState"], {})],
)
def test_normal_vectors_by_numpys_own_factor(make, more, size):
    sample = lambda m, c: make().multivariate_normal(m, c, size, **more)
    f = lambda m, c: (lambda y: (np.sum(y**2), y))(sample(m, c))
    m = np.array([1.0, 2.0, 3.0])
    (gm, gc), y = wg.grad(f, argnums=(0, 1), has_aux=True)(m, COV)
    want = sample(m, COV)
    np.testing.assert_allclose(y, want, rtol=1e-13)
    np.testing.assert_allclose(gm, 2 * want.reshape(-1, 3).sum(0), rtol=1e-12)
    e, h = np.zeros((3, 3)), 1e-6
    e[0, 1] = e[1, 0] = 1.0
    along = (f(m, COV + h * e)[0] - f(m, COV - h * e)[0]) / (2 * h)
    assert np.sum(gc * e) == pytest.approx(along, rel=1e-6)


ORDERS = [
    (source, name, more, shape)
    for source in ("Generator", "RandomState")
    for name, more in [
        ("permutation", {}), ("permutation", {"axis": 1}), ("permuted", {}), ("permuted", {"axis": 0}), ("shuffle", {}),
        ("choice", {"size": 4}), ("choice", {}), ("choice", {"size": 2, "axis": 1, "replace": False}),
    ]
    for shape in ((5,), (4, 3), (4, 3, 2))
    if (len(shape) > 1 or not more.get("axis"))  # what NumPy has
    and (source == "Generator" or not ("axis" in more or name == "permuted" or (name == "choice" and len(shape) > 1)))
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "more", "shape"), ORDERS)
def test_orders_of_traced_arrays_are_constants(source, name, more, shape):
    make = SOURCES[source]
    x = np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)

    def ordered(x):
        if name != "shuffle":
            return getattr(make(), name)(x, **more)
        y = x.copy()
        make().shuffle(y)
        return y

    want = ordered(x)
    g, y = wg.grad(lambda x: (lambda y: (np.sum(y**3), y))(ordered(x)), has_aux=True)(x)
    np.testing.assert_array_equal(y, want)
    counts = np.array([np.sum(want == v) for v in x.ravel()]).reshape(shape)
    np.testing.assert_allclose(g, 3 * x**2 * counts)


@pytest.mark.eager
def test_plain_parameters_draw_as_ever_and_the_state_moves_once():
    rng, twin = np.random.default_rng(7), np.random.default_rng(7)

    def f(x):
        return np.sum(x * rng.normal(1.0, 2.0, 3))

    np.testing.assert_array_equal(wg.grad(f)(np.ones(3)), twin.normal(1.0, 2.0, 3))
    assert rng.bit_generator.state == twin.bit_generator.state


def test_a_generator_from_outside_names_the_formula():
    rng = np.random.default_rng(7)
    with pytest.raises(wg.errors.ConcretizationError, match=r"rng\.normal meets") as caught:
        wg.grad(lambda x: rng.normal(x, 1.0))(2.0)
    assert "loc + scale * rng.standard_normal(size)" in str(caught.value)
    assert "test_random.py:" in caught.value.where
    with pytest.raises(
        wg.errors.ConcretizationError, match=r"standard_exponential\(size\) \*\* \(1 / a\)"
    ):
        wg.grad(lambda x: rng.weibull(a=x))(2.0)
    with pytest.raises(wg.errors.ConcretizationError, match=r"x\[rng\.permutation\(len\(x\)\)\]"):
        wg.grad(lambda x: rng.permutation(x)[0])(np.ones(3))


@pytest.mark.eager
def test_a_generator_from_outside_lends_its_stream():
    rng, twin = np.random.default_rng(7), np.random.default_rng(7)
    f = lambda s: np.random.default_rng(rng).gumbel(1.0, s)
    value, g = wg.value_and_grad(f)(2.0)
    assert value == twin.gumbel(1.0, 2.0)
    assert g == pytest.approx((value - 1.0) / 2.0, rel=1e-14)
    assert rng.bit_generator.state == twin.bit_generator.state


def test_rows_are_not_shuffled_in_place_by_a_generator_from_outside():
    rng = np.random.default_rng(7)

    def f(x):
        y = np.outer(x, x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rng.shuffle(y)
        return y[0, 0]

    with pytest.raises(wg.errors.ConcretizationError, match=r"rng\.shuffle"):
        wg.grad(f)(np.ones(3))


@pytest.mark.parametrize(
    "name", ["poisson", "standard_gamma", "chisquare", "geometric", "standard_t"]
)
def test_distributions_without_a_path_name_the_score_function(name):
    rng = np.random.default_rng(0)
    for written in (
        f"rng.{name}(p)",
        f"np.random.{name}(p)",
        f"np.random.default_rng(0).{name}(p)",
    ):
        f = eval(f"lambda p: {written}", {"rng": rng, "np": np})
        with pytest.raises(
            wg.errors.ConcretizationError, match=rf"{name} meets .*\n.*score function"
        ):
            wg.grad(f)(0.5)
    assert wg.grad(lambda p: p * rng.poisson(wg.stop_gradient(p)))(0.0) == 0.0


@pytest.mark.eager
def test_numpys_complaints_about_parameters_come_through():
    with pytest.raises(ValueError, match="scale < 0"):
        wg.grad(lambda s: np.random.default_rng(0).normal(0.0, s))(-1.0)
    with pytest.raises(ValueError, match=r"shape mismatch|not compatible"):
        wg.grad(lambda m: np.sum(np.random.default_rng(0).normal(m, 1.0, size=2)))(np.ones(3))


def test_classes_stay_what_they_are():
    before = np.random.default_rng, np.random.Generator, np.random.normal, np.random.RandomState
    outside, kept = np.random.default_rng(0), []

    def f(x):
        rng = np.random.default_rng(4)
        assert isinstance(outside, np.random.Generator)
        assert isinstance(rng, before[1])
        assert issubclass(type(rng), np.random.Generator)
        assert not isinstance(rng, np.random.RandomState)
        assert repr(rng).startswith("Generator(PCG64)")
        kept.append(rng)
        return rng.normal(x)

    wg.grad(f)(1.0)
    assert (
        np.random.default_rng,
        np.random.Generator,
        np.random.normal,
        np.random.RandomState,
    ) == before
    twin = np.random.default_rng(4)
    twin.normal()
    assert pickle.loads(pickle.dumps(kept[0])).random() == twin.random()
    assert type(np.random.default_rng(0)) is before[1]


def test_numpy_random_may_be_named_first_inside_of_a_trace():
    """NumPy imports it at its first use; wengert does not import it before."""
    program = (
        "import sys, numpy as np, wengert as wg\n"
        "assert 'numpy.random' not in sys.modules\n"
        "print(wg.grad(lambda s: np.random.default_rng(5).normal(1.0, s))(2.0))\n"
        "assert type(np.random.default_rng(5)) is np.random.Generator\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == np.random.default_rng(5).standard_normal()


def test_second_derivatives_of_a_sample():
    f = lambda p: np.sum(np.random.default_rng(0).normal(p[0], p[1], 4) ** 2)
    z = np.random.default_rng(0).standard_normal(4)
    want = 2 * np.array([[4.0, z.sum()], [z.sum(), z @ z]])
    np.testing.assert_allclose(wg.hessian(f)(np.array([1.0, 2.0])), want, rtol=1e-13)
