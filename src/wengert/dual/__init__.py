"""DUALS: numbers that carry their derivatives, after Eigen's AutoDiffScalar.

They are the jvp rules on concrete values: derivative axis first inside, shown last outside.
"""

from wengert.dual.convert import convert as convert
from wengert.dual.convert import gradients as gradients
from wengert.dual.scalar import AutoDiffScalar as AutoDiffScalar
