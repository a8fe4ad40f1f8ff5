"""One derivative, asked of every tool: how each is handed the same function and the same arguments.

A contestant is a call without arguments that returns finished results: JAX's are waited for, PyTorch's
run eagerly. Arguments are converted beforehand, results are left as each tool gives them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy
import optree


@dataclass
class Case:
    """A workload at one size. `f(np)` gives the function, of which the arguments `wrt` are moved."""

    name: str
    args: tuple[Any, ...]
    f: Callable[[Any], Callable[..., Any]]
    wrt: tuple[int, ...] = (0,)
    torch: Callable[[Any], Callable[..., Any]] | None = None  # where PyTorch spells it otherwise
    own: dict[str, Callable[[], Callable[[], Any]]] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()  # tools for which there is no sensible spelling
    flops: float | None = None  # of the derivative, for the roofline
    bytes: float | None = None  # that any implementation must move
    rtol: float = 1e-8
    # (f of a tool, tool's grad, wrt) -> the derivative; a gradient unless said otherwise
    derivative: Callable[[Any, Any, tuple[int, ...]], Any] | None = None


def wengert(case):
    import wengert as wg

    f = case.f(numpy)
    g = case.derivative(wg, f, case.wrt) if case.derivative else wg.grad(f, argnums=case.wrt)
    return partial(wg.jit(g), *case.args)


def wengert_out(case):
    """As hand-written C++ does it: into arrays that are there."""
    call = wengert(case)
    out = optree.tree_map(numpy.empty_like, call())
    return partial(call, out=out)


def wengert_primal(case):
    import wengert as wg

    return partial(wg.jit(case.f(numpy)), *case.args)


def jax(case, primal=False):
    import jax

    jax.config.update("jax_enable_x64", True)
    f = case.f(jax.numpy)
    if not primal:
        f = case.derivative(jax, f, case.wrt) if case.derivative else jax.grad(f, argnums=case.wrt)
    compiled = jax.jit(f)
    args = optree.tree_map(jax.numpy.asarray, case.args)
    return lambda: jax.block_until_ready(compiled(*args))


def torch(case, compiled=False):
    import torch

    f = (case.torch or case.f)(torch)
    if compiled:
        if case.derivative is not None:
            raise NotImplementedError("no spelling of this derivative for torch.compile")
        f = torch.compile(f)
    args = optree.tree_map(lambda a: torch.as_tensor(numpy.array(a)), case.args)
    moving = [leaf.requires_grad_() for n in case.wrt for leaf in optree.tree_leaves(args[n])]

    def call():
        return torch.autograd.grad(f(*args), moving)

    return call


def autograd(case):
    import autograd
    import autograd.numpy as anp

    g = autograd.grad(case.f(anp), argnum=case.wrt)
    return partial(g, *case.args)


TOOLS = {
    "wengert": wengert,
    "wengert, out=": wengert_out,
    "jax": jax,
    "torch": torch,
    "torch.compile": partial(torch, compiled=True),
    "autograd": autograd,
}
PRIMALS = {"wengert": wengert_primal, "jax": partial(jax, primal=True)}
COMPARED = ("wengert", "jax", "torch", "autograd", "numpy", "C++")


def contestants(case, names):
    """Name and call of each tool that takes part; a tool that fails says why instead."""
    for name in names:
        if name in case.leave_out:
            continue
        make = case.own.get(name) or (partial(TOOLS[name], case) if name in TOOLS else None)
        if make is None:
            continue
        try:
            call = make()
            call()
        except Exception as error:
            yield (
                name,
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            )
            continue
        yield name, call


def flat(result):
    """All numbers of a result, in order, as float64: to compare tools with each other."""
    leaves = optree.tree_leaves(result)
    parts = [
        numpy.asarray(a.detach() if hasattr(a, "detach") else a, float).ravel() for a in leaves
    ]
    return numpy.concatenate(parts)
