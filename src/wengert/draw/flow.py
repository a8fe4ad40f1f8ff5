"""draw: a recorded call as a graph, by the user's lines, with values, and the derivative's way back.

One box per equation. Where that would be more than `limit`, equations of one line of the user's code
share a box, then those of one function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from wengert.api.arguments import Argnums
from wengert.draw.graph import Edge, Graph, Node
from wengert.draw.reading import Reading, read
from wengert.draw.written import brief, is_single, number
from wengert.errors import InputError
from wengert.ir import source
from wengert.ir.program import Eqn, Program, Var
from wengert.ir.types import type_of

LIMIT = 200
_WIDE = 72  # characters of a line of code that are shown
_BY = ("line", "function", "none")


def draw(
    f: Callable[..., Any], argnums: Argnums | None = None, *, derivatives: bool = False, by: str = "line",
    limit: int = LIMIT,
) -> Callable[..., Graph]:  # fmt: skip
    """`draw(f)(*args)`: the computation as a graph, grouped by your lines, with the values in it.

    With `derivatives`, dashed arrows lead from the result back: each carries the local derivative,
    each box the derivative of the result by it (of several results: of their sum). `by="function"`
    groups by the functions that were called, `by="none"` not at all. At most `limit` boxes are
    drawn; of a larger program, a box is a line, or a function.

    In a notebook the graph shows itself; `print` gives Mermaid text, `.dot()` Graphviz's,
    `.save("f.svg")` a file.

    >>> import numpy as np, wengert as wg
    >>> def f(x):
    ...     return np.exp(-x)
    >>> graph = wg.draw(f, derivatives=True)(2.0)
    >>> graph
    <graph of f: 3 boxes, 4 arrows>
    >>> [node.lines[0] for node in graph.nodes]
    ['x', 'v1 = -x', 'v2 = exp(v1)']
    >>> [edge.label for edge in graph.edges if edge.back]
    ['∂v1/∂x = -1', '∂v2/∂v1 = exp(v1) = 0.135335']
    """
    if by not in _BY:
        raise InputError(f"by={by!r} is none of {_BY}", "pass one of them", source.here())
    if limit < 1:
        raise InputError(f"limit={limit} leaves no box", "pass 1 or more", source.here())

    def show(*args: Any, **kwargs: Any) -> Graph:
        return graph_of(read(f, args, kwargs, argnums, "draw"), derivatives, by, limit)

    show.__name__ = f"draw({getattr(f, '__name__', 'f')})"
    return show


def graph_of(
    reading: Reading, derivatives: bool = False, by: str = "line", limit: int = LIMIT
) -> Graph:
    """The graph of a call that was read, of at most `limit` boxes."""
    flow = _Flow(reading, reading.adjoints() if derivatives else {}, derivatives)
    shown = len(flow.leaves) + len(reading.program.eqns)
    for fold in (None, "line", "function"):
        if fold is None and shown > limit:
            continue
        graph = flow.graph(by, fold)
        if len(graph.nodes) <= limit:
            return graph
    return _cut(graph, limit)


class _Flow:
    """Boxes and arrows of a reading, at any fold."""

    def __init__(self, reading: Reading, adjoints: dict[Any, Any], derivatives: bool) -> None:
        self.reading, self.adjoints, self.derivatives = reading, adjoints, derivatives
        program = reading.program
        used = {a for e in program.eqns for a in e.inputs} | set(program.outputs)
        inputs = set(reading.inputs.values())
        self.leaves: list[Any] = [v for v in program.inputs if v in inputs or v in used]
        self.lines = [program.line(e) for e in program.eqns]

    def graph(self, by: str, fold: str | None) -> Graph:
        """The whole graph; with `fold`, one box for all equations of a line or a function."""
        reading = self.reading
        keys: dict[Any, str] = {}
        nodes: list[Node] = []
        for n, v in enumerate(self.leaves):
            keys[v] = f"in{n}"
            nodes.append(self._leaf(v, keys[v]))
        groups: dict[str, str] = {}
        boxes: dict[Any, list[Eqn]] = {}
        names: dict[Any, str] = {}  # which group a place of the user's code is
        for n, (eqn, line) in enumerate(zip(reading.program.eqns, self.lines, strict=True)):
            place = _place(line, fold or by)
            box = n if fold is None else place
            boxes.setdefault(box, []).append(eqn)
            group = None
            if fold is None and place is not None:
                group = names.setdefault(place, f"g{len(names)}")
                groups[group] = _title(line, by)
            for v in eqn.outputs:
                keys[v] = f"box{n}" if fold is None else f"box{list(boxes).index(box)}"
            if fold is None:
                nodes.append(self._step(eqn, keys[eqn.outputs[0]], group))
        if fold is not None:
            nodes += [self._folded(eqns, keys[eqns[0].outputs[0]], fold) for eqns in boxes.values()]
        return Graph(reading.title, nodes, list(self._edges(keys, fold is not None)), groups)

    # ---- boxes ---------------------------------------------------------------------------------------
    def _leaf(self, v: Any, key: str) -> Node:
        moved = v in self.reading.inputs.values()
        value = self.reading.values[v]
        lines = (self.reading.names[v], _valued(value))
        wrong = _wrong(value) or _wrong(self.adjoints.get(v, 0))
        kind = "wrong" if wrong else "input" if moved else "constant"
        return Node(key, lines, kind, None, self._adjoint(v))

    def _step(self, eqn: Eqn, key: str, group: str | None) -> Node:
        r = self.reading
        lines: list[str] = []
        kind = "result" if any(v in r.outs for v in eqn.outputs) else "step"
        for k, v in enumerate(eqn.outputs):
            lines += [f"{r.names[v]} = {r.formula(eqn, k)}", _valued(r.values[v])]
            kind = "wrong" if _wrong(r.values[v]) or _wrong(self.adjoints.get(v, 0)) else kind
        lines += [
            f"{name}: {len(p.eqns)} equations"
            for name, p in eqn.params.items()
            if isinstance(p, Program)
        ]
        adjoints = [t for t in map(self._adjoint, eqn.outputs) if t]
        return Node(key, tuple(lines), kind, group, "\n".join(adjoints))

    def _folded(self, eqns: list[Eqn], key: str, fold: str) -> Node:
        line = self.reading.program.line(eqns[0])
        counts: dict[str, int] = {}
        for e in eqns:
            counts[e.prim.name] = counts.get(e.prim.name, 0) + 1
        most = sorted(counts, key=lambda k: -counts[k])
        calls = ", ".join(f"{counts[k]}× {k}" for k in most[:4]) + (", …" if len(most) > 4 else "")
        outs = set(self.reading.outs)
        made = [v for e in eqns for v in e.outputs]
        numbers = [*map(self.reading.values.get, made), *(self.adjoints.get(v, 0) for v in made)]
        wrong = any(map(_wrong, numbers))
        kind = "wrong" if wrong else "result" if any(v in outs for v in made) else "folded"
        bar = ""
        if self.derivatives:
            sizes = [float(np.max(np.abs(self.adjoints[v]), initial=0)) for v in made if v in self.adjoints]  # fmt: skip
            bar = f"|∂{self.reading.target}/∂·| ≤ {number(max(sizes))}" if sizes else ""
        return Node(key, (_title(line, fold), f"{len(eqns)} equations: {calls}"), kind, None, bar)

    def _adjoint(self, v: Any) -> str:
        if v not in self.adjoints or v in self.reading.outs:
            return ""
        return f"∂{self.reading.target}/∂{self.reading.names[v]} = {brief(self.adjoints[v])}"

    # ---- arrows --------------------------------------------------------------------------------------
    def _edges(self, keys: dict[Any, str], folded: bool) -> Iterable[Edge]:
        seen: set[tuple[str, str]] = set()
        for eqn in self.reading.program.eqns:
            head = keys[eqn.outputs[0]]
            for a in dict.fromkeys(eqn.inputs):
                if not isinstance(a, Var) or (keys[a], head) in seen or keys[a] == head:
                    continue
                seen.add((keys[a], head))
                yield Edge(keys[a], head)
        if not self.derivatives:
            return
        for eqn in self.reading.program.eqns:
            head = keys[eqn.outputs[0]]
            for k, v in enumerate(eqn.outputs):
                if v not in self.adjoints:
                    continue
                step = None if folded else self.reading.step(eqn, k, self.adjoints)
                for a, f in zip(
                    self.reading.edges.get(v, ()), step.factors if step else (), strict=False
                ):
                    yield Edge(head, keys[a], _slope(step, f), back=True)


def _valued(value: Any) -> str:
    """A value, and of an array its shape and dtype."""
    text = brief(value)
    if np.ndim(value) == 0 or text.startswith(repr(type_of(value))):
        return f"= {text}" if np.ndim(value) == 0 else text
    return f"{type_of(value)!r} {text}"


def _slope(step: Any, f: Any) -> str:
    text = f"∂{step.name}/∂{f.operand} = {f.formula}"
    value = number(f.value) if is_single(f.value) else ""
    return text if value in ("", f.formula) else f"{text} = {value}"


def _wrong(value: Any) -> bool:
    if isinstance(value, tuple | list):  # a stack
        return any(map(_wrong, value))
    array = np.asarray(value)
    return array.dtype.kind in "fc" and not bool(np.all(np.isfinite(array)))


def _place(line: source.Line | None, by: str) -> Any:
    if line is None or by == "none":
        return None
    return (line.file, line.function) if by == "function" else (line.file, line.line)


def _title(line: source.Line | None, by: str) -> str:
    if line is None:
        return "(no line of yours)"
    if by == "function":
        return f"{line.function}()"
    text = line.text if len(line.text) <= _WIDE else f"{line.text[:_WIDE]} …"
    return f"{line}  {text}".rstrip()


def _cut(graph: Graph, limit: int) -> Graph:
    """The first `limit - 1` boxes, and one that stands for the others."""
    kept = graph.nodes[: limit - 1]
    keys = {n.key for n in kept}
    rest = Node("rest", (f"… and {len(graph.nodes) - len(kept)} more",), "folded")
    edges: dict[Edge, None] = {}
    for e in graph.edges:
        tail, head = (k if k in keys else "rest" for k in (e.tail, e.head))
        if tail != head:
            edges[e._replace(tail=tail, head=head)] = None
    return Graph(graph.title, [*kept, rest], list(edges), graph.groups)
