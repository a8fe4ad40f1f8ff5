"""A custom layer with a custom activation: nobody has to derive anything.

The layer is Dense without a bias, the activation a plain function. NumPy is all that it uses.
"""

import numpy as np

import wengert as wg


class CustomLayer(wg.nn.Layer):
    def __init__(self, num_outputs, activation, **rest):
        super().__init__(**rest)
        self.num_outputs = num_outputs
        self.activation = activation

    def build(self, input_shape):
        self.kernel = self.add_weight("kernel", shape=[int(input_shape[-1]), self.num_outputs])

    def call(self, inputs):
        Z = np.matmul(inputs, self.kernel)
        return self.activation(Z)


def sin_activation(x):
    return np.sin(x)


def main():
    my_custom_layer = CustomLayer(2, sin_activation)
    input = wg.constant([[-1, 0, 1], [2, 3, 4], [-1, -5, 2]], dtype=np.float32)

    my_custom_layer(input)  # builds it; its kernel is random, and gets a known one here
    my_custom_layer.kernel.assign([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])

    with wg.GradientTape() as tape:
        output = my_custom_layer(input)
        loss = np.sum(output**2)

    gradient = tape.gradient(loss, my_custom_layer.trainable_variables)
    print("my_custom_layer.trainable_variables:\n", my_custom_layer.trainable_variables[0].numpy())
    print("\nloss:", loss.numpy())
    print("\ngradient:\n", gradient[0])

    np.testing.assert_allclose(loss.numpy(), 2.422664, rtol=1e-6)
    expected = [[-1.9642828, -2.1035626], [-7.652359, -3.44464], [-2.3618364, 0.32490516]]
    np.testing.assert_allclose(gradient[0], expected, rtol=1e-6)  # as TensorFlow and Eigen have it

    # the same by hand, as the chain rule has it: Xᵀ (2 sin Z cos Z)
    X, W = input.numpy(), my_custom_layer.kernel.numpy()
    np.testing.assert_allclose(gradient[0], X.T @ np.sin(2 * (X @ W)), rtol=2e-6)
    return gradient[0]


if __name__ == "__main__":
    main()
