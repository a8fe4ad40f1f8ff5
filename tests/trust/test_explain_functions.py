"""Reports on functions of some lines: the right line, the right class, and nothing of what is sound."""

import inspect
import json
from textwrap import indent

import numpy as np
import pytest
from scipy import special
from tests.trust.explained import FUNCTIONS

import wengert as wg
from wengert.trust.explain import causes

pytestmark = pytest.mark.filterwarnings("ignore")


def guilty(f):
    lines, start = inspect.getsourcelines(f)
    return next((start + n for n, text in enumerate(lines) if "# guilty" in text), None)


@pytest.mark.parametrize(("f", "args", "cause"), FUNCTIONS, ids=[f.__name__ for f, *_ in FUNCTIONS])
def test_the_guilty_line_and_the_class_of_its_cause_are_told(f, args, cause):
    account = wg.explain(f)(*args)
    if cause is None:
        assert account.trusted
        assert not account.findings
        return
    assert account.findings
    assert {q.cause for q in account.findings} == {cause}, account.text()
    assert {q.line.line for q in account.findings} == {guilty(f)}, account.text()


def pasted(f, code):
    """The function that a report tells to write."""
    names = {n: getattr(special, n) for n in dir(special) if not n.startswith("_")} | {"np": np}
    text = f"def g({', '.join(inspect.signature(f).parameters)}):\n" + indent(code, "    ")
    exec(text, names)
    return names["g"]


WRITTEN = [(f, args) for f, args, cause in FUNCTIONS if cause in (causes.CANCELLATION, causes.OVERFLOW, causes.UNDERFLOW, causes.SATURATION)]  # fmt: skip


@pytest.mark.parametrize(("f", "args"), WRITTEN, ids=[f.__name__ for f, _ in WRITTEN])
def test_what_is_told_to_be_written_is_better_value_and_slopes(f, args):
    found = [q for q in wg.explain(f)(*args).findings if q.repair and q.repair.code]
    numbers = tuple(range(len(args)))
    for q in found[:1]:
        g = pasted(f, q.repair.code)
        certain = [wg.certify(f)(*args).value, *np.atleast_1d(wg.certify(wg.grad(f, numbers))(*args).value)]  # fmt: skip
        assert np.allclose(g(*args), certain[0], rtol=1e-6, atol=0)
        for slope, right in zip(wg.grad(g, numbers)(*args), certain[1:], strict=True):
            assert np.allclose(slope, right, rtol=1e-6, atol=1e-300)


def test_a_report_is_also_data_and_a_page():
    for f, args, _ in FUNCTIONS[::5]:
        account = wg.explain(f)(*args)
        data = json.loads(account.json())
        assert data["trusted"] == account.trusted
        assert len(data["findings"]) == len(account.findings)
        page = account._repr_html_()
        assert all(q.cause in page for q in account.findings)
