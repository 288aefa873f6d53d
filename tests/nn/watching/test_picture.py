"""Does the picture show what the network is, says and learns? In a real browser, by pixels and by words."""

import json
import math
import random
import re

import pytest

import nn
from autograd.drawing.theme import THEMES
from nn.datasets import make_moons
from nn.plots import COLOURS
from nn.watching.kit import kit
from nn.watching.networks import network_of
from nn.watching.page import CORE, DRAWING, as_json, source
from tests.autograd.drawing.conftest import PATIENCE

SCRIPTS = (*CORE, *DRAWING, "nn/watching/plots.js", "nn/watching/picture.js")
STYLE = """
  div.frame { --paper: #fff; --ink: #1f2328; --faint: #656d76; --hair: #d8dee4; --soft: #f6f8fa; --mark: #ffd33d;
    width: WIDTHpx; font: 14px sans-serif; } div.frame [hidden] { display: none; } * { box-sizing: border-box; }
  div.frame[data-theme="dark"] { --paper: #16191d; --ink: #e6edf3; }
"""
MAIN = """
  document.body.replaceChildren(document.createElement("div"));
  const root = document.body.firstChild.attachShadow({ mode: "open" });
  const frame = piece("div", { class: "frame", "data-theme": "light" });
  root.append(piece("style", {}, STYLE), frame);
  const flat = (rows) => Float64Array.from(rows.flat(), fromJSON);
  const examplesOf = (rows, targets) => ({ rows: flat(rows), targets: flat(targets), count: rows.length });
  const { model } = given, page = { root, frame, kit: KIT, model, state: { axes: [0, 1] }, chosen: null };
  page.examples = examplesOf(model.rows, model.targets);
  page.testExamples = examplesOf(model.testRows, model.testTargets);
  page.network = makeNetwork(model.spec, Float64Array.from(model.numbers.map(fromJSON)));
  const dropouts = model.spec.layers.map(({ dropout }) => (dropout ? makeRandom(0) : null));
  const how = { optimizer: "adam", lr: 0.01, batchSize: 10, seed: 0 };
  page.trainer = makeTrainer({ network: page.network, dropouts, examples: page.examples, ...how });
  page.choose = (target) => { page.chosen = target; page.view.show({ everything: true }); };
  page.view = makeView(page);
  frame.append(page.view.stages, page.view.network, page.view.output);
  page.view.resize();
  page.all = (selector) => [...root.querySelectorAll(selector)];
  page.one = (selector) => root.querySelector(selector);
  page.describe = () => page.one(".detail").textContent;
  // The colour of a canvas at a share of its width and height.
  page.pixel = (canvas, x, y) => {
    const [across, down] = [x * canvas.width, y * canvas.height].map(Math.floor);
    return [...canvas.getContext("2d").getImageData(across, down, 1, 1).data];
  };
  window.page = page;
"""


@pytest.fixture(scope="module")
def tab(browser):
    page = browser.new_page(viewport={"width": 900, "height": 1200})
    page.set_default_timeout(PATIENCE)
    page.failures = []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    yield page
    assert not page.failures
    page.close()


def opened(tab, model, X, y, task="binary", width=800, test=((), ()), loss=None, **names):
    """Shows the picture of a model and examples in the tab, which then has `page`."""
    network = network_of(model)
    outputs = network.layers[-1]["width"]
    default = {"binary": nn.binary_cross_entropy_with_logits, "classes": nn.cross_entropy, "regression": nn.mse_loss}
    described = {"spec": network.spec, "numbers": network.numbers, "task": task, "names": names, "rows": X}
    described |= {"targets": y, "testRows": test[0], "testTargets": test[1], "loss": "a loss", "threshold": 0}
    printed = kit(loss or default[task], outputs, task, wide=isinstance(y[0], list))
    style = STYLE.replace("WIDTH", str(width)) + source("nn/watching/picture.css")
    body = "\n".join([f"const KIT = {printed}; const STYLE = {json.dumps(style)};", *map(source, SCRIPTS), MAIN])
    tab.evaluate(f'(() => {{ "use strict"; const given = {{ model: {as_json(described)} }};\n{body} }})()')
    return tab


