"""Does a diagnosis name what is wrong, by figures that are right, and leave the model alone?"""

import copy
import io
import json
import math
import random
import threading

import numpy as np
import pytest

import autograd
from autograd import Value, relu
from nn import (
    MLP,
    SGD,
    Adam,
    BatchNorm,
    Diagnosis,
    Dropout,
    Embedding,
    Layer,
    Module,
    Monitor,
    Neuron,
    ReLU,
    Sequential,
    cross_entropy,
    diagnose,
    fit,
    init,
    mse_loss,
)
from nn.datasets import load_digits, make_moons
from nn.experiments.exploding import network
from nn.experiments.images import some_digits as some_images
from tests.sampling import SEEDS

DIGITS = load_digits()


def some_digits(seed, n=60):
    rows = random.Random(seed).sample(range(len(DIGITS.X)), n)
    return [DIGITS.X[i] for i in rows], [DIGITS.y[i] for i in rows]


def mlp(seed, *widths, **options):
    return MLP(64, [*widths, 10], rng=random.Random(seed), **options)


class TestTheVerdict:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_deep_sigmoid_network_has_vanishing_gradients_and_the_remedy_is_relu(self, seed):
        X, y = some_digits(seed)
        diagnosis = diagnose(mlp(seed, *[10] * 5, activation="sigmoid"), X, y, "cross_entropy")
        assert diagnosis.verdict == "vanishing gradients"
        assert "ReLU" in diagnosis.problems[0].remedy
        assert diagnose(mlp(seed, *[10] * 5), X, y, "cross_entropy").verdict == "healthy"

    @pytest.mark.parametrize("seed", SEEDS)
    def test_large_weights_explode_and_batch_normalisation_or_a_lower_learning_rate_helps(self, seed):
        X, y = some_digits(seed)
        large = mlp(seed, 16, 16, 16, init=init.normal(3.0))
        assert diagnose(large, X, y, "cross_entropy").verdict == "exploding gradients"
        fast, slow = (SGD(large.parameters(), lr=lr) for lr in (0.1, 1e-4))
        assert diagnose(large, X, y, "cross_entropy", optimizer=fast).verdict == "exploding gradients"
        assert diagnose(large, X, y, "cross_entropy", optimizer=slow).verdict == "healthy"
        weights = {"activation": "linear", "init": init.normal(3.0), "rng": random.Random(seed)}
        blocks = [(Layer(n, 16, **weights), BatchNorm(16), ReLU()) for n in (64, 16, 16)]
        normalised = Sequential(*[layer for block in blocks for layer in block], Layer(16, 10, activation="linear"))
        optimizer = SGD(normalised.parameters(), lr=0.1)
        assert diagnose(normalised, X, y, "cross_entropy", optimizer=optimizer).verdict == "healthy"

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_high_learning_rate_leaves_dead_units_and_their_names_are_told(self, seed):
        X, y = some_digits(seed)
        model = mlp(seed, 12)
        fit(model, X, y, loss="cross_entropy", optimizer=SGD(model.parameters(), lr=5.0), epochs=3, batch_size=20,
            rng=random.Random(seed), progress=False)  # fmt: skip
        diagnosis = diagnose(model, X, y, "cross_entropy")
        dead = [
            f"layers.0.neurons.{k}"
            for k, neuron in enumerate(model.layers[0].neurons)
            if all(sum(w.data * x for w, x in zip(neuron.w, row, strict=True)) + neuron.b.data <= 0.0 for row in X)
        ]
        assert diagnosis.verdict == "dead units"
        assert diagnosis.dead == dead
        assert len(dead) >= 5
        assert f"{len(dead)} of them in layers.0" in diagnosis.problems[0].seen
        assert "lower learning rate" in diagnosis.problems[0].remedy
        assert dead[0] in str(diagnosis)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_networks_that_learn_are_healthy_before_and_after(self, seed):
        X, y = some_digits(seed)
        tanh = MLP(2, [8, 8, 1], activation="tanh", rng=random.Random(seed))
        moons, sides, *_ = make_moons(60, rng=random.Random(seed))
        assert diagnose(tanh, moons, sides, "binary_cross_entropy_with_logits").verdict == "healthy"
        model = mlp(seed, 24, dropout=0.2)
        optimizer = Adam(model.parameters(), lr=0.01)
        assert diagnose(model, X, y, "cross_entropy", optimizer=optimizer).verdict == "healthy"
        fit(model, X, y, loss="cross_entropy", optimizer=optimizer, epochs=8, batch_size=20, rng=random.Random(seed),
            progress=False)  # fmt: skip
        assert diagnose(model, X, y, "cross_entropy", optimizer=optimizer).verdict == "healthy"

    @pytest.mark.parametrize("seed", SEEDS)
    def test_units_that_large_weights_saturate_are_named_and_the_remedy_is_smaller_weights(self, seed):
        rng = random.Random(seed)
        large, usual = (
            Layer(64, 20, activation="tanh", init=init.normal(30.0), rng=rng),
            MLP(20, [20, 10], "tanh", rng=rng),
        )
        [problem] = diagnose(Sequential(large, usual), *some_digits(seed), "cross_entropy").problems
        assert problem.name == "vanishing gradients"
        assert "of the outputs of layers.0 are saturated" in problem.seen
        assert "smaller initial weights" in problem.remedy

    @pytest.mark.parametrize("seed", SEEDS)
    def test_units_that_large_steps_saturated_are_told_from_those_that_were_so_from_the_start(self, seed):
        X, y = some_digits(seed)
        model = mlp(seed, 12, 12, activation="tanh")
        optimizer = Adam(model.parameters(), lr=3.0)
        fit(model, X, y, loss="cross_entropy", optimizer=optimizer, epochs=3, batch_size=10, rng=random.Random(seed),
            progress=False)  # fmt: skip
        [problem] = diagnose(model, X, y, "cross_entropy", optimizer=optimizer).problems
        assert problem.name == "steps too large"
        assert problem.remedy == "a lower learning rate, then restart"
        [alone] = diagnose(model, X, y, "cross_entropy", optimizer=Adam(model.parameters(), lr=0.01)).problems
        assert alone.name == "vanishing gradients"

    def test_a_network_that_has_learned_may_be_saturated(self):
        X = [[-1.0], [1.0]] * 10
        model = MLP(1, [2, 1], "tanh", init=lambda *_: 9.0)
        assert diagnose(model, X, [0, 1] * 10, "binary_cross_entropy_with_logits").verdict == "healthy"
        wrong = diagnose(
            model, X, [1, 0] * 10, "binary_cross_entropy_with_logits", optimizer=SGD(model.parameters(), 0.01)
        )
        assert wrong.verdict == "vanishing gradients"

    def test_dropout_of_everything_is_named(self):
        diagnosis = diagnose(mlp(0, 12, 12, dropout=1.0), *some_digits(0), "cross_entropy")
        assert diagnosis.verdict == "nothing gets through"
        assert [layer.gradient for layer in diagnosis.learning][:2] == [0.0, 0.0]
        assert "dropouts.0" in str(diagnosis)

    def test_steps_that_are_too_large_are_told_from_gradients_that_are(self):
        model = mlp(0, 12)
        diagnosis = diagnose(model, *some_digits(0), "cross_entropy", optimizer=Adam(model.parameters(), lr=1.0))
        assert diagnosis.verdict == "steps too large"

    def test_a_graph_that_was_lost_is_no_health(self):
        def lost(predictions, targets):
            return mse_loss([Value(p.data) * 1.0 for p in predictions], targets)

        [problem] = diagnose(MLP(1, [3, 1], rng=random.Random(0)), [[1.0]], [0.0], lost).problems
        assert problem.seen == "no parameter gets any gradient, though the loss is not 0"

    def test_a_sigmoid_that_is_sure_of_its_answers_is_healthy(self):
        neuron = Neuron(1, activation="sigmoid")
        neuron.w[0].data = 20.0
        X = [[k / 10] for k in range(-100, 101)]
        assert diagnose(neuron, X, [int(k > 0) for [k] in X], "binary_cross_entropy").verdict == "healthy"

    def test_of_an_embedding_the_vectors_that_were_looked_up_count(self):
        rng = random.Random(0)
        model = Sequential(Embedding(2000, 4, rng=rng), Layer(4, 2, nonlin=False, rng=rng))
        words = [[rng.randrange(2000)] for _ in range(50)]
        assert diagnose(model, words, [w % 2 for [w] in words], "cross_entropy").verdict == "healthy"

    def test_pixels_that_were_not_scaled_explode(self):
        X, y = some_digits(0)
        large = [[255.0 * x for x in row] for row in X]
        assert diagnose(mlp(0, 24), large, y, "cross_entropy").verdict == "exploding gradients"

    def test_a_few_examples_say_nothing_of_dead_units(self):
        rows = some_digits(0, 1)
        diagnosis = diagnose(mlp(0, 12), *rows, "cross_entropy")
        assert diagnosis.layers[0].dead_share > 0.2
        assert diagnosis.verdict == "healthy"


