"""Are the gradients of losses, layers and networks right, and is an optimiser's step what its formula says?

Nothing here has a tolerance to choose: `autograd.testing` judges the gradients, exact arithmetic the steps.
"""

import math
import random
from fractions import Fraction

import mpmath
import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
import nn
from autograd import Value
from autograd.testing import assert_close_ulp, assert_same_float, check_gradient, gradcheck, mlps
from nn import MLP, SGD, Adam, AdamW, Dropout, Layer, LeakyReLU, Sequential, Standardize, fit
from nn.activations import ACTIVATIONS
from nn.losses import LOSSES

# An example takes 10 to 100 ms, almost all of it differences; Hypothesis draws others in every run.
few, very_few = settings(max_examples=10), settings(max_examples=5)

EXTREME = [0.0, 1.0, -1.0, 1e-12, 40.0, -40.0, 750.0, -750.0, 1e5, -1e5, 1e100, -1e100, 1e-300, -5e-324]
numbers = st.floats(-50.0, 50.0) | st.sampled_from(EXTREME)
moderate = st.floats(-3.0, 3.0)


def in_one(outputs):
    """Numbers as one, in which each counts differently."""
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return autograd.dot(outputs, [1.0 + 0.5 * k for k in range(len(outputs))])


def flat(nested):
    return [x for item in nested for x in flat(item)] if isinstance(nested, list) else [nested]


def shaped(nested, supply):
    """The same nested list, of the numbers that come next."""
    return [shaped(x, supply) for x in nested] if isinstance(nested, list) else next(supply)


# Losses

REDUCTIONS = ["mean", "sum", "none"]
shares = st.sampled_from([0.0, 1.0, 1e-300]) | st.floats(1e-300, 1.0)
inner_shares = st.floats(1e-9, 1.0 - 1e-9)
BELOW_1 = math.nextafter(1.0, 0.0)


def probabilities(target):
    """Those of finite loss: not certain of what is wrong."""
    lowest, highest = 0.0 if target == 0.0 else 1e-300, 1.0 if target == 1.0 else BELOW_1
    return st.floats(lowest, highest) | st.just(target)


# For each loss of a number and its target: what the targets are, and which predictions go with one.
PAIRED = {
    "mse_loss": (numbers, lambda t: numbers),
    "l1_loss": (numbers, lambda t: numbers | st.just(t)),
    "huber_loss": (numbers, lambda t: numbers | st.sampled_from([t, t + 1.0, t - 1.0])),
    "hinge_loss": (st.sampled_from([-1, 1]), lambda t: numbers),
    "binary_cross_entropy": (shares, probabilities),
    "binary_cross_entropy_with_logits": (shares, lambda t: numbers),
    "kl_div": (shares, lambda t: numbers),
}
BY_ROW = ("cross_entropy", "nll_loss")


@st.composite
def paired(draw, target, prediction):
    """A number, a list or a batch, and its targets."""
    template = draw(st.sampled_from([0.0, [0.0], [0.0] * 2, [[0.0]], [[0.0]] * 2, [[0.0] * 2] * 2]))
    targets = [draw(target) for _ in flat(template)]
    predictions = [draw(prediction(t)) for t in targets]
    return shaped(template, iter(predictions)), shaped(template, iter(targets))


@st.composite
def rows_of_logits(draw, target, least=1):
    """The logits of one example or of a batch, and its targets, each of which depends on the number of classes."""
    classes = draw(st.integers(least, 3))
    row = st.tuples(st.lists(numbers, min_size=classes, max_size=classes), target(classes))
    if draw(st.booleans()):
        return draw(row)
    batch = draw(st.lists(row, min_size=1, max_size=2))
    return [logits for logits, _ in batch], [t for _, t in batch]


def labels(classes):
    return st.integers(0, classes - 1)


def distributions(classes, least=0):
    weights = st.lists(st.integers(least, 9), min_size=classes, max_size=classes).filter(any)
    return weights.map(lambda row: [weight / sum(row) for weight in row])


def check_loss(loss, predictions, targets, *, learned_targets=False, **options):
    """`gradcheck` of the loss as a function of its predictions, and of its targets if they are learned."""

    def f(*xs):
        supply = iter(xs)
        shaped_predictions = shaped(predictions, supply)
        return in_one(loss(shaped_predictions, shaped(targets, supply) if learned_targets else targets, **options))

    return gradcheck(f, (*flat(predictions), *(flat(targets) if learned_targets else [])))


def test_every_loss_is_tested_here():
    assert set(LOSSES) == {*PAIRED, *BY_ROW}


