"""The C++ compiler of the machine: found, asked for its version, run, and its messages shortened."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from wengert.errors import CppError
from wengert.ir import source

INCLUDE = Path(__file__).parent / "include"
STANDARD = ("-std=c++17", "-O2", "-fPIC", "-shared")
_NAMES = ("g++", "clang++", "c++")
_EIGEN = (
    "/usr/include/eigen3",
    "/usr/local/include/eigen3",
    "/opt/homebrew/include/eigen3",
    "/opt/local/include/eigen3",
)


def find_compiler(chosen: str | None = None) -> str:
    """Path of the compiler: the chosen one, `$CXX`, or the first of g++, clang++, c++."""
    asked = chosen or os.environ.get("CXX")
    for name in (asked,) if asked else _NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    what = f"the C++ compiler {asked!r} was not found" if asked else "no C++ compiler was found"
    raise CppError(
        what,
        "install g++ or clang++ (Debian, Ubuntu: apt-get install g++; macOS: xcode-select --install), "
        "or name one with compiler=... or the environment variable CXX",
        source.here(),
    )


@cache
def version(compiler: str) -> str:
    """What the compiler says of itself; part of every key."""
    return subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, check=False
    ).stdout


def find_eigen() -> str | None:
    """The directory that holds `Eigen/Core`, or None: `$EIGEN3_INCLUDE_DIR`, conda's, the usual ones."""
    conda = os.environ.get("CONDA_PREFIX")
    places = [
        os.environ.get("EIGEN3_INCLUDE_DIR"),
        f"{conda}/include/eigen3" if conda else None,
        *_EIGEN,
    ]
    return next((p for p in places if p and (Path(p) / "Eigen" / "Core").exists()), None)


class Text(NamedTuple):
    """The user's text, as messages speak of it: its file (None: a text alone), a name, the function's line."""

    path: Path | None
    name: str
    function: str
    line: int | None


def compile_library(
    compiler: str, unit: str, target: Path, flags: tuple[str, ...], user: Text
) -> list[Path]:
    """Compile a text to the library `target`; returns the user's files that it includes."""
    written, listing = target.with_suffix(".cpp"), target.with_suffix(".d")
    written.write_text(unit, encoding="utf-8")
    command = [
        compiler, *STANDARD, *flags, "-isystem", str(INCLUDE), "-MMD", "-MF", str(listing),
        "-o", str(target), str(written),
    ]  # fmt: skip
    plain = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, env=plain
    )
    if done.returncode != 0 or not target.exists():
        raise refused(done.stderr, user, compiler)
    return [f for f in _listed(listing) if f != written and INCLUDE not in f.parents]


def _listed(listing: Path) -> list[Path]:
    """Files named in a rule that the compiler wrote for make."""
    text = listing.read_text(encoding="utf-8").replace("\\\n", " ").partition(": ")[2]
    return [Path(p.replace("\\ ", " ")) for p in re.split(r"(?<!\\)\s+", text.strip()) if p]


_OURS = re.compile(r"static assertion failed[^:]*: \"?wengert: ([^\"]*)")


def refused(said: str, user: Text, compiler: str) -> CppError:
    """The compiler's message in a few lines, told from the user's line."""
    lines = said.splitlines()
    errors = [n for n, line in enumerate(lines) if re.search(r"\berror: ", line)]
    if not errors:
        text = "\n".join(lines[-4:]) or "it says nothing"
        return CppError(f"{Path(compiler).name} failed: {text}", "", source.here())
    mine = re.compile(re.escape(str(user.path or user.name)) + r":(\d+)")
    about = next((m for n in errors if (m := _OURS.search(lines[n]))), None)
    if about is not None:
        what, _, way = about.group(1).partition("; ")
        return CppError(f"{_at(user, None)}: {what}", way, source.here())
    first = errors[0]
    place = mine.match(lines[first])
    # if it surfaced in a header: which of the user's lines led there?
    around = (*reversed(lines[:first]), *lines[first + 1 :])
    near = place or next((m for line in around if (m := mine.search(line))), None)
    what = lines[first].partition("error: ")[2]
    what = what if len(what) <= 300 else what[:297] + "..."
    if place is None and near is not None:
        what += f" (in {'/'.join(Path(lines[first].partition(':')[0]).parts[-2:])})"
    at = _at(user, near.group(1) if near else None)
    return CppError(f"{at}: {what}{_shown(lines, near)}", _way_out(said, user), source.here())


def _at(user: Text, line: str | None) -> str:
    name, here = user.path.name if user.path else user.name, line or user.line
    return f"{name}:{here}" if here else name


def _shown(lines: list[str], where: re.Match[str] | None) -> str:
    """The user's line, as g++ and clang++ print it below a message."""
    if where is None:
        return ""
    pattern = re.compile(rf"^\s*{where.group(1)} \| (.*)$")
    shown = next((m for line in lines if (m := pattern.match(line))), None)
    return "" if shown is None else "\n    " + shown.group(1).strip()


def _way_out(said: str, user: Text) -> str:
    if re.search(r"Eigen\S*: No such file|'(unsupported/)?Eigen\S*' file not found", said):
        return (
            "install Eigen (Debian, Ubuntu: apt-get install libeigen3-dev), or say where it is: "
            "include=['...'] or the environment variable EIGEN3_INCLUDE_DIR"
        )
    if re.search(rf"'{re.escape(user.function)}' was not declared|undeclared identifier", said):
        return f"name a function template that the text defines; {user.function!r} was asked for"
    if "AutoDiffScalar" in said:
        return 'Eigen\'s AutoDiffScalar cannot do this; backend="wengert" knows more functions'
    return (
        f"write it for any number type: template <class T> T {user.function}(const T& x), "
        "with T(1) for constants and no double in between"
    )
