"""`cpp_function`: the door through which a C++ function template comes in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from wengert import tree
from wengert.cpp.bound import Bound
from wengert.cpp.primitive import Call
from wengert.cpp.reading import definition, parameter_names
from wengert.cpp.target import Part, Shape, Target
from wengert.errors import CppError, DTypeError, InputError, ShapeError
from wengert.ir import source
from wengert.ir.types import type_of
from wengert.numpy_api.table import answers_itself
from wengert.trace.idle import plain
from wengert.trace.tracer import Tracer

_CALLS = 256  # so many sets of options of one function are remembered
_SUFFIXES = (".cpp", ".hpp", ".cc", ".hh", ".cxx", ".hxx", ".h", ".C", ".H", ".ipp", ".tpp")


def cpp_function(
    source_or_path: str | os.PathLike[str], name: str, *, backend: str = "wengert", check: bool = True,
    flags: Sequence[str] = (), include: Sequence[str | os.PathLike[str]] = (), compiler: str | None = None,
) -> CppFunction:  # fmt: skip
    """Your own C++ function template as a differentiable Python function.

    `source_or_path` is C++17 text or the path of a file, `name` the function in it:
    `template <class T> T f(const T& x)`. Where it takes more template arguments, say where the
    number type goes: `name="f<T, 3>"`. Arguments and results may be `T`, `std::vector`, `std::array`,
    `Eigen::Matrix`, `Eigen::Array` (also through `Eigen::Ref`) and `Eigen::Tensor` of `T`; several
    results come in a `std::tuple` or `std::pair`. Arguments of `double`, `int` and `bool`, or arrays of
    them, are options without a derivative.

    It is compiled with g++ or clang++ (`compiler`, or `$CXX`) when this is called, and kept in a
    private cache directory (`$WENGERT_CACHE`) by its content, its includes and the compiler's
    version. Derivatives come from instantiating the template with `wengert::dual`
    (`include/wengert/dual.hpp`), several directions at a time, nested for higher orders;
    `backend="eigen"` takes `Eigen::AutoDiffScalar`. They are held against differences at first
    use (`check=False` leaves that out). `flags` go to the compiler, `include` are directories.

    The function takes what `f` takes, as arrays; with more leading axes it takes a batch of points,
    which broadcast. float32 arguments are computed as `float`, all others as `double`. It works in
    `grad`, `jvp`, `vjp`, `hessian`, `vmap`; C++ exceptions, and Eigen's assertions, become errors.

    Raises CppError (no compiler, the compiler's message with your C++ line, what `f` threw),
    ShapeError, DTypeError, InputError.

    >>> import wengert as wg
    >>> sigmoid = wg.cpp_function(
    ...     "template <class T> T f(const T& x) { return T(1) / (T(1) + exp(-x)); }", "f"
    ... )  # doctest: +SKIP
    >>> sigmoid(2.0), wg.grad(sigmoid)(2.0)  # doctest: +SKIP
    (np.float64(0.8807970779778823), 0.10499358540350662)
    """
    if backend not in ("wengert", "eigen"):
        raise InputError(
            f"backend={backend!r}", 'choose backend="wengert" or backend="eigen"', source.here()
        )
    path = _path(source_or_path)
    text = path.read_text(encoding="utf-8") if path else str(source_or_path)
    directories = tuple(str(Path(d).absolute()) for d in include)
    identity = (text, path, name, backend == "eigen", tuple(flags), directories, compiler)
    return CppFunction(target_of(identity), check)


@lru_cache(maxsize=256)
def target_of(identity: Any) -> Target:
    """The one target of an identity: equal functions are compiled and loaded once."""
    return Target(*identity)


def _path(given: str | os.PathLike[str]) -> Path | None:
    """The file that is meant, or None for a text."""
    if isinstance(given, str) and ("\n" in given or not given.strip().endswith(_SUFFIXES)):
        return None
    path = Path(given).absolute()
    if not path.is_file():
        raise CppError(
            f"there is no C++ file {os.fspath(given)!r}",
            "give the path of a file, or the C++ text itself",
            source.here(),
        )
    return path


class CppFunction:
    """A C++ function template as a function of arrays; `cpp_function` makes it.

    `parameters` holds the names of its parameters, as far as they could be read from the text.
    """

    def __init__(self, target: Target, check: bool) -> None:
        self._target, self._check = target, check
        self._calls: dict[Any, Call] = {}
        self.__name__ = target.short
        found = definition(target.text, target.short)
        self._line = None if found is None else found[0]
        names = None if found is None else parameter_names(found[1])
        count = len(target.arguments)
        self.parameters: list[str] = (
            names if names is not None and len(names) == count else [f"x{k}" for k in range(count)]
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = [_opened(a) for a in self._bound(args, kwargs)]
        guest = next((a for a in given if answers_itself(type(a))), None)
        if guest is not None:
            return guest.__array_function__(self, (type(guest),), tuple(given), {})
        arrays, options = self._fitted(given)
        ys = self._primitive(options)(*arrays)
        return tuple(ys) if self._target.packed else ys[0]

    def _primitive(self, options: tuple[Any, ...]) -> Call:
        call = self._calls.get(options)
        if call is None:
            if len(self._calls) >= _CALLS:
                self._calls.clear()
            call = self._calls[options] = Call(Bound(self._target, options), self._check)
        return call

    # ---- arguments at the door -------------------------------------------------------------------------
    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        names = self.parameters
        rest = names[len(args) :]
        if len(args) > len(names) or set(kwargs) != set(rest):
            raise InputError(
                f"{self!r} takes {len(names)} argument{'s' if len(names) != 1 else ''} "
                f"({', '.join(names)}), and was given {len(args)}"
                + (f" and {', '.join(kwargs)}" if kwargs else ""),
                "pass one value for each parameter of the C++ function",
                source.here(),
            )
        return [*args, *(kwargs[n] for n in rest)]

    def _fitted(self, given: list[Any]) -> tuple[list[Any], tuple[Any, ...]]:
        """Arrays of the right kind and rank, with leading axes that agree; and the options."""
        parts = self._target.arguments
        arrays = [a if isinstance(a, Tracer) else np.asarray(a) for a in given]
        base = self._base(arrays)
        fitted = [
            self._typed(n, a, p, base) for n, (a, p) in enumerate(zip(arrays, parts, strict=True))
        ]
        leads = [
            self._lead(n, type_of(a).shape, p)
            for n, (a, p) in enumerate(zip(fitted, parts, strict=True))
        ]
        try:
            lead = np.broadcast_shapes(*leads)
        except ValueError:
            raise ShapeError(
                f"{self!r} is given batches of shapes {', '.join(map(str, leads))}",
                "make them broadcast",
                source.here(),
            ) from None
        options = tuple(
            None if p.active or isinstance(a, Tracer) or a.ndim else a.item()
            for a, p in zip(fitted, parts, strict=True)
        )
        wide = [
            a
            if own in ((), lead)
            else np.broadcast_to(
                np.reshape(a, (*(1,) * (len(lead) - len(own)), *type_of(a).shape)),
                (*lead, *type_of(a).shape[len(own) :]),
            )
            for a, own in zip(fitted, leads, strict=True)
        ]
        return [a for a, o in zip(wide, options, strict=True) if o is None], options

    def _base(self, arrays: list[Any]) -> np.dtype[Any]:
        active = [
            type_of(a).dtype
            for a, p in zip(arrays, self._target.arguments, strict=True)
            if p.active
        ]
        single = bool(active) and all(d == np.float32 for d in active)
        return np.dtype(np.float32 if single else np.float64)

    def _typed(self, n: int, a: Any, part: Part, base: np.dtype[Any]) -> Any:
        dtype, wanted = type_of(a).dtype, part.dtype(base)
        allowed = {"T": "fiub", "d": "fiub", "i": "iub", "b": "b"}[part.kind]
        if dtype.kind not in allowed:
            kinds = {
                "T": "real numbers",
                "d": "real numbers",
                "i": "integers",
                "b": "True or False",
            }
            raise DTypeError(
                f"{self.parameters[n]} of {self!r} is {type_of(a)!r}, and takes {kinds[part.kind]}",
                "convert it before the call",
                source.here(),
            )
        if not part.active and isinstance(a, Tracer) and a.type.inexact:
            raise InputError(
                f"{self.parameters[n]} of {self!r} is a {'double' if part.kind == 'd' else 'plain number'} in C++, "
                "and a traced value was passed for it: its derivative would be lost",
                "make it a T in C++, or pass wg.stop_gradient(...) of it",
                source.here(),
            )
        return a if dtype == wanted else a.astype(wanted)

    def _lead(self, n: int, shape: Shape, part: Part) -> Shape:
        core = shape[len(shape) - part.rank :] if len(shape) >= part.rank else None
        if core is None or any(e not in (-1, c) for e, c in zip(part.extents, core, strict=True)):
            wanted = ", ".join("?" if e < 0 else str(e) for e in part.extents)
            raise ShapeError(
                f"{self.parameters[n]} of {self!r} has shape {shape}, and ({wanted}{',' * (part.rank == 1)}) is needed",
                "leading axes more are a batch of points; the last ones must fit",
                source.here(),
            )
        return shape[: len(shape) - part.rank]

    # ---- as Python values -----------------------------------------------------------------------------
    def __reduce__(self) -> Any:
        return _restored, (self._target.identity, self._check)

    def __repr__(self) -> str:
        at = "" if self._line is None else f":{self._line}"
        return f"the C++ function {self.__name__} ({self._target.place}{at})"


def _opened(a: Any) -> Any:
    """One array from an argument: idle values are plain, lists are arrays."""
    if isinstance(a, Tracer):
        return plain(a)
    if isinstance(a, list | tuple):
        leaves, _ = tree.flatten(a)
        return np.stack(a) if any(isinstance(x, Tracer) for x in leaves) else np.array(a)
    return a


def _restored(identity: Any, check: bool) -> CppFunction:
    return CppFunction(target_of(identity), check)
