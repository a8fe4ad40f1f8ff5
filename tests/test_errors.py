"""Every error says what happened, at which of the user's lines, and the way out."""

import math
import pickle
import re
import threading
import traceback
from pathlib import Path

import numpy as np
import pytest

import wengert as wg
from wengert import errors
from wengert.errors import (
    ConcretizationError,
    DataDependentShapeError,
    DTypeError,
    InputError,
    NonScalarOutputError,
    NotDifferentiableError,
    RuleError,
    ShapeError,
    StructureError,
    TracerLeakError,
    UnsupportedError,
    WengertError,
)

X = np.array([0.0, 1.0, 2.0])
ANCHORS = {
    heading.lower().replace(" ", "-")
    for heading in re.findall(
        r"^## (.*)$",
        (Path(__file__).parent.parent / "docs/errors.md").read_text("utf-8"),
        re.MULTILINE,
    )
}


class Frame:
    """As a table of pandas looks from here."""

    __module__ = "pandas.core.frame"


def gradient(f, x=X, **options):
    return lambda: wg.grad(f, **options)(x)


def typed(f, *xs):
    """`f` in a trace that knows only types: the body of a batch."""
    return lambda: wg.vmap(f)(*(np.stack([x, x]) for x in xs))


def shapes(x):
    return np.sum(x + np.ones(4))


def product(x):
    return np.sum(np.ones((2, 2)) @ x)


def reshaped(x):
    return np.sum(x.reshape(2, 2))


def joined(x):
    return np.sum(np.concatenate([x[:, None], np.ones((2, 2))], axis=1))


def vector(x):
    return 2 * x


def nothing(x):
    x.sum()


def imaginary(x):
    return np.sum(x) * 1j


def total(x):
    return np.sum(x)


def with_objects(x):
    return np.sum(x * np.array([1, None, 2], object))


def with_mask(x):
    return np.sum(x * np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 1]))


def as_float(x):
    return float(x[0])


def as_int(x):
    return x[1] * int(x[0])


def as_complex(x):
    return complex(x[0])


def as_range(x):
    return sum(range(x[2]))


def as_index(x):
    return [1.0, 2.0, 3.0][x[0]]


def in_a_library(x):
    return np.sum(np.lib.stride_tricks.as_strided(x, (2,)))


def written(x):
    PLAIN[0] = x[0]
    return x[1]


PLAIN = np.zeros(3)


def unknown(x):
    return np.sum(np.packbits(x))


def bits(x):
    return np.sum(np.bitwise_and(x, 1))


def stored(x):
    return pickle.dumps(x)


def masked(x):
    return np.sum(x[x > 1])


def places(x):
    return np.nonzero(x)


def decided(x):
    if x[0] > 0:
        return x[0]
    return x[1]


def repeated(x):
    while x[0] > 0:
        x = x - 1
    return x


# error, what is called, what it says, its way out, and the function whose line it names
INSIDE = [
    (ShapeError, gradient(shapes), r"add: shapes \(3,\) and \(4,\) do not broadcast", "reshape one of them", shapes, 1),
    (ShapeError, gradient(product), r"matmul", "", product, 1),
    (ShapeError, gradient(reshaped), r"cannot reshape f64\[3\] to \(2, 2\)", "keep the number", reshaped, 1),
    (ShapeError, gradient(joined), r"\(3, 1\).*\(2, 2\)", "", joined, 1),
    (InputError, gradient(with_objects), "an array of Python objects", "numeric dtype", with_objects, 1),
    (InputError, gradient(with_mask), "a masked array", r"\.filled\(0\)", with_mask, 1),
    (ConcretizationError, gradient(as_float), r"float\(\) of a traced f64\[\] would silently drop", "leave it out", as_float, 1),
    (ConcretizationError, gradient(as_int), r"int\(\) of a traced f64\[\]", r"wg.stop_gradient\(x\)", as_int, 1),
    (ConcretizationError, gradient(as_complex), r"complex\(\) of a traced f64\[\]", "leave it out", as_complex, 1),
    (ConcretizationError, gradient(as_range), r"an index or in range\(\)", "x.shape", as_range, 1),
    (ConcretizationError, gradient(as_index), r"an index or in range\(\)", "x.shape", as_index, 1),
    (ConcretizationError, gradient(in_a_library), "as_strided wants plain numbers", "sliding_window_view", in_a_library, 1),
    (ConcretizationError, gradient(written), "written into a plain NumPy array", "np.stack", written, 1),
    (ConcretizationError, gradient(stored), "is pickled", "has_aux=True", stored, 1),
    (UnsupportedError, gradient(unknown), "np.packbits has no derivative rule", "custom_vjp", unknown, 1),
    (UnsupportedError, gradient(bits), "np.bitwise_and of float64", "convert", bits, 1),
    (DataDependentShapeError, typed(masked, X), r"how many elements the mask bool\[3\] picks", "np.where", masked, 1),
    (DataDependentShapeError, typed(places, X), "np.nonzero", "np.where", places, 1),
    (ConcretizationError, typed(decided, X), "`if`, `while`", "np.where or wg.cond", decided, 1),
    (ConcretizationError, typed(repeated, X), "`if`, `while`", "wg.while_loop", repeated, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "call", "what", "way_out", "function", "line"), INSIDE, ids=[f"{c[4].__name__}" for c in INSIDE]
)  # fmt: skip
def test_an_error_in_the_function_names_its_line_and_the_way_out(
    kind, call, what, way_out, function, line
):
    with pytest.raises(kind, match=what) as caught:
        call()
    where = function.__code__.co_firstlineno + line
    assert str(caught.value).startswith(f"{Path(__file__).name}:{where}: ")
    assert re.search(way_out, caught.value.way_out)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == (__file__, where)


