"""How does a network learn, seen as it happens? `playground` makes a page that trains it, with everything to press.

The page needs no kernel and no network: it is one HTML file. It computes with the engine's own rules, printed as
JavaScript (`kit.py`), and trains exactly as `nn.fit` does: the same weights, the same order, the same steps.
"""

import os
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from autograd.drawing.theme import theme_named
from autograd.files import file_to_write, write_atomically
from autograd.reals import as_count, shown
from nn.arguments import examples
from nn.datasets import make_circles, make_moons, make_spirals
from nn.datasets.tables import listed
from nn.estimators.estimator import Estimator
from nn.estimators.regressor import Regressor
from nn.losses import LOSSES, Loss, LossName, known_loss, loss_function
from nn.module import Module, check_module
from nn.neuron import MLP
from nn.optim import Optimizer, OptimizerName, optimizer_of
from nn.own import is_own
from nn.training.examples import Examples
from nn.training.figures import figures_asked
from nn.training.fit import check_optimizer, try_out
from nn.training.outputs import outputs_of
from nn.training.predict import evaluate
from nn.training.recording import column_names
from nn.training.sequences import takes_sequences
from nn.watching.answers import grid_over
from nn.watching.kit import OFFERED, kit
from nn.watching.networks import Network, network_of
from nn.watching.page import CORE, DRAWING, as_json, fragment, page, style_constants
from nn.watching.picture import picture_of
from nn.watching.stepper import stepper
from nn.watching.task import Task, names_for, task_of
from nn.watching.view import View

MOST_EXAMPLES = 2_000
"""A page has at most so many examples of a data set; of more a sample is drawn."""

STYLES = ("nn/watching/playground.css", "nn/watching/picture.css", "nn/watching/explain.css")
SHOWING = tuple(
    f"nn/watching/{name}.js"
    for name in ("plots", "picture", "state", "phases", "code", "controls", "panel", "given", "main")
)


@dataclass(frozen=True)
class _Trained:
    """A model, what it learns from, and by which loss."""

    model: Module
    examples: Examples
    loss: Loss


