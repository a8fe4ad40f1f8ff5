"""Where autodiff fails, and how to help it: 1 / exp(x) in single precision at x = 100.

exp(100) overflows there, 1 / inf is rightly 0, and the plain chain rule multiplies 0 by inf.
"""

import warnings

import numpy as np

import wengert as wg

X = wg.Variable(100.0, dtype=np.float32)
TRUTH = np.float32(-3.78e-44)  # -exp(-100), nearly; a number below the normal ones


def slope(function):
    """Value and gradient at x = 100, by the tape."""
    with np.errstate(over="ignore"), wg.GradientTape() as tape:
        output = function(X)
    return output.numpy(), tape.gradient(output, X)


@wg.custom_gradient(check=False)
def textbook_exp(x):
    """The rule of most frameworks: exp's slope times whatever comes from above."""
    e = np.exp(x)
    return e, lambda upstream: upstream * e


def by_the_plain_chain_rule(x):
    return 1.0 / textbook_exp(x)


def as_wengert_has_it(x):
    return 1.0 / np.exp(x)


@wg.custom_gradient
def mended(x):
    def grad(upstream):
        return upstream * -np.exp(-x)

    return 1.0 / np.exp(x), grad


@wg.custom_gradient(check=False)
def root(x):
    """√x with a slope of our choice at 0, where it has none: that of √(x + 1e-6)."""
    return np.sqrt(x), lambda upstream: upstream * 0.5 / np.sqrt(x + 1e-6)


def main():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value, gradient = slope(by_the_plain_chain_rule)
    print(f"plain chain rule: value {value}, gradient {gradient}. wengert says why:")
    print("   ", str(caught[-1].message).replace("\n", "\n    "))
    assert np.isnan(gradient)
    assert issubclass(caught[-1].category, wg.errors.NonFiniteWarning)
    assert "custom[textbook_exp]" in str(caught[-1].message)
    assert "1.0 / textbook_exp(x)" in str(caught[-1].message)  # the line where it is born

    # wengert's products stop at a zero from above: no nan, and 0 is right to within 4e-44
    value, gradient = slope(as_wengert_has_it)
    print(f"wengert's rules:  value {value}, gradient {gradient}")
    assert gradient == 0.0

    with np.errstate(over="ignore"):
        value, gradient = slope(mended)
    print(f"custom gradient:  value {value}, gradient {gradient}")
    assert gradient == TRUTH

    x = wg.Variable([0.0, 4.0])
    with wg.GradientTape() as tape:
        y = np.sum(root(x))
    print("√x at 0 and 4:    gradient", tape.gradient(y, x))


if __name__ == "__main__":
    main()
