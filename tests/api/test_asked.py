"""Compiled derivatives under trust: bounds and all in one program, and what is suspect settled as un-jitted calls do."""

import gc
import pickle
import warnings

import numpy as np
import pytest

import wengert as wg
from wengert.errors import NativeWarning, TrustError, TrustWarning
from wengert.trace.builder import Builder
from wengert.tree import flatten
from wengert.trust import verdict


def versine(x):
    return (1 - np.cos(x)) / x**2


FUNCTIONS = {
    "versine": versine,
    "softplus": lambda x: np.log(1 + np.exp(x * 100)),
    "kink": lambda x: np.abs(x - 1) * x,
    "equality": lambda x: np.where(x == 1, x, x * x),
    "root": lambda x: np.sqrt(x * x),
    "cubes": lambda x: ((1 + x) - 1) ** 3,
    "cancelled": lambda x: (x * x - x * x) / x + np.sin(x),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "steps": lambda x: np.floor(x),
    "jump": lambda x: x * np.floor(x),
    "kinks that meet": lambda x: np.maximum(np.abs(x - 1), x - 1),
    "choice": lambda x: np.where((x > 1) | (x < 0.5), x * x, np.sin(x)),
    "series": lambda x: 1 + x + x**2 / 2 + x**3 / 6 + x**4 / 24,
    "loop": lambda x: wg.fori_loop(0, 3, lambda k, y: y * np.cos(y), x),
}
POINTS = np.array([1e-9, 1e-4, 0.5, 1.0, 30.0, 0.0])


@pytest.fixture(autouse=True)
def recorded():
    verdict.clear()
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        yield