class TestTheNetworksOfTheExperiments:
    """`nn.experiments` trains them, and shows which of them learn."""

    @pytest.mark.parametrize("seed", SEEDS)
    def test_vanishing(self, seed):
        X, y = some_images(80, 5, random.Random(seed))
        for activation, verdict in (("sigmoid", "vanishing gradients"), ("relu", "healthy")):
            model = MLP(64, [20, 20, 20, 20, 5], activation=activation, rng=random.Random(seed))
            optimizer = SGD(model.parameters(), lr=0.05)
            assert diagnose(model, X, y, "cross_entropy", optimizer=optimizer).verdict == verdict
            assert diagnose(model, X, y, "cross_entropy").verdict == verdict

    @pytest.mark.parametrize("seed", SEEDS)
    def test_exploding(self, seed):
        X, y = some_images(60, 5, random.Random(seed))
        verdicts = []
        for normalised, lr in ((False, 0.5), (True, 0.5), (False, 0.02)):
            model = network([64, 24, 24, 24, 5], 0.7, normalised, random.Random(seed))
            optimizer = SGD(model.parameters(), lr=lr)
            verdicts.append(diagnose(model, X, y, "cross_entropy", optimizer=optimizer).verdict)
        assert verdicts == ["exploding gradients", "healthy", "healthy"]
        model = network([64, 24, 24, 24, 5], 0.7, False, random.Random(seed))
        assert diagnose(model, X, y, "cross_entropy").verdict == "exploding gradients"

    @pytest.mark.parametrize("seed", SEEDS)
    def test_dropout(self, seed):
        X, y = some_digits(seed)
        for p, verdict in ((0.0, "healthy"), (0.6, "healthy"), (1.0, "nothing gets through")):
            assert diagnose(mlp(seed, 32, dropout=p), X, y, "cross_entropy").verdict == verdict


