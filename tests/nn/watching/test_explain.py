"""Does the stepper that a page opens for its own network show what Python's `explain` shows? In a real browser."""

import json
import math
import random
from importlib.resources import files

import pytest

import nn
from autograd import Value, explain
from autograd.drawing.page import for_json, model_of
from autograd.drawing.scripts import resource
from nn.activations import ACTIVATIONS
from nn.losses import LOSSES
from nn.playground.kit import kit
from nn.playground.kit_stepper import stepper_script

OWN = ("steps", "layout", "explain")
TASKS = {
    "binary_cross_entropy_with_logits": ("binary", (0, 1)),
    "hinge_loss": ("binary", (-1, 1)),
    "cross_entropy": ("classes", None),
    "nll_loss": ("classes", None),
    "mse_loss": ("regression", None),
    "l1_loss": ("regression", None),
    "huber_loss": ("regression", None),
}


def own_script(name):
    """One of the page's own scripts."""
    return (files("nn.playground") / "page" / f"{name}.js").read_text(encoding="utf-8")


def scripts(loss, outputs, task, wide=False):
    """The part of the page that opens the stepper, with all that it needs."""
    return "\n".join(
        [
            resource("numbers.js"),
            resource("theme.js"),
            f"const KIT = {kit(loss, outputs, task, wide=wide)};",
            *(own_script(name) for name in ("random", "network", "training")),
            stepper_script([own_script(name) for name in OWN], loss, outputs, task, wide=wide),
        ]
    )


def spec_of(model, inputs):
    """The network as the page knows it."""
    layers = [{"width": len(x.neurons), "activation": x.neurons[0].activation, "dropout": 0} for x in model.layers]
    return {"inputs": inputs, "scale": None, "layers": layers}


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(20_000)
    return page


def some_case(rng):
    """A network, its loss by name, an example and its target."""
    name = rng.choice([*TASKS])
    task, classes = TASKS[name]
    outputs = 1 if task == "binary" else rng.randint(2, 4) if task == "classes" else rng.randint(1, 3)
    widths = [rng.choice([1, 2, 3, 4, 5, 9]) for _ in range(rng.randint(0, 2))]
    inputs = rng.choice([1, 2, 3, 10])
    model = nn.MLP(inputs, [*widths, outputs], activation=rng.choice([*ACTIVATIONS]), rng=rng)
    for parameter in model.parameters():
        parameter.data += rng.gauss(0, 0.3)
    row = [rng.choice([rng.gauss(0, 1), float(rng.randint(-2, 2)), -1234.0]) for _ in range(inputs)]
    if task == "regression":
        target = [rng.gauss(0, 1) for _ in range(outputs)] if outputs > 1 else rng.gauss(0, 1)
    else:
        target = rng.choice(classes or range(outputs))
    return model, name, task, row, target


def built(page, model, name, task, row, target, lr):
    """The model of the loss that the page builds."""
    wide = isinstance(target, list)
    given = {"spec": spec_of(model, len(row)), "numbers": [p.data for p in model.parameters()], "row": row}
    outputs = len(model.layers[-1].neurons)
    # What `openStepper` hides is looked at from inside of its scope.
    text = scripts(LOSSES[name], outputs, task, wide).replace("return openStepper;", "return { lossGraph, modelOf };")
    return page.evaluate(
        f"""(given) => {{ "use strict"; {text}
        const network = makeNetwork(given.spec, Float64Array.from(given.numbers));
        const {{ root, parameters }} = openStepper.lossGraph(network, given.row, given.target, given.row.map((_, i) => `x${{i}}`));
        return JSON.stringify(openStepper.modelOf(root, parameters, given.lr), (key, x) => typeof x === "number" && !Number.isFinite(x) ? String(x).replace("Infinity", "inf").toLowerCase() : x); }}""",
        given | {"target": target, "lr": lr},
    )


def assert_same_numbers(made, expected):
    assert len(made) == len(expected)
    for one, other in zip(made, expected, strict=True):
        if isinstance(other, str) or isinstance(one, str) or other is None:
            assert one == other
        else:
            assert math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-300), (one, other)


@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(k, marks=pytest.mark.slow) for k in range(12, 200))])
def test_the_page_builds_what_python_explains(page, seed):
    rng = random.Random(f"explain {seed}")
    model, name, task, row, target = some_case(rng)
    made = json.loads(built(page, model, name, task, row, target, 0.1))
    root = LOSSES[name]([model(row)], [target])
    explanation = explain(root, model=model, lr=0.1)
    expected = json.loads(json.dumps(for_json(model_of(explanation))))
    assert [box.pop("column") for box in made["boxes"]] == [box.column for box in explanation.scene.boxes]
    for key in ("boxes", "arrows", "root", "precision", "lr", "moved", "steps"):
        assert made[key] == expected[key], key
    for (kind, name, number, operands), (kind2, name2, number2, operands2) in zip(
        made["nodes"], expected["nodes"], strict=True
    ):
        assert [kind, name, operands] == [kind2, name2, operands2]
        assert_same_numbers([number], [number2])
    for mine, theirs in zip(made["locals"], expected["locals"], strict=True):
        assert_same_numbers(mine, theirs)
