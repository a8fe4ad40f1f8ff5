"""C++ function templates in Python: derivatives of every kind, shapes, messages, the cache."""

import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import wengert as wg
from wengert.cpp import reading, store, toolchain
from wengert.errors import CppError, DTypeError, InputError, ShapeError

try:
    toolchain.find_compiler()
except CppError:
    pytest.skip("no C++ compiler on this machine", allow_module_level=True)

needs_eigen = pytest.mark.skipif(toolchain.find_eigen() is None, reason="Eigen is not installed")

# one text for most tests, so that it is compiled once
LIBRARY = """
#include <array>
#include <stdexcept>
#include <tuple>
#include <vector>

template <class T> T sigmoid(const T& x) { return T(1) / (T(1) + std::exp(-x)); }

template <class T>
std::tuple<T, std::vector<T>, int> powers(const std::vector<T>& x, int n, double scale) {
    T total(0);
    for (const T& e : x) total += scale * e * e * e;
    std::vector<T> all;
    for (int k = 0; k < n; ++k) all.push_back(pow(total, k) * sin(x[0]));
    return {total, all, n};
}

template <class T>
std::array<std::array<T, 2>, 2> turned(const std::array<T, 2>& v, const T& angle) {
    using std::cos; using std::sin;
    return {{{cos(angle) * v[0], -sin(angle) * v[1]}, {sin(angle) * v[0], cos(angle) * v[1]}}};
}

template <class T, int N>
T power(T x) {
    if (x < 0) throw std::domain_error("negative base");
    T y(1);
    for (int k = 0; k < N; ++k) y *= x;
    return y;
}

template <class T> T root(const T& x, const T& y) { return sqrt(x) + y; }
"""


def numpy_powers(x, n, scale):
    total = np.sum(scale * x**3)
    return total, np.stack([total**k * np.sin(x[0]) for k in range(n)])


@pytest.fixture(scope="module")
def sigmoid():
    return wg.cpp_function(LIBRARY, "sigmoid")


@pytest.fixture(scope="module")
def powers():
    return wg.cpp_function(LIBRARY, "powers")


def test_value_and_derivatives_of_three_orders_are_those_of_the_formula(sigmoid):
    assert sigmoid(2.0) == 1 / (1 + np.exp(-2.0))
    f, g = sigmoid, lambda x: 1 / (1 + np.exp(-x))
    for _ in range(3):
        f, g = wg.grad(f), wg.grad(g)
        np.testing.assert_allclose(f(2.0), g(2.0), rtol=1e-13)
    np.testing.assert_allclose(wg.jvp(sigmoid, (2.0,), (3.0,))[1], 3 * 0.10499358540350662)


def test_a_batch_of_points_is_a_loop_in_cpp(sigmoid):
    x = np.linspace(-3, 3, 14).reshape(2, 7)
    np.testing.assert_array_equal(sigmoid(x), [[sigmoid(v) for v in row] for row in x])
    np.testing.assert_array_equal(wg.vmap(wg.vmap(sigmoid))(x), sigmoid(x))
    slopes = wg.vmap(wg.vmap(wg.grad(sigmoid)))(x)
    np.testing.assert_allclose(slopes, sigmoid(x) * (1 - sigmoid(x)), rtol=1e-12)
    np.testing.assert_allclose(wg.grad(lambda x: np.sum(sigmoid(x)))(x), slopes, rtol=1e-15)
    assert sigmoid(np.zeros((0, 3))).shape == (0, 3)


def test_several_results_options_and_names(powers):
    assert powers.parameters == ["x", "n", "scale"]
    x = np.array([0.3, -1.2, 0.7])
    total, rows, n = powers(x, n=4, scale=2.0)
    for found, right in zip((total, rows), numpy_powers(x, 4, 2.0), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-14)
    assert n == 4
    assert powers(list(x), 2, 2)[1].shape == (2,)  # the shape of a result depends on an option
    for derivative in (wg.jacobian, wg.jacrev, wg.jacfwd, wg.hessian):
        found = derivative(lambda x: powers(x, 4, 2.0)[1])(x)
        np.testing.assert_allclose(
            found, derivative(lambda x: numpy_powers(x, 4, 2.0)[1])(x), rtol=1e-12, atol=1e-14
        )
    batched = wg.vmap(lambda x: powers(x, 3, 1.0)[1])(np.stack([x, 2 * x]))
    np.testing.assert_array_equal(batched[1], powers(2 * x, 3, 1.0)[1])


