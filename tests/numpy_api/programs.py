"""What people write in plain NumPy, one function after the other."""

# ruff: noqa: B007, RUF059, SIM113  (as people write)

import math

import numpy as np


def nbody(pos, vel, mass, G=1.0, dt=0.01, soft=0.1):
    pos = pos.copy()
    vel = vel.copy()
    n = len(mass)

    def acc(pos):
        a = np.zeros_like(pos)
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                d = pos[j] - pos[i]
                r2 = d @ d + soft**2
                a[i] += G * mass[j] * d / r2**1.5
        return a

    a = acc(pos)
    for _ in range(3):
        vel += a * dt / 2
        pos += vel * dt
        a = acc(pos)
        vel += a * dt / 2
    ke = 0.5 * np.sum(mass[:, None] * vel**2)
    pe = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            pe -= G * mass[i] * mass[j] / np.linalg.norm(pos[i] - pos[j])
    return ke + pe


def raytrace(o, d, radius):
    d = d / np.linalg.norm(d)
    c = np.array([0.0, 0.0, 0.0])
    oc = o - c
    b = 2 * np.dot(oc, d)
    q = np.dot(oc, oc) - radius**2
    disc = b * b - 4 * q
    if disc < 0:
        return 0.0
    t = (-b - math.sqrt(disc)) / 2
    p = o + t * d
    n = (p - c) / radius
    light = np.array([1.0, 1.0, -1.0])
    light /= np.linalg.norm(light)
    amb = 0.1
    col = max(0.0, np.dot(n, light))
    refl = d - 2 * np.dot(d, n) * n
    spec = max(np.dot(refl, light), 0) ** 8
    return amb + 0.7 * col + 0.2 * spec + t


def kalman(zs, q, r, x0):
    dt = 1.0
    F = np.eye(4)
    F[0, 2] = dt
    F[1, 3] = dt
    H = np.zeros((2, 4))
    H[0, 0] = 1
    H[1, 1] = 1
    Q = np.diag([q[0], q[0], q[1], q[1]])
    Rm = np.eye(2) * r[0] ** 2
    x = x0
    P = np.eye(4) * 10
    ll = 0
    for z in zs:
        x = F @ x
        P = F @ P @ F.T + Q
        y = z - H @ x
        S = H @ P @ H.T + Rm
        K = P @ H.T @ np.linalg.inv(S)
        x = x + K @ y
        P = (np.eye(4) - K @ H) @ P
        sign, logdet = np.linalg.slogdet(2 * np.pi * S)
        ll += -0.5 * (y.T @ np.linalg.solve(S, y) + logdet)
    return ll, x, P


def hmm_forward(logA, logB, logpi, obs):
    A = np.exp(logA)
    A /= A.sum(axis=1, keepdims=True)
    B = np.exp(logB)
    B /= B.sum(axis=1, keepdims=True)
    pi = np.exp(logpi) / np.exp(logpi).sum()
    T = len(obs)
    N = A.shape[0]
    alpha = np.zeros((T, N))
    c = np.zeros(T)
    alpha[0] = pi * B[:, obs[0]]
    c[0] = 1.0 / alpha[0].sum()
    alpha[0] *= c[0]
    for t in range(1, T):
        for j in range(N):
            alpha[t, j] = np.sum(alpha[t - 1] * A[:, j]) * B[j, obs[t]]
        c[t] = 1.0 / np.sum(alpha[t])
        alpha[t] *= c[t]
    return -np.sum(np.log(c))


def viterbi_hard(trans, emis):
    T, N = emis.shape
    score = np.empty((T, N))
    back = np.zeros((T, N), dtype=int)
    score[0] = emis[0]
    for t in range(1, T):
        m = score[t - 1][:, None] + trans
        back[t] = m.argmax(axis=0)
        score[t] = m.max(axis=0) + emis[t]
    path = [int(score[-1].argmax())]
    for t in range(T - 1, 0, -1):
        path.append(int(back[t, path[-1]]))
    path = path[::-1]
    check = emis[0, path[0]] + sum(
        trans[path[t - 1], path[t]] + emis[t, path[t]] for t in range(1, T)
    )
    np.testing.assert_allclose(check, score[-1].max())
    return check * 2 + score[-1].max()


def fem1d(kappa, load):
    n = len(kappa)
    h = 1.0 / n
    K = np.zeros((n + 1, n + 1))
    f = np.zeros(n + 1)
    for e in range(n):
        ke = kappa[e] / h * np.array([[1.0, -1.0], [-1.0, 1.0]])
        idx = [e, e + 1]
        K[np.ix_(idx, idx)] += ke
        f[idx] += load * h / 2
    free = np.arange(1, n)
    u = np.zeros(n + 1)
    u[free] = np.linalg.solve(K[np.ix_(free, free)], f[free])
    return u @ f


def natural_spline(x, y, xs):
    n = len(x)
    h = np.diff(x)
    A = np.zeros((n, n))
    b = np.zeros(n)
    A[0, 0] = A[-1, -1] = 1
    for i in range(1, n - 1):
        A[i, i - 1] = h[i - 1]
        A[i, i] = 2 * (h[i - 1] + h[i])
        A[i, i + 1] = h[i]
        b[i] = 3 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1])
    c = np.linalg.solve(A, b)
    out = []
    for q in xs:
        k = min(max(np.searchsorted(x, q) - 1, 0), n - 2)
        d = (c[k + 1] - c[k]) / (3 * h[k])
        bb = (y[k + 1] - y[k]) / h[k] - h[k] * (2 * c[k] + c[k + 1]) / 3
        t = q - x[k]
        out.append(y[k] + bb * t + c[k] * t**2 + d * t**3)
    return np.array(out)