@pytest.fixture
def moons(tab):
    return opened(tab, nn.MLP(2, [8, 8, 1], "tanh", rng=0), *make_moons(200, noise=0.1, rng=0))


# Colours


def variables(theme):
    text = source("nn/watching/picture.css")
    rule = re.search(r'data-theme="dark"\] \{(.*?)\}' if theme == "dark" else r"div\.frame \{(.*?)\}", text, re.S)[1]
    return dict(re.findall(r"--([\w-]+): (#\w+)", rule))


@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_are_those_of_all_drawings(theme):
    found = variables(theme)
    assert {name: found[name] for name in ("positive", "negative", "alarm")} == {
        name: getattr(THEMES[theme], name) for name in ("positive", "negative", "alarm")
    }
    if theme == "light":
        assert [found[f"class-{k}"] for k in range(len(COLOURS))] == list(COLOURS)
    assert len({found[f"class-{k}"] for k in range(10)}) == 10


# The network


def shapes():
    rng = random.Random(20)
    for layers in range(1, 7):
        yield rng.choice([1, 2, 5, 40]), [*(rng.choice([1, 8, 16]) for _ in range(layers - 1)), 1]
    yield 64, [16, 10]
    yield 2, [64, 3]


@pytest.mark.parametrize("width", [340, 800])
def test_every_neuron_has_a_place_of_its_own_within_the_board(tab, width):
    for inputs, widths in shapes():
        X = [[0.1 * k * j for j in range(inputs)] for k in range(5)]
        task, y = ("binary", [0, 1, 0, 1, 0]) if widths[-1] == 1 else ("classes", [0, 1, 2, 0, 1])
        opened(tab, nn.MLP(inputs, widths, "relu", rng=1), X, y, task, width)
        boxes = tab.evaluate("""() => {
          const board = page.one(".board").getBoundingClientRect();
          return page.all(".unit").map((unit) => {
            const { left, top, right, bottom } = unit.getBoundingClientRect();
            const { left: x, top: y, width, height } = board;
            return [left - x, top - y, right - x, bottom - y, width, height];
          });
        }""")
        drawn = [1 if inputs == 64 else min(inputs, 16), *(min(width, 16) for width in widths)]
        assert len(boxes) == sum(drawn), (inputs, widths)
        for i, (left, top, right, bottom, across, down) in enumerate(boxes):
            assert 0 <= left < right <= across
            assert 0 <= top < bottom <= down
            for other in boxes[:i]:
                assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1], (inputs, widths)
        more = tab.evaluate("page.all('.more').map((node) => node.textContent)")
        hidden = [size - 16 for size in (inputs if inputs != 64 else 1, *widths) if size > 16]
        assert more == [f"\N{HORIZONTAL ELLIPSIS} {count} more" for count in hidden]


def test_a_line_has_the_colour_of_its_sign_and_grows_with_its_weight(tab):
    opened(tab, nn.MLP(1, [1], "tanh", rng=0), [[0.0], [1.0]], [0, 1])
    seen = tab.evaluate("""() => [-4, -0.5, 0.5, 4, 1e9, NaN].map((weight) => {
      page.network.numbers.set([weight, 0]);
      page.view.show({ everything: true });
      const canvas = page.one(".board > .lines"), middle = canvas.width / 2;
      const { data } = canvas.getContext("2d").getImageData(middle, 0, 1, canvas.height);
      const rows = Array.from({ length: data.length / 4 }, (_, k) => [...data.slice(4 * k, 4 * k + 4)]);
      const most = rows.reduce((a, b) => (b[3] > a[3] ? b : a));
      return [most.slice(0, 3), rows.reduce((sum, row) => sum + row[3] / 255, 0)];
    })""")
    theme = THEMES["light"]
    expected = [theme.negative, theme.negative, theme.positive, theme.positive, theme.positive]
    for (colour, _), hexadecimal in zip(seen, expected, strict=False):
        assert colour == pytest.approx([int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)], abs=6)
    amounts = [amount for _, amount in seen]
    assert amounts[:2] == pytest.approx(amounts[3:1:-1])
    assert 2 * amounts[2] < amounts[3] < amounts[4] < 8  # it grows, and never covers the rest


