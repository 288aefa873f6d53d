"""Does the page compute what Python computes, when somebody moves a leaf? In a real browser."""

import base64
import itertools
import math
import random
import re
from array import array
from importlib.resources import files

import pytest

import autograd
import nn
from autograd import Value, explain, topological_order
from autograd.drawing.text import filled
from autograd.graph import contribution
from autograd.ieee754 import Real
from autograd.operations import operations
from autograd.rules import WITH_INDEX
from autograd.steps import backward_steps, parent_slots, recompute
from autograd.value import apply
from tests.autograd.drawing.conftest import PATIENCE
from tests.autograd.drawing.graphs import mostly_slow
from tests.autograd.drawing.test_page import example as readme

rules_as_javascript = pytest.importorskip("autograd.compiler.javascript").rules_as_javascript

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 1e-300, 5e-324, 1e308, -1e308, 710.0, -745.0]
SPECIAL += [math.inf, -math.inf, math.nan]
MOST_ULP = 4


@pytest.fixture(scope="module")
def page(browser):
    """An empty page."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    return page


def script(*names):
    """The text of some of the page's scripts."""
    return "\n".join((files("autograd.drawing") / "page" / name).read_text(encoding="utf-8") for name in names)


def in_page(page, body, argument):
    """What the function body returns in the page, with the engine's functions around it. The argument is `given`."""
    return page.evaluate(f'(given) => {{ "use strict"; {script("numbers.js", "engine.js")}\n{body} }}', argument)


# Numbers as texts


def some_double(rng):
    """A number as it may come up: of any size, with few digits, or exactly in the middle of two shorter ones."""
    kind = rng.random()
    if kind < 0.3:
        return array("d", rng.getrandbits(64).to_bytes(8, "little"))[0]
    if kind < 0.6:
        return rng.randint(-(10 ** rng.randint(1, 16)), 10 ** rng.randint(1, 16)) / 2 ** rng.randint(0, 20)
    if kind < 0.8:
        return round(rng.gauss(0, 1) * 10 ** rng.randint(-8, 8), rng.randint(0, 12))
    if kind < 0.9:
        return float(f"{rng.randint(1, 10 ** rng.randint(1, 16))}5e{rng.randint(-20, 20)}")
    return rng.choice([*SPECIAL, 9.5, 99.5, 1e-5, 1e-4, 9.9995e-5, 99995.0, 1e16, 1e17, 1e22])


def in_json(x):
    return x if math.isfinite(x) else str(x)


def test_a_number_is_written_as_python_writes_it(page):
    rng = random.Random(16)
    cases = [(some_double(rng), rng.randint(1, 17)) for _ in range(10_000)]
    given = [(in_json(x), precision) for x, precision in cases]
    texts = in_page(page, "return given.map(([x, precision]) => shown(fromJSON(x), precision));", given)
    for (x, precision), text in zip(cases, texts, strict=True):
        assert text == f"{x:.{precision}g}", (x, precision)


def test_a_text_is_filled_as_python_fills_it(page):
    text = ["2 * ", "(v3", " = ", "v3", ", (", "v4", ")"]
    shown = in_page(page, 'return filled(given, (code) => code === "v3" ? "-6" : "7");', text)
    assert shown == "2 * (-6) = -6, (7)"


def some_arithmetic(rng, depth=3):
    if not depth or rng.random() < 0.2:
        return rng.choice(["2", "0.5", ".25", "3.", "1e-3", "1E+2", "7"])
    x, y = some_arithmetic(rng, depth - 1), some_arithmetic(rng, depth - 1)
    forms = [
        f"{x}+{y}",
        f"{x} - {y}",
        f"{x}*{y}",
        f"({x})/({y} * {y})",
        f"({x})",
        f"-{x}",
        f"({y})**2",
        "2**-1",
        f"+{x}",
    ]
    return rng.choice(forms)


