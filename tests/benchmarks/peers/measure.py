"""What is one measurement of a peer? A fresh process that holds one engine, and prints its figures as JSON.

As in `workloads.py` above, `count` says how much: the width of the network, the nodes of the graph, the examples.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.workloads import fresh_process

PROGRAM = "tests.benchmarks.peers.measure"


def digits_command() -> dict[str, float]:
    """What `python -m nn` says of itself: seconds of training, and percent of the test images read right."""
    with tempfile.TemporaryDirectory() as folder:
        printed = fresh_process("-m", "nn", "train", "--save", str(Path(folder) / "digits.json"))
    text = " ".join(printed.split())
    found = re.search(r"\(([\d.]+) s[,)].* test accuracy ([\d.]+) %", text)
    if found is None:
        raise SystemExit(f"python -m nn does not say how long it took:\n{printed}")
    return {"seconds": float(found[1]), "accuracy": float(found[2])}


def measure(workload: str, engine: str, count: int) -> Any:
    """The figures of one workload on one engine."""
    from tests.benchmarks.peers import scalar_graphs, task, training

    os.environ.update(training.ENVIRONMENTS.get(engine, {}))
    if workload == "training":
        return [training.training(engine, point) for point in task.points(count)]
    if workload == "one by one":
        return [training.training(engine, task.ONE_BY_ONE)]
    if workload == "irregular graph":
        return scalar_graphs.irregular_figures(engine, count)
    if workload == "spelling":
        return scalar_graphs.spelling(engine, count)
    if workload == "growth":
        return scalar_graphs.growth(count)
    raise ValueError(f"there is no workload {workload!r}")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
