"""How much faster is a GPT of scalars if only its class is swapped, and how much if its step is compiled?

`python -m tests.benchmarks.swapped_class` runs `scalar_gpt.py` with its own class and with ours in turn, each time in a
process of its own. `--original FILE` runs another program of that form, such as microgpt's file. The step of
`scalar_gpt.py` is compiled too: one line, since its functions take any numbers (`native`).
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from unittest.mock import patch

from tests.benchmarks.gpt_script import run
from tests.benchmarks.tables import bar, bar_table, machine, table, times
from tests.benchmarks.workloads import fresh_process

PROGRAM = Path(__file__).with_name("scalar_gpt.py")
OWN, OURS, NATIVE = "its own class", "our Value", "our Value, compiled"


def native(names: Path, steps: int) -> dict[str, Any]:
    """The losses and the seconds of each step of `scalar_gpt.py`, if `compile` makes native code of it."""
    import autograd
    import nn
    from tests.benchmarks import scalar_gpt as gpt

    def row_of(table: Any, index: Any) -> Any:
        if isinstance(table[0], list):
            return [row_of(column, index) for column in zip(*table, strict=True)]
        return autograd.take(table, index)

    learned, characters = gpt.read_names(names)
    length = gpt.POSITIONS
    # For all names: tokens and targets are numbers that are given later. A name of n tokens has the n-th output.
    inputs = [autograd.Value(0.0) for _ in range(2 * length)]
    with patch.multiple(gpt, Value=autograd.Value, row_of=row_of, largest=autograd.max):
        weights = gpt.matrices(len(characters) + 1)
        losses = gpt.losses_of(weights, inputs[:length], inputs[length:])
    means = [sum(losses[:n]) / n for n in range(1, length + 1)]
    parameters = [number for matrix in weights.values() for row in matrix for number in row]
    program = autograd.compile(means, inputs, parameters=parameters)
    optimizer = nn.Adam(parameters, lr=gpt.RATE, betas=(gpt.BETA1, gpt.BETA2), eps=gpt.EPSILON)

    found, seconds = [], []
    for step in range(steps):
        start = perf_counter()
        tokens, targets = gpt.encoded(learned[step % len(learned)], characters)
        rest = [0] * (length - len(tokens))
        optimizer.lr = gpt.RATE * (1 - step / gpt.STEPS)
        loss = program.step(optimizer, [[*tokens, *rest, *targets, *rest]], output=len(tokens) - 1)
        seconds.append(perf_counter() - start)
        found.append(f"{loss:.4f}")
    return {"losses": found, "steps": seconds[1:]}


def measure(kind: str, program: str, names: str, steps: str) -> dict[str, Any]:
    """Losses, seconds of the median step, and processor time a step, in this process."""
    value = None
    if kind == OURS:
        from autograd import Value as value
    before = process_time()
    count, file = int(steps), Path(names)
    figures = native(file, count) if kind == NATIVE else run(Path(program), file, count, value)
    spent = (process_time() - before) / count
    return {"losses": figures["losses"], "median": statistics.median(figures["steps"]), "spent": spent}


def compare(program: Path, names: Path, pairs: int, steps: int) -> str:
    """The tables."""
    kinds = [OWN, OURS] * pairs + ([NATIVE] if program == PROGRAM else [])
    found: dict[str, list[Any]] = {}
    for kind in kinds:
        arguments = ("--one", kind, str(program), str(names), str(steps))
        print(f"measuring {kind} ...", file=sys.stderr)
        found.setdefault(kind, []).append(json.loads(fresh_process("-m", "tests.benchmarks.swapped_class", *arguments)))
        if found[kind][-1]["losses"] != found[OWN][0]["losses"]:
            raise SystemExit(f"{kind}: the losses are {found[kind][-1]['losses']}, not {found[OWN][0]['losses']}")
    medians = {kind: statistics.median(figures["median"] for figures in runs) for kind, runs in found.items()}
    spent = {kind: statistics.median(figures["spent"] for figures in runs) for kind, runs in found.items()}
    rows = [
        (kind, f"{medians[kind] * 1e3:.3g}", times(medians[OWN] / medians[kind]), *processor(kind, spent))
        for kind in found
    ]
    ratio = medians[OWN] / medians[OURS]
    head = (program.name, "median step, ms", "times faster", "processor, ms a step", "times less")
    bars = [bar("eager, the class swapped", ">= 1.8x", times(ratio), ratio >= 1.8)]
    return f"{machine()}\n\n{table(head, rows)}\n\n{bar_table(bars)}"


def processor(kind: str, spent: dict[str, float]) -> tuple[str, ...]:
    if kind == NATIVE:
        return ()  # most of it is compiling
    return f"{spent[kind] * 1e3:.3g}", times(spent[OWN] / spent[kind])


def city_names(folder: str) -> Path:
    """A file of names to learn from, for those who have none."""
    from nn.datasets import load_city_names

    file = Path(folder) / "cities.txt"
    file.write_text("\n".join(name.lower() for name in load_city_names()), encoding="utf-8")
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--original", type=Path, default=PROGRAM, help="a program like scalar_gpt.py to run instead")
    parser.add_argument("--names", type=Path, help="a file with a name a line; by default names of cities")
    parser.add_argument("--pairs", type=int, default=6, help="how often each is run")
    parser.add_argument("--steps", type=int, default=30, help="steps in each run")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    with tempfile.TemporaryDirectory() as folder:
        names = options.names.resolve() if options.names else city_names(folder)
        print(compare(options.original.resolve(), names, options.pairs, options.steps))


if __name__ == "__main__":
    main()
