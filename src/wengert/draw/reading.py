"""chain_rule: a recorded call with a name, a number and a derivative for everything in it.

Every elementary step with its local derivatives, as formulas and as numbers, and their products
along the paths from the result back to each input.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.arguments import Argnums, Call
from wengert.api.gradients import number_of, record_call
from wengert.api.jit import Jitted
from wengert.draw import formulas
from wengert.draw.chain import ChainRule, Factor, Path, Step
from wengert.draw.written import at, latex_name, number
from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.evaluate import evaluate
from wengert.ir.primitive import Handle
from wengert.ir.program import Const, Eqn, Program
from wengert.ir.types import type_of
from wengert.trace.builder import Builder
from wengert.transforms.jvp import push
from wengert.transforms.reverse import reverse

_MOST_PATHS = 6  # to one input; of more, only the sum is told


def chain_rule(f: Callable[..., Any], argnums: Argnums | None = None) -> Callable[..., ChainRule]:
    """`chain_rule(f)(*args)`: every elementary step of a call, its local derivatives, their products.

    Print the result, or show it in a notebook; `.latex()` gives it as LaTeX, `.rows` and `.paths`
    as data. All arguments are inputs unless `argnums` names some.

    >>> def f(x):
    ...     return np.exp(-x)
    >>> print(chain_rule(f)(2.0))  # doctest: +ELLIPSIS
    f(x) = 0.135335 at x = 2
    <BLANKLINE>
      v1 = -x       = -2        ∂v1/∂x   = -1       = -1        ...
      v2 = exp(v1)  = 0.135335  ∂v2/∂v1  = exp(v1)  = 0.135335...
    <BLANKLINE>
    ∂v2/∂x = ∂v2/∂v1 · ∂v1/∂x
           = exp(v1) · (-1)
           = 0.135335 · (-1)
           = -0.135335
    """

    def explain(*args: Any, **kwargs: Any) -> ChainRule:
        return read(f, args, kwargs, argnums, "chain_rule").told()

    explain.__name__ = f"chain_rule({getattr(f, '__name__', 'f')})"
    return explain


def read(
    f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], argnums: Argnums | None, what: str
) -> Reading:  # fmt: skip
    """A call, read; all arguments are inputs unless `argnums` names some. `jit` is looked through."""
    numbers = tuple(range(len(args))) if argnums is None else argnums
    return Reading(Call(plain(f), tuple(args), dict(kwargs), numbers, None, what))


def plain(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function behind a compiled one, whose lines can be seen."""
    return f.fun if isinstance(f, Jitted) else f


