"""What does a program print that trains a GPT of scalars, and how long do its steps take? It is run as it stands.

The program is one file that reads `input.txt` in the working folder, has its own class `Value`, and prints a line for
each step and each sample, as `scalar_gpt.py` does. It is not changed, but that it may get another class.
"""

import ast
import builtins
import os
import re
import tempfile
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

STEP, SAMPLE = re.compile(r"step +\d+ / +\d+ \| loss (\S+)"), re.compile(r"sample +\d+: (.*)")


class _Enough(BaseException):
    """Ends the program: all that was asked for was seen."""


def without_class(source: str, name: str) -> ast.Module:
    """The program without its class of a name: it uses the one that it is given."""
    tree = ast.parse(source)
    kept = [node for node in tree.body if not (isinstance(node, ast.ClassDef) and node.name == name)]
    if len(kept) != len(tree.body) - 1:
        raise ValueError(f"the program has to have one class {name} of its own")
    tree.body = kept
    return tree


def run(script: Path, names: Path, steps: int | None = None, value: Any = None) -> dict[str, Any]:
    """The losses and samples as printed, the seconds of each step, and of the whole.

    Arguments:
        script: the program. It runs in this process.
        names: the file that it finds as `input.txt`.
        steps: ends it after so many; by default it runs to its end.
        value: a class to use instead of its own `Value`.
    """
    source = script.read_text(encoding="utf-8")
    code = compile(source if value is None else without_class(source, "Value"), script.name, "exec")
    losses: list[str] = []
    samples: list[str] = []
    moments: list[float] = []

    def watched(*texts: Any, **_: Any) -> None:
        line = " ".join(map(str, texts))
        if found := STEP.search(line):
            moments.append(perf_counter())
            losses.append(found[1])
            if len(losses) == steps:
                raise _Enough
        elif found := SAMPLE.search(line):
            samples.append(found[1])

    space: dict[str, Any] = {"__name__": "__main__", "print": watched, "__builtins__": builtins}
    if value is not None:
        space["Value"] = value
    before, text = os.getcwd(), names.read_bytes()
    start = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "input.txt").write_bytes(text)
        os.chdir(folder)
        try:
            exec(code, space)
        except _Enough:
            pass
        finally:
            os.chdir(before)
    seconds = [after - before for before, after in pairwise(moments)]
    return {"losses": losses, "samples": samples, "steps": seconds, "seconds": perf_counter() - start}
