"""C++ IN: the user's own function templates, compiled once, as differentiable functions."""

from wengert.cpp.function import CppFunction as CppFunction
from wengert.cpp.function import cpp_function as cpp_function
from wengert.cpp.toolchain import INCLUDE as INCLUDE