@pytest.mark.parametrize("name", PAIRED)
@few
@given(draws=st.data(), reduction=st.sampled_from(REDUCTIONS))
def test_the_gradient_of_a_loss_of_numbers_is_right(name, draws, reduction):
    check_loss(LOSSES[name], *draws.draw(paired(*PAIRED[name])), reduction=reduction)


@very_few
@given(paired(*PAIRED["kl_div"]))
def test_the_gradient_of_batchmean_is_right(problem):
    check_loss(nn.kl_div, *problem, reduction="batchmean")


@very_few
@given(paired(*PAIRED["huber_loss"]), st.floats(0.01, 100.0))
def test_the_gradient_of_huber_is_right_whatever_its_delta(problem, delta):
    check_loss(nn.huber_loss, *problem, delta=delta)


@very_few
@given(moderate, moderate, st.floats(0.1, 4.0))
def test_a_delta_can_be_learned(prediction, target, delta):
    gradcheck(lambda p, d: nn.huber_loss(p, target, delta=d), (prediction, delta))


@few
@given(rows_of_logits(labels), st.sampled_from(REDUCTIONS), st.sampled_from([0.0, 0.1, 1.0]))
def test_the_gradient_of_cross_entropy_of_classes_is_right(problem, reduction, smoothing):
    check_loss(nn.cross_entropy, *problem, reduction=reduction, label_smoothing=smoothing)


@few
@given(rows_of_logits(distributions), st.sampled_from(REDUCTIONS), st.sampled_from([0.0, 0.1]))
def test_the_gradient_of_cross_entropy_of_probabilities_is_right(problem, reduction, smoothing):
    check_loss(nn.cross_entropy, *problem, reduction=reduction, label_smoothing=smoothing)


@few
@given(rows_of_logits(labels, least=2), st.sampled_from(REDUCTIONS))  # one output would be given bare
def test_the_gradient_of_nll_loss_is_right_alone_and_after_log_softmax(problem, reduction):
    check_loss(nn.nll_loss, *problem, reduction=reduction)
    check_loss(lambda z, t, **more: nn.nll_loss(nn.LogSoftmax()(z), t, **more), *problem, reduction=reduction)


LEARNED = {
    "mse_loss": (moderate, lambda t: moderate),
    "l1_loss": (moderate, lambda t: moderate),
    "huber_loss": (moderate, lambda t: moderate),
    "binary_cross_entropy": (inner_shares, lambda t: inner_shares),
    "binary_cross_entropy_with_logits": (inner_shares, lambda t: numbers),
    "kl_div": (inner_shares, lambda t: moderate),
}


@pytest.mark.parametrize("name", LEARNED)
@very_few
@given(draws=st.data(), reduction=st.sampled_from(REDUCTIONS))
def test_targets_that_are_values_get_their_gradient_too(name, draws, reduction):
    problem = draws.draw(paired(*LEARNED[name]))
    check_loss(LOSSES[name], *problem, learned_targets=True, reduction=reduction)


@very_few
@given(rows_of_logits(lambda classes: distributions(classes, least=1)), st.sampled_from([0.0, 0.1]))
def test_probabilities_that_are_values_get_their_gradient_too(problem, smoothing):
    check_loss(nn.cross_entropy, *problem, learned_targets=True, label_smoothing=smoothing)


# Layers and activations


def layer_of(draws, activation, nin, nout, number=moderate):
    """A layer with drawn weights and biases."""
    layer = Layer(nin, nout, activation=activation, init=lambda *_: 0.0)
    for parameter in layer.parameters():
        parameter.data = draws.draw(number)
    return layer


@pytest.mark.parametrize("activation", ACTIVATIONS)
@very_few
@given(draws=st.data(), nin=st.integers(1, 2), nout=st.integers(1, 2), number=st.sampled_from([moderate, numbers]))
def test_the_gradient_of_a_layer_is_right_for_its_parameters_and_its_inputs(activation, draws, nin, nout, number):
    layer = layer_of(draws, activation, nin, nout, number)
    row = [draws.draw(moderate) for _ in range(nin)]
    gradcheck(lambda model: in_one(model(row)), layer)
    gradcheck(lambda xs: in_one(layer(xs)), row)


MODULES = [
    *(nn.Identity(), nn.ReLU(), LeakyReLU(), LeakyReLU(0.3), nn.ELU(), nn.ELU(2.0), nn.GELU(), nn.GELU("tanh")),
    *(nn.SiLU(), nn.Softplus(), nn.Sigmoid(), nn.Tanh(), nn.Softmax(), nn.LogSoftmax(), Standardize([2.0], [0.3])),
]


