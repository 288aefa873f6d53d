"""What does a diagnosis look like? The statistics of each layer, at one moment or epoch by epoch, with matplotlib."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from math import nan
from typing import Any

from nn.diagnosis.layer_statistics import Layers
from nn.plots import COLOURS, MARKERS, new_figure

LARGEST = 1e300  # matplotlib's axes overflow beyond


def picture_of_layers(title: str, layers: Layers) -> Any:
    """Gradient and movement, outputs, saturation and dead units, layer by layer."""
    figure = new_figure(11.0, 3.6)
    figure.suptitle(title)
    left, middle, right = figure.subplots(1, 3)
    places = {layer.name: place for place, layer in enumerate(layers)}
    _draw_learning(left, places, [layer for layer in layers if layer.gradient is not None])
    means, spreads = ([_drawable(getattr(x, name)) for x in layers] for name in ("mean", "std"))
    middle.errorbar(places.values(), means, spreads, fmt="o", capsize=4, color=COLOURS[1])
    middle.set(title="outputs: mean and spread")
    _draw_shares(right, layers)
    for axes in (left, middle, right):
        axes.set_xticks(list(places.values()), [short(name) for name in places], rotation=45)
    return figure


def _draw_learning(axes: Any, places: dict[str, int], learning: Layers) -> None:
    """Gradient and movement of the layers with parameters."""
    across = [places[layer.name] for layer in learning]
    for name, style, colour in (("gradient", "o-", COLOURS[1]), ("movement", "s--", COLOURS[0])):
        _logarithmic(axes, across, [getattr(layer, name) for layer in learning], style, colour, name)
    axes.set(title="what the parameters get", ylabel="root mean square")
    axes.legend()


def _draw_shares(axes: Any, layers: Layers) -> None:
    """Which share of a layer's outputs is saturated, and which share of its units is dead."""
    shares = {"saturated outputs": [x.saturated or 0.0 for x in layers], "dead units": [x.dead_share for x in layers]}
    for (name, numbers), shift, colour in zip(shares.items(), (-0.2, 0.2), (COLOURS[5], COLOURS[0]), strict=True):
        axes.bar([place + shift for place in range(len(layers))], numbers, 0.4, color=colour, label=name)
    axes.set(title="share of outputs, of units", ylim=(0.0, 1.0))
    if any(map(any, shares.values())):
        axes.legend()
    else:
        axes.text(0.5, 0.5, "nothing saturated,\nno dead units", ha="center", va="center", transform=axes.transAxes)


def picture_of_epochs(epochs: Sequence[Layers]) -> Any:
    """Gradient, movement and dead units of each layer, epoch by epoch."""
    figure, across = new_figure(11.0, 3.6), range(len(epochs))
    gradients, movements, dead = figure.subplots(1, 3)
    for k, layer in enumerate(epochs[0]):
        style, colour, label = f"{MARKERS[k % len(MARKERS)]}-", COLOURS[k % len(COLOURS)], short(layer.name)
        if len(by_epoch(epochs, layer.name, "gradient")) < len(epochs):
            continue  # it was not used in every epoch
        if layer.gradient is not None:
            _logarithmic(gradients, across, by_epoch(epochs, layer.name, "gradient"), style, colour, label)
            _logarithmic(movements, across[1:], by_epoch(epochs, layer.name, "movement")[1:], style, colour, label)
        if layer.units:
            dead.plot(across, by_epoch(epochs, layer.name, "dead_share"), style, color=colour, label=label)
    gradients.set(title="gradient", xlabel="epoch")
    movements.set(title="movement in an epoch", xlabel="epoch")
    dead.set(title="share of dead units", xlabel="epoch", ylim=(-0.05, 1.05))
    for axes in (gradients, movements, dead):
        axes.xaxis.get_major_locator().set_params(integer=True)
        if axes.lines and axes is not movements:
            axes.legend()
    return figure


def by_epoch(epochs: Sequence[Layers], layer: str, name: str) -> list[float | None]:
    """One attribute of the layer of that name, in each epoch."""
    return [getattr(x, name) for layers in epochs for x in layers if x.name == layer]


def as_html(text: str, plot: Callable[[], Any], what: str) -> str:
    """The text, and below it the picture, for a notebook; the text alone where matplotlib is not installed."""
    preformatted = f"<pre>{html.escape(text)}</pre>"
    try:
        figure = plot()
    except ImportError:
        return preformatted
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=90)
    source = "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode("ascii")
    return f'{preformatted}<img alt="{what}" src="{source}">'


def short(name: str) -> str:
    """The end of a long name."""
    return name if len(name) <= 24 else f"...{name[-21:]}"


def _logarithmic(
    axes: Any, places: Sequence[int], numbers: Sequence[float | None], style: str, colour: str, label: str
) -> None:
    """A line on a logarithmic scale; zeros, and what is not finite, are left out."""
    drawn = [_drawable(number or None) for number in numbers]
    axes.plot(places, drawn, style, color=colour, label=label, markersize=5.0)
    if any(number > 0.0 for number in drawn):
        axes.set_yscale("log")


def _drawable(number: float | None) -> float:
    """The number, or nan, which matplotlib leaves out."""
    return number if number is not None and abs(number) < LARGEST else nan
