"""What README and docs say is so: examples run, the table of kinks is true, no error is left out."""

import doctest
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

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


def test_every_error_has_its_section():
    headings = re.findall(
        r"^## (.*)$", (ROOT / "docs/errors.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    classes = [c for c in vars(errors).values() if isinstance(c, type) and hasattr(c, "anchor")]
    assert anchors == {c.anchor for c in classes if c is not errors.WengertError}
