"""draw: every equation stands in the graph once, with its numbers; large graphs fold; texts are well-formed."""

import re
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.draw import models
from tests.draw.models import loss, overflow, two_functions, wave

import wengert as wg
from wengert.draw import graph as graph_file
from wengert.draw.flow import draw
from wengert.draw.layers import layers, picture
from wengert.errors import InputError

W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz's dot is not there")


def test_the_room_is_the_function():
    assert repr(wg.draw(loss)(W)) == repr(draw(loss)(W))
    assert "graph" in wg.draw.__doc__


def test_a_box_per_equation_grouped_by_the_users_lines():
    graph = wg.draw(loss)(W)
    boxes = {n.lines[0]: n for n in graph.nodes}
    assert list(boxes) == ["W", "X", "v1 = X @ W", "v2 = sin(v1)", "v3 = v2²", "v4 = sum(v3)"]
    assert [boxes[k].kind for k in boxes] == ["input", "constant", "step", "step", "step", "result"]
    texts = [graph.groups[boxes[k].group] for k in list(boxes)[2:]]
    assert [re.sub(r"models.py:\d+  ", "", t) for t in texts] == [
        "Z = X @ W",
        "Y = np.sin(Z)",
        "return np.sum(Y**2)",
        "return np.sum(Y**2)",
    ]
    assert boxes["v4 = sum(v3)"].lines[1] == "= 2.42266"
    assert boxes["v2 = sin(v1)"].lines[1].startswith("f64[3,2] [[-0.8912,")
    key = {n.lines[0].split(" ")[0]: n.key for n in graph.nodes}
    arrows = {(e.tail, e.head) for e in graph.edges}
    pairs = [("X", "v1"), ("W", "v1"), ("v1", "v2"), ("v2", "v3"), ("v3", "v4")]
    assert arrows == {(key[a], key[b]) for a, b in pairs}


def test_the_way_back_carries_local_slopes_and_cotangents():
    graph = wg.draw(loss, derivatives=True)(W)
    back = {(e.tail, e.head): e.label for e in graph.edges if e.back}
    forth = {(e.head, e.tail) for e in graph.edges if not e.back}
    assert set(back) == {pair for pair in forth if pair[1] != "in1"}  # X does not move
    assert "∂v2/∂v1 = cos(v1)" in back.values()
    node = next(n for n in graph.nodes if n.lines[0] == "W")
    assert node.adjoint.startswith("∂v4/∂W = [[-1.964, -2.104]")
    scalar = wg.draw(lambda x: np.sin(x) * 3, derivatives=True)(0.5)
    labels = [e.label for e in scalar.edges if e.back]
    assert labels == ["∂v1/∂x = cos(x) = 0.877583", "∂v2/∂v1 = 3"]


def test_of_several_results_the_sum_is_differentiated():
    graph = wg.draw(lambda x: (x * 2, x * x), derivatives=True)(3.0)
    assert graph.nodes[0].adjoint == "∂Σresults/∂x = 8"
    assert [n.kind for n in graph.nodes] == ["input", "result", "result"]


def test_what_is_not_finite_is_red():
    kinds = {n.lines[0]: n.kind for n in wg.draw(overflow)(1000.0).nodes}
    assert kinds == {"x": "input", "v1 = exp(x)": "wrong", "v2 = 1/v1": "result"}
    behind = wg.draw(lambda x: np.sqrt(x), derivatives=True)(0.0)
    assert behind.nodes[0].kind == "wrong"  # its derivative is infinite


def test_a_large_graph_folds_by_line_then_by_function_then_is_cut():
    by_line = wg.draw(wave, derivatives=True)(1.0)
    assert [n.kind for n in by_line.nodes] == ["input", "folded", "result"]
    assert [n.lines[1] for n in by_line.nodes[1:]] == [
        "600 equations: 300× sin, 300× mul",
        "600 equations: 300× mul, 300× add",
    ]
    assert by_line.nodes[1].adjoint.startswith("|∂v1200/∂·| ≤ ")
    assert len(wg.draw(wave, limit=1201)(1.0).nodes) == 1201
    by_function = wg.draw(two_functions, argnums=0, limit=4)(np.ones(3), np.ones(3))
    titles = [n.lines[0] for n in by_function.nodes]
    assert titles == ["w", "x", "two_functions()", "activation()"]
    cut = wg.draw(two_functions, argnums=0, limit=3)(np.ones(3), np.ones(3))
    assert [n.lines[0] for n in cut.nodes] == ["w", "x", "… and 2 more"]
    assert {(e.tail, e.head) for e in cut.edges} == {("in0", "rest"), ("in1", "rest")}


