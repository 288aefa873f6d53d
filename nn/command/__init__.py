"""The parts of the command `python -m nn`: `main.py` first, then a file for each thing that it does."""
