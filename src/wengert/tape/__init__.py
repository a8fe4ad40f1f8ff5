"""TAPES: record a `with` block, then ask for derivatives. As TensorFlow spells and means them."""

from wengert.tape.gradient_tape import GradientTape as GradientTape
from wengert.tape.gradient_tape import UnconnectedGradients as UnconnectedGradients
from wengert.tape.variable import Constant as Constant
from wengert.tape.variable import Variable as Variable
from wengert.tape.variable import constant as constant