def test_typed_arithmetic_has_pythons_value(page):
    rng = random.Random(3)
    given = [text for text in (some_arithmetic(rng) for _ in range(3_000)) if "/(0" not in text and len(text) <= 200]
    expected = []
    for text in given:
        try:
            expected.append(float(eval(text)))
        except ZeroDivisionError:
            expected.append(None)
    for text, x, y in zip(given, in_page(page, "return given.map(parsed);", given), expected, strict=True):
        assert y is None or math.isclose(x, y, rel_tol=1e-15, abs_tol=1e-300), text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("-3*2/7", -6 / 7),
        ("inf", math.inf),
        ("-INF", -math.inf),
        (" 1 / 0 ", math.inf),
        ("\N{MINUS SIGN}2", -2.0),
        ("-2**2", -4.0),
    ],
)
def test_what_can_be_typed(page, text, number):
    assert in_page(page, "return parsed(given);", text) == number


def test_nan_can_be_typed(page):
    assert all(
        math.isnan(x) for x in in_page(page, "return given.map(parsed);", ["nan", "NaN", "inf - inf", "0 * inf"])
    )


NO_NUMBERS = [
    "",
    "()",
    "1 2",
    "1,5",
    "1e",
    "(1",
    "1)",
    "-",
    "2+",
    "2(3)",
    "0x10",
    "1_0",
    "1.2.3",
    "w",
    "__proto__",
    "e",
]
NO_NUMBERS += [
    "alert(1)",
    "constructor",
    "globalThis.hit=1",
    "<img src=x onerror=hit=1>",
    "${hit=1}",
    "(" * 100_000,
    "nan1",
]


def test_anything_else_is_no_number_and_inert(page):
    body = "return given.map((text) => [parsed(text) === undefined, refusal(text), typeof globalThis.hit]);"
    for text, (is_none, sentence, hit) in zip(NO_NUMBERS, in_page(page, body, NO_NUMBERS), strict=True):
        assert is_none, text
        assert hit == "undefined"
        assert sentence.startswith("this is no number: ")
        assert len(sentence) < 200


# The whole computation


def some_number(rng):
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(SPECIAL)
    return rng.gauss(0.0, 2.0) * (10.0 ** rng.randint(-9, 9) if kind > 0.9 else 1.0)


def some_graph(rng, names):
    """A graph of some leaves and some operations, the first ones those of `names`. It ends in a sum of what is left."""
    nodes = [Value(some_number(rng), label=f"x{i}") for i in range(rng.randint(1, 5))]
    unused = set(nodes)
    for name in names:
        operation = operations[name]
        count = rng.randint(1, 5) if operation.nary else len(operation.derivatives)
        count += name == "dot" and count == 1
        operands = [rng.choice(nodes[-6:]) if rng.random() < 0.8 else some_number(rng) for _ in range(count)]
        if not any(isinstance(x, Value) for x in operands):
            operands[0] = rng.choice(nodes)
        if name in WITH_INDEX:
            operands.append(float(rng.randint(-count, count - 1)))
        node = apply(operation, *operands)
        unused -= set(operands)
        unused.add(node)
        nodes.append(node)
    used = [node for node in nodes if node in unused]
    return used[0] if len(used) == 1 else apply(operations["sum"], *used)


def graphs(rng, count):
    """Random graphs. Every operation is in some of them."""
    names = itertools.cycle(rng.sample([*operations], len(operations)))
    for _ in range(count):
        yield some_graph(rng, [next(names) for _ in range(rng.randint(2, 12))])


def model_of(root, lr=None):
    """The part of the page's model that the engine reads."""
    order = topological_order(root)
    index = {node: i for i, node in enumerate(order)}
    nodes, locals_ = [], []
    for node in order:
        operands = [index[x] if isinstance(x, Value) else [in_json(x)] for x in node.operands]
        nodes.append([node.operation, node.label, in_json(node.data), operands])
        by_slot = dict(zip(parent_slots(node), node.local_derivatives, strict=True))
        locals_.append([in_json(by_slot[k]) if k in by_slot else None for k in range(len(operands))])
    steps = [{"phase": "forward", "node": index[node]} for node in order if node.operation]
    steps += [{"phase": "backward", "node": index[step.node]} for step in backward_steps(root)]
    moved = [index[node] for node in order if not node.operation]
    steps += [] if lr is None else [{"phase": "update", "node": i} for i in [*moved, index[root]]]
    return {
        "nodes": nodes, "locals": locals_, "steps": steps, "root": index[root], "moved": moved, "lr": lr, "live": True,
        "boxes": [], "arrows": [], "precision": 4,
    }  # fmt: skip