def test_a_neuron_shows_where_it_responds(tab):
    model = nn.MLP(2, [2, 1], "tanh", rng=0)
    for parameter, x in zip(model.parameters(), [9.0, 0.0, 0.0, 0.0, -9.0, 0.0, 1.0, 1.0, 0.0], strict=True):
        parameter.data = x
    opened(tab, model, [[-1.0, -1.0], [1.0, 1.0]], [0, 1])
    corners = tab.evaluate("""() => page.all(".unit:not(.input)").slice(0, 2).map(({ firstChild: canvas }) => {
      const pixels = [[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]].map(([x, y]) => page.pixel(canvas, x, y));
      return pixels.map(([red, , blue]) => Math.sign(blue - red));
    })""")
    assert corners == [[-1, 1, -1, 1], [-1, -1, 1, 1]]  # the first by x0, the second by -x1; up is more


# Inside a step


def test_the_phases_of_a_step_are_seen(moons):
    seen = moons.evaluate("""() => [1, 2, 3, 4].map(() => {
      page.trainer.advance();
      page.view.show();
      const numbers = page.all(".unit b").filter((node) => !node.hidden).length;
      const stage = page.one(".stage.now").dataset.stage, hasLoss = !page.one(".losstag").hidden;
      return [page.one(".network").dataset.phase, stage, numbers > 0, hasLoss];
    })""")
    assert seen == [
        ["forward", "forward", True, False],
        ["loss", "loss", True, True],
        ["backward", "backward", True, True],
        ["update", "update", False, False],
    ]
    moons.evaluate("page.trainer.step(); page.trainer.step(); page.view.show()")
    assert moons.evaluate("[page.one('.network').dataset.phase, page.one('.stage.now')]") == ["ready", None]


def test_forward_shows_the_activations_of_the_chosen_example(moons):
    texts, expected = moons.evaluate("""() => {
      page.trainer.advance();
      page.choose({ kind: "example", index: 7 });
      const outs = page.network.units(page.examples.rows.slice(14, 16));
      return [page.all(".unit b").map((node) => node.textContent), outs.flatMap((layer) => [...layer])];
    }""")
    assert len(texts) == len(expected) == 19
    for text, x in zip(texts, expected, strict=True):
        assert float(text) == pytest.approx(x, rel=0.5)  # as many digits as there is room for


def test_before_the_update_a_line_says_how_far_it_is_going_to_move(moons):
    target = {"kind": "weight", "layer": 1, "unit": 2, "input": 3}
    promised, after, moved = moons.evaluate(
        """(target) => {
      page.choose(target);
      const at = page.network.place(target.layer, target.unit, target.input), first = page.network.numbers[at];
      for (let k = 0; k < 3; k += 1) page.trainer.advance();
      page.view.show();
      const promised = page.describe();
      page.trainer.advance();
      page.view.show();
      return [promised, page.describe(), page.network.numbers[at] - first];
    }""",
        target,
    )
    coming, change = (re.compile(rf"{words} (-?[\d.e+-]*\d)") for words in ("change to come", "change"))
    assert float(coming.search(promised)[1]) == pytest.approx(moved, rel=0.01)
    assert float(change.search(after)[1]) == pytest.approx(moved, rel=0.01)
    assert re.match(r"From neuron 4 of layer 1 to neuron 3 of layer 2: weight -?\d.*, gradient -?\d", promised)