def test_shared_arguments_of_a_batch_collect_their_cotangents():
    turned = wg.cpp_function(LIBRARY, "turned")

    def same(v, angle):
        c, s = np.cos(angle), np.sin(angle)
        return np.stack([np.stack([c * v[0], -s * v[1]]), np.stack([s * v[0], c * v[1]])])

    v, angles = np.array([1.0, 2.0]), np.linspace(0, 1, 5)

    def loss(f):
        return lambda v, a: np.sum(np.sin(wg.vmap(f, (None, 0))(v, a)))

    for found, right in zip(
        wg.grad(loss(turned), (0, 1))(v, angles),
        wg.grad(loss(same), (0, 1))(v, angles),
        strict=True,
    ):
        np.testing.assert_allclose(found, right, rtol=1e-13)
    np.testing.assert_allclose(
        wg.hessian(loss(turned))(v, angles), wg.hessian(loss(same))(v, angles), atol=1e-13
    )
    wg.testing.check_grads(turned, (v, 0.4), order=2)


def test_more_template_arguments_and_exceptions():
    power = wg.cpp_function(LIBRARY, "power<T, 3>")
    assert wg.grad(power)(2.0) == 12.0
    with pytest.raises(CppError, match=r"power \(power.cpp\) threw: negative base"):
        power(-1.0)


def test_a_direction_that_rests_stays_zero_where_a_slope_is_infinite():
    root = wg.cpp_function(LIBRARY, "root", check=False)
    with pytest.warns(wg.errors.NonFiniteWarning):
        assert wg.grad(root)(0.0, 1.0) == np.inf
    assert wg.grad(root, 1)(0.0, 1.0) == 1.0
    assert wg.jvp(root, (0.0, 1.0), (0.0, 1.0))[1] == 1.0


def test_float32_stays_float32(sigmoid):
    slope = wg.grad(sigmoid)(np.float32(2.0))
    assert (slope.dtype, sigmoid(np.float32(2.0)).dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(slope, 0.10499358, rtol=1e-6)


def test_it_is_pickled_by_its_text(powers):
    again = pickle.loads(pickle.dumps(powers))
    np.testing.assert_array_equal(again([1.0, 2.0], 2, 1.0)[1], powers([1.0, 2.0], 2, 1.0)[1])


def test_compiled_code_tapes_duals_and_checks_take_it(sigmoid):
    x = np.linspace(-1, 1, 5)
    slopes = sigmoid(x) * (1 - sigmoid(x))
    jitted = wg.jit(wg.grad(lambda x: np.sum(sigmoid(x))))
    np.testing.assert_allclose(jitted(x), slopes, rtol=1e-14)
    v = wg.Variable(x)
    with wg.GradientTape() as tape:
        y = np.sum(sigmoid(v))
    np.testing.assert_allclose(tape.gradient(y, v), slopes, rtol=1e-14)
    dual = sigmoid(wg.convert(x, 0, 5))
    np.testing.assert_allclose(np.diag(dual.derivatives()), slopes, rtol=1e-14)
    with pytest.warns(wg.errors.TrustWarning, match="no ball rule for cpp_derivative"):
        checked = wg.grad(lambda x: np.sum(sigmoid(x)), trust="check")(x)
    np.testing.assert_allclose(checked, slopes, rtol=1e-14)
    with pytest.raises(CppError, match=r"your own C\+\+, which is not taken along"):
        wg.export_cpp(lambda x: sigmoid(x), 1.0, what="value")


def test_threads_may_call_it_at_once(sigmoid):
    found = {}

    def work(k):
        x = np.full(2000, k / 10)
        found[k] = wg.grad(lambda x: np.sum(sigmoid(x)))(x)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, slopes in found.items():
        np.testing.assert_array_equal(slopes, np.full(2000, wg.grad(sigmoid)(k / 10)))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((np.ones((2, 3)),), InputError, r"takes 3 arguments \(x, n, scale\), and was given 1"),
        ((1.0, 2, 1.0), ShapeError, r"x of .* has shape \(\), and \(\?,\) is needed"),
        ((np.ones(2), 2.5, 1.0), DTypeError, "n of .* takes integers"),
        ((np.ones(2) * 1j, 2, 1.0), DTypeError, "x of .* takes real numbers"),
        ((np.ones((2, 2)), 2, np.ones(3)), ShapeError, "batches of shapes"),
    ],
)
def test_wrong_arguments_are_named(powers, arguments, error, text):
    with pytest.raises(error, match=text):
        powers(*arguments)


def test_a_derivative_by_an_option_is_an_error_not_a_zero(powers):
    with pytest.raises(InputError, match="its derivative would be lost"):
        wg.grad(lambda s: powers(np.ones(2), 2, s)[0])(1.0)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("template <class T> T f(const T& x) {\n  return foo(x);\n}", "f", r"f.cpp:2: .*foo"),
        ("template <class T> T f(const T& x) {\n  double y = x;\n  return y; }", "f", "f.cpp:2: "),
        ("template <class T> T f(const T& x) { return x; }", "g", "g.cpp: .*'?g'?"),
        (
            "template <class T> void f(const T&, T&) {}",
            "f",
            "f.cpp:1: the function returns nothing",
        ),
        ("struct S {}; template <class T> S f(const T&) { return S(); }", "f", "not known here"),
    ],
)
def test_the_compilers_message_is_short_and_names_the_users_line(text, name, said):
    with pytest.raises(CppError, match=said) as caught:
        wg.cpp_function(text, name)
    assert len(str(caught.value).splitlines()) <= 4
    assert caught.value.way_out


