"""How well does the command learn people's tables? `python -m tests.benchmarks.own_data` compares with scikit-learn.

The command gets a CSV file and the name of a column, and nothing else. scikit-learn gets a pipeline: gaps filled and
marked, text one-hot, all on one scale, a network of the same layers, trained by Adam in the same batches and stopped
early. It learns from the rows that the command trains and validates on, and both are judged on the same test rows.
Columns of names are left out for scikit-learn by hand, and its dates are made numbers. Nothing here fails.
"""

import argparse
import contextlib
import io
import re
import statistics
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nn import Table
from nn.command.data import parts_of
from nn.command.main import main as command
from nn.datasets.target_column import Target, known_rows
from nn.estimators.settings import examples_a_step
from tests.benchmarks.own_tables import MADE, Rows, write
from tests.benchmarks.tables import table as printed

LAYERS, MOST_CATEGORIES = (48,), 30
SETTINGS: dict[str, Any] = {"learning_rate_init": 0.003, "max_iter": 60, "n_iter_no_change": 15}
"""Those of the command, in scikit-learn's words."""


def tables(names: list[str]) -> Iterator[tuple[str, Rows, str]]:
    """The tables that are made, and those that scikit-learn brings, with the column to predict."""
    for name, (make, target) in MADE.items():
        if not names or name in names:
            yield name, make(), target
    from sklearn import datasets

    for name in ("wine", "breast_cancer", "iris", "diabetes"):
        if not names or name in names:
            data = getattr(datasets, f"load_{name}")()
            labels = [data.target_names[k] for k in data.target] if "target_names" in data else data.target.tolist()
            rows = [[*row, label] for row, label in zip(data.data.tolist(), labels, strict=True)]
            yield name, ([*data.feature_names, "target"], rows), "target"


def by_command(path: str, target: str, seed: int, *options: str) -> float:
    """The accuracy or the R2 that the command reports for its test rows."""
    out = io.StringIO()
    model = f"{path}.json"
    with contextlib.redirect_stdout(out):
        code = command(["train", "--data", path, "--target", target, "--seed", str(seed), "--save", model, *options])
    if code:
        raise SystemExit(f"the command failed on {path}")
    right = re.search(r"^test accuracy .*\((\d+) of (\d+)\)$", out.getvalue(), re.MULTILINE)
    if right:
        return int(right[1]) / int(right[2])
    explained = re.search(r"R\s+squared\s+(\S+)", out.getvalue())
    assert explained is not None
    return float(explained[1])


def by_scikit_learn(path: str, target: str, seed: int) -> float:
    """The accuracy or the R2 of scikit-learn's pipeline on the same test rows."""
    import numpy as np
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    everything = known_rows(Table(path), target)
    aim = Target.of(everything, target)
    parts = parts_of(everything, aim, seed)
    learned = parts[0], parts[1]
    numbers, texts = columns(everything, target)
    y = np.concatenate([aim.numbers(part) for part in learned])
    kind: Any = MLPClassifier if aim.classes else MLPRegressor
    network = kind(
        hidden_layer_sizes=LAYERS,
        batch_size=examples_a_step(None, len(parts[0])),
        early_stopping=True,
        validation_fraction=1 / 8,
        random_state=seed,
        **SETTINGS,
    )
    if not aim.classes:
        network = TransformedTargetRegressor(network, transformer=StandardScaler())
    pipeline = make_pipeline(encoding(numbers, texts), StandardScaler(), network)
    frames = [frame(part, numbers, texts) for part in (*learned, parts[2])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 60 epochs are few
        pipeline.fit(np.concatenate(frames[:2]), y)
        return float(pipeline.score(frames[2], aim.numbers(parts[2])))


def columns(table: Table, target: str) -> tuple[list[str], list[str]]:
    """The columns of numbers and dates, and those of few texts; others are names."""
    kinds = {name: table[name].kind for name in table.names if name != target}
    numbers = [name for name, kind in kinds.items() if kind in ("number", "date")]
    others = [name for name, kind in kinds.items() if kind in ("text", "boolean")]
    return numbers, [name for name in others if len(set(table[name].values)) <= MOST_CATEGORIES]


def frame(table: Table, numbers: list[str], texts: list[str]) -> Any:
    """The columns side by side: numbers, what dates tell, and texts."""
    import numpy as np

    side: list[list[Any]] = []
    for name in numbers:
        values = table[name].values
        side.append([np.nan if v is None else v.toordinal() if hasattr(v, "toordinal") else v for v in values])
        if table[name].kind == "date":
            year = [2 * np.pi * v.timetuple().tm_yday / 365.25 for v in values]
            side += [
                np.sin(year).tolist(),
                np.cos(year).tolist(),
                *([v.weekday() == k for v in values] for k in range(7)),
            ]
    side += [[np.nan if v is None else str(v) for v in table[name].values] for name in texts]
    return np.array(side, object).T


def encoding(numbers: list[str], texts: list[str]) -> Any:
    """Gaps filled and marked, and text one-hot. The texts are the last columns."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    last = slice(-len(texts), None)
    steps = {
        "numbers": (SimpleImputer(add_indicator=True), slice(0, -len(texts) or None), numbers),
        "texts": (make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot), last, texts),
        "gaps": (MissingIndicator(error_on_new=False), last, texts),
    }
    return ColumnTransformer([(name, step, where) for name, (step, where, some) in steps.items() if some])


def compare(names: list[str], seeds: int) -> str:
    """The table of the means over some seeds."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, rows, target in tables(names):
            path = str(Path(folder) / f"{name}.csv")
            write(rows, path)
            ours = [by_command(path, target, seed) for seed in range(seeds)]
            theirs = [by_scikit_learn(path, target, seed) for seed in range(seeds)]
            differences = [a - b for a, b in zip(ours, theirs, strict=True)]
            spread = statistics.stdev(differences) / seeds**0.5 if seeds > 1 else 0.0
            means = statistics.fmean(ours), statistics.fmean(theirs), statistics.fmean(differences)
            lines.append((name, f"{len(rows[1]):,}", *(f"{mean:.4f}" for mean in means), f"{spread:.4f}"))
            print(name, "done", file=sys.stderr)
    head = ("table", "rows", "python -m nn", "scikit-learn", "difference", "its standard error")
    return f"Accuracy or R2 on a fifth of the rows, means over {seeds} seeds:\n\n{printed(head, lines)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.own_data", description=__doc__)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="only these")
    parser.add_argument("--seeds", type=int, default=5, help="default: 5")
    options = parser.parse_args()
    print(compare(options.tables, options.seeds))


if __name__ == "__main__":
    main()