OUTSIDE = [
    (
        NonScalarOutputError,
        gradient(vector),
        r"one real number from vector, and got f64\[3\]",
        "wg.jacobian",
    ),
    (NonScalarOutputError, gradient(nothing), "and got a NoneType", "return a scalar"),
    (DTypeError, gradient(imaginary), r"the complex c128\[\]", "holomorphic=True"),
    (
        InputError,
        gradient(total, np.array([1, None], object)),
        "argument 0 is an array of Python objects",
        "dtype=float",
    ),
    (InputError, gradient(total, np.ma.masked_array(X)), "argument 0 is a masked array", "filled"),
    (InputError, gradient(total, Frame()), "argument 0 is a pandas.Frame", r"x\.to_numpy\(\)"),
    (
        InputError,
        gradient(total, {"table": [Frame()]}),
        r"argument 0 at \['table'\]\[0\] is a pandas.Frame",
        "to_numpy",
    ),
    (
        InputError,
        gradient(total, np.arange(3)),
        "argument 0 has dtype int64",
        r"x\.astype\(float\)",
    ),
    (
        InputError,
        gradient(total, np.array([True])),
        "argument 0 has dtype bool",
        r"x\.astype\(float\)",
    ),
    (
        InputError,
        gradient(total, argnums=1),
        "argnums=1, but total was called with 1 positional",
        "argnames",
    ),
    (InputError, gradient(total, argnames="y"), "no argument 'y'", "argnames"),
    (StructureError, lambda: wg.jvp(total, (X,), (X, X)), "1 primals, but 2 tangents", ""),
    (
        StructureError,
        lambda: wg.jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},)),
        "'b'.*'a'",
        "containers",
    ),
    (
        StructureError,
        lambda: wg.vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}),
        "'b'.*'a'",
        "containers",
    ),
    (
        ShapeError,
        lambda: wg.jvp(total, (X,), (1.0,)),
        r"shape \(\) for an argument of shape \(3,\)",
        "shapes of their",
    ),
    (
        ShapeError,
        lambda: wg.vjp(vector, X)[1](1.0),
        r"shape \(\) for a result of shape \(3,\)",
        "shapes of their",
    ),
]


@pytest.mark.parametrize(
    ("kind", "call", "what", "way_out"), OUTSIDE, ids=[str(n) for n in range(len(OUTSIDE))]
)
def test_an_error_of_the_call_names_the_line_of_the_call(kind, call, what, way_out):
    with pytest.raises(kind, match=what) as caught:
        call()
    code = call.__code__
    assert caught.value.where == f"{Path(__file__).name}:{code.co_firstlineno}"
    assert re.search(way_out, caught.value.way_out)


# ---- leaks -------------------------------------------------------------------------------------------------


def test_a_leaked_value_is_refused_where_it_is_used():
    kept = []

    def f(x):
        kept.append(x * 2)
        return np.sum(x)

    wg.grad(f)(X)
    for use in (
        lambda: kept[0] + 1,
        lambda: np.sum(kept[0]),
        lambda: wg.grad(lambda x: np.sum(x * kept[0]))(X),
    ):
        with pytest.raises(
            TracerLeakError, match="after the function that was traced had returned"
        ) as caught:
            use()
        assert caught.value.where == f"{Path(__file__).name}:{use.__code__.co_firstlineno}"
        assert "has_aux=True" in caught.value.way_out


def test_looking_at_a_leaked_value_is_harmless():
    kept = []
    wg.grad(lambda x: kept.append(x) or x * x)(3.0)
    assert "3.0" in repr(kept[0])


# ---- rules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cotangent", "what"),
    [(np.ones(2), r"f64\[2\], and f64\[3\]"), (np.ones(3, np.float32), r"f32\[3\], and f64\[3\]")],
    ids=["shape", "dtype"],
)
def test_a_rule_with_a_wrong_type_is_named_with_its_line(cotangent, what):
    def rule(residuals, g):
        return (cotangent,)

    f = wg.custom_vjp(total)
    f.defvjp(lambda x: (total(x), None), rule)
    with pytest.raises(RuleError, match=what) as caught:
        wg.grad(f)(X)
    assert f"the vjp of total ({Path(__file__).name}:{rule.__code__.co_firstlineno})" in str(
        caught.value
    )
    assert caught.value.where == f"{Path(__file__).name}:{caught.tb.tb_lineno}"