class TestWhatIsNotFinite:
    def test_the_first_operation_that_overflows_is_named_with_its_layer(self):
        diagnosis = diagnose(mlp(0, *[10] * 6, init=init.normal(1e60)), *some_digits(0), "cross_entropy")
        assert diagnosis.verdict == "exploding gradients"
        assert diagnosis.non_finite.startswith("dot of 21 numbers up to ")
        assert diagnosis.non_finite.endswith(
            (" gave inf in layers.5", " gave nan in layers.5", " gave -inf in layers.5")
        )

    def test_a_loss_that_overflows_is_named(self):
        model = MLP(1, [1], init=lambda *_: 800.0)
        diagnosis = diagnose(model, [[1.0]], [0.0], lambda p, t: autograd.exp(p[0]))
        assert diagnosis.non_finite == "exp(800) gave inf in the loss"

    def test_a_parameter_that_is_nan_already_is_named(self):
        model = mlp(0, 4)
        model.layers[0].neurons[2].b.data = math.nan
        diagnosis = diagnose(model, *some_digits(0), "cross_entropy")
        assert diagnosis.non_finite == "the parameter layers.0.neurons.2.b was nan before the step"
        assert math.isnan(diagnosis.layers[0].mean)

    def test_a_derivative_that_is_infinite_is_named(self):
        model = MLP(1, [1], init=lambda *_: 0.0)
        diagnosis = diagnose(model, [[1.0]], [0.0], lambda p, t: autograd.sqrt(p[0]))
        assert diagnosis.non_finite == "the derivative of sqrt(0) is inf in the loss"

    def test_a_gradient_that_grows_beyond_all_numbers_is_named(self):
        model = Sequential(Layer(1, 1, activation="linear", init=lambda *_: 1e-160), Big(), Big())
        diagnosis = diagnose(model, [[1.0]], [0.0], lambda p, t: p[0] * 1e100)
        assert diagnosis.non_finite == "the gradient grew to inf behind mul(1e-160, 1e+150) in layers.1"

    def test_an_update_that_overflows_is_named(self):
        model = MLP(1, [1], init=lambda *_: 1.0)
        optimizer = SGD(model.parameters(), lr=1e300)
        diagnosis = diagnose(model, [[1e10]], [0.0], "mse_loss", optimizer=optimizer)
        assert diagnosis.non_finite == "the update took the parameter layers.0.neurons.0.w.0 to -inf"


