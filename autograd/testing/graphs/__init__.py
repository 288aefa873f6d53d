"""Random computation graphs and models, written down, printed as Python, and drawn by Hypothesis."""
