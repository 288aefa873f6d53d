"""What are pictures drawn on, and in which colours? On a figure of matplotlib, loaded when one is asked for."""

from typing import Any

# After Okabe and Ito, "Color Universal Design" (2008); every class has a marker of its own as well.
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
INK = "#1f2328"


def new_figure(width: float, height: float, what: str = "drawing") -> Any:
    """An empty figure of matplotlib.

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
