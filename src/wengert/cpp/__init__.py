"""C++ IN AND OUT: the user's own function templates come in, functions and derivatives go out."""

from wengert.cpp.export import CppExport as CppExport
from wengert.cpp.export import export_cpp as export_cpp
from wengert.cpp.function import CppFunction as CppFunction
from wengert.cpp.function import cpp_function as cpp_function
from wengert.cpp.toolchain import INCLUDE as INCLUDE
