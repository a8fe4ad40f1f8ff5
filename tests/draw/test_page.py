"""page: complete without a network, right in its parts, and usable: looked at by a real browser."""

import html
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.draw import browser
from tests.draw.models import edge, loss, overflow, two_functions, wave

import wengert as wg
from wengert.draw.findings import findings_of, worst

W = np.array([[0.5, -0.25], [0.125, 0.75], [-0.6, 0.3]])
SECTIONS = ("result", "trust", "code", "graph", "trace", "timing")


@pytest.fixture(scope="module")
def shown():
    return wg.page(two_functions, argnums=0)(np.ones(3), np.array([1.0, 2.0, 3.0]))


class Check(HTMLParser):
    """Tags are closed in order; ids are unique; what is named is there."""

    VOID = ("meta", "input", "br", "link", "img", "path", "polygon", "ellipse", "polyline")

    def __init__(self, text):
        super().__init__()
        self.stack, self.ids, self.targets, self.outside = [], [], [], []
        self.feed(text)
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.stack.append(tag)
        self._look(attrs)

    def handle_startendtag(self, tag, attrs):
        self._look(attrs)

    def _look(self, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "href" and value.startswith("#"):
                self.targets.append(value[1:])
            if name in ("src", "href") and not value.startswith("#"):
                self.outside.append(value)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag


def test_the_page_is_well_formed_and_needs_nothing_else(shown):
    text = shown.html()
    parsed = Check(text)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(parsed.targets) <= set(parsed.ids)
    assert parsed.outside == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttp", text)
    assert set(SECTIONS) <= set(parsed.ids)


def test_the_page_says_what_the_call_gave(shown, tmp_path):
    text = shown.save(tmp_path / "p.html").read_text(encoding="utf-8")
    value, gradient = wg.value_and_grad(two_functions)(np.ones(3), np.array([1.0, 2.0, 3.0]))
    assert f"{value:.6g}" in text
    assert f"{gradient[2]:.4g}" in text
    for part in (
        "return np.log(1 + np.exp(z))",
        "def two_functions(w, x):",
        "∂v3/∂v2 = 1",
        "equations forwards",
    ):
        assert part in text
    assert repr(shown) == "<page about two_functions: 6 equations, worst finding: ok>"
    assert shown._repr_html_().startswith("<iframe srcdoc=")


def test_times_stand_beside_each_other(shown):
    assert "the gradient, compiled (the first call" in shown.html()
    assert "Compiled times are shown where" not in shown.html()
    large = wg.page(wave)(0.5).html()  # 1200 equations would compile for long
    assert "Compiled times are shown where there is machine code, up to 150 equations." in large
    assert large.count("data-text=") > 1200


def test_open_writes_it_and_asks_the_browser(shown, monkeypatch):
    asked = []
    monkeypatch.setattr("webbrowser.open", asked.append)
    path = shown.open()
    assert asked == [path.as_uri()]
    assert path.read_text(encoding="utf-8") == shown.html()


def test_a_function_without_source_text_has_a_page_too():
    names = {"np": np}
    exec("def f(x):\n    return np.sin(x)", names)
    assert "cannot be read" in wg.page(names["f"])(1.0).html()


# ---- findings ----------------------------------------------------------------------------------------


def found(f, *args):
    return findings_of(f, args, {}, tuple(range(len(args))))


def test_all_is_well():
    findings = found(loss, W)
    assert [x.kind for x in findings] == ["ok"] * 6
    assert worst(findings) == "ok"


def test_a_derivative_that_is_not_finite_is_told_with_its_line():
    finding, _ = found(edge, 0.0)
    assert (finding.kind, finding.title) == ("wrong", "the derivative is not finite")
    assert "return np.sqrt(x) * 2" in finding.text
    assert "the slope is infinite here" in finding.text


def test_what_overflows_on_the_way_is_noted():
    finding = found(overflow, 1000.0)[1]
    assert (finding.kind, finding.title) == (
        "note",
        "a value on the way is not finite; the results are",
    )
    assert "v1 = exp(x) = inf at models.py" in finding.text


def test_a_value_that_is_not_finite_comes_first():
    findings = found(lambda x: np.log(x - 1), 1.0)
    assert findings[0].title == "the value is not finite"


def test_zeros_have_reasons():
    finding = found(lambda x: np.sum(np.maximum(x, 0)), np.array([-1.0, 2.0]))[-1]
    assert (finding.kind, finding.title) == ("note", "1 of 2 derivatives are exactly zero")
    assert "`maximum` chose another value" in finding.text


def test_lost_digits_are_a_warning():
    findings = found(lambda x: (1 - np.cos(x)) / x**2, 1e-6)
    titles = [x.title for x in findings if x.kind == "warning"]
    assert titles[:2] == [
        "few digits of the value can be certain",
        "not one digit of the derivative can be certain",
    ]


def cancels(x):
    return (1 - np.cos(x)) / x**2


def test_the_guilty_line_is_told_with_what_is_right():
    (finding,) = [x for x in found(cancels, 1e-8) if x.title.startswith("cancellation")]
    assert (finding.kind, finding.title) == ("warning", "cancellation: value and 1 more")
    assert "return (1 - np.cos(x)) / x**2" in finding.text
    assert "truth 0.5 (certified with" in finding.text
    assert "write  np.sinc(" in finding.text
    assert wg.trust.policies.current().action == "warn"  # as it was


def test_bits_that_a_line_loses_are_a_heat():
    text = wg.page(cancels)(1e-8).html()
    (row,) = re.findall(r'data-heat="([^"]*)"[^>]*><button data-line="test_page.py', text)
    assert json.loads(html.unescape(row))["lost"][0] == 1.0


def first_vector(a):
    return np.linalg.eigh(a)[1][0, 0]


def test_where_there_is_no_derivative_it_is_said():
    (finding,) = found(first_vector, np.eye(3))
    assert (finding.kind, finding.title) == ("wrong", "there is no derivative")
    assert "the derivative depends on the basis" in finding.text
    page = wg.page(first_vector)(np.eye(3))
    assert page.findings == [finding]
    assert "first_vector" in page.html()


def test_a_wrong_rule_is_a_warning():
    wrong = wg.custom_vjp(lambda x: x**2)
    wrong.defvjp(lambda x: (x**2, x), lambda x, g: (3 * x * g,))
    with wg.rule_checks(False):
        findings = found(wrong, 2.0)
    assert worst(findings) == "warning"
    assert any(x.title == "the derivative is not what differences measure" for x in findings)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.maximum(x, 0) + x,
        lambda x: np.sum(np.abs(x)),
        lambda x: np.where(x > 0, x, 2 * x),
    ],
    ids=["maximum", "abs", "where"],
)
def test_at_a_kink_it_says_so(f):
    assert "there is a kink here" in [x.title for x in found(f, 0.0)]