def test_the_first_step_of_adam_is_said_to_be_about_as_long_for_every_number(moons):
    words = moons.evaluate("""() => [1, 2].map(() => {
      for (let k = 0; k < 4; k += 1) {
        page.trainer.advance();
        page.view.show();
      }
      const words = page.one(".words").textContent;
      for (let k = 0; k < 20; k += 1) page.trainer.step();
      page.view.show();
      return words.includes("all about as far");
    })""")
    assert words == [True, False]


def test_dropout_crosses_out_what_the_loss_does_not_see(tab):
    opened(tab, nn.MLP(2, [8, 8, 1], "tanh", dropout=0.5, rng=0), *make_moons(20, rng=0))
    seen = tab.evaluate("""() => {
      page.trainer.advance();
      page.view.show();
      const index = page.exampleNow(), masks = page.trainer.masksFor(index).map((mask) => mask && [...mask]);
      const rows = page.examples.rows.slice(2 * index, 2 * index + 2), said = page.network.forward(rows, masks)[0];
      const crossed = page.all(".unit:not(.input)").map((unit) => unit.classList.contains("dropped"));
      const { trainer, network, examples } = page, losses = [...trainer.batch].map((k) => {
        const outputs = network.forward(trainer.rowAt(examples, k), trainer.masksFor(k));
        return page.kit.loss(outputs, trainer.targetAt(examples, k), [0]);
      });
      const both = [losses.reduce((sum, x) => sum + x, 0) / losses.length, trainer.batchLoss];
      return [crossed, masks, page.one(".unit.last b").textContent, said, page.one(".words").textContent, both];
    }""")
    crossed, masks, text, said, words, (mean, loss) = seen
    assert mean == pytest.approx(loss)
    expected = [kept == 0 for mask in masks for kept in mask or [1]]
    assert crossed == expected
    assert True in crossed
    assert float(text) == pytest.approx(said, rel=0.1)
    assert "Dropout has set the crossed ones to 0" in words
    tab.evaluate("for (let k = 0; k < 3; k += 1) page.trainer.advance(); page.trainer.step(); page.view.show()")
    assert tab.evaluate("page.all('.dropped').length") == 0


def test_the_batch_is_ringed_and_the_example_that_is_spoken_of_strongly(moons):
    found = moons.evaluate("""() => {
      page.trainer.advance();
      const { batch } = page.trainer, all = [...Array(200).keys()];
      const others = all.filter((k) => !batch.includes(k)).slice(0, 15);
      const middleOf = (index) => {
        page.choose({ kind: "example", index });
        const [ring, area] = [".ring:not(.pointed)", ".area"].map((name) => page.one(name).getBoundingClientRect());
        return [ring.left + ring.width / 2 - area.left, ring.top + ring.width / 2 - area.top];
      };
      const members = [...batch].map(middleOf), rest = others.map(middleOf);
      page.choose(null);
      const canvas = page.one(".marks"), ratio = canvas.width / canvas.clientWidth;
      const at = ([x, y], left) => canvas.getContext("2d").getImageData((x - left) * ratio, y * ratio, 1, 1).data[3];
      const isFar = (x, y) => members.every(([u, v]) => Math.abs(x - u) > 50 || Math.abs(y - v) > 20);
      const far = rest.filter(([x, y]) => isFar(x, y)), ringsOf = (places) => places.map((place) => at(place, 7));
      return [ringsOf(members), ringsOf(far), at(members[0], 9.5), page.one(".ringed").textContent];
    }""")
    members, others, strong, words = found
    assert len(members) == 10
    assert min(*members, strong) > 200
    assert len(others) > 2
    assert max(others) == 0
    assert words == "ringed: this batch"
    moons.evaluate("for (let k = 0; k < 3; k += 1) page.trainer.advance(); page.trainer.step(); page.view.show()")
    assert moons.evaluate("page.one('.ringed').textContent") == ""