class Playground:
    """A page in which a network learns; see `playground`. A notebook shows it, and `save` writes it as a file."""

    def __init__(
        self, model: dict[str, Any], scripts: dict[str, str], theme: str, describes: str, picture: str
    ) -> None:
        self._model, self._scripts, self._theme, self._describes = model, scripts, theme, describes
        self._picture = picture

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the page as one HTML file that needs no kernel and no network; returns its path.

        Arguments:
            path: where to; it ends in .html or .htm. Folders that are missing are made.
        """
        text = page("playground", "A network learns", self._theme, self._fragment(""))
        return write_atomically(file_to_write(path, "save", ".html", ".htm"), text)

    def _fragment(self, picture: str) -> str:
        constants = {**self._scripts, "MODEL": as_json(self._model), **style_constants(*STYLES)}
        sentence = f"A page in which {self._describes} can be trained. It needs a browser that runs scripts."
        return fragment("playground", picture, sentence, constants, [*CORE, *DRAWING, *SHOWING])

    def _repr_html_(self) -> str:
        return self._fragment(self._picture)  # for GitHub, and notebooks that are not trusted

    def __repr__(self) -> str:
        return f"<Playground of {self._describes}; .save('page.html'), or show it in a notebook>"


def playground(
    model: Module | Estimator | None = None,
    X: Any = None,
    y: Any = None,
    *,
    loss: Loss | LossName | None = None,
    optimizer: Optimizer | OptimizerName = "adam",
    lr: float | None = None,
    batch_size: int = 10,
    validation: tuple[Any, Any] | None = None,
    rng: int = 0,
    names: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    theme: str = "auto",
) -> Playground:
    """A page in which a network learns: press play, and see the boundary form, the weights move and the loss fall.

    The page shows the network with its weights on the lines and, for each neuron, what it responds to; the data with
    the decision boundary, or the fitted curve; and the loss. It pauses inside a step, with the gradients on the lines.
    Any weight can be edited, layers and neurons added. A neuron, or the loss of an example, opens in the stepper. "Copy
    as Python" gives the code of this very network. Nothing is fetched: the page is one file.

    It trains as `nn.fit` does with `rng=seed`: the same weights to 1e-9.

    Arguments:
        model: a network of fully connected layers, such as `nn.MLP`, trained or not, or a fitted `nn.Classifier` or
            `nn.Regressor`. None takes an MLP(2, [8, 8, 1]) with tanh. Of a model with other layers the page shows what
            it says of the data, and what is missing.
        X: the examples: a list of rows of numbers, an array or a data frame. For an estimator: what it was fitted to.
            None offers the moons, circles, spirals and the exclusive or.
        y: a target for each: class numbers, or numbers.
        loss: as for `nn.fit`. None takes `binary_cross_entropy_with_logits` for one output and targets 0 and 1,
            `cross_entropy` for several outputs and class numbers, and otherwise `mse_loss`.
        optimizer: a name, or an optimiser, whose settings the page takes over. It begins anew.
        lr: the learning rate of an optimiser by name; by default that of `nn.fit`.
        batch_size: how many examples make a step.
        validation: examples that are not learned from, as a pair (X, y).
        rng: a seed for the order of the examples, and for new weights.
        names: of the inputs; by default those of a data frame's columns, or x0, x1, ...
        classes: what the classes are called.
        theme: "light", "dark", or "auto" for that of the page around it.

    Returns:
        a `Playground`, which a notebook shows; `.save("page.html")` writes it.

    Raises:
        ValueError, TypeError: an argument does not fit.

    >>> page = playground()
    >>> page
    <Playground of a network of 2 inputs, layers of 8, 8 and 1 neurons, and 200 examples; .save('page.html'), ...>
    """
    theme_named(theme)
    seed, batch_size = _seed(rng), as_count(batch_size, "batch_size")
    notes: list[str] = []
    if isinstance(model, Estimator):
        shown_model, X, y, names, classes, loss, validation, notes = _of_estimator(
            model, X, y, names, classes, loss, validation
        )
    else:
        shown_model = MLP(2, [8, 8, 1], "tanh", rng=rng) if model is None else model
    check_module("playground shows", shown_model)
    datasets = _offered() if X is None else [_dataset("your data", X, y, validation, shown_model)]
    data = datasets[0]
    learned, held_out = Examples(data["rows"], data["targets"]), Examples(data["testRows"], data["testTargets"])
    outputs = outputs_of(shown_model, learned.rows[:1])[0]
    loss = _loss(loss, learned.targets, len(outputs) if isinstance(outputs, list) else 1)
    try_out(shown_model, learned, held_out if len(held_out) else None, figures_asked(loss, ()), batch_size)
    made = _optimizer(optimizer, lr, shown_model)
    check_optimizer(made, None, shown_model)
    trained = _Trained(shown_model, learned, loss)
    network, task = network_of(shown_model), task_of(trained, None)
    network.missing += [] if network.missing else _not_moved(made, network)
    scripts = _scripts(trained, network, task, None if isinstance(optimizer, str) else made)
    inputs = names_for(names, task.inputs, "names", "input") or _columns_of(X, task.inputs)
    labels = names_for(classes, len(task.classes), "classes", "class") or list(task.classes)
    described = {
        "kind": "playground",
        "spec": None if network.missing else network.spec,
        "numbers": network.numbers,
        "names": {"inputs": inputs, "classes": labels},
        "task": task.kind,
        "threshold": task.threshold,
        "datasets": datasets,
        "loss": known_loss(loss) or "your own loss",
        "optimizer": optimizer if isinstance(optimizer, str) else "given",
        "lr": made.lr,
        "batchSize": batch_size,
        "seed": seed,
        "own": [*network.activations],
        "given": None if isinstance(optimizer, str) else _code_of(made),
        "missing": network.missing,
        "notes": [*notes, *data.pop("notes", []), *_not_finite(network)],
        "answers": _answers(trained) if network.missing else None,
        "theme": theme,
    }
    picture, described["axes"] = _picture(trained, inputs, labels)
    return Playground(described, scripts, theme, _description(network, shown_model, len(learned)), picture)


def _scripts(trained: _Trained, network: Network, task: Task, given: Optimizer | None) -> dict[str, str]:
    """What the page computes with. If that cannot be printed, it is missing from the page."""
    asked = trained.loss, task.width, task.kind, network.activations
    if not network.missing:
        try:
            optimizer, wide = None if given is None else ("given", given), task.is_wide
            printed = kit(*asked, optimizer=optimizer, wide=wide, targets=trained.examples.targets)
            return {"KIT": printed, "{ openStepper, diagnose }": stepper(*asked, wide=wide)}
        except TypeError as error:
            network.missing.append(f"The page cannot compute the loss or an activation: {error}.")
    return {"KIT": "null"}


def _picture(trained: _Trained, names: list[str], classes: list[str]) -> tuple[str, list[int]]:
    """What is seen where no script runs; and the two inputs by which the targets differ most, which are the axes."""
    try:
        view = View(trained.model, trained.examples, None, trained.loss, names, classes)
        return picture_of(view), [axis.place for axis in view.axes]
    except Exception:  # a model of one's own may raise anything; the page says what is missing
        return "", []


# What the arguments may be


def _seed(rng: Any) -> int:
    if isinstance(rng, bool) or not isinstance(rng, int) or not 0 <= rng < 2**53:
        raise ValueError(
            f"rng takes a seed, a whole number from 0 to 2**53 - 1, which the page can show; got {shown(rng)}"
        )
    return rng


def _optimizer(optimizer: Any, lr: Any, model: Module) -> Optimizer:
    """The optimiser that was asked for, made as `fit` makes it."""
    if optimizer == "momentum":
        make, usual_rate = OFFERED["momentum"]
        return make(model.parameters(), usual_rate if lr is None else lr)
    return optimizer_of(optimizer, lr, model.parameters())


def _not_finite(network: Network) -> list[str]:
    """That weights came as nan or infinite, in a sentence."""
    count = sum(not isfinite(x) for x in network.numbers)
    return [f"{count} of the model's weights are nan or infinite as they came."] if count else []


def _not_moved(optimizer: Optimizer, network: Network) -> list[str]:
    """Why the page cannot make the optimiser's steps, in sentences."""
    left_out = len(set(network.parameters) - set(optimizer.params))
    if left_out:
        return [f"The optimizer leaves out {left_out} of the model's parameters, and the page would move all of them."]
    if not optimizer.moves_by_rule():
        return [f"{type(optimizer).__name__} has a step of its own, and the page makes those that follow a rule."]
    return []