def rk45_adaptive(y0, mu):
    def f(t, y):
        return np.array([y[1], mu * (1 - y[0] ** 2) * y[1] - y[0]])

    t, y, h = 0.0, y0, 0.1
    steps = 0
    while t < 1.0:
        if t + h > 1.0:
            h = 1.0 - t
        k1 = f(t, y)
        k2 = f(t + h / 2, y + h / 2 * k1)
        k3 = f(t + 3 * h / 4, y + 3 * h / 4 * k2)
        y3 = y + h * (2 / 9 * k1 + 1 / 3 * k2 + 4 / 9 * k3)
        k4 = f(t + h, y3)
        y2 = y + h * (7 / 24 * k1 + 1 / 4 * k2 + 1 / 3 * k3 + 1 / 8 * k4)
        err = np.max(np.abs(y3 - y2))
        if err < 1e-3:
            t += h
            y = y3
        if err < 1e-5:
            h *= 2
        elif err >= 1e-3:
            h /= 2
        steps += 1
    assert steps < 100
    return y


def biquad(x, Q, f0):
    w = 2 * math.pi * f0 / 44.1
    al = math.sin(w) / (2 * Q)
    b = np.array([(1 - math.cos(w)) / 2, 1 - math.cos(w), (1 - math.cos(w)) / 2])
    a = np.array([1 + al, -2 * math.cos(w), 1 - al])
    b, a = b / a[0], a / a[0]
    y = []
    x1 = x2 = y1 = y2 = 0.0
    for xn in x:
        yn = b[0] * xn + b[1] * x1 + b[2] * x2 - a[1] * y1 - a[2] * y2
        x2, x1 = x1, xn
        y2, y1 = y1, yn
        y.append(yn)
    return np.asarray(y)


def stft_spec(x, win=16, hop=8):
    w = np.hamming(win)
    frames = np.lib.stride_tricks.sliding_window_view(x, win)[::hop] * w
    spec = np.fft.rfft(frames, axis=1)
    mag, ph = np.abs(spec), np.angle(spec)
    rec = np.zeros(len(x))
    norm = np.zeros(len(x))
    for i, fr in enumerate(np.fft.irfft(mag * np.exp(1j * ph), n=win, axis=-1)):
        rec[i * hop : i * hop + win] += fr * w
        norm[i * hop : i * hop + win] += w**2
    norm[norm < 1e-8] = 1
    return rec / norm, np.log1p(mag)


def thinfilm(d, n, lam):
    M = np.eye(2, dtype=complex)
    for i in range(2):
        delta = 2 * np.pi * n[i + 1] * d[i] / lam
        M = M @ np.array(
            [
                [np.cos(delta), 1j * np.sin(delta) / n[i + 1]],
                [1j * n[i + 1] * np.sin(delta), np.cos(delta)],
            ]
        )
    n0, ns = n[0], n[-1]
    B, C = M @ np.array([1, ns])
    r = (n0 * B - C) / (n0 * B + C)
    return abs(r) ** 2, np.angle(r), np.abs(r), r.real


def robertson(k, y0):
    def rhs(y):
        r1 = k[0] * y[0]
        r2 = k[1] * y[1] * y[2]
        r3 = k[2] * y[1] ** 2
        return np.array([-r1 + r2, r1 - r2 - r3, r3])

    def jac(y):
        return np.array(
            [
                [-k[0], k[1] * y[2], k[1] * y[1]],
                [k[0], -k[1] * y[2] - 2 * k[2] * y[1], -k[1] * y[1]],
                [0, 2 * k[2] * y[1], 0],
            ]
        )

    y = y0.copy()
    h = 0.1
    for _ in range(5):
        z = y.copy()
        for it in range(8):
            g = z - y - h * rhs(z)
            dz = np.linalg.solve(np.eye(3) - h * jac(z), -g)
            z += dz
            if np.linalg.norm(dz) < 1e-14:
                break
        y = z
    return y


def dtw(a, b):
    n, m = len(a), len(b)
    D = np.full((n + 1, m + 1), np.inf)
    D[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = (a[i - 1] - b[j - 1]) ** 2
            D[i, j] = cost + min(D[i - 1, j], D[i, j - 1], D[i - 1, j - 1])
    return D[n, m]


def lstm(W, x):
    sig = lambda z: 1 / (1 + np.exp(-z))
    h = np.zeros(3)
    c = np.zeros(3)
    hs = []
    for t in range(4):
        z = W @ (x * np.cos(t)) + W.T @ h
        i, f, o = sig(z), sig(z + 1), sig(z - 1)
        c = f * c + i * np.tanh(z)
        h = o * np.tanh(c)
        hs.append(h)
    return np.stack(hs), h @ c


def ringbuf(x):
    buf = np.zeros(3)
    ptr = 0
    out = []
    for v in x:
        buf[ptr % 3] = v
        ptr += 1
        out.append(buf.mean() + buf.max() - np.median(buf))
    return np.array(out)
