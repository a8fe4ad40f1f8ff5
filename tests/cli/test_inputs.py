"""What is given to the command line: every form of input, and clear errors for what is none."""

import json

import numpy as np
import pytest
from tests.cli.source import line

from wengert.cli.values import literal

# ---- inputs ------------------------------------------------------------------------------------------


def gradient(run, *at):
    code, out, err = run("grad", "model.py:f", "--at", *at, "--json")
    assert code == 0, err
    return json.loads(out)["gradient"]["x"]


def test_inputs_from_files(run, folder):
    x = np.array([0.5, 1.5])
    np.save(folder / "x.npy", x)
    np.savez(folder / "one.npz", x)
    np.savez(folder / "two.npz", x=x, y=0.0)
    (folder / "x.json").write_text("[0.5, 1.5]")
    (folder / "all.json").write_text('{"x": [0.5, 1.5]}')
    np.savez(folder / "all.npz", x=x)
    for at in (
        "x=x.npy",
        "x.npy",
        "x=one.npz",
        "x=two.npz:x",
        "x=x.json",
        "@all.json",
        "@all.npz",
        "x=[1/2, 3/2]",
    ):
        np.testing.assert_allclose(gradient(run, at), np.sin(2 * x)), at


def test_containers(run):
    out = run("grad", "model.py:tree", "--at", "{'w': [1, 2], 'b': 1}", "--json")[1]
    assert json.loads(out)["gradient"] == {"p": {"w": [2.0, 4.0], "b": 1.0}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2), ("-1.5e3", -1500.0), ("inf", np.inf), ("-inf", -np.inf), ("pi/2", np.pi / 2), ("1+2j", 1 + 2j),
        ("1,", np.array([1])), ("[[1,2],[3,4]]", np.array([[1, 2], [3, 4]])), ("(1, 2)", np.array([1, 2])),
        ("'a'", "a"), ("True", True),
    ],
)  # fmt: skip
def test_literals(text, value):
    found = literal(text)
    np.testing.assert_array_equal(found, value)
    assert np.shape(found) == np.shape(value)


@pytest.mark.parametrize(
    "text", ["", "1,,2", "x", "__import__('os')", "f(2)", "[1, [2, 3]]", "{1: }", "[x for x in y]"]
)
def test_what_is_no_literal_is_an_error_and_never_run(run, text):
    code, _, err = run("grad", "model.py:f", "--at", f"x={text}")
    assert code == 2
    assert "Way out: write numbers as 1,2,3" in err


# ---- errors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["model.py"], 2, "'model.py' names no function"),
        (["modle.py:f"], 2, "there is no file modle.py\n  Way out: did you mean model.py?"),
        (["model.py:ff"], 2, "model.py has no 'ff'\n  Way out: did you mean f?"),
        (["model.py:quite_another"], 2, "it has "),
        (["model.py:LIMIT"], 2, "not a function, but of type int"),
        (["no_module_at_all:f"], 2, "there is no module 'no_module_at_all'"),
        (["bad_syntax.py:f", "--at", "1"], 3, "bad_syntax.py:1: SyntaxError"),
        (["bad_import.py:f", "--at", "1"], 3, "bad_import.py:1: ModuleNotFoundError"),
        (["model.py:f"], 2, "f needs x\n  Way out: add --at x="),
        (["model.py:f", "--at", "y=1"], 2, "f has no parameter 'y'\n  Way out: its parameters are x"),
        (["model.py:f", "--at", "x=1", "x=2"], 2, "x is given twice"),
        (["model.py:f", "--at", "1", "2"], 2, "2 inputs for the 1 parameters of f"),
        (["model.py:f", "--at", "1", "--wrt", "z"], 2, "--wrt names 'z'"),
        (["model.py:f", "--at", "x=none.npy"], 2, "there is no file none.npy"),
        (["model.py:f", "--at", "x=model.py.npz:x"], 2, "there is no file model.py.npz"),
        (["model.py:f", "--at", "x='text'"], 2, "no input holds a float"),
        (["model.py:g", "--at", "x=1,2,3", "w=[[1,2],[3,4]]"], 3, f"{line('x @ w')}: matmul of shapes (3,) and (2, 2)"),
        (["model.py:broken", "--at", "1,2"], 3, f"{line('x[7]')}: "),
        (["model.py:own", "--at", "1"], 3, f"{line('raise')}: RuntimeError: the pump is off"),
        (["model.py:gather", "--at", "1"], 3, f"{line('float(x)')}: float() of a traced"),
    ],
)  # fmt: skip
def test_errors_say_what_where_and_the_way_out(run, words, code, said):
    found, out, err = run("grad", *words)
    assert said in err
    assert found == code
    assert out == ""
    assert "Traceback" not in err
    assert err.startswith("wengert grad: ")


def test_errors_as_json(run):
    code, out, err = run("grad", "model.py:nothing", "--json")
    found = json.loads(out)
    assert (code, found["error"], err) == (2, "UsageError", "")


def test_damaged_files_are_told(run, folder):
    (folder / "x.npy").write_bytes(b"no array")
    (folder / "x.json").write_text("{")
    (folder / "list.json").write_text("[1]")
    np.savez(folder / "two.npz", a=1.0, b=2.0)
    np.save(folder / "objects.npy", np.array([{}], dtype=object))
    for at, said in (
        ("x=x.npy", "x.npy cannot be read"), ("x=x.json", "x.json cannot be read"), ("@list.json", "no inputs by name"),
        ("x=two.npz", "two.npz holds a, b"), ("x=two.npz:c", "not 'c'"), ("x=objects.npy", "cannot be read"),
    ):  # fmt: skip
        code, _, err = run("grad", "model.py:f", "--at", at)
        assert (code, said in err) == (2, True), err
