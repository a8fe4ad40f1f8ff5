"""Layers: the article's, and the ones that come with wengert."""

import copy
import pickle

import numpy as np
import pytest

import wengert as wg
from wengert.errors import InputError, ShapeError, TapeError

KERNEL = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]], np.float32)
INPUT = np.array([[-1, 0, 1], [2, 3, 4], [-1, -5, 2]], np.float32)
SLOPE = [[-1.9642828, -2.1035626], [-7.652359, -3.44464], [-2.3618364, 0.32490516]]


class CustomLayer(wg.nn.Layer):
    """As in the article: Dense without a bias."""

    def __init__(self, num_outputs, activation):
        super().__init__()
        self.num_outputs = num_outputs
        self.activation = activation

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", shape=[int(input_shape[-1]), self.num_outputs])

    def call(self, inputs):
        return self.activation(np.matmul(inputs, self.kernel))


def test_the_layer_of_the_article_has_its_loss_and_its_gradient():
    layer = CustomLayer(2, np.sin)
    layer(INPUT)
    layer.kernel.assign(KERNEL)
    with wg.GradientTape() as tape:
        loss = np.sum(layer(INPUT) ** 2)
    (slope,) = tape.gradient(loss, layer.trainable_variables)
    np.testing.assert_allclose(loss.numpy(), 2.422664, rtol=1e-6)
    np.testing.assert_allclose(slope, SLOPE, rtol=2e-6, atol=1e-5)
    assert slope.dtype == np.float32


def test_a_layer_is_built_once_for_the_dtype_of_its_inputs():
    layer = CustomLayer(2, np.tanh)
    assert not layer.built
    for _ in range(2):
        layer(np.ones((5, 3), np.float32))
    assert layer.built
    assert [v.dtype for v in layer.variables] == [np.float32]
    layer = CustomLayer(2, np.tanh)
    assert layer(np.ones((5, 3), int)).dtype == np.float64
    assert layer.kernel.dtype == np.float64


def test_a_weight_can_be_asked_for_in_both_of_kerass_ways():
    layer = wg.nn.Layer(dtype=np.float32)
    old = layer.add_weight("w", shape=(3, 2), initializer="ones")
    new = layer.add_weight((3, 2), "ones", name="w", trainable=False, dtype=float)
    scalar = layer.add_weight(name="s", initializer="zeros")
    np.testing.assert_array_equal(old, new)
    assert (old.name, new.name, scalar.shape) == ("w", "w", ())
    assert (old.dtype, new.dtype) == (np.float32, np.float64)
    assert layer.trainable_variables == [old, scalar]
    assert layer.non_trainable_variables == [new]


class Tower(wg.nn.Layer):
    def __init__(self):
        super().__init__(name="tower")
        self.first = wg.nn.Dense(3)
        self.rest = [wg.nn.Dense(3), {"last": (wg.nn.Dense(1, use_bias=False),)}]
        self.scale = wg.Variable(2.0)
        self.again = self.first

    def call(self, inputs):
        return self.scale * self.rest[1]["last"][0](self.rest[0](self.first(inputs)))


def test_variables_of_nested_layers_are_found_once_each():
    tower = Tower()
    tower(np.ones((2, 4)))
    shapes = [v.shape for v in tower.trainable_variables]
    assert shapes == [(), (4, 3), (3,), (3, 3), (3,), (3, 1)]
    assert tower.count_params() == 1 + 12 + 3 + 9 + 3 + 3
    assert len(tower.layers) == 3
    assert repr(tower) == "<Tower 'tower': 31>"


def test_a_frozen_layer_has_no_trainable_variables():
    tower = Tower()
    tower(np.ones((2, 4)))
    tower.first.trainable = False
    assert len(tower.trainable_variables) == 4
    assert [v.shape for v in tower.non_trainable_variables] == [(4, 3), (3,)]
    tower.trainable = False
    assert tower.trainable_variables == []
    assert len(tower.variables) == 6


def test_a_variable_that_is_made_at_every_call_is_an_error():
    class Forgetful(wg.nn.Layer):
        def call(self, inputs):
            self.w = wg.Variable(1.0)
            return self.w * inputs

    layer = Forgetful()
    layer(np.ones(2))
    with (
        wg.GradientTape(),
        pytest.raises(
            TapeError, match=r"forgetful\.call makes a new wg\.Variable each time"
        ) as caught,
    ):
        layer(np.ones(2))
    assert "make it once" in str(caught.value)
    assert "test_layers.py" in str(caught.value)


def test_a_variable_that_is_made_at_the_first_call_alone_is_fine():
    class Lazy(wg.nn.Layer):
        w = None

        def call(self, inputs):
            if self.w is None:
                self.w = wg.Variable(3.0)
            return self.w * inputs

    layer = Lazy()
    assert layer(1.0) == layer(1.0) == 3.0
    assert len(layer.trainable_variables) == 1


