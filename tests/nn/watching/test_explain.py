"""Does the stepper that a page opens for its own network show what Python's `explain` shows? In a real browser."""

import json
import math
import random

import pytest

import nn
from autograd import explain
from autograd.drawing.page import for_json, model_of
from nn.activations import ACTIVATIONS
from nn.losses import LOSSES
from nn.watching.kit import kit
from nn.watching.page import CORE, DRAWING, source, style_constants
from nn.watching.stepper import stepper
from tests.autograd.conftest import browser  # noqa: F401
from tests.autograd.drawing.conftest import PATIENCE

TASKS = {
    "binary_cross_entropy_with_logits": ("binary", (0, 1)),
    "hinge_loss": ("binary", (-1, 1)),
    "cross_entropy": ("classes", None),
    "nll_loss": ("classes", None),
    "mse_loss": ("regression", None),
    "l1_loss": ("regression", None),
    "huber_loss": ("regression", None),
}


def scripts(name, outputs, task, wide=False):
    """The part of the page that opens the stepper and diagnoses, with all that it needs."""
    constants = {
        "KIT": kit(LOSSES[name], outputs, task, wide=wide),
        **style_constants(),
        "{ openStepper, diagnose }": stepper(LOSSES[name], outputs, task, wide=wide),
    }
    lines = [f"const {name} = {value};" for name, value in constants.items()]
    return "\n".join([*lines, *map(source, [*CORE, *DRAWING])])


def spec_of(model, inputs):
    """The network as the page knows it."""
    layers = [{"width": len(x.neurons), "activation": x.neurons[0].activation, "dropout": 0} for x in model.layers]
    return {"inputs": inputs, "scale": None, "layers": layers}


@pytest.fixture(scope="module")
def page(browser):  # noqa: F811
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
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
    text = scripts(name, outputs, task, wide).replace("{ openStepper, diagnose }", "{ lossGraph, modelOf }")
    names = [f"x{i}" for i in range(len(row))]
    return page.evaluate(
        f"""(given) => {{ "use strict"; {text}
        const network = makeNetwork(given.spec, Float64Array.from(given.numbers));
        const {{ root, parameters }} = lossGraph(network, given.row, given.target, given.names);
        const inJSON = (key, x) => Number.isFinite(x) || typeof x !== "number" ? x : shown(x, 3);
        return JSON.stringify(modelOf(root, parameters, given.lr), inJSON); }}""",
        given | {"target": target, "lr": lr, "names": names},
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
