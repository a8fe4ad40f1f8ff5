"""Repeated eigenvalues and singular values: exact slopes of what no basis changes, an error for the rest."""

import itertools

import numpy as np
import pytest

import wengert as wg
from wengert.errors import DegenerateError, TrustWarning

RNG = np.random.default_rng(4)
C = RNG.normal(size=(4, 4))
E = (lambda m: m + m.T)(RNG.normal(size=(4, 4)))
Q = np.linalg.qr(RNG.normal(size=(4, 4)))[0]


def symmetric(*values):
    """A symmetric matrix with these eigenvalues, in a basis of no special kind."""
    a = Q[:, : len(values)] * np.array(values) @ Q[:, : len(values)].T
    return (a + a.T) / 2


def slope(f, a, e):
    """∂f along e by extrapolated differences of plain numbers."""
    d = [(f(a + h * e) - f(a - h * e)) / (2 * h) for h in (2e-2, 1e-2, 5e-3, 2.5e-3)]
    d = [(4 * y - x) / 3 for x, y in itertools.pairwise(d)]
    d = [(16 * y - x) / 15 for x, y in itertools.pairwise(d)]
    return (64 * d[1] - d[0]) / 63


def by_eigh(g):
    def f(a):
        w, v = np.linalg.eigh((a + a.T) / 2)
        return np.sum(C * (v * g(w) @ v.T))

    return f


def by_svd(g, full=False):
    def f(a):
        u, s, vh = np.linalg.svd(a, full_matrices=full)
        k = len(s)
        return np.sum(C[: len(a), : a.shape[1]] * (u[:, :k] * g(s) @ vh[:k]))

    return f


