"""Which calls of `fit` are there? Whole ones, drawn at random: data, layers, loss, optimiser, schedule, clipping, ...

A `Fit` is a call in words: its `repr` is the Python that makes it again. It always trains the same model on the same
numbers.
"""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import autograd
import nn
from autograd import Value
from autograd.compiler.tracing import is_traced
from nn.activations import ACTIVATIONS
from nn.init import INITIALISERS
from nn.losses import LOSSES

OF_CLASSES = ("cross_entropy", "nll_loss")
OF_NUMBERS = ("mse_loss", "l1_loss", "huber_loss")


class Residual(nn.Module):
    """A module of one's own: x + f(x)."""

    def __init__(self, inner: nn.Module) -> None:
        self.inner = inner

    def forward(self, row: list[Any]) -> list[Any]:
        """The numbers of one example, and what the inner module makes of them, added."""
        return [x + y for x, y in zip(row, nn.module.as_row(self.inner(row)), strict=True)]


class Twice(nn.Module):
    """A module of one's own whose weights are used two times: f(f(x))."""

    def __init__(self, inner: nn.Module) -> None:
        self.inner = inner

    def forward(self, row: list[Any]) -> list[Any]:
        """What the inner module makes of what it makes of one example."""
        return nn.module.as_row(self.inner(nn.module.as_row(self.inner(row))))


class Off(nn.Module):
    """A module that has a fault in compiled code: its outputs are off by a billionth."""

    def forward(self, row: list[Any]) -> list[Any]:
        """The numbers of one example, as they are, or nearly so."""
        return [x * (1.0 - 1e-9) if is_traced(x) else x for x in row]


class Drifting(nn.SGD):
    """An optimiser with a step of its own."""

    def step(self) -> None:
        """Moves every parameter against its gradient, and a little down."""
        for p in self.params:
            p.data -= self.lr * p.grad + 0.001
        self.steps += 1


def worst(predictions: list[Any], targets: list[Any]) -> Any:
    """A loss of one's own that is no mean over the examples: the largest error."""
    return autograd.max([nn.mse_loss(p, t) for p, t in zip(predictions, targets, strict=True)])