def test_a_machine_without_a_compiler_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(CppError, match=r"no C\+\+ compiler was found") as caught:
        toolchain.find_compiler()
    assert "apt-get install g++" in caught.value.way_out
    with pytest.raises(CppError, match="'g\\+\\+-1' was not found"):
        toolchain.find_compiler("g++-1")


def test_a_wrong_derivative_in_cpp_is_noticed_at_first_use():
    text = """
    inline double value_of(double x) { return x; }
    template <class D> double value_of(const D& x) { return value_of(x.value); }
    template <class T> T f(const T& x) { return x * value_of(x); }  // x², and loses half its slope
    """
    with pytest.warns(
        wg.errors.RuleWarning, match=r"the derivative of the C\+\+ function f \(f.cpp\)"
    ):
        assert wg.grad(wg.cpp_function(text, "f"))(3.0) == 3.0


def test_a_changed_header_is_compiled_anew_and_broken_entries_are_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "directory", lambda: tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    header, text = tmp_path / "factor.hpp", tmp_path / "f.hpp"
    text.write_text(
        '#include "factor.hpp"\ntemplate <class T> T f(const T& x) { return FACTOR * x; }'
    )

    def fresh():
        from wengert.cpp.function import target_of

        target_of.cache_clear()
        return wg.cpp_function(text, "f")(10.0)

    header.write_text("#define FACTOR 2")
    assert fresh() == 20.0
    header.write_text("#define FACTOR 3")
    assert fresh() == 30.0
    for library in (tmp_path / "cache").glob("*.so"):  # cut short: they must not be loaded
        short = library.read_bytes()[:100]
        library.unlink()  # (what this process has loaded stays whole)
        library.write_bytes(short)
    assert fresh() == 30.0
    for record in (tmp_path / "cache").glob("*.json"):
        record.write_text("{}")
    assert fresh() == 30.0


def test_processes_that_compile_the_same_at_once_do_not_disturb_each_other(tmp_path):
    program = (
        "import wengert as wg\n"
        "f = wg.cpp_function('template <class T> T f(const T& x) { return x * x * x; }', 'f')\n"
        "print(wg.grad(f)(2.0))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
            env={**_environment(), "WENGERT_CACHE": str(tmp_path)},
        )
        for _ in range(3)
    ]  # fmt: skip
    assert [p.communicate()[0].strip() for p in running] == ["12.0"] * 3
    assert not list((tmp_path / "cpp").glob(".making-*"))


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_names_are_read_from_the_text():
    text = (
        "/* f(int a) { */ template <class T>\nauto f(const std::array<T, 2>& a, T b = T(1)) -> T {"
    )
    assert reading.definition(text, "f") == (2, ["const std::array<T, 2>& a", "T b = T(1)"])
    assert reading.parameter_names(["const T&", "T b"]) is None
    assert reading.definition("f(x);", "f") is None


MATRICES = """
#include <Eigen/Dense>
template <class T>
T distance(const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& A, const Eigen::Matrix<T, Eigen::Dynamic, 1>& b) {
    Eigen::Matrix<T, Eigen::Dynamic, 1> x = A.partialPivLu().solve(b);
    return x.squaredNorm() + x.dot(b);
}
"""


@needs_eigen
@pytest.mark.parametrize("backend", ["wengert", "eigen"])
def test_eigen_matrices_and_its_own_duals(backend):
    distance = wg.cpp_function(MATRICES, "distance", backend=backend)

    def same(A, b):
        x = np.linalg.solve(A, b)
        return np.sum(x**2) + np.dot(x, b)

    draw = np.random.default_rng(0)
    A, b = draw.normal(size=(3, 3)), draw.normal(size=3)
    np.testing.assert_allclose(distance(A, b), same(A, b), rtol=1e-12)
    for found, right in zip(
        wg.grad(distance, (0, 1))(A, b), wg.grad(same, (0, 1))(A, b), strict=True
    ):
        np.testing.assert_allclose(found, right, rtol=1e-11)
    with pytest.raises(CppError, match="Eigen's assertion"):
        distance(np.ones((3, 3)), np.ones(2))


@needs_eigen
def test_eigens_duals_say_what_they_cannot_do():
    with pytest.raises(CppError, match=r"f\.cpp:1: .*erf") as caught:
        wg.cpp_function(
            "template <class T> T f(const T& x) { return erf(x); }", "f", backend="eigen"
        )
    assert 'backend="wengert"' in caught.value.way_out