def test_one_example_is_spoken_of_everywhere(moons):
    words, detail = moons.evaluate("""() => {
      page.trainer.advance();
      page.trainer.advance();
      const index = [...Array(200).keys()].find((k) => !page.trainer.batch.includes(k));
      page.choose({ kind: "example", index });
      const node = page.all(".unit.last")[0].getBoundingClientRect();
      const at = { clientX: node.left + 9, clientY: node.top + 9, bubbles: true };
      page.one(".board").dispatchEvent(new PointerEvent("pointermove", at));
      const texts = [page.one(".words").textContent, page.describe()];
      return texts.map((text) => text.replaceAll(`example ${index + 1}`, "example N"));
    }""")
    answer = r"class [01] with \d+ % \(output -?[\d.]+\)"
    assert re.fullmatch(
        rf"For example N, which is not of this batch, the network says {answer}; it is class [01].", words
    )
    assert re.match(rf"The output \(linear\): {answer} for example N, bias", detail)


def test_all_outputs_have_a_part_in_the_loss(tab):
    opened(tab, nn.MLP(2, [4, 3], rng=0), [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 2], "classes")
    alphas = tab.evaluate("""() => {
      page.trainer.advance();
      page.trainer.advance();
      page.view.show({ everything: true });
      const canvas = page.one(".board > .lines"), board = page.one(".board").getBoundingClientRect();
      return page.all(".unit.last").map((unit) => {
        const { right, top, height } = unit.getBoundingClientRect(), ratio = canvas.width / canvas.clientWidth;
        const at = [right + 5 - board.left, top + height / 2 - board.top].map((x) => Math.round(x * ratio));
        return canvas.getContext("2d").getImageData(at[0], at[1], 1, 1).data[3];
      });
    }""")
    assert len(alphas) == 3
    assert min(alphas) > 100


def test_a_large_window_is_filled_and_every_neuron_has_its_number(tab):
    opened(tab, nn.MLP(2, [16, 16, 1], "tanh", rng=0), *make_moons(20, rng=0))
    heights = tab.evaluate("""() => [900, 400].map((height) => {
      page.frame.classList.add("own");
      page.frame.style.height = `${height}px`;
      page.view.output.style.display = "none";
      page.view.resize();
      while (page.trainer.phase !== "backward") page.trainer.advance();
      page.view.show();
      const boxes = page.all(".unit").map((node) => node.getBoundingClientRect());
      const meet = (a, b) => a.left === b.left && a.top < b.bottom && b.top < a.bottom;
      const overlap = boxes.filter((a, i) => boxes.slice(0, i).some((b) => meet(a, b)));
      const without = page.all(".unit b").filter((node) => node.hidden);
      return [page.one(".board").clientHeight, overlap.length, without.length];
    })""")
    assert heights[0][0] > 700
    assert heights[1][0] < 500
    assert [rest for _, *rest in heights] == [[0, 0], [0, 0]]


def test_a_column_says_which_layer_it_is(moons):
    headings = moons.evaluate("page.all('.heading').map((node) => node.textContent)")
    assert headings == ["inputs", "layer 1, tanh", "layer 2, tanh", "output, linear"]


# The large plot


SHOWN_LARGE = """() => {
  const board = page.one(".board"), corners = [[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]];
  const seen = () => [page.one(".which b").textContent, ...corners.map(([x, y]) => {
    const [red, , blue] = page.pixel(page.one(".shade"), x, y);
    return Math.sign(blue - red);
  })];
  const point = (unit) => {
    const { left, top } = unit.getBoundingClientRect();
    board.dispatchEvent(new PointerEvent("pointermove", { clientX: left + 9, clientY: top + 9, bubbles: true }));
  };
  const found = [seen()], units = page.all(".unit");
  for (const unit of units.slice(1, 4)) found.push((point(unit), seen()));
  board.dispatchEvent(new PointerEvent("pointerleave"));
  found.push(seen());
  page.choose({ kind: "unit", layer: 0, unit: 1 });
  found.push(seen());
  page.choose(null);
  return [...found, seen()];
}"""


