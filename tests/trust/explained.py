"""Functions of some lines, each with what should be told of it: the class of the cause, at the line marked "guilty"."""

# The functions are written as users write them, not as a linter would.
# ruff: noqa: B007, RET504, RUF059, SIM108

import numpy as np
import scipy.special as sp

FUNCTIONS = []


def case(cause, args, silent=False):
    """Enter a function into the table; `silent`: nothing is wrong with it."""

    def enter(f):
        FUNCTIONS.append((f, args, None if silent else cause))
        return f

    return enter


# fmt: off
@case("overflow",(np.array([800.,790.,10.]),))
def attention(s):
    s = s - 0.0
    w = np.exp(s)                         # guilty
    z = np.sum(w)
    p = w / z
    v = np.array([1., 2., 3.])
    return np.sum(p * v)


@case("underflow",(np.array([1e-200,2e-200]),))
def norm_naive(v):
    s = 0.0
    for k in range(2):
        s = s + v[k] * v[k]               # guilty
    r = np.sqrt(s)
    return r


@case("cancellation",(1e-8,))
def kepler_small(e):
    m = 1.0
    E = m
    for _ in range(3):
        E = m + e * np.sin(E)
    d = (E - m) / e                       # guilty
    return d


@case("cancellation",(np.array([1e8,1e8+1,1e8+2]),))
def variance(x):
    n = 3
    s1 = np.sum(x) / n
    s2 = np.sum(x * x) / n
    v = s2 - s1 * s1                      # guilty
    return v


@case("0/0",(np.array([2.,2.,2.]),))
def zscore(x):
    m = np.mean(x)
    s = np.std(x)
    z = (x - m) / s                       # guilty
    return z[0]


@case("saturation",(40.0,))
def logit_roundtrip(x):
    p = 1 / (1 + np.exp(-x))
    q = 1 - p                             # guilty
    return np.log(p) - np.log(q)


@case("domain edge",(1.5,))
def arcs(x):
    t = x * 1.0
    a = np.arcsin(t)                      # guilty
    return a * a


@case("kink",(0.0,))
def absloss(x):
    y = 3 * x
    r = np.abs(y)                         # guilty
    return r + x


@case("infinite slope",(0.0,))
def rootloss(x):
    a = x + 0.0
    b = np.sqrt(a)                        # guilty
    return 2 * b


@case("degenerate spectrum",(np.eye(3),))
def top_vector(M):
    S = (M + M.T) / 2
    w, V = np.linalg.eigh(S)              # guilty
    v = V[:, -1]
    return v[0] ** 2


@case("branch on equality",(0.0,))
def skip_zero(x):
    if x == 0:                            # guilty
        y = 0.0 * x
    else:
        y = np.sin(x)
    return y


@case("early loop exit",(4.0,))
def babylon(x):
    y = 0 * x + 2.0
    for _ in range(20):
        new = 0.5 * (y + x / y)
        if abs(new - y) < 1e-6:           # guilty
            break
        y = new
    return y


@case("integer-only path",(0.37,))
def quantised(x):
    k = np.floor(x * 255)                 # guilty
    return k / 255


@case("chaos",(0.31,))
def logistic(x):
    for _ in range(90):
        x = 3.9 * x * (1 - x)             # guilty
    return x


@case("overflow",(800.0,))
def cosh_sinh(x):
    a = np.cosh(x)                        # guilty
    b = np.sinh(x)
    return a - b


@case("overflow",(np.array([0.,1000.,3.]),))
def cross_entropy(z):
    z = np.asarray(z)
    e = np.exp(z)                         # guilty
    p = e / e.sum()
    y = np.array([1., 0., 0.])
    return -np.sum(y * np.log(p))


@case("cancellation",(1e9,1.0))
def quadratic(b,c):
    disc = b * b - 4 * c
    root = np.sqrt(disc)
    x1 = (-b + root) / 2                  # guilty
    return x1


@case("cancellation",(0.05,1e-12))
def annuity(p, r):
    n = 30
    growth = (1 + r) ** (-n)
    pv = p * (1 - growth) / r             # guilty
    return pv


