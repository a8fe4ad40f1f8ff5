"""PROGRAM → MACHINE: one lowering to loop code, printed for LLVM and for C++."""