def _code_of(optimizer: Optimizer) -> str:
    """How an optimiser with these settings is made in Python; LR stands for its learning rate."""
    options = "".join(f", {name}={value!r}" for name, value in optimizer.options.items())
    return f"{'nn.' if is_own(optimizer) else ''}{type(optimizer).__name__}(model.parameters(), lr=LR{options})"


def _offered() -> list[dict[str, Any]]:
    """The data sets of a page without data of one's own."""
    makers = {
        "moons": lambda n, seed: make_moons(n, noise=0.15, rng=seed),
        "circles": lambda n, seed: make_circles(n, noise=0.08, rng=seed),
        "spirals": lambda n, seed: make_spirals(n, noise=0.05, rng=seed),
        "exclusive or": _exclusive_or,
    }

    def held_out(make: Callable[[int, int], tuple[Any, Any]]) -> tuple[Any, Any]:
        # Nothing is learned from them, so that 3 places do: the page is 6 kB smaller.
        rows, targets = make(100, 1)
        return [[round(x, 3) for x in row] for row in rows], targets

    return [_dataset(name, *make(200, 0), held_out(make), code=_CODES[name]) for name, make in makers.items()]


_CODES = {
    "moons": "nn.datasets.make_moons(200, noise=0.15, rng=0)",
    "circles": "nn.datasets.make_circles(200, noise=0.08, rng=0)",
    "spirals": "nn.datasets.make_spirals(200, noise=0.05, rng=0)",
    "exclusive or": "",
}
"""How the data sets are made in Python."""


def _exclusive_or(count: int, seed: int) -> tuple[list[list[float]], list[int]]:
    draw = random.Random(seed)
    rows = [[round(draw.uniform(-1.0, 1.0), 3) for _ in range(2)] for _ in range(count)]
    return rows, [int(x * y > 0.0) for x, y in rows]


