"""Derivatives from values of a function alone, each with an error bound. Read `finite_differences.py` first."""