def uses(root):
    return {(node.operation, len(node.operands)) for node in topological_order(root) if node.operation}


RUN = """
const { rules } = RULES, numbers = [];
for (const { model, changes } of given) {
  const engine = makeEngine(model, rules);
  for (const [i, x] of [[-1, 0], ...changes]) {
    if (i >= 0) engine.set(i, fromJSON(x));
    model.nodes.forEach(([, , , operands], node) => {
      numbers.push(engine.number(`v${node}`), engine.number(`g${node}`));
      operands.forEach((operand, slot) => {
        for (const kind of "lcba") numbers.push(engine.number(`${kind}${node}.${slot}`));
      });
    });
  }
}
const bytes = new Uint8Array(Float64Array.from(numbers).buffer);
let text = "";
for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
return btoa(text);
"""


def run_in_page(page, roots, changes):
    """The page's numbers: for each graph and each moment, (v, g, (l, c, b, a) by slot) by node."""
    used = set().union(*map(uses, roots))
    given = [
        {"model": model_of(root), "changes": [[i, in_json(x)] for i, x in moves]}
        for root, moves in zip(roots, changes, strict=True)
    ]
    result = in_page(page, RUN.replace("RULES", rules_as_javascript(used)), given)
    numbers = iter(array("d", base64.b64decode(result)))
    for root, moves in zip(roots, changes, strict=True):
        order = topological_order(root)
        yield [
            [(next(numbers), next(numbers), [[next(numbers) for _ in "lcba"] for _ in node.operands]) for node in order]
            for _ in range(len(moves) + 1)
        ]


def ulps(computed, expected, scale=0.0):
    """How far two numbers are apart, in units in the last place of the larger of `expected` and `scale`."""
    if same(computed, expected):
        return 0.0
    if not (math.isfinite(computed) and math.isfinite(expected)):
        return math.inf
    return abs(computed - expected) / math.ulp(max(abs(expected), scale))


def same(x, y):
    return x == y or (math.isnan(x) and math.isnan(y))


def size_of_terms(name, operands):
    """The size of the largest term of a value in which terms may cancel; for the others 0."""
    if name == "dot":
        n = len(operands) // 2
        terms = [
            *map(abs, operands[2 * n :]),
            *(abs(w * x) for w, x in zip(operands, operands[n : 2 * n], strict=False)),
        ]
    else:
        terms = [abs(x) for x in operands] if name == "logsumexp" else []
    return max(filter(math.isfinite, terms), default=0.0)


def python_gradients(root, order, numbers):
    """The gradients in floats, from these numbers of the nodes; and for each the size of its terms, added up."""
    gradients, sizes = ({node: float(node is root) for node in order} for _ in range(2))
    for step in backward_steps(root):
        node = step.node
        operation, operands = node._operation, [numbers.get(x, x) for x in node.operands]
        slots = [edge.slot for edge in step.edges]
        derivatives = operation.differentiate(numbers[node], operands, slots)
        scales = [0.0] * len(operands)
        if operation.careful.scale:  # its terms may cancel
            scales = [abs(float(x)) for x in operation.careful.scale(Real(numbers[node]), *map(Real, operands))]
        for edge, local in zip(step.edges, derivatives, strict=True):
            gradients[edge.parent] += contribution(gradients[node], local)
            scale = scales[edge.slot] if math.isfinite(scales[edge.slot]) else 0.0
            sizes[edge.parent] += contribution(sizes[node], max(abs(local), scale))
    return gradients, sizes


def check_values(order, numbers):
    """Each node against Python on the operands that the page had; returns the largest difference, in ulp."""
    worst = 0.0
    for node in order:
        if node.operation:
            operands = [numbers.get(x, x) for x in node.operands]
            expected = node._operation.evaluate(operands)
            distance = ulps(numbers[node], expected, size_of_terms(node.operation, operands))
            assert distance <= MOST_ULP, (node.operation, operands, numbers[node], expected)
            worst = max(worst, distance)
    return worst