class Big(Module):
    def forward(self, row):
        return [x * 1e150 for x in row]


class TestTheFigures:
    @pytest.fixture
    def step(self):
        X, y = some_digits(1, 30)
        model = mlp(1, 8, 6)
        diagnosis = diagnose(model, X, y, "cross_entropy")
        cross_entropy(model(X), y).backward()
        return model, X, diagnosis

    def test_the_gradient_is_the_root_mean_square_over_the_layers_parameters(self, step):
        model, _, diagnosis = step
        sizes = [np.sqrt(np.mean([p.grad**2 for p in layer.parameters()])) for layer in model.layers]
        assert [x.gradient for x in diagnosis.layers] == pytest.approx(sizes, rel=1e-12)
        ratios = [sizes[0] / sizes[1], sizes[1] / sizes[2]]
        assert [x.ratio for x in diagnosis.layers[:2]] == pytest.approx(ratios, rel=1e-12)

    def test_the_outputs_are_those_of_each_layer(self, step):
        model, X, diagnosis = step
        rows = X
        for layer, figures in zip(model.layers, diagnosis.layers, strict=True):
            rows = [layer.forward(row) for row in rows]
            numbers = np.array([[x.data for x in row] for row in rows])
            assert figures.mean == pytest.approx(numbers.mean(), rel=1e-12)
            assert figures.std == pytest.approx(numbers.std(), rel=1e-12)
            if layer is not model.layers[-1]:
                assert figures.saturated == np.mean(numbers == 0.0)
                dead = [f"{figures.name}.neurons.{k}" for k in np.flatnonzero((numbers == 0.0).all(axis=0))]
                assert list(figures.dead) == dead

    def test_saturation_is_where_the_slope_is_below_a_hundredth_of_the_steepest(self):
        far = MLP(1, [1, 1], activation="tanh", init=lambda *_: 1.0)
        X = [[0.0], [2.9], [3.1], [-3.1]]  # 1 - tanh(x)**2 is 0.01 at 2.99
        assert diagnose(far, X, [0.0] * 4, "mse_loss").layers[0].saturated == 0.5
        far = MLP(1, [1, 1], activation="sigmoid", init=lambda *_: 1.0)
        X = [[0.0], [5.9], [6.1], [-6.1]]  # s(x) * s(-x) is 0.0025 at 5.99
        assert diagnose(far, X, [0.0] * 4, "mse_loss").layers[0].saturated == 0.5

    def test_the_movement_is_that_of_the_optimizers_next_step(self):
        X, y = some_digits(2, 30)
        model = mlp(2, 8)
        optimizer = Adam(model.parameters(), lr=0.02)
        fit(model, X, y, loss="cross_entropy", optimizer=optimizer, epochs=2, batch_size=10, progress=False)
        state = json.dumps(optimizer.state_dict())
        seen = diagnose(model, X, y, "cross_entropy", optimizer=optimizer)
        assert json.dumps(optimizer.state_dict()) == state
        before = [np.array([p.data for p in layer.parameters()]) for layer in model.layers]
        model.train()
        optimizer.zero_grad()
        cross_entropy(model(X), y).backward()
        optimizer.step()
        for old, layer, figures in zip(before, model.layers, seen.layers, strict=True):
            moved = np.array([p.data for p in layer.parameters()]) - old
            assert figures.movement == pytest.approx(np.sqrt(np.mean(moved**2) / np.mean(old**2)), rel=1e-12)

    def test_the_movement_since_an_earlier_state(self):
        X, y = some_digits(2, 30)
        model = mlp(2, 8)
        since = model.state_dict()
        for p in model.layers[0].parameters():
            p.data *= 1.5
        movements = [x.movement for x in diagnose(model, X, y, "cross_entropy", since=since).layers]
        assert movements == pytest.approx([1.0 / 3.0, 0.0])

    def test_layers_are_found_in_any_model(self):
        class Own(Module):
            def __init__(self):
                rng = random.Random(0)
                self.table = Embedding(5, 3, rng=rng)
                self.block = Sequential(Layer(3, 4, activation="linear", rng=rng), BatchNorm(4), ReLU(), Dropout(0.5))
                self.scale = Value(2.0)
                self.out = Neuron(4, nonlin=False, rng=rng)

            def forward_batch(self, rows):
                hidden = self.block([[x for [i] in [row] for x in self.table([i])] for row in rows])
                return [[self.scale * self.out(row)] for row in hidden]

        diagnosis = diagnose(Own(), [[i % 5] for i in range(30)], [float(i % 2) for i in range(30)], "mse_loss")
        names = ["Own", "table", "block.layers.0", "block.layers.1", "block.layers.2", "block.layers.3", "out"]
        assert sorted(x.name for x in diagnosis.layers) == sorted(names)
        assert {x.name for x in diagnosis.layers if x.gradient is None} == {"block.layers.2", "block.layers.3"}
        units = {x.name: x.units for x in diagnosis.layers if x.units}
        assert units == {"block.layers.2": 4}

    def test_units_of_an_activation_module_are_named_by_their_place(self):
        rng = random.Random(0)
        model = Sequential(Layer(1, 3, activation="linear", rng=rng), ReLU(), Layer(3, 1, activation="linear", rng=rng))
        model.layers[0].neurons[1].b.data = -1e9
        diagnosis = diagnose(model, [[0.1 * i] for i in range(30)], [0.0] * 30, "mse_loss")
        assert "layers.1.1" in diagnosis.dead

    def test_what_works_unseen_has_its_gradient_all_the_same(self):
        class Unseen(Module):
            def __init__(self):
                self.w, self.b = Value(0.5), Value(0.0)

            def __call__(self, rows):
                return [self.w * x + self.b for [x] in rows]

        [layer] = diagnose(Unseen(), [[1.0], [2.0]], [1.0, 0.0], "mse_loss").layers
        assert layer.gradient == pytest.approx(math.sqrt((1.5**2 + 0.5**2) / 2.0))
        assert math.isnan(layer.mean)
        still = Unseen()
        still.w.data = 0.0
        assert diagnose(still, [[1.0]], [0.0], "mse_loss").verdict == "healthy"

    def test_an_unused_layer_is_left_out(self):
        class Forgetful(Module):
            def __init__(self):
                self.used, self.unused = Layer(1, 1), Layer(1, 1)

            def forward(self, row):
                return self.used.forward(row)

        assert [x.name for x in diagnose(Forgetful(), [[1.0]], [1.0], "mse_loss").layers] == ["used"]