@dataclass(frozen=True)
class Fit:
    """A call of `fit` in words.

    Attributes:
        seed: of the data, the weights, and every generator.
        examples, held_out: how many there are to learn from, and for validation.
        inputs: "numbers", or what else the columns hold.
        width: how many inputs an example has.
        outputs: how many the model gives.
        targets: "classes", "one-hot" rows, "shares" of each class, "signs", "bits", "unit" for numbers from 0 to 1,
            "numbers", or "whole numbers".
        layers, loss, optimizer, schedule: Python that makes them.
        options: the further arguments of `fit`.
        change: Python that changes something; "" for nothing.
        when: "after the first epoch", or "between" two calls; "" for a single call.
        weighted: "examples", "validation" or "both", for those that have weights; "" for none.
    """

    seed: int
    examples: int
    held_out: int
    inputs: str
    width: int
    outputs: int
    targets: str
    layers: tuple[str, ...]
    loss: str
    optimizer: str
    schedule: str
    options: tuple[tuple[str, Any], ...]
    change: str = ""
    when: str = ""
    weighted: str = ""

    def run(self, engine: str) -> tuple[nn.Module, nn.Optimizer, nn.Schedule | None, random.Random, nn.History]:
        """Makes the call; returns all that it changes."""
        random.seed(self.seed)
        order = random.Random(self.seed + 1)
        rows, targets = self._data(random.Random(self.seed + 2))
        names = {**vars(nn), **NAMES, "rng": random.Random(self.seed + 3)}
        model = nn.Sequential(*(eval(layer, names) for layer in self.layers))
        optimizer = eval(self.optimizer, {**names, "parameters": model.parameters()})
        schedule = eval(self.schedule, {**names, "optimizer": optimizer}) if self.schedule else None
        names |= {"model": model, "optimizer": optimizer}

        def change_after_the_first(model: nn.Module, history: nn.History) -> None:
            if len(history) == 1:
                exec(self.change, names)

        n, weights = self.examples, self._weights()
        held_out = rows[n:], targets[n:], weights[n:] if self.weighted in ("validation", "both") else None
        arguments = {"loss": eval(self.loss, names), "optimizer": optimizer, "schedule": schedule, "rng": order,
                     "validation": held_out if self.held_out else None, "progress": False,
                     "sample_weight": weights[:n] if self.weighted in ("examples", "both") else None,
                     "callbacks": [change_after_the_first] if self.when == "after the first epoch" else [],
                     **dict(self.options)}  # fmt: skip
        history = nn.fit(model, rows[:n], targets[:n], engine=engine, **arguments)
        if self.when == "between":
            exec(self.change, names)
            history = nn.fit(model, rows[:n], targets[:n], engine=engine, **arguments)
        return model, optimizer, schedule, order, history

    def steps(self) -> Iterator[Callable[[str], tuple[nn.Module, nn.Optimizer]]]:
        """The batches in which an eager run learns, with the learning rate as it is, and nothing changed.

        For each there is a function of an engine: it returns copies of model and optimiser after a step from where they
        are in the eager run.
        """
        random.seed(self.seed)
        rows, targets = self._data(random.Random(self.seed + 2))
        names = {**vars(nn), **NAMES, "rng": random.Random(self.seed + 3)}
        model = nn.Sequential(*(eval(layer, names) for layer in self.layers))
        optimizer = eval(self.optimizer, {**names, "parameters": model.parameters()})
        loss, options, places = eval(self.loss, names), dict(self.options), list(range(self.examples))
        order, weights = random.Random(self.seed + 1), self._weights()

        def step(batch: list[int], engine: str, model: nn.Module, optimizer: nn.Optimizer) -> None:
            chosen = [rows[k] for k in batch], [targets[k] for k in batch]
            counts = [weights[k] for k in batch] if self.weighted in ("examples", "both") else []
            nn.fit(model, *chosen, loss=loss, optimizer=optimizer, epochs=1, batch_size=len(batch), shuffle=False,
                   max_grad_norm=options["max_grad_norm"], engine=engine, progress=False,
                   sample_weight=counts if any(counts) else None)  # fmt: skip

        def step_of_copies(batch: list[int], engine: str) -> tuple[nn.Module, nn.Optimizer]:
            state, copies = random.getstate(), deepcopy((model, optimizer))
            step(batch, engine, *copies)
            random.setstate(state)
            return copies

        for _ in range(options["epochs"]):
            order.shuffle(places)
            for start in range(0, self.examples, options["batch_size"]):
                batch = places[start : start + options["batch_size"]]
                yield partial(step_of_copies, batch)
                step(batch, "eager", model, optimizer)

    def first_step(self) -> "Fit":
        """A call for one batch, with all else as it is here (but the targets, which come later from the generator)."""
        options = {**dict(self.options), "epochs": 1}
        if "validation" in options:  # of one batch perhaps nothing would be left
            options = {name: x for name, x in options.items() if name not in ("validation", "patience", "min_delta")}
        examples = min(self.examples, options["batch_size"])
        return replace(self, examples=examples, options=tuple(options.items()), change="", when="")

    def _data(self, rng: random.Random) -> tuple[list[Any], list[Any]]:
        count = self.examples + self.held_out
        rows = [[INPUTS[self.inputs](rng, column) for column in range(self.width)] for _ in range(count)]
        return rows, [self._target(rng) for _ in range(count)]

    def _weights(self) -> list[float]:
        rng = random.Random(self.seed + 4)
        drawn = [rng.choice([0.0, 1.0, 2.0, rng.uniform(0.0, 3.0)]) for _ in range(self.examples + self.held_out)]
        # Not all of a part may be 0, and the part for validation may be any row.
        if "validation" in dict(self.options):
            return [max(x, 0.5) for x in drawn]
        drawn[0] = drawn[-1] = 1.5
        return drawn

    def _target(self, rng: random.Random) -> Any:
        if self.targets == "classes":
            return rng.randrange(self.outputs)
        if self.targets == "one-hot":
            chosen = rng.randrange(self.outputs)
            return [float(k == chosen) for k in range(self.outputs)]
        if self.targets == "shares":
            parts = [rng.choice([0.0, rng.random(), 1.0]) for _ in range(self.outputs)]
            parts[0] += not sum(parts)
            return [part / sum(parts) for part in parts]
        draw = {
            "numbers": lambda: rng.gauss(0.0, 1.0),
            "whole numbers": lambda: float(rng.randint(-2, 2)),
            "signs": lambda: rng.choice([-1, 1]),
            "bits": lambda: rng.choice([0, 1]),
            "unit": lambda: rng.choice([0.0, rng.random(), 1.0]),
        }[self.targets]
        return draw() if self.outputs == 1 else [draw() for _ in range(self.outputs)]


