"""How a model learns: `fit` and what it needs. Read `fit.py` first."""
