"""The command `python -m autograd`. `main.py` computes, `comparison.py` judges, `printed.py` and `files.py` tell.

What it shares with the other commands is in `autograd/command_line.py` and `autograd/terminal.py`.
"""
