"""Compiled programs on disk: the next process makes none of it again, and nothing stale or broken is believed."""

import os
import subprocess
import sys

import numpy as np
import pytest

import wengert as wg
from wengert.backends import cache
from wengert.ir import source
from wengert.memo import compiled, making, shelf, spelled

pytest.importorskip("llvmlite")
X = np.linspace(0.1, 1.0, 40)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "code"))
    monkeypatch.setattr(source, "loaded", np.inf)  # (somebody may be at work on them)
    state = shelf._state
    state.cache_clear()
    compiled.forget()
    yield tmp_path / "code"
    state.cache_clear()
    compiled.forget()


class Made(Exception):
    pass


def nothing_is_made(monkeypatch):
    """From here on whoever simplifies or lowers fails."""

    def fails(*args, **kwargs):
        raise Made

    for name in ("simplified", "keyed", "source"):
        monkeypatch.setattr(making, name, fails)


def picked(x, k):
    return np.sum(x[k] * x[:3])


def rooted(x):
    return wg.while_loop(lambda y: y < 10.0, lambda y: y * 1.5 + 0.25, np.sum(x))


CASES = {
    "elementwise": (lambda x: np.sum(np.sin(x) * 1.234 + np.exp(-x)), (X,)),
    "small": (lambda x: x[0] * x[1] / (2.5 + x[2] * x[2]), (X[:3],)),
    "a table": (lambda x: np.sum(x * np.arange(40) % 7), (X,)),
    "numbers picked": (picked, (X, np.array([3, -1, 5]))),
    "a matrix": (lambda x: np.sum(np.linalg.solve(np.diag(x) + 0.125, x)), (X[:5],)),
    "a loop": (rooted, (X,)),
    "examples": (
        lambda x: np.sum(wg.vmap(lambda r: np.sqrt(np.sum(r * r)))(x.reshape(20, 2))),
        (X,),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_compiled_before_is_called_without_being_made_again(name, home, monkeypatch):
    f, args = CASES[name]
    first = wg.jit(wg.value_and_grad(f))(*args)
    compiled.forget()
    nothing_is_made(monkeypatch)
    again = wg.jit(wg.value_and_grad(f))(*args)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "f",
    [lambda x: np.sum(x * 1.235), lambda x: np.sum(x[:-1] * 1.234), lambda x: np.sum(x - 1.234)],
    ids=["constant", "extent", "operation"],
)
def test_another_program_is_made(f, home, monkeypatch):
    wg.jit(lambda x: np.sum(x * 1.234))(X)
    compiled.forget()
    nothing_is_made(monkeypatch)
    with pytest.raises(Made):
        wg.jit(f)(X)


def test_another_wengert_makes_it_again(home, monkeypatch):
    f = CASES["elementwise"][0]
    first = wg.jit(f)(X)
    compiled.forget()
    monkeypatch.setattr(shelf, "_state", lambda: ("another",))
    assert wg.jit(f)(X) == first
    assert len(list(home.iterdir())) == 3  # one object code, and two programs that lead to it
    compiled.forget()
    nothing_is_made(monkeypatch)
    monkeypatch.setattr(shelf, "_state", lambda: ("a third",))
    with pytest.raises(Made):
        wg.jit(f)(X)


def test_files_that_changed_while_the_process_runs_speak_for_nothing(monkeypatch):
    monkeypatch.setattr(source, "loaded", np.inf)
    assert shelf._state.__wrapped__() is not None
    monkeypatch.setattr(source, "loaded", 0.0)
    assert shelf._state.__wrapped__() is None


def test_without_a_directory_nothing_is_kept(home, monkeypatch):
    monkeypatch.setenv("WENGERT_CACHE", "off")
    wg.jit(lambda x: np.sum(x * 1.234))(X)
    assert not home.exists()


def test_entries_that_are_damaged_or_lead_nowhere_are_made_again(home):
    f = CASES["elementwise"][0]
    first = wg.jit(f)(X)
    for victim in sorted(home.iterdir()):
        whole = victim.read_bytes()
        for broken in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
            victim.write_bytes(broken)
            compiled.forget()
            assert wg.jit(f)(X) == first
            assert victim.read_bytes() == whole
        victim.unlink()
        compiled.forget()
        assert wg.jit(f)(X) == first
        assert victim.read_bytes() == whole


def test_a_sound_entry_that_holds_something_else_is_not_believed(home):
    f = CASES["elementwise"][0]
    first = wg.jit(f)(X)
    name = shelf.name_of(wg.jit(f).version_for(X).compiled.original)
    kept = cache.read(name)
    for payload in (b"", b"nonsense", kept[1][:-3]):
        cache.write(name, kept[0], payload)
        compiled.forget()
        assert wg.jit(f)(X) == first


def test_reasons_to_stop_tell_the_line_of_the_function_at_hand(home):
    def first(x, k):
        return np.sum(x[k] * x[:3])

    def second(x, k):
        return np.sum(x[k] * x[:3])

    k = np.array([0, 1, 99])
    for _ in range(2):  # made, then read
        for f in (first, second):
            compiled.forget()
            where = f"test_shelf.py:{f.__code__.co_firstlineno + 1}"
            with pytest.raises(IndexError, match=where):
                wg.jit(f)(X, k)


def test_what_turns_to_python_has_no_place(home):
    op = wg.custom_vjp(lambda x: np.sin(x))
    op.defvjp(lambda x: (np.sin(x), x), lambda x, g: (g * np.cos(x),))
    version = wg.jit(lambda x: np.sum(op(x) * 1.5)).version_for(X)
    with pytest.raises(spelled.NoSpelling):
        spelled.structure(wg.jit(wg.vmap(op)).version_for(X).compiled.original)
    assert shelf.name_of(version.compiled.original) is None
    sort = wg.jit(lambda x: np.sum(np.sort(x) * 1.25)).version_for(X)
    assert sort.compiled.code.needs.callbacks
    assert shelf.name_of(sort.compiled.original) not in {p.stem for p in home.iterdir()}


def test_code_from_disk_is_explained_like_any(home):
    f = CASES["elementwise"][0]
    made = wg.explain_compile(f)(X)
    compiled.forget()
    read = wg.explain_compile(f)(X)
    assert read.cached
    assert not made.cached
    assert (read.llvm, read.loops, read.workspace) == (made.llvm, made.loops, made.workspace)
    assert "lower" not in read.seconds
    assert {"trace", "key", "link"} <= read.seconds.keys()


ELSEWHERE = """
import sys
import numpy as np
import wengert as wg
from wengert.memo import making
if sys.argv[1] == "again":
    making.simplified = making.source = None
f = wg.jit(wg.grad(lambda x: np.sum(np.sin(x) * 1.234 + x[0] * x[np.array([1, 2])].sum())))
print(f(np.linspace(0.1, 1.0, 40)).tobytes().hex())
"""


def test_another_process_finds_it_whatever_its_hashes(home):
    def told(what, seed):
        setting = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", ELSEWHERE, what]
        return subprocess.run(command, env=setting, capture_output=True, text=True, check=True)

    assert told("first", "1").stdout == told("again", "2").stdout
