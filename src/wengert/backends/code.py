"""Loop code: a small typed language of scalars, buffers and loops between programs and machines.

It knows no arrays and no derivatives: `lowering` writes it, `llvm` and C++ print it, `interpret`
runs it slowly, to check them. People look at it too: `str(function)`.

*Scalars* (`Value`) are single assignment, of the types in `DTYPES`: `f64 f32 i64 i32 i16 i8 u64 u32
u16 u8 bool`. Complex numbers are pairs of them. A value is made where it stands in its block: a
block is a list of values and statements, in order.

*Buffers* are one-dimensional: a scalar type and a number of elements. Their roles: `input`,
`output`, `constant` (an array that belongs to the program), `temporary` (in the workspace),
`private` (small; one copy per call, and in a vector loop one per lane), `tape` (grows: `Reserve`).

*Extents* above `SMALL` are run-time values: the operation `extent`, whose `data` is the position in
the array of extents. So equal loop code serves every size of a batch.

*Loops*: `For` counts from 0 to its extent (backwards where `reverse`). Its kind says what is
promised: `serial` nothing; `vector` that the iterations are independent but for the reductions, so
neighbours may be computed together; `parallel` the same, for threads. `carried` values go from one
iteration to the next. A `reduction` combines one value per iteration by `add mul max min and or` in
an order of the printer's own, which depends on the extent alone. So do `sums` in memory: what an iteration
does to these buffers is to combine their elements with something, by the operation named.

*The calling convention* of a function that is made of it:

    i32 name(ptr ins, ptr outs, ptr extents, ptr work)

`ins` holds a data pointer per input, then one per constant (`Function.constants`, in order), then
`context`, which is handed to call-backs. `outs` holds a data pointer per output. All arrays are in C
order, aligned to their items; bool is one byte of 0 or 1; a complex number is two floats. Outputs
overlap nothing. `extents` holds an i64 per run-time extent (`Function.extents` are their values at
compile time, in order; `extents.run_time_extents` finds those of another program of equal key).
`work` is `Function.work_bytes(extents)` bytes, aligned to 64. The result is 0, or the number n > 0
of the problem that stopped it: `Function.problems[n - 1]`.

A call-back is a call of `wg_callback(ptr context, i64 number, ptr arrays) -> i32`, where `arrays`
holds the data pointers of the arguments and then of the results of
`Function.callbacks[number]`; not 0 means that Python has an exception to raise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

SMALL = 16  # extents up to this are compiled in
AGAIN = -3  # what quick code returns where its guarded version is needed
PARTS = 16  # chunks at most, of loops that sum into memory

# scalar types, and NumPy's names of them
DTYPES: dict[str, np.dtype[Any]] = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "i64": np.dtype(np.int64),
    "i32": np.dtype(np.int32),
    "i16": np.dtype(np.int16),
    "i8": np.dtype(np.int8),
    "u64": np.dtype(np.uint64),
    "u32": np.dtype(np.uint32),
    "u16": np.dtype(np.uint16),
    "u8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
}
TYPE_OF_DTYPE = {dtype: name for name, dtype in DTYPES.items()}

# operations on one type, whose result has it too
ARITHMETIC = frozenset(
    # of floats and integers (integers wrap); div, sqrt … of floats; the quotients `tdiv` and `trem`
    # of integers truncate, and must neither divide by zero nor overflow; shifts must be in range
    [
        "add",
        "sub",
        "mul",
        "neg",
        "abs",
        "div",
        "fma",
        "sqrt",
        "floor",
        "ceil",
        "trunc",
        "rint",
        "copysign",
        "tdiv",
        "trem",
        "and",
        "or",
        "xor",
        "not",
        "shl",
        "shr",
    ]
)
COMPARISONS = frozenset(["lt", "le", "gt", "ge", "eq", "ne"])  # bool; nan is unequal to all
# functions of libm, by C's names
MATH = frozenset(
    [
        "exp",
        "exp2",
        "exp10",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "cbrt",
        "erf",
        "erfc",
        "pow",
        "atan2",
        "hypot",
        "fmod",
        "lgamma",
        "tgamma",
    ]
)
# functions of `scipy.special.cython_special`, by their names there: `special_gammaln` …
SPECIAL = "special_"
# others: const, extent, index, param (of a carried value), result (of a statement), load, select,
# cast (NumPy's astype), bits (the same bits as another type of that size)


class Value:
    """A scalar: what operation made it, of which others. Equal only to itself."""

    __slots__ = ("args", "block", "data", "op", "type")

    def __init__(
        self, op: str, type: str, args: tuple[Value, ...] = (), data: Any = None, block: Any = None
    ) -> None:
        self.op = op
        self.type = type
        self.args = args
        self.data = data  # of a const its number, of an extent its position, of a load its buffer
        self.block: Block | None = block  # None: a constant, at home everywhere

    def __repr__(self) -> str:
        if self.op == "const":
            return f"{self.data!r}:{self.type}"
        return f"<{self.op} {self.type}>"


class Buffer:
    """Memory: `size` elements of one scalar type. A size is a product: ints and extents."""

    __slots__ = ("array", "name", "own", "role", "size", "type")

    def __init__(
        self,
        name: str,
        type: str,
        size: tuple[int | Value, ...],
        role: str,
        array: np.ndarray[Any, Any] | None = None,
    ) -> None:
        self.name = name
        self.type = type
        self.size = size
        self.role = role
        self.array = array  # of a constant
        self.own = False  # of each thread, where the loop around its uses goes to threads

    def __repr__(self) -> str:
        return f"<{self.role} {self.name}: {self.type}>"

    def elements(self, extents: Sequence[int]) -> int:
        """How many elements it has, given the run-time extents."""
        total = 1
        for factor in self.size:
            total *= factor if isinstance(factor, int) else extents[factor.data]
        return total


class Block:
    """Values and statements, in order. `hoists`: may pure values be made before it instead?"""

    __slots__ = ("depth", "hoists", "items", "known", "parent")

    def __init__(self, parent: Block | None = None, hoists: bool = False) -> None:
        self.items: list[Value | Statement] = []
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.hoists = hoists
        self.known: dict[Any, Value] = {}


class Statement:
    """What is done rather than computed."""

    __slots__ = ()


class Store(Statement):
    """`buffer[index] = value`."""

    __slots__ = ("buffer", "index", "value")

    def __init__(self, buffer: Buffer, index: Value, value: Value) -> None:
        self.buffer, self.index, self.value = buffer, index, value


class Carried(NamedTuple):
    """A value that goes from one iteration to the next."""

    param: Value
    init: Value
    next: Value
    result: Value


class Reduction(NamedTuple):
    """`result = init op value of every iteration`."""

    op: str
    init: Value
    value: Value
    result: Value


class For(Statement):
    """`for index in range(extent)`, or backwards."""

    __slots__ = (
        "block", "carried", "extent", "index", "kind", "reductions", "reverse", "sums", "weight",
    )  # fmt: skip

    def __init__(self, extent: Value, index: Value, block: Block, kind: str, reverse: bool) -> None:
        self.extent, self.index, self.block = extent, index, block
        self.kind, self.reverse = kind, reverse
        self.carried: list[Carried] = []
        self.reductions: list[Reduction] = []
        self.sums: list[tuple[str, Buffer, Buffer]] = []  # the last has room for `PARTS` of them
        self.weight: int | None = None  # of how many values it counts, if not of those in it


class While(Statement):
    """As long as `test`, which `before` computes from the carried values, do `block`."""

    __slots__ = ("before", "block", "carried", "test")

    def __init__(self, before: Block, block: Block) -> None:
        self.before, self.block = before, block
        self.test: Any = None
        self.carried: list[Carried] = []


class If(Statement):
    """One of two blocks; `results` are triples of value there, value here, and which it was.

    `soft`: where the test fails, both blocks do the same.
    """

    __slots__ = ("otherwise", "results", "soft", "test", "then")

    def __init__(self, test: Value, then: Block, otherwise: Block) -> None:
        self.test, self.then, self.otherwise = test, then, otherwise
        self.results: list[tuple[Value, Value, Value]] = []
        self.soft = False


class Call(Statement):
    """A function outside: `dgemm`, `wg_callback` …

    The arguments are values (passed as they are), buffers with an index (a pointer to that element), or Python numbers and letters (LAPACK's way:
    a pointer to them). Not 0 returned (or left in the `info`) is problem number `problem`, if any.
    """

    __slots__ = ("args", "name", "problem", "writes")

    def __init__(
        self, name: str, args: tuple[Any, ...], writes: tuple[Buffer, ...], problem: int = 0
    ) -> None:
        self.name, self.args, self.writes, self.problem = name, args, writes, problem


class Check(Statement):
    """Stop with problem number `problem` unless `ok`."""

    __slots__ = ("ok", "problem")

    def __init__(self, ok: Value, problem: int) -> None:
        self.ok, self.problem = ok, problem


class Reserve(Statement):
    """See to it that a tape has room for `size` elements; what is in it stays."""

    __slots__ = ("buffer", "size")

    def __init__(self, buffer: Buffer, size: Value) -> None:
        self.buffer, self.size = buffer, size


class Callback(NamedTuple):
    """An equation that NumPy computes: the primitive, its params, types, and where it stands."""

    prim: Any
    params: Any
    in_types: tuple[Any, ...]
    out_types: tuple[Any, ...]
    line: Any


class Problem(NamedTuple):
    """Why a function may stop: the kind of exception, what is said, and the user's line."""

    kind: str
    text: str
    line: Any