def check_gradients(root, order, numbers, gradients):
    """The page's gradients against Python's; returns the largest difference, relative to the largest term."""
    expected, sizes = python_gradients(root, order, numbers)
    worst = 0.0
    for node in order:
        x, y = gradients[node], expected[node]
        if not same(x, y):
            difference = abs(x - y) / max(sizes[node], 1e-300)
            assert difference <= 1e-12, (node, x, y)
            worst = max(worst, difference)
    return worst


def check_sums(root, order, gradients, slots):
    """The contributions and running sums are those of `backward_steps`, in its order, to the last bit."""
    sums = {root: 1.0}
    for step in backward_steps(root):
        for edge in step.edges:
            local, passed, before, after = slots[step.node][edge.slot]
            assert same(passed, contribution(sums[step.node], local))
            assert same(before, sums.get(edge.parent, 0.0))
            assert same(after, before + passed)
            sums[edge.parent] = after
    assert all(same(gradients[node], sums.get(node, 0.0)) for node in order)


def check_graph(root, moves, moments):
    """All moments of one graph.

    Returns:
        the largest differences of values and of gradients, and in how many moments Python's own recomputation differs
        somewhere by more: an operation such as `remainder` makes a large difference of a small one.
    """
    order = topological_order(root)
    leaves = {node: node.data for node in order if not node.operation}
    worst = [0.0, 0.0, 0]
    for k, moment in enumerate(moments):
        numbers, gradients, slots = (dict(zip(order, column, strict=True)) for column in zip(*moment, strict=True))
        check_sums(root, order, gradients, slots)
        if k == 0:  # nobody moved anything: what Python recorded, to the last bit
            assert all(same(numbers[node], node.data) for node in order)
            for step in backward_steps(root):
                assert all(same(slots[step.node][edge.slot][0], edge.local) for edge in step.edges)
            continue
        leaves[order[moves[k - 1][0]]] = moves[k - 1][1]
        assert all(same(numbers[leaf], x) for leaf, x in leaves.items())
        worst[0] = max(worst[0], check_values(order, numbers))
        worst[1] = max(worst[1], check_gradients(root, order, numbers, gradients))
        again = recompute(order, leaves)
        if all(ulps(numbers[node], again[node]) <= MOST_ULP for node in order):
            worst[1] = max(worst[1], check_gradients(root, order, again, gradients))
        else:
            worst[2] += 1
    return worst


def check_random_graphs(page, count, most_changes, seed):
    rng = random.Random(seed)
    roots = list(graphs(rng, count))
    changes = []
    for root in roots:
        leaves = [i for i, node in enumerate(topological_order(root)) if not node.operation]
        changes.append([(rng.choice(leaves), some_number(rng)) for _ in range(most_changes)])
    used = {node.operation for root in roots for node in topological_order(root)}
    assert used >= {*operations}
    worst = [check_graph(*case) for case in zip(roots, changes, run_in_page(page, roots, changes), strict=True)]
    values, gradients, others = zip(*worst, strict=True)
    assert sum(others) <= 0.01 * count * most_changes
    return max(values), max(gradients), sum(others)


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.slow)])
def test_random_graphs_with_20_changes_give_what_python_gives(page, count):
    check_random_graphs(page, count, 20, seed=16)


# What people do


def example(a=2.0, b=-3.0, x=0.5):
    a, b, x = Value(a, "a"), Value(b, "b"), Value(x, "x")
    return autograd.tanh(0.1 * a * b + x) * a


def explained(*point, **options):
    return explain(example(*point), **options)


def texts_of(page):
    """The texts of the boxes and of the labels of lines, without the old numbers."""
    return page.evaluate(
        """() => {
            const texts = {}, root = document.querySelector(".autograd-stepper").shadowRoot;
            for (const group of root.querySelectorAll("[data-box], [data-arrow]")) {
                const lines = [...group.querySelectorAll("text:not(.was)")].map((text) => text.textContent);
                if (lines.length) texts[group.dataset.box ?? group.dataset.arrow] = lines;
            }
            return texts;
        }"""
    )


def expected_texts(explanation, after=False):
    """The same of a graph at another point, when all of it is known."""
    scene, shown = explanation.scene, (explanation.after if after else explanation.numbers).shown(explanation.precision)
    described = [
        *((str(i), box.lines) for i, box in enumerate(scene.boxes)),
        *((a.name, a.lines) for a in scene.arrows),
    ]
    return {name: [filled(line, shown) for line in lines] for name, lines in described if lines}


