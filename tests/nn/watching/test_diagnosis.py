"""Does the page say of a network what `nn.diagnose` says, in the same words? In a real browser."""

import random
import re

import pytest

import nn
from nn.losses import LOSSES
from nn.watching.kit import OFFERED
from tests.autograd.conftest import browser  # noqa: F401
from tests.nn.watching.test_explain import page, scripts, spec_of  # noqa: F401

EXAMPLES = 40


def said(page, name, task, outputs, cases):  # noqa: F811
    """What the page says of each of these networks."""
    return page.evaluate(
        f"""(cases) => {{ "use strict"; {scripts(name, outputs, task)}
        return cases.map(({{ spec, numbers, rows, targets, optimizer, lr }}) => {{
          const network = makeNetwork(spec, Float64Array.from(numbers, fromJSON));
          const [flat, answers] = [rows.flat(), targets].map((some) => Float64Array.from(some));
          const examples = {{ rows: flat, targets: answers, count: rows.length }};
          const trainer = makeTrainer({{ network, examples, optimizer, lr, batchSize: 10, seed: 0 }});
          const state = () => String([network.numbers, network.gradients, ...network.sums, ...trainer.states]);
          const before = state(), found = diagnose({{ network, trainer }});
          if (state() !== before) throw new Error("it changed something");
          return found;
        }}); }}""",
        cases,
    )


def counted_from_one(seen):
    """The sentence with the page's names: it counts layers and neurons from 1."""

    def parameter(found):
        layer, unit, weight = found.groups()
        what = "the bias" if weight is None else f"weight {int(weight) + 1}"
        return f"{what} of neuron {int(unit) + 1} of layer {int(layer) + 1}"

    seen = re.sub(r"the parameter layers\.(\d+)\.neurons\.(\d+)\.(?:b|w\.(\d+))", parameter, seen)
    return re.sub(r"layers\.(\d+)", lambda found: f"layer {int(found[1]) + 1}", seen)


KINDS = ("new", "trained", "dead", "large", "huge", "small", "deep", "nan", "beyond")


def some_case(rng, kind, outputs, name):
    """A model that has some problem or none, and examples."""
    activation = rng.choice(["relu", "tanh", "sigmoid", "softplus", "gelu", "linear"])
    if kind in ("dead", "trained"):
        activation = "relu"
    widths = [rng.randint(1, 6) for _ in range(7 if kind == "deep" else rng.randint(0, 3))]
    model = nn.MLP(2, [*widths, outputs], activation=activation, rng=rng)
    X = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(EXAMPLES)]
    y = [int(a > b) if outputs == 1 else rng.randrange(outputs) for a, b in X]
    if kind == "trained":
        nn.fit(model, X, y, loss=name, epochs=10, rng=0)
    scale = {"large": 8.0, "huge": 1e3, "small": 1e-3, "beyond": 1e200}.get(kind, 1.0)
    for parameter in model.parameters():
        parameter.data = parameter.data * scale + (rng.gauss(0, 0.1) if kind != "small" else 0.0)
    if kind == "dead" and widths:
        for neuron in rng.choice(model.layers[:-1]).neurons:
            neuron.b.data = -50.0
    if kind == "nan":
        rng.choice(model.parameters()).data = rng.choice([float("nan"), float("inf")])
    return model, X, y


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 12))])
def test_the_page_says_of_a_network_what_diagnose_says(page, seed):  # noqa: F811
    rng = random.Random(f"diagnosis {seed}")
    for name, task, outputs in (("binary_cross_entropy_with_logits", "binary", 1), ("cross_entropy", "classes", 3)):
        cases, expected = [], []
        for kind in KINDS if seed == 0 else KINDS * 3:
            model, X, y = some_case(rng, kind, outputs, name)
            optimizer = rng.choice([*OFFERED])
            lr = rng.choice([1e-3, 0.01, 0.1, 1.0, 30.0])
            given = OFFERED[optimizer][0](model.parameters(), lr)
            found = nn.diagnose(model, X, y, LOSSES[name], optimizer=given).problems
            expected.append([{"name": p.name, "seen": counted_from_one(p.seen), "remedy": p.remedy} for p in found])
            numbers = [p.data if abs(p.data) < 1e300 else str(p.data) for p in model.parameters()]
            case = {"spec": spec_of(model, 2), "numbers": numbers, "rows": X, "targets": y}
            cases.append(case | {"optimizer": optimizer, "lr": lr})
        found = said(page, name, task, outputs, cases)
        for case, mine, theirs in zip(cases, found, expected, strict=True):
            assert mine == theirs, (case["spec"]["layers"], case["optimizer"], case["lr"])
        assert len({p["seen"].split()[0] for problems in expected for p in problems}) > 2


def test_a_network_that_cannot_bend_is_named_once_its_loss_stands_still(page):  # noqa: F811
    rows = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 5
    found = page.evaluate(
        f"""(rows) => {{ "use strict"; {scripts("binary_cross_entropy_with_logits", 1, "binary")}
        const targets = Float64Array.from(rows, ([a, b]) => Number(a !== b));
        const examples = {{ rows: Float64Array.from(rows.flat()), targets, count: rows.length }};
        return ["linear", "tanh"].map((activation) => {{
          const layers = [{{ width: 4, activation, dropout: 0 }}, {{ width: 1, activation: "linear", dropout: 0 }}];
          const {{ network }} = drawNetwork({{ inputs: 2, scale: null, layers }}, 0);
          const trainer = makeTrainer({{ network, examples, optimizer: "adam", lr: 0.03, batchSize: 10, seed: 0 }});
          return [2, 200].map((epochs) => {{
            for (let k = 0; k < epochs; k += 1) trainer.epoch();
            return diagnose({{ network, trainer }}).map(({{ name }}) => name).join();
          }});
        }}); }}""",
        rows,
    )
    assert found == [["", "a straight line"], ["", ""]]