# ---- the user's own exceptions ---------------------------------------------------------------------------------


class Mine(Exception):
    """Somebody's own exception."""


def fails(x):
    try:
        {}["missing"]
    except KeyError as error:
        raise Mine("of the model") from error


def fails_in_numpy(x):
    return np.linalg.inv(x * 0)[0, 0]


def fails_by_name(x):
    return x.no_such_name


CALLS = {
    "grad": lambda f: wg.grad(f)(np.eye(2)),
    "jvp": lambda f: wg.jvp(f, (np.eye(2),), (np.eye(2),)),
    "jacfwd": lambda f: wg.jacfwd(f)(np.eye(2)),
    "hessian": lambda f: wg.hessian(f)(np.eye(2)),
    "vmap": lambda f: wg.vmap(f)(np.ones((3, 2, 2))),
    "program": lambda f: wg.program(f)(np.eye(2)),
    "checkpoint": lambda f: wg.grad(wg.checkpoint(f))(np.eye(2)),
    "cond": lambda f: wg.grad(lambda x: wg.cond(x[0, 0] > 0, f, f, x))(np.eye(2)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_users_exception_comes_out_as_it_is(call):
    with pytest.raises(Mine, match="of the model") as caught:
        call(fails)
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.name) == (__file__, "fails")
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("function", "kind"), [(fails_in_numpy, np.linalg.LinAlgError), (fails_by_name, AttributeError)]
)
def test_what_numpy_raises_ends_at_the_users_line(function, kind):
    with pytest.raises(kind) as caught:
        wg.grad(function)(np.eye(2))
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.name) == (__file__, function.__name__)


def test_a_users_exception_from_one_of_ours_stays_the_users():
    def f(x):
        try:
            return float(x)
        except ConcretizationError as error:
            raise Mine("wrapped") from error

    with pytest.raises(Mine, match="wrapped") as caught:
        wg.grad(f)(1.0)
    assert isinstance(caught.value.__cause__, ConcretizationError)


def test_an_exception_in_a_custom_rule_comes_out():
    def rule(residuals, g):
        raise Mine("of the rule")

    f = wg.custom_vjp(total)
    f.defvjp(lambda x: (total(x), None), rule)
    with pytest.raises(Mine, match="of the rule") as caught:
        wg.grad(f)(X)
    assert traceback.extract_tb(caught.tb)[-1].name == "rule"


# ---- what is allowed ----------------------------------------------------------------------------------------------


def test_looking_at_numbers_is_allowed_and_a_stopped_value_may_be_converted():
    def f(x):
        assert f"{x[1]:.1f}" == "1.0"
        assert "1." in repr(x)
        scale = float(wg.stop_gradient(x[2]))
        return math.sin(x[1]) * scale if x[1] > 0 else x[0]

    np.testing.assert_allclose(wg.grad(f)(X), [0.0, 2.0 * math.cos(1.0), 0.0])


def test_a_stopped_value_that_was_written_into_is_traced_again():
    def f(x):
        y = wg.stop_gradient(x)
        y[0] = x[1]
        return float(y[0])

    with pytest.raises(ConcretizationError, match=r"float\(\)"):
        wg.grad(f)(X)


# ---- the classes ----------------------------------------------------------------------------------------------------


CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, WengertError)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_pickles_and_points_to_its_anchor(cls):
    error = cls("it happened", "do this", "model.py:3")
    text = str(error)
    assert text.startswith("model.py:3: it happened\n  Way out: do this")
    assert text.endswith(f"docs/errors.md#{cls.anchor}")
    assert cls is WengertError or cls.anchor in ANCHORS
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (cls, text)


def test_the_python_class_of_the_mistake_catches_it_too():
    for kind, call, *_ in INSIDE:
        python = next(b for b in kind.__mro__ if b.__module__ == "builtins")
        with pytest.raises(python):
            call()


def test_errors_of_two_threads_name_their_own_lines():
    found = {}

    def work(name, f):
        try:
            wg.grad(f)(X)
        except WengertError as error:
            found[name] = error.where

    threads = [
        threading.Thread(target=work, args=(f.__name__, f)) for f in (as_float, as_int, shapes)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for f in (as_float, as_int, shapes):
        assert found[f.__name__] == f"{Path(__file__).name}:{f.__code__.co_firstlineno + 1}"


def test_no_derivative_rule_in_this_direction():
    class Opaque(wg.Op):
        name = "opaque"

        def typeof(self, x):
            return x

        def eval(self, x):
            return x + 1

    with pytest.raises(NotDifferentiableError, match="opaque has no derivative rule"):
        wg.grad(Opaque())(1.0)
    with pytest.raises(NotDifferentiableError, match="opaque has no derivative rule"):
        wg.jvp(Opaque(), (1.0,), (1.0,))
