"""LLVM text → object code, for this machine or for another one. llvmlite is imported when first needed."""

from __future__ import annotations

from typing import NamedTuple

from wengert.errors import CppError, InternalError
from wengert.ir import source

# values stand once in the text already: what finds common ones costs more than it gains
PASSES = ("simplify_cfg", "instruction_combine", "simplify_cfg")


class Place(NamedTuple):
    """Where object code is to run: triple, processor, features; `here` if that is this machine."""

    triple: str
    cpu: str
    features: str
    here: bool


def place(triple: str | None = None, cpu: str | None = None, features: str | None = None) -> Place:
    """The machine at hand as it is, or a triple (with its plainest processor, if none is named)."""
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise CppError(
            f"object code is made by llvmlite, which cannot be imported: {error}",
            "pip install llvmlite",
            source.here(),
        ) from None
    if triple is None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        own = str(llvm.get_process_triple())
        if cpu is None and features is None:
            flags = llvm.get_host_cpu_features().flatten()
            return Place(own, str(llvm.get_host_cpu_name()), flags, True)
        return Place(own, cpu or "", features or "", False)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError as error:
        raise CppError(
            f"LLVM knows no target {triple!r}: {str(error).strip()}",
            "give a triple such as aarch64-linux-gnu",
            source.here(),
        ) from None
    return Place(triple, cpu or "", features or "", False)


def object_code(text: str, where: Place) -> bytes:
    """The object file of a module's text."""
    import llvmlite.binding as llvm

    target = llvm.Target.from_triple(where.triple).create_target_machine(
        cpu=where.cpu, features=where.features, opt=2, reloc="pic", codemodel="default"
    )
    try:
        module = llvm.parse_assembly(f'target triple = "{where.triple}"\n{text}')
        module.verify()
    except RuntimeError as error:
        raise InternalError(
            f"LLVM refuses the code it was given: {str(error).strip()}",
            "report it with the program that was exported",
        ) from None
    module.data_layout = str(target.target_data)
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    passes = llvm.create_new_module_pass_manager()
    for name in PASSES:
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)
    code: bytes = target.emit_object(module)
    return code