def test_a_neuron_that_is_pointed_at_or_chosen_is_seen_large(tab):
    model = nn.MLP(2, [2, 1], "tanh", rng=0)
    for parameter, x in zip(model.parameters(), [9.0, 0.0, 0.0, 0.0, -9.0, 0.0, 1.0, 1.0, 1.0], strict=True):
        parameter.data = x
    opened(tab, model, [[-1.0, -1.0], [1.0, 1.0]], [0, 1])
    answer, first = ["The network\u2019s answer", -1, 1, 1, 1], ["Neuron 1 of layer 1", -1, 1, -1, 1]
    second = ["Neuron 2 of layer 1", -1, -1, 1, 1]
    assert tab.evaluate(SHOWN_LARGE) == [answer, ["Input x1", 1, 1, -1, -1], first, second, answer, second, answer]


def test_along_one_input_a_neuron_has_a_scale_of_its_own(tab):
    opened(
        tab,
        nn.MLP(1, [3, 1], "tanh", rng=0),
        [[float(k)] for k in range(9)],
        [100.0 * k for k in range(9)],
        "regression",
    )
    found = tab.evaluate("""() => [{ kind: "unit", layer: 0, unit: 2 }, null].map((target) => {
      page.choose(target);
      return [page.one(".which b").textContent, page.one(".legend").style.visibility];
    })""")
    assert found == [["Neuron 3 of layer 1", "hidden"], ["The network\u2019s answer", ""]]


def test_a_point_is_told_with_the_answer_in_words(moons):
    said = moons.evaluate("""() => {
      const press = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
      page.one(".plot").dispatchEvent(press);
      return page.describe();
    }""")
    answer = r"it is class [01]; the network says class [01] with \d+ % \(output \S+\), (right|wrong)"
    assert re.fullmatch(rf"example 1: x0 \S+, x1 \S+; {answer}", said)


def test_the_plane_has_the_colour_of_the_answer(moons):
    places = [(0.1 + 0.2 * i, 0.1 + 0.2 * j) for i in range(5) for j in range(5)]
    for epochs in (0, 40):
        moons.evaluate("(n) => { for (let k = 0; k < n; k += 1) page.trainer.epoch(); }", epochs)
        moons.evaluate("page.view.show({ everything: true })")
        pixels = moons.evaluate("(places) => places.map(([x, y]) => page.pixel(page.one('.shade'), x, y))", places)
        numbers = moons.evaluate("[...page.network.numbers]")
        X = make_moons(200, noise=0.1, rng=0)[0]
        ranges = [(min(column), max(column)) for column in zip(*X, strict=True)]
        for (x, y), (red, _, blue, _) in zip(places, pixels, strict=True):
            shares = zip(ranges, (x, 1 - y), strict=True)
            point = [low + (1.16 * share - 0.08) * (high - low) for (low, high), share in shares]
            score = answer(numbers, point)
            if abs(score) > 0.3:  # a pixel is not a point
                assert (blue > red) == (score > 0), (point, score)


def answer(numbers, row):
    """What MLP(2, [8, 8, 1]) with tanh says, from its parameters."""
    rest = iter(numbers)
    for width in (8, 8, 1):
        sums = [sum(next(rest) * x for x in row) + next(rest) for _ in range(width)]
        row = [math.tanh(s) for s in sums] if width > 1 else sums
    return row[0]


def test_a_click_chooses_the_example_under_it(moons):
    index = moons.evaluate("""() => {
      const found = [];
      page.choose({ kind: "example", index: 11 });
      const ring = page.one(".ring:not(.pointed)").getBoundingClientRect();
      page.choose(null);
      const at = { clientX: ring.left + ring.width / 2, clientY: ring.top + ring.height / 2, bubbles: true };
      page.one(".dots").dispatchEvent(new PointerEvent("click", at));
      return page.chosen.index;
    }""")
    X, _ = make_moons(200, noise=0.1, rng=0)
    assert math.dist(X[index], X[11]) < 0.05