def whole_lines(count: int) -> int:
    """Bytes of a slot of the workspace: whole cache lines, and one more."""
    return (count + 127) // 64 * 64


class Function:
    """A whole function of loop code."""

    def __init__(self, name: str, extents: tuple[int, ...] = ()) -> None:
        self.name = name
        self.extents = extents
        self.inputs: list[Buffer] = []
        self.outputs: list[Buffer] = []
        self.constants: list[Buffer] = []
        self.temporaries: list[Buffer] = []
        self.privates: list[Buffer] = []
        self.tapes: list[Buffer] = []
        self.slots: list[tuple[Buffer, ...]] = []  # temporaries that share memory
        self.callbacks: list[Callback] = []
        self.problems: list[Problem] = []
        self.again = ""  # of code without guards: which ones it is without
        self.notes: list[str] = []  # what became of which equation, for `explain_compile`
        self.body = Block()

    def work_bytes(self, extents: Sequence[int]) -> int:
        """How large the workspace must be, given the run-time extents."""
        return sum(self.slot_bytes(slot, extents) for slot in self.slots)

    @staticmethod
    def slot_bytes(slot: tuple[Buffer, ...], extents: Sequence[int]) -> int:
        """Bytes of one slot, in whole cache lines."""
        first = slot[0]
        return whole_lines(first.elements(extents) * DTYPES[first.type].itemsize)

    def __str__(self) -> str:
        return "\n".join(show(self))


