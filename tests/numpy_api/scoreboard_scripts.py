"""The scoreboard, second part: what takes several statements. Buffers, writes, views, loops."""

import copy
import math

import numpy as np


def zeros_buffer(x):
    b = np.zeros(6)
    for i in range(6):
        b[i] = x[i] ** 2
    return b


def empty_buffer(x):
    b = np.empty((2, 3))
    b[0] = x[:3]
    b[1, :] = x[3:] * 2
    return b


def ones_buffer(x):
    b = np.ones(6)
    b[1:4] *= x[:3]
    return b


def full_buffer(x):
    b = np.full(6, 2.0)
    b += x
    return b


def zeros_like_buffer(x, y):
    b = np.zeros_like(x)
    b[::2] = y[::2]
    b[1::2] -= x[1::2]
    return b


def literal(x):
    b = np.array([1.0, 2.0, 3.0])
    b[1] = x[1] * x[0]
    return b


def arange_buffer(x):
    b = np.arange(6.0)
    b *= x
    return b


def add_at(x):
    b = np.zeros(3)
    np.add.at(b, [0, 1, 1, 2, 0, 2], x)
    return b


def subtract_at(x):
    b = np.ones(3)
    np.subtract.at(b, [0, 1, 1], x[:3])
    return b


def multiply_at(x):
    b = np.ones(3)
    np.multiply.at(b, [0, 1, 1], x[:3])
    return b


def divide_at(p):
    b = np.ones(3)
    np.divide.at(b, [0, 1, 1], p[:3])
    return b


def maximum_at(y):
    b = np.zeros(3) - 1.0
    np.maximum.at(b, [0, 1, 1], y[:3])
    return b


def negative_at(x):
    b = x.copy()
    np.negative.at(b, [0, 2])
    return b


def power_at(p):
    b = p.copy()
    np.power.at(b, [0, 2, 2], 2.0)
    return b


def exp_at(x):
    b = x.copy()
    np.exp.at(b, [0, 0, 2])
    return b


def mask_write(x, y):
    b = x.copy()
    b[y > 0] = 0.0
    b[y < -1] = y[y < -1]
    return b


def fancy_write(x, y):
    b = np.zeros(6)
    b[[4, 2, 0]] = x[:3] * y[:3]
    return b


def row_write(A, x):
    b = A.copy()
    b[1, :] = x[:3]
    b[:, 2] += 1
    return b


def inplace_all(x):
    b = x * 1
    b += 1
    b *= x
    b -= 0.5
    b /= 2
    b **= 2
    return b


def swap(x):
    b = x.copy()
    b[[0, 1]] = b[[1, 0]]
    return b


def swap2(x):
    b = x.copy()
    b[0], b[1] = (b[1], b[0])
    return b


def view_write(x):
    b = x.copy()
    v = b[1:4]
    v[0] = x[5] ** 2
    v *= 2
    return b


def transpose_write(A):
    b = A.copy()
    b.T[0, 1] = A[2, 2] ** 2
    return b


def reshape_write(x):
    b = x.copy()
    b.reshape(2, 3)[1, 1] = x[0] * x[1]
    return b


def diagonal_write(A, x):
    b = A.copy()
    np.fill_diagonal(b, x[:3])
    return b


def flat_write(A, x):
    b = A.copy()
    b.flat[4] = x[0] ** 2
    return b


def flat_write_slice(A, x):
    b = A.copy()
    b.flat[1:4] = x[:3]
    return b


def flat_write_all(A, x):
    b = A.copy()
    b.flat = x[:3]
    return b


def real_write(z, x):
    b = z.copy()
    b.real = x[:4] ** 2
    b.imag[1] = x[0]
    return b


def real_view(z, x):
    b = z.copy()
    b.real[:] = x[:4]
    b.imag *= 2
    return b


def diag_indices_write(A, x):
    b = A.copy()
    b[np.diag_indices(3)] = x[:3] ** 2
    return b


def einsum_view(A, x):
    b = A.copy()
    np.einsum("ii->i", b)[:] = x[:3] ** 2
    return b


def copyto(x, y):
    b = np.zeros(6)
    np.copyto(b, x * y)
    return b


def copyto_where(x, y):
    b = np.zeros(6)
    np.copyto(b, x * y, where=y > 0)
    return b


