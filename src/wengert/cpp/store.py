"""Compiled libraries on disk, in a private directory: by content, never half written.

An entry is a library and a small record beside it: the digest of the library, and those of the
user's files that went into it, so that a changed header is noticed. Both are written aside and
renamed, so processes that compile the same thing at once do not disturb each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from wengert.backends.cache import directory as cache_directory


@cache
def directory() -> Path:
    """Where compiled libraries are kept: beside the other machine code (`backends.cache`).

    Where there is no such place, or caching is off, it is a directory for this process alone.
    """
    home = cache_directory()
    if home is None:
        return Path(_temporary().name)
    path = home / "cpp"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="wengert-")  # removed when the process ends


def digest(*parts: str | bytes) -> str:
    """A digest of texts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def library(key: str, build: Callable[[Path], Iterable[Path]]) -> Path:
    """The library of `key`: found, or made by `build(path)`, which says what files it was made of."""
    home = directory()
    record = home / f"{key}.json"
    found = _found(home, record)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix=".making-", dir=home) as place:
        made = Path(place) / "library.so"
        files = {str(f): _file_digest(f) for f in build(made)}
        content = made.read_bytes()
        # another content has another name: a library that is loaded is never written over
        name = f"{key[:24]}-{digest(content)[:16]}.so"
        os.replace(made, home / name)
        text = json.dumps({"library": name, "digest": digest(content), "files": files})
        draft = Path(place) / "record.json"
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, record)
    return home / name


def _found(home: Path, record: Path) -> Path | None:
    """An entry that is whole and whose files are unchanged."""
    try:
        entry = json.loads(record.read_text(encoding="utf-8"))
        path = home / Path(entry["library"]).name
        if digest(path.read_bytes()) != entry["digest"]:
            return None
        if any(_file_digest(Path(f)) != d for f, d in entry["files"].items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return path


def _file_digest(path: Path) -> str:
    return digest(path.read_bytes())
