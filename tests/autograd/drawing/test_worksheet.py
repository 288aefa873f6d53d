"""Does the exercise sheet ask for every gradient, give none away, and is its key right?"""

import html
import math
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings, strategies as st

import nn
from autograd import Value, explain, topological_order
from autograd.drawing.worksheet import questions, worksheet
from tests.autograd.drawing.graphs import random_graph
from tests.autograd.drawing.test_drawing import HOSTILE

SOME = settings(max_examples=30)


def parts(explanation):
    """The sheet, and its key."""
    sheet, key = worksheet(explanation).split('<section class="key">')
    return sheet, key


def items(page):
    """The texts of the numbered items of a page, without tags."""
    return [html.unescape(re.sub(r"<[^>]*>", "\n", item)).split("\n") for item in re.findall(r"<li>(.*?)</li>", page)]


def networks_explanation():
    model = nn.MLP(2, [4, 4, 1])
    return explain((model([0.5, -1.0]) - 1.0) ** 2, model=model)


@SOME
@given(st.integers(0, 10**6))
def test_each_gradient_is_asked_for_once_when_all_that_it_needs_is_known(seed):
    explanation = explain(random_graph(seed))
    scene, asked = explanation.scene, questions(explanation)
    order = topological_order(explanation.root)
    assert sorted(question.node for question in asked) == sorted(
        scene.index_of(node) for node in order if node is not explanation.root
    )
    known = {scene.index_of(explanation.root)}
    for question in asked:
        assert known.issuperset(user for user, _ in question.parts)
        known.add(question.node)


def test_a_networks_gradients_are_asked_for_neuron_by_neuron():
    explanation = networks_explanation()
    asked = questions(explanation)
    assert len(asked) == len(topological_order(explanation.root)) - 1
    known = {explanation.scene.index_of(explanation.root)}
    for question in asked:
        assert known.issuperset(user for user, _ in question.parts)
        known.add(question.node)
    headings = [heading for heading in dict.fromkeys(q.heading for q in asked) if heading]
    assert sorted(headings) == [f"Neuron {layer}.{i}" for layer, count in enumerate([4, 4, 1]) for i in range(count)]
    found = re.findall(r"<h2>(.*?)</h2>", parts(explanation)[0])
    assert found == headings  # each once: nothing of a neuron stands elsewhere


def test_the_tables_of_a_network_ask_for_every_gradient_and_the_key_has_them():
    model = nn.MLP(2, [3, 1], activation="tanh")
    x = Value(0.5, label="x")
    explanation = explain((model([x, -1.0]) - 1.0) ** 2, model=model)
    gradients = {
        name: explanation.numbers(f"g{explanation.scene.index_of(n)}") for n, name in explanation.names.items()
    }
    sheet, key = parts(explanation)
    shown = f"%.{explanation.precision}g"
    for name, gradient in gradients.items():
        if name == explanation.names[explanation.root]:
            continue
        assert re.search(rf"grad {re.escape(name)} = <|<td>{re.escape(name)} = [^<]*<td>(<|$)", sheet), name
        number = re.escape(shown % gradient)
        assert re.search(rf"grad {re.escape(name)} = {number}[ <]|<td>{re.escape(name)} = [^<]*<td>{number}<", key), (
            name
        )
    assert "Given: d tanh0.0/d sum0.0 = 1 / cosh(sum0.0)**2 = " in sheet
    assert "w1.0.2 is the weight on the line from neuron 0.2 to neuron 1.0 (layer 1, neuron 0, input 2;" in sheet


def test_a_weight_of_two_examples_is_a_part_in_each_table():
    model = nn.MLP(1, [1])
    explanation = explain(model([1.0]) * model([2.0]), model=model)
    sheet, _ = parts(explanation)
    assert sheet.count("(a part)") == sheet.count("<table>") == 2
    assert "(a sum of 2)" in sheet