# ---- printing ---------------------------------------------------------------------------------------


def show(function: Function) -> Iterator[str]:
    """The lines of a function's text."""
    names: dict[Value, str] = {}

    def name(v: Any) -> str:
        if not isinstance(v, Value):
            return v.name if isinstance(v, Buffer) else repr(v)
        if v.op == "const":
            return f"{v.data!r}"
        if v.op == "extent":
            return f"n{v.data}"
        if v not in names:
            names[v] = f"{'i' if v.op == 'index' else 'v'}{len(names)}"
        return names[v]

    def size(b: Buffer) -> str:
        return "·".join(str(f) if isinstance(f, int) else name(f) for f in b.size) or "1"

    groups = (function.inputs, function.outputs, function.constants, function.temporaries)
    yield f"function {function.name}:"
    for group in (*groups, function.privates, function.tapes):
        for b in group:
            yield f"  {b.role} {b.name}: {b.type}[{size(b)}]"
    yield from _block(function.body, "  ", name)


def _block(block: Block, pad: str, name: Any) -> Iterator[str]:
    for item in block.items:
        if isinstance(item, Value):
            if item.op == "load":
                yield f"{pad}{name(item)} = {item.data.name}[{name(item.args[0])}]"
            else:
                args = " ".join(map(name, item.args))
                kind = f".{item.type}" if item.op in ("cast", "bits") else ""
                yield f"{pad}{name(item)} = {item.op}{kind} {args}"
        elif isinstance(item, Store):
            yield f"{pad}{item.buffer.name}[{name(item.index)}] = {name(item.value)}"
        elif isinstance(item, For):
            way = " reverse" if item.reverse else ""
            way += f" summing {', '.join(b.name for _, b, _ in item.sums)}" if item.sums else ""
            yield f"{pad}{item.kind} for {name(item.index)} < {name(item.extent)}{way}{_carried(item.carried, name)}:"
            yield from _block(item.block, pad + "  ", name)
            yield from _next(item.carried, pad + "  ", name)
            for r in item.reductions:
                yield f"{pad}  {name(r.result)} = {r.op} of {name(r.value)} from {name(r.init)}"
        elif isinstance(item, While):
            yield f"{pad}while{_carried(item.carried, name)}:"
            yield from _block(item.before, pad + "  ", name)
            yield f"{pad}  test {name(item.test)}"
            yield from _block(item.block, pad + "  ", name)
            yield from _next(item.carried, pad + "  ", name)
        elif isinstance(item, If):
            outs = ", ".join(name(r) for *_, r in item.results)
            yield f"{pad}{outs + ' = ' if outs else ''}if {name(item.test)}:"
            yield from _block(item.then, pad + "  ", name)
            yield f"{pad}  give {', '.join(name(a) for a, _, _ in item.results)}"
            yield f"{pad}else:"
            yield from _block(item.otherwise, pad + "  ", name)
            yield f"{pad}  give {', '.join(name(b) for _, b, _ in item.results)}"
        elif isinstance(item, Call):
            args = ", ".join(
                f"&{a[0].name}[{name(a[1])}]" if isinstance(a, tuple) else name(a)
                for a in item.args
            )
            yield f"{pad}call {item.name}({args})"
        elif isinstance(item, Check):
            yield f"{pad}check {name(item.ok)} or problem {item.problem}"
        elif isinstance(item, Reserve):
            yield f"{pad}reserve {item.buffer.name}[{name(item.size)}]"


def _carried(carried: list[Carried], name: Any) -> str:
    inner = ", ".join(f"{name(c.param)} = {name(c.init)}" for c in carried)
    return f" with {inner}" if inner else ""


def _next(carried: list[Carried], pad: str, name: Any) -> Iterator[str]:
    if carried:
        yield f"{pad}next {', '.join(f'{name(c.next)} ({name(c.result)})' for c in carried)}"
