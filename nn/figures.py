"""What are pictures drawn on? An empty figure of matplotlib, which is loaded when one is asked for."""

from typing import Any


def new_figure(width: float, height: float, what: str = "drawing") -> Any:
    """An empty figure.

    Arguments:
        width, height: in inches.
        what: the beginning of the sentence where matplotlib is missing.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(f"{what} needs matplotlib: pip install 'scalar-autograd[notebooks]'") from None
    return Figure(figsize=(width, height), layout="constrained")
