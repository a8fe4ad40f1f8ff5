"""Bundle adjustment (GradBench and ADBench `ba`): all values of the sparse Jacobian.

Of each observation the error of reprojection (2) and its Jacobian in the camera (11), the point (3)
and the weight (1), and the derivative of the weight's own term.
"""

import numpy

import native
from peers import Case


def residual(np):
    """(camera, point, weight, feature) -> error of reprojection. Rotation by Rodrigues's formula."""

    def cross(a, b):
        return np.stack(
            [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        )

    def f(camera, point, weight, feature):
        turn, centre, focal, axis, radial = (
            camera[:3],
            camera[3:6],
            camera[6],
            camera[7:9],
            camera[9:],
        )
        x = point - centre
        square = np.sum(turn * turn)
        angle = np.sqrt(np.where(square > 0, square, 1.0))
        unit = turn / angle
        c, s = np.cos(angle), np.sin(angle)
        rotated = x * c + cross(unit, x) * s + unit * (np.sum(unit * x) * (1 - c))
        rotated = np.where(square > 0, rotated, x + cross(turn, x))
        flat = rotated[:2] / rotated[2]
        r2 = np.sum(flat * flat)
        seen = flat * (1 + radial[0] * r2 + radial[1] * r2 * r2) * focal + axis
        return weight * (seen - feature)

    return f


def jacobian(tool, f, wrt):
    """Values of the Jacobian, observation by observation; rows are gathered from the tables."""

    def everywhere(cameras, points, weights, features, who, what):
        blocks = tool.vmap(tool.jacrev(f, argnums=(0, 1, 2)))(
            cameras[who], points[what], weights, features
        )
        return blocks, -2 * weights

    return everywhere


def torch_jacobian(cameras, points, weights, features, who, what):
    import torch

    args = [torch.as_tensor(a) for a in (cameras, points, weights, features, who, what)]

    class names:
        stack, sum, where, sqrt, cos, sin = (
            torch.stack, torch.sum, torch.where, torch.sqrt, torch.cos, torch.sin,
        )  # fmt: skip

    call = jacobian(torch.func, residual(names), None)
    return lambda: call(*args)


def cases():
    for n, m, p in ((49, 7776, 31_843), (257, 65_132, 225_911)):
        rng = numpy.random.default_rng(9)
        cameras = numpy.column_stack([
            0.3 * rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), rng.uniform(400, 900, size=n),
            rng.normal(size=(n, 2)), 1e-3 * rng.normal(size=(n, 2)),
        ])  # fmt: skip
        points = rng.normal(size=(m, 3)) + numpy.array([0.0, 0.0, 8.0])
        weights, features = rng.uniform(0.5, 1.5, size=p), 100 * rng.normal(size=(p, 2))
        who, what = rng.integers(n, size=p), rng.integers(m, size=p)
        args = (cameras, points, weights, features, who, what)
        yield Case(
            f"ba Jacobian, {p} observations", args, residual, derivative=jacobian, rtol=1e-7,
            bytes=p * 8 * (2 * 15 + 1 + 3 + 14), leave_out=("autograd",),
            own={"torch": lambda args=args: torch_jacobian(*args),
                 "C++": lambda args=args: native.ba(*args)},
        )  # fmt: skip
