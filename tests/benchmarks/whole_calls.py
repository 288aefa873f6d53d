"""What does a training cost: how good, how long, how much memory? `python -m tests.benchmarks.whole_calls`

Beside scikit-learn and PyTorch, with the same network, optimiser, rate, epochs and batches. Each measurement is a fresh
process: it imports the library, trains on three quarters of the rows and predicts the others; arrays in memory come
before it, and the score after it. The engines take turns, seed after seed; the mean of the scores counts, and the
median of the rest. Cold: nothing of ours is compiled yet, since the folder of our native code is empty. PyTorch counts
in float32, as it comes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tests.benchmarks.tables import bar, bar_table, machine, table

HIDDEN, BATCH, RATE = 48, 32, 0.003
OURS = ("nn.fit", "nn.Classifier")
"""A `nn.Regressor` where quantities are learned."""
PEERS = {"scikit-learn": "sklearn", "PyTorch": "torch"}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For batches so small, more threads wait for each other longer than they work."""
SHORT, LARGE = 100, 20
"""Epochs: of hundreds of rows, and of thousands."""

Figures = dict[str, float]
"""`score` on the rows that were not learned from, `seconds`, and `megabytes` of the process at its largest."""


def friedman(rows: int, columns: int) -> tuple[Any, Any]:
    """Friedman's first function, of which the first five columns count."""
    rng = np.random.default_rng(0)
    X = rng.random((rows, columns))
    y = 10.0 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20.0 * (X[:, 2] - 0.5) ** 2 + 10.0 * X[:, 3] + 5.0 * X[:, 4]
    return X, y + rng.normal(size=rows)


def known(name: str) -> Callable[[], tuple[Any, Any]]:
    """One of the tables that scikit-learn brings."""

    def load() -> tuple[Any, Any]:
        from sklearn import datasets

        return tuple(getattr(datasets, f"load_{name}")(return_X_y=True))

    return load


def classes(rows: int) -> tuple[Any, Any]:
    """Three classes, in clusters, that a third of 30 columns tells apart."""
    from sklearn.datasets import make_classification

    return tuple(make_classification(rows, 30, n_informative=10, n_classes=3, random_state=0))


TABLES: dict[str, tuple[Callable[[], tuple[Any, Any]], int]] = {
    "iris": (known("iris"), SHORT),
    "wine": (known("wine"), SHORT),
    "breast cancer": (known("breast_cancer"), SHORT),
    "digits": (known("digits"), LARGE),
    "Friedman, 2,000 x 10": (lambda: friedman(2_000, 10), LARGE),
    "classes, 5,000 x 30": (lambda: classes(5_000), LARGE),
    "classes, 20,000 x 30": (lambda: classes(20_000), LARGE),
    "quantities, 5,000 x 30": (lambda: friedman(5_000, 30), LARGE),
    "quantities, 20,000 x 30": (lambda: friedman(20_000, 30), LARGE),
}
"""The data, and for how many epochs to train."""


# One training; returns the predictions for the other rows


def with_fit(X: Any, y: Any, others: Any, epochs: int, seed: int, are_classes: bool) -> Any:
    import random

    import nn

    network = nn.MLP(X.shape[1], [HIDDEN, int(y.max()) + 1 if are_classes else 1], rng=random.Random(seed))
    model = nn.Sequential(nn.Standardize.of(X), network)
    mean, deviation = (0, 1) if are_classes else (y.mean(), y.std())
    nn.fit(
        model, X, (y - mean) / deviation if deviation != 1 else y, loss="cross_entropy" if are_classes else "mse_loss",
        optimizer="adam", lr=RATE, epochs=epochs, batch_size=BATCH, rng=seed, progress=False,
    )  # fmt: skip
    outputs = np.asarray(nn.predict(model, others))
    return outputs.argmax(axis=1) if are_classes else np.ravel(outputs) * deviation + mean


def with_estimator(X: Any, y: Any, others: Any, epochs: int, seed: int, are_classes: bool) -> Any:
    import nn

    kind = nn.Classifier if are_classes else nn.Regressor
    model = kind(
        hidden=(HIDDEN,), lr=RATE, epochs=epochs, batch_size=BATCH, validation=None, patience=None, random_state=seed
    )
    return model.fit(X, y).predict(others)


def with_sklearn(X: Any, y: Any, others: Any, epochs: int, seed: int, are_classes: bool) -> Any:
    import warnings

    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    warnings.filterwarnings("ignore", message=".*Maximum iterations")  # which is what was asked for
    settings: dict[str, Any] = {"max_iter": epochs, "n_iter_no_change": epochs + 1, "alpha": 0.0, "random_state": seed}
    kind = MLPClassifier if are_classes else MLPRegressor
    network = kind(hidden_layer_sizes=(HIDDEN,), batch_size=BATCH, learning_rate_init=RATE, **settings)
    model = make_pipeline(StandardScaler(), network)
    if not are_classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    return model.fit(X, y).predict(others)