class TestTheModelIsLeftAlone:
    def test_numbers_gradients_modes_statistics_and_random_generators_stay(self):
        rng = random.Random(3)
        model = Sequential(
            Layer(64, 6, rng=rng), BatchNorm(6), Dropout(0.5, rng=rng), Dropout(0.5), Layer(6, 10, rng=rng)
        )
        for i, p in enumerate(model.parameters()):
            p.grad = float(i)
        model.layers[1].eval()
        before = (model.state_dict(), [p.grad for p in model.parameters()], [m.training for m in model.modules()])
        states = rng.getstate(), random.getstate()
        attributes = [set(vars(m)) for m in model.modules()]
        diagnose(model, *some_digits(0), "cross_entropy", optimizer=SGD(model.parameters(), lr=0.1))
        assert (
            model.state_dict(),
            [p.grad for p in model.parameters()],
            [m.training for m in model.modules()],
        ) == before
        assert (rng.getstate(), random.getstate()) == states
        assert [set(vars(m)) for m in model.modules()] == attributes

    def test_pythons_generator_and_the_values_of_a_loss_stay(self):
        class Noisy(Module):
            def __init__(self):
                self.w = Value(1.0)

            def forward(self, row):
                return [self.w * x + random.gauss(0.0, 0.1) for x in row]

        model, scale = Noisy(), Value(2.0)
        scale.grad = model.w.grad = 7.0
        state = random.getstate()
        diagnose(model, [[1.0], [2.0]], [1.0, 2.0], lambda p, t: mse_loss(p, t) * scale + model.w * model.w)
        assert random.getstate() == state
        assert (scale.grad, model.w.grad) == (7.0, 7.0)

    def test_modules_with_arguments_of_their_own(self):
        class Scaled(Module):
            def __init__(self):
                self.w = Value(1.0)

            def forward(self, row, scale=1.0):
                return [self.w * x * scale for x in row]

        class Own(Module):
            def __init__(self):
                self.part = Scaled()

            def forward(self, row):
                return self.part.forward(row, scale=3.0)

        [layer] = diagnose(Own(), [[1.0], [2.0]], [0.0, 0.0], "mse_loss").layers
        assert (layer.name, layer.mean) == ("part", 4.5)

    def test_a_model_that_cannot_be_copied_is_refused(self):
        model = MLP(1, [1])
        model.lock = threading.Lock()
        with pytest.raises(TypeError, match="diagnose looks at a copy of the model, and this one cannot be copied"):
            diagnose(model, [[1.0]], [1.0], "mse_loss")

    def test_an_optimizer_of_another_model_is_refused(self):
        other = SGD(MLP(1, [1]).parameters(), lr=0.1)
        with pytest.raises(ValueError, match="moves none of the model's parameters"):
            diagnose(MLP(1, [1]), [[1.0]], [1.0], "mse_loss", optimizer=other)

    def test_the_same_model_gives_the_same_diagnosis(self):
        model = mlp(0, 8, dropout=0.5)
        data = some_digits(0)
        assert diagnose(model, *data, "cross_entropy") == diagnose(copy.deepcopy(model), *data, "cross_entropy")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            ((None, [[1.0]], [1.0], "mse_loss"), "diagnose takes a Module, such as MLP"),
            ((MLP(1, [1]), [], [], "mse_loss"), "X needs at least one example"),
            ((MLP(1, [1]), [[1.0]], [1.0, 2.0], "mse_loss"), "1"),
            ((MLP(1, [1]), [[1.0]], [1.0], "squares"), "there is no loss 'squares'"),
            ((MLP(1, [1]), [[1.0]], [1.0], lambda p, t: 1.0), "returns a Value computed from the predictions"),
            ((MLP(2, [1]), [[1.0]], [1.0], "mse_loss"), "takes 2 inputs"),
            ((Sequential(BatchNorm(1)), [[1.0]], [1.0], "mse_loss"), "a batch of at least 2 examples"),
        ],
    )
    def test_what_does_not_fit_is_said_in_a_sentence(self, arguments, sentence):
        with pytest.raises((TypeError, ValueError), match=sentence):
            diagnose(*arguments)

    def test_what_the_movement_is_measured_from_must_fit(self):
        model = MLP(1, [1])
        optimizer = SGD(model.parameters(), lr=0.1)
        data = [[1.0]], [1.0], "mse_loss"
        with pytest.raises(ValueError, match="optimizer or since, not both"):
            diagnose(model, *data, optimizer=optimizer, since=model.state_dict())
        with pytest.raises(TypeError, match="optimizer takes an optimiser such as SGD"):
            diagnose(model, *data, optimizer=0.1)
        with pytest.raises(ValueError, match="since takes an earlier state_dict"):
            diagnose(model, *data, since={"w": 1.0})


