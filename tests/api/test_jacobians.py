"""jvp, linearize, Jacobians, Hessians."""

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DTypeError, ShapeError, StructureError

A = np.array([[1.0, 2.0, -1.0], [0.5, -0.3, 2.0]])


def field(x):
    return np.tanh(A @ x) * x[0]


def field_jacobian(x):
    y = np.tanh(A @ x)
    return x[0] * (1 - y**2)[:, None] * A + y[:, None] * np.array([1.0, 0, 0])


X = np.array([0.3, -0.7, 1.1])


@pytest.mark.parametrize("make", [wg.jacfwd, wg.jacrev, wg.jacobian])
@pytest.mark.parametrize("chunk", [None, 1, 2, 100])
def test_every_mode_and_chunk_gives_the_jacobian(make, chunk):
    np.testing.assert_allclose(make(field, chunk_size=chunk)(X), field_jacobian(X), rtol=1e-12)


def test_many_rows_are_batched_and_agree():
    wide = lambda x: np.outer(x, np.sin(x)).ravel()
    x = np.linspace(0.1, 1, 6)
    np.testing.assert_allclose(wg.jacrev(wide)(x), wg.jacfwd(wide)(x), rtol=1e-13)
    np.testing.assert_allclose(
        wg.jacrev(wide, chunk_size=7)(x), wg.jacfwd(wide, chunk_size=4)(x), rtol=1e-13
    )


def test_jvp_is_the_jacobian_times_the_tangent():
    dx = np.array([1.0, -2.0, 0.5])
    y, dy = wg.jvp(field, (X,), (dx,))
    np.testing.assert_allclose(y, field(X))
    np.testing.assert_allclose(dy, field_jacobian(X) @ dx)


def test_jvp_of_containers_and_aux():
    f = lambda p, s: ({"y": p["a"] * s}, p["a"])
    (y, dy, aux) = wg.jvp(f, ({"a": 2.0}, 3.0), ({"a": 1.0}, 10.0), has_aux=True)
    assert (y, dy, aux) == ({"y": 6.0}, {"y": 23.0}, 2.0)


def test_jvp_honours_python_control_flow_and_nests():
    f = lambda x: x**3 if x > 1 else x
    assert wg.jvp(f, (2.0,), (1.0,))[1] == 12.0
    assert wg.jvp(lambda x: wg.jvp(f, (x,), (1.0,))[1], (2.0,), (1.0,))[1] == 12.0
    assert wg.grad(lambda x: wg.jvp(f, (x,), (x,))[1])(2.0) == pytest.approx(36.0)
    assert wg.jvp(wg.grad(f), (2.0,), (1.0,))[1] == pytest.approx(12.0)


def test_a_tangent_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        wg.jvp(field, (X,), (np.ones(2),))
    with pytest.raises(StructureError, match="1 primals, but 2"):
        wg.jvp(field, (X,), (X, X))


def test_linearize_is_cheap_to_apply_and_linear():
    y, push = wg.linearize(field, X)
    np.testing.assert_allclose(y, field(X))
    for dx in np.eye(3):
        np.testing.assert_allclose(push(dx), field_jacobian(X) @ dx)
    np.testing.assert_allclose(push(2 * X - 1), 2 * push(X) - push(np.ones(3)))


def test_linearize_keeps_its_point_when_the_array_changes():
    x = X.copy()
    _, push = wg.linearize(field, x)
    x[:] = 0
    np.testing.assert_allclose(push(np.ones(3)), field_jacobian(X) @ np.ones(3))


def test_blocks_have_the_containers_of_result_and_argument():
    f = lambda p, q: {"s": p["a"] * q, "t": [np.sum(p["a"])]}
    j = wg.jacobian(f, argnums=(0, 1))({"a": np.array([1.0, 2.0])}, 3.0)
    np.testing.assert_array_equal(j["s"][0]["a"], 3 * np.eye(2))
    np.testing.assert_array_equal(j["s"][1], [1.0, 2.0])
    np.testing.assert_array_equal(j["t"][0][0]["a"], [1.0, 1.0])
    assert j["t"][0][1] == 0.0


def test_hessians():
    f = lambda x: np.sum(np.exp(A @ x)) * x[1]
    e = np.exp(A @ X)
    want = X[1] * A.T @ (e[:, None] * A)
    u = np.array([0.0, 1.0, 0.0])
    want = want + np.outer(u, A.T @ e) + np.outer(A.T @ e, u)
    np.testing.assert_allclose(wg.hessian(f)(X), want, rtol=1e-12)
    np.testing.assert_allclose(wg.hessian(f, chunk_size=2)(X), want, rtol=1e-12)
    np.testing.assert_allclose(wg.jacrev(wg.jacrev(f))(X), want, rtol=1e-12)
    np.testing.assert_allclose(wg.jacrev(wg.jacfwd(f))(X), want, rtol=1e-12)
    np.testing.assert_allclose(wg.jacfwd(wg.jacfwd(f))(X), want, rtol=1e-12)
    v = np.array([1.0, -1.0, 2.0])
    np.testing.assert_allclose(wg.hvp(f, (X,), (v,)), want @ v, rtol=1e-12)


def test_a_hessian_with_python_control_flow():
    f = lambda x: x[0] ** 2 * x[1] if x[0] > 0 else x[0]
    np.testing.assert_allclose(wg.hessian(f)(np.array([3.0, 5.0])), [[10, 6], [6, 0]])
    assert (wg.hessian(f)(np.array([-3.0, 5.0])) == 0).all()


def test_a_hessian_over_containers():
    h = wg.hessian(lambda p: p["a"] ** 2 * np.sum(p["b"]))({"a": 3.0, "b": np.ones(2)})
    assert h["a"]["a"] == 4.0
    np.testing.assert_array_equal(h["a"]["b"], [6.0, 6.0])
    np.testing.assert_array_equal(h["b"]["a"], [6.0, 6.0])
    np.testing.assert_array_equal(h["b"]["b"], np.zeros((2, 2)))


def test_third_derivatives_agree_by_every_route():
    f = lambda x: np.sum(np.sin(x) ** 3)
    x = np.array([0.4, 1.2])
    want = wg.jacfwd(wg.jacfwd(wg.jacfwd(f)))(x)
    np.testing.assert_allclose(wg.jacrev(wg.jacfwd(wg.grad(f)))(x), want, rtol=1e-10)
    np.testing.assert_allclose(wg.jacrev(wg.jacrev(wg.grad(f)))(x), want, rtol=1e-10)
    np.testing.assert_allclose(wg.jacfwd(wg.hessian(f))(x), want, rtol=1e-10)


def test_constant_results_have_zero_blocks():
    np.testing.assert_array_equal(wg.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    np.testing.assert_array_equal(wg.jacfwd(lambda x: np.floor(x))(X), np.zeros((3, 3)))


def test_a_complex_jacobian_asks_for_holomorphic():
    z = np.array([1 + 1j, 2.0])
    with pytest.raises(DTypeError, match="holomorphic=True"):
        wg.jacobian(lambda z: z**2)(z)
    np.testing.assert_allclose(wg.jacobian(lambda z: z**2, holomorphic=True)(z), np.diag(2 * z))
    np.testing.assert_allclose(wg.jacrev(lambda z: z**2, holomorphic=True)(z), np.diag(2 * z))


def test_float32_stays_float32():
    assert wg.jacobian(field)(X.astype(np.float32)).dtype == np.float64  # A is float64
    assert wg.hessian(lambda x: np.sum(x**3))(X.astype(np.float32)).dtype == np.float32