@case("jump",(2.0,))
def staircase(x):
    y = x + np.floor(x)                   # guilty
    return y * y


@case("kink",(np.array([1.,1.,0.5]),))
def maxpool(x):
    y = x * 2
    m = np.max(y)                         # guilty
    return m


@case(None,(np.array([0.5,-1.0]),),silent=True)
def guarded(x):
    safe = np.where(x > 0, x, 1.0)
    l = np.where(x > 0, np.log(safe), 0.0)
    return np.sum(l)


@case(None,(np.array([0.5,-1.0]),),silent=True)
def unguarded_but_fine(x):
    l = np.where(x > 0, np.log(x), 0.0)
    return np.sum(l)


@case(None,(np.linspace(.1,1,20),),silent=True)
def healthy_mlp(w):
    h = np.tanh(w[:10] * 0.5)
    o = h @ w[10:]
    return np.log1p(np.exp(-o))


@case(None,(0.7,0.2),silent=True)
def healthy_orbit(a,e):
    E = 1.0
    for _ in range(8):
        E = E - (E - e * np.sin(E) - a) / (1 - e * np.cos(E))
    return np.cos(E) - e


@case("kink",(np.zeros(3),))
def norm_at_zero(x):
    y = 2 * x
    return np.linalg.norm(y)              # guilty


@case("overflow",(np.array([1e200,1e200]),))
def geomean(x):
    p = np.prod(x)                        # guilty
    return p ** (1 / 2)


@case("underflow",(np.full(40,1e-10),))
def loglik(p):
    L = np.prod(p)                        # guilty
    return -np.log(L)


@case("cancellation",(1e-7,))
def spherical_bessel(x):
    s = np.sin(x)
    c = np.cos(x)
    j = s / x**2 - c / x                  # guilty
    return j


@case("saturation",(20.0,))
def log_tail(x):
    t = np.tanh(x)
    u = 1 - t * t                         # guilty
    return np.log(u)


@case("branch on equality",(0.0,2.0))
def pow_guard(x,p):
    y = np.where(x == 0, 0.0, x * p)      # guilty
    return y


@case("underflow",(-800.0,-801.0))
def soft_two(a,b):
    ea = np.exp(a)                        # guilty
    eb = np.exp(b)
    return ea / (ea + eb)


@case("domain edge",(-0.5,))
def logneg(x):
    y = x * 2
    z = np.log(y)                         # guilty
    return z


@case("overflow",(400.0,))
def factorial_ratio(n):
    a = sp.gamma(n + 1)                   # guilty
    b = sp.gamma(n)
    return a / b


@case("overflow",(np.array([[400.,0.],[0.,400.]]),np.array([1.,2.])))
def boltzmann_matrix(H, v):
    E = H - 0.0
    W = np.exp(2 * E)                      # guilty
    Z = np.sum(W)
    p = W @ v / Z
    return p[0]


@case("cancellation",(np.array([1.,2.,3.]),np.array([1.,2.,3.0000001])))
def cos_distance(a, b):
    na = np.sqrt(np.sum(a * a))
    nb = np.sqrt(np.sum(b * b))
    c = np.sum(a * b) / (na * nb)
    return 1 - c                            # guilty


@case("underflow",(np.array([30.,31.]),))
def mixture(x):
    lik = np.exp(-0.5 * x**2 * 2)           # guilty
    w = np.array([0.3, 0.7])
    m = np.sum(w * lik)
    return np.log(m)


@case("branch on equality",(3.0,))
def special_case(x):
    if x == 3:                              # guilty
        return 9.0 + 0 * x
    y = x * x
    return y


@case("early loop exit",(2.0,))
def fixed_point(a):
    x = np.sqrt(2.0) + 0 * a
    n = 0
    while abs(x * x - a) > 1e-8 and n < 100:     # guilty
        x = x - (x * x - a) / (2 * x)
        n += 1
    return x


@case("integer-only path",(2.7,))
def table_lookup(x):
    table = np.array([1.0, 4.0, 9.0, 16.0])
    i = np.floor(x).astype(int)             # guilty
    y = table[i]
    return y * 2