class TestWhatPeopleSee:
    def test_the_tables_fit_80_columns(self):
        X, y = some_digits(0)
        for model in (mlp(0, 8), mlp(0, *[10] * 6, init=init.normal(1e60)), mlp(0, 8, dropout=1.0)):
            text = str(diagnose(model, X, y, "cross_entropy"))
            assert max(map(len, text.splitlines())) <= 80
        assert "nan" not in str(diagnose(mlp(0, 8), X, y, "cross_entropy"))

    def test_a_notebook_shows_the_tables_and_the_picture(self):
        diagnosis = diagnose(mlp(0, 8), *some_digits(0), "cross_entropy")
        page = diagnosis._repr_html_()
        assert "<pre>One training step on 60 examples" in page
        assert "-&gt;" in page
        assert 'src="data:image/png;base64,' in page

    @pytest.mark.parametrize("options", [{}, {"init": init.normal(1e60)}, {"dropout": 1.0}, {"init": lambda *_: 0.0}])
    def test_every_diagnosis_can_be_drawn(self, options):
        diagnosis = diagnose(mlp(0, *[6] * 6, **options), *some_digits(0), "cross_entropy")
        figure = diagnosis.plot()
        figure.savefig(io.BytesIO(), format="png")
        assert figure.get_suptitle() == diagnosis.verdict
        assert len(figure.axes) == 3


