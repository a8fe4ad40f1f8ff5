"""Programs with classes of their own."""

# ruff: noqa: B905  (as people write)

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Body:
    m: float
    x: np.ndarray
    v: np.ndarray

    def kick(self, a, dt):
        return replace(self, v=self.v + a * dt)

    def drift(self, dt):
        return replace(self, x=self.x + self.v * dt)


def frozen(x, m):
    bs = [Body(mi, xi, np.zeros(2)) for mi, xi in zip(m, x)]
    for _ in range(3):
        acc = [
            sum(
                (
                    b.m * (b.x - a.x) / (np.linalg.norm(b.x - a.x) ** 3 + 0.1)
                    for b in bs
                    if b is not a
                ),
                np.zeros(2),
            )
            for a in bs
        ]
        bs = [b.kick(a, 0.1).drift(0.1) for b, a in zip(bs, acc)]
    return sum(0.5 * b.m * (b.v @ b.v) for b in bs), np.concatenate([b.x for b in bs])


class Tank:
    __slots__ = ("area", "h", "log")

    def __init__(self, h, area):
        self.h = h
        self.area = area
        self.log = []

    def step(self, qin, dt):
        self.h += dt * (qin - 0.5 * math.sqrt(2 * 9.81 * max(self.h, 0))) / self.area
        self.log.append(self.h)
        return self


def slots(h, A, q):
    t = Tank(h, A)
    for qi in q:
        t.step(qi, 0.05)
    return t.log


class Sim:
    def __init__(self, n, c):
        self.u = np.zeros(n)
        self.c = c
        self.t = 0.0
        self.hist = np.empty((4, n))

    def run(self, src):
        for k in range(4):
            self.u[1:-1] += self.c * (self.u[2:] - 2 * self.u[1:-1] + self.u[:-2])
            self.u[2] += src[k]
            self.hist[k] = self.u
            self.t += 0.1
        return self

    @property
    def energy(self):
        return 0.5 * (self.u**2).sum()

    @cached_property
    def final(self):
        return self.hist[-1] * self.t


def sim(c, s):
    S = Sim(6, c).run(s)
    return S.energy, S.final, S.hist.mean(axis=0)


class Dual2:
    def __init__(s, a, b=0.0):
        s.a, s.b = a, b

    def __add__(s, o):
        o = o if isinstance(o, Dual2) else Dual2(o)
        return Dual2(s.a + o.a, s.b + o.b)

    __radd__ = __add__

    def __mul__(s, o):
        o = o if isinstance(o, Dual2) else Dual2(o)
        return Dual2(s.a * o.a, s.a * o.b + s.b * o.a)

    __rmul__ = __mul__

    def sin(s):
        return Dual2(math.sin(s.a), s.b * math.cos(s.a))


def userdual(x, y):
    d = Dual2(x, 1.0)
    r = 3 * d * d + d * y + (d * y).sin()
    return r.a, r.b