@case("integer-only path",(0.3,))
def bits(x):
    n = np.round(x * 16)                    # guilty
    v = n / 16
    return v**2


@case("chaos",(0.4,))
def tentish(x):
    for k in range(120):
        x = 1 - 1.9 * x * x                 # guilty
    return x


@case("degenerate spectrum",(np.diag([2.,2.,1.]),))
def pca_direction(C):
    S = 0.5 * (C + C.T)
    w, V = np.linalg.eigh(S)                # guilty
    u = V[:, 2]
    t = np.array([1., 2., 3.])
    return (u @ t) ** 2


@case("degenerate spectrum",(np.eye(2),))
def svd_vec(A):
    U, s, Vt = np.linalg.svd(A)             # guilty
    return U[0, 0] * s[0]


@case("domain edge",(np.array([0.5,1.2]),))
def entropy_bad(p):
    q = 1 - p
    h = -p * np.log(p) - q * np.log(q)      # guilty
    return np.sum(h)


@case("overflow",(np.array([1e308,1e308]),))
def diff_of_sums(x):
    a = x[0] * 10                           # guilty
    b = x[1] * 10
    return a - b


@case("saturation",(8.0,))
def erf_tail(x):
    c = sp.erf(x)
    t = 1 - c                               # guilty
    return np.log(t)


@case("saturation",(40.0,))
def gompertz(x):
    s = 1 / (1 + np.exp(-x))
    u = np.log(1 - s)                       # guilty
    return u


@case("cancellation",(1.0,1.0+1e-12))
def secant(a, b):
    fa = a**3 - a
    fb = b**3 - b
    slope = (fb - fa) / (b - a)             # guilty
    return slope


@case("jump",(1.0,))
def tariff(q):
    base = 10 * q
    rate = np.where(q >= 1.0, 2.0, 3.0)     # guilty
    return base * rate


@case("kink",(1.0,))
def tariff_ok(q):
    base = np.where(q >= 1.0, 3 * q - 1, 2 * q)     # guilty
    return base


@case("infinite slope",(np.array([0.,1.]),))
def hellinger(p):
    r = np.sqrt(p)                          # guilty
    q = np.array([0.5, 0.7])
    return np.sum((r - q) ** 2)


@case("underflow",(np.array([1e-170,1e-170]),))
def ratio_small(x):
    num = x[0] * x[0]                       # guilty
    den = num + x[1] * x[1]
    return num / den


@case("overflow",(600.0,))
def comb_naive(n):
    a = sp.gamma(n)                         # guilty
    b = sp.gamma(n - 2)
    return np.log(a / b)


@case("ill-conditioned",(np.vander(np.linspace(1,1.05,8)),))
def vander(M):
    b = np.arange(8.0)
    c = np.linalg.solve(M, b)               # guilty
    return c[0]


@case(None,(np.array([0.3,0.5,0.2]),np.array([1.,2.,3.])),silent=True)
def softmax_ok(w,x):
    z = w * x
    z = z - np.max(z)
    e = np.exp(z)
    return np.sum(e * x) / np.sum(e)


@case(None,(np.array([1.,2.,0.5,3.]),),silent=True)
def loop_buffer_ok(x):
    y = np.zeros(4)
    for i in range(4):
        y[i] = x[i] * (y[i-1] if i else 1.0)
    return np.sum(np.sqrt(y))


@case(None,(np.array([1.,0.]),),silent=True)
def where_safe_div(x):
    s = np.where(x != 0, x, 1.0)
    return np.sum(np.where(x != 0, np.sin(s) / s, 1.0 - x**2 / 6))


@case(None,(2.5,),silent=True)
def clip_inside(x):
    y = np.clip(x, 0, 5)
    return np.log(y) if y > 1 else y * y


@case(None,(np.arange(12.).reshape(3,4)/7,),silent=True)
def attention_ok(Q):
    S = Q @ Q.T / 2
    P = sp.softmax(S, axis=1)
    return np.sum(P @ Q)
# fmt: on