POINTS = {
    "identity": np.eye(4),
    "zero": np.zeros((4, 4)),
    "a pair": symmetric(1.0, 1.0, 2.0, 3.0),
    "two pairs": symmetric(1.0, 1.0, -2.0, -2.0),
    "three": symmetric(0.5, 0.5, 0.5, 3.0),
    "diagonal": np.diag([2.0, 1.0, 2.0, 1.0]),
}
FUNCTIONS = {"exp": np.exp, "square": np.square, "itself": lambda w: w, "sin": np.sin}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_a_symmetric_matrix_has_its_slope(name, point):
    f, a = by_eigh(FUNCTIONS[name]), POINTS[point]
    gradient = wg.grad(f)(a)
    assert np.sum(gradient * E) == pytest.approx(slope(f, a, E), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("point", ["identity", "a pair", "two pairs", "three"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_second_slope_is_exact_too(name, point):
    f, a = by_eigh(FUNCTIONS[name]), POINTS[point]
    second = wg.grad(lambda a: np.sum(wg.grad(f)(a) * E))(a)
    e = E @ E / 4
    e = e + e.T
    truth = slope(lambda a: np.sum(wg.grad(f)(a + 1e-12 * np.diag([0, 1, 2, 3])) * E), a, e)
    if name in ("square", "itself"):
        hessian = {"itself": lambda e: 0 * e, "square": lambda e: E @ e + e @ E}[name](e)
        truth = np.sum(C * hessian)
    if name in ("exp", "sin"):
        import scipy.linalg

        other = scipy.linalg.expm if name == "exp" else scipy.linalg.sinm
        truth = np.sum(wg.hvp(lambda a: np.sum(C * other((a + a.T) / 2)), (a,), (E,)) * e)
    assert np.sum(second * e) == pytest.approx(truth, rel=1e-7, abs=1e-8)


def test_projectors_on_a_whole_space_have_slopes():
    def f(a):
        _, v = np.linalg.eigh((a + a.T) / 2)
        return np.sum(C * (v[:, :2] @ v[:, :2].T))

    for values in ((1.0, 1.0, 2.0, 2.0), (1.0, 1.0, 2.0, 3.0)):
        a = symmetric(*values)
        assert np.sum(wg.grad(f)(a) * E) == pytest.approx(slope(f, a, E), rel=1e-8)


def test_a_stack_may_be_degenerate_in_parts():
    stack = np.stack([POINTS["identity"], POINTS["two pairs"], symmetric(1.0, 2.0, 3.0, 4.0)])

    def f(a):
        w, v = np.linalg.eigh((a + np.swapaxes(a, 1, 2)) / 2)
        return np.sum(C * (v * np.exp(w)[:, None, :] @ np.swapaxes(v, 1, 2)))

    e = np.stack([E, E, E])
    assert np.sum(wg.grad(f)(stack) * e) == pytest.approx(slope(f, stack, e), rel=1e-8)


SINGULAR = {
    "orthogonal": Q,
    "identity": np.eye(4),
    "two pairs": Q * np.array([1.0, 1.0, 2.0, 2.0]) @ Q.T[::-1],
    "tall": (Q * np.array([1.0, 1.0, 2.0, 2.0]) @ Q.T)[:, :1] @ np.ones((1, 1)) * 0 + Q[:, :3],
    "wide": Q[:, :3].T * 2,
}


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("point", SINGULAR)
@pytest.mark.parametrize("name", ["itself", "exp", "sin"])
def test_a_function_of_singular_values_has_its_slope(name, point, full):
    f, a = by_svd(FUNCTIONS[name], full), SINGULAR[point].copy()
    e = RNG.normal(size=a.shape)
    assert np.sum(wg.grad(f)(a) * e) == pytest.approx(slope(f, a, e), rel=1e-8, abs=1e-8)


def test_the_orthogonal_factor_of_a_polar_decomposition_has_second_slopes():
    f = by_svd(lambda s: 0 * s + 1)
    a, e, d = Q * 2.0, RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4))
    second = wg.grad(lambda a: np.sum(wg.grad(f)(a) * e))(a)
    apart = a + 0.3 * RNG.normal(size=(4, 4))  # the same by the same rule, where nothing repeats
    assert np.isfinite(second).all()
    truth = slope(lambda a: slope(f, a, e), a, d)
    assert np.sum(second * d) == pytest.approx(truth, rel=1e-5)
    assert np.isfinite(wg.grad(f)(apart)).all()


DEPENDENT = {
    "one vector": lambda a: np.linalg.eigh(a)[1][0, 0],
    "one projector": lambda a: np.sum(
        C * np.outer(np.linalg.eigh(a)[1][:, 0], np.linalg.eigh(a)[1][:, 0])
    ),
    "mixed": lambda a: np.sum(C * (np.linalg.eigh(a)[1] * np.arange(4.0) @ np.linalg.eigh(a)[1].T)),
    "u alone": lambda a: np.sum(C * np.linalg.svd(a)[0]),
    "vh alone": lambda a: np.sum(C * np.linalg.svd(a)[2] ** 2),
}


@pytest.mark.parametrize("name", DEPENDENT)
@pytest.mark.parametrize("point", ["identity", "a pair", "two pairs"])
def test_what_depends_on_the_basis_is_an_error_that_names_the_values(name, point):
    with pytest.raises(
        DegenerateError, match=r"test_degenerate\.py:\d+: .*equal (eigen|singular )values \([λσ]"
    ):
        wg.grad(DEPENDENT[name])(POINTS[point])


def test_added_columns_have_a_slope_only_together():
    a = RNG.normal(size=(4, 2))
    e = RNG.normal(size=(4, 2))
    projector = lambda q: q[:, 2:] @ q[:, 2:].T
    for together in (
        lambda a: np.sum(C * projector(np.linalg.svd(a)[0])),
        lambda a: np.sum(C * projector(np.linalg.qr(a, "complete")[0])),
        lambda a: np.sum(C[:, :2] * np.linalg.qr(a, "complete")[1]),
    ):
        assert np.sum(wg.grad(together)(a) * e) == pytest.approx(slope(together, a, e), rel=1e-7)
    for alone in (
        lambda a: np.linalg.svd(a)[0][0, 3],
        lambda a: np.linalg.svd(a.T)[2][3, 1],
        lambda a: np.linalg.qr(a, "complete")[0][1, 2],
    ):
        with pytest.raises(DegenerateError, match="added columns"):
            wg.grad(alone)(a)


def test_repeated_values_share_their_slope():
    a = np.eye(3)
    np.testing.assert_allclose(wg.grad(lambda a: np.linalg.eigvalsh(a)[2])(a), a / 3)
    np.testing.assert_allclose(wg.grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(a), a)
    np.testing.assert_allclose(wg.grad(lambda a: np.linalg.norm(a, 2))(a), a / 3)
    np.testing.assert_allclose(wg.grad(lambda a: np.linalg.norm(a, "nuc"))(a), a, atol=1e-15)
    np.testing.assert_allclose(
        wg.jvp(lambda a: np.linalg.eigvalsh(a), (a,), (np.diag([0.0, 3, 6]),))[1], [3, 3, 3]
    )


def test_forward_mode_and_batches_know_it_too():
    dependent = lambda a: np.sum(C * np.linalg.eigh(a + a.T)[1])
    for point in ("identity", "zero", "a pair"):
        f, a = by_eigh(np.exp), POINTS[point]
        gradient = wg.grad(f)(a)
        assert wg.jvp(f, (a,), (E,))[1] == pytest.approx(slope(f, a, E), rel=1e-7)
        np.testing.assert_allclose(wg.jacfwd(f)(a), gradient)
        np.testing.assert_allclose(wg.vmap(wg.grad(f))(np.stack([a, 2 * a]))[0], gradient)
        np.testing.assert_allclose(wg.jit(wg.vmap(wg.grad(f)))(np.stack([a, a]))[1], gradient)
        for ask in (
            lambda a: wg.jvp(dependent, (a,), (E,)),
            wg.jacfwd(dependent),
            lambda a: wg.vmap(wg.grad(dependent))(np.stack([a, a])),
            wg.jit(wg.grad(dependent)),
        ):
            with pytest.raises(DegenerateError, match="basis that was chosen"):
                ask(a)


def test_a_hessian_there_is_exact():
    f, a = by_eigh(np.exp), POINTS["a pair"]
    h = 1e-5
    want = (wg.grad(f)(a + h * E) - wg.grad(f)(a - h * E)) / (2 * h)
    np.testing.assert_allclose(
        np.einsum("ijkl,kl->ij", wg.hessian(f)(a), E), want, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", ["qr", "svd"])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_added_columns_have_no_derivative_in_any_mode(name, kind):
    rng = np.random.default_rng(4)
    a, e = rng.normal(size=(2, 4, 2))
    if kind == "complex":
        a, e = a + 1j * rng.normal(size=(4, 2)), e + 1j * rng.normal(size=(4, 2))
    factor = (
        (lambda a: np.linalg.qr(a, mode="complete")[0])
        if name == "qr"
        else (lambda a: np.linalg.svd(a)[0])
    )
    dependent = lambda a: np.real(factor(a)[0, 3])
    weights = rng.normal(size=(4, 4))

    def projector(a):
        q = factor(a)[:, 2:]
        return np.sum(np.real(q @ np.conj(q.T)) * weights)

    for ask in (
        wg.grad(dependent),
        lambda a: wg.jvp(dependent, (a,), (e,)),
        wg.jit(wg.grad(dependent)),
        lambda a: wg.vmap(wg.grad(dependent))(np.stack([a, a])),
    ):
        with pytest.raises(DegenerateError, match="added columns"):
            ask(a)
    along = slope(projector, a, e)
    assert np.sum(np.real(np.conj(wg.grad(projector)(a)) * e)) == pytest.approx(along, rel=1e-6)
    assert wg.jvp(projector, (a,), (e,))[1] == pytest.approx(along, rel=1e-6)
    np.testing.assert_allclose(
        wg.jit(wg.grad(projector))(a), wg.grad(projector)(a), rtol=1e-9, atol=1e-12
    )


@pytest.mark.eager  # a gap is seen in numbers
def test_near_values_are_reported():
    a = symmetric(1.0, 1.0 + 1e-11, 2.0, 3.0)
    with pytest.warns(TrustWarning, match=r"differ by \d\.\de-12 of the largest"):
        wg.grad(by_eigh(np.exp))(a)


def test_a_third_derivative_there_is_refused():
    f = by_eigh(np.exp)
    one = wg.grad(lambda t: f(POINTS["identity"] + t * E))
    with pytest.raises(DegenerateError, match="third derivative"):
        wg.grad(wg.grad(one))(0.0)


def test_the_phase_of_a_complex_vector_is_nobodys():
    z = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))
    hermitian = z + z.conj().T
    with pytest.raises(DegenerateError, match="phase of a complex vector"):
        wg.grad(lambda a: np.real(np.sum(C[:3, :3] * np.linalg.eigh(a)[1])))(hermitian)
    assert np.isfinite(wg.grad(lambda a: np.abs(np.linalg.eigh(a)[1][0, 0]))(hermitian)).all()


