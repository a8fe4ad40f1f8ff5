"""The file whose functions the commands are about."""

SOURCE = '''
import numpy as np

LIMIT = 3

def f(x):
    return np.sum(np.sin(x) ** 2)

def g(x, w, n=2):
    return np.sum((x @ w) ** n)

def rows(x):
    return x * 2

def tree(p):
    return np.sum(p["w"] ** 2) + p["b"]

def edge(x):
    return np.sqrt(x) * 2

def kink(x):
    return np.maximum(x, 0.5)

def broken(x):
    return np.sum(x) + x[7]

def own(x):
    raise RuntimeError("the pump is off")

def gather(x):
    return float(x) ** 2

class Model:
    @staticmethod
    def loss(x):
        return x ** 3
'''  # fmt: skip


def line(text):
    """file:line of a piece of the source."""
    return f"model.py:{SOURCE[: SOURCE.index(text)].count(chr(10)) + 1}"
