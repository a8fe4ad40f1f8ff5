"""`wengert grad`: value, gradient, and on request Jacobian and Hessian."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from wengert import tree
from wengert.api.gradients import value_and_grad
from wengert.api.jacobians import hessian, jacobian
from wengert.cli.call import Job, job
from wengert.cli.failure import FINE, FOUND, UsageError
from wengert.cli.output import collected, complain, plain, say, shown, tell
from wengert.errors import NonScalarOutputError
from wengert.trust.report import finite


def grad_command(options: argparse.Namespace) -> int:
    """Print value and derivatives."""
    call = job(options)
    with collected() as said:
        found = _derivatives(call, options)
    if options.out:
        _write(Path(options.out), found)
    if options.json:
        tell({"function": options.target, **found, "warnings": said})
    else:
        _print(call, found)
        for text in said:
            complain(text)
    numbers = [np.asarray(x) for x in tree.flatten(found)[0] if x is not None]
    return FINE if finite(numbers) else FOUND


def _derivatives(call: Job, options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.jac:
        found["value"] = call.ask(lambda f: f)
        named = call.ask(lambda f: jacobian(f, argnums=call.argnums, trust=options.trust))
        found["jacobian"] = _named(call, named)
    else:
        try:
            value, gradient = call.ask(
                lambda f: value_and_grad(f, argnums=call.argnums, trust=options.trust)
            )
        except NonScalarOutputError as error:
            raise UsageError(error.what, "add --jac for all slopes") from None
        found["value"] = value
        found["gradient"] = dict(zip(call.inputs, gradient, strict=True))
    if options.hess:
        found["hessian"] = _named(
            call, call.ask(lambda f: hessian(f, argnums=call.argnums, trust=options.trust))
        )
    return found


def _named(call: Job, found: Any) -> Any:
    """A tuple with an entry per input, as a dictionary, at every depth where it stands."""
    names = list(call.inputs)
    if isinstance(found, tuple) and len(found) == len(names):
        return {n: _named(call, x) for n, x in zip(names, found, strict=True)}
    return found


def _print(call: Job, found: dict[str, Any]) -> None:
    for name, value in found.items():
        if not isinstance(value, dict):
            say(f"{call.name if name == 'value' else name} = {shown(value)}")
            continue
        for inner, part in value.items():
            head = {"gradient": f"∂{call.name}/∂{inner}", "jacobian": f"∂{call.name}/∂{inner}"}
            if name == "hessian" and isinstance(part, dict):
                for other, block in part.items():
                    say(f"∂²{call.name}/∂{inner}∂{other} = {shown(block)}")
            else:
                say(f"{head.get(name, f'{name} {inner}')} = {shown(part)}")


def _write(path: Path, found: dict[str, Any]) -> None:
    """An .npz or .json file of all that was found."""
    if path.suffix == ".npz":
        leaves, paths = tree.flatten(found)[0], tree.paths(found)
        names = [p.replace("']['", ".").strip("[]'") for p in paths]
        arrays: dict[str, Any] = dict(zip(names, map(np.asarray, leaves), strict=True))
        np.savez(path, **arrays)
    elif path.suffix == ".json":
        path.write_text(json.dumps(plain(found)) + "\n", encoding="utf-8")
    else:
        raise UsageError(f"cannot write {path.name!r}", "end the name with .npz or .json")
