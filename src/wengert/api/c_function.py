"""c_function: a compiled function's address, to be called from C, SciPy, ctypes or numba."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from wengert.backends import machine, plain_c
from wengert.errors import InputError
from wengert.ir import source
from wengert.memo.compiled import regular

if TYPE_CHECKING:
    from wengert.api.jit import Version


class CFunction:
    """One kind of call of a compiled function, as a C function: `address` and `signature`.

    The general signature is `int (void **ins, void **outs)`: pointers to the data of the arguments
    (arrays in C order, aligned; numbers are arrays of shape ()), in the order in which they stand in the
    call, and to memory for the results, in theirs. Results overlap nothing. It returns 0, or another number where the function
    failed. It may be called by any thread, with or without Python's lock, as long as this object lives.
    """

    def __init__(self, name: str, version: Version, signature: str) -> None:
        trace, ready = version.trace, version.compiled
        if ready.code is None:
            raise InputError(
                f"{name} has no machine code: {ready.why}", "call it from Python", source.here()
            )
        if trace.answers is not None:
            raise InputError(
                f"{name} holds a derivative under trust={trace.answers.asked[0].level!r}, whose numbers are "
                "looked at in Python after each call",
                'take the derivative under trust="report", or call it from Python',
                source.here(),
            )
        self.name, self.signature = name, signature
        self.in_types = trace.program.in_types[: len(trace.program.in_types) - len(trace.captured)]
        self.out_types = trace.program.out_types
        spread = self._spread(signature)
        captured = [
            regular(v, t)
            for v, t in zip(
                trace.captured, trace.program.in_types[len(self.in_types) :], strict=True
            )
        ]
        self._entry = ready.raw(len(self.in_types), captured)
        names = (plain_c.NAME,)
        if signature != plain_c.GENERAL:
            names = (f"{plain_c.NAME}_scalar",)
        own = {"wg_table": self._entry.table.ctypes.data}
        self._code = machine.load(plain_c.text(signature, spread), names, own)
        self.address = self._code.address

    def _spread(self, signature: str) -> bool:
        """Are the numbers of a signature arguments of their own? Raises where it does not fit."""
        if signature == plain_c.GENERAL:
            return False
        numbers = [repr(t) for t in self.in_types]
        fits = [repr(t) for t in self.out_types] == ["f64[]"] and signature in plain_c.SCALAR
        if fits and plain_c.SCALAR[signature][1] == "one":
            fits = numbers == ["f64[]"]
        elif fits:
            one = len(numbers) == 1 and numbers[0].startswith("f64[") and numbers[0].count(",") == 0
            fits = one or all(n == "f64[]" for n in numbers)
        if not fits:
            known = ", ".join(f'"{s}"' for s in (*plain_c.SCALAR, plain_c.GENERAL))
            raise InputError(
                f'{self.name} takes {list(self.in_types)} to {list(self.out_types)}, which "{signature}" does not say',
                f"signatures are {known}; all but the last take and give float64",
                source.here(),
            )
        return all(n == "f64[]" for n in numbers)

    def low_level_callable(self) -> Any:
        """For `scipy.integrate.quad` and others: a `scipy.LowLevelCallable`."""
        from scipy import LowLevelCallable

        return LowLevelCallable(self.ctypes(), signature=self.signature)

    def ctypes(self) -> Any:
        """The function as ctypes calls it."""
        result, params = self.signature.split(" (")
        kinds: dict[str, Any] = {
            "int": ctypes.c_int, "double": ctypes.c_double, "double *": ctypes.POINTER(ctypes.c_double),
            "void *": ctypes.c_void_p, "void **": ctypes.c_void_p,
        }  # fmt: skip
        types = [kinds[p] for p in params.rstrip(")").split(", ")]
        function: Any = ctypes.CFUNCTYPE(kinds[result], *types)(self.address)
        function.wengert = self  # it lives as long as this
        return function

    def __repr__(self) -> str:
        return f"<{self.name} as {self.signature}>"
