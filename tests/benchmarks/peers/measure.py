"""What is one measurement of a peer? A fresh process that holds one engine, and prints its figures as JSON.

As in `workloads.py` above, `count` says how much: the width of the network, the nodes of the graph; of a table of
rows, it says which row.
"""

import json
import os
import sys
from typing import Any


def measure(workload: str, engine: str, count: int) -> Any:
    """The figures of one workload on one engine."""
    from tests.benchmarks.peers import task, training

    os.environ.update(training.ENVIRONMENTS.get(engine, {}))
    from tests.benchmarks.peers import catalogue, rows, scalar_graphs  # which import NumPy

    if workload == "training":
        return [training.training(engine, point) for point in task.points(count)]
    if workload == "one by one":
        return [training.training(engine, task.ONE_BY_ONE)]
    if workload == "growth":
        return scalar_graphs.growth(count)
    if workload in catalogue.TABLES:
        return rows.measure_row(catalogue.TABLES[workload].rows[count], engine)
    raise ValueError(f"there is no workload {workload!r}")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