OWN = (Residual, Twice, Off, Drifting, worst, partial, Value, autograd)
NAMES = {x.__name__: x for x in OWN}
"""What the texts of a `Fit` mean beside the names of nn."""

INPUTS: dict[str, Callable[[random.Random, int], float]] = {
    "numbers": lambda rng, column: rng.gauss(0.0, 1.0),
    "places": lambda rng, column: float(rng.randrange(5)),
    "few": lambda rng, column: float(rng.randint(-1, 1)),
    "with a constant": lambda rng, column: rng.gauss(0.0, 1.0) if column else 0.7,
    "large and small": lambda rng, column: rng.gauss(0.0, 1.0) * 10.0 ** (3 * (column % 3) - 3),
}


ELEMENTWISE = [
    *("ReLU()", "LeakyReLU(0.2)", "LeakyReLU(Value(0.1))", "ELU()", "ELU(Value(0.3))", "GELU()", "GELU('tanh')"),
    *("SiLU()", "Softplus()", "Sigmoid()", "Tanh()", "Softmax()", "LogSoftmax()", "Identity()"),
]


# Drawing


def random_fit(rng: random.Random) -> Fit:
    """A call of `fit`, every part of it drawn."""
    inputs = rng.choice(list(INPUTS))
    width = rng.randint(1, 8 if inputs != "places" else 3)
    loss = rng.choice(list(LOSSES))
    layers, now = _hidden(rng, inputs, width)
    outputs, targets, head = _task(rng, loss, now)
    if outputs != now or rng.random() < 0.5:
        layers.append(f"Layer({now}, {outputs}, nonlin=False, rng=rng{_init(rng)})")
    layers += head
    examples = rng.choice([2, 3, rng.randint(2, 12), rng.randint(4, 60)])
    batch_size = rng.choice([1, 2, rng.randint(1, examples), examples, examples + rng.randint(1, 9)])
    if any("BatchNorm" in layer for layer in layers):  # it needs two examples in every batch
        while min(examples, examples % batch_size or batch_size) == 1:
            batch_size += 1
    if not any(map(_learns, layers)):
        layers.insert(len(layers) - len(head), f"Layer({outputs}, {outputs}, nonlin=False, rng=rng)")
    held_out = rng.choice([0, 0, 1, rng.randint(2, 20)])
    options = {"epochs": rng.randint(1, 6), "batch_size": batch_size, "shuffle": rng.random() < 0.7}
    options["max_grad_norm"] = rng.choice([None, None, None, 1e-3, 0.1, 1.0, 100.0, 0.0])
    if not held_out and examples > 3 and rng.random() < 0.5 and not any("BatchNorm" in layer for layer in layers):
        options["validation"] = rng.choice([0.2, 0.5])
    if held_out or "validation" in options:
        options["patience"] = rng.choice([None, 1, 2])
        options["min_delta"] = rng.choice([0.0, 0.01, 0.3]) if options["patience"] else 0.0
    options |= _figures(rng, loss, targets, outputs)
    weighted = rng.choice(["", "", "examples", "validation", "both"])
    texts = _loss(rng, loss), _optimizer(rng), _schedule(rng), tuple(options.items()), *_change(rng), weighted
    seed = rng.randrange(2**16)
    return Fit(seed, examples, held_out, inputs, width, outputs, targets, tuple(layers), *texts)


def _figures(rng: random.Random, loss: str, targets: str, outputs: int) -> dict[str, Any]:
    """What else is computed, and whether the classes have weights."""
    if targets in ("classes", "one-hot"):
        metrics, by_class = ("precision", "recall", "f1", "confusion_matrix"), rng.choice([None, None, "balanced"])
    elif targets in ("signs", "bits") and outputs == 1:
        metrics, by_class = ("precision", "f1", "accuracy"), rng.choice([None, None, "balanced"])
    else:
        metrics, by_class = ("r2", "mae", "mse"), None
    if loss in OF_NUMBERS and targets != "classes":
        metrics, by_class = ("r2", "mae", "mse"), None
    return {"metrics": tuple(rng.sample(metrics, rng.choice([0, 0, 1, 2]))), "class_weight": by_class}