def _dataset(
    name: str, X: Any, y: Any, validation: Any = None, model: Module | None = None, code: str = ""
) -> dict[str, Any]:
    """The examples as the page has them."""
    if model is not None and takes_sequences(model, y):
        raise ValueError(
            "playground takes examples that are rows of numbers, and this model takes tokens: film its training with "
            "nn.fit(..., film=True)"
        )
    rows, targets, notes = _checked(X, y, "X")
    test_rows, test_targets, _ = ([], [], []) if validation is None else _checked(*_pair(validation), "validation")
    if test_rows and len(test_rows[0]) != len(rows[0]):
        raise ValueError(f"validation has rows of {len(test_rows[0])} numbers, and X of {len(rows[0])}: give the same")
    return {
        "name": name,
        "rows": rows,
        "targets": targets,
        "testRows": test_rows,
        "testTargets": test_targets,
        "code": code,
        "notes": notes,
    }


def _pair(validation: Any) -> tuple[Any, Any]:
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise ValueError(f"validation takes a pair (X, y); got {shown(validation)}")
    return validation[0], validation[1]


def _checked(X: Any, y: Any, name: str) -> tuple[list[list[float]], list[Any], list[str]]:
    """The rows and their targets as lists; a sample where there are many, and a sentence that says so."""
    rows, targets = examples(X, y, name)
    count = len(rows)
    if count <= MOST_EXAMPLES:
        return rows, targets, []
    places = sorted(random.Random(0).sample(range(count), MOST_EXAMPLES))
    note = f"{MOST_EXAMPLES:,} of the {count:,} examples are here, drawn at random."
    return [rows[i] for i in places], [targets[i] for i in places], [note]


def _loss(loss: Any, targets: list[Any], width: int) -> Loss:
    """The loss that was asked for, or the one that suits."""
    if loss is not None:
        return loss_function(loss)
    are_classes = all(isinstance(t, int) and t >= 0 for t in targets)
    if width == 1 and are_classes and set(targets) <= {0, 1}:
        return LOSSES["binary_cross_entropy_with_logits"]
    return LOSSES["cross_entropy" if width > 1 and are_classes else "mse_loss"]


def _columns_of(X: Any, count: int) -> list[str]:
    """The names of the columns of a data frame; x0, x1, ... for others."""
    names = column_names(X)
    return names if names is not None and len(names) == count else [f"x{k}" for k in range(count)]


def _of_estimator(
    model: Estimator, X: Any, y: Any, names: Any, classes: Any, loss: Any, validation: Any
) -> tuple[Any, ...]:
    """The network of an estimator, and the examples as its network sees them."""
    model._check_fitted()
    if X is None:
        raise ValueError(f"playground needs the examples of a {type(model).__name__}: give X and y")

    def encoded(X: Any, y: Any) -> tuple[Any, Any]:
        inputs, labels = model._truth(X, y)
        rows = model._inputs(inputs)
        return (
            rows if model.encoder_ is None else model.encoder_.inputs(rows),
            model._learnable(model._numbers(labels)),
        )

    names = model._feature_names() if names is None else names
    if classes is None and hasattr(model, "classes_"):
        classes = [str(label) for label in listed(model.classes_)]
    held_out = None if validation is None else encoded(*_pair(validation))
    rows, targets = encoded(X, y)
    notes = [] if model.encoder_ is None else ["The inputs are the columns of the table as numbers: see encoder_."]
    if isinstance(model, Regressor) and model.standardize:
        notes.append("The targets are those that the network learns: minus their mean, by their deviation.")
    return model._network, rows, targets, names, classes, loss or model._loss(), held_out, notes


def _answers(trained: _Trained) -> dict[str, Any]:
    """What a model says that the page cannot compute: of the examples, and of a grid of points if it takes any."""
    model, rows = trained.model, trained.examples.rows
    figures = evaluate(model, rows, trained.examples.targets, loss=trained.loss)
    answers: dict[str, Any] = {
        "examples": outputs_of(model, rows),
        "figures": {"loss": figures["loss"], "accuracy": figures.get("accuracy")},
    }
    sides, points = grid_over(rows)
    with suppress(Exception):  # a model may take only some numbers, such as those of tokens
        answers |= {"sides": sides, "grid": outputs_of(model, points)} if points else {}
    return answers


def _description(network: Network, model: Module, count: int) -> str:
    """What the page shows, in words."""
    if network.missing:
        return f"{type(model).__name__} and {count} examples"
    *widths, last = [str(layer["width"]) for layer in network.layers]
    of = f"layers of {', '.join(widths)} and {last} neurons" if widths else f"a layer of {last} neurons"
    return f"a network of {network.inputs} inputs, {of}, and {count} examples"
