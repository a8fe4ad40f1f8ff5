"""The command line: right numbers, in every form of input; clear errors; exit codes that programs can trust."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wengert as wg
from wengert.cli.completion import words
from wengert.cli.main import main, parser
from wengert.cli.values import literal

SOURCE = '''
import numpy as np

LIMIT = 3

def f(x):
    return np.sum(np.sin(x) ** 2)

def g(x, w, n=2):
    return np.sum((x @ w) ** n)

def rows(x):
    return x * 2

def tree(p):
    return np.sum(p["w"] ** 2) + p["b"]

def edge(x):
    return np.sqrt(x) * 2

def kink(x):
    return np.maximum(x, 0.5)

def broken(x):
    return np.sum(x) + x[7]

def own(x):
    raise RuntimeError("the pump is off")

def gather(x):
    return float(x) ** 2

class Model:
    @staticmethod
    def loss(x):
        return x ** 3
'''  # fmt: skip


def line(text):
    """file:line of a piece of the source."""
    return f"model.py:{SOURCE[: SOURCE.index(text)].count(chr(10)) + 1}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "model.py").write_text(SOURCE)
    (tmp_path / "bad_syntax.py").write_text("def f(x:\n")
    (tmp_path / "bad_import.py").write_text("import nothing_of_this_name\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def run(folder, capsys):
    def command(*words):
        code = main([str(w) for w in words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return command


# ---- grad --------------------------------------------------------------------------------------------


def test_grad_prints_value_and_gradient(run):
    code, out, err = run("grad", "model.py:f", "--at", "x=1,2,3")
    x = np.array([1.0, 2.0, 3.0])
    assert code == 0
    assert err == ""
    value, gradient = re.fullmatch(r"f = (.*)\n∂f/∂x = \[(.*)\]\n", out).groups()
    assert float(value) == np.sum(np.sin(x) ** 2)
    exact = wg.grad(lambda x: np.sum(np.sin(x) ** 2))(x)
    np.testing.assert_array_equal([float(t) for t in gradient.split(",")], exact)


def test_grad_as_json_with_hessian(run):
    code, out, _ = run("grad", "model.py:f", "--at", "x=1,2", "--hess", "--json")
    found = json.loads(out)
    assert code == 0
    np.testing.assert_allclose(found["gradient"]["x"], np.sin([2.0, 4.0]))
    np.testing.assert_allclose(
        found["hessian"]["x"]["x"], np.diag(2 * np.cos([2.0, 4.0])), atol=1e-15
    )


def test_integers_stay_integers_where_wrt_leaves_them_out(run):
    code, out, _ = run(
        "grad", "model.py:g", "--at", "x=1,2", "w=[[1,2],[3,4]]", "n=3", "--wrt", "x", "--json"
    )
    x, w = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    assert code == 0
    np.testing.assert_allclose(json.loads(out)["gradient"]["x"], 3 * w @ (x @ w) ** 2)
    both = json.loads(run("grad", "model.py:g", "--at", "1,2", "[[1,2],[3,4]]", "--json")[1])
    assert set(both["gradient"]) == {"x", "w"}


def test_several_results_need_jac(run):
    code, _, err = run("grad", "model.py:rows", "--at", "1,2")
    assert code == 2
    assert "add --jac" in err
    code, out, _ = run("grad", "model.py:rows", "--at", "1,2", "--jac", "--json")
    assert (code, json.loads(out)["jacobian"]) == (0, {"x": [[2.0, 0.0], [0.0, 2.0]]})


def test_a_result_that_is_not_finite_has_its_own_exit_code(run):
    code, out, err = run("grad", "model.py:edge", "--at", "x=0", "--json")
    found = json.loads(out)
    assert (code, found["gradient"]["x"], err) == (1, "inf", "")
    assert "sqrt" in found["warnings"][0]
    code, out, err = run("grad", "model.py:edge", "--at", "x=0")
    assert code == 1
    assert "return np.sqrt(x) * 2" in err


def test_methods_of_classes_and_modules_by_name(run):
    assert json.loads(run("grad", "model.py:Model.loss", "--at", "2", "--json")[1])["gradient"] == {
        "x": 12.0
    }
    found = json.loads(run("grad", "numpy:tanh", "--at", "0", "--json")[1])
    assert list(found["gradient"].values()) == [1.0]


@pytest.mark.parametrize("end", ["npz", "json"])
def test_out_writes_all_numbers(run, folder, end):
    assert run("grad", "model.py:f", "--at", "1,2", "--out", f"found.{end}")[0] == 0
    exact = np.sin([2.0, 4.0])
    if end == "npz":
        np.testing.assert_allclose(np.load(folder / "found.npz")["gradient.x"], exact)
    else:
        np.testing.assert_allclose(
            json.loads((folder / "found.json").read_text())["gradient"]["x"], exact
        )
    code, _, err = run("grad", "model.py:f", "--at", "1,2", "--out", "found.txt")
    assert (code, "end the name with .npz or .json" in err) == (2, True)


def test_trust_repairs(run):
    (Path("model.py")).write_text(SOURCE + "\ndef cancels(x):\n    return (1 - np.cos(x)) / x**2\n")
    plain = json.loads(run("grad", "model.py:cancels", "--at", "1e-6", "--json")[1])
    code, out, err = run("grad", "model.py:cancels", "--at", "1e-6", "--trust", "repair", "--json")
    found = json.loads(out)
    assert plain["gradient"]["x"] < -80
    assert (code, err) == (0, "")
    assert abs(found["gradient"]["x"] + 1e-6 / 12) < 1e-16
    assert "1 repaired" in found["warnings"][0]


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


# ---- check -------------------------------------------------------------------------------------------


def test_check_believes_what_is_right(run):
    code, out, _ = run("check", "model.py:f", "--at", "1,2")
    assert code == 0
    assert "every entry is what differences measure, in both modes" in out
    assert [x["kind"] for x in json.loads(run("check", "model.py:f", "--at", "1,2", "--json")[1])["findings"]] == ["ok"] * 7  # fmt: skip


def test_check_does_not_believe_what_is_wrong(run):
    code, out, _ = run("check", "model.py:edge", "--at", "0")
    assert code == 1
    assert "wrong: the derivative is not finite" in out
    assert line("np.sqrt(x) * 2") in out


def test_check_all_over_a_box(run):
    code, out, _ = run("check", "model.py:f", "--box", "x=[0,0]:[1,2]", "--samples", "4")
    assert (code, out) == (0, "f at 4 points of the box: 4 ok\n")
    code, out, _ = run("check", "model.py:edge", "--box", "x=-1:1", "--samples", "8", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["counts"]["ok"] + found["counts"]["wrong"] == 8
    assert found["findings"][0]["at"].startswith("x = -")
    assert (
        run("check", "model.py:edge", "--box", "x=-1:1", "--samples", "8", "--json")[1] == out
    )  # the seed


def test_a_box_takes_fixed_inputs_beside(run):
    code, out, _ = run(
        "check", "model.py:g", "--box", "x=[0,0]:[1,1]", "--at", "w=[[1,2],[3,4]]", "--samples", "2"
    )
    assert (code, out) == (0, "g at 2 points of the box: 2 ok\n")


@pytest.mark.parametrize("side", ["x", "x=1", "x=2:1", "x=[0,0]:[1]", "y=0:1"])
def test_sides_that_are_none_are_errors(run, side):
    code, _, err = run("check", "model.py:f", "--box", side)
    assert (code, "Way out" in err) == (2, True)


# ---- pictures ----------------------------------------------------------------------------------------


def test_draw_prints_or_writes(run, folder):
    code, out, _ = run("draw", "model.py:f", "--at", "1,2", "--derivatives")
    assert (code, out.startswith("flowchart TD")) == (0, True)
    assert "∂v1/∂x = cos(x)" in out
    assert run("draw", "model.py:f", "--at", "1,2", "--form", "dot")[1].startswith("digraph")
    code, out, _ = run("draw", "model.py:f", "--at", "1,2", "-o", "f.svg")
    assert (code, out) == (0, "f.svg\n")
    assert (folder / "f.svg").read_text().startswith("<svg")
    found = json.loads(run("draw", "model.py:f", "--at", "1,2", "--json")[1])
    assert [n["lines"][0] for n in found["nodes"]] == [
        "x",
        "v1 = sin(x)",
        "v2 = v1²",
        "v3 = sum(v2)",
    ]
    code, _, err = run("draw", "model.py:f", "--at", "1,2", "-o", "none/f.svg")
    assert (code, "there is no folder none" in err) == (2, True)


def test_trace_prints_the_table(run):
    assert "∂v2/∂v1 = 2·v1" in run("trace", "model.py:f", "--at", "1,2")[1]
    rows = json.loads(run("trace", "model.py:f", "--at", "1,2", "--json")[1])["rows"]
    np.testing.assert_allclose(rows[0]["adjoint"], np.sin([2.0, 4.0]))


def test_page_writes_a_page(run, folder, monkeypatch):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    code, out, _ = run("page", "model.py:f", "--at", "1,2", "--open")
    assert (code, out) == (0, "f.html\n")
    assert shown == [(folder / "f.html").as_uri()]
    assert "np.sin(x)" in (folder / "f.html").read_text()
    assert (
        json.loads(run("page", "model.py:f", "--at", "1,2", "--json", "-o", "g.html")[1])["file"]
        == "g.html"
    )


# ---- export ------------------------------------------------------------------------------------------


def test_export_writes_a_header(run, folder):
    code, out, _ = run("export", "model.py:f", "--at", "1,2", "--grad", "--hvp", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["files"], found["functions"]) == (["f.hpp"], ["value", "gradient", "hvp"])
    header = (folder / "f.hpp").read_text()
    assert "inline int gradient(const double*" in header
    assert "return np.sum(np.sin(x) ** 2)" in header
    code, out, _ = run("export", "model.py:f", "--at", "1,2", "--c", "--float", "-o", "slope.h")
    assert (code, out.split()) == (0, ["slope.h", "slope.c"])
    assert "float" in (folder / "slope.h").read_text()
    (folder / "sub").mkdir()
    assert (
        run("export", "model.py:rows", "--at", "1,2", "--name", "twice", "-o", "sub")[1]
        == "sub/twice.hpp\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--at", "1,2", "-o", "none/f.hpp"], 2, "there is no folder none"),
        (["--at", "1,2", "-o", "f.txt"], 2, "f.txt is no name for a header"),
        (["--at", "1,2", "--c", "-o", "f.hpp"], 2, "end it with .h"),
        ([], 2, "f needs x"),
    ],
)
def test_export_says_what_is_wrong(run, words, code, said):
    found, _, err = run("export", "model.py:f", *words)
    assert (found, said in err) == (code, True), err


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ on this machine")
def test_what_is_exported_passes_its_own_test(run, folder):
    words = [
        "export",
        "model.py:g",
        "--at",
        "x=1,2",
        "w=[[1,2],[3,4]]",
        "n=3",
        "--wrt",
        "x,w",
        "--grad",
        "--test",
    ]
    code, out, _ = run(*words)
    assert (code, sorted(out.split())) == (0, ["CMakeLists.txt", "g.hpp", "g_test.cpp"])
    subprocess.run(["g++", "-std=c++17", "-o", "g_test", "g_test.cpp"], cwd=folder, check=True)
    subprocess.run([folder / "g_test"], check=True, capture_output=True)


# ---- the others --------------------------------------------------------------------------------------


def test_bench_compares(run):
    code, out, _ = run("bench", "model.py:f", "--at", "1,2", "--seconds", "0.01", "--json")
    times = json.loads(out)["seconds"]
    assert code == 0
    assert {"the function", "gradient", "central differences"} <= set(times)
    assert all(t > 0 for t in times.values())
    assert "× the function" in run("bench", "--seconds", "0.01")[1]
    assert "Jacobian" in run("bench", "model.py:rows", "--at", "1,2", "--seconds", "0.01")[1]


def test_doctor_looks_and_tests(run, monkeypatch):
    code, out, _ = run("doctor", "--json")
    found = json.loads(out)
    assert (code, found["healthy"]) == (0, True)
    assert found["versions"]["numpy"] == np.__version__
    assert set(found["self-test"]) == {
        "reverse mode",
        "forward mode",
        "second order",
        "native code",
        "repair by balls",
        "graphs",
    }
    assert "exp" in found["back ends"]["vector math"] or "none" in found["back ends"]["vector math"]
    monkeypatch.setattr(
        "wengert.cli.doctor.CHECKS", {"arithmetic": lambda: "off by 1", "rest": lambda: 1 / 0}
    )
    code, out, _ = run("doctor")
    assert code == 1
    assert "arithmetic, rest: does not work" in out
    assert "ZeroDivisionError" in out


def test_the_tour_runs_what_it_shows(run):
    code, out, _ = run("tour", "--fast")
    assert code == 0
    for part in (
        "array([0.        , 0.84147098, 0.90929743])",
        "[0., 0., 2.]]",
        "∂v3/∂x = v2",
        "`maximum` chose",
    ):
        assert part in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command_and_option(run, shell):
    script = run("completion", shell)[1]
    for name, options in words(parser()).items():
        assert name in script
        for option in options:
            assert (option if shell != "fish" else f"-l {option[2:]}") in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(run, folder):
    script = run("completion", "bash")[1]
    ask = 'COMP_WORDS=(wengert {}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _wengert; echo "${{COMPREPLY[@]}}"'
    for typed, expected in (
        ("gr", "grad"),
        ("draw --der", "--derivatives"),
        ("grad mod", "model.py"),
    ):
        done = subprocess.run(["bash", "-c", f"{script}\n{ask.format(typed)}"], capture_output=True, text=True, check=True)  # fmt: skip
        assert done.stdout.strip() == expected


def test_without_a_command_the_help_is_printed(run):
    code, out, _ = run()
    assert code == 2
    assert "exit codes: 0 fine" in out
    assert run("--version")[1] == f"wengert {wg.__version__}\n"


@pytest.mark.parametrize("command", sorted(words(parser())))
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert "exit codes" in out


@pytest.mark.parametrize(
    "words", [["gard"], ["draw", "m.py:f", "--limit", "0"], ["draw", "m.py:f", "--by", "file"]]
)
def test_argparses_own_errors_are_usage_errors(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_python_m_and_pipes(folder):
    source = str(Path(wg.__file__).parent.parent)
    env = os.environ | {"PYTHONPATH": source}
    words = [sys.executable, "-m", "wengert", "grad", "model.py:f", "--at", "1,2", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=env, cwd=folder, check=False)
    assert done.returncode == 0
    assert list(json.loads(done.stdout)) == ["function", "value", "gradient", "warnings"]
    closed = subprocess.run(
        f"{' '.join(words[:3])} trace model.py:f --at 1,2 | true", shell=True, capture_output=True, text=True, env=env, cwd=folder, check=False,
    )  # fmt: skip
    assert "Traceback" not in closed.stderr
