"""LLVM text → an address in this process, by llvmlite's LLJIT; llvmlite is imported when first needed.

The text has explicit vectors already, so few passes are run, and only such whose time grows with the
program: no loop is vectorised and nothing is unrolled here. Code that was compiled before, in this process or
another, is read from the cache.
"""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

from wengert.backends import cache as disk
from wengert.backends import objects
from wengert.backends import symbols as _symbols
from wengert.backends.once import alone, once
from wengert.errors import InternalError

_serial = itertools.count()


class Loaded(NamedTuple):
    """Code in memory: where its functions are; how long each stage took; was it in the cache?"""

    addresses: dict[str, int]
    seconds: dict[str, float]
    cached: bool
    keeper: Any  # as long as this is held the code stays
    entry: str  # its name in the cache

    @property
    def address(self) -> int:
        """Of the only function, or the first."""
        return next(iter(self.addresses.values()))

    def keeping(self, other: Any) -> Loaded:
        """The same, and something else that stays as long as it does."""
        return self if other is None else self._replace(keeper=(self.keeper, other))


@cache
def available() -> bool:
    """Can code be compiled here?"""
    try:
        import llvmlite.binding  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


@once
def machine() -> Machine:
    """The compiler of this process."""
    return Machine()


def load(
    text: str,
    names: str | tuple[str, ...],
    symbols: Mapping[str, int] | None = None,
    entry: str | None = None,
) -> Loaded:
    """Compile LLVM text and give the addresses of its functions of these names.

    What the text declares and does not define is looked up in `symbols`, then in `backends.symbols`.
    `entry` is the text's name in the cache, where it is known.
    """
    names = (names,) if isinstance(names, str) else names
    return machine().load(text, names, symbols or {}, entry)


def load_entry(
    entry: str, names: str | tuple[str, ...], symbols: Mapping[str, int] | None = None
) -> Loaded | None:
    """The functions of code that is in the cache; None where it is not, or asks for what is not here."""
    names = (names,) if isinstance(names, str) else names
    return machine().load_entry(entry, names, symbols or {})


