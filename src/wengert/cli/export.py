"""`wengert export`: a function and its derivatives as C++ or C, with nothing of Python in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from wengert.cli.call import job
from wengert.cli.failure import FINE, UsageError
from wengert.cli.output import say, tell
from wengert.cpp.export import export_cpp

# the options, and what they are called in the exported code
KINDS = {
    "grad": "gradient", "value_and_grad": "value_and_gradient", "jac": "jacobian", "jvp": "jvp", "vjp": "vjp",
    "hess": "hessian", "hvp": "hvp",
}  # fmt: skip


def export_command(options: argparse.Namespace) -> int:
    """Write the header, and what else was asked for."""
    call = job(options)
    asked = [kind for option, kind in KINDS.items() if getattr(options, option)]
    what = ["value", *asked] if asked else None
    place = Path(options.out) if options.out else None
    name = options.name or (place.stem if place is not None and place.suffix else None)
    folder = place.parent if place is not None and place.suffix else place or Path()
    ending = ".h" if options.c else ".hpp"
    if place is not None and place.suffix not in ("", ending):
        raise UsageError(f"{place.name} is no name for a header", f"end it with {ending}, or name a folder")  # fmt: skip
    made = call.ask(
        lambda f: lambda *args: export_cpp(
            f, *args, what=what, name=name or call.name.rpartition(".")[2], argnums=call.argnums,
            dtype="float32" if options.float else None, language="c" if options.c else "c++", test=options.test,
            strict=options.strict,
        )
    )  # fmt: skip
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "make it first")
    paths = made.write(folder)
    if options.json:
        tell(
            {"name": made.name, "functions": list(made.functions), "files": [str(p) for p in paths]}
        )
    else:
        for path in paths:
            say(str(path))
    return FINE