DATA = {
    "far out": ([[1e300, -1e300], *([float(k), float(-k % 5)] for k in range(98)), [1e9, 0.0]], "further out"),
    "nan and infinite": ([[math.nan, 0.0], [math.inf, 1.0], *([float(k), 1.0 * k * k] for k in range(9))], "not drawn"),
    "constant": ([[1.0, 5.0]] * 8, ""),
    "a constant column": ([[1.0, 0.1 * k] for k in range(8)], ""),
    "huge": ([[1e308, -1e308], [-1e308, 1e308]], ""),
    "tiny": ([[1e-320, 0.0], [0.0, 1e-320]], ""),
    "nothing finite": ([[math.nan, math.inf]] * 3, "not drawn"),
}


@pytest.mark.parametrize("case", DATA)
@pytest.mark.parametrize("inputs", [1, 2])
def test_data_of_all_kinds_are_drawn_or_the_plot_says_so(tab, case, inputs):
    X, words = DATA[case]
    opened(tab, nn.MLP(inputs, [3, 1], "tanh", rng=0), [row[:inputs] for row in X], [k % 2 for k in range(len(X))])
    found = tab.evaluate("[page.one('.note').textContent, page.one('.area').clientWidth]")
    assert words in found[0]
    assert found[1] > 100
    assert not tab.failures


