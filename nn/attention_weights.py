"""At which earlier characters does each head of a model look? `plot_attention` shows it over a text.

The colours are those of `plots.py`; the figure is drawn by matplotlib, which is loaded when one is asked for.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from autograd.reals import shown
from autograd.terminal import on_one_line
from autograd.value import Value
from nn.plots import COLOURS, INK, new_figure

MOST_ACROSS = 4
"""So many heads stand side by side."""

WITH_NUMBERS = 8
"""Of texts that are no longer, each weight has its number in its cell."""

VISIBLE = {" ": "␣", "\n": "↵", "\t": "⇥"}
"""How characters that have no ink are shown."""

BOUNDARY = "•"
"""How the token that begins a text is shown."""

Rows = Sequence[Sequence[float]]
"""For each position the weights of those up to it."""


def plot_attention(model: Any, text: Any, *, titles: Iterable[str] | None = None) -> Any:
    """Draws how much each head looks at each earlier character: a row for each position of a text, which sums to 1.

    Read a row from the left: the character at its beginning has just been read, the next one is to be guessed, and a
    dark cell is one that the head looks at. The dot is the token with which every text begins.

    Arguments:
        model: an `nn.GPT`; or for each head its weights, a row for each position (row t has t + 1 numbers or Values).
        text: a text, or a list of the model's tokens; beside weights the name of each position.
        titles: a title for each head; None for "head 0" and so on, with the layer where there are several.

    Returns:
        the figure of matplotlib.

    Raises:
        ImportError: matplotlib is not installed.
        TypeError: it is neither a model with attention nor weights.
        ValueError: the text is empty or too long for the model, a character is unknown to it, or the numbers of
            positions, rows and titles differ.

    >>> weights = [[1.0], [0.25, 0.75], [0.1, 0.6, 0.3]]
    >>> figure = plot_attention([weights, weights], "Rom")
    >>> [ax.get_title() for ax in figure.axes[:2]]
    ['head 0', 'head 1']
    """
    if hasattr(model, "attention_weights"):
        heads, names, usual = _of_model(model, text)
    else:
        heads, names = _given(model), [str(name) for name in text]
        usual = [f"head {i}" for i in range(len(heads))]
    called = usual if titles is None else [str(title) for title in titles]
    if len(called) != len(heads):
        raise ValueError(f"titles takes one for each of {len(heads)} heads; got {len(called)}: {shown(called)}")
    for rows in heads:
        _check_rows(rows, len(names))
    return _figure(heads, [_shown(name) for name in names], called)


def _of_model(model: Any, text: Any) -> tuple[list[Rows], list[str], list[str]]:
    """The weights of all heads of a model, layer by layer, the names of the positions and of the heads."""
    tokenizer = getattr(model, "tokenizer", None)
    if isinstance(text, str):
        if tokenizer is None:
            raise TypeError(
                f"plot_attention takes a list of tokens for a model without a tokenizer; got {shown(text)}: "
                "give the model a CharTokenizer, or give tokens"
            )
        tokens = [tokenizer.bos, *tokenizer.encode(text)]
    else:
        tokens = list(text)
    layers = model.attention_weights(tokens)
    names = [str(token) if tokenizer is None else _character(tokenizer, token) for token in tokens]
    several = len(layers) > 1
    usual = [
        f"layer {n}, head {i}" if several else f"head {i}" for n, heads in enumerate(layers) for i in range(len(heads))
    ]
    return [_numbers(rows) for heads in layers for rows in heads], names, usual


def _character(tokenizer: Any, token: int) -> str:
    return BOUNDARY if token == tokenizer.bos else str(tokenizer.decode([token]))


def _given(weights: Any) -> list[Rows]:
    """The weights of each head as numbers."""
    try:
        heads = [_numbers(rows) for rows in weights]
    except TypeError:
        raise TypeError(
            f"plot_attention takes an nn.GPT, or for each head the rows of its weights; got {shown(weights)} "
            f"({type(weights).__name__})"
        ) from None
    if not heads:
        raise ValueError("plot_attention needs at least one head; got none")
    return heads


def _numbers(rows: Iterable[Iterable[Any]]) -> Rows:
    return [[x.data if isinstance(x, Value) else float(x) for x in row] for row in rows]


def _check_rows(rows: Rows, count: int) -> None:
    lengths = [len(row) for row in rows]
    if not rows or lengths != list(range(1, count + 1)):
        raise ValueError(
            f"plot_attention takes a row of weights for each of {count} positions, of 1, 2, 3, ... numbers; got rows "
            f"of {shown(lengths)}: give one for each position, or a text of as many"
        )


def _shown(name: str) -> str:
    """The name of a position as it stands at an axis."""
    return on_one_line(VISIBLE.get(name, name)).replace("$", r"\$")  # or matplotlib would read a formula


# The picture


def _figure(heads: Sequence[Rows], names: Sequence[str], titles: Sequence[str]) -> Any:
    """A square for each head, at most MOST_ACROSS in a row, and a colour bar."""
    across = min(len(heads), MOST_ACROSS)
    down = -(-len(heads) // across)
    side = max(2.1, 0.2 * len(names))
    figure = new_figure(side * across + 1.0, (side + 0.45) * down + 0.5, "plot_attention")
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel().tolist()
    for ax, rows, title in zip(axes, heads, titles, strict=False):
        image = _draw_head(ax, rows, names)
        ax.set_title(title, color=INK, fontsize=10.0)
    for ax in axes[len(heads) :]:
        ax.set_visible(False)
    figure.supxlabel("looks at", color=INK, fontsize=10.0)
    figure.supylabel("having read", color=INK, fontsize=10.0)
    bar = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02, label="weight")
    bar.outline.set_visible(False)
    return figure


def _draw_head(ax: Any, rows: Rows, names: Sequence[str]) -> Any:
    """The triangle of one head's weights, with the characters at both sides."""
    from matplotlib.colors import LinearSegmentedColormap

    count = len(names)
    colours = LinearSegmentedColormap.from_list("weights", ["#eef3f8", COLOURS[1]])
    square = [[*row, *[float("nan")] * (count - len(row))] for row in rows]  # nan has no colour
    image = ax.imshow(square, cmap=colours, vmin=0.0, vmax=1.0)
    if count <= WITH_NUMBERS:
        for i, row in enumerate(rows):
            for j, weight in enumerate(row):
                colour = "white" if weight > 0.6 else INK
                number = f"{weight:.2f}"[-3:] if weight < 0.995 else "1"
                ax.text(j, i, number, ha="center", va="center", color=colour, fontsize=7.0)
    ax.set_xticks(range(count), names, fontsize=10.0)
    ax.set_yticks(range(count), names, fontsize=10.0)
    ax.tick_params(length=0.0, colors=INK, labelleft=True, labelbottom=True)
    for side in ax.spines.values():
        side.set_visible(False)
    return image
