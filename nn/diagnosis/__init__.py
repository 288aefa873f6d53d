"""What goes wrong when a model learns, and what helps. Read `diagnose.py` first."""
