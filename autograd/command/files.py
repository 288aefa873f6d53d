"""Which files does `python -m autograd` write: a picture of the graph, and a page that steps through it?"""

import argparse

from autograd.command_line import CommandError
from autograd.reals import shown
from autograd.value import Value

PICTURES = (".svg", ".png", ".pdf")


def check_files(options: argparse.Namespace) -> None:
    """Refuses file names of unknown kinds before anything is computed."""
    if options.draw is not None and not options.draw.lower().endswith(PICTURES):
        raise CommandError(f"--draw writes {', '.join(PICTURES)} files; got {shown(options.draw)}")
    if options.explain is not None and not options.explain.lower().endswith((".html", ".htm")):
        raise CommandError(f"--explain writes an .html file; got {shown(options.explain)}")


def write_files(options: argparse.Namespace, root: Value) -> list[str]:
    """Writes the picture and the page; returns what to say of them."""
    said = []
    if options.draw:
        from autograd.drawing import draw  # which loads graphviz

        draw(root).render(options.draw)
        said.append(f"the graph is in {options.draw}")
    if options.explain:
        from autograd.drawing import explain

        explain(root).save(options.explain)
        said.append(f"the steps are in {options.explain}: open it in a browser")
    return ["", *said] if said else []
