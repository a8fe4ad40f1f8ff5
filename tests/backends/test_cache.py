"""Compiled code on disk: private, checked before it is believed, whole under kills and crowds, bounded."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from wengert.backends import cache

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX permissions and signals")
CODE = bytes(range(256)) * 40


@pytest.fixture
def home(tmp_path, monkeypatch):
    where = tmp_path / "code"
    monkeypatch.setenv("WENGERT_CACHE", str(where))
    return where


def entry(home):
    (path,) = home.glob("*.wgo")
    return path


def test_what_was_written_is_read(home):
    name = cache.digest("text", "cpu")
    assert cache.read(name) is None
    cache.write(name, ("exp", "dgemm"), CODE)
    assert cache.read(name) == (("exp", "dgemm"), CODE)
    assert cache.digest("text", "other cpu") != name


def test_the_directory_is_private(home):
    home.mkdir(mode=0o755)
    cache.write("a", (), CODE)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(home).stat().st_mode) & 0o077 == 0


def test_a_link_is_no_directory(home, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    home.symlink_to(tmp_path / "elsewhere")
    cache.write("a", (), CODE)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    """A container's user that is in no table, HOME unset: code is compiled and not kept."""

    def nobody(*_):
        raise RuntimeError("Could not determine home directory.")

    for name in ("WENGERT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cache.Path, "home", nobody)
    cache.write("a", (), CODE)
    assert cache.read("a") is None


@pytest.mark.parametrize("size", [0, 1, 16, 17, 80, 85, 90, 300, len(CODE)])
def test_an_entry_cut_short_is_not_believed(home, size):
    cache.write("a", ("exp",), CODE)
    path = entry(home)
    path.write_bytes(path.read_bytes()[:size])
    assert cache.read("a") is None
    assert not path.exists()  # it will be written again


def test_no_changed_byte_is_believed(home):
    cache.write("a", ("exp",), CODE)
    path = entry(home)
    whole = path.read_bytes()
    for position in range(0, len(whole), 97):
        changed = bytearray(whole)
        changed[position] ^= 4
        path.write_bytes(changed)
        assert cache.read("a") is None
        path.write_bytes(whole)
    assert cache.read("a") == (("exp",), CODE)


def test_an_entry_under_another_name_is_not_believed(home):
    cache.write("a", (), CODE)
    entry(home).rename(home / "b.wgo")
    assert cache.read("b") is None


def test_off_and_unwritable_directories_keep_nothing(home, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for where in ("off", str(tmp_path / "file" / "below")):
        monkeypatch.setenv("WENGERT_CACHE", where)
        assert cache.directory() is None
        cache.write("a", (), CODE)
        assert cache.read("a") is None


def test_it_stays_small_and_keeps_what_was_used_last(home, monkeypatch):
    monkeypatch.setenv("WENGERT_CACHE_MB", "0.05")
    for n in range(10):
        cache.write(f"e{n}", (), CODE)
        past = time.time() - 1000 + n
        for path in home.glob(f"e{n}.wgo"):
            os.utime(path, (past, past))
        cache.read("e0")
    left = {path.stem for path in home.glob("*.wgo")}
    assert sum(path.stat().st_size for path in home.iterdir()) <= 50_000
    assert {"e0", "e9"} <= left
    assert "e1" not in left


def test_it_holds_so_many_entries(home, monkeypatch):
    monkeypatch.setattr(cache, "_MOST", 5)
    for n in range(9):
        cache.write(f"e{n}", (), b"")
        past = time.time() - 1000 + n
        os.utime(home / f"e{n}.wgo", (past, past))
    cache._sizes.clear()  # as in the next process
    cache.write("last", (), b"")
    assert {path.stem for path in home.glob("*.wgo")} == {"e5", "e6", "e7", "e8", "last"}


def test_many_writes_do_not_look_at_all_entries_each(home, monkeypatch):
    looks = []
    listed = cache.os.scandir
    monkeypatch.setattr(cache.os, "scandir", lambda where: looks.append(where) or listed(where))
    for n in range(20):
        cache.write(f"e{n}", (), CODE)
    assert len(looks) == 1
    assert len(list(home.glob("*.wgo"))) == 20


WRITER = """
import sys
from wengert.backends import cache
print("ready", flush=True)
n = 0
while True:
    cache.write("shared", ("exp",), bytes([n % 256]) * 3_000_000)
    n += 1
"""


def writer():
    process = subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def test_a_writer_that_is_killed_leaves_no_broken_entry(home):
    for pause in (0.0, 0.003, 0.007, 0.012):
        process = writer()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = cache.read("shared")
        if found is not None:
            assert len(set(found[1])) == 1
            assert len(found[1]) == 3_000_000
    for half in home.glob("half-*"):  # what it left is swept up once it is old
        os.utime(half, (1, 1))
    cache.write("other", (), CODE)
    assert list(home.glob("half-*")) == []


def test_readers_see_whole_entries_while_others_write(home):
    writers = [writer() for _ in range(2)]
    try:
        seen = 0
        until = time.time() + 1.0
        while time.time() < until or seen == 0:
            found = cache.read("shared")
            if found is not None:
                seen += 1
                assert len(set(found[1])) == 1
                assert len(found[1]) == 3_000_000
    finally:
        for process in writers:
            process.kill()
            process.wait()
            process.stdout.close()
