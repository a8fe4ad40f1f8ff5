"""report: what the delivered numbers are worth, said once per place.

At every call the results are looked at once. Only when there is a nan or an infinity among them, the
call is replayed and the equation found where it was born. Results never change.
"""

from __future__ import annotations

import linecache
import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from wengert.errors import NonFiniteError, NonFiniteWarning, TrustWarning
from wengert.ir import source
from wengert.ir.primitive import Handle
from wengert.ir.program import Eqn, Program
from wengert.ops.pulling import total
from wengert.trace.trace import tracing
from wengert.transforms.reverse import pull
from wengert.trust import anomaly, policies
from wengert.trust.blame import Birth, Replay, within

_LARGE = 2048  # elements
_WIDE = 80  # so many characters of a line are shown
_told: set[Any] = set()  # places that were warned at


class Case(NamedTuple):
    """A finished call, ready to be replayed: its program at its numbers, and what moved along."""

    program: Program
    args: list[Any]
    movers: int  # so many inputs are differentiated by
    gs: list[Any] | None = None  # cotangents of the outputs (reverse mode)
    dxs: list[Any] | None = None  # tangents of the inputs (forward mode)
    again: Callable[[list[Any]], Any] | None = (
        None  # run the user's function once more, into a list
    )


def forget() -> None:
    """Forget what was said, and where: warnings come again."""
    _told.clear()
    _looked.clear()


def finite(values: Iterable[Any]) -> bool:
    """Are all these numbers finite? Traced ones are left to the outermost call."""
    for v in values:
        if type(v) is np.ndarray:
            if v.size > _LARGE and v.dtype.char in "fd" and v.flags.forc:
                with np.errstate(over="ignore"):
                    found = total(v.ravel("K"))
                if math.isfinite(found):
                    continue
            if v.dtype.kind in "fc" and not np.isfinite(v).all():
                return False
        elif isinstance(v, float):
            if not math.isfinite(v):
                return False
        elif isinstance(v, np.inexact | complex) and not np.isfinite(v):
            return False
    return True


def inspect(what: str, results: list[Any], case: Callable[[], Case], stopped: bool = False) -> None:
    """Warn if results are not finite, and say why; under `detect_anomaly`, raise.

    `stopped`: zeros have stopped what was not finite; it is told if they were the function's own.
    Inside another trace nothing is said: its own results are looked at.
    """
    if tracing() or any(isinstance(r, Handle) for r in results):
        policies.wish("report")
        return
    if finite(results):
        if stopped:
            _warn_of_zeros(what, case, source.caller())
        return
    watch = anomaly.watched.get()
    if watch is not None:
        _raise(what, results, case, watch)
    elif (place := source.caller()) not in _told:
        _warn(what, results, case, place)


def _warn(what: str, results: list[Any], case: Callable[[], Case], place: Any) -> None:
    text = f"{_counted(what, results)}\n{explain(case, _not_finite).text}"
    source.warn(text, NonFiniteWarning, place)
    _told.add(place)


_LOOKS = 3  # so often a place is looked at for zeros that stop infinite slopes
_looked: dict[Any, int] = {}


def _warn_of_zeros(what: str, case: Callable[[], Case], place: Any) -> None:
    """Say that an infinite slope met a zero of the function itself: the answer is finite, and may be wrong."""
    _looked[place] = _looked.get(place, 0) + 1
    if place in _told or _looked[place] > _LOOKS:
        return
    from wengert.trust import stopped

    try:
        found = case()
        if found.gs is None:
            return
        seen = stopped.look(found.program, found.args, found.movers, found.gs)
    except Exception:  # a black box that does not run twice must not cost the result
        return
    if seen is None:
        return
    _told.add(place)
    there = f" ({seen.line}  {seen.line.text[:_WIDE]})" if seen.line else ""
    text = (
        f"{what} is finite, but a zero has stopped the infinite slope of {seen.name}{there}: "
        'the limit may be another number; trust="repair" takes it'
    )
    source.warn(text, TrustWarning, place)


def _raise(what: str, results: list[Any], case: Callable[[], Case], watch: anomaly.Watch) -> None:
    if not any(np.any(watch.bad(r)) for r in results if np.asarray(r).dtype.kind in "fc"):
        return
    story = explain(case, watch.bad)
    error = NonFiniteError(
        f"{_counted(what, results)}\n{story.text}",
        "keep the arguments away from that point, or choose the value there by np.where; "
        "without wg.detect_anomaly() this is a warning",
        source.here(),
    )
    birth, found = story.birth, story.case
    if birth is not None and birth.phase in ("value", "derivative") and found and found.again:
        found.again(anomaly.Wired(birth.position, error))  # raises while the user's line runs
    raise error


