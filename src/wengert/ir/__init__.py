"""THE LANGUAGE: knows neither NumPy's names nor derivatives."""

from wengert.ir.evaluate import evaluate as evaluate
from wengert.ir.primitive import Handle as Handle
from wengert.ir.primitive import Primitive as Primitive
from wengert.ir.program import Atom as Atom
from wengert.ir.program import Const as Const
from wengert.ir.program import Eqn as Eqn
from wengert.ir.program import Program as Program
from wengert.ir.program import Var as Var
from wengert.ir.types import ArrayType as ArrayType
from wengert.ir.types import StackType as StackType
from wengert.ir.types import Type as Type
from wengert.ir.types import type_of as type_of