def _learns(layer: str) -> bool:
    return "affine=False" not in layer and any(x in layer for x in ("Layer(", "MLP(", "Norm(", "Embedding(", "Value("))


def _hidden(rng: random.Random, inputs: str, width: int) -> tuple[list[str], int]:
    """Some layers, and how many numbers they give."""
    layers, now = [], width
    if inputs == "places":
        size = rng.randint(1, 3)
        layers, now = [f"Embedding(5, {size}, rng=rng)"], width * size
    elif rng.random() < 0.15:
        mean = round(max(-5.0, min(rng.gauss(0, 1), 5.0)), 3)  # with 7e15 nothing is left of the inputs
        layers = [f"Standardize({[mean] * now}, {[rng.choice([0.5, 2.0, 3.0])] * now})"]
    for _ in range(rng.randint(0, 4)):
        layer, now = _layer(rng, now)
        layers.append(layer)
    return layers, now


def _layer(rng: random.Random, now: int) -> tuple[str, int]:
    """One layer for so many inputs, and how many outputs it has."""
    kind = rng.randrange(10)
    if kind < 3:
        return _dense(rng, now)
    if kind < 6:
        eps = rng.choice(["", ", eps=0.1", ", eps=1e-12"])
        affine = rng.choice(["", "", ", affine=False"])
        momentum = rng.choice(["", ", momentum=None", ", momentum=1.0", ", momentum=0.0"])
        return rng.choice([f"BatchNorm({now}{eps}{momentum}{affine})", f"LayerNorm({now}{eps}{affine})",
                           f"RMSNorm({now}{eps}{affine})"]), now  # fmt: skip
    if kind == 6:
        return f"Dropout({rng.choice([0.0, 0.2, 0.5, 1.0])}{rng.choice(['', ', rng=rng'])})", now
    if kind == 7:
        inner = [f"Layer({now}, {now}, activation={_activation(rng)}, rng=rng)", f"LayerNorm({now})", "Tanh()"]
        return f"{rng.choice(['Residual', 'Twice'])}({rng.choice(inner)})", now
    return rng.choice(ELEMENTWISE), now


def _dense(rng: random.Random, now: int) -> tuple[str, int]:
    new = rng.randint(1, 8)
    expanded = rng.choice(["", "", ", expanded=True"])
    if rng.random() < 0.7:
        return f"Layer({now}, {new}, activation={_activation(rng)}, rng=rng{_init(rng)}{expanded})", new
    widths = [rng.randint(1, 6) for _ in range(rng.randint(0, 2))] + [new]
    dropout = rng.choice(["", f", dropout={rng.choice([0.3, 1.0])}"])
    return f"MLP({now}, {widths}, activation={_activation(rng)}, rng=rng{dropout}{_init(rng)}{expanded})", new


def _activation(rng: random.Random) -> str:
    return rng.choice([*map(repr, ACTIVATIONS), "autograd.sin"])


def _init(rng: random.Random) -> str:
    return rng.choice(["", f", init={rng.choice(list(INITIALISERS))!r}"])


def _task(rng: random.Random, loss: str, now: int) -> tuple[int, str, list[str]]:
    """How many outputs a model for this loss has, what its targets are, and which modules end it."""
    outputs = rng.choice([now, 1, rng.randint(1, 5)])
    if loss in OF_CLASSES or loss == "kl_div":
        outputs = max(2, outputs)
        targets = {"nll_loss": "classes", "kl_div": "shares"}.get(loss) or rng.choice(["classes", "one-hot", "shares"])
        return outputs, targets, [] if loss == "cross_entropy" else ["LogSoftmax()"]
    if loss == "hinge_loss":
        return outputs, "signs", []
    if loss in OF_NUMBERS:
        return outputs, rng.choice(["numbers", "numbers", "whole numbers"]), []
    return outputs, rng.choice(["bits", "unit"]), ["Sigmoid()"] if loss == "binary_cross_entropy" else []