def test_by_is_checked_and_a_network_can_be_asked_node_by_node():
    assert "<table>" not in worksheet(networks_explanation(), "node")
    for by, said in (
        ("layer", "by takes one of auto, node, neuron; got 'layer'"),
        ("neuron", "this graph has no neurons"),
    ):
        with pytest.raises(ValueError, match=said):
            worksheet(explain(random_graph(1)), by)


@SOME
@given(st.integers(0, 10**6))
def test_the_key_works_out_the_gradients_of_backward(seed):
    root = random_graph(seed)
    explanation = explain(root, precision=17)
    for node in topological_order(root):
        node.zero_grad()
    root.backward()
    gradients = {name: node.grad for node, name in explanation.names.items()}
    answers = items(parts(explanation)[1])
    assert len(answers) == len(gradients) - 1
    for item in answers:
        first, *lines = (line for line in item if line.strip())
        name, number = re.fullmatch(r"grad (.*) = (\S+)", first).groups()
        assert math.isclose(float(number), gradients[name], rel_tol=1e-12, abs_tol=1e-300)
        assert math.isclose(eval(lines[1].removeprefix("= ")), gradients[name], rel_tol=1e-9, abs_tol=1e-12)


@SOME
@given(st.integers(0, 10**6))
def test_the_sheet_gives_no_gradient_but_the_roots(seed):
    sheet, _ = parts(explain(random_graph(seed)))
    shown = [text for text in re.findall(r"<text[^>]*>([^<]*)</text>", sheet) if text.startswith("grad ")]
    assert len(shown) >= 4
    assert sorted(text.strip() for text in shown) == ["grad"] * (len(shown) - 1) + ["grad 1"]
    colours = set(re.findall(r'stroke="(#\w+)"', sheet.split("grad 1<")[0]))
    assert len(colours) <= 3  # neutral, the root's, and the halo of labels: no sign of a gradient
    assert not any(re.search(r"grad .* = \S", line) for item in items(sheet) for line in item if "grad" in line)


def test_formulas_with_letters_stand_beside_the_questions():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    y = c.tanh()
    y.label = "y"
    sheet = "\n".join("\n".join(item) for item in items(parts(explain(y))[0]))
    assert "d c/d a = b" in sheet
    assert "d y/d c = 1 / cosh(c)**2" in sheet


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_hostile_labels_are_text_and_there_is_no_script():
    root = Value(0.0, label="<script>alert(1)</script>")
    for label in [*HOSTILE, '"><img src=x onerror=alert(1)>', "</style><script>alert(1)</script>"]:
        root = root + Value(1.0, label=label)
    found = Tags()
    found.feed(worksheet(explain(root)))
    assert not found.tags & {"script", "img", "iframe", "object", "link", "a"}
    assert not any(name.startswith("on") or name in ("src", "href") for name in found.attributes)
    assert "default-src 'none'" in worksheet(explain(root))


def test_a_single_leaf_has_a_sheet_with_one_question_and_its_answer():
    sheet, key = parts(explain(Value(3.0, label="a")))
    assert "derivative of a with respect to itself" in sheet
    assert "grad 1" not in sheet
    assert "grad a = 1" in key


def test_the_sheet_is_written_whole_and_is_the_same_each_time(tmp_path):
    path = explain(random_graph(1)).worksheet(tmp_path / "sheet.html")
    assert path.read_text(encoding="utf-8") == worksheet(explain(random_graph(1)))
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.html"]


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_printed_sheet_fits_the_paper(browser, paper):
    page = browser.new_page(viewport={"width": 680, "height": 900}, java_script_enabled=False)
    page.set_content(worksheet(networks_explanation()))
    page.emulate_media(media="print")
    sizes = [page.locator(name).first.bounding_box() for name in ("figure svg", "h1", "ol")]
    assert all(size["x"] >= 0 and size["x"] + size["width"] <= 680 for size in sizes)
    first = page.locator("figure").first.bounding_box()
    assert first["y"] + first["height"] < 249 * 96 / 25.4  # on the first page of letter paper, with its margins
    pdf = page.pdf(format=paper)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 4
    page.close()