class Machine:
    """A JIT for this processor with all its features."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        self.llvm = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.cpu = llvm.get_host_cpu_name()
        self.features = llvm.get_host_cpu_features().flatten()
        target = llvm.Target.from_default_triple()
        self.target = target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, reloc="pic", codemodel="jitdefault"
        )
        self.jit = llvm.create_lljit_compiler(self.target)
        self.version = ".".join(map(str, llvm.llvm_version_info))

    @cached_property
    def triple(self) -> str:
        """What the text says it is for."""
        return str(self.llvm.get_process_triple())

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What code depends on besides its text."""
        return (
            self.cpu,
            self.features,
            self.version,
            _symbols.versions(),
            f"{objects.PASSES} {_LONG} {_LEFT_OUT}",
        )

    def entry(self, text: str) -> str:
        """The name in the cache of what this text becomes."""
        return disk.digest(self._headed(text), *self.key)

    def _headed(self, text: str) -> str:
        return text if "target triple" in text else f'target triple = "{self.triple}"\n{text}'

    def load(
        self, text: str, names: tuple[str, ...], symbols: Mapping[str, int], entry: str | None
    ) -> Loaded:
        """As the function of that name."""
        text = self._headed(text)
        entry = entry or self.entry(text)
        with alone():
            seconds: dict[str, float] = {}
            clock = _Clock(seconds)
            found = disk.read(entry)
            clock.stop("cache")
            cached = found is not None
            if found is None:
                found = self._compiled(text, clock)
                disk.write(entry, *found)
                clock.stop("cache")
            addresses, keeper = self._linked(names, *found, symbols)
            clock.stop("link")
        return Loaded(addresses, seconds, cached, keeper, entry)

    def load_entry(
        self, entry: str, names: tuple[str, ...], symbols: Mapping[str, int]
    ) -> Loaded | None:
        """As the function of that name."""
        with alone():
            seconds: dict[str, float] = {}
            clock = _Clock(seconds)
            found = disk.read(entry)
            clock.stop("cache")
            if found is None:
                return None
            try:
                addresses, keeper = self._linked(names, *found, symbols)
            except InternalError:  # SciPy, say, has gone
                return None
            clock.stop("link")
        return Loaded(addresses, seconds, True, keeper, entry)

    def _compiled(self, text: str, clock: _Clock) -> tuple[tuple[str, ...], bytes]:
        llvm = self.llvm
        try:
            module = llvm.parse_assembly(text)
            module.verify()
        except RuntimeError as error:
            raise InternalError(
                f"LLVM refuses the code it was given: {str(error).strip()}\n{_near(text, str(error))}",
                "report it with the program that was compiled",
            ) from None
        clock.stop("parse")
        builder = llvm.create_pass_builder(
            self.target, llvm.create_pipeline_tuning_options(speed_level=2)
        )
        passes = llvm.create_new_module_pass_manager()
        for add in objects.PASSES if len(text) < _LONG else objects.PASSES[:1]:
            getattr(passes, f"add_{add}_pass")()
        passes.run(module, builder)
        clock.stop("optimise")
        used = Counter(_GLOBAL.findall(text))  # (declared and never called: not asked for)
        wanted = tuple(
            f.name
            for f in (*module.functions, *module.global_variables)
            if f.is_declaration and not f.name.startswith("llvm.") and used[f.name] > 1
        )
        code = self._emitted(module, len(text))
        clock.stop("emit")
        return wanted, code

    def _emitted(self, module: Any, length: int) -> bytes:
        """Object code, without passes that take most of the time and gain nothing."""
        left_out = [option for least, *option in _LEFT_OUT if length >= least]
        for option, off, _ in left_out:
            self.llvm.set_option("wengert", f"-{option}={off}")
        try:
            code: bytes = self.target.emit_object(module)
        finally:  # others in this process compile too
            for option, _, usual in left_out:
                self.llvm.set_option("wengert", f"-{option}={usual}")
        return code

    def _linked(
        self,
        names: tuple[str, ...],
        wanted: tuple[str, ...],
        code: bytes,
        symbols: Mapping[str, int],
    ) -> tuple[dict[str, int], Any]:
        builder = self.llvm.JITLibraryBuilder().add_object_img(code)
        for name in names:
            builder = builder.export_symbol(name)
        for symbol in (*wanted, *_RUNTIME):
            where = symbols.get(symbol) or _symbols.address(symbol)
            if where is None and symbol in wanted:
                raise InternalError(
                    f"compiled code calls {symbol}, which this machine does not have",
                    "report it with the program that was compiled",
                )
            if where is not None:
                builder = builder.import_symbol(symbol, where)
        keeper = builder.link(self.jit, f"wengert{next(_serial)}")
        return {name: int(keeper[name]) for name in names}, keeper


_LONG = 20_000  # letters
# options of code generation: from how many letters on, how they are set, how they are usually set. The time of these
# passes grows with the square of a block's length; processors reorder instructions themselves
_LEFT_OUT = (
    (0, "disable-post-ra", "true", "false"),
    (_LONG, "disable-lsr", "true", "false"),
    (_LONG, "enable-misched", "false", "true"),
    (10 * _LONG, "disable-ssc", "true", "false"),
    (10 * _LONG, "combiner-store-merging", "false", "true"),
)
# what the code generator may call without being asked to
_RUNTIME = [
    "memcpy",
    "memset",
    "memmove",
    "memcmp",
    "fmod",
    "fmodf",
    "fma",
    "fmaf",
    "floor",
    "floorf",
    "ceil",
    "ceilf",
    "trunc",
    "truncf",
    "rint",
    "rintf",
    "nearbyint",
    "nearbyintf",
    "roundeven",
    "roundevenf",
]
_GLOBAL = re.compile(r"@([\w.$-]+)")


class _Clock:
    """Time since the last stop, added to a stage."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.last = seconds, time.perf_counter()

    def stop(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now


def _near(text: str, message: str) -> str:
    """The lines of the text around the one that LLVM complains about."""
    number = next((int(p) for p in message.split(":") if p.strip().isdigit()), 0)
    lines = text.splitlines()
    return "\n".join(
        f"{n + 1:6} {lines[n]}" for n in range(max(0, number - 4), min(len(lines), number + 2))
    )