def put(x):
    b = np.zeros(6)
    np.put(b, [0, 3], x[:2])
    return b


def putmask(x, y):
    b = x.copy()
    np.putmask(b, y > 0, y**2)
    return b


def place(x, y):
    b = x.copy()
    np.place(b, y > 0, x[:2] * 3)
    return b


def put_along_axis(B, x):
    b = B.copy()
    np.put_along_axis(b, np.array([[0], [1], [2]]), x[:3, None], axis=1)
    return b


def out_buffer(x, y):
    b = np.empty(6)
    np.multiply(x, y, out=b)
    np.add(b, 1.0, out=b)
    return b


def shuffle_rows(A):
    b = A.copy()
    b[[0, 2]] = b[[2, 0]]
    return b


def cumulative_loop(x):
    b = np.zeros(7)
    for i in range(6):
        b[i + 1] = b[i] * 0.5 + np.sin(x[i])
    return b


def matrix_fill(x):
    M = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            M[i, j] = x[i] * np.exp(-x[j])
    return np.linalg.det(M + np.eye(3))


def while_newton(s):
    g = s
    while abs(g * g - s) > 1e-14:
        g = 0.5 * (g + s / g)
    return g


def branch(s, t):
    if s > t:
        return s**2
    return t


def listed(x):
    parts = []
    for v in x:
        parts += [v * v]
    return np.array(parts)


def rotation(s, x):
    R = np.array([[np.cos(s), -np.sin(s), 0], [np.sin(s), np.cos(s), 0], [0, 0, 1]])
    return R @ x[:3]


def rotation_math(s, x):
    R = np.array([[math.cos(s), -math.sin(s)], [math.sin(s), math.cos(s)]])
    return R @ x[:2]


def softmax(y):
    e = np.exp(y - np.max(y))
    return e / e.sum()


def logsumexp(y):
    m = y.max()
    return m + np.log(np.sum(np.exp(y - m)))


def unpack(x):
    a, b, *rest = x
    return a * b + sum(rest)


def unpack_rows(A):
    a, b, c = A
    return a * b - c


def nditer_free(B):
    total = 0.0
    for row in B:
        for v in row:
            total += v**2
    return total


def ndenumerate(B):
    return sum((v * (i + 2 * j) for (i, j), v in np.ndenumerate(B)))


def ndindex(B):
    return sum(B[i] * (i[0] + 1) for i in np.ndindex(B.shape))


def euler(s):
    u = np.array([1.0, 0.0])
    for _ in range(5):
        u = u + 0.1 * np.array([u[1], -s * u[0]])
    return u


def tridiagonal(x, y):
    n = 6
    c = np.zeros(n)
    d = np.zeros(n)
    c[0] = 0.3 / (2 + x[0])
    d[0] = y[0] / (2 + x[0])
    for i in range(1, n):
        w = 2 + x[i] - 0.5 * c[i - 1]
        c[i] = 0.3 / w
        d[i] = (y[i] - 0.5 * d[i - 1]) / w
    for i in range(n - 2, -1, -1):
        d[i] -= c[i] * d[i + 1]
    return d


def copy_module(x):
    b = copy.copy(x)
    b[0] = 2.0
    d = copy.deepcopy(x)
    d[1] = x[0]
    return b + d


def imag_only(z):
    b = np.zeros(4, complex)
    b.imag = z.real
    b.real[:2] = z.imag[:2]
    return b


def complex_buffer(x):
    b = np.zeros(6, dtype=complex)
    b[:3] = x[:3] * 1j
    b[3:] = x[3:]
    return b


def aug_view(B):
    b = B.copy()
    b[0] += b[1]
    b[:, 1] *= b[:, 2]
    b[b > 0.5] -= 0.25
    return b


def diag_view(A):
    d = np.diag(A)
    return d**2


def diagonal_reads_later(A, x):
    b = A.copy()
    d = b.diagonal()
    b[0, 0] = x[0] ** 2
    return d * 2


def real_reads_later(z, x):
    b = z.copy()
    r = b.real
    b[0] = x[0] * (1 + 1j)
    return r * 2


def imag_reads_later(z, x):
    b = z.copy()
    r = b.imag
    b[0] = x[0] * (1 + 1j)
    return r * 2