@pytest.mark.parametrize("module", MODULES, ids=repr)
@very_few
@given(draws=st.data())
def test_the_gradient_of_an_activation_is_right_at_any_size(module, draws):
    most = 1 if isinstance(module, Standardize) else 3
    row = draws.draw(st.lists(numbers, min_size=1, max_size=most))
    gradcheck(lambda xs: in_one(module(xs)), row)


@pytest.mark.parametrize("module", [LeakyReLU, nn.ELU])
@very_few
@given(slope=st.floats(0.01, 2.0), row=st.lists(moderate, min_size=1, max_size=3))
def test_the_gradient_of_a_slope_that_learns_is_right(module, slope, row):
    gradcheck(lambda model: in_one(model(row)), module(Value(slope)))


# Networks


def reseeded(model, seed):
    """The model, about to draw the same masks again."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.rng = random.Random(seed)
    return model


def examples_for(draws, model, most=2):
    """A batch of examples that the model takes."""
    nin = model.layers[0].nin
    return draws.draw(st.lists(st.lists(moderate, min_size=nin, max_size=nin), min_size=1, max_size=most))


small_mlps = mlps(max_inputs=2, max_width=2, max_layers=2)


@very_few
@given(small_mlps, st.sampled_from(["mse_loss", "huber_loss", "binary_cross_entropy_with_logits"]), st.data())
def test_the_gradient_of_a_network_and_a_loss_of_numbers_is_right(model, name, draws):
    batch = examples_for(draws, model)
    targets = [[0.25] * len(model.layers[-1].neurons)] * len(batch)
    targets = flat(targets) if len(model.layers[-1].neurons) == 1 else targets
    gradcheck(lambda copy: LOSSES[name](copy(batch), targets), model)


@very_few
@given(small_mlps.filter(lambda m: len(m.layers[-1].neurons) > 1), st.data())
def test_the_gradient_of_a_network_and_cross_entropy_is_right(model, draws):
    batch = examples_for(draws, model)
    targets = [draws.draw(labels(len(model.layers[-1].neurons))) for _ in batch]
    gradcheck(lambda copy: nn.cross_entropy(copy(batch), targets), model)


@very_few
@given(st.floats(0.0, 1.0) | st.sampled_from([0.0, 1.0]), st.integers(0, 2**32), st.booleans(), st.data())
@example(p=0.0, seed=0, training=True, draws=None)
@example(p=0.5, seed=1, training=True, draws=None)
@example(p=1.0, seed=0, training=True, draws=None)
def test_the_gradient_behind_dropout_is_right_for_the_masks_that_were_drawn(p, seed, training, draws):
    model = MLP(1, [2, 2], activation="tanh", dropout=p, rng=random.Random(seed)).train(training)
    batch = [[1.0], [-2.0]] if draws is None else examples_for(draws, model)
    report = gradcheck(lambda copy: in_one(flat(reseeded(copy, seed)(batch))), model)
    if p == 1.0 and training:
        learning = [name for name, g in zip(report.names, report.gradient, strict=True) if g]
        assert learning == ["layers.1.neurons.0.b", "layers.1.neurons.1.b"]


@very_few
@given(st.data(), st.sampled_from([nn.Tanh(), nn.Softplus(), nn.Softmax(), nn.LogSoftmax()]), st.integers(0, 2**32))
def test_the_gradient_of_a_sequence_of_modules_is_right(draws, activation, seed):
    model = Sequential(
        Standardize([0.5, -1.0], [2.0, 0.5]),
        layer_of(draws, "linear", 2, 2),
        activation,
        Dropout(0.3),
        layer_of(draws, "silu", 2, 1),
    )
    row = [draws.draw(moderate) for _ in range(2)]
    gradcheck(lambda copy: reseeded(copy, seed)(row), model)


# Steps along the gradient


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy_with_logits"])
@very_few
@given(seed=st.integers(0, 2**32), lr=st.floats(0.0, 1.0))
def test_a_step_of_fit_with_a_loss_by_its_name_is_along_the_gradient_of_the_function(name, seed, lr):
    model = MLP(2, [2, 1], activation="tanh", rng=random.Random(seed))
    X, y = [[1.0, -2.0], [0.5, 0.25]], [0.25, 1.0]
    before = [p.data for p in model.parameters()]
    LOSSES[name](model(X), y).backward()
    along = [w - lr * p.grad for w, p in zip(before, model.parameters(), strict=True)]
    fit(model, X, y, loss=name, optimizer=SGD(model.parameters(), lr=lr), epochs=1, batch_size=2, shuffle=False,
        engine="eager", progress=False)  # fmt: skip
    assert_same_float([p.data for p in model.parameters()], along)


@settings(max_examples=30)
@given(st.integers(1, 3), st.sampled_from(["tanh", "silu", "softplus"]), st.integers(0, 2**32), st.data())
def test_a_small_step_against_the_gradient_lowers_the_loss_by_its_length_times_the_gradients_square(
    width, activation, seed, draws
):
    model = MLP(2, [width, 1], activation=activation, rng=random.Random(seed))
    batch = examples_for(draws, model, most=3)
    targets = [draws.draw(moderate) for _ in batch]
    nn.mse_loss(model(batch), targets).backward()
    start = [(p.data, p.grad) for p in model.parameters()]

    def loss_after(lr):
        for parameter, (number, gradient) in zip(model.parameters(), start, strict=True):
            parameter.data, parameter.grad = number, gradient
        SGD(model.parameters(), lr=lr).step()
        return nn.mse_loss(model(batch), targets).data

    square = math.fsum(gradient * gradient for _, gradient in start)
    (entry,) = check_gradient(loss_after, lambda lr: -square, 0.0)
    assert entry.verdict == "right"


# The optimisers' formulas, as the papers give them, in closed form and exact arithmetic

some = settings(max_examples=150)
eighths = st.integers(0, 7).map(lambda k: k / 8)
sixteenths = st.integers(-64, 64).map(lambda k: k / 16)


def weighted(factor, numbers):
    """The sum of the numbers, each times the factor to the power of its age."""
    return sum((factor**age * number for age, number in enumerate(reversed(numbers))), Fraction(0))


@some
@given(
    st.tuples(*[sixteenths] * 3),
    *(sixteenths, eighths, eighths, eighths, eighths, st.booleans()),
)
def test_three_steps_of_sgd_are_its_formula_to_the_last_bit(
    gradients, start, lr, momentum, dampening, weight_decay, nesterov
):
    """Numbers of so few bits that nothing has to be rounded."""
    nesterov = nesterov and momentum > 0.0
    dampening = 0.0 if nesterov else dampening
    w, exact, directions = Value(start), Fraction(start), []
    optimizer = SGD([w], lr, momentum, dampening, weight_decay, nesterov)
    for gradient in gradients:
        w.grad = gradient
        optimizer.step()
        directions.append(Fraction(gradient) + Fraction(weight_decay) * exact)
        # The first direction starts the momentum whole, the later ones are dampened.
        dampened = [directions[0], *((1 - Fraction(dampening)) * d for d in directions[1:])]
        velocity = weighted(Fraction(momentum), dampened) if momentum else directions[-1]
        exact -= Fraction(lr) * (directions[-1] + Fraction(momentum) * velocity if nesterov else velocity)
        assert Fraction(w.data) == exact


# Seven roundings of the step (two roots, three quotients, a sum, a product), one of the weight and one of the formula's
# number, each of at most one ulp of a number that is not larger than the weight.
ADAMS_ROUNDINGS = 9


@pytest.mark.parametrize("optimizer_class", [Adam, AdamW])
@some
@given(
    st.lists(st.tuples(st.integers(0, 16), st.integers(16, 64)), min_size=1, max_size=5),
    *(st.sampled_from([-1, 1]), eighths, eighths, eighths, st.sampled_from([1e-8, 2.0**-4]), st.integers(0, 8)),
)
def test_steps_of_adam_are_its_formula(optimizer_class, rows, sign, lr, beta1, beta2, eps, decay):
    """Weights and gradients of few bits, so that only the step itself is rounded; of opposite signs, so that nothing
    cancels."""
    w, weight_decay, gradients = Value(0.0), decay / 16, []
    optimizer = optimizer_class([w], lr, (beta1, beta2), eps, weight_decay)
    for step, (weight, gradient) in enumerate(rows, 1):
        w.data, w.grad = sign * weight / 16, -sign * gradient / 16
        exact = Fraction(w.data)
        if optimizer_class is AdamW:
            gradients.append(Fraction(w.grad))
            exact *= 1 - Fraction(lr) * Fraction(weight_decay)
        else:
            gradients.append(Fraction(w.grad) + Fraction(weight_decay) * exact)
        optimizer.step()
        mean, square = (
            (1 - beta) * weighted(beta, [g**power for g in gradients]) / (1 - beta**step)
            for beta, power in ((Fraction(beta1), 1), (Fraction(beta2), 2))
        )
        with mpmath.workdps(50):
            moved = real(exact) - real(lr) * real(mean) / (mpmath.sqrt(real(square)) + real(eps))
            assert_close_ulp(w.data, float(moved), ulp=ADAMS_ROUNDINGS)


def real(x):
    """A fraction or a float as mpmath's number."""
    return mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator
