"""certify: results that are proved to be correctly rounded."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from wengert import tree
from wengert.api.arguments import Call, split_aux
from wengert.api.gradients import Gradient, record_call
from wengert.api.jacobians import Jacobian
from wengert.api.looked_at import inner, recorded
from wengert.errors import TrustError
from wengert.ir import source
from wengert.trace.trace import tracing
from wengert.trust import ladder, ties
from wengert.trust.balls.number import Undecided, flint, precision
from wengert.trust.exact import restricted, rounded
from wengert.trust.levels import Level
from wengert.trust.question import Recorded, Result, programs


class Certificate(NamedTuple):
    """What `certify` delivers, each in the containers of the function's result.

    `value`: the exact result, rounded to the nearest number of its format. `lower` and `upper`
    enclose the exact result: the proof. `bits`: the working precision that it took (0: not asked).
    """

    value: Any
    lower: Any
    upper: Any
    bits: Any


def certify(
    fun: Callable[..., Any], *, where: Any = None, budget: float = 60.0, most: int = ladder.LAST
) -> Callable[..., Certificate]:
    """`certify(f)(*args)`: the correctly rounded result of `f`, and the enclosure that proves it.

    `f` is computed in real numbers from these very arguments (balls of 64, 128, … up to `most`
    bits), by the path that exact numbers take through Python. `f` may be a function or a derivative
    (`wg.grad(g)`, `wg.jacobian(g)`). `where` (an index, or a mask) asks for some numbers of a
    result only; the others are nan. `budget` is in seconds.

    Raises `TrustError` where there is no proof: a primitive without ball rule (it is named), a kink,
    a rounding tie or an exact zero that balls do not reach, the end of the budget.

    >>> import numpy as np
    >>> import wengert as wg
    >>> found = certify(wg.grad(lambda x: (1 - np.cos(x)) / x**2))(1e-8)
    >>> print(found.value, found.lower <= found.value <= found.upper, found.bits)
    -8.333333333333334e-10 True 256
    """

    def certified(*args: Any, **kwargs: Any) -> Certificate:
        if tracing():
            raise TrustError(
                "certify inside of another trace", "certify the whole function", source.here()
            )
        until = perf_counter() + budget
        asked = _asked(fun, args, kwargs)
        level, rounds = _level(fun, asked, args, kwargs)
        return _answered(fun, asked, level, where, until, most, rounds)

    certified.__name__ = f"certify({getattr(fun, '__name__', 'f')})"
    return certified


class _Asked(NamedTuple):
    call: Call
    results: list[Result]
    seen: Recorded
    rebuild: Callable[[list[Any]], Any]


def _level(fun: Any, asked: _Asked, args: Any, kwargs: Any) -> tuple[Level, bool]:
    """The program to be certified, by the path of exact numbers; and may rules have rounded in it?

    Derivatives of derivatives of one function are derived level by level.
    """
    inside: list[Any] = []
    base = fun.fun if isinstance(fun, Gradient | Jacobian) else fun
    while isinstance(fun, Gradient | Jacobian) and isinstance(base, Gradient | Jacobian):
        plain = (base.argnums, base.argnames) == (fun.argnums, fun.argnames) and not base.has_aux
        if not plain or base.holomorphic or getattr(base, "with_value", False):
            break
        inside.append(base)
        base = base.fun
    real = all(t.dtype.kind != "c" for t in (*asked.seen.types, *asked.seen.program.out_types))
    seen = asked.seen
    taken: list[str] = []
    if not inside or isinstance(base, Gradient | Jacobian) or not real:
        inside, base = [], None
    token = inner.set(taken)
    try:
        if base is not None:
            call = Call(base, args, kwargs, fun.argnums, fun.argnames, "certify")
            call.shows = True
            builder, _, out = record_call(call)
            seen = recorded(call, builder, tree.flatten(out)[0])
        try:
            with precision(256):
                program, captured = seen.at(seen.here()).program()
        except (Undecided, ArithmeticError, ValueError):
            program, captured = seen.program, seen.args[seen.movers :]
    finally:
        inner.reset(token)
    level = Level(program, [*seen.args[: seen.movers], *captured], seen.movers)
    rounds = bool(taken) and rounded(program)
    for one in reversed(inside):
        level = level.gradient() if isinstance(one, Gradient) else level.jacobian()
    return level, rounds


def _asked(fun: Any, args: Any, kwargs: Any) -> _Asked:
    """The results of a call, as numbers to be settled."""
    if isinstance(fun, Gradient):
        call = Call(fun.fun, args, kwargs, fun.argnums, fun.argnames, "certify")
        call.shows = True
        builder, _, out = record_call(call)
        out = split_aux(out, fun.has_aux)[0]
        seen = recorded(call, builder, [out], fun.has_aux)
        gs = [seen.program.out_types[0].dtype.type(1)]
        results = [Result(leaf.value, leaf=n, gs=gs) for n, leaf in enumerate(call.leaves)]
        if fun.with_value:
            t = seen.program.out_types[0]
            results.insert(0, Result(np.zeros(t.shape, t.dtype)))
        return _Asked(call, results, seen, _gradient(fun, call))
    if isinstance(fun, Jacobian):
        call = Call(fun.fun, args, kwargs, fun.argnums, fun.argnames, "certify")
        call.shows = True
        builder, _, out = record_call(call)
        leaves, structure = tree.flatten(split_aux(out, fun.has_aux)[0])
        seen = recorded(call, builder, leaves, fun.has_aux)
        ins, outs = seen.types, seen.program.out_types
        results = [
            Result(np.zeros((*t.shape, *s.shape), t.dtype), output=n, rows=True, leaf=k)
            for n, t in enumerate(outs)
            for k, s in enumerate(ins)
        ]
        width = len(ins)

        def blocks(ys: list[Any]) -> Any:
            rows = [call.results(ys[n : n + width]) for n in range(0, len(ys), width)]
            return tree.unflatten(structure, rows)

        return _Asked(call, results, seen, blocks)
    call = Call(fun, args, kwargs, tuple(range(len(args))), None, "certify")
    call.shows = True
    builder, _, out = record_call(call)
    leaves, structure = tree.flatten(out)
    seen = recorded(call, builder, leaves)
    results = [
        Result(np.zeros(t.shape, t.dtype), output=n) for n, t in enumerate(seen.program.out_types)
    ]
    return _Asked(call, results, seen, lambda ys: tree.unflatten(structure, ys))


def _gradient(fun: Gradient, call: Call) -> Callable[[list[Any]], Any]:
    def rebuild(ys: list[Any]) -> Any:
        return (ys[0], call.results(ys[1:])) if fun.with_value else call.results(ys)

    return rebuild


def _answered(
    fun: Any, asked: _Asked, level: Level, where: Any, until: float, most: int, rounds: bool
) -> Certificate:
    program, args = level.program, level.args
    numbers = [np.asarray(r.number) for r in asked.results]
    masks = [_mask(y, where) for y in numbers]
    found = [ladder.Settled(y) for y in numbers]
    for one in found:
        one.values[...] = np.nan if one.values.dtype.kind in "fc" else 0
    if isinstance(fun, Gradient | Jacobian):
        _refuse_kinks(fun, program, args, level.movers)
    for places, part, given in programs(
        asked.results, program, args, level.movers, level.pulled, level.pushed
    ):
        wanted = [n >= 0 and bool(np.any(masks[n] if at is None else masks[n][at])) for n, at in places]  # fmt: skip
        if not any(wanted):
            continue
        chosen = [p for p, w in zip(places, wanted, strict=True) if w]
        part = restricted(part, wanted)
        here = [(n, ... if at is None else at) for n, at in chosen]
        climbed = ladder.climb(
            part, given, [numbers[n][at] for n, at in here], [masks[n][at] for n, at in here],
            slack=0, until=until, last=most,
        )  # fmt: skip
        for (n, at), one in zip(here, climbed, strict=True):
            _proved(fun, one, masks[n][at], ladder.missing(part), rounds, until, most)
            found[n].values[at] = np.where(masks[n][at], one.values, found[n].values[at])
            found[n].bits[at] = one.bits
            found[n].balls[at] = one.balls if one.balls.ndim else one.balls[()]
    return Certificate(
        asked.rebuild([_plain(f.values) for f in found]),
        asked.rebuild([_ends(f, -1) for f in found]),
        asked.rebuild([_ends(f, 1) for f in found]),
        asked.rebuild([_plain(f.bits) for f in found]),
    )


def _mask(y: Any, where: Any) -> Any:
    if where is None:
        return np.ones(y.shape, bool)
    mask = np.zeros(y.shape, bool)
    mask[where] = True
    return mask


def _plain(y: Any) -> Any:
    return y[()] if y.ndim == 0 else y


def _refuse_kinks(fun: Any, program: Any, args: Any, movers: int) -> None:
    standing = ties.look(program, args, movers, [])
    if not standing.firm:
        raise TrustError(
            f"{fun.__name__} stands on a kink or a branch: there is no derivative to certify",
            'move off the point, or settle it by `trust="repair"`',
            source.here(),
        )


def _proved(
    fun: Any, one: ladder.Settled, mask: Any, missing: Any, rounds: bool, until: float, most: int
) -> None:
    """Raise unless all that was asked is settled, by nothing but exact rules."""
    open_ = np.asarray(mask) & (one.bits == 0)
    name = getattr(fun, "__name__", "f")
    if not np.any(open_) and not one.doubtful and not rounds:
        return
    if missing:
        why = f"there is no ball rule for {', '.join(missing)}"
    elif rounds and not np.any(open_):
        why = "a derivative is taken inside of it, whose rules round their constants"
    elif one.doubtful and not np.any(open_):
        why = "a zero meets an infinite slope, and only a limit says what that gives"
    elif perf_counter() > until:
        why = "the budget is used up"
    else:
        at = tuple(int(k[0]) for k in np.nonzero(open_)) if open_.ndim else ()
        why = (
            f"{most} bits leave {one.balls[at]}: a tie between two floats, a zero, or a singularity"
        )
    raise TrustError(
        f"certify({name}): {why}",
        "certify a derivative of a function, wg.grad(f) or wg.grad(wg.grad(f)), not a function with derivatives inside"
        if rounds
        else "ask for other numbers by where=, or give more budget= or most=",
        source.here(),
    )


def _ends(found: ladder.Settled, side: int) -> Any:
    """The ends of the enclosures as floats, rounded outwards; nan where nothing was asked."""
    kind = found.values.dtype.type
    y = np.full(found.values.shape, np.nan, found.values.dtype)
    for at in np.ndindex(y.shape):
        if found.bits[at]:
            x = found.balls[at]
            if found.values.dtype.kind == "c":
                part = np.zeros((), kind).real.dtype.type
                parts = [_end(v, side, part) for v in (x.real, x.imag)]
                y[at] = complex(*map(float, parts))
            else:
                y[at] = _end(x, side, kind)
    return _plain(y)


def _end(x: Any, side: int, kind: Any) -> Any:
    with precision(4 * ladder.LAST), np.errstate(all="ignore"):
        exact = x.upper() if side > 0 else x.lower()
        near = kind(float(exact))
        beyond = flint().arb(float(near)) < exact if side > 0 else flint().arb(float(near)) > exact
        return np.nextafter(near, kind(side * np.inf)) if beyond else near
