"""What README and docs say is so: examples run, the table of kinks is true, no error is left out."""

import doctest
import inspect
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import wengert as wg
from wengert import errors

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted((ROOT / "docs").glob("*.md"))
KINKS = [
    re.findall(r"`(.*?)`", row)[:3]
    for row in (ROOT / "docs/kinks.md").read_text(encoding="utf-8").splitlines()
    if row.startswith("| `") and row.count("` | `") == 2
]

DIGITS = [
    re.findall(r"`(.*?)`", row)
    for row in (ROOT / "docs/digits.md").read_text(encoding="utf-8").splitlines()
    if row.startswith("| `")
]


def test_the_first_screen_of_the_readme_prints_what_it_says(tmp_path, capsys):
    screen = re.search(r"```python\n(.*?)```.*?```text\n(.*?)```", README, re.DOTALL)
    code, printed = screen.groups()
    (tmp_path / "energy.py").write_text(code, encoding="utf-8")
    runpy.run_path(str(tmp_path / "energy.py"))
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_the_page_run(page):
    parser = doctest.DocTestParser()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    text, names = page.read_text(encoding="utf-8"), {"np": np, "wg": wg}
    for block in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, block.start()) + 1
        test = parser.get_doctest(block[1], names, page.name, str(page), line)
        with np.errstate(all="ignore"):
            runner.run(test, clear_globs=False)
        names = test.globs
    assert runner.summarize().failed == 0


@pytest.mark.filterwarnings("ignore::wengert.errors.NonFiniteWarning")
@pytest.mark.parametrize(("function", "at", "derivative"), KINKS)
def test_the_table_of_kinks_is_true(function, at, derivative):
    name = "z" if re.search(r"\bz\b", function) else "x"
    f = eval(f"lambda {name}: {function}", {"np": np})
    with np.errstate(all="ignore"):
        slope = wg.grad(f)(np.array(eval(at, {"np": np})))
    np.testing.assert_array_equal(slope, eval(derivative, {"np": np}))


def spelled(text):
    return eval(f"lambda x: {text}", {"np": np, "scipy": scipy})


@pytest.mark.parametrize(("poor", "good", "at"), DIGITS)
def test_the_table_of_spellings_is_true(poor, good, at):
    poor, good, at = spelled(poor), spelled(good), eval(at)
    fine = [wg.value_and_grad(f, trust="off")(1.3) for f in (poor, good)]
    np.testing.assert_allclose(*fine, rtol=1e-13)
    with np.errstate(all="ignore"):
        lost, kept = (np.array(wg.value_and_grad(f, trust="off")(at)) for f in (poor, good))
    assert np.all(np.isfinite(kept))
    assert not np.allclose(lost, kept, rtol=1e-6, atol=0)


def test_every_error_has_its_section():
    headings = re.findall(
        r"^## (.*)$", (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    classes = [c for c in vars(errors).values() if isinstance(c, type) and hasattr(c, "anchor")]
    assert anchors == {c.anchor for c in classes if c is not errors.WengertError}


# ---- what Sphinx would find, quickly ----------------------------------------------------------------


def anchors_of(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", h)).strip().lower() for h in headings]
    return {h.replace(" ", "-") for h in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+://", link):
            continue
        name, _, anchor = link.partition("#")
        if name.startswith("gallery_built/"):  # made from a script of this name
            stem = name.removeprefix("gallery_built/").removesuffix(".rst")
            assert stem == "index" or (ROOT / f"docs/gallery/{stem}.py").is_file(), link
            continue
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w/]+)$", index, re.MULTILINE))
    assert {page.stem for page in PAGES} - {"index"} == listed - {"gallery_built/index"}


def test_every_public_name_is_on_the_page_of_names_and_told_somewhere():
    """A new public name: a line in docs/api.md, and a word where it belongs in docs/everything.md."""
    names_of = {n: getattr(wg, n) for n in dir(wg) if not n.startswith("_")}
    public = {n for n, x in names_of.items() if not inspect.ismodule(x) or wg._LATER.get(n) == ""}
    names = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    everything = (ROOT / "docs/everything.md").read_text(encoding="utf-8")
    assert {n for n in public if not re.search(rf"\b{n}\b", names)} == set()
    assert {n for n in public if not re.search(rf"\b{n}\b", everything)} == set()


# ---- the gallery -------------------------------------------------------------------------------------

GALLERY = sorted((ROOT / "docs/gallery").glob("*.py"))


def test_the_gallery_has_its_dozen():
    assert len(GALLERY) >= 12


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_the_example_of_the_gallery_runs_and_draws(path, tmp_path, monkeypatch):
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    from wengert.draw.graph import Graph
    from wengert.draw.picture import Picture

    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    plt.close("all")
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 100
    assert re.search(r"^(assert|np\.testing\.assert)", text, re.MULTILINE)
    names = runpy.run_path(str(path))
    drawn = [v for v in names.values() if isinstance(v, Picture | Graph)]
    assert drawn or plt.get_fignums()
    plt.close("all")
