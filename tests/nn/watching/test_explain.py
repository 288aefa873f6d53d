"""Does the stepper that a page opens for its own network show what Python's `explain` shows? In a real browser."""

import json
import math
import random

import pytest

import nn
from autograd import Value, explain
from autograd.drawing.page import for_json, model_of
from nn.activations import ACTIVATIONS
from nn.losses import LOSSES
from nn.watching.kit import kit
from nn.watching.page import CORE, DRAWING, as_json, source, style_constants
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
        **style_constants("nn/watching/explain.css"),
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


# The stepper in the page


HTML = """<!doctype html><meta charset="utf-8"><body><div id="host"></div><script>(() => {{ "use strict"; {scripts}
const root = document.getElementById("host").attachShadow({{ mode: "open" }}), style = document.createElement("style");
const [frame, button, other] = ["div", "button", "input"].map((tag) => document.createElement(tag));
style.textContent = STYLE + ".frame {{ position: relative; height: 780px; --paper: #fff; }}";
button.id = "open";
Object.assign(frame, {{ className: "frame", tabIndex: 0 }}).append(button, other);
root.append(style, frame);
const given = {given}, network = makeNetwork(given.spec, Float64Array.from(given.numbers, fromJSON));
const [rows, targets] = [given.row, [given.target]].map((some) => Float64Array.from(some, fromJSON));
const examples = {{ rows, targets, count: 1 }}, model = {{ names: {{ inputs: given.names }} }};
const trainer = makeTrainer({{ network, examples, optimizer: "sgd", lr: 0.1, batchSize: 1, seed: 0 }});
const edit = (place, x) => network.numbers[place] = window.told = x;
const page = window.page = {{ root, frame, network, trainer, model, edit }};
button.onclick = () => openStepper(page, given.what, 0);
}})();</script>"""


def opened(page, model, row, target, what, names=("x0", "x1"), name="binary_cross_entropy_with_logits", scale=None):
    """The page, with the stepper opened for this example."""
    outputs = len(model.layers[-1].neurons)
    given = {"spec": spec_of(model, len(row)), "numbers": [p.data for p in model.parameters()], "what": what}
    given |= {"row": row, "target": target, "names": names}
    given["spec"]["scale"] = scale
    page.set_content(HTML.format(scripts=scripts(name, outputs, TASKS[name][0]), given=as_json(given)))
    page.locator("#open").click()


def texts(page, selector):
    return page.locator(selector).all_text_contents()


def shown_steps(page):
    """The lines of all steps, node by node."""
    page.get_by_label("Steps", exact=True).select_option("")
    steps = []
    while page.get_by_label("Next", exact=True).is_enabled():
        page.get_by_label("Next", exact=True).click()
        steps.append(sorted(line.removesuffix(" exact formula") for line in texts(page, ".lines p")))
    return steps


def some_model(rng):
    model = nn.MLP(2, [2, 1], activation=rng.choice(["tanh", "relu", "sigmoid"]), rng=rng)
    row = [rng.gauss(0, 1), rng.gauss(0, 1)]
    return model, row


def test_the_stepper_shows_the_numbers_of_the_loss_that_python_shows(page):
    rng = random.Random(1)
    model, row = some_model(rng)
    opened(page, model, row, 1, {"kind": "loss"})
    explanation = explain(nn.binary_cross_entropy_with_logits([model(row)], [1]), model=model, lr=0.1)
    assert shown_steps(page) == [sorted(moment.lines) for moment in explanation.steps]


@pytest.mark.parametrize("layer", [0, 1])
def test_a_neuron_opens_with_its_inputs_as_leaves(page, layer):
    rng = random.Random(layer)
    model, row = some_model(rng)
    opened(page, model, row, 1, {"kind": "unit", "layer": layer, "unit": 0})
    before = [Value(x, label=name) for x, name in zip(row, ("x0", "x1"), strict=True)]
    if layer:
        outputs = model.layers[0].forward(row)
        activation = outputs[0].operation
        before = [Value(x.data, label=f"{activation}0.{i}") for i, x in enumerate(outputs)]
    root = model.layers[layer].neurons[0].forward(before)[0]
    assert shown_steps(page) == [sorted(moment.lines) for moment in explain(root, model=model).steps]


