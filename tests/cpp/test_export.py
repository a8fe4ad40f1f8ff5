"""Python functions as C++ and C: every kind of derivative, control flow, sizes, messages.

Each export is compiled without a warning, with its test program, which compares with stored results.
"""

import shutil
import subprocess

import numpy as np
import pytest
from scipy import special

import wengert as wg
from wengert.cpp import kinds, toolchain
from wengert.errors import ConcretizationError, CppError, InputError

needs_eigen = pytest.mark.skipif(toolchain.find_eigen() is None, reason="Eigen is not installed")
X = np.linspace(0.1, 1, 5)


def model(params, x):
    return np.sum(np.sin(params["w"] @ x) ** 2) * params["scale"]


MODEL = ({"w": np.arange(6.0).reshape(2, 3) / 7, "scale": 2.0}, np.array([0.3, -0.2, 0.9]))


def powered(x, n):
    return np.sum(wg.fori_loop(0, n, lambda i, v: np.sin(v) * x, x))


def scanned(x):
    last, seen = wg.scan(lambda c, a: (np.tanh(c * a) + a, c), 0.5, x)
    return last * np.sum(seen)


def halved(x):
    return wg.while_loop(lambda v: np.sum(v) > 1.0, lambda v: v * 0.5, x)


def chosen(x):
    return wg.cond(np.sum(x) > 0, lambda x: np.sum(np.sqrt(x)), lambda x: np.sum(x**2), x)


def guarded(x):
    return np.sum(np.where(x > 0, np.log(x), 0.0))


def mixed(x, i, flags):
    return np.where(flags, x[i] ** 2, x[i]), i * 2 + 1, np.cumsum(x)


def products(a, b):
    return np.sum(np.sin(a @ b))


def rotated(z):
    return np.exp(1j * np.real(z)) * z


def settled(a, b):
    root = np.linalg.cholesky(a @ a.T + np.eye(3))
    return np.sum(np.linalg.solve(root, b)) + np.linalg.slogdet(a)[1]


def scored(x):
    return np.sum(special.gammaln(x) + special.ndtr(x) * special.betaln(x, 1.5) + special.entr(x))


def rows(x):
    return wg.vmap(lambda a: np.exp(a - np.max(a)) / np.sum(np.exp(a - np.max(a))))(x)


