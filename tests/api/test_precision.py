"""precision_report: what each line keeps in float16, float32, float64, and which must stay wide."""

import numpy as np
import pytest

import wengert as wg


def difference(x):
    big = x + 1
    small = np.sqrt(big) - np.sqrt(x)
    scaled = 3 * x
    return np.sum(small) + 1e-3 * np.sum(np.sin(scaled / 1e6))


def row_of(found, text):
    return next(r for r in found.lines if text in r.text)


def test_digits_fall_with_the_format_and_where_lines_cancel():
    found = wg.precision_report(difference)(np.array([1e4, 2e4]))
    half, single, double = found.value
    assert half < single < double
    small, scaled = row_of(found, "small ="), row_of(found, "scaled =")
    assert small.value[1] < 4 < scaled.value[1]
    assert small.value[2] > 10
    assert small.derivative[1] is not None


def test_lines_that_must_stay_wide_are_named_and_suffice():
    x = np.array([1e4, 2e4])
    found = wg.precision_report(difference, wanted=6)(x)
    assert any("small = np.sqrt(big) - np.sqrt(x)" in k for k in found.keep)
    assert not any("scaled = 3 * x" in k for k in found.keep)
    assert "for 6 digits these must stay float64:" in str(found)


def test_nothing_need_stay_wide_where_single_precision_suffices():
    found = wg.precision_report(lambda x: np.sum(np.sin(x) ** 2), wanted=4)(np.array([0.3, 0.9]))
    assert found.keep == []
    assert "everything may be float32" in str(found)


def test_an_ill_conditioned_result_is_said_to_need_more_than_float64():
    def f(x):
        return (x + 1e15) - 1e15

    found = wg.precision_report(f, wanted=10)(0.123456789)
    assert found.keep is None
    assert "float64 does not suffice" in str(found)


def test_loops_and_linear_algebra_are_computed_in_each_format():
    def f(a, x):
        y = np.linalg.solve(a, x)
        (y, _) = wg.scan(lambda c, t: (c + 0.1 * np.sin(c) * t, None), y, np.arange(4.0))
        return np.sum(y)

    a = np.eye(3) * 4 + np.arange(9.0).reshape(3, 3) / 9
    half, single, double = wg.precision_report(f)(a, np.arange(3.0)).derivative
    assert half < 5 < single < 9 < double


def test_overflow_in_half_precision_keeps_no_digit():
    found = wg.precision_report(lambda x: np.log(np.exp(x)))(50.0)
    assert found.value[0] == 0
    assert found.value[1] > 5


@pytest.mark.parametrize("as_html", [False, True])
def test_the_report_reads_as_a_table(as_html):
    found = wg.precision_report(difference)(np.array([1e4]))
    text = found._repr_html_() if as_html else str(found)
    for word in ("value f16", "slope f64", "small = np.sqrt(big)", "results"):
        assert word in text
