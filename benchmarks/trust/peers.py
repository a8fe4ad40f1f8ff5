"""The peers as the yardstick asks for them: what they return is what is scored, they have no flags."""

from types import SimpleNamespace

import numpy as np
from names import expression_names, trap_names


class Jax:
    """JAX: `vmap` of `grad`, jitted, in the format that is asked for."""

    def __init__(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.jnp = jax, jax.numpy
        special = SimpleNamespace(
            **{
                n: getattr(jax.scipy.special, n)
                for n in ["erf", "erfc", "gammaln", "gamma", "expit", "logsumexp", "ndtr", "xlogy"]
            },
            softmax=jax.nn.softmax,
            log_softmax=jax.nn.log_softmax,
        )
        self.names = expression_names(self.jnp, special)
        self.trap_names = trap_names(self.jnp, special, jax.lax.stop_gradient)

    def grads(self, f, X, fmt):
        """Values and gradients of a batch of points."""
        k = X.shape[1]
        columns = [
            self.jnp.asarray(X[:, n].astype(np.float32 if fmt == "f32" else np.float64))
            for n in range(k)
        ]
        one = self.jax.value_and_grad(lambda *xs: f(self.names, *xs), tuple(range(k)))
        value, gradient = self.jax.jit(self.jax.vmap(one))(*columns)
        return np.asarray(value), np.stack([np.asarray(g) for g in gradient], 1)

    def grad(self, f, args, fmt):
        """Value and gradient of one call."""
        given = [self.jnp.asarray(a) for a in args]
        one = self.jax.value_and_grad(lambda *xs: f(self.trap_names, *xs), tuple(range(len(args))))
        value, gradient = one(*given)
        return value, [np.asarray(g) for g in gradient]


class Autograd:
    """HIPS autograd."""

    def __init__(self):
        import autograd
        import autograd.numpy as anp
        import autograd.scipy.special as special

        self.autograd = autograd
        extra = SimpleNamespace(
            **{
                n: getattr(special, n)
                for n in ["erf", "erfc", "gammaln", "gamma", "expit", "logsumexp"]
            },
            softmax=lambda x: anp.exp(x - special.logsumexp(x)),
            log_softmax=lambda x: x - special.logsumexp(x),
            ndtr=lambda x: 0.5 * special.erfc(-x / np.sqrt(2)),
            xlogy=lambda x, y: x * anp.log(y),
        )
        names = SimpleNamespace(
            **{n: getattr(anp, n) for n in dir(anp) if not n.startswith("_")},
        )
        for n in ("cbrt", "copysign", "fmod", "trunc", "rint", "interp", "hypot"):
            if not hasattr(names, n):
                setattr(names, n, getattr(np, n))
        self.names = expression_names(names, extra)
        self.trap_names = trap_names(names, extra, lambda x: getattr(x, "_value", x))

    def grads(self, f, X, fmt):
        """Values and gradients of a batch of points, element by element of one sum."""
        k = X.shape[1]
        columns = [X[:, n].astype(np.float32 if fmt == "f32" else np.float64) for n in range(k)]
        with np.errstate(all="ignore"):
            value = f(self.names, *columns)
            found = [
                self.autograd.elementwise_grad(lambda *xs: f(self.names, *xs), n)(*columns)
                for n in range(k)
            ]
        return value, np.stack([np.broadcast_to(g, (len(X),)) for g in found], 1)

    def grad(self, f, args, fmt):
        """Value and gradient of one call."""
        g = self.autograd.grad(lambda *xs: f(self.trap_names, *xs), tuple(range(len(args))))
        return f(self.trap_names, *args), list(g(*args))


class Torch:
    """PyTorch, eager."""

    def __init__(self):
        import torch

        self.torch = torch
        self.names = expression_names(_torch_names(torch), _torch_special(torch))
        self.trap_names = trap_names(
            _torch_names(torch), _torch_special(torch), lambda x: x.detach()
        )

    def _leaves(self, arrays):
        return [self.torch.tensor(a, requires_grad=True) for a in arrays]

    def grads(self, f, X, fmt):
        """Values and gradients of a batch of points, element by element of one sum."""
        k = X.shape[1]
        leaves = self._leaves(
            [X[:, n].astype(np.float32 if fmt == "f32" else np.float64) for n in range(k)]
        )
        value = f(self.names, *leaves)
        found = self.torch.autograd.grad(value.sum(), leaves, allow_unused=True)
        columns = [np.zeros(len(X)) if g is None else g.numpy() for g in found]
        return value.detach().numpy(), np.stack(columns, 1)

    def grad(self, f, args, fmt):
        """Value and gradient of one call."""
        leaves = self._leaves(args)
        value = f(self.trap_names, *leaves)
        found = self.torch.autograd.grad(value, leaves, allow_unused=True)
        return value, [
            np.zeros(a.shape) if g is None else g.numpy() for g, a in zip(found, args, strict=True)
        ]


def _torch_names(torch):
    """PyTorch's functions by NumPy's names; numbers among the arguments become tensors."""

    def lifted(function):
        def call(*xs, **settings):
            like = next((x for x in xs if isinstance(x, torch.Tensor)), None)
            dtype = torch.float64 if like is None else like.dtype
            return function(
                *(torch.tensor(x, dtype=dtype) if isinstance(x, int | float) else x for x in xs),
                **settings,
            )

        return call

    plain = "sqrt exp exp2 expm1 log log10 log2 log1p sin cos tan sinh cosh tanh floor ceil trunc hypot copysign fmod where abs maximum minimum less less_equal greater greater_equal not_equal logical_and logical_or logical_not sum mean prod sign round logaddexp sinc trace argmax clip"
    names = {n: lifted(getattr(torch, n)) for n in plain.split() if hasattr(torch, n)}
    names |= {
        "equal": lifted(torch.eq),
        "rint": lifted(torch.round),
        "cbrt": lifted(lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3)),
        "arctan2": lifted(torch.atan2),
        "cumprod": lambda x: torch.cumprod(x, 0),
        "max": torch.max,
        "sort": lambda x: torch.sort(x).values,
        "std": lambda x: torch.std(x, correction=0),
        "var": lambda x: torch.var(x, correction=0),
        "array": lambda v: torch.tensor(v, dtype=torch.float64),
        "interp": lambda *a: _refused("interp"),
        "swapaxes": torch.swapaxes,
        "linalg": SimpleNamespace(
            norm=torch.linalg.norm, det=torch.linalg.det, inv=torch.linalg.inv,
            solve=torch.linalg.solve, eigh=torch.linalg.eigh, svd=torch.linalg.svd,
            slogdet=torch.linalg.slogdet,
        ),
    }  # fmt: skip
    for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh"):
        names["arc" + n] = lifted(getattr(torch, "a" + n))
    return SimpleNamespace(**names)


def _refused(name):
    raise NotImplementedError(name)


def _torch_special(torch):
    s = torch.special
    return SimpleNamespace(
        erf=s.erf, erfc=s.erfc, gammaln=s.gammaln, gamma=lambda x: torch.exp(s.gammaln(x)),
        expit=s.expit, softmax=lambda x: torch.softmax(x, -1), ndtr=s.ndtr, xlogy=s.xlogy,
        log_softmax=lambda x: torch.log_softmax(x, -1), logsumexp=lambda x: torch.logsumexp(x, -1),
    )  # fmt: skip
