"""The names that the yardstick's functions are written in, over anything that spells like NumPy."""

from types import SimpleNamespace


def expression_names(np, special):
    """Names of the expressions (sets everyday and full)."""
    same = "sqrt cbrt exp exp2 expm1 log log10 log2 log1p sin cos tan sinh cosh tanh floor ceil trunc hypot copysign fmod where"
    other = {
        "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
        "acosh": "arccosh", "atanh": "arctanh", "fabs": "abs", "fmax": "maximum", "fmin": "minimum",
        "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
        "ne": "not_equal", "and_": "logical_and", "or_": "logical_or", "not_": "logical_not",
        "nearbyint": "rint",
    }  # fmt: skip
    found = {n: getattr(np, n) for n in same.split()}
    found |= {n: getattr(np, spelled) for n, spelled in other.items()}
    found |= {
        "erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln, "tgamma": special.gamma,
        "pow": lambda a, b: a**b,
        "fma": lambda a, b, c: a * b + c,
        "fdim": lambda a, b: np.maximum(a - b, 0.0),
        "round": lambda a: np.floor(a + 0.5),
        "remainder": lambda a, b: a - b * np.rint(a / b),
    }  # fmt: skip
    return SimpleNamespace(**found)


def trap_names(np, special, value):
    """Names of the traps: what a user of NumPy and SciPy would call; `value` is a number's number."""
    plain = "exp log sqrt sin cos tan tanh cosh sinh expm1 log1p cbrt abs sum mean prod cumprod max sign floor round sort std var where maximum minimum clip hypot logaddexp sinc array trace argmax fmod interp"
    found = {n: getattr(np, n) for n in plain.split()}
    found |= {
        n: getattr(np, "arc" + n[1:])
        for n in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh")
    }
    found |= {
        "sigmoid": special.expit,
        "softplus": lambda x: np.logaddexp(x, 0.0),
        "relu": lambda x: np.maximum(x, 0.0),
        "softmax": special.softmax, "log_softmax": special.log_softmax, "logsumexp": special.logsumexp,
        "gelu": lambda x: x * special.ndtr(x),
        "xlogy": special.xlogy, "erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln,
        "norm": np.linalg.norm, "det": np.linalg.det, "inv": np.linalg.inv, "solve": np.linalg.solve,
        "eigh": np.linalg.eigh,
        "svd": lambda a: np.linalg.svd(a, full_matrices=False),
        "slogdet": lambda a: np.linalg.slogdet(a)[1],
        "T": lambda a: np.swapaxes(a, -1, -2),
        "pow": lambda a, b: a**b,
        "value": value,
    }  # fmt: skip
    return SimpleNamespace(**found)
