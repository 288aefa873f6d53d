"""Is a network drawn as people draw it: neurons in columns by layer, each weight on the one line that uses it?"""

import random
from collections import Counter

import pytest
from hypothesis import example, given, settings, strategies as st

import autograd
import nn
from autograd import Value, draw, explain, topological_order
from autograd.drawing.graph import scene_of, scene_of_example
from autograd.drawing.layers import model_scene
from autograd.drawing.models import example_of
from autograd.drawing.numbers import Numbers, root_mean_square
from autograd.drawing.text import filled


def mlp(*widths, seed=0, **options):
    return nn.MLP(widths[0], list(widths[1:]), rng=random.Random(seed), **{"activation": "tanh"} | options)


def loss_of(model, examples=1, inputs=2, seed=0):
    rng = random.Random(seed)
    X = [[rng.uniform(-1, 1) for _ in range(inputs)] for _ in range(examples)]
    outputs = model(X)
    flat = [y for row in outputs for y in (row if isinstance(row, list) else [row])]
    loss = nn.mse_loss(flat, [rng.uniform(-1, 1) for _ in flat])
    loss.backward()
    return loss


class Residual(nn.Module):
    def __init__(self):
        self.inner = nn.Layer(3, 3, rng=random.Random(1), activation="tanh")
        self.out = nn.Layer(3, 1, rng=random.Random(2), nonlin=False)

    def forward(self, row):
        return self.out.forward([x + y for x, y in zip(row, self.inner.forward(row), strict=True)])


class Recurrent(nn.Module):
    def __init__(self):
        self.cell = nn.Layer(3, 2, rng=random.Random(1), activation="tanh")
        self.out = nn.Layer(2, 1, rng=random.Random(2), nonlin=False)

    def forward(self, row):
        state = [0.0, 0.0]
        for x in row:
            state = self.cell.forward([x, *state])
        return self.out.forward(state)


class Linear(nn.Module):
    """Layers as PyTorch has them: no neurons, rows of weights."""

    def __init__(self, inputs, outputs):
        rng = random.Random(0)
        self.weight = [[Value(rng.gauss(0, 1)) for _ in range(inputs)] for _ in range(outputs)]
        self.bias = [Value(rng.gauss(0, 1)) for _ in range(outputs)]

    def forward(self, row):
        return [autograd.dot(w, row, b) for w, b in zip(self.weight, self.bias, strict=True)]


class Tied(nn.Module):
    """An autoencoder whose second half uses the weights of the first."""

    def __init__(self):
        self.weight = [[Value(0.5 * i - j) for j in range(3)] for i in range(2)]

    def forward(self, row):
        hidden = [autograd.tanh(autograd.dot(w, row)) for w in self.weight]
        return [autograd.dot(column, hidden) for column in zip(*self.weight, strict=True)]


class Attention(nn.Module):
    def __init__(self):
        rng = random.Random(3)
        self.query, self.key = nn.Layer(2, 2, rng=rng, nonlin=False), nn.Layer(2, 2, rng=rng, nonlin=False)
        self.out = nn.Layer(2, 1, rng=rng, nonlin=False)

    def forward(self, row):
        pairs = [row[:2], row[2:]]
        queries, keys = [self.query.forward(p) for p in pairs], [self.key.forward(p) for p in pairs]
        mixed = []
        for query in queries:
            shares = autograd.softmax([autograd.dot(query, key) for key in keys])
            mixed.append([autograd.dot(shares, list(column)) for column in zip(*keys, strict=True)])
        return self.out.forward([autograd.sum(column) for column in zip(*mixed, strict=True)])


def layer(inputs, outputs, activation="linear", seed=0):
    return nn.Layer(inputs, outputs, activation=activation, rng=random.Random(seed))