def T_reads_later(A, x):
    b = A.copy()
    d = b.T
    b[0, 1] = x[0] ** 2
    return d * 2


def split_views(x):
    b = x.copy()
    u, v = np.split(b, 2)
    u[0] = x[5] ** 2
    v *= 3
    return b


def broadcast_read(x):
    b = x.copy()
    w = np.broadcast_to(b, (2, 6))
    b[0] = x[5] ** 2
    return w


def sliding_read(x):
    b = x.copy()
    w = np.lib.stride_tricks.sliding_window_view(b, 3)
    b[2] = x[5] ** 2
    return w


def swapaxes_view(T, s):
    b = T.copy()
    np.swapaxes(b, 0, 2)[1, 0, 0] = s**2
    np.moveaxis(b, 0, -1)[0, 0, 1] = s
    return b


def expand_view(x, s):
    b = x.copy()
    b[:, None][0, 0] = s
    np.expand_dims(b, 0)[0, 1] = s**2
    return b


def flip_view(x, s):
    b = x.copy()
    np.flip(b)[0] = s**2
    b[::-1][1] = s
    return b


def rot_view(B, s):
    b = B.copy()
    np.rot90(b)[0, 0] = s**2
    return b


def atleast_view(x, s):
    b = x.copy()
    np.atleast_2d(b)[0, 1] = s**2
    return b


def squeeze_view(x, s):
    b = x[None].copy()
    np.squeeze(b)[1] = s**2
    return b


def ravel_view(B, s):
    b = B.copy()
    b.ravel()[5] = s**2
    b.flatten()[0] = 7.0
    return b


def asarray_view(x, s):
    b = x.copy()
    c = np.asarray(b)
    c[0] = s**2
    return b


def hsplit_view(B, s):
    b = B.copy()
    _, v = np.hsplit(b, 2)
    v[0, 0] = s**2
    return b


def unstack_view(B, s):
    b = B.copy()
    u = np.unstack(b)
    u[1][2] = s**2
    return b


def broadcast_arrays_read(x):
    b = x.copy()
    u, _ = np.broadcast_arrays(b, np.zeros((2, 1)))
    b[0] = x[5] ** 2
    return u


def matrix_transpose_view(A, s):
    b = A.copy()
    np.matrix_transpose(b)[0, 1] = s**2
    b.mT[2, 0] = s
    return b


def slice_of_slice(x, s):
    b = x.copy()
    b[1:][1:][0] = s**2
    return b


def take_is_copy(x, s):
    b = x.copy()
    c = b.take([0, 1])
    c[0] = s
    d = b[[0, 1]]
    d[1] = s
    return b * 2


def array_of_copies(x, s):
    b = np.array(x)
    b[0] = s
    return x * 2 + b


def sort_inplace(y):
    b = y.copy()
    b.sort()
    b[::-1].sort()
    return b


def sort_axis(B):
    b = B.copy()
    b.sort(axis=0)
    return b


def loop_carry(x):
    out = []
    h = np.zeros(2)
    W = np.array([[0.5, 0.1], [-0.2, 0.3]])
    for v in x:
        h = np.tanh(W @ h + v)
        out.append(h)
    return np.stack(out)


def walk_and_write(A):
    y = A.copy()
    with np.nditer(y, op_flags=["readwrite"]) as it:
        for v in it:
            v[...] = 2 * v * v
    return y


def walk_by_index(B):
    it = np.nditer(B, flags=["multi_index"])
    total = 0.0
    while not it.finished:
        i, j = it.multi_index
        total = total + it[0] * (i + 2 * j) * it[0]
        it.iternext()
    return total


def walk_over_several(A):
    out = np.zeros((3, 3))
    for a, b, o in np.nditer([A, A[0], out], op_flags=[["readonly"], ["readonly"], ["writeonly"]]):
        o[...] = a * b
    it = np.nditer([A, None])
    for a, b in it:
        b[...] = a**3
    return out, it.operands[1]


def walk_as_it_lies(B):
    total = 0.0
    for v in np.nditer(B.T):
        total = 0.5 * total + v
    for v in np.nditer(B, order="F"):
        total = 0.5 * total + v
    return total