def held(compiled, plain, *args):
    """Both give the same numbers, flags and repairs; the compiled one is compiled."""
    wanted = plain(*args)
    said = wg.last_report()
    verdict.clear()
    for _ in range(2):
        found = compiled(*args)
        again = wg.last_report()
        assert said.trusted == again.trusted
        for a, b in zip(said.flagged, again.flagged, strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(said.repaired, again.repaired, strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(flatten(wanted)[0], flatten(found)[0], strict=True):
            assert type(a) is type(b)
            if again.level == "repair":
                np.testing.assert_allclose(a, b, rtol=1e-6)
    assert compiled.versions.items
    assert not compiled.plain
    return found, again


@pytest.mark.parametrize("level", ["check", "repair"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_compiled_slope_has_the_flags_of_the_plain_one(name, level):
    plain = wg.grad(FUNCTIONS[name], trust=level)
    compiled = wg.jit(plain)
    for x in POINTS:
        held(compiled, plain, x)


@pytest.mark.parametrize("level", ["check", "repair"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_compiled_batch_has_the_flags_of_the_plain_one(name, level):
    plain = wg.vmap(wg.grad(FUNCTIONS[name], trust=level))
    held(wg.jit(plain), plain, POINTS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_and_jacobians_of_arrays_are_settled_too(name):
    f = FUNCTIONS[name]
    total = lambda x: np.sum(f(x) * x[0])
    x = np.array([0.5, 1e-6, 1.0, 2.0])
    for plain in (
        wg.grad(total, trust="repair"),
        wg.value_and_grad(total, trust="repair"),
        wg.jacobian(f, trust="repair"),
    ):
        held(wg.jit(plain), plain, x)


@pytest.mark.parametrize("name", ["versine", "cancelled", "logistic"])
def test_hessians_are_settled_too(name):
    plain = wg.hessian(lambda x: np.sum(FUNCTIONS[name](x) * x[0]), trust="repair")
    held(wg.jit(plain), plain, np.array([0.5, 1e-6, 1.0]))


def test_long_arrays_pay_for_their_failing_elements():
    plain = wg.grad(lambda x: np.sum(versine(x)), trust="repair")
    x = np.linspace(0.5, 2, 20_000)
    x[77] = 1e-8
    found, report = held(wg.jit(plain), plain, x)
    assert report.count(report.repaired) == 1
    assert report.repaired[0][77]
    assert found[77] == pytest.approx(-1e-8 / 12)


def test_several_arguments_containers_and_other_numbers_around():
    f = lambda p, k, s: p["a"] * versine(p["b"]) * k + s
    plain = wg.grad(f, trust="repair")
    held(wg.jit(plain), plain, {"a": 2.0, "b": np.float64(1e-9)}, 3, np.float64(1.0))
    both = wg.value_and_grad(
        lambda x, y: (versine(x) + y * x, x * 2), (0, 1), has_aux=True, trust="check"
    )
    held(wg.jit(both), both, 1e-9, 1.0)


def test_what_is_computed_from_repaired_numbers_is_computed_again():
    slope = wg.grad(versine, trust="repair")
    outer = wg.jit(lambda x: 3 * slope(2 * x))
    assert outer(1e-9) == pytest.approx(-5e-10)
    assert outer(1.0) == pytest.approx(3 * slope(2.0))
    closed = wg.jit(lambda x, w: wg.grad(lambda x: versine(x) * w, trust="repair")(x))
    assert closed(1e-9, 6.0) == pytest.approx(-5e-10)
    moved = wg.jit(wg.vmap(slope, out_axes=0, in_axes=0))
    assert moved(np.array([1e-9, 1.0]))[0] == pytest.approx(-1e-9 / 12)


def test_one_after_the_other_leaves_the_last_report():
    first, second = wg.grad(versine, trust="repair"), wg.grad(np.log, trust="check")
    both = wg.jit(lambda x: (first(x), second(x)))
    a, b = both(1e-9)
    assert a == pytest.approx(-1e-9 / 12)
    assert b == pytest.approx(1e9)
    assert wg.last_report().what == "grad(log)"
    assert wg.last_report().level == "check"


def test_directions_and_cotangents_are_settled_too():
    push = wg.jit(lambda x, dx: wg.jvp(versine, (x,), (dx,), trust="repair")[1])
    assert push(1e-9, 2.0) == pytest.approx(-1e-9 / 6)
    pull = wg.jit(lambda x, g: wg.vjp(versine, x, trust="repair")[1](g)[0])
    assert pull(1e-9, 2.0) == pytest.approx(-1e-9 / 6)


def test_policies_hold_for_each_call():
    slope = wg.jit(wg.grad(lambda x: np.abs(x) * 2, trust="repair"))
    for side, wanted in (("left", -2.0), ("right", 2.0), ("mean", 0.0), ("nan", np.nan)):
        with wg.trust.policy(at_kink=side):
            np.testing.assert_equal(slope(0.0), wanted)
    checked = wg.jit(wg.grad(versine, trust="check"))
    checked(1e-3)
    assert wg.last_report().trusted
    with wg.trust.policy(tolerance=1e-15):
        checked(1e-3)
        assert not wg.last_report().trusted
    with wg.trust.policy(action="raise"), pytest.raises(TrustError):
        checked(1e-9)
    verdict.forget()
    with wg.trust.policy(action="warn"), pytest.warns(TrustWarning, match="test_asked.py"):
        checked(1e-9)
    assert len(checked.events) == 1


def test_single_precision_has_its_own_tolerance():
    plain = wg.grad(lambda x: np.sum(versine(x)), trust="repair")
    held(wg.jit(plain), plain, np.array([1e-3, 0.3, 1.0], np.float32))


def test_jit_says_the_level_for_what_it_holds():
    slope = wg.jit(wg.grad(versine), trust="repair")
    assert slope(1e-9) == pytest.approx(-1e-9 / 12)
    assert wg.last_report().what == "grad(versine)"
    batch = wg.jit(wg.vmap(wg.grad(versine)), trust="repair")
    assert batch(np.array([1e-9, 1.0]))[0] == pytest.approx(-1e-9 / 12)
    assert pickle.loads(pickle.dumps(wg.jit(np.sin, trust="check"))).trust == "check"
    with pytest.raises(wg.errors.InputError, match="trust='often'"):
        wg.jit(versine, trust="often")


def test_where_nothing_is_differentiated_the_results_are_looked_at():
    value = wg.jit(lambda x, k: (versine(x) + k, "name", 1.0), trust="repair")
    assert value(1e-9, 2) == (2.5, "name", 1.0)
    report = wg.last_report()
    assert report.level == "repair"
    assert report.count(report.repaired) == 1
    assert value(1.0, 2)[0] == pytest.approx(2 + versine(1.0))
    assert wg.last_report().trusted


def test_a_function_that_needs_numbers_runs_as_it_is_and_says_so():
    branch = wg.grad(lambda x: versine(x) if x < 1 else x, trust="repair")
    compiled = wg.jit(branch)
    with pytest.warns(NativeWarning, match="runs the plain function.*test_asked.py"):
        assert compiled(1e-9) == branch(1e-9)
    with pytest.warns(NativeWarning, match="other results are not"):
        wg.jit(lambda x: x if x < 1 else 2 * x, trust="check")(0.5)


def test_inside_of_another_trace_the_wish_is_passed_on():
    inner = wg.jit(wg.grad(versine, trust="repair"))
    plain = wg.vmap(inner)
    assert plain(np.array([1e-9, 1.0]))[0] == pytest.approx(-1e-9 / 12)
    held(wg.jit(plain), plain, np.array([1e-9, 1.0]))


def test_results_go_into_given_arrays():
    compiled = wg.jit(wg.vmap(wg.grad(versine, trust="repair")))
    out = np.zeros(2)
    assert compiled(np.array([1e-9, 1.0]), out=out) is out
    assert out[0] == pytest.approx(-1e-9 / 12)


def test_a_careful_function_has_no_address():
    compiled = wg.jit(wg.grad(versine, trust="check"))
    with pytest.raises(wg.errors.InputError, match="trust="):
        compiled.c_function(1.0, signature="double (double)")


def test_a_loop_with_a_careful_derivative_inside_runs_as_it_is():
    def turns(x):
        return wg.scan(lambda c, _: (wg.grad(versine, trust="check")(c), None), x, None, 2)[0]

    compiled = wg.jit(turns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert compiled(1.0) == turns(1.0)
    assert "looks at every number" in str(wg.why_recompiled(compiled))


def test_what_is_printed_is_printed_once_a_call(capsys):
    def told(x):
        wg.print("x is {}", x)
        return np.sin(x)

    slope = wg.jit(wg.grad(told, trust="check"))
    slope(1.0), slope(2.0)
    assert capsys.readouterr().out.split("\n") == ["x is 1.0", "x is 2.0", ""]


def test_no_trace_is_kept_for_the_questions():
    def unforgettable(x):
        return versine(x)

    slope = wg.grad(unforgettable, trust="check")
    kept = [wg.jit(slope), wg.jit(wg.vmap(slope)), wg.jit(unforgettable, trust="check")]
    kept[0](1.0), kept[1](np.ones(3)), kept[2](1.0)
    gc.collect()
    traces = [x.name for x in gc.get_objects() if isinstance(x, Builder)]
    assert not [name for name in traces if "unforgettable" in name]