def test_where_there_is_no_kink_none_is_told():
    for f, x in ((np.sin, 0.0), (lambda x: x**2, 0.0), (lambda x: x**3 * 1e6, 0.0), (np.exp, 30.0)):
        assert "there is a kink here" not in [y.title for y in found(f, x)]


def test_what_does_not_depend_says_so():
    assert any("does not depend" in x.title for x in found(lambda x: 2.0 + 0 * np.floor(1.5), 1.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_floats_are_no_false_alarm(dtype):
    assert (
        worst(
            found(
                lambda x: np.sum(np.tanh(x) ** 2), np.linspace(-1, 1, 7, dtype=dtype) + dtype(0.1)
            )
        )
        == "ok"
    )


# ---- in a browser ------------------------------------------------------------------------------------

needs_browser = pytest.mark.skipif(
    browser.found() is None, reason="no Chromium on this machine: apt install chromium"
)


@pytest.fixture(scope="module")
def window(shown, tmp_path_factory):
    path = shown.save(tmp_path_factory.mktemp("page") / "p.html")
    with browser.Browser() as b:
        b.size(1100, 900)
        b.open(path)
        yield b


@needs_browser
def test_every_part_is_seen_on_the_screenshot(window):
    from matplotlib.image import imread

    window.size(1100, int(window.js("document.documentElement.scrollHeight")))
    pixels = imread(io.BytesIO(window.screenshot()))[..., :3]
    window.size(1100, 900)
    boxes = window.js(
        "[...document.querySelectorAll('section')].map(s => [s.id, ...['x', 'y', 'width', 'height'].map(k => s.getBoundingClientRect()[k] + (k == 'y' ? scrollY : 0))])"
    )
    assert [b[0] for b in boxes] == list(SECTIONS)
    for name, x, y, width, height in boxes:
        part = pixels[int(y) : int(y + height), int(x) : int(x + width)]
        assert part.shape[0] > 40, name
        assert len(np.unique((part * 15).astype(int).reshape(-1, 3), axis=0)) > 5, name
    heat = pixels.reshape(-1, 3)
    assert np.sum(np.all(np.abs(heat - np.array([234, 88, 12]) / 255) < 0.02, axis=1)) > 200  # bars
    assert (
        np.sum(np.all(np.abs(heat - np.array([0xDC, 0xFC, 0xE7]) / 255) < 0.02, axis=1)) > 500
    )  # the result's box


@needs_browser
@pytest.mark.parametrize("width", [320, 375, 768, 1100])
def test_nothing_sticks_out_of_narrow_screens(window, width):
    window.size(width, 800)
    assert window.js("document.documentElement.scrollWidth") <= width
    wide = window.js("[...document.querySelectorAll('h1, p, .finding, .scroll, fieldset')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).length")  # fmt: skip
    assert wide == 0
    window.size(1100, 900)


@needs_browser
def test_the_keyboard_reaches_everything(window):
    window.js("document.activeElement.blur(); scrollTo(0, 0)")
    seen = []
    for _ in range(60):
        window.press("Tab")
        seen.append(
            window.js(
                "(e => e.id || e.dataset.line || e.className || e.getAttribute('href') || e.name)(document.activeElement)"
            )
        )
        if seen[-1] == seen[0] and len(seen) > 1:
            break
    assert seen[0] == "skip"
    assert {"filter", "fit", "heat", "scroll"} <= set(seen)
    assert any(str(s).startswith("models.py:") for s in seen)


@needs_browser
def test_arrows_change_what_the_heat_shows(window):
    cost = "[...document.querySelectorAll('.row[data-heat] .cost')].map(e => e.textContent)"
    window.js("document.querySelector('input[value=time]').focus()")
    before = window.js(cost)
    window.press("ArrowRight")
    assert window.js("document.querySelector('input[name=heat]:checked').value") == "kept"
    after = window.js(cost)
    assert before != after
    assert all(re.fullmatch(r"[\d.]+ [kMG]?B", c) for c in after)


@needs_browser
def test_enter_on_a_line_shows_its_rows_only(window):
    line = window.js("document.querySelectorAll('.row button')[0].dataset.line")
    window.js("document.querySelectorAll('.row button')[0].focus()")
    window.press("Enter", "\r")
    assert window.js("document.activeElement.id") == "filter"
    rows = window.js("[...document.querySelectorAll('#trace tbody tr')].filter(r => !r.hidden && r.cells[0].textContent).map(r => r.textContent)")  # fmt: skip
    assert rows
    assert all(line in r or '"' in r for r in rows)
    assert len(rows) < window.js("document.querySelectorAll('#trace tbody tr').length")
    window.js("document.getElementById('filter').value = ''; sift()")


@needs_browser
def test_the_graph_fits_or_has_its_own_size(window):
    window.size(400, 800)
    width = "document.querySelector('.graph svg').getBoundingClientRect().width"
    fitted = window.js(width)
    window.js("document.getElementById('fit').focus()")
    window.press(" ", " ")
    assert window.js(width) > fitted
    window.press(" ", " ")
    assert window.js(width) == fitted
    window.size(1100, 900)


@needs_browser
def test_the_page_asks_the_network_for_nothing(window):
    asked = [
        e["params"]["request"]["url"]
        for e in window.events
        if e.get("method") == "Network.requestWillBeSent"
    ]
    assert all(url.startswith(("file:", "data:")) for url in asked)