def _not_finite(x: Any) -> Any:
    return ~np.isfinite(x)


def _counted(what: str, results: list[Any]) -> str:
    flat = [np.ravel(r) for r in results if np.asarray(r).dtype.kind in "fc"]
    values = np.concatenate(flat)
    nans, infs = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    counts = " and ".join(f"{n} {name}" for n, name in ((nans, "nan"), (infs, "inf")) if n)
    return f"{what} holds {counts}" + (f" among {values.size} numbers" if values.size > 1 else "")


# ---- explanations ------------------------------------------------------------------------------------


class Story(NamedTuple):
    """The birth of a case's wrong numbers in a few lines; nothing but the lines if none was found."""

    text: str
    case: Case | None = None
    birth: Birth | None = None


def explain(case: Callable[[], Case], bad: Callable[[Any], Any]) -> Story:
    """Replay a call and tell where its wrong numbers come from."""
    try:
        found = case()
        replay = Replay(found.program, found.args, found.movers, bad)
        # in reverse mode, only those values count that are pulled back
        birth = replay.value_birth(found.program.outputs, found.gs)
        if birth is None and found.gs is not None:
            birth = replay.backward(found.program.outputs, found.gs)
        elif birth is None and found.dxs is not None:
            birth = replay.forward(found.dxs)
        if birth is None:
            return Story(
                "  Evaluated again, the call gives finite numbers: where, could not be found."
            )
        return Story(_told_of(replay, birth, found.gs is not None), found, birth)
    except Exception as error:  # a black box that does not run twice must not cost the result
        return Story(f"  Evaluated again, the call raises {type(error).__name__}: {error}")


def _told_of(replay: Replay, birth: Birth, backward: bool) -> str:
    if birth.phase == "seed":
        return f"  It came in with the {'cotangent' if backward else 'tangent'} that was passed."
    if birth.phase == "argument":
        value = replay.values[replay.program.inputs[birth.position]]
        at = f" at {list(birth.element)}" if birth.element else ""
        number = value[birth.element] if birth.element else np.asarray(value)[()]
        came = "an argument" if birth.position < replay.movers else "an array from outside"
        return f"  It came in with {came}, which holds {_shown(number)}{at}."
    eqn, ins, outs = replay.steps[birth.position]
    lines = [f"  Born in the {birth.phase} of `{eqn.prim.name}`{_where(replay.program, eqn)}"]
    inner = _inside(replay, birth, eqn, ins, backward) if eqn.prim.saves else None
    if inner is not None:  # in the body of a loop or a branch
        deep, birth_there = inner
        eqn, ins, outs = deep.steps[birth_there.position]
        lines.append(f"  inside of it, in `{eqn.prim.name}`{_where(deep.program, eqn)}")
        lines.append(f"  {_value_story(eqn, ins, outs[birth_there.slot], birth_there)}")
    elif birth.phase == "value":
        lines.append(f"  {_value_story(eqn, ins, outs[birth.slot], birth)}")
    else:
        lines.append(f"  {_slope_story(eqn, ins, outs, birth, backward)}")
    if birth.spread is not None:
        other = replay.steps[birth.spread][0]
        lines.append(f"  Then 0·inf = nan in `{other.prim.name}`{_where(replay.program, other)}")
    return "\n".join(lines)


def _inside(replay: Replay, birth: Birth, eqn: Eqn, ins: Any, backward: bool) -> Any:
    """The birth in the programs that an equation holds."""
    if birth.phase == "value":
        return within(partial(eqn.prim.eval, *ins, **eqn.params), replay.bad)
    wanted = tuple(a.type.inexact for a in eqn.inputs)

    def derivative() -> None:
        _, tangent = eqn.prim.eval_saving(wanted, *ins, **eqn.params)
        if backward:
            eqn.prim.pullback(_ones(eqn), ins, tangent, wanted, **eqn.params)

    return within(derivative, replay.bad)


def _ones(eqn: Eqn) -> tuple[Any, ...]:
    return tuple(
        np.ones(v.type.shape, v.type.dtype)[()] if v.type.inexact else None for v in eqn.outputs
    )