class TestMonitor:
    def test_it_records_a_diagnosis_before_the_training_and_after_each_epoch(self):
        X, y = some_digits(4)
        model = mlp(4, 8)
        start = model.state_dict()
        monitor = Monitor(model, X, y, "cross_entropy")
        optimizer = SGD(model.parameters(), lr=0.1)
        run = {"loss": "cross_entropy", "optimizer": optimizer, "batch_size": 20, "progress": False}
        fit(model, X, y, epochs=1, callbacks=[monitor], **run)
        assert len(monitor.diagnoses) == 2
        assert monitor.diagnoses[0] == diagnose(mlp(4, 8), X, y, "cross_entropy")
        assert monitor.diagnoses[1] == diagnose(model, X, y, "cross_entropy", since=start)
        assert monitor.figures("layers.0", "units") == [8, 8]
        assert monitor.figures("layers.1", "ratio") == [None, None]

    def test_watching_does_not_change_the_training(self):
        X, y = some_digits(4)
        ends = []
        for watched in (False, True):
            rng = random.Random(4)
            model = MLP(64, [8, 10], dropout=0.5, rng=rng)
            callbacks = [Monitor(model, X, y, "cross_entropy")] if watched else []
            fit(model, X, y, loss="cross_entropy", optimizer=SGD(model.parameters(), lr=0.1), epochs=2, batch_size=20,
                rng=rng, callbacks=callbacks, progress=False)  # fmt: skip
            ends.append(model.state_dict())
        assert ends[0] == ends[1]

    def test_it_prints_a_line_an_epoch_and_draws(self):
        model = Sequential(Layer(1, 3, activation="linear"), ReLU(), Layer(3, 1, activation="linear"))
        X, Y = [[0.1 * i] for i in range(30)], [0.2 * i for i in range(30)]
        monitor = Monitor(model, X, Y, mse_loss)
        fit(model, X, Y, loss="mse_loss", optimizer=SGD(model.parameters(), lr=1e9), epochs=3, batch_size=30,
            callbacks=[monitor], progress=False)  # fmt: skip
        lines = str(monitor).splitlines()
        assert [line[:1] for line in lines[2:6]] == ["0", "1", "2", "3"]
        assert max(map(len, lines)) <= 80
        figure = monitor.plot()
        figure.savefig(io.BytesIO(), format="png")
        assert [axes.get_title() for axes in figure.axes] == ["gradient", "movement in an epoch", "share of dead units"]

    def test_a_notebook_shows_the_table_and_the_picture(self):
        page = Monitor(MLP(1, [3, 1]), [[1.0]], [1.0], "mse_loss")._repr_html_()
        assert page.startswith("<pre>epoch")
        assert "data:image/png;base64," in page

    def test_another_model_a_layer_or_a_figure_that_is_not_there(self):
        monitor = Monitor(MLP(1, [1]), [[1.0]], [1.0], "mse_loss")
        with pytest.raises(ValueError, match="was made for another model"):
            monitor(MLP(1, [1]), None)
        with pytest.raises(ValueError, match=r"there is no layer 'layer0'; the layers are layers\.0"):
            monitor.figures("layer0", "gradient")
        with pytest.raises(ValueError, match="there is no figure 'moves'; choose one of name, kind, size, gradient"):
            monitor.figures("layers.0", "moves")

    def test_what_does_not_fit_fails_at_once(self):
        with pytest.raises(TypeError, match="Monitor takes a Module"):
            Monitor(relu, [[1.0]], [1.0], "mse_loss")
        with pytest.raises(ValueError, match="takes 2 inputs"):
            Monitor(MLP(2, [1]), [[1.0]], [1.0], "mse_loss")


def test_a_diagnosis_is_one_line_for_the_interpreter():
    assert repr(diagnose(MLP(1, [1]), [[1.0]], [1.0], "mse_loss")).startswith("Diagnosis('")
    assert isinstance(diagnose(MLP(1, [1]), [[1.0]], [1.0], "mse_loss"), Diagnosis)