def with_torch(X: Any, y: Any, others: Any, epochs: int, seed: int, are_classes: bool) -> Any:
    import torch

    torch.manual_seed(seed)
    center, scale = X.mean(axis=0), X.std(axis=0)
    scale[scale == 0.0] = 1.0
    inputs, unseen = (torch.tensor((rows - center) / scale, dtype=torch.float32) for rows in (X, others))
    mean, deviation = (0.0, 1.0) if are_classes else (y.mean(), y.std())
    targets = torch.tensor(y) if are_classes else torch.tensor((y - mean) / deviation, dtype=torch.float32)[:, None]
    outputs = int(y.max()) + 1 if are_classes else 1
    model = torch.nn.Sequential(torch.nn.Linear(X.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, outputs))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    loss_of = torch.nn.functional.cross_entropy if are_classes else torch.nn.functional.mse_loss
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(BATCH):
            loss = loss_of(model(inputs[batch]), targets[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        found = model(unseen)
    return found.argmax(dim=1).numpy() if are_classes else found[:, 0].numpy() * deviation + mean


ENGINES = {"nn.fit": with_fit, "nn.Classifier": with_estimator, "scikit-learn": with_sklearn, "PyTorch": with_torch}


def measure(file: str, engine: str, epochs: int, seed: int) -> Figures:
    """The figures of one training, in this process."""
    import resource

    data = np.load(file)
    X, y = data["X"].astype(float), data["y"]
    are_classes = y.dtype.kind in "iu"
    order = np.random.default_rng(seed).permutation(len(X))
    learned, others = order[len(X) // 4 :], order[: len(X) // 4]
    start = perf_counter()
    predicted = ENGINES[engine](X[learned], y[learned], X[others], epochs, seed, are_classes)
    seconds, truth = perf_counter() - start, y[others]
    wrong = ((predicted - truth) ** 2).mean() / truth.var()
    score = (predicted == truth).mean() if are_classes else 1.0 - wrong
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"score": float(score), "seconds": seconds, "megabytes": largest}


def measure_alone(file: Path, engine: str, epochs: int, seed: int, cache: str) -> Figures:
    """The same in a process of its own, with our native code in the folder `cache`."""
    command = [sys.executable, "-m", "tests.benchmarks.whole_calls", "--one", file, engine, epochs, seed]
    environment = os.environ | {"XDG_CACHE_HOME": cache} | (ONE_THREAD if engine in PEERS else {})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the peers have theirs; it would be 0.25 s of ours
    done = subprocess.run(list(map(str, command)), env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures = dict(json.loads(done.stdout))
    print(
        f"{file.stem}, {engine}, seed {seed}:", ", ".join(f"{k} {x:.3f}" for k, x in figures.items()), file=sys.stderr
    )
    return figures


def figures_of(name: str, seeds: int, folder: Path) -> dict[str, Figures]:
    """The medians of each engine that is installed, and `cold` seconds of ours."""
    make, epochs = TABLES[name]
    X, y = make()
    file = folder / f"{name}.npz"
    np.savez(file, X=X, y=y)
    engines = [engine for engine in ENGINES if engine in OURS or find_spec(PEERS[engine])]
    cold: dict[str, float] = {}
    for engine in OURS:
        with tempfile.TemporaryDirectory() as empty:
            cold[engine] = measure_alone(file, engine, epochs, 0, empty)["seconds"]
    warm = str(folder / "cache")
    for engine in engines:  # ours compile, and Python compiles what it imports
        measure_alone(file, engine, epochs, 0, warm)
    found: dict[str, list[Figures]] = {engine: [] for engine in engines}
    for seed in range(seeds):
        for engine, figures in found.items():
            figures.append(measure_alone(file, engine, epochs, seed, warm))
    by = {"score": statistics.fmean, "seconds": statistics.median, "megabytes": statistics.median}
    medians = {e: {key: of([f[key] for f in figures]) for key, of in by.items()} for e, figures in found.items()}
    for engine, seconds in cold.items():
        medians[engine]["cold"] = seconds
    return medians


def shown(found: dict[str, dict[str, Figures]], key: str, form: str) -> list[tuple[str, ...]]:
    return [
        (name, *(form.format(figures[e][key]) if key in figures.get(e, {}) else "-" for e in ENGINES))
        for name, figures in found.items()
    ]


def tables(found: dict[str, dict[str, Figures]]) -> str:
    """Scores, seconds and memory; and whether the estimators are level or ahead in time."""
    sections = []
    for title, key, form in (
        ("accuracy or R2", "score", "{:.3f}"),
        ("seconds, warm", "seconds", "{:.2f}"),
        ("seconds, cold", "cold", "{:.2f}"),
        ("memory, MB", "megabytes", "{:.0f}"),
    ):
        sections.append(table((title, *ENGINES), shown(found, key, form)))
    bars = []
    for name, figures in found.items():
        for peer, key in product(PEERS, ("seconds", "cold")):
            ratio = figures[peer]["seconds"] / figures[OURS[1]][key] if peer in figures else None
            what = f"{name}: {peer} / ours{', cold' * (key == 'cold')}"
            shown_ratio = "-" if ratio is None else f"{ratio:.2f}x"
            bars.append(bar(what, ">= 1x", shown_ratio, None if ratio is None else ratio >= 1.0))
    return "\n\n".join([*sections, bar_table(bars)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.whole_calls", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many trainings of each (3)")
    parser.add_argument("--only", choices=TABLES, action="append", help="this table; may be given several times")
    parser.add_argument("--one", nargs=4, metavar=("FILE", "ENGINE", "EPOCHS", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        file, engine, epochs, seed = options.one
        print(json.dumps(measure(file, engine, int(epochs), int(seed))))
        return
    if options.seeds < 1:
        parser.error("--seeds takes a whole number of at least 1")
    if find_spec("sklearn") is None:
        parser.error("the tables come from scikit-learn: pip install scikit-learn")
    missing = [f"{engine} is not installed, and left out" for engine, name in PEERS.items() if not find_spec(name)]
    with tempfile.TemporaryDirectory() as folder:
        found = {name: figures_of(name, options.seeds, Path(folder)) for name in options.only or TABLES}
    heading = f"{HIDDEN} hidden units, Adam at {RATE}, batches of {BATCH}; {SHORT} epochs, from digits on {LARGE}."
    print("\n\n".join([machine(), *missing, heading, tables(found)]))


if __name__ == "__main__":
    main()