def line_of(page):
    return page.locator(".live [role=status]").text_content()


def old_numbers(page):
    return page.locator("text.was").all_text_contents()


def number_field(page):
    return page.locator(".live input").first


def button(page, name):
    return page.locator(".live").get_by_role("button", name=name, exact=True)


def type_number(page, text, leaf=None):
    if leaf:
        page.locator(".live select").select_option(leaf)
    number_field(page).fill(text)
    number_field(page).press("Enter")


def at_the_end(page):
    page.locator("div.frame").press("End")
    return page


def middle_of(page, text):
    """The middle of a text of the picture, in the window."""
    box = page.locator(".picture svg.autograd").get_by_text(text, exact=True).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, text, pixels, key=None):
    x, y = middle_of(page, text)
    page.mouse.move(x, y)
    page.mouse.down()
    if key:
        page.keyboard.down(key)
    page.mouse.move(x + pixels / 2, y + 3)
    page.mouse.move(x + pixels, y)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def promise_line(before, after, change):
    """What the page says of a change of one leaf, by Python's numbers."""
    old, new = before.root.data, after.root.data
    gradient = before.numbers.gradient(change[0])
    name, leaf = before.names[before.root], before.names[before.scene.nodes[change[0]]]
    why = f"{gradient * change[1]:.4g} = {gradient:.4g} * {change[1]:.4g} (grad {leaf} * its change)"
    said = f"{name} was {old:.4g}, is {new:.4g}: the gradient promised {why}, it was {new - old:.4g}."
    return f"{said} Promises hold for small changes."


def test_a_leaf_that_is_dragged_moves_everything(open_page):
    page = at_the_end(open_page(explained()))
    assert texts_of(page) == expected_texts(explained())
    drag(page, "a", 50)
    assert texts_of(page) == expected_texts(explained(2.5))
    assert line_of(page) == promise_line(explained(), explained(2.5), (0, 0.5))
    assert f"was {example().data:.4g}" in old_numbers(page)
    assert "was 2" in old_numbers(page)
    assert "was -3" not in old_numbers(page)  # b stayed as it was
    drag(page, "a", 50, key="Shift")
    assert texts_of(page) == expected_texts(explained(2.55))
    assert number_field(page).input_value() == "2.55"


