"""The command `python -m nn`; `command/main.py` says what it does."""

import sys

from nn.command.main import main

if __name__ == "__main__":
    sys.exit(main())