MODELS = {
    "mlp": lambda: (mlp(2, 4, 4, 1), 1, 2),
    "expanded": lambda: (mlp(2, 4, 4, 1, expanded=True), 1, 2),
    "batch": lambda: (mlp(2, 4, 3), 5, 2),
    "expanded batch": lambda: (mlp(2, 4, 4, 1, expanded=True), 5, 2),
    "wide": lambda: (mlp(2, 16, 16, 1, activation="relu"), 1, 2),
    "wide inputs": lambda: (mlp(20, 12, 1), 3, 20),
    "deep": lambda: (mlp(2, *[3] * 20, 1), 1, 2),
    "dropout": lambda: (mlp(2, 4, 1, dropout=0.5), 1, 2),
    "layer norm": lambda: (nn.Sequential(layer(2, 4), nn.LayerNorm(4), nn.Tanh(), layer(4, 1)), 1, 2),
    "batch norm": lambda: (nn.Sequential(layer(2, 3), nn.BatchNorm(3), nn.Tanh(), layer(3, 1)), 4, 2),
    "rms norm": lambda: (nn.Sequential(layer(2, 3), nn.RMSNorm(3), layer(3, 1)), 2, 2),
    "softmax": lambda: (nn.Sequential(layer(2, 3), nn.Softmax()), 2, 2),
    "neuron": lambda: (nn.Neuron(2, rng=random.Random(0)), 1, 2),
    "neurons in a row": lambda: (nn.Sequential(nn.Neuron(2, rng=random.Random(0)), nn.Neuron(1)), 2, 2),
    "residual": lambda: (Residual(), 1, 3),
    "residual batch": lambda: (Residual(), 3, 3),
    "recurrent": lambda: (Recurrent(), 1, 3),
    "recurrent batch": lambda: (Recurrent(), 4, 3),
    "long recurrent": lambda: (Recurrent(), 1, 30),
    "linear": lambda: (nn.Sequential(Linear(2, 3), nn.ReLU(), Linear(3, 2)), 2, 2),
    "tied": lambda: (Tied(), 1, 3),
    "attention": lambda: (Attention(), 1, 4),
    "attention batch": lambda: (Attention(), 3, 4),
}


def drawn(name):
    model, examples, inputs = MODELS[name]()
    loss = loss_of(model, examples, inputs)
    return model, loss, scene_of(loss, model)


def texts(scene, box):
    return [filled(line, Numbers(scene).shown(4)) for line in box.lines]


def neurons(scene):
    return [box for box in scene.boxes if box.kind == "neuron"]


@pytest.mark.parametrize("name", MODELS)
def test_every_node_is_in_a_box_and_every_parameter_in_one_place(name):
    model, loss, scene = drawn(name)
    assert scene.form == "network"
    order = topological_order(loss)
    assert scene.nodes == order
    assert set(scene.box_of) == set(range(len(order)))
    counts = Counter(node for box in scene.boxes for node in box.nodes)
    assert max(counts.values()) == 1
    for box in scene.boxes:
        assert all(scene.boxes[scene.box_of[node]] is box for node in box.nodes)
        assert box.nodes == sorted(box.nodes)
    on_lines = Counter(arrow.leaf for arrow in scene.arrows if arrow.leaf >= 0)
    for parameter in model.parameters():
        index = scene.index_of(parameter)
        if index < len(order):
            assert on_lines[index] + counts[index] <= 1
        if on_lines[index]:
            (arrow,) = [arrow for arrow in scene.arrows if arrow.leaf == index]
            assert scene.box_of[index] == arrow.head


@pytest.mark.parametrize("name", MODELS)
def test_lines_lead_to_the_right_and_say_all_edges_between_boxes(name):
    _, _, scene = drawn(name)
    assert all(scene.boxes[a.tail].column < scene.boxes[a.head].column for a in scene.arrows)
    assert {box.column for box in scene.boxes} == set(range(1 + max(box.column for box in scene.boxes)))
    assert len({arrow.name for arrow in scene.arrows}) == len(scene.arrows)
    pairs = {(arrow.tail, arrow.head) for arrow in scene.arrows}
    for node in scene.nodes:
        head = scene.box_of[scene.index_of(node)]
        for parent in node.parents:
            tail = scene.box_of[scene.index_of(parent)]
            assert tail == head or (tail, head) in pairs
    assert sum(arrow.count for arrow in scene.arrows) <= sum(len(node.operands) for node in scene.nodes)


@pytest.mark.parametrize("name", MODELS)
def test_every_code_has_a_number(name):
    _, _, scene = drawn(name)
    numbers = Numbers(scene)
    for part in [*scene.boxes, *scene.arrows]:
        for text in [*part.lines, part.tooltip]:
            assert all(numbers(code) == numbers(code) for code in text[1::2])
        assert not part.colour or numbers(part.colour) == numbers(part.colour)