def test_groups_are_lines_functions_or_none():
    args = np.ones(3), np.ones(3)
    titles = [
        set(wg.draw(two_functions, argnums=0, by=by)(*args).groups.values()) for by in ("line", "function", "none")
    ]  # fmt: skip
    assert len(titles[0]) == 3
    assert titles[1] == {"two_functions()", "activation()"}
    assert titles[2] == set()


def test_bodies_of_loops_are_counted():
    graph = wg.draw(lambda xs: wg.scan(lambda c, x: (c * x, c + x), 1.0, xs)[0])(
        np.array([3.0, 4.0])
    )
    assert graph.nodes[1].lines[-1] == "body: 2 equations"


@needs_dot
@pytest.mark.parametrize("derivatives", [False, True])
def test_dot_draws_it(derivatives):
    graph = wg.draw(loss, derivatives=derivatives)(W)
    tree = ET.fromstring(graph.svg())
    texts = [t.text for t in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"v2 = sin(v1)", "= 2.42266"} <= set(texts)
    assert any("Y = np.sin(Z)" in t for t in texts)
    arrows = [g for g in tree.iter("{http://www.w3.org/2000/svg}g") if g.get("class") == "edge"]
    assert len(arrows) == len(graph.edges)


AWKWARD = st.text(alphabet='ab"\\<>&#;\n{}[]()|`é∂', max_size=12)


@needs_dot
@given(AWKWARD, AWKWARD)
def test_no_text_breaks_dot(label, title):
    nodes = [
        graph_file.Node("a", (label, title), "input"),
        graph_file.Node("b", (title,), "step", "g"),
    ]
    edges = [graph_file.Edge("a", "b", label, back=True)]
    graph = graph_file.Graph(title, nodes, edges, {"g": label})
    assert graph._by_dot("svg") is not None
    for line in graph.mermaid().splitlines():  # quotes come in pairs, and nothing can close a box
        assert line.count('"') % 2 == 0
        for inside in re.findall(r'"(.*?)"', line):
            assert not set(inside.replace("<br/>", "")) & set("<>")


@pytest.mark.parametrize("dot", [True, False])
def test_it_is_saved_in_every_form(dot, tmp_path, monkeypatch):
    if not dot:
        monkeypatch.setattr(shutil, "which", lambda name: None)
    graph = wg.draw(loss, derivatives=True)(W)
    begins = {
        "svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "gv": b"digraph",
        "mmd": b"flowchart", "html": b"<!DOCTYPE html>",
    }  # fmt: skip
    for end, begin in begins.items():
        path = graph.save(tmp_path / f"g.{end}")
        assert path.read_bytes().startswith(begin)
    with pytest.raises(InputError, match=r"g\.xyz.*\n.*Way out: end the name with"):
        graph.save(tmp_path / "g.xyz")


def test_a_failing_dot_is_no_disaster(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert wg.draw(loss)(W).svg().startswith("<svg")


def test_without_dot_and_matplotlib_a_notebook_shows_the_text(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    graph = wg.draw(loss)(W)
    with pytest.raises(ImportError, match=r"pip install 'wengert\[demo\]'"):
        graph.svg()
    assert graph._repr_html_().startswith("<pre>flowchart TD")
    assert graph._repr_svg_() is None


def test_matplotlibs_picture_shows_every_box_and_line():
    graph = wg.draw(loss, derivatives=True)(W)
    figure = picture(graph).figure
    texts = [t.get_text() for t in figure.axes[0].texts]
    for node in graph.nodes:
        assert any(t.startswith("\n".join(node.lines)) for t in texts)
    assert any(t.endswith("Y = np.sin(Z)") for t in texts)
    height, width = figure.axes[0].get_ylim(), figure.axes[0].get_xlim()
    for t in figure.axes[0].texts:  # nothing is drawn outside of the paper
        x, y = t.get_position()
        assert width[0] <= x <= width[1]
        assert height[0] <= y <= height[1]


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_layers_lead_downwards(pairs):
    keys = [str(k) for k in range(10)]
    rows = layers(keys, [(str(a), str(b)) for a, b in pairs])
    rank = {k: n for n, row in enumerate(rows) for k in row}
    assert sorted(rank) == keys
    assert all(rank[str(a)] < rank[str(b)] for a, b in pairs if a < b)


@pytest.mark.parametrize("options", [{"by": "file"}, {"limit": 0}])
def test_wrong_options_are_errors(options):
    with pytest.raises(InputError, match="Way out: pass"):
        wg.draw(loss, **options)


def test_what_returns_no_number_is_an_error():
    with pytest.raises(InputError, match="f returns NoneType, and no number"):
        wg.draw(lambda x: None)(1.0)


def test_a_constant_result_is_drawn_too():
    graph = wg.draw(lambda x: 2.0, derivatives=True)(1.0)
    assert [n.lines[0] for n in graph.nodes] == ["x"]
    assert models.X.shape == (3, 3)
