"""`wengert.numpy`: NumPy's names to import, with lists of traced values and buffers anywhere."""

import numpy as np
import pytest

import wengert as wg
import wengert.numpy as xp
from wengert.numpy_api.table import FUNCTIONS

X = np.array([0.3, 0.7, 1.2])


def measured(f, x, h=1e-6):
    """Slopes by central differences."""
    return [(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))]


def test_every_name_of_numpy_is_there():
    for ours, numpys in ((xp, np), (xp.linalg, np.linalg), (xp.fft, np.fft)):
        assert [n for n in numpys.__all__ if not hasattr(ours, n)] == []
    assert xp.pi == np.pi
    assert xp.float64 is np.float64


@pytest.mark.parametrize("module", ["", "linalg", "fft"])
def test_plain_numbers_give_plain_arrays(module):
    ours, numpys = (getattr(m, module) if module else m for m in (xp, np))
    tried = 0
    for name in numpys.__all__:
        f = getattr(numpys, name)
        if name in (
            "empty_like",
            "put",
            "place",
            "putmask",
            "save",
            "savez",
            "savetxt",
            "copyto",
            "put_along_axis",
        ):
            continue
        if not (
            isinstance(f, np.ufunc) or f in FUNCTIONS
            if callable(f) and not isinstance(f, type)
            else False
        ):
            continue
        try:
            with np.errstate(all="ignore"):
                truth = f(np.array([[2.0, 1.0], [1.0, 3.0]]))
        except Exception:
            continue
        with np.errstate(all="ignore"):
            found = getattr(ours, name)(np.array([[2.0, 1.0], [1.0, 3.0]]))
        tried += 1
        np.testing.assert_equal(found if not isinstance(found, list) else tuple(found), truth)
    assert tried > (100 if not module else 10)


LISTS = {
    "sum": lambda x: xp.sum([x[0] ** 2, x[1], 1.0]),
    "mean": lambda x: xp.mean([x[0] * x[1], x[2]]),
    "std": lambda x: xp.std([x[0], x[1] * 2, x[2]]),
    "max": lambda x: xp.max([x[0] ** 2, x[1]]),
    "prod of rows": lambda x: xp.sum(xp.prod([x, x**2], axis=0)),
    "dot": lambda x: xp.dot([x[0], x[1]], [x[2], 2.0]),
    "norm": lambda x: xp.linalg.norm([x[0], 2 * x[1]]),
    "sqrt": lambda x: xp.sum(xp.sqrt([x[0], x[1] * x[2]])),
    "maximum": lambda x: xp.sum(xp.maximum([x[0], x[1]], 0.5)),
    "outer": lambda x: xp.sum(xp.outer([x[0], x[1]], [1.0, x[2]])),
    "cumsum": lambda x: xp.cumsum([x[0], x[1], x[2]])[1] ** 2,
    "nested lists": lambda x: xp.linalg.det([[x[0], 1.0], [x[1], x[2]]]),
    "clip and sort": lambda x: xp.sort([x[2], x[0]], descending=True)[0] * xp.clip(x[0], 0.1, 0.2 + x[1]),
    "array": lambda x: xp.sum(xp.array([[x[0], -x[1]], [x[1], x[0]]]) @ x[:2]),
    "full": lambda x: xp.sum(xp.full((2, 2), x[0]) ** 2),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_traced_values_are_arrays(name):
    f = LISTS[name]
    np.testing.assert_allclose(wg.grad(f)(X), measured(f, X), rtol=1e-7, atol=1e-8)


def test_buffers_are_made_whoever_calls():
    def make(zeros, x):
        b = zeros(3)
        b[0] = x[0] ** 2
        b[1:] += x[1:]
        return np.sum(b * x)

    np.testing.assert_allclose(
        wg.grad(lambda x: make(*(f for f in (xp.zeros, x))))(X), [3 * X[0] ** 2, *2 * X[1:]]
    )
    assert type(xp.zeros(3)) is np.ndarray


def test_a_tape_sees_what_is_joined():
    y0, y1 = wg.Variable(2.0), wg.Variable(3.0)
    with wg.GradientTape() as tape:
        loss = xp.sum(xp.array([y0 * y1, y1]) ** 2) + xp.linalg.norm([y0, y1])
    first, second = tape.gradient(loss, [y0, y1])
    assert first == pytest.approx(2 * 2 * 9 + 2 / 13**0.5)
    assert second == pytest.approx(2 * 4 * 3 + 2 * 3 + 3 / 13**0.5)


def test_what_the_standard_adds():
    assert isinstance(xp.finfo(X).eps, float)
    assert xp.iinfo(np.array([1], np.int8)).max == 127
    np.testing.assert_array_equal(xp.argsort(np.array([1, 3, 1, 3]), descending=True), [1, 3, 0, 2])
    assert isinstance(xp.meshgrid(X, X), list)
    assert xp.squeeze(X[None], axis=()).shape == (1, 3)
    assert xp.fft.fftfreq(4, dtype=np.float32).dtype == np.float32