def _loss(rng: random.Random, name: str) -> str:
    """The loss with options."""
    if name in OF_NUMBERS and rng.random() < 0.1:
        return "worst"
    options = {"reduction": repr(rng.choice(["mean", "sum"]))} if rng.random() < 0.2 else {}
    if name == "huber_loss":
        options["delta"] = rng.choice(["1.0", "0.1", "2.5"])
    if name == "cross_entropy" and rng.random() < 0.5:
        options["label_smoothing"] = rng.choice(["0.1", "1.0"])
    if name == "kl_div" and rng.random() < 0.3:
        options["reduction"] = "'batchmean'"
    return f"partial({name}, {', '.join(f'{k}={v}' for k, v in options.items())})" if options else f"{name!r}"


def _optimizer(rng: random.Random) -> str:
    lr = round(10.0 ** rng.uniform(-3.0, -0.3), 4)
    decay = rng.choice(["", ", weight_decay=0.01", ", weight_decay=0.3"])
    momentum = rng.choice(["", ", momentum=0.9", ", momentum=0.5"])
    kinds = [
        f"SGD(parameters, lr={lr}{decay}{momentum}{', dampening=0.2' if momentum and rng.random() < 0.3 else ''})",
        f"SGD(parameters, lr={lr}{decay}, momentum=0.9, nesterov=True)",
        f"Adam(parameters, lr={lr}{decay}{rng.choice(['', ', betas=(0.0, 0.5)', ', eps=1e-3'])})",
        f"AdamW(parameters, lr={lr}{decay}{rng.choice(['', ', betas=(0.5, 0.9)'])})",
        f"RMSprop(parameters, lr={lr}{decay}{momentum}{rng.choice(['', ', alpha=0.5', ', centered=True'])})",
        f"RMSprop(parameters, lr={lr}{decay}{momentum}, alpha=0.0)",  # with centered=True it would divide by 0 + eps
        f"Adagrad(parameters, lr={lr}{decay}{rng.choice(['', ', lr_decay=0.1', ', initial_accumulator_value=0.1'])})",
    ]
    kinds.append(f"Drifting(parameters, lr={lr})")
    return rng.choice(kinds).replace("parameters", rng.choice(["parameters", "parameters", "parameters[::2]"]))


CHANGES = [
    *("", "", "optimizer.lr *= 0.5", "optimizer.options['weight_decay'] = 0.1", "optimizer.zero_grad()"),
    *("model.eval()", "model.parameters()[0].data = 0.25", "model.layers.append(Identity())"),
    "[setattr(x, 'p', 0.3) for x in model.modules() if isinstance(x, Dropout)]",
    "[setattr(x, 'eps', 0.2) for x in model.modules() if isinstance(x, LayerNorm)]",
    "[setattr(x, 'momentum', 0.5) for x in model.modules() if isinstance(x, BatchNorm)]",
    "[setattr(x, 'running_mean', [0.0] * x.num_features) for x in model.modules() if isinstance(x, BatchNorm)]",
]


def _change(rng: random.Random) -> tuple[str, str]:
    """What is changed while, or after, a model learns, and when."""
    if rng.random() < 0.6:
        return "", ""
    return rng.choice(CHANGES), rng.choice(["between", "after the first epoch"])


def _schedule(rng: random.Random) -> str:
    options = [
        f"patience={rng.choice([0, 1])}, factor={rng.choice([0.5, 0.0])}",
        f"patience={rng.choice([0, 1])}, threshold={rng.choice([0.0, 1e-4, 0.1])}, cooldown={rng.choice([0, 1])}",
        "patience=0, mode='max', threshold_mode='abs', min_lr=0.001",
    ]
    return rng.choice(["", "", "", f"StepLR(optimizer, {rng.randint(1, 3)}, gamma={rng.choice([0.1, 0.5])})",
                       "ExponentialLR(optimizer, 0.7)",
                       f"CosineAnnealingLR(optimizer, {rng.randint(1, 5)}, eta_min={rng.choice([0.0, 0.001])})",
                       f"LinearWarmup(optimizer, total_iters={rng.randint(1, 4)})",
                       *(f"ReduceLROnPlateau(optimizer, {option})" for option in options)])  # fmt: skip
