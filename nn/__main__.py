"""The command `python -m nn`; `command/main.py` says what it does."""

import sys

try:
    from nn.command.main import main
except KeyboardInterrupt:  # while it was being loaded
    print("interrupted", file=sys.stderr)
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
