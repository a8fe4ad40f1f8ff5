"""Compiled code on disk, so that the next process need not compile it again.

An entry is one file: a line that says what it is, a checksum, and then the names that the code asks for
and the object code. Its name is a digest of the LLVM text and of all that the code depends on. Nothing is
believed before the checksum is right: LLVM never sees a byte of a file that was cut short or changed. Files are
written beside their place and moved there, so that readers, also in other processes, see whole ones only.

The directory is private (0700): whoever can write there can run code here. `WENGERT_CACHE` names another
directory, or is "off". It is kept below `WENGERT_CACHE_MB` megabytes (256) and 20 000 entries: those used least recently go.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
import time
from pathlib import Path

_MAGIC = b"wengert object 1\n"
_SUFFIX = ".wgo"
_sizes: dict[Path, int] = {}  # of directories, as this process knows them
_MOST = 20_000  # entries: to look at each takes the first write of a process some microseconds
_ONCE = 1000  # of those above, so many go at a time
_STALE = 3600.0  # seconds after which a half-written file is known to be abandoned


def directory() -> Path | None:
    """Where entries are, made and found private; None where caching is off or impossible."""
    named = os.environ.get("WENGERT_CACHE")
    if named is not None and named.lower() in ("off", "0", ""):
        return None
    try:
        path = Path(named) if named else _default() / "wengert"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except (
        OSError,
        RuntimeError,
    ):  # no permission, no room; nobody at home (HOME unset, no such user)
        return None
    if not stat.S_ISDIR(found.st_mode):
        return None
    if hasattr(os, "getuid"):
        if found.st_uid != os.getuid():
            return None
        if found.st_mode & 0o077:
            try:
                path.chmod(0o700)
            except OSError:
                return None
    return path


def _default() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def digest(*parts: str) -> str:
    """The name of an entry."""
    text = "\0".join(parts).encode()
    return hashlib.blake2b(text, digest_size=20).hexdigest()


def read(name: str) -> tuple[tuple[str, ...], bytes] | None:
    """(names that the code asks for, object code), or None where there is no sound entry."""
    where = directory()
    if where is None:
        return None
    path = where / (name + _SUFFIX)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    found = _opened(data, name)
    with contextlib.suppress(OSError):
        if found is None:
            path.unlink()
        else:
            os.utime(path)
    return found


def write(name: str, symbols: tuple[str, ...], code: bytes) -> None:
    """Keep an entry; where that fails (a full disk, no permission) nothing is kept."""
    where = directory()
    if where is None:
        return
    data = _closed(symbols, code, name)
    try:
        handle, temporary = tempfile.mkstemp(prefix="half-", dir=where)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, where / (name + _SUFFIX))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return
    _bound(where, len(data))


def _closed(symbols: tuple[str, ...], code: bytes, name: str) -> bytes:
    head = " ".join(symbols).encode()
    body = len(head).to_bytes(4, "little") + head + code
    return _MAGIC + hashlib.blake2b(name.encode() + body).digest() + body


def _opened(data: bytes, name: str) -> tuple[tuple[str, ...], bytes] | None:
    begin = len(_MAGIC) + 64
    body = data[begin:]
    if not data.startswith(_MAGIC) or len(body) < 4:
        return None
    if hashlib.blake2b(name.encode() + body).digest() != data[len(_MAGIC) : begin]:
        return None
    length = int.from_bytes(body[:4], "little")
    return tuple(body[4 : 4 + length].decode().split()), body[4 + length :]


def _bound(where: Path, added: int) -> None:
    """Let the entries used least recently go until the rest is small enough.

    All entries are looked at once, and again only when what was added since then may be too much.
    """
    limit = float(os.environ.get("WENGERT_CACHE_MB", "256")) * 1e6
    if where in _sizes and _sizes[where] + added <= limit:
        _sizes[where] += added
        return
    entries: list[tuple[float, int, Path]] = []
    now = time.time()
    with contextlib.suppress(OSError), os.scandir(where) as listed:  # (closed also by Ctrl-C)
        for entry in listed:
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if entry.name.endswith(_SUFFIX):
                    entries.append((found.st_mtime, found.st_size, Path(entry.path)))
                elif entry.name.startswith("half-") and now - found.st_mtime > _STALE:
                    os.unlink(entry.path)
    total = sum(size for _, size, _ in entries)
    many = min(len(entries) - _MOST, _ONCE)
    for number, (_, size, path) in enumerate(sorted(entries)):
        if total <= limit and number >= many:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
    _sizes[where] = total
