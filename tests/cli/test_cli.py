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
from tests.cli.source import SOURCE, line

import wengert as wg
from wengert.cli.completion import words
from wengert.cli.main import main, parser

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
