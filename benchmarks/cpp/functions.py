"""The four functions in plain NumPy, and where they are differentiated."""

import numpy as np

# modified Denavit-Hartenberg parameters of a 7-joint arm: twist, offset, length
ARM = (
    (0.0, 0.333, 0.0), (-np.pi / 2, 0.0, 0.0), (np.pi / 2, 0.316, 0.0), (np.pi / 2, 0.0, 0.0825),
    (-np.pi / 2, 0.384, -0.0825), (np.pi / 2, 0.0, 0.0), (np.pi / 2, 0.107, 0.088),
)  # fmt: skip
INPUTS = np.array([[-1.0, 0.0, 1.0], [2.0, 3.0, 4.0], [-1.0, -5.0, 2.0]])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer(kernel):
    return np.sum(np.sin(INPUTS @ kernel) ** 2)


def residual(camera, point, weight, feature):
    """Error of reprojection of bundle adjustment: rotation by Rodrigues's formula, radial distortion."""
    turn, x = camera[:3], point - camera[3:6]
    angle = np.sqrt(np.sum(turn * turn))
    axis = turn / angle
    c, s = np.cos(angle), np.sin(angle)
    y = x * c + np.cross(axis, x) * s + axis * (np.dot(axis, x) * (1 - c))
    flat = y[:2] / y[2]
    square = np.sum(flat * flat)
    bend = 1 + camera[9] * square + camera[10] * square * square
    return weight * (flat * bend * camera[6] + camera[7:9] - feature)


def arm(q):
    """Where the hand of the arm is."""
    pose = np.eye(4)
    for (twist, offset, length), angle in zip(ARM, q, strict=True):
        c, s, ct, st = np.cos(angle), np.sin(angle), np.cos(twist), np.sin(twist)
        link = np.array(
            [
                [c, -s, 0.0, length],
                [s * ct, c * ct, -st, -st * offset],
                [s * st, c * st, ct, ct * offset],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        pose = pose @ link
    return pose[:3, 3]


draw = np.random.default_rng(0)
KERNEL = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])
CAMERA = np.concatenate([draw.normal(size=6) * 0.3, [1.5, 0.1, -0.2, 0.05, 0.01]])
POINT, FEATURE = np.array([0.1, 0.2, 2.0]), np.array([0.1, 0.2])
ANGLES = np.linspace(-1, 1, 7)

# name: function, arguments, what is exported, by which arguments
CASES = {
    "sigmoid": (sigmoid, (2.0,), "value_and_gradient", None),
    "layer": (layer, (KERNEL,), "value_and_gradient", None),
    "residual": (residual, (CAMERA, POINT, 1.0, FEATURE), "jacobian", (0, 1, 2)),
    "arm": (arm, (ANGLES,), "jacobian", None),
}