@pytest.mark.parametrize("name", MODELS)
def test_a_picture_has_few_boxes_in_a_column_and_few_columns(name):
    _, _, scene = drawn(name)
    columns = Counter(box.column for box in scene.boxes)
    assert len(columns) <= 14
    assert max(columns.values()) <= 16
    assert len(scene.boxes) <= 100


@settings(max_examples=20)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=5), st.integers(1, 3), st.booleans())
def test_layers_are_columns_in_order_and_neurons_stand_in_order(widths, examples, expanded):
    model = mlp(*widths, expanded=expanded)
    scene = scene_of(loss_of(model, examples, widths[0]), model)
    kinds = {"neuron", "folded"}
    for depth, width in enumerate(widths[1:]):
        boxes = [box for box in scene.boxes if box.module == f"layers.{depth}" and box.kind in kinds]
        assert {box.column for box in boxes} == {depth + 1}
        titles = [box.lines[0][0] for box in boxes]
        if width <= 8:
            assert titles == [f"neuron {depth}.{i}" for i in range(width)]
        else:
            ends = [f"neuron {depth}.{i}" for i in (0, 1, 2, width - 3, width - 2, width - 1)]
            assert titles == [*ends[:3], f"+{width - 6} neurons", *ends[3:]]
    first = [box for box in scene.boxes if box.column == 0]
    assert len(first) == (widths[0] if widths[0] <= 8 else 7)


@pytest.mark.parametrize("examples", [1, 4])
def test_separate_products_and_sums_make_the_same_picture_as_a_dot(examples):
    pictures = []
    for expanded in (False, True):
        model = mlp(2, 4, 4, 1, expanded=expanded)
        scene = scene_of(loss_of(model, examples), model)
        numbers = Numbers(scene).shown(4)
        boxes = [
            (b.kind, b.column, [filled(line, numbers) for line in b.lines[: 3 if examples > 1 else 9]])
            for b in scene.boxes
        ]
        arrows = {(a.tail, a.head, a.count, tuple(filled(line, numbers) for line in a.lines)) for a in scene.arrows}
        pictures.append((boxes, arrows))
    assert pictures[0] == pictures[1]


def test_the_network_of_the_book_is_eleven_boxes_and_a_loss():
    model, _, scene = drawn("mlp")
    kinds = Counter(box.kind for box in scene.boxes)
    assert kinds == {"input": 2, "neuron": 9, "operation": 3, "constant": 1}
    weights = {index for index, node in enumerate(scene.nodes) for p in model.named_parameters() if node is p[1]}
    biases = {scene.index_of(neuron.b) for layer in model.layers for neuron in layer.neurons}
    assert {arrow.leaf for arrow in scene.arrows} - {-1} == weights - biases
    neuron = model.layers[0].neurons[1]
    box = next(b for b in neurons(scene) if b.lines[0] == ("neuron 0.1",))
    total, out = (scene.nodes[i] for i in box.nodes)
    assert texts(scene, box) == [
        "neuron 0.1",
        f"b {neuron.b.data:.4g}",
        f"sum {total.data:.4g}",
        f"grad {total.grad:.4g}",
        f"tanh {out.data:.4g}",
        f"grad {out.grad:.4g}",
    ]
    arrow = next(a for a in scene.arrows if a.leaf == scene.index_of(neuron.w[0]))
    numbers = Numbers(scene)
    assert [filled(line, numbers.shown(4)) for line in arrow.lines] == [
        f"{neuron.w[0].data:.4g}",
        f"grad {neuron.w[0].grad:.4g}",
    ]
    assert numbers(arrow.colour) == neuron.w[0].grad


def test_examples_of_a_batch_share_the_neurons_boxes():
    model = mlp(2, 4, 4, 1)
    scene = scene_of(loss_of(model, 32), model)
    assert len(neurons(scene)) == 9
    for box in neurons(scene):
        assert texts(scene, box)[1] == "32 examples"
        grads = [scene.nodes[i].grad for i in box.nodes]
        assert texts(scene, box)[-1] == f"grad {root_mean_square(grads):.4g}"
        assert not box.colour  # it has no sign
    assert sum(arrow.leaf >= 0 for arrow in scene.arrows) == 2 * 4 + 4 * 4 + 4
    assert all(arrow.count == 32 for arrow in scene.arrows if arrow.leaf >= 0)
    assert "32 numbers" in [line[0] for box in scene.boxes for line in box.lines]
    assert ("sub ×32",) in [box.lines[0] for box in scene.boxes]


