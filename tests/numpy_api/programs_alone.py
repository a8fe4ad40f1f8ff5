"""The same with names that are imported alone."""

# ruff: noqa: B007, B905, RUF007  (as people write)

from math import acos, asin, copysign, cos, factorial, pi, radians, sin, sqrt

import numpy as np
from numpy import array, cross, diag, dot, eye, outer, zeros
from numpy.linalg import norm


def kepler_elements(rv, mu):
    r = rv[:3]
    v = rv[3:]
    h = cross(r, v)
    n = cross([0, 0, 1.0], h)
    e = ((norm(v) ** 2 - mu / norm(r)) * r - dot(r, v) * v) / mu
    a = 1 / (2 / norm(r) - norm(v) ** 2 / mu)
    i = acos(h[2] / norm(h))
    Om = acos(n[0] / norm(n))
    if n[1] < 0:
        Om = 2 * pi - Om
    w = acos(dot(n, e) / (norm(n) * norm(e)))
    if e[2] < 0:
        w = 2 * pi - w
    nu = acos(min(1.0, max(-1.0, dot(e, r) / (norm(e) * norm(r)))))
    if dot(r, v) < 0:
        nu = 2 * pi - nu
    return a, norm(e), i, Om, w, nu


def fk(th, L):
    T = eye(4)

    def dh(theta, d, a, al):
        return array(
            [
                [cos(theta), -sin(theta) * cos(al), sin(theta) * sin(al), a * cos(theta)],
                [sin(theta), cos(theta) * cos(al), -cos(theta) * sin(al), a * sin(theta)],
                [0, sin(al), cos(al), d],
                [0, 0, 0, 1],
            ]
        )

    for k, t in enumerate(th):
        T = T @ dh(t, 0.1 * k, L, pi / 4 * k)
    return T[:3, 3], T[:3, :3]


def jacobi_eig(A):
    A = (A + A.T) / 2
    n = A.shape[0]
    V = eye(n)
    for sweep in range(8):
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(A[p, q]) < 1e-14:
                    continue
                th = (A[q, q] - A[p, p]) / (2 * A[p, q])
                t = copysign(1, th) / (abs(th) + sqrt(th * th + 1))
                c = 1 / sqrt(t * t + 1)
                s = t * c
                J = eye(n)
                J[p, p] = c
                J[q, q] = c
                J[p, q] = s
                J[q, p] = -s
                A = J.T @ A @ J
                V = V @ J
    return np.sort(diag(A))


def gauss_elim(A, b):
    A = A.copy()
    b = b.copy()
    n = len(b)
    for k in range(n):
        p = k + np.argmax(np.abs(A[k:, k]))
        if p != k:
            A[[k, p]] = A[[p, k]]
            b[k], b[p] = b[p], b[k]
        for i in range(k + 1, n):
            m = A[i, k] / A[k, k]
            A[i, k:] -= m * A[k, k:]
            b[i] -= m * b[k]
    x = zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - dot(A[i, i + 1 :], x[i + 1 :])) / A[i, i]
    return x


def cholesky_manual(A):
    A = A @ A.T + eye(4)
    n = len(A)
    L = zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = sum(L[i, k] * L[j, k] for k in range(j))
            if i == j:
                L[i, j] = sqrt(A[i, i] - s)
            else:
                L[i, j] = (A[i, j] - s) / L[j, j]
    return L


def garch(p, r):
    w, al, be = p
    s2 = [np.var(r)]
    for t in range(1, len(r)):
        s2.append(w + al * r[t - 1] ** 2 + be * s2[-1])
    s2 = array(s2)
    return 0.5 * np.sum(np.log(s2) + r**2 / s2)


def rosen_bfgs(x):
    def f(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    def g(x):
        return array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])

    H = eye(2)
    gx = g(x)
    for _ in range(3):
        p = -H @ gx
        t = 1.0
        while f(x + t * p) > f(x) + 1e-4 * t * dot(gx, p):
            t *= 0.5
        s = t * p
        xn = x + s
        gn = g(xn)
        y = gn - gx
        rho = 1 / dot(y, s)
        I = eye(2)
        H = (I - rho * outer(s, y)) @ H @ (I - rho * outer(y, s)) + rho * outer(s, s)
        x, gx = xn, gn
    return f(x)


def haversine(p):
    tot = 0
    for (la1, lo1), (la2, lo2) in zip(p[:-1], p[1:]):
        f1, f2 = radians(la1), radians(la2)
        df, dl = f2 - f1, radians(lo2 - lo1)
        a = sin(df / 2) ** 2 + cos(f1) * cos(f2) * sin(dl / 2) ** 2
        tot += 2 * 6371 * asin(sqrt(a))
    return tot


def hermite_osc(x, w):
    def H(n, y):
        if n == 0:
            return np.ones_like(y)
        if n == 1:
            return 2 * y
        return 2 * y * H(n - 1, y) - 2 * (n - 1) * H(n - 2, y)

    psi = [np.exp(-w * x**2 / 2) * H(n, sqrt(w) * x) / sqrt(2**n * factorial(n)) for n in range(5)]
    return np.array(psi)


def bisect_secant(a, c):
    f = lambda x: x**3 - a * x - c
    x0, x1 = 1.0, 2.0
    for _ in range(40):
        if f(x1) == f(x0):
            break
        x0, x1 = x1, x1 - f(x1) * (x1 - x0) / (f(x1) - f(x0))
    # the derivative by one step of newton at the root
    return x1 - f(x1) / (3 * x1**2 - a)
