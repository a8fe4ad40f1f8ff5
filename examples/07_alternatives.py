"""The alternatives to automatic differentiation, side by side: symbols, differences, complex steps."""

from pathlib import Path

import numpy as np

import wengert as wg


def f(x):
    return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)


def symbolic():
    """The program of f as an expression, its derivative, and that back as a function."""
    slope = wg.symbolic.derivative(f)("x")
    print("f'(x) =", slope)
    assert np.isclose(wg.symbolic.function(slope)(1.5), wg.grad(f)(1.5), rtol=1e-14)


def numeric():
    """Differences know their error; the complex step has none, and refuses where it would be wrong."""
    value, error = wg.numeric.derivative(f, 1.5, error=True)
    print(f"\nRichardson: {value:.15f} ± {error:.0e}")
    assert abs(value - wg.grad(f)(1.5)) < 10 * error
    try:
        wg.numeric.derivative(lambda x: abs(x) * f(x), 1.5, method="complex")
    except wg.errors.NotDifferentiableError as refusal:
        print(refusal)
    else:
        raise AssertionError("abs is not analytic")


def swell():
    """The expression of a derivative grows faster than the program that computes it."""
    print("\nn  nodes of f'  equations of grad(f)")
    found = []
    for n in (2, 4, 6):

        def logistic(x, n=n):
            for _ in range(n):
                x = 4 * x * (1 - x)
            return x

        nodes = wg.symbolic.nodes(wg.symbolic.derivative(logistic)("x"))
        equations = len(wg.program(wg.grad(logistic))(0.3).eqns)
        found.append(nodes / equations)
        print(f"{n}  {nodes:11}  {equations:20}")
    assert found == sorted(found)


def main(out=Path("out")):
    symbolic()
    numeric()
    swell()
    table = wg.compare(f)(1.5)
    print(f"\n{table}")
    out.mkdir(exist_ok=True)
    print("\npicture:", table.plot(out / "alternatives.png"))
    errors = {row.method: row.error for row in table.rows}
    assert (
        errors["reverse mode"] < 1e-15 < errors["central difference"] < errors["forward difference"]
    )


if __name__ == "__main__":
    main()