def _where(program: Program, eqn: Eqn) -> str:
    line = program.line(eqn)
    if line is None:
        return ""
    text = line.text
    if len(text) > _WIDE:  # of a long line, only the expression
        text = (
            linecache.getline(line.file, line.line).encode()[line.column : line.end_column].decode()
        )
        text = text if len(text) <= _WIDE else f"{text[:_WIDE]} …"
    return f" at {line}:  {text}" if text else f" at {line}"


def _shown(x: Any) -> str:
    x = np.asarray(x)
    if x.ndim == 0:
        return f"{x[()]:.6g}"
    if x.size <= 6:
        return np.array2string(x, precision=6, separator=", ").replace("\n", "")
    with np.errstate(all="ignore"):
        low, high = np.min(np.abs(x)), np.max(np.abs(x))
    return f"<{x.size} numbers of size {low:.3g} … {high:.3g}>"


def _at(eqn: Eqn, ins: Any, result: Any, element: Any) -> list[Any]:
    """The arguments at the element of the result, where elements do not mix; else whole."""
    if not getattr(eqn.prim, "aligned", False) or element is None:
        return list(ins)
    shape = np.shape(result)
    return [np.asarray(x)[element] if np.shape(x) == shape else x for x in ins]


_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "power": "**", "mod": "%"}


def _call(eqn: Eqn, given: list[Any]) -> str:
    shown = [_shown(x) for x in given if np.asarray(x).dtype.kind in "fciub"]
    if eqn.prim.name in _SIGNS and len(shown) == 2:
        return f"{shown[0]} {_SIGNS[eqn.prim.name]} {shown[1]}"
    return f"{eqn.prim.name}({', '.join(shown)})"


def _value_story(eqn: Eqn, ins: Any, result: Any, birth: Birth) -> str:
    given = _at(eqn, ins, result, birth.element)
    number = np.asarray(result)[birth.element]
    at = f" at {list(birth.element)}" if birth.element else ""
    return f"{_call(eqn, given)} = {_shown(number)}{at}: {_value_kind(eqn, given, number)}."


def _value_kind(eqn: Eqn, given: list[Any], number: Any) -> str:
    name = eqn.prim.name
    zero = [np.ndim(x) == 0 and x == 0 for x in given]
    if name == "reciprocal" and zero[0]:
        return "division by zero"
    if name == "div" and zero[1]:
        return "0/0" if zero[0] else "division by zero"
    if name in ("mod", "fmod", "floor_divide") and zero[1]:
        return "division by zero"
    if name in ("power", "float_power") and zero[0] and np.isinf(number):
        return "division by zero (a negative power of 0)"
    if np.isnan(number):
        return (
            "outside of the function's domain"
            if getattr(eqn.prim, "aligned", False)
            else "no number comes out"
        )
    if name in ("log", "log2", "log10", "log1p", "arctanh"):
        return "the edge of the function's domain"
    return "overflow: the result is larger than its dtype can hold"


def _slope_story(eqn: Eqn, ins: Any, outs: Any, birth: Birth, backward: bool) -> str:
    result = birth.inner
    given = _at(eqn, ins, result, birth.element)
    carrier = "cotangent" if backward else "tangent"
    sound = np.asarray(birth.outer)
    if birth.element is not None and sound.shape == np.shape(result):
        sound = sound[birth.element]
    number = np.asarray(result)[birth.element]
    at = f" at {list(birth.element)}" if birth.element else ""
    if birth.summed:
        return f"{_call(eqn, given)}{at}: the {carrier}s that meet at its argument are finite, their sum is {_shown(number)}."
    return (
        f"{_call(eqn, given)}{at}: {_slope_kind(eqn, ins, outs, birth, backward)}; "
        f"its {carrier} {_shown(sound)} became {_shown(number)}."
    )


def _slope_kind(eqn: Eqn, ins: Any, outs: Any, birth: Birth, backward: bool) -> str:
    """Why: the slope itself is not finite, or a product with it is too large."""
    wanted = tuple(a.type.inexact for a in eqn.inputs)
    slope = birth.inner
    if backward and not eqn.prim.saves:
        with np.errstate(all="ignore"):
            slope = pull(eqn.prim, _ones(eqn), ins, outs, wanted, eqn.params)[birth.slot]
    there = np.asarray(slope)
    there = (
        there[birth.element]
        if birth.element is not None and there.shape == np.shape(birth.inner)
        else there
    )
    if np.any(np.isnan(there)):
        return "0/0 or 0·inf in the slope"
    if np.any(np.isinf(there)):
        return "the slope is infinite here (the edge of its domain)"
    return "overflow: the product of the chain is larger than its dtype can hold"