def test_a_finger_drags_too(open_page):
    page = at_the_end(open_page(explained(), viewport={"width": 390, "height": 844}, has_touch=True))
    x, y = middle_of(page, "b")
    touch = page.context.new_cdp_session(page)
    for kind, dx in (("touchStart", 0), ("touchMove", 10), ("touchMove", 40), ("touchEnd", None)):
        points = [] if dx is None else [{"x": x + dx, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert texts_of(page) == expected_texts(explained(2.0, -2.6))


def test_a_click_chooses_a_leaf_that_can_then_be_typed(open_page):
    page = at_the_end(open_page(explained()))
    page.mouse.click(*middle_of(page, "x"))
    assert number_field(page).input_value() == "0.5"
    page.keyboard.type("-3*2/7")
    assert texts_of(page) == expected_texts(explained())
    page.keyboard.press("Enter")
    assert texts_of(page) == expected_texts(explained(2.0, -3.0, -6 / 7))
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    assert number_field(page).input_value() == "-0.857143"
    assert texts_of(page) == expected_texts(explained(2.0, -3.0, -6 / 7))


def test_arrow_keys_move_the_number_and_not_the_page(open_page):
    page = at_the_end(open_page(explained()))
    count = page.locator(".count").text_content()
    number_field(page).focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "Shift+ArrowUp", "ArrowLeft", "Home", "k"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    assert page.locator(".count").text_content() == count
    assert texts_of(page) == expected_texts(explained(2.11))


def test_from_what_is_not_finite_one_goes_up_from_0(open_page):
    page = at_the_end(open_page(explained()))
    for text in ("nan", "inf", "-inf"):
        type_number(page, text, "x")
        number_field(page).press("ArrowUp")
        assert texts_of(page) == expected_texts(explained(2.0, -3.0, 0.1))
        type_number(page, text)
        drag(page, "x", -50)
        assert texts_of(page) == expected_texts(explained(2.0, -3.0, -0.5))


@pytest.mark.parametrize("text", ["inf", "nan", "1/0", *mostly_slow("-inf", "1e308", "0", "-0.0")])
def test_any_number_is_legal(open_page, text):
    page = at_the_end(open_page(explained()))
    type_number(page, text, "x")
    number = math.inf if text == "1/0" else float(text)
    assert texts_of(page) == expected_texts(explained(2.0, -3.0, number))
    type_number(page, "0.5")
    assert texts_of(page) == expected_texts(explained())


def test_what_is_no_number_is_refused_in_a_sentence(open_page):
    page, expected = at_the_end(open_page(explained())), expected_texts(explained())
    for text in NO_NUMBERS[1:-2]:
        type_number(page, text)
        assert line_of(page).startswith("this is no number: "), text
        assert texts_of(page) == expected, text
        assert page.evaluate("typeof globalThis.hit") == "undefined"
        assert page.locator(".live img").count() == 0
        number_field(page).press("Escape")
        assert not line_of(page).startswith("this is no number: "), text


def descended(point, lr, count):
    """The numbers of the leaves after some steps of gradient descent in Python, and the root's numbers on the way."""
    point, curve = list(point), []
    for _ in range(count + 1):
        root = example(*point)
        curve.append(root.data)
        root.backward()
        gradients = {leaf.label: leaf.grad for leaf in autograd.leaves(root)}
        previous, point = point, [x - lr * gradients[name] for x, name in zip(point, "abx", strict=True)]
    return previous, curve


def test_descent_step_by_step(open_page):
    page = at_the_end(open_page(explained()))
    for count in range(1, 6):
        button(page, "descend").click()
        point, curve = descended((2.0, -3.0, 0.5), 0.1, count)
        assert texts_of(page) == expected_texts(explained(*point))
    label = page.locator(".live svg").get_attribute("aria-label")
    assert label == f"mul3 over 5 steps: from {curve[0]:.4g} to {curve[-1]:.4g}"
    assert page.locator(".curve").text_content().split() == [f"{curve[0]:.4g}", f"{curve[-1]:.4g}"]
    rate = page.get_by_label("learning rate")
    rate.fill("1/4")
    rate.press("Enter")
    button(page, "descend").click()
    assert texts_of(page) == expected_texts(explained(*descended(point, 0.25, 1)[0]))


@pytest.mark.parametrize("rate", ["nan", "1e308", *mostly_slow("inf", "-1e300", "0")])
def test_any_learning_rate_is_legal(open_page, rate):
    page = at_the_end(open_page(explained(lr=0.1)))
    page.get_by_label("learning rate").fill(rate)
    page.get_by_label("learning rate").press("Enter")
    if 0 <= float(rate) < math.inf:  # Python refuses the others; in the page one may see what they do
        assert texts_of(page) == expected_texts(explained(lr=float(rate)), after=True)
    for _ in range(4):
        button(page, "descend").click()
    assert steps_on_the_curve(page) == 4


def test_a_curve_of_many_steps(open_page):
    page = at_the_end(open_page(explained(lr=0.001)))
    button(page, "descend").evaluate("(button) => { for (let i = 0; i < 300; i++) button.click(); }")
    assert steps_on_the_curve(page) == 300
    points = page.locator(".live path").get_attribute("d")
    assert len(re.findall("[ML]", points)) <= 241
    _, *curve = descended((2.0, -3.0, 0.5), 0.001, 301)[1]  # the page stands after an update, and goes on from there
    assert page.locator(".curve").text_content().split() == [f"{curve[0]:.4g}", f"{curve[-1]:.4g}"]


def steps_on_the_curve(page):
    label = page.locator(".live svg").get_attribute("aria-label") or ""
    return int((re.findall(r"over (\d+) steps", label) or [0])[0])


def wait_for_steps(page, count):
    while steps_on_the_curve(page) < count:
        page.wait_for_timeout(50)


def test_run_goes_on_until_it_is_pressed_again(open_page):
    page = at_the_end(open_page(explained(lr=0.001)))
    button(page, "run").click()
    wait_for_steps(page, 4)
    button(page, "stop").click()
    count = steps_on_the_curve(page)
    page.wait_for_timeout(300)
    assert steps_on_the_curve(page) == count


def test_holding_the_button_descends_again_and_again(open_page):
    page = at_the_end(open_page(explained(lr=0.001)))
    button(page, "descend").hover()
    page.mouse.down()
    wait_for_steps(page, 3)
    page.mouse.up()
    count = steps_on_the_curve(page)
    page.wait_for_timeout(300)
    assert steps_on_the_curve(page) == count


def test_reset_brings_everything_back(open_page):
    page = at_the_end(open_page(explained(lr=0.2)))
    before = texts_of(page)
    button(page, "descend").click()
    type_number(page, "7", "b")
    page.get_by_label("learning rate").fill("3")
    page.get_by_label("learning rate").press("Enter")
    assert texts_of(page) != before
    button(page, "reset").click()
    at_the_end(page)
    assert texts_of(page) == before
    assert old_numbers(page) == old_numbers(at_the_end(open_page(explained(lr=0.2))))
    assert page.get_by_label("learning rate").input_value() == "0.2"
    assert not page.locator(".live svg").is_visible()


def test_the_update_follows_and_shows_what_it_changed(open_page):
    page = at_the_end(open_page(explained(lr=0.1)))
    assert texts_of(page) == expected_texts(explained(lr=0.1), after=True)
    assert f"was {example().data:.4g}" in old_numbers(page)
    assert "was" not in line_of(page)  # the panel tells of the update, and nothing else does


@pytest.mark.parametrize("how", ["type", "drag"])
def test_who_moves_a_leaf_after_an_update_goes_on_from_the_numbers_in_sight(open_page, how):
    page = at_the_end(open_page(explained(lr=0.1)))
    a, b, x = descended((2.0, -3.0, 0.5), 0.1, 1)[0]
    page.locator(".live select").select_option("a")
    assert float(number_field(page).input_value()) == pytest.approx(a, rel=1e-5)
    if how == "type":
        type_number(page, "1.5")
    else:
        drag(page, "a", 50)
    now = float(number_field(page).input_value())
    assert now != pytest.approx(a, rel=1e-3)
    assert texts_of(page) == expected_texts(explained(now, b, x))
    assert line_of(page) == promise_line(explained(a, b, x), explained(now, b, x), (0, now - a))
    assert page.locator(".phase").text_content() == "backward pass"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_the_promise_of_an_update_is_pythons_if_a_number_is_not_finite(open_page, number):
    explanation = explained(2.0, number, lr=0.1)
    page = at_the_end(open_page(explanation))
    assert page.locator(".lines p").last.text_content() == explanation.steps[-1].lines[-1]


@pytest.mark.parametrize(("rate", "said"), [("1e308", ": stopped. Press reset"), ("0", "no longer changes: stopped")])
def test_run_stops_by_itself_and_says_why(open_page, rate, said):
    page = at_the_end(open_page(explained()))
    page.get_by_label("learning rate").fill(rate)
    page.get_by_label("learning rate").press("Enter")
    button(page, "run").click()
    while said not in line_of(page):
        page.wait_for_timeout(50)
    assert button(page, "run").is_visible()
    count = steps_on_the_curve(page)
    page.wait_for_timeout(300)
    assert steps_on_the_curve(page) == count


def test_a_weight_that_was_moved_shows_its_old_number_after_the_update_too(open_page):
    page = at_the_end(open_page(network(lr=0.0)))
    old = model_of_network().parameters()[0].data
    page.mouse.click(*middle_of(page, f"{old:.3g}"))
    page.keyboard.type("0.25")
    page.keyboard.press("Enter")
    assert f"was {old:.3g}" in old_numbers(page)


def test_numbers_follow_at_every_step(open_page):
    page = open_page(explained(lr=0.1))
    type_number(page, "1.5", "a")
    fresh = open_page(explained(1.5, lr=0.1))
    for _ in range(len(explained(lr=0.1).steps)):
        for each in (page, fresh):
            each.locator("div.frame").press("ArrowRight")
        assert texts_of(page) == texts_of(fresh)
        assert page.locator(".lines").text_content() == fresh.locator(".lines").text_content()


@pytest.mark.parametrize("width", [900, 1280])
def test_old_numbers_cover_nothing(open_page, width):
    page = open_page(readme(), viewport={"width": width, "height": 800})
    overlapping = """() => {
        const root = document.querySelector(".autograd-stepper").shadowRoot;
        const all = (names) => [...root.querySelectorAll(names)];
        const others = all(".box > rect:not(.halo, .gap), svg.autograd text").filter(
            (x) => x.textContent.trim() || x.tagName === "rect");
        return all("text.was").flatMap((was) => others.filter((other) => {
            const [a, b] = [was, other].map((x) => x.getBoundingClientRect());
            return was !== other && a.left < b.right && b.left < a.right
                && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
        }).map((other) => `${was.textContent} on ${other.outerHTML}`));
    }"""
    page.keyboard.press("End")
    for _ in range(3):
        assert page.evaluate(overlapping) == []
        assert old_numbers(page)
        page.keyboard.press("k")


def test_old_numbers_stand_inside_the_picture(open_page):
    for viewport in ({"width": 1280, "height": 800}, {"width": 390, "height": 844}):
        page = at_the_end(open_page(explained(), viewport=viewport))
        button(page, "descend").click()
        frame = page.locator(".picture svg.autograd").bounding_box()
        assert page.locator("text.was").count() > 3
        for mark in page.locator("text.was").all():
            box = mark.bounding_box()
            for corner, size in (("x", "width"), ("y", "height")):
                assert frame[corner] <= box[corner]
                assert box[corner] + box[size] <= frame[corner] + frame[size]


def model_of_network():
    """Its parameters all differ, so that a test finds each by its number."""
    model, rng = nn.MLP(2, [3, 1], activation="tanh"), random.Random(1)
    for parameter in model.parameters():
        parameter.data = rng.gauss(0, 0.5)
    return model


def network(change=None, **options):
    """The explanation of a small network's loss; `change` sets one of its parameters to another number."""
    model = model_of_network()
    if change:
        dict(model.named_parameters())[change[0]].data = change[1]
    loss = (model([0.5, -1.0]) - 1.0) ** 2
    loss.label = "loss"
    return explain(loss, model=model, **options)


@pytest.mark.parametrize("name", ["layers.0.neurons.1.w.0", "layers.0.neurons.2.b"])
def test_a_weight_on_its_line_and_a_bias_in_its_box_can_be_dragged(open_page, name):
    explanation = network()
    page = at_the_end(open_page(explanation))
    old = dict(model_of_network().named_parameters())[name].data
    shown = f"{old:.3g}" if ".w." in name else f"b {old:.3g}"
    drag(page, shown, 40)
    new = round(old + 0.4, 2)  # a number that is dragged is a multiple of a pixel's stride
    assert number_field(page).input_value() == f"{new:g}"
    assert texts_of(page) == expected_texts(network((name, new)))
    assert any(f"was {old:.3g}" in text for text in old_numbers(page))


def test_an_operation_without_a_formula_moves_nothing_and_says_why(open_page):
    doubled = autograd.operation(lambda x: 2.0 * x, lambda out, x: 2.0, name="doubled")
    page = open_page(explain(doubled(Value(3.0)), lr=0.1))
    assert "doubled" in page.locator(".live, .liveplace").first.text_content()
    assert page.locator(".live input").count() == 0
    at_the_end(page)


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(open_page):
    page = open_page(explained())
    names = page.locator(".live").evaluate(
        """(live) => [...live.querySelectorAll("select, input, button")].map((one) => {
            one.focus();
            return [one.ariaLabel || one.textContent || "", live.getRootNode().activeElement === one];
        })"""
    )
    assert [name for name, _ in names] == ["leaf", "its number", "descend", "run", "learning rate", "reset"]
    assert all(reached for _, reached in names)


@pytest.mark.parametrize("of", [".box.leaf", ".label[role=button]"])
def test_a_leaf_and_a_weight_can_be_chosen_by_keyboard(open_page, of):
    page = open_page(explained() if "leaf" in of else network())
    group = page.locator(of).nth(1)
    group.focus()
    page.keyboard.press("Enter")
    chosen = page.locator(".live select").evaluate("(s) => s.selectedOptions[0].textContent")
    assert group.get_attribute("aria-label") == chosen
    assert number_field(page).evaluate("(i) => i === i.getRootNode().activeElement")
