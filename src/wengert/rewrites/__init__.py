"""PROGRAM → PROGRAM, equal in the reals."""

from wengert.rewrites.simplify import simplify as simplify