def test_a_layer_inside_may_be_built_later_than_the_one_outside():
    class Growing(wg.nn.Layer):
        def __init__(self):
            super().__init__()
            self.dense = wg.nn.Dense(2)

        def call(self, inputs, deep=False):
            return self.dense(inputs) if deep else inputs

    layer = Growing()
    layer(np.ones((1, 2)))
    assert layer(np.ones((1, 2)), deep=True).shape == (1, 2)
    assert len(layer.variables) == 2


def test_a_weight_for_a_layer_that_is_built_is_an_error():
    layer = wg.nn.Dense(1)
    layer(np.ones((1, 1)))
    with pytest.raises(TapeError, match="dense is built already"):
        layer.add_weight("more", shape=[1])


def test_a_layer_without_super_init_is_an_error():
    class Hasty(wg.nn.Layer):
        def __init__(self):
            self.units = 1

    with pytest.raises(TapeError, match="Hasty was not initialised"):
        Hasty()(np.ones(2))


def test_dense_is_a_matrix_a_bias_and_an_activation():
    rng = np.random.default_rng(0)
    kernel, bias, x = rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=(4, 3))
    layer = wg.nn.Dense(
        2,
        "tanh",
        kernel_initializer=lambda shape, dtype: kernel,
        bias_initializer=wg.nn.initializers.Constant(bias),
    )
    np.testing.assert_allclose(layer(x), np.tanh(x @ kernel + bias), rtol=1e-15)
    np.testing.assert_array_equal(layer(x[None])[0], layer(x))


def test_dense_refuses_inputs_of_another_width():
    layer = wg.nn.Dense(2)
    layer(np.ones((1, 3)))
    with pytest.raises(
        ShapeError, match=r"dense was built for 3 inputs, and got an array of shape \(1, 4\)"
    ):
        layer(np.ones((1, 4)))


def test_sequential_takes_layers_and_functions():
    model = wg.nn.Sequential([wg.nn.Flatten(), np.sin])
    model.add(wg.nn.Dense(2, kernel_initializer="ones"))
    x = np.arange(8.0).reshape(2, 2, 2)
    np.testing.assert_allclose(
        model(x), np.sin(x.reshape(2, 4)).sum(1, keepdims=True) * np.ones((1, 2))
    )
    assert len(model.trainable_variables) == 2


def test_several_inputs_are_built_by_their_shapes():
    class Both(wg.nn.Layer):
        def build(self, input_shape):
            self.seen = input_shape

        def call(self, inputs):
            return inputs["a"] + inputs["b"][0]

    layer = Both()
    layer({"a": np.ones(2, np.float32), "b": [np.ones(2), np.ones(3)]})
    assert layer.seen == {"a": (2,), "b": [(2,), (3,)]}
    assert layer.dtype == np.float32
    layer = wg.nn.Dense(1)
    layer([[1.0, 2.0], [3.0, 4.0]])
    assert layer.kernel.shape == (2, 1)


def test_the_gradient_of_a_model_agrees_with_grad_of_a_function():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    model = wg.nn.Sequential([wg.nn.Dense(5, "gelu"), wg.nn.Dense(2)])
    mse = wg.nn.MeanSquaredError()
    model(x)
    with wg.GradientTape() as tape:
        loss = mse(t, model(x))
    slopes = tape.gradient(loss, model.trainable_variables)

    def f(weights):
        a, b, c, d = weights
        return mse(t, wg.nn.activations.gelu(x @ a + b) @ c + d)

    value, expected = wg.value_and_grad(f)([v.numpy() for v in model.trainable_variables])
    np.testing.assert_allclose(loss.numpy(), value, rtol=1e-15)
    for slope, e in zip(slopes, expected, strict=True):
        np.testing.assert_allclose(slope, e, rtol=1e-12)


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"]
)
def test_a_model_can_be_copied(clone):
    model = wg.nn.Sequential([wg.nn.Dense(2, "relu"), wg.nn.Dense(1)])
    x = np.random.default_rng(0).normal(size=(3, 2))
    before = model(x)
    twin = clone(model)
    model.trainable_variables[0].assign_add(np.ones((2, 2)))
    np.testing.assert_array_equal(twin(x), before)
    assert not np.array_equal(model(x), before)


def test_unknown_names_are_errors_that_list_the_known():
    with pytest.raises(InputError, match=r"no activation 'reluu'") as caught:
        wg.nn.Dense(1, "reluu")
    assert "relu, sigmoid" in str(caught.value)
    with pytest.raises(InputError, match="no initializer 'glorot'"):
        wg.nn.Layer().add_weight("w", initializer="glorot")