@pytest.mark.parametrize("name", ["batch norm", "layer norm", "rms norm", "dropout", "softmax"])
def test_weights_stand_on_lines_from_boxes_of_other_modules(name):
    model, _, scene = drawn(name)
    weights = {p for m in model.modules() if hasattr(m, "neurons") for neuron in m.neurons for p in neuron.w}
    on_lines = {scene.nodes[arrow.leaf] for arrow in scene.arrows if arrow.leaf >= 0}
    assert weights <= on_lines


def test_a_weight_that_two_lines_use_is_a_box():
    model, _, scene = drawn("tied")
    leaves = {i for box in scene.boxes for i in box.nodes if not scene.nodes[i].operation}
    assert {scene.index_of(p) for p in model.parameters()} <= leaves
    assert all(arrow.leaf == -1 for arrow in scene.arrows)


def test_a_recurrent_network_is_unrolled():
    _, _, scene = drawn("recurrent")
    cells = [box for box in neurons(scene) if box.module == "cell"]
    assert [box.column for box in cells] == [1, 1, 2, 2, 3, 3]


def test_a_penalty_for_large_weights_leaves_them_on_their_lines():
    model = mlp(2, 4, 1)
    loss = (model([0.5, -1.0]) - 1.0) ** 2 + 0.01 * sum(p * p for p in model.parameters())
    loss.backward()
    scene = scene_of(loss, model)
    assert sum(arrow.leaf >= 0 for arrow in scene.arrows) == 12
    assert ("mul ×17",) in [box.lines[0] for box in scene.boxes]
    assert len(scene.boxes) < 20


def test_values_as_inputs_are_leaves_of_their_own():
    model, x = mlp(2, 3, 1), [Value(1.0, label="height"), Value(2.0)]
    loss = model(x) ** 2
    loss.backward()
    first = [box for box in scene_of(loss, model).boxes if box.column == 0]
    assert [(box.kind, box.lines[0]) for box in first] == [("leaf", ("height",)), ("leaf", ("x1",))]


def test_the_model_may_be_a_part_of_the_graph_or_a_list_of_layers():
    model = mlp(2, 4, 1)
    loss = loss_of(model)
    for part in (model.layers[1], [model.layers[1]], model.layers):
        scene = scene_of(loss, part)
        assert scene.form == "network"
        assert set(scene.box_of) == set(range(len(scene.nodes)))
    assert len(neurons(scene_of(loss, model.layers[1]))) == 1
    assert len(neurons(scene_of(loss, model.layers))) == 5


def test_a_graph_without_the_models_neurons_is_drawn_as_a_graph():
    model = mlp(2, 1)
    assert scene_of(Value(2.0) * model.layers[0].neurons[0].w[0], model).form == "graph"


def test_a_model_that_did_not_compute_the_graph_is_refused():
    a = Value(2.0)
    message = "none of the 3 parameters of the model is part of this graph of 2 nodes: pass the model that computed it"
    for show in (draw, explain):
        with pytest.raises(ValueError, match=message):
            show(a * a, model=mlp(2, 1))


def test_lines_have_numbers_where_there_are_few():
    _, _, scene = drawn("mlp")
    assert all(arrow.lines for arrow in scene.arrows if arrow.leaf >= 0)
    _, _, scene = drawn("wide")
    inner = [arrow for arrow in scene.arrows if scene.boxes[arrow.head].module == "layers.1"]
    assert len(inner) == 49
    assert not any(arrow.lines for arrow in inner)
    assert all(len(arrow.tooltip) > 1 or arrow.count > 1 for arrow in inner)


