"""The page of what has a derivative is the one that the rule tables write; its words are kept."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import wengert as wg
from wengert.errors import WengertError

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "coverage.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def coverage():
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("coverage_page", DOCS / "coverage.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_rule_tables_say(coverage):
    written = re.search(r"NumPy [\d.]+ and SciPy [\d.]+\d", PAGE)
    if written is not None and written[0] != coverage.VERSIONS:
        pytest.skip(f"the page was written with {written[0]}")
    assert coverage.page() == PAGE, "renew it: python docs/coverage.py > docs/coverage.md"


def test_every_public_name_of_a_module_has_one_state(coverage):
    names = []
    for title, states in coverage.sections():
        if title.startswith("np: "):
            names += [n for state in states.values() for entry in state for n in entry.split(" = ")]
    assert len(names) == len(set(names))
    functions = {n for n in np.__all__ if hasattr(getattr(np, n), "__name__")}
    modules = {n for n in functions if not callable(getattr(np, n))}
    classes = {n for n in functions if isinstance(getattr(np, n), type)}
    assert set(names) == functions - modules - classes


def test_what_is_refused_or_not_yet_there_raises_and_names_the_line(coverage):
    """Every such ufunc of one argument; of np.linalg there is none."""
    found = dict(coverage.sections())
    assert found["np.linalg"].keys() == {coverage.WORKS}
    ufuncs = [getattr(np, n) for n in found["np: elementwise functions (ufuncs)"][coverage.NOT_YET]]
    assert ufuncs
    for f in [u for u in ufuncs if u.nin == 1]:
        with pytest.raises(WengertError, match=r"test_coverage_page\.py:\d+: np\."):
            wg.grad(lambda x, f=f: f(x))(np.eye(2))


def test_a_rule_that_can_only_raise_is_no_rule(coverage):
    def refuses(x):
        raise ValueError(x)

    def computes(x):
        if x < 0:
            raise ValueError(x)
        return x

    assert coverage.only_raises(refuses)
    assert not coverage.only_raises(computes)
