"""EXPLAIN: which line lost the digits of a derivative, why, and what to write instead."""