class Odd(nn.Module):
    """Code of one's own: neurons in any order, several times, weights as inputs, rows of weights, bare parameters."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.seed = seed
        self.units = {f"<b>{i}": self.unit(rng) for i in range(4)}
        self.bare = [Value(rng.gauss(0, 1)) for _ in range(4)]
        self.rows = [[Value(1.0), Value(2.0)] for _ in range(3)]

    def unit(self, rng):
        return nn.Neuron(2, rng=rng, activation=rng.choice(["tanh", "relu", "linear"]), expanded=rng.random() < 0.5)

    def forward(self, row):
        rng = random.Random(self.seed)
        pool = [*row, *self.bare]
        for _ in range(rng.randrange(3, 14)):
            pool.append(self.another(rng, rng.choice(pool), rng.choice(pool)))
        return [autograd.sum([*pool[-4:], self.bare[1] * 1.0])]

    def another(self, rng, a, b):
        unit, bare = rng.choice(list(self.units.values())), rng.choice(self.bare)
        ways = [
            *[lambda: unit([a, b])] * 3,
            lambda: autograd.dot(rng.choice(self.rows), [a, b]),
            lambda: rng.choice(unit.w) * a,
            lambda: autograd.add(a, b) + bare,
            lambda: autograd.dot([a, bare], [b, unit.w[0]], unit.b),
        ]
        return rng.choice(ways)()


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([False, "units.<b>1", True]))
@example(941, 1, "units.<b>1")
def test_models_of_any_code_are_drawn(seed, examples, expand):
    model = Odd(seed)
    loss = loss_of(model, examples)
    scene = scene_of(loss, model, expand)
    assert set(scene.box_of) == set(range(len(scene.nodes)))
    assert len({arrow.name for arrow in scene.arrows}) == len(scene.arrows)
    if scene.form == "network":
        assert all(scene.boxes[a.tail].column < scene.boxes[a.head].column for a in scene.arrows)


# Opened


def test_an_opened_module_is_spelled_out():
    model = mlp(2, 4, 1)
    loss = loss_of(model)
    by_name, by_module = scene_of(loss, model, "layers.1"), scene_of(loss, model, [model.layers[1]])
    assert [box.lines for box in by_name.boxes] == [box.lines for box in by_module.boxes]
    assert len(neurons(by_name)) == 4
    products = [box for box in by_name.boxes if box.lines[0] == ("mul",) and not box.nodes]
    numbers = Numbers(by_name)
    hidden = [by_name.nodes[box.nodes[-1]].data for box in neurons(by_name)]
    expected = [w.data * h for w, h in zip(model.layers[1].neurons[0].w, hidden, strict=True)]
    assert sorted(numbers(box.lines[1][1]) for box in products) == sorted(expected)
    weights = {by_name.index_of(p) for p in model.layers[1].parameters()}
    assert weights <= {i for box in by_name.boxes if box.kind == "leaf" for i in box.nodes}
    assert ("sum",) in [box.lines[0] for box in by_name.boxes]
    assert [arrow.lines for arrow in by_name.arrows if arrow.name.startswith("p_")] == [[("1",)]] * 4


def test_everything_opened_is_a_graph_of_products_and_sums():
    model = mlp(2, 2, 1)
    scene = scene_of(loss_of(model), model, True)
    assert scene.form == "graph"
    assert sum(box.lines[0] == ("mul",) and not box.nodes for box in scene.boxes) == 6
    assert sum(box.kind == "leaf" for box in scene.boxes) == 9
    out = nn.Neuron(3, rng=random.Random(0))([1.0, 2.0, 3.0])
    scene = scene_of(out, expand=True)
    titles = Counter(box.lines[0][0] for box in scene.boxes)
    assert (titles["mul"], titles["sum"], titles["dot"]) == (3, 1, 0)


@pytest.mark.parametrize(
    ("expand", "error", "message"),
    [
        ("layers.7", ValueError, r"got 'layers.7': there are layers.0, layers.0.neurons.0, "),
        (nn.Layer(1, 1), ValueError, "is not one of them: there are layers.0"),
        (3, TypeError, r"expand takes True, False, or names of modules; got 3 \(int\)"),
        ([None], TypeError, r"got None \(NoneType\)"),
    ],
)
def test_what_cannot_be_opened_is_refused(expand, error, message):
    model = mlp(2, 2, 1)
    with pytest.raises(error, match=message):
        draw(loss_of(model), model=model, expand=expand)


def test_names_need_a_model():
    with pytest.raises(TypeError, match="give model= too"):
        draw(Value(1.0), expand="layers.0")


# One example


def state(model):
    return (
        [(p.data, p.grad) for p in model.parameters()],
        [(m.training, "training" in vars(m)) for m in model.modules()],
        list(model.named_buffers()),
    )


@pytest.mark.parametrize("mode", ["as it was made", "train", "eval"])
def test_an_example_changes_nothing_and_drops_nothing(mode):
    rng = random.Random(0)
    model = nn.Sequential(layer(2, 3, "tanh"), nn.BatchNorm(3), nn.Dropout(0.5, rng=rng), layer(3, 1))
    if mode != "as it was made":
        model.train(mode == "train")
    for p in model.parameters():
        p.grad = 7.0
    before, random_before = state(model), rng.getstate()
    drawing = draw(model, [0.5, -1.0], 1.0)
    assert "grad" in drawing.source
    assert (state(model), rng.getstate()) == (before, random_before)


def test_an_example_has_the_gradients_of_its_loss():
    model = mlp(2, 3, 1)
    example = example_of(model, [0.5, -1.0], 0.25, None)
    loss = (model([0.5, -1.0]) - 0.25) ** 2
    loss.backward()
    assert example.root.data == loss.data
    for p in model.parameters():
        assert example.gradients[p] == pytest.approx(p.grad, rel=1e-12)
    scene = scene_of_example(example, model, False, None)
    assert (scene.form, len(neurons(scene))) == ("network", 4)


@pytest.mark.parametrize(
    ("widths", "target", "loss"),
    [
        ((2, 3, 3), 2, lambda y: nn.cross_entropy(y, 2)),
        ((2, 3, 3), [0.5, 1.0, -1.0], lambda y: nn.mse_loss(y, [0.5, 1.0, -1.0])),
        ((2, 3, 1), [0.5], lambda y: nn.mse_loss(y, 0.5)),
        ((2, 3, 1), 3, lambda y: nn.mse_loss(y, 3)),
    ],
)
def test_the_loss_fits_the_target(widths, target, loss):
    model = mlp(*widths)
    example = example_of(model, [0.5, -1.0], target, None)
    assert example.root.data == pytest.approx(loss(model([0.5, -1.0])).data, rel=1e-12)
    own = example_of(model, [0.5, -1.0], target, lambda y, t: loss(y))
    assert own.root.data == pytest.approx(example.root.data, rel=1e-12)


def test_without_a_target_the_gradients_are_the_outputs_own():
    example = example_of(mlp(2, 3, 1), [0.5, -1.0], None, None)
    assert example.gradients[example.root] == 1.0
    several = example_of(mlp(2, 3, 2), [0.5, -1.0], None, None)
    assert (several.root, several.gradients) == (None, {})
    assert "tanh" in draw(mlp(2, 3, 2), [0.5, -1.0]).source


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0],), ValueError, r"draw\(model, x\) takes an example of 2 numbers for this model; got 1"),
        (([[1.0, 2.0]],), ValueError, "got a batch, "),
        (("ab",), TypeError, r"takes one example, a list of numbers; got 'ab' \(str\)"),
        (([1.0, "b"],), TypeError, r"takes a list of numbers; got 'b' \(str\) in it"),
        (({"a": 1.0},), TypeError, "takes one example"),
        (([1.0, 2.0], "cat"), TypeError, r"target takes a number, a class or a list of numbers; got 'cat' \(str\)"),
        (([1.0, 2.0], True), TypeError, r"got True \(bool\)"),
        (([1.0, 2.0], 3), ValueError, "target takes a class from 0 to 2, or a list of 3 numbers for 3 outputs; got 3"),
        (([1.0, 2.0], 0.5), ValueError, "target takes a class from 0 to 2"),
        (([1.0, 2.0], [1.0]), ValueError, r"target takes a number for each of the 3 outputs; got \[1.0\]"),
    ],
)
def test_an_example_that_does_not_fit_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        draw(mlp(2, 3), *arguments)


def test_arguments_that_do_not_belong_together_are_refused():
    model, loss = mlp(2, 1), Value(1.0)
    for attempt, message in [
        (lambda: draw(loss, [1.0]), "the first argument is a Value here"),
        (lambda: draw(model, model=model), "the first argument is a model here"),
        (lambda: draw(model, target=1.0), "need an example"),
        (lambda: draw(model, expand=True), "need an example"),
        (lambda: draw(model, [1.0, 2.0], loss=nn.mse_loss), "takes a target for the loss; got none"),
        (lambda: draw(model, [1.0, 2.0], 1.0, loss=3), "loss takes a function"),
        (lambda: draw(model, [1.0, 2.0], 1.0, loss=lambda y, t: 3.0), "gives a Value; this one gives 3.0"),
        (lambda: draw(nn.MLP), r"draw takes a Value or a model; got .* \(the class MLP\)"),
        (lambda: draw(3), r"draw takes a Value or a model; got 3 \(int\)"),
        (lambda: draw(loss, model=5), r"model takes an nn.Module, or a list of them; got 5 \(int\)"),
        (lambda: draw(loss, model=nn.MLP), r"\(the class MLP\)"),
        (lambda: draw(loss, model=[model, 3]), r"got 3 \(int\)"),
    ]:
        with pytest.raises(TypeError, match=message):
            attempt()


# The model alone


def test_a_model_alone_shows_its_weights_until_there_is_a_gradient():
    model = mlp(2, 4, 1)
    source = draw(model).source
    assert "no gradients yet" in source
    assert "grad " not in source
    loss_of(model)
    assert "grad " in draw(model).source


def test_a_model_alone_is_its_layers():
    scene = model_scene(mlp(2, 16, 3, 1))
    assert [box.lines[0][0] for box in scene.boxes if box.column == 1] == [
        *("neuron 0.0", "neuron 0.1", "neuron 0.2", "+10 neurons", "neuron 0.13", "neuron 0.14", "neuron 0.15")
    ]
    assert all(scene.boxes[a.tail].column < scene.boxes[a.head].column for a in scene.arrows)
    assert sum(arrow.count for arrow in scene.arrows) == 2 * 16 + 16 * 3 + 3
    assert set(scene.box_of) == set(range(len(scene.nodes)))
    wide = model_scene(mlp(64, 30, 10))
    assert {"+58 inputs", "+24 neurons", "+4 neurons"} <= {box.lines[0][0] for box in wide.boxes}


def test_a_model_without_neurons_needs_an_example():
    with pytest.raises(ValueError, match=r"Dropout has none: draw\(model, x\) draws others"):
        draw(nn.Dropout(0.5))
    assert len(model_scene(nn.Neuron(3)).boxes) == 4


@pytest.mark.parametrize("with_model", [True, False])
def test_the_loss_of_a_batch_shows_its_label_data_and_gradient(with_model):
    model = mlp(2, 4, 1)
    loss = loss_of(model, 32)
    loss.label = "loss"
    loss.backward()
    scene = scene_of(loss, model if with_model else None)
    box = scene.boxes[scene.box_of[scene.index_of(loss)]]
    found = texts(scene, box)
    assert found[0] == "loss"
    assert found[-2:] == [f"data {loss.data:.4g}", "grad 1"]
    assert scene.nodes[box.nodes[-1]] is loss


def test_numbers_that_enter_a_network_have_its_digits():
    svg = draw(mlp(2, 1), [0.134364, 1797.0]).pipe("svg", encoding="utf-8")
    assert ">0.134<" in svg
    assert ">1797<" in svg
    assert "<title>x0: 0.134364</title>" in svg


@pytest.mark.parametrize("model", [nn.MLP(2, [3, 1], rng=0), nn.Sequential(nn.Layer(2, 1, activation="linear", rng=0))])
def test_what_the_loss_makes_of_a_linear_neuron_is_the_losss(model):
    loss = nn.binary_cross_entropy_with_logits([model([0.5, 1.0])], [0])
    scene = scene_of(loss, model)
    last = [box for box in scene.boxes if box.kind == "neuron"][-1]
    assert [line[0] for line in last.lines[1:]] == ["b ", "sum ", "grad "]
    explanation = explain(loss, model=model, lr=0.1)
    titles = [box.lines[0][0] for box in explanation.scene.boxes]
    assert titles[-2:] == ["softplus1", "loss"]
    assert explanation.scene.boxes[-1].lines[1] == ("mean",)


def test_an_activation_between_layers_is_the_neurons_wherever_it_is_computed():
    layers = nn.Layer(2, 2, activation="linear", rng=0), nn.ReLU(), nn.Layer(2, 1, activation="linear", rng=0)
    model = nn.Sequential(*layers)
    boxes = scene_of(model([0.5, 1.0]), model).boxes
    assert [box.lines[-2][0] for box in boxes if box.kind == "neuron"] == ["relu ", "relu ", "sum "]
