# PYTHON_ARGCOMPLETE_OK
"""The command `wengert`: its parser, its commands, its exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from wengert.cli.failure import RAISED, USAGE, Raised, UsageError
from wengert.cli.output import complain, say, tell
from wengert.cli.target import where
from wengert.errors import WengertError
from wengert.trust.policies import LEVELS

_CODES = """\
exit codes: 0 fine; 1 a check found something, or a result is not finite; 2 the command, a file or an
input is wrong; 3 the function, or differentiating it, raised an error.
"""
_INPUTS = """\
inputs: --at x=1,2,3 (an array), x=2 (a number), "p={'w': [1, 2]}" (a container), x=data.npy,
x=data.npz:name, x=point.json; @point.json or @data.npz for all by name; without a name, by place.
Without --wrt all inputs count that hold floats, and numbers written out are floats.
"""
_AT = f"{_INPUTS}\n{_CODES}"


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="wengert", description="Derivatives of plain NumPy code, checked and drawn.", epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    top.add_argument("--version", action="store_true", help="print the version")
    commands = top.add_subparsers(dest="command", metavar="command")

    def command(name: str, run: str, help: str, epilog: str = _CODES) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=help, description=help[0].upper() + help[1:] + ".", epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        sub.set_defaults(run=run)
        return sub

    tour = command("tour", "tour:tour_command", "what this is, on one screen")
    tour.add_argument("--fast", action="store_true", help="without pauses")

    grad = command("grad", "derive:grad_command", "value and derivatives of a function", _AT)
    _target(grad)
    grad.add_argument("--hess", action="store_true", help="the Hessian too")
    grad.add_argument(
        "--jac", action="store_true", help="the Jacobian, of a function with several results"
    )
    grad.add_argument(
        "--trust", choices=LEVELS, default="report", help="how closely to look (report)"
    )
    grad.add_argument("--out", metavar="FILE", help="write all numbers to an .npz or .json file")

    check = command("check", "check:check_command", "can the derivatives be believed?", _AT)
    _target(check)
    check.add_argument("--box", nargs="+", metavar="x=low:high", action="extend", help="draw points from a box")  # fmt: skip
    check.add_argument("--samples", type=_positive, default=20, help="so many points (20)")
    check.add_argument("--seed", type=int, default=0, help="of the random points (0)")

    export = command("export", "export:export_command", "a function and its derivatives as C++ or C", _AT)  # fmt: skip
    _target(export)
    export.add_argument("--grad", action="store_true", help="the gradient")
    export.add_argument(
        "--value-and-grad", action="store_true", help="value and gradient in one function"
    )
    export.add_argument("--jac", action="store_true", help="the Jacobian")
    export.add_argument("--jvp", action="store_true", help="the Jacobian times a vector")
    export.add_argument("--vjp", action="store_true", help="a vector times the Jacobian")
    export.add_argument("--hess", action="store_true", help="the Hessian")
    export.add_argument("--hvp", action="store_true", help="the Hessian times a vector")
    export.add_argument("--c", action="store_true", help="C99 instead of C++17")
    export.add_argument("--float", action="store_true", help="single precision")
    export.add_argument(
        "--strict", action="store_true", help="keep every nan and infinity where Python has it"
    )
    export.add_argument("--name", help="what it is called there (as here)")
    export.add_argument(
        "--test", action="store_true", help="a test program and a CMakeLists.txt too"
    )
    export.add_argument("-o", "--out", metavar="FILE", help="the header, or a folder (NAME.hpp)")

    draw = command("draw", "look:draw_command", "the computation as a graph", _AT)
    _target(draw)
    draw.add_argument("--derivatives", action="store_true", help="with the way back")
    draw.add_argument("--by", choices=("line", "function", "none"), default="line", help="how boxes are grouped (line)")  # fmt: skip
    draw.add_argument("--limit", type=_positive, default=200, help="at most so many boxes (200)")
    draw.add_argument("--form", choices=("mermaid", "dot"), default="mermaid", help="the text that is printed")  # fmt: skip
    draw.add_argument("-o", "--out", metavar="FILE", help=".svg .png .pdf .dot .mmd .html")

    trace = command("trace", "look:trace_command", "every value, local derivative and adjoint", _AT)
    _target(trace)

    page = command("page", "look:page_command", "one HTML page with everything about a call", _AT)
    _target(page)
    page.add_argument("-o", "--out", metavar="FILE", help="the file (NAME.html)")
    page.add_argument("--open", action="store_true", help="show it in the browser")

    bench = command("bench", "bench:bench_command", "what a call and its derivative cost", _AT)
    _target(bench, needed=False)
    bench.add_argument("--seconds", type=float, default=0.3, help="spent on each row (0.3)")

    doctor = command("doctor", "doctor:doctor_command", "what is installed, and does it work?")
    doctor.add_argument("--json", action="store_true", help="print one JSON object")

    completion = command("completion", "completion:completion_command", "completion for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    return top


def _target(sub: argparse.ArgumentParser, needed: bool = True) -> None:
    sub.add_argument(
        "target", nargs=None if needed else "?", metavar="file.py:f", help="the function"
    )
    sub.add_argument(
        "--at", nargs="+", action="extend", metavar="x=…", help="the inputs, see below"
    )
    sub.add_argument("--wrt", metavar="x,y", help="the inputs to differentiate by")
    sub.add_argument("--json", action="store_true", help="print one JSON object")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not positive")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    top = parser()
    with suppress(ImportError):
        import_module("argcomplete").autocomplete(top)
    options = top.parse_args(argv)
    if options.version:
        say(f"wengert {import_module('wengert').__version__}")
        return 0
    if options.command is None:
        top.print_help()
        return USAGE
    options.parser = top
    file, _, name = options.run.partition(":")
    run: Callable[[argparse.Namespace], int] = getattr(import_module(f"wengert.cli.{file}"), name)
    try:
        return run(options)
    except UsageError as error:
        return _failed(options, USAGE, error)
    except (Raised, WengertError) as error:
        return _failed(options, RAISED, error)
    except BrokenPipeError:  # `wengert … | head`
        sys.stderr.close()
        return 0


def _failed(options: argparse.Namespace, code: int, error: Exception) -> int:
    if isinstance(error, WengertError):  # by her line in the file, not by how it was called
        error = type(error)(error.what, error.way_out, where(error))
    if getattr(options, "json", False):
        found: dict[str, Any] = {"error": type(error).__name__, "message": str(error)}
        tell(found)
    else:
        complain(f"wengert {options.command}: {error}")
    return code
