"""Does anybody see a progress bar?"""

import sys


def is_watched() -> bool:
    """Whether a bar would be seen: standard error is a terminal, or this is a notebook."""
    return bool((sys.stderr and sys.stderr.isatty()) or "ipykernel" in sys.modules)