@pytest.mark.parametrize("x", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_said_in_words(tab, x):
    model = nn.MLP(2, [3, 1], "tanh", rng=0)
    model.parameters()[4].data = x
    opened(tab, model, *make_moons(20, rng=0))
    word = "nan" if math.isnan(x) else "infinite"
    assert f"The weight from x1 to neuron 2 of layer 1 is {word}" in tab.evaluate("page.one('.message').textContent")


HURT = "window.hurt = 1"
HOSTILE = [f'<img src=x onerror="{HURT}">', f"</script><script>{HURT}</script>", "x" * 500, "\u202eevil"]


def test_hostile_names_are_inert_and_cut(tab):
    X = [[float(k), float(k % 3), 0.0, 1.0] for k in range(12)]
    opened(tab, nn.MLP(4, [4, 4], rng=0), X, [k % 4 for k in range(12)], "classes", inputs=HOSTILE, classes=HOSTILE)
    tab.evaluate("page.choose({ kind: 'input', unit: 2 }); page.one('.board').focus()")
    assert tab.evaluate("[window.hurt ?? 0, page.all('img, script').length]") == [0, 0]
    assert max(map(len, tab.evaluate("page.all('bdi').map((node) => node.textContent)"))) <= 40
    assert not re.search("[\u202a-\u202e]", tab.evaluate("page.frame.textContent"))
    assert tab.evaluate("page.frame.scrollWidth <= page.frame.clientWidth")
    assert tab.evaluate("page.describe()") == f"Input {'x' * 39}\N{HORIZONTAL ELLIPSIS}: 0 in example 1."


# The losses, keys


def test_the_losses_stand_beside_their_curve(tab):
    X, y = make_moons(60, noise=0.1, rng=0)
    opened(tab, nn.MLP(2, [8, 1], "tanh", rng=0), X, y, test=make_moons(30, noise=0.1, rng=1))
    label, loss, held_out = tab.evaluate("""() => {
      for (let k = 0; k < 30; k += 1) page.trainer.epoch();
      page.view.show({ everything: true });
      const losses = [page.examples, page.testExamples].map((data) => page.trainer.evaluate(data).loss);
      return [page.one(".curve").ariaLabel, ...losses];
    }""")
    said = re.match(r"Training loss (.+), test loss (.+), accuracy [\d.]+ %, test [\d.]+ % after 180 steps", label)
    assert [float(x) for x in said.groups()] == pytest.approx([loss, held_out], rel=0.01)


@pytest.mark.parametrize("losses", [[1e17, 93.8, 1e5], [1e300, 2.87, 1e294], [3.0, 1e-9, 1e-3]])
def test_the_curve_of_the_losses_is_cut_nowhere(moons, losses):
    rows = moons.evaluate(
        """(losses) => {
      page.trainer.history.splice(0, 9, ...losses.map((loss, k) => ({ steps: k + 1, loss })));
      page.view.show({ everything: true });
      const canvas = page.one(".curve canvas"), ratio = canvas.width / canvas.clientWidth;
      const lineAt = (steps, aside) => { // the row of the darkest pixel where this moment is
        const x = 41 + (canvas.clientWidth - 49) * steps / 3 + aside, high = canvas.height - 22;
        const { data } = canvas.getContext("2d").getImageData(Math.round(x * ratio), 6, 1, high);
        const dark = Array.from({ length: high }, (_, k) => data[4 * k + 3] * (255 - data[4 * k]));
        return dark.indexOf(Math.max(...dark));
      };
      return [lineAt(1, 2), lineAt(2, 0), lineAt(3, -2)];
    }""",
        losses,
    )
    highest, lowest, between = rows
    assert highest < between < lowest
    share = (math.log(losses[2]) - math.log(losses[1])) / (math.log(losses[0]) - math.log(losses[1]))
    assert (lowest - between) / (lowest - highest) == pytest.approx(share, abs=0.05)


def test_all_can_be_reached_with_the_keyboard(moons):
    said = moons.evaluate("""() => {
      const board = page.one(".board"), labels = [];
      board.focus();
      const keys = "Up Left Down Down Right Right Down Right Left".split(" ").map((side) => `Arrow${side}`);
      for (const key of [...keys, "Enter"]) {
        board.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        labels.push(page.root.getElementById(board.getAttribute("aria-activedescendant")).ariaLabel.split(":")[0]);
      }
      return [labels, page.chosen, page.all("[tabindex='0']").length];
    }""")
    assert said == [
        [
            "Neuron 1 of layer 1 (tanh)",
            "From x0 to neuron 1 of layer 1",
            "From x1 to neuron 1 of layer 1",
            "The bias of neuron 1 of layer 1",
            "Neuron 1 of layer 1 (tanh)",
            "From neuron 1 of layer 1 to neuron 1 of layer 2",
            "From neuron 1 of layer 1 to neuron 2 of layer 2",
            "Neuron 2 of layer 2 (tanh)",
            "From neuron 1 of layer 1 to neuron 2 of layer 2",
            "From neuron 1 of layer 1 to neuron 2 of layer 2",
        ],
        {"kind": "weight", "layer": 1, "unit": 1, "input": 0},
        2,
    ]


def test_a_press_chooses_the_line_under_it(tab):
    opened(tab, nn.MLP(2, [3, 2], rng=0), [[0.0, 1.0], [1.0, 0.0]], [0, 1], "classes")
    found = tab.evaluate("""() => {
      const centre = (node) => {
        const { left, top, width, height } = node.getBoundingClientRect();
        return [left + width / 2, top + height / 2, width / 2];
      };
      const units = page.all(".unit").map(centre), board = page.one(".board"), found = [];
      for (let j = 0; j < 3; j += 1) {
        for (let i = 0; i < 2; i += 1) { // where no two lines meet
          const [x0, y0, half] = units[i], [x1, y1] = units[2 + j], t = 0.4, down = t * t * (3 - 2 * t);
          const from = x0 + half + 1, to = x1 - half - 1, across = 1.5 * t * (1 - t) + t ** 3;
          const at = { clientX: from + (to - from) * across, clientY: y0 + (y1 - y0) * down };
          board.dispatchEvent(new PointerEvent("click", { ...at, bubbles: true }));
          found.push([page.chosen?.kind, page.chosen?.unit, page.chosen?.input]);
          page.choose(null);
        }
      }
      return found;
    }""")
    assert found == [["weight", j, i] for j in range(3) for i in range(2)]


def test_the_theme_is_that_of_the_frame(moons):
    light, dark = moons.evaluate("""() => ["light", "dark"].map((theme) => {
      page.frame.dataset.theme = theme;
      page.view.show();
      return page.pixel(page.one(".unit.input canvas"), 0.5, 0.5)[0];
    })""")
    assert light > 200
    assert dark < 60
