"""What does `python -m nn experiments` do? It lists the experiments, or runs one and draws its figure."""

import argparse
import os

from autograd.terminal import say, wrapped
from nn.command.options import check_writable
from nn.experiments import EXPERIMENTS

FIGURES = (".png", ".svg", ".pdf")


def experiments(options: argparse.Namespace) -> None:
    """`python -m nn experiments`."""
    if options.name is None:
        if options.seed is not None or options.figure is not None:
            raise ValueError(f"--seed and --figure are for one experiment; name it: {', '.join(EXPERIMENTS)}")
        list_experiments()
        return
    path = options.figure or f"{options.name}.png"
    check_writable(path, "--figure")
    if os.path.splitext(path)[1].lower() not in FIGURES:
        raise ValueError(f"{path} cannot be written: the name of a figure ends in .png, .svg or .pdf")
    result = EXPERIMENTS[options.name](seed=options.seed or 0)
    say(f"{result}\n")
    try:
        result.plot().savefig(path, dpi=150)
    except ImportError as error:
        say(wrapped(f"No figure was written: {error}"))
    else:
        say(wrapped(f"The figure is in {path}."))


def list_experiments() -> None:
    """A line for each experiment: its name, and the first line of what its function says of itself."""
    for name, experiment in EXPERIMENTS.items():
        say(f"{name:<12} {(experiment.__doc__ or '').splitlines()[0]}")
    say("\nTo run one, and draw its figure: python -m nn experiments NAME [--seed N]")
