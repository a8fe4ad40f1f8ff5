"""grad, value_and_grad, vjp: arguments, containers, dtypes, what comes back."""

import dataclasses
import pickle
import threading
from collections import namedtuple

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DTypeError, InputError, NonScalarOutputError, ShapeError


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    g[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    return g


def test_the_gradient_of_rosenbrock_is_the_formula():
    x = np.linspace(-1, 2, 11)
    np.testing.assert_allclose(wg.grad(rosenbrock)(x), rosenbrock_gradient(x), rtol=1e-12)


def test_value_and_gradient_come_in_that_order():
    value, gradient = wg.value_and_grad(rosenbrock)(np.array([1.0, 2.0]))
    assert value == 100.0
    np.testing.assert_allclose(gradient, [-400.0, 200.0])


def test_a_python_float_gives_a_python_float_back():
    g = wg.grad(lambda x: x**3)(2.0)
    assert type(g) is float
    assert g == 12.0


def test_a_python_int_is_taken_as_a_float():
    assert wg.grad(lambda x: x**3)(2) == 12.0


def test_a_numpy_scalar_gives_its_own_type_back():
    g = wg.grad(lambda x: x * x)(np.float32(3))
    assert type(g) is np.float32
    assert g == 6


def test_a_zero_dimensional_array_gives_a_zero_dimensional_array_back():
    g = wg.grad(lambda x: x * x)(np.array(3.0))
    assert isinstance(g, np.ndarray)
    assert g.shape == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_the_dtype_stays(dtype):
    x = np.array([0.5, 1.5], dtype)
    value, g = wg.value_and_grad(lambda x: np.sum(np.sin(x) * 2.0 + x**2 / 3))(x)
    assert g.dtype == dtype
    assert value.dtype == dtype


def test_a_python_scalar_argument_does_not_lift_a_float32_array():
    x = np.ones(3, np.float32)
    y = wg.grad(lambda a: np.sum(a * x * (a + 1)))
    assert wg.program(lambda a: np.sum(a * x))(2.0).out_types[0].dtype == np.float32
    assert y(2.0) == pytest.approx(15.0)


def test_gradients_are_fresh_writeable_arrays():
    x = np.ones(3)
    g = wg.grad(np.sum)(x)
    g[0] = 7
    assert (x == 1).all()
    assert (wg.grad(np.sum)(x) == 1).all()
    h = wg.grad(lambda x: np.dot(x, x) / 2)(x)
    assert not np.shares_memory(h, x)


def test_several_argnums_give_a_tuple():
    f = lambda x, y, z: x * y + z
    assert wg.grad(f, argnums=(0, 1))(2.0, 3.0, 4.0) == (3.0, 2.0)
    assert wg.grad(f, argnums=[2])(2.0, 3.0, 4.0) == (1.0,)
    assert wg.grad(f, argnums=-1)(2.0, 3.0, 4.0) == 1.0
    assert wg.grad(f, argnum=1)(2.0, 3.0, 4.0) == 2.0


def test_arguments_by_name_and_by_keyword():
    f = lambda x, *, scale=1.0: scale * x**2
    assert wg.grad(f)(3.0, scale=2.0) == 12.0
    assert wg.grad(f, argnames="scale")(3.0, scale=2.0) == 9.0
    assert wg.grad(lambda x, y: x * y, argnames=("y", "x"))(2.0, y=5.0) == (2.0, 5.0)
    assert wg.grad(lambda x, y: x * y**2, argnums=1)(2.0, y=5.0) == 20.0


def test_untouched_arguments_pass_through():
    def f(x, kind, times, on=True):
        assert kind == "cubic"
        assert on is True
        return sum(x**3 for _ in range(times))

    assert wg.grad(f)(2.0, "cubic", 4) == 48.0


Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Model:
    weights: np.ndarray
    name: str
    bias: float = 0.5

    def loss(self, x):
        return np.sum((self.weights * x + self.bias) ** 2)


def test_dicts_lists_tuples_and_named_tuples():
    p = {"a": [1.0, (2.0, np.array([3.0, 4.0]))], "b": Point(5.0, 6.0)}
    f = lambda p: p["a"][0] ** 2 + p["a"][1][0] * np.sum(p["a"][1][1]) + p["b"].x * p["b"].y
    g = wg.grad(f)(p)
    assert g["a"][0] == 2.0
    assert g["a"][1][0] == 7.0
    np.testing.assert_array_equal(g["a"][1][1], [2.0, 2.0])
    assert g["b"] == Point(6.0, 5.0)


def test_a_dataclass_is_registered_on_sight_and_its_strings_stay():
    model = Model(np.array([1.0, 2.0]), "line")
    x = np.array([3.0, 4.0])
    g = wg.grad(Model.loss)(model, x)
    assert isinstance(g, Model)
    np.testing.assert_allclose(g.weights, 2 * (model.weights * x + 0.5) * x)
    assert g.bias == pytest.approx(2 * np.sum(model.weights * x + 0.5))
    assert g.name is None


def test_auxiliary_results_are_plain_numbers():
    g, aux = wg.grad(lambda x: (x**2, {"twice": 2 * x}), has_aux=True)(3.0)
    assert g == 6.0
    assert aux == {"twice": 6.0}
    (value, aux), g = wg.value_and_grad(lambda x: (x**2, x), has_aux=True)(3.0)
    assert (value, aux, g) == (9.0, 3.0, 6.0)


def test_an_unused_argument_has_a_zero_gradient():
    assert wg.grad(lambda x, y: x, argnums=1)(1.0, 2.0) == 0.0
    np.testing.assert_array_equal(wg.grad(lambda x: 3.0)(np.ones((2, 2))), np.zeros((2, 2)))


def test_any_order_of_a_polynomial():
    f = lambda x: x**5
    for want in (5 * 2.0**4, 20 * 2.0**3, 60 * 2.0**2, 120 * 2.0, 120.0, 0.0):
        f = wg.grad(f)
        assert f(2.0) == pytest.approx(want, rel=1e-14)


def test_python_control_flow_is_honoured():
    def f(x):
        total = 0.0
        while total < 10:
            total = total + x if x > 0 else total - 2 * x
        return total

    assert wg.grad(f)(3.0) == 4.0
    assert wg.grad(f)(-2.5) == -4.0
    assert wg.grad(wg.grad(lambda x: x**2 if x > 1 else x**3))(0.5) == 3.0


def test_complex_gradients_point_downhill():
    z = np.array([1 + 2j, -1j])
    np.testing.assert_allclose(wg.grad(lambda z: np.sum(np.abs(z) ** 2))(z), 2 * z)
    np.testing.assert_allclose(wg.grad(lambda z: np.sum(np.real(z * np.conj(z))))(z), 2 * z)
    f = lambda z: np.abs(np.sum(np.exp(z) * z)) ** 2
    g = wg.grad(f)(z)
    h = 1e-6
    for k in range(2):
        e = np.eye(2)[k]
        re = (f(z + h * e) - f(z - h * e)) / (2 * h)
        im = (f(z + 1j * h * e) - f(z - 1j * h * e)) / (2 * h)
        assert g[k] == pytest.approx(re + 1j * im, rel=1e-6)


def test_a_holomorphic_derivative():
    assert wg.grad(lambda z: np.exp(z) * z, holomorphic=True)(1 + 2j) == pytest.approx(
        np.exp(1 + 2j) * (2 + 2j)
    )
    with pytest.raises(DTypeError, match="holomorphic"):
        wg.grad(lambda z: z * z)(1 + 1j)
    with pytest.raises(DTypeError, match="complex arguments"):
        wg.grad(lambda z: z * z, holomorphic=True)(1.0)


def test_real_through_complex_is_real():
    g = wg.grad(lambda x: np.real(np.exp(1j * x) * 2))(0.3)
    assert type(g) is float
    assert g == pytest.approx(-2 * np.sin(0.3))


def test_a_vector_result_is_refused_with_the_way_out():
    with pytest.raises(NonScalarOutputError, match=r"f64\[2\]") as info:
        wg.grad(lambda x: x * 2)(np.ones(2))
    assert "wg.jacobian" in str(info.value)
    with pytest.raises(NonScalarOutputError, match="NoneType"):
        wg.grad(lambda x: None)(1.0)


def test_inputs_that_cannot_move_are_refused():
    with pytest.raises(InputError, match=r"argument 0 at \['w'\] has dtype int64"):
        wg.grad(lambda p: np.sum(p["w"]))({"w": np.arange(3)})
    with pytest.raises(InputError, match="masked"):
        wg.grad(np.sum)(np.ma.array([1.0, 2.0], mask=[0, 1]))
    with pytest.raises(InputError, match="Python objects"):
        wg.grad(np.sum)(np.array([1.0, None], dtype=object))
    with pytest.raises(InputError, match="argnums=1"):
        wg.grad(lambda x: x, argnums=1)(1.0)
    with pytest.raises(InputError, match="'z'"):
        wg.grad(lambda x: x, argnames="z")(1.0)


def test_vjp_returns_a_tuple_and_may_be_called_again():
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    value, back = wg.vjp(lambda x, y: x * y, x, y)
    np.testing.assert_array_equal(value, [3.0, 8.0])
    for g in (np.array([1.0, 0.0]), np.array([2.0, 5.0])):
        gx, gy = back(g)
        np.testing.assert_array_equal(gx, g * y)
        np.testing.assert_array_equal(gy, g * x)
    assert len(wg.vjp(np.sin, 1.0)[1](1.0)) == 1


def test_vjp_over_containers_with_aux():
    value, back, aux = wg.vjp(
        lambda p: ({"s": p["a"] * p["b"]}, p["a"]), {"a": 2.0, "b": 3.0}, has_aux=True
    )
    assert value == {"s": 6.0}
    assert aux == 2.0
    assert back({"s": 1.0}) == ({"a": 3.0, "b": 2.0},)


def test_a_cotangent_of_the_wrong_shape_is_refused():
    _, back = wg.vjp(lambda x: x * 2, np.ones(3))
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        back(np.ones(2))


def test_derivatives_pickle():
    again = pickle.loads(pickle.dumps(wg.grad(wg.value_and_grad(rosenbrock).fun)))
    x = np.array([0.5, 2.0, 1.0])
    np.testing.assert_allclose(again(x), rosenbrock_gradient(x))


def test_two_threads_do_not_see_each_other():
    x = np.linspace(0, 1, 50)
    wrong = []

    def work(k):
        for _ in range(30):
            g = wg.grad(lambda x: np.sum(np.sin(k * x)))(x)
            if not np.allclose(g, k * np.cos(k * x)):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(float(k),)) for k in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_zero_cotangents_stop_and_mixed_derivatives_survive():
    mixed = wg.grad(lambda x, y: wg.grad(lambda x, y: x * np.sin(y), argnums=1)(x, y))
    assert mixed(0.0, 0.7) == pytest.approx(np.cos(0.7))
