"""The same functions in CasADi's SX, and its generated C."""

import casadi as ca
import functions as fn
import numpy as np


def symbolic():
    x = ca.SX.sym("x")
    y = 1 / (1 + ca.exp(-x))
    yield ca.Function("casadi_sigmoid", [x], [y, ca.gradient(y, x)])

    kernel = ca.SX.sym("kernel", 6)  # row by row
    loss = ca.sumsqr(ca.sin(ca.DM(fn.INPUTS) @ ca.reshape(kernel, 2, 3).T))
    yield ca.Function("casadi_layer", [kernel], [loss, ca.gradient(loss, kernel)])

    camera, point = ca.SX.sym("camera", 11), ca.SX.sym("point", 3)
    weight, feature = ca.SX.sym("weight"), ca.SX.sym("feature", 2)
    turn, x = camera[:3], point - camera[3:6]
    angle = ca.sqrt(ca.sumsqr(turn))
    axis = turn / angle
    c, s = ca.cos(angle), ca.sin(angle)
    y = x * c + ca.cross(axis, x) * s + axis * (ca.dot(axis, x) * (1 - c))
    flat = y[:2] / y[2]
    square = ca.sumsqr(flat)
    bend = 1 + camera[9] * square + camera[10] * square * square
    error = weight * (flat * bend * camera[6] + camera[7:9] - feature)
    # dense, as everybody here returns it; both CasADi's usual form and the one with common subexpressions
    by = ca.densify(ca.jacobian(error, ca.vertcat(camera, point, weight)))
    yield ca.Function("casadi_residual", [camera, point, weight, feature], [by])

    q, pose = ca.SX.sym("q", 7), ca.SX.eye(4)
    for k, (twist, offset, length) in enumerate(fn.ARM):
        c, s, ct, st = ca.cos(q[k]), ca.sin(q[k]), np.cos(twist), np.sin(twist)
        link = ca.vertcat(
            ca.horzcat(c, -s, 0, length),
            ca.horzcat(s * ct, c * ct, -st, -st * offset),
            ca.horzcat(s * st, c * st, ct, ct * offset),
            ca.horzcat(0, 0, 0, 1),
        )
        pose = pose @ link
    yield ca.Function("casadi_arm", [q], [ca.densify(ca.jacobian(pose[:3, 3], q))])


def generate(directory):
    """C of all functions, each in a file, as it comes and with `cse`."""
    for f in symbolic():
        for g in (f, with_cse(f)):
            code = ca.CodeGenerator(f"{g.name()}.c", {"with_header": False})
            code.add(g)
            code.generate(f"{directory}/")


def with_cse(f):
    ins = f.sx_in()
    return ca.Function(
        f.name().replace("casadi", "casadi_cse"),
        ins,
        ca.cse(f(*ins) if f.n_out() > 1 else [f(*ins)]),
    )
