"""Does the page train as `nn.fit` does? The same weights after so many steps, for all that it offers."""

import random

import pytest

import nn
from nn.datasets import make_moons
from nn.watching.kit import OFFERED
from nn.watching.networks import network_of

TRAIN = """
  const { spec, numbers, rows, targets, optimizer, lr, batchSize, seed, steps } = given;
  const drawn = drawNetwork(spec, seed), flat = (x) => Float64Array.from(x.flat());
  const network = numbers ? makeNetwork(spec, flat(numbers)) : drawn.network;
  const examples = { rows: flat(rows), targets: flat(targets), count: rows.length };
  const trainer = makeTrainer({ network, dropouts: drawn.dropouts, examples, optimizer, lr, batchSize, seed });
  for (let k = 0; k < steps; k += 1) trainer.step();
  return { numbers: [...network.numbers], history: trainer.history, figures: trainer.evaluate(examples) };
"""


def trained(model, X, y, loss, optimizer, lr, steps, batch_size=10, seed=3):
    """The parameters after so many steps of fit."""
    made = OFFERED[optimizer][0](model.parameters(), lr)
    return nn.fit(
        model, X, y, loss=loss, optimizer=made, max_steps=steps, epochs=steps, batch_size=batch_size, rng=seed,
        engine="eager", progress=False,
    )  # fmt: skip


def compared(core, model, X, y, loss, task, optimizer, steps, numbers=None, **options):
    """The page's parameters and those of fit, after the same training."""
    network = network_of(model)
    assert not network.missing
    lr, width = OFFERED[optimizer][1] / 4, network.layers[-1]["width"]
    given = {"spec": network.spec, "numbers": numbers, "rows": X, "targets": y, "optimizer": optimizer, "lr": lr}
    given |= {"batchSize": 10, "seed": 3, "steps": steps}
    found = core(TRAIN, given, loss, width, task, activations=network.activations, **options)
    history = trained(model, X, y, loss, optimizer, lr, steps)
    return found, network.numbers, history


@pytest.mark.parametrize("optimizer", OFFERED)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_weights_are_those_of_fit(core, optimizer, activation):
    X, y = make_moons(60, noise=0.1, rng=1)
    model = nn.MLP(2, [5, 4, 1], activation, rng=3)
    found, expected, history = compared(
        core, model, X, y, nn.binary_cross_entropy_with_logits, "binary", optimizer, 200
    )
    assert found["numbers"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert [x["loss"] for x in found["history"]] == pytest.approx(history.loss[: len(found["history"])], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OFFERED)
@pytest.mark.parametrize("activation", nn.activations.ACTIVATIONS)
def test_the_weights_are_those_of_fit_for_every_activation(core, optimizer, activation):
    X, y = make_moons(200, noise=0.1, rng=1)
    model = nn.MLP(2, [8, 8, 1], activation, rng=3)
    found, expected, _ = compared(core, model, X, y, nn.binary_cross_entropy_with_logits, "binary", optimizer, 200)
    assert found["numbers"] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("loss", ["mse_loss", "l1_loss", "huber_loss", "hinge_loss", "cross_entropy"])
@pytest.mark.parametrize("dropout", [0.0, 0.25, 1.0])
def test_losses_and_dropout(core, loss, dropout):
    draw = random.Random(5)
    X = [[draw.uniform(-1, 1) for _ in range(3)] for _ in range(37)]
    y = {"hinge_loss": [draw.choice((-1, 1)) for _ in X], "cross_entropy": [draw.randrange(4) for _ in X]}
    targets = y.get(loss, [sum(x) for x in X])
    width = 4 if loss == "cross_entropy" else 1
    task = {"hinge_loss": "binary", "cross_entropy": "classes"}.get(loss, "regression")
    model = nn.MLP(3, [6, 5, width], "tanh", dropout=dropout, rng=3)
    found, expected, _ = compared(core, model, X, targets, nn.losses.LOSSES[loss], task, "adam", 60)
    assert found["numbers"] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    seen = nn.evaluate(model, X, targets, loss=loss)
    assert found["figures"]["loss"] == pytest.approx(seen["loss"], rel=1e-9)
    assert found["figures"]["accuracy"] == (pytest.approx(seen["accuracy"]) if "accuracy" in seen else None)


def test_a_model_of_modules_with_several_outputs(core):
    draw = random.Random(7)
    X = [[draw.gauss(5, 3), draw.gauss(-2, 0.1)] for _ in range(30)]
    y = [[a + b, a - b] for a, b in X]
    rng = random.Random(1)
    layers = nn.Layer(2, 4, activation="linear", rng=rng), nn.LeakyReLU(0.2), nn.Layer(4, 2, nonlin=False, rng=rng)
    model = nn.Sequential(nn.Standardize.of(X), *layers)
    numbers = network_of(model).numbers
    found, expected, _ = compared(core, model, X, y, nn.mse_loss, "regression", "adam", 50, numbers, wide=True)
    assert found["numbers"] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**64 - 1, 12345678901234567890])
def test_random_numbers_are_pythons(core, seed):
    found = core(
        """
        const random = makeRandom(BigInt(given)), list = [...Array(1000).keys()];
        random.shuffle(list);
        const numbers = Array.from({ length: 700 }, (_, k) => k % 2 ? random.gauss(1, 2) : random.uniform(-1, 3));
        return { list, numbers, bits: [1, 31, 32, 33, 64, 100].map((k) => String(random.getrandbits(k))) };
        """,
        str(seed),
    )
    rng, order = random.Random(seed), list(range(1000))
    rng.shuffle(order)
    numbers = [rng.gauss(1, 2) if k % 2 else rng.uniform(-1, 3) for k in range(700)]
    assert found["list"] == order
    assert found["numbers"] == pytest.approx(numbers, rel=1e-12)
    assert found["bits"] == [str(rng.getrandbits(k)) for k in (1, 31, 32, 33, 64, 100)]


def test_new_weights_are_those_of_mlp(core):
    for activation in nn.activations.ACTIVATIONS:
        model = nn.MLP(3, [4, 2], activation, rng=11)
        spec = network_of(model).spec
        found = core("return [...drawNetwork(given, 11).network.numbers];", spec)
        assert found == pytest.approx([p.data for p in model.parameters()], rel=1e-12)


def test_responses_are_the_units(core):
    model = nn.MLP(2, [3, 2, 1], "gelu", rng=0)
    network = network_of(model)
    found = core(
        """
        const network = makeNetwork(given.spec, Float64Array.from(given.numbers)), points = [0.5, -1, 2, 0];
        const all = network.responses(Float64Array.from(points), 2).map((x) => [...x]);
        return { all, units: [0, 2].map((k) => network.units(points.slice(k, k + 2)).map((x) => [...x])) };
        """,
        {"spec": network.spec, "numbers": network.numbers},
    )
    for point, units in enumerate(found["units"]):
        for layer, outputs in enumerate(units[1:]):
            for unit, output in enumerate(outputs):
                assert found["all"][layer][2 * unit + point] == pytest.approx(output, rel=1e-14)
