"""COMPILED PROGRAMS, by what they compute; and what a compiled function remembers of the world."""