def test_a_neuron_opens_node_by_node_and_the_loss_neuron_by_neuron(page):
    model, row = some_model(random.Random(7))
    opened(page, model, row, 1, {"kind": "unit", "layer": 0, "unit": 1})
    assert page.get_by_label("Steps", exact=True).input_value() == ""
    page.keyboard.press("Escape")
    opened(page, model, row, 1, {"kind": "loss"})
    assert page.get_by_label("Steps", exact=True).input_value() == "box"
    assert page.locator("h2").inner_text() == "The loss of example 1: its target is 1"


@pytest.mark.parametrize("what", [{"kind": "loss"}, {"kind": "unit", "layer": 0, "unit": 0}])
def test_it_says_where_inputs_are_standardised(page, what):
    model, row = some_model(random.Random(8))
    scale = {"means": [row[0] - 6.0, 0.0], "deviations": [4.0, 1.0]}
    opened(page, model, row, 1, what, scale=scale)
    note = page.locator(".overbar p").inner_text()
    assert "standardised" in note
    assert note.endswith(" / 4 = 1.5.")
    assert "data 1.5" in " ".join(texts(page, "[data-box] text")) or "1.5" in texts(page, "[data-box] text")


def test_escape_and_the_button_close_it_and_the_focus_returns(page):
    model, row = some_model(random.Random(2))
    opened(page, model, row, 0, {"kind": "loss"})
    for close in (lambda: page.keyboard.press("Escape"), lambda: page.get_by_text("Close", exact=True).click()):
        assert page.locator(".picture svg.autograd").count() == 1
        assert page.evaluate("page.frame.querySelector('input').inert")
        page.keyboard.press("j")
        assert texts(page, ".count")[0].startswith("1 /")
        close()
        assert page.locator(".picture").count() == 0
        assert page.evaluate("page.root.activeElement.id") == "open"
        assert not page.evaluate("page.frame.querySelector('input').inert")
        page.keyboard.press("Enter")
    page.keyboard.press("Escape")


def test_what_moves_in_the_stepper_stays_there_unless_the_weights_are_taken(page):
    model, row = some_model(random.Random(3))
    opened(page, model, row, 0, {"kind": "loss"})
    before = page.evaluate("[...page.network.numbers]")
    take = page.get_by_text("Use these weights in the playground")
    assert not take.is_visible()
    page.get_by_label("its number").fill("3.5")
    page.keyboard.press("Enter")
    take.wait_for()
    assert page.evaluate("[...page.network.numbers]") == before
    take.click()
    assert page.evaluate("[...page.network.numbers]") == [3.5, *before[1:]]
    assert page.evaluate("window.told") == 3.5
    assert page.locator(".picture").count() == 0


def test_the_loss_of_a_large_network_is_a_sentence_and_its_neurons_open(page):
    model = nn.MLP(2, [30, 30, 1], rng=0)
    opened(page, model, [0.5, 1.0], 0, {"kind": "loss"})
    assert "at most 1000 numbers" in page.locator(".overbody").inner_text()
    page.keyboard.press("Escape")
    opened(page, model, [0.5, 1.0], 0, {"kind": "unit", "layer": 1, "unit": 3})
    assert page.locator("[data-box]").count() == 8  # six inputs, a box for the others, and the neuron


def test_names_of_inputs_are_inert(page):
    hostile = '</script><img src=x onerror="window.hit=1">&amp;\u202e'
    model, row = some_model(random.Random(4))
    opened(page, model, row, 0, {"kind": "loss"}, names=(hostile, hostile))
    opened(page, model, row, 0, {"kind": "unit", "layer": 0, "unit": 0}, names=(hostile, hostile))
    page.wait_for_timeout(50)
    assert page.evaluate("window.hit") is None
    assert page.locator("svg img, .lines img").count() == 0


@pytest.mark.parametrize("x", [math.inf, math.nan, 1e300, -0.0])
def test_numbers_that_are_not_finite_are_shown_as_such(page, x):
    model, _ = some_model(random.Random(5))
    opened(page, model, [x, 1.0], 0, {"kind": "loss"})
    page.keyboard.press("End")
    assert page.locator(".picture svg.autograd").count() == 1
    assert any(f"{x:.3g}" in text for text in texts(page, "[data-box] text"))


def test_a_deep_network_with_ten_classes_opens(page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    model = nn.MLP(2, [8, 8, 8, 8, 8, 10], rng=0)
    opened(page, model, [0.5, 1.0], 7, {"kind": "loss"}, name="cross_entropy")
    page.keyboard.press("End")
    folded = page.locator(".box.folded").all_text_contents()
    assert [text[:10] for text in folded] == ["+4 neurons"]
    assert not errors
