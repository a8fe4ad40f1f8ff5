"""The audit: no derivative is wrong and unsaid, at everyday and nasty points of expressions of science."""

import numpy as np
import pytest
from tests.trust.audit import TABLE, function, truth, wrong
from tests.trust.audit_more import MORE

import wengert as wg

pytestmark = pytest.mark.filterwarnings("ignore")
FORMATS = [np.float64, np.float32]


def cases():
    """Every point in every format that can hold it; most of them for the nights."""
    for n, (name, (text, points)) in enumerate((TABLE | MORE).items()):
        for k, point in enumerate(points):
            point = point if isinstance(point, tuple) else (point,)
            for format in FORMATS:
                with np.errstate(all="ignore"):
                    args = [format(v) for v in point]
                if all(
                    np.isfinite(a) and (a != 0 or v == 0) for a, v in zip(args, point, strict=True)
                ):
                    slice_ = n % 3 == 0 and format is np.float64 and k == len(points) - 1
                    marks = () if slice_ else (pytest.mark.nightly,)
                    yield pytest.param(
                        text, args, format, marks=marks, id=f"{name}-{k}-{format.__name__}"
                    )


def asked(f, args, level):
    with wg.trust.policy(action="record"), np.errstate(all="ignore"):
        g = wg.grad(f, tuple(range(len(args))), trust=level)(*args)
    return g, wg.last_report()


@pytest.mark.parametrize(("text", "args", "format"), list(cases()))
def test_what_is_wrong_is_said(text, args, format):
    f, exact = function(text, "numpy"), truth(text, args, format)
    for level in ("repair", "check"):
        got, report = asked(f, args, level)
        for k, want in enumerate(exact):
            if want is not None and not report.flagged[k]:
                assert not wrong(got[k], want, format), (level, got[k], want)
    _, report = asked(f, args, "repair")
    known = [k for k, want in enumerate(exact) if want is not None]
    assert not any(report.flagged[k] for k in known), report  # none of these is beyond repair


@pytest.mark.parametrize(("text", "args", "format"), list(cases()))
def test_what_is_wrong_is_explained(text, args, format):
    f = function(text, "numpy")
    _, report = asked(f, args, "check")
    account = wg.explain(f)(*args)
    slopes = [q for q in account.findings if q.component.startswith("slope")]
    slopes = [q for q in slopes if q.how != "confirmed"]  # (infinite ones are told, and right)
    assert bool(slopes) == (not report.trusted), account.text()
    assert all(q.cause for q in account.findings)
    for q in account.findings:
        if q.repair is not None:
            assert q.repair.code or all(after for _, _, after in q.repair.steps)
