"""A law that cannot fail proves nothing: wrong primitives, and the law that each of them breaks."""

import numpy as np
import pytest

import wengert as wg
from wengert.ir.types import ArrayType
from wengert.ops.families import Elementwise, Linear
from wengert.testing import check, laws


class Halving(Linear):
    """x → x/2, honest in every answer; the wrong ones below change one answer each."""

    name = "halving"
    dense_tangents = False

    def typeof(self, x):
        return x

    def eval(self, x):
        return x * x.dtype.type(0.5)

    def transpose(self, gs, args, wanted):
        return (self(gs[0]),)

    def batch(self, batched, x):
        return self(x)


class WrongType(Halving):
    def typeof(self, x):
        return ArrayType.of((*x.shape, 1), x.dtype)


class WrongDtype(Halving):
    def eval(self, x):
        return (x * 0.5).astype(np.float32)


class Overwriting(Halving):
    def eval(self, x):
        x *= 0.5
        return x * 1.0


class WrongSlope(Halving):
    def jvp(self, dxs, xs, ys):
        return (dxs[0] * 2,)


class LiftingSlope(Halving):
    def jvp(self, dxs, xs, ys):
        return (self(dxs[0]) * np.float64(1),)


class WrongTranspose(Halving):
    def transpose(self, gs, args, wanted):
        return (gs[0],)


class WrongFastRoad(Halving):
    def pullback(self, gs, xs, ys, wanted):
        return (gs[0],)


class WrongBatch(Halving):
    def batch(self, batched, x):
        return np.flip(self(x), 0) if x.shape[0] > 1 else self(x)


POINT = np.array([0.5, -1.5, 2.0])


def test_an_honest_primitive_passes():
    check(Halving(), POINT)
    check(Halving(), POINT.astype(np.float32))
    check(Halving(), POINT + 1j)


@pytest.mark.parametrize(
    ("op", "broken"),
    [
        (WrongType, laws.TypeofLies),
        (WrongDtype, laws.TypeofLies),
        (Overwriting, laws.TypeofLies),
        (WrongSlope, laws.JvpIsNotTheSlope),
        (WrongTranspose, laws.NotTheTranspose),
        (WrongFastRoad, laws.NotTheTranspose),
        (WrongBatch, laws.BatchIsNoLoop),
    ],
)
def test_the_law_that_is_broken_is_named(op, broken):
    with pytest.raises(broken, match="halving"):
        check(op(), POINT.copy())


def test_a_slope_that_lifts_the_dtype_is_found_in_float32():
    check(LiftingSlope(), POINT)
    with pytest.raises(laws.JvpIsNotTheSlope, match="typed"):
        check(LiftingSlope(), POINT.astype(np.float32))


@pytest.mark.parametrize(
    "slope",
    [lambda y, x: x * x, lambda y, x: -y, lambda y, x: 1.0001 * y, lambda y, x: np.exp(x) + 1e-5],
    ids=["another", "sign", "factor", "offset"],
)
def test_a_wrong_slope_is_found(slope):
    with pytest.raises(laws.JvpIsNotTheSlope):
        check(Elementwise(np.exp, slope), POINT)


def test_a_slope_that_is_right_once_but_not_twice_is_found():
    cosine_without_slope = Elementwise(np.cos, None)
    with pytest.raises(laws.SecondDerivativesDiffer, match="differences"):
        check(Elementwise(np.sin, lambda y, x: cosine_without_slope(x)), POINT)


def test_orders_of_the_modes_that_disagree_are_found():
    class Torn(Halving):
        """Squares; its jvp knows that twice, its pullback once."""

        def typeof(self, x):
            return x

        def eval(self, x):
            return x * x

        def reads(self, wanted):
            return True, False

        def jvp(self, dxs, xs, ys):
            return (2 * xs[0] * dxs[0],)

        def pullback(self, gs, xs, ys, wanted):
            return (Elementwise(np.positive, None)(2 * xs[0]) * gs[0],)

    with pytest.raises(laws.SecondDerivativesDiffer, match="reverse over reverse"):
        check(Torn(), POINT)


def test_the_message_says_where_and_by_how_much():
    with pytest.raises(
        laws.JvpIsNotTheSlope, match=r"exp\(\[ 0\.5 -1\.5.*says .* differences .* off by .*allowed"
    ):
        check(Elementwise(np.exp, lambda y, x: 2 * y), POINT)


def test_a_point_where_nothing_can_be_measured_is_said_to_be_one():
    with pytest.raises(laws.JvpIsNotTheSlope, match="no slope can be measured"):
        check(Elementwise(np.sqrt, lambda y, x: 0.5 / y), 0.0)


class Cube(wg.Op):
    """A user's operation: a value and one direction of its derivative."""

    name = "cube"

    def typeof(self, x):
        return x

    def eval(self, x):
        return x**3

    def vjp(self, gs, xs, ys):
        return (gs[0] * 3 * xs[0] ** 2,)


class WrongCube(Cube):
    def vjp(self, gs, xs, ys):
        return (gs[0] * 2 * xs[0] ** 2,)


class OpaqueCube(Cube):
    def vjp(self, gs, xs, ys):
        return (
            np.array([float(g) * 3 * float(x) ** 2 for g, x in zip(gs[0], xs[0], strict=True)]),
        )


def test_an_operation_of_the_users_is_checked_like_ours():
    check(Cube(), POINT)
    check(OpaqueCube(), POINT)
    with pytest.raises(laws.LawBroken, match="cube"):
        check(WrongCube(), POINT)