class Reading:
    """Runs the call once, and answers what `ChainRule` shows."""

    def __init__(self, call: Call) -> None:
        self.call, f = call, call.f
        self.title = getattr(f, "__name__", "f").replace("<lambda>", "f")
        with np.errstate(all="ignore"):  # what is not finite is shown
            self.builder, tracers, out = record_call(call)
        results = _numbers(out, self.title)
        self.results = [number_of(self.builder, y) for y in results]
        self.value = self.results[0]
        self.program: Program = self.builder.program(results)
        self.outs = self.program.outputs
        self.out = self.outs[0]
        self.inputs = dict(zip(input_names(f, call), (x.node for x in tracers), strict=True))
        self.values: dict[Any, Any] = {
            x.node: leaf.value for x, leaf in zip(tracers, call.leaves, strict=True)
        }
        self.values.update(self.builder.captured)
        self.names: dict[Any, str] = {v: name for name, v in self.inputs.items()}
        self.names.update(_captured_names(call, self.builder.captured))
        self._run()
        self.moving = self._movers()
        self.makers = {v: eqn for eqn in self.program.eqns for v in eqn.outputs}
        # from every moving step to its moving operands
        self.edges = {
            v: list(dict.fromkeys(a for a in eqn.inputs if a in self.moving))
            for v, eqn in self.makers.items()
            if v in self.moving
        }
        self.single = (
            len(self.outs) == 1 and type_of(self.value).shape == () and self.out in self.moving
        )

    def _run(self) -> None:
        """Values and names of all steps, in order."""
        taken = set(self.names.values())
        fresh = (name for name in (f"v{n}" for n in range(1, 10**9)) if name not in taken)

        def watch(eqn: Eqn, ins: Sequence[Any], outs: Sequence[Any]) -> None:
            self.values.update(zip(eqn.outputs, outs, strict=True))
            self.names.update(zip(eqn.outputs, fresh, strict=False))

        with np.errstate(all="ignore"):
            evaluate(self.program, [self.values[v] for v in self.program.inputs], observer=watch)

    def _movers(self) -> set[Any]:
        moving: set[Any] = set(self.inputs.values())
        for eqn in self.program.eqns:
            if any(a in moving for a in eqn.inputs):
                moving.update(v for v in eqn.outputs if v.type.inexact)
        return moving

    def name(self, atom: Any) -> str:
        """Of a variable its name, of a constant its number."""
        return number(atom.value) if isinstance(atom, Const) else self.names[atom]

    def value_of(self, atom: Any) -> Any:
        """The number behind an atom."""
        return atom.value if isinstance(atom, Const) else self.values[atom]

    def told(self) -> ChainRule:
        """Everything that is to be shown."""
        slopes = self.adjoints() if self.single else {}
        rows = [
            self.step(eqn, k, slopes) for eqn in self.program.eqns for k in range(len(eqn.outputs))
        ]
        factors = {step.name: {f.operand: f for f in step.factors} for step in rows}
        counts, paths = {}, []
        for name, v in self.inputs.items():
            counts[name] = self._count(v)
            for way in self._ways(v) if counts[name] <= _MOST_PATHS else ():
                names = tuple(map(self.name, way))
                along = tuple(factors[a][b] for a, b in pairwise(names))
                paths.append(Path(name, names, along, self._contribution(way)))
        gradient = {
            name: slopes.get(v, np.zeros(v.type.shape)[()]) for name, v in self.inputs.items()
        }
        inputs = {name: self.values[v] for name, v in self.inputs.items()}
        return ChainRule(
            self.title, inputs, self.name(self.out), self.value, rows, paths, counts, gradient
        )

    def adjoints(self) -> dict[Any, Any]:
        """The derivative of the result (of several numbers: of their sum) by every variable.

        Of a real result by complex numbers it points uphill, as `grad` has it.
        """
        variables = list(self.moving)
        targets = [v for v in self.outs if v in self.moving]
        ones = [np.ones(v.type.shape, v.type.dtype)[()] for v in targets]
        found = reverse(self.builder, targets, ones, variables)  # type: ignore[arg-type]
        if all(v.type.dtype.kind != "c" for v in targets):
            found = [g if g is None else np.conjugate(g) for g in found]
        return {v: g for v, g in zip(variables, found, strict=True) if g is not None}

    @property
    def target(self) -> str:
        """What `adjoints` are derivatives of, as it is written below a ∂."""
        if self.single:
            return self.name(self.out)
        return "Σ" + ("results" if len(self.outs) > 1 else self.name(self.out))

    # ---- steps ---------------------------------------------------------------------------------------
    def step(self, eqn: Eqn, k: int, slopes: Mapping[Any, Any]) -> Step:
        """Result k of an equation as a line of a textbook: formula, value, local derivatives."""
        v, line = eqn.outputs[k], self.program.line(eqn)
        factors = tuple(self._factor(eqn, k, a) for a in self.edges.get(v, ()))
        return Step(
            self.names[v], self.formula(eqn, k), self.formula(eqn, k, True), self.values[v],
            "" if line is None else f"{line}  {line.text}".rstrip(), factors, slopes.get(v),
        )  # fmt: skip

    def _letters(self, eqn: Eqn, k: int, latex: bool) -> dict[str, str]:
        """What the letters of a formula stand for in this equation."""
        names = dict(
            zip(formulas.LETTERS, map(self.name, eqn.inputs), strict=False),
            z=self.names[eqn.outputs[k]],
        )
        return {letter: latex_name(n) for letter, n in names.items()} if latex else names

    def formula(self, eqn: Eqn, k: int, latex: bool = False) -> str:
        """Result k of an equation in terms of its operands."""
        name, letters = eqn.prim.name, self._letters(eqn, k, latex)
        if name in formulas.FORMULAS:
            return (formulas.latex if latex else formulas.text)(formulas.FORMULAS[name][0], letters)
        if name == "literal":
            return r"\text{constant}" if latex else "constant"
        shown = [latex_name(self.name(a)) if latex else self.name(a) for a in eqn.inputs]
        if name in ("index", "part"):
            return f"{shown[0]}[{', '.join(map(at, eqn.params['at']))}]"
        item = f"[{k}]" if len(eqn.outputs) > 1 else ""
        return f"{_operator(name) if latex else name}({', '.join(shown)}){item}"

    def _factor(self, eqn: Eqn, k: int, operand: Any) -> Factor:
        """The local derivative by one operand, all places where it stands together."""
        places = [n for n, a in enumerate(eqn.inputs) if a is operand]
        texts, latexes = zip(*(self._local(eqn, k, n) for n in places), strict=True)
        if len(places) == 2 and texts[0] == texts[1] and formulas.HOLE not in texts[0]:
            texts, latexes = (f"2·{texts[0]}",), (f"2 {latexes[0]}",)
        value = self._local_value(eqn, k, operand)
        return Factor(self.name(operand), " + ".join(texts), " + ".join(latexes), value)

    def _local(self, eqn: Eqn, k: int, n: int) -> tuple[str, str]:
        """∂(result k)/∂(argument n) as text and LaTeX."""
        name = eqn.prim.name
        plain, marked = self._letters(eqn, k, False), self._letters(eqn, k, True)
        known = formulas.FORMULAS.get(name, ())
        if len(known) > n + 1:
            return formulas.text(known[n + 1], plain), formulas.latex(known[n + 1], marked)
        if name == "matmul":
            a, b = (atom.type.ndim for atom in eqn.inputs)
            text, _ = formulas.matmul_derivative(n, (a, b), plain["x"], plain["y"])
            return text, formulas.matmul_derivative(n, (a, b), marked["x"], marked["y"])[1]
        if name in formulas.WORDS:
            return formulas.WORDS[name]
        args, latex_args = (
            ", ".join(letters[a] for a in formulas.LETTERS if a in letters)
            for letters in (plain, marked)
        )
        below = "" if len(eqn.inputs) == 1 else str(n + 1)
        return f"{name}′{below}({args})", f"{_operator(name)}'_{{{below}}}({latex_args})"

    def _local_value(self, eqn: Eqn, k: int, operand: Any) -> Any:
        """Slopes, where the derivative is a product with them; else None."""
        y = eqn.outputs[k]
        if not getattr(eqn.prim, "aligned", False) and (operand.type.shape, y.type.shape) != (
            (),
            (),
        ):
            return None
        one = np.ones(operand.type.shape, operand.type.dtype)[()]
        xs, ys = [self.value_of(a) for a in eqn.inputs], [self.values[v] for v in eqn.outputs]
        with np.errstate(all="ignore"):
            moved = [one if a is operand else None for a in eqn.inputs]
            dy = push(eqn.prim, moved, xs, ys, eqn.params, [type_of(x) for x in xs])[k]
        return np.zeros(y.type.shape)[()] if dy is None else dy

    # ---- paths ---------------------------------------------------------------------------------------
    def _count(self, target: Any) -> int:
        """How many paths lead from the result to `target`."""
        ways: dict[Any, int] = {v: int(v is target) for v in self.inputs.values()}
        for v, operands in self.edges.items():
            ways[v] = sum(ways[a] for a in operands)
        return ways.get(self.out, 0)

    def _ways(self, target: Any) -> Iterator[tuple[Any, ...]]:
        """The paths from the result to `target`."""
        leads: dict[Any, bool] = {v: v is target for v in self.inputs.values()}
        for v, operands in self.edges.items():
            leads[v] = any(leads[a] for a in operands)

        def walk(path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
            if path[-1] is target:
                yield path
                return
            for a in self.edges.get(path[-1], ()):
                if leads[a]:
                    yield from walk((*path, a))

        return walk((self.out,))

    def _contribution(self, path: tuple[Any, ...]) -> Any:
        """What comes down one path alone; None where the result is no single number."""
        if not self.single:
            return None
        g: Any = self.out.type.dtype.type(1)
        for v, operand in pairwise(path):
            eqn, builder = self.makers[v], Builder(saving=True)
            x = builder.input(operand.type, self.values[operand])
            ys = eqn.prim(
                *(x if a is operand else self.value_of(a) for a in eqn.inputs), **eqn.params
            )
            y = ys[eqn.outputs.index(v)] if eqn.prim.multiple else ys
            found = reverse(builder, [y.node], [g], [x.node])[0]
            g = np.zeros(operand.type.shape, operand.type.dtype)[()] if found is None else found
        return g


def _operator(name: str) -> str:
    return r"\operatorname{" + name.replace("_", r"\_") + "}"


def _numbers(out: Any, title: str) -> list[Any]:
    """The numbers and arrays in what a function returned."""
    found = [
        y
        for y in tree.flatten(out)[0]
        if isinstance(y, Handle | np.ndarray | np.generic | float | int | complex)
    ]
    if not found:
        raise InputError(
            f"{title} returns {type(out).__name__}, and no number",
            "return what is to be looked at",
            source.here(),
        )
    return found


def input_names(f: Callable[..., Any], call: Call) -> list[str]:
    """`x`, `p['w']`: parameter and place of every leaf."""
    try:
        parameters = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        parameters = []
    found = []
    for slot, (_, places) in zip(call.slots, call.structures, strict=True):
        value = call.kwargs[slot] if isinstance(slot, str) else call.args[slot]
        name = (
            slot
            if isinstance(slot, str)
            else parameters[slot]
            if slot < len(parameters)
            else f"x{slot}"
        )
        paths = tree.paths(value)
        found += [
            f"{name}{path}" for path, p in zip(paths, places, strict=True) if isinstance(p, int)
        ]
    return found


def _captured_names(call: Call, captured: Sequence[tuple[Any, Any]]) -> dict[Any, str]:
    """Arrays from outside: by the name under which the function knows them, else c1, c2, …"""
    known: dict[str, Any] = {}
    try:
        seen = inspect.getclosurevars(call.f)
        known = {**seen.globals, **seen.nonlocals}
        given = inspect.signature(call.f).bind(*call.args, **call.kwargs).arguments
        opened = {*call.slots, *(list(given)[n] for n in call.slots if isinstance(n, int))}
        known |= {name: x for name, x in given.items() if name not in opened}
    except (TypeError, ValueError, IndexError):
        pass

    def same(x: Any, value: Any) -> bool:
        return isinstance(x, np.ndarray) and x.shape == np.shape(value) and np.array_equal(x, value)

    found: dict[Any, str] = {}
    for n, (v, value) in enumerate(captured, 1):
        names = [name for name, x in known.items() if same(x, value)]
        found[v] = next((name for name in names if name not in found.values()), f"c{n}")
    return found
