"""Does code written for micrograd run with only its import line changed, and give the same numbers?

The figures were printed by micrograd 0.1.0 from PyPI; where it is installed, the tests ask it again.
"""

import random

import pytest

from autograd import Value
from nn import MLP, Layer, Module, Neuron

SEED = 1337  # that of micrograd's demo
FIRST_WEIGHTS = [0.23550571390294128, 0.06653114721000164, 0, -0.26830328150124894]
LAST_WEIGHTS = [-0.2271549182489696, -0.3223491002609964, -0.2532524374373504, 0]
OUTPUT = -1.3324313779586294  # of the network on [1.0, -2.0]
# Loss and accuracy of the first four of the demo's training steps, on the points below.
STEPS = [(1.1585105627634362, 0.4), (4.260794520983537, 0.65), (1.0591405608658002, 0.8), (0.5805517300367765, 0.85)]


def seeded_network():
    random.seed(SEED)
    return MLP(2, [16, 16, 1], init="micrograd")


def points():
    """Two clusters of points, in place of the moons that the demo takes from scikit-learn."""
    rng = random.Random(0)
    labels = [rng.choice((-1, 1)) for _ in range(20)]
    return [[rng.gauss(0.8 * y, 1.0), rng.gauss(-0.4 * y, 1.0)] for y in labels], labels


def demo(model, value, steps=4):
    """The training loop of micrograd's demo notebook: SVM "max-margin" loss, L2 regularisation, SGD."""
    xs, ys = points()

    def loss():
        inputs = [list(map(value, xrow)) for xrow in xs]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * scorei).relu() for yi, scorei in zip(ys, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        reg_loss = alpha * sum(p * p for p in model.parameters())
        total_loss = data_loss + reg_loss
        accuracy = [(yi > 0) == (scorei.data > 0) for yi, scorei in zip(ys, scores, strict=True)]
        return total_loss, sum(accuracy) / len(accuracy)

    figures = []
    for k in range(steps):
        total_loss, acc = loss()
        model.zero_grad()
        total_loss.backward()
        learning_rate = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= learning_rate * p.grad
        figures.append((total_loss.data, acc))
    return figures


def same(figures):
    """Equal but for the order in which a sum is rounded."""
    return [pytest.approx(figure, rel=1e-9) for figure in figures]


def test_the_same_seed_gives_micrograds_weights_bit_for_bit():
    numbers = [p.data for p in seeded_network().parameters()]
    assert len(numbers) == 337
    assert numbers[:4] == FIRST_WEIGHTS
    assert numbers[-4:] == LAST_WEIGHTS


def test_the_same_seed_gives_micrograds_output():
    assert seeded_network()([1.0, -2.0]).data == pytest.approx(OUTPUT, rel=1e-13)


def test_the_demo_trains_through_the_same_losses():
    assert demo(seeded_network(), Value) == same(STEPS)


def test_the_demo_trains_through_the_same_losses_with_every_product_a_node():
    random.seed(SEED)
    assert demo(MLP(2, [16, 16, 1], init="micrograd", expanded=True), Value) == same(STEPS)


def test_micrograd_itself_says_the_same():
    micrograd = pytest.importorskip("micrograd.nn", reason="micrograd is not installed: the stored figures were used")
    random.seed(SEED)
    theirs = micrograd.MLP(2, [16, 16, 1])
    ours = seeded_network()
    assert [p.data for p in ours.parameters()] == [p.data for p in theirs.parameters()]
    assert repr(ours) == repr(theirs)
    assert demo(ours, Value, steps=3) == same(demo(theirs, micrograd.Value, steps=3))
    assert [p.data for p in ours.parameters()] == [pytest.approx(p.data, rel=1e-6) for p in theirs.parameters()]


def test_reprs_are_micrograds():
    assert repr(Neuron(2)) == "ReLUNeuron(2)"
    assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    assert repr(Layer(2, 2)) == "Layer of [ReLUNeuron(2), ReLUNeuron(2)]"
    assert repr(MLP(2, [1, 1])) == "MLP of [Layer of [ReLUNeuron(2)], Layer of [LinearNeuron(1)]]"


def test_shapes_and_names_are_micrograds():
    model = MLP(3, [4, 4, 1])
    assert [len(layer.neurons) for layer in model.layers] == [4, 4, 1]
    neuron = model.layers[0].neurons[0]
    assert len(neuron.w) == 3
    assert neuron.b.data == 0.0
    assert isinstance(model, Module)
    assert isinstance(model([2.0, 3.0, -1.0]), Value)
    assert len(Layer(3, 2)([1.0, 2.0, 3.0])) == 2


def test_the_lectures_loop_learns_its_four_points():
    random.seed(SEED)
    n = MLP(3, [4, 4, 1], activation="tanh")
    xs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    ys = [1.0, -1.0, -1.0, 1.0]
    for _ in range(100):
        ypred = [n(x) for x in xs]
        loss = sum((yout - ygt) ** 2 for ygt, yout in zip(ys, ypred, strict=True))
        for p in n.parameters():
            p.grad = 0.0
        loss.backward()
        for p in n.parameters():
            p.data += -0.05 * p.grad
    assert loss.data < 0.01  # the lecture ends at about the same


def test_a_wide_layer_is_shown_short_and_that_of_the_demo_whole():
    assert repr(MLP(2, [16, 1])).count("ReLUNeuron(2)") == 16
    assert repr(Layer(87, 48)) == "Layer of [ReLUNeuron(87), ReLUNeuron(87), ... 48 neurons]"
