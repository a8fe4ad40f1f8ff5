"""Products of matrices: the same bits for any number of threads; by BLAS in pieces, with BLAS's own threads as before."""

import os
import threading

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert as wg
from wengert.backends import blas, threads

SHAPES = [
    (40, 50, 60), (128, 784, 256), (1000, 17, 65), (513, 700, 20), (20, 300, 2000), (33, 1100, 41), (17, 18, 19),
    (23, 40, 25), (520, 530, 540),
]  # fmt: skip
DTYPES = [np.float64, np.float32, np.complex128, np.complex64]
SPELLINGS = {
    "as they lie": lambda a, b: a @ b,
    "the left one turned": lambda a, b: a.T @ b,
    "the right one turned": lambda a, b: a @ b.T,
    "both turned": lambda a, b: a.T @ b.T,
}


def draw(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    found = rng.normal(size=shape)
    return (found + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else found).astype(
        dtype
    )


@pytest.fixture(autouse=True)
def all_threads_afterwards():
    yield
    threads.set_count(threads.count())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_pieces_make_the_product_whatever_the_number_of_threads(shape, how, dtype):
    m, k, n = shape
    a = draw((m, k) if how in ("as they lie", "the right one turned") else (k, m), dtype)
    b = draw((k, n) if how in ("as they lie", "the left one turned") else (n, k), dtype)
    f = wg.jit(SPELLINGS[how])
    found = []
    for count in (1, 2, 5):
        threads.set_count(count)
        found.append(f(a, b))
        assert found[-1].tobytes() == found[0].tobytes()
    exact = SPELLINGS[how](a, b)
    assert abs(found[0] - exact).max() <= 4 * np.finfo(dtype).eps * k**0.5 * abs(exact).max()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_bits_of_an_element_do_not_depend_on_its_place(dtype):
    a, b = draw((150, 700), dtype), draw((700, 130), dtype)
    f = wg.jit(lambda a, b: a @ b)
    whole = f(a, b)
    for rows, columns in ((17, 130), (150, 21), (93, 47)):
        part = f(a[:rows], np.ascontiguousarray(b[:, :columns]))
        assert part.tobytes() == whole[:rows, :columns].tobytes()
    turned = wg.jit(lambda a, b: a.T @ b.T)(np.asarray(a.T, order="C"), np.asarray(b.T, order="C"))
    assert turned.tobytes() == whole.tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_stay_in_their_rows_and_columns(value):
    a, b = draw((50, 60), float), draw((60, 70), float)
    a[49, 3], b[59, 69] = value, value
    f = wg.jit(lambda a, b: a @ b)
    with np.errstate(all="ignore"):
        exact = a @ b
    np.testing.assert_array_equal(np.isfinite(f(a, b)), np.isfinite(exact))
    np.testing.assert_allclose(f(a, b), exact, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("stack", [(30,), (20, 3), (3, 20)])
def test_stacks_of_products_are_shared_out(stack):
    a, b = draw((*stack, 60, 50), float), draw((*stack, 50, 70), float)
    f = wg.jit(lambda a, b: a @ b)
    found = []
    for count in (1, 3):
        threads.set_count(count)
        found.append(f(a, b))
    assert found[0].tobytes() == found[1].tobytes()
    np.testing.assert_allclose(found[0], a @ b, rtol=1e-12)


@pytest.fixture
def several():
    """The number of OpenBLAS's threads, said to be three (it must not be used so: there may be fewer)."""
    word = blas.threads_of_blas()
    if word is None:
        pytest.skip("SciPy's BLAS cannot be told how many threads to use")
    before, word.value = word.value, 3
    yield word
    word.value = before


def test_blas_has_as_many_threads_as_before_when_products_are_done(several):
    a = draw((300, 300), complex)
    f = wg.jit(lambda a: a @ a)
    f(a)
    assert several.value == 3
    workers = [threading.Thread(target=lambda: [f(a) for _ in range(50)]) for _ in range(6)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert several.value == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_of_a_fork_in_the_middle_of_a_product_has_all_threads_of_blas(several):
    a = draw((400, 400), complex)
    f = wg.jit(lambda a: a @ a)
    f(a)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            f(a)

    worker = threading.Thread(target=busy)
    worker.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                os._exit(several.value)
            assert os.waitpid(child, 0)[1] >> 8 == 3
    finally:
        stop.set()
        worker.join()
