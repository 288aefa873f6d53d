"""The command `python -m autograd`; `command/main.py` says what it does."""

import sys

from autograd.command.main import main

if __name__ == "__main__":
    sys.exit(main())