CASES = {
    "model": (model, MODEL, (*kinds.KINDS[:3], "jvp", "vjp", "hessian", "hvp")),
    "powered": (powered, (X, 6), ("value", "gradient", "hvp")),
    "scanned": (scanned, (X,), ("value", "gradient")),
    "halved": (halved, (X,), ("value", "jacobian", "jvp")),
    "chosen": (chosen, (X,), ("value", "gradient", "hessian")),
    "guarded": (guarded, (np.array([-1.0, 0.0, 2.0]),), ("value", "gradient", "hessian")),
    "mixed": (
        mixed,
        (X, np.array([0, 3, -1]), np.array([True, False, True])),
        ("value", "jacobian"),
    ),
    "products": (products, (np.ones((20, 30)) / 9, np.ones((30, 4))), ("value", "gradient")),
    "rotated": (rotated, (np.array([0.5 + 1j, -1j]),), ("value", "jvp")),
    "settled": (
        settled,
        (np.eye(3) * 3 + 1 / (1 + np.arange(9.0).reshape(3, 3)), X[:3]),
        ("value", "gradient"),
    ),
    "scored": (scored, (np.array([0.3, 2.5, 20.0]),), ("value", "gradient")),
    "rows": (rows, (np.linspace(0, 1, 60).reshape(20, 3),), ("value", "vjp")),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_exported_computes_what_python_computes(name, run_export):
    f, args, what = CASES[name]
    said = run_export(wg.export_cpp(f, *args, what=what, name=name, test=True))
    assert all(f"{kind}: " in said for kind in what)


@pytest.mark.parametrize("options", [{"language": "c"}, {"dtype": "float32"}, {"strict": True}])
def test_other_spellings_of_the_same(options, run_export):
    run_export(wg.export_cpp(model, *MODEL, what=("value", "gradient"), test=True, **options))


@needs_eigen
def test_eigens_vectors_and_matrices_are_taken_as_they_are(run_export):
    what = ("value", "gradient", "hessian")
    said = run_export(wg.export_cpp(model, *MODEL, what=what, test=True), eigen=True)
    assert "gradient: grad_params_w by Eigen" in said


@pytest.mark.skipif(shutil.which("clang++") is None, reason="clang++ is not installed")
def test_clang_has_nothing_to_say_either(run_export):
    export = wg.export_cpp(model, *MODEL, what=("value", "hessian"), test=True)
    run_export(export, eigen=toolchain.find_eigen() is not None, compiler="clang++")


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_the_cmake_file_builds_and_tests(compiler, tmp_path):
    wg.export_cpp(model, *MODEL, test=True, directory=tmp_path)
    for command in (
        ["cmake", "-S", ".", "-B", "b"],
        ["cmake", "--build", "b"],
        ["ctest", "--test-dir", "b"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_self_check_stands_in_the_header_and_can_fail(compiler, tmp_path):
    export = wg.export_cpp(model, *MODEL)
    assert "// Proved to be correctly rounded: value, gradient." in export.header
    (tmp_path / "m.cpp").write_text(
        '#include "model.hpp"\n#include <cstdio>\nint main() { std::printf("%g", model::self_check()); }\n'
    )

    def worst(text):
        (tmp_path / "model.hpp").write_text(text)
        build = [compiler, "-std=c++17", "m.cpp", "-o", "m"]
        subprocess.run(build, cwd=tmp_path, check=True)
        run = subprocess.run([str(tmp_path / "m")], capture_output=True, text=True, check=True)
        return float(run.stdout)

    assert worst(export.header) < 1e-14
    assert worst(export.header.replace("std::sin", "std::sinh", 1)) > 1e-6


def test_the_text_grows_neither_with_arrays_nor_with_trip_counts():
    def size(f, *args, what):
        export = wg.export_cpp(f, *args, what=what)
        return export.header.split("template <class X>")[0].count("\n")

    def smooth(x):
        return np.sum(np.tanh(x) * np.roll(x, 1)) / len(x) + np.max(x)

    what = ("value", "gradient", "hvp")
    small, large = (size(smooth, np.linspace(0, 1, n), what=what) for n in (100, 100_000))
    assert large == small
    few, many = (size(powered, X, n, what=("value", "gradient")) for n in (20, 20_000))
    assert many == few


def test_the_header_says_where_it_comes_from():
    text = wg.export_cpp(guarded, np.ones(3)).header
    assert f"written by wengert {wg.__version__}" in text
    assert "//     def guarded(x):" in text
    assert "test_export.py" in text


def test_names_follow_the_arguments_and_never_clash():
    def f(v1, double, work, params):
        return v1 * double + work * params["a"][0] + params["y"]

    e = wg.export_cpp(f, 1.0, 2.0, 3.0, {"a": [1.0], "y": 2.0}, what=("value", "vjp"))
    head = (
        "int value(double v1_, double double_, double work_, double params_a_0, double params_y, "
    )
    assert head in e.header
    assert e.functions == ("value", "vjp")


def test_a_large_temporary_is_the_callers_workspace(run_export):
    def f(x):
        y = np.cumsum(x)
        return np.sum(y * y[::-1]) * x

    export = wg.export_cpp(f, np.linspace(0, 1, 3000), what=("value", "vjp"), test=True)
    assert "constexpr std::size_t vjp_work_bytes = 0;" not in export.header
    assert "new " not in export.header.replace("renew", "")
    assert "malloc" not in export.header
    run_export(export)


def test_guards_stay_where_overflow_is_no_error(run_export):
    """The slope of the logistic function at -1000: its exponential is infinite, its slope zero."""
    export = wg.export_cpp(lambda x: 1 / (1 + np.exp(-x)), -1000.0, name="logistic", test=True)
    assert "gradient: grad_x" in run_export(export)


def test_constant_zeros_leave_nothing_behind():
    def turned(angle, p):
        c, s = np.cos(angle), np.sin(angle)
        pose = np.array(
            [[c, -s, 0.0, 1.0], [s, c, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        )
        return (pose @ np.append(p, 1.0))[:3]

    plain, strict = (
        wg.export_cpp(turned, 0.3, np.ones(3), what="value", strict=s).header.count("fused(")
        for s in (False, True)
    )
    assert plain < strict / 2


def test_a_singular_matrix_is_a_status_not_a_crash(compiler, tmp_path):
    export = wg.export_cpp(lambda a: np.linalg.inv(a), np.eye(2), what="value", name="inverse")
    assert "//   1: Singular matrix (test_export.py:" in export.header
    export.write(tmp_path)
    (tmp_path / "m.cpp").write_text(
        '#include "inverse.hpp"\nint main() { double a[4] = {1, 2, 2, 4}, y[4]; return inverse::value(a, y); }\n'
    )
    subprocess.run([compiler, "-std=c++17", "m.cpp", "-o", "m"], cwd=tmp_path, check=True)
    assert subprocess.run([str(tmp_path / "m")], check=False).returncode == 1


def test_an_operation_without_cpp_is_named_with_the_users_line():
    def spectrum(x):
        return np.abs(np.fft.fft(x))

    with pytest.raises(CppError, match=r"test_export.py:\d+: value: .*fft has no C\+\+"):
        wg.export_cpp(spectrum, X, what="value")


def test_the_way_back_through_a_loop_of_unknown_length_is_refused_and_the_way_forth_taken():
    with pytest.raises(CppError, match=r"test_export.py:\d+: vjp: .*allocates nothing"):
        wg.export_cpp(halved, X, what="vjp")
    assert wg.export_cpp(halved, X, what="jacobian").functions == ("jacobian",)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: wg.export_cpp(model, *MODEL, what="slope"), InputError, "what='slope'"),
        (lambda: wg.export_cpp(model, *MODEL, language="rust"), InputError, "language='rust'"),
        (lambda: wg.export_cpp(model, *MODEL, dtype="int8"), InputError, "dtype='int8'"),
        (lambda: wg.export_cpp(lambda n: n, 3), InputError, "needs an argument of numbers"),
        (lambda: wg.export_cpp(np.sin, X, what="gradient"), InputError, r"returns f64\[5\]"),
        (lambda: wg.export_cpp(model, *MODEL, argnums=7), InputError, "argnums=7"),
        (
            lambda: wg.export_cpp(lambda x: x if x > 0 else -x, 1.0),
            ConcretizationError,
            "wg.cond|np.where",
        ),
    ],
)
def test_bad_requests_say_what_is_wrong(call, error, text):
    with pytest.raises(error, match=text):
        call()
