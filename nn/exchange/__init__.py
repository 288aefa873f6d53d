"""How do models get to other libraries, and their numbers from there? `pytorch.py`, and files that many can read."""
