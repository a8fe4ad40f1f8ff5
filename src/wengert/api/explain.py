"""explain: what is wrong with a derivative, at which line, why, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Argnums, Call
from wengert.api.body import name_of
from wengert.api.gradients import Gradient, number_of, record_call
from wengert.api.looked_at import recorded
from wengert.errors import DegenerateError, InputError
from wengert.ir import source
from wengert.trace.tracer import Tracer
from wengert.transforms.reverse import reverse
from wengert.trust import policies
from wengert.trust.explain.account import Explanation
from wengert.trust.explain.flatten import flattened
from wengert.trust.explain.search import explain as search
from wengert.trust.explain.unroll import unrolled
from wengert.trust.question import Question, Recorded, Result


def explain(fun: Callable[..., Any], argnums: Argnums | None = None) -> Callable[..., Explanation]:
    """`explain(f)(*args)`: is the derivative of `f` right here; and if not, which line spoils it, and why.

    `f` is a function, whose values and slopes are looked at (those of the sum, where it returns
    several numbers), or a derivative: `grad(f)`, a Jacobian, a Hessian. The account names for each
    number that cannot be trusted the guilty line with its numbers, the class of the cause, the true
    number where there is one, and what to write instead, checked at and around the point; or says that
    the derivative does not exist, is infinite, or that no rewriting helps. Raises InputError if the
    results do not depend on the arguments at all.

    >>> import numpy as np
    >>> account = explain(lambda x: (1 - np.cos(x)) / x**2)(1e-8)
    >>> print(account.findings[-1].cause, account.findings[-1].right)
    cancellation -8.333333333333334e-10
    """
    inner, numbers, with_value = fun, argnums, True
    if isinstance(fun, Gradient):
        inner, with_value = fun.fun, fun.with_value
        numbers = fun.argnums if argnums is None else argnums

    def account(*args: Any, **kwargs: Any) -> Explanation:
        chosen = tuple(range(len(args))) if numbers is None else numbers
        call = Call(inner, args, kwargs, chosen, None, "explain")
        call.shows = True
        with np.errstate(all="ignore"):
            builder, tracers, out = record_call(call)
            if isinstance(fun, Gradient) and fun.has_aux:
                out = out[0]
            leaves = [y for y in tree.flatten(out)[0] if isinstance(y, Tracer) and y.type.inexact]
            if not leaves:
                raise InputError(
                    f"explain: the results of {name_of(inner, 'the function')} do not depend on its arguments",
                    "compute them from the arguments",
                    source.here(),
                )
            gs = [np.ones(y.type.shape, y.type.dtype)[()] for y in leaves]
            results, components = [], []
            names = call.names()
            if with_value or not isinstance(fun, Gradient):
                for n, y in enumerate(leaves):
                    results.append(Result(np.asarray(number_of(builder, y)), output=n))
                    components.append("value" if len(leaves) == 1 else f"value {n}")
            if isinstance(fun, Gradient) or not hasattr(fun, "trust"):
                back = _pulled(builder, leaves, gs, tracers)
                for n, (g, leaf) in enumerate(zip(back, call.leaves, strict=True)):
                    if not leaf.type.inexact:
                        continue
                    number = np.zeros(leaf.type.shape, leaf.type.dtype) if g is None else g
                    results.append(Result(np.asarray(number, leaf.type.dtype), leaf=n, gs=gs))
                    components.append(f"slope in {names[n]}")
        record = recorded(call, builder, leaves)
        _write_out(record)
        question = Question(name_of(fun, "f"), results, record)
        with policies.policy(action="record"), np.errstate(all="ignore"):
            return search(question, names, components)

    account.__name__ = f"explain({name_of(fun, 'f')})"
    return account


def _write_out(record: Recorded) -> None:
    """Loops and branches turn by turn, and what holds programs as these: so that lines in them are named."""
    nodes = [node for node, *_ in record.decisions]
    found = unrolled(record.program, record.args, nodes)
    if found is not None:
        record.program, record.args, kept = found
        record.decisions = [(kept.get(d[0], d[0]), *d[1:]) for d in record.decisions]
    elif not record.decisions:
        record.program = flattened(record.program)


def _pulled(builder: Any, leaves: list[Any], gs: list[Any], tracers: list[Any]) -> list[Any]:
    """Slopes; nan where they depend on a choice of basis, of which the account tells."""
    try:
        return reverse(builder, [y.node for y in leaves], gs, [x.node for x in tracers])
    except DegenerateError:
        types = [x.type for x in tracers]
        return [np.full(t.shape, np.nan, t.dtype) if t.inexact else None for t in types]