@pytest.mark.parametrize("at", [0, 2])
def test_compiled_the_phase_of_singular_and_eigenvectors_is_nobodys_either(at):
    z = RNG.normal(size=(4, 3)) + 1j * RNG.normal(size=(4, 3))
    for f, a in (
        (lambda a: np.linalg.eigh(a)[1], z[:3] + z[:3].conj().T),
        (lambda a: np.linalg.svd(a, full_matrices=False)[at], z),
    ):
        free = lambda a, f=f: np.sum(np.abs(f(a)[:3]) ** 2 * C[:3, :3])
        np.testing.assert_allclose(
            wg.jit(wg.grad(free))(a), wg.grad(free)(a), rtol=1e-9, atol=1e-11
        )
        with pytest.raises(DegenerateError, match="phase of a complex vector"):
            wg.jit(wg.grad(lambda a, f=f: np.sum(np.real(f(a)[:3] * C[:3, :3]))))(a)


@pytest.mark.parametrize("kind", ["real", "pairs", "complex"])
def test_a_general_matrix_has_eigenvalues_and_vectors(kind):
    rng = np.random.default_rng(11)
    a = np.diag([1.0, 1.0, 6.0, 9.0]) + 0.5 * rng.normal(size=(4, 4))
    a[0, 1], a[1, 0] = (3.0, -3.0) if kind == "pairs" else (1.0, 2.0)
    e = 0.1 * rng.normal(size=(4, 4))
    if kind == "complex":
        a, e = a + 0.5j * rng.normal(size=(4, 4)), e + 0.1j * rng.normal(size=(4, 4))
    assert (np.linalg.eig(a)[0].dtype == float) == (kind == "real")

    def f(a):
        w, v = np.linalg.eig(a)
        weights = np.linspace(1, 2, 4) + 1j * np.linspace(0, 1, 4)
        return np.sum(np.real(weights * w)) + np.sum(
            np.real(C * (v if kind == "complex" else v * v) * (1 + 2j))
        )

    assert np.sum(np.real(np.conj(wg.grad(f)(a)) * e)) == pytest.approx(slope(f, a, e), rel=1e-7)
    stack = np.stack([a, a.T])
    many = wg.grad(lambda s: f(s[0]) + f(s[1]))(stack)
    both = wg.grad(lambda s: np.sum(np.real(np.linalg.eigvals(s) ** 2)))(stack)
    np.testing.assert_allclose(many[0], wg.grad(f)(a))
    np.testing.assert_allclose(both[0], np.conj(2 * a.T), atol=1e-12)  # the trace of a @ a


@pytest.mark.eager
def test_equal_eigenvalues_of_a_general_matrix_are_right_or_not_finite():
    a = np.array([[2.0, 0, 1], [0, 2, 0], [0, 0, 3]])
    np.testing.assert_allclose(
        wg.grad(lambda a: np.sum(np.linalg.eigvals(a) ** 3))(a), 3 * (a @ a).T, atol=1e-9
    )
    with pytest.raises(DegenerateError, match="equal eigenvalues"):
        wg.grad(lambda a: np.sum(np.abs(np.linalg.eig(a)[1])))(a)
    b = np.array([[2.0, 1], [0, 2]])  # defective
    f = lambda a: np.sum(np.real(np.linalg.eigvals(a)) ** 2)
    with pytest.raises(DegenerateError, match="without a basis of eigenvectors"):
        wg.grad(f)(b)
    with pytest.raises(DegenerateError, match="without a basis of eigenvectors"):
        wg.jvp(f, (b,), (np.ones((2, 2)),))
