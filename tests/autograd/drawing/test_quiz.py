"""Does the quiz ask for every gradient, tell right from wrong, name the usual mistakes, and give nothing away?"""

import math
import random
import re
from urllib.parse import unquote

import pytest

from autograd import Value, explain
from autograd.drawing.page import fragment
from autograd.drawing.text import number
from autograd.graph import contribution
from autograd.steps import parent_slots
from tests.autograd.drawing.graphs import mostly_slow, random_graph
from tests.autograd.drawing.test_drawing import HOSTILE


def edges(explanation):
    """The questions in their order: (step, name, upstream, local, before, right), from the chain rule itself."""
    scene, sums, found = explanation.scene, {}, []
    for k, moment in enumerate(explanation.steps, 1):
        if moment.phase != "backward":
            continue
        node = scene.nodes[moment.node]
        upstream = sums.setdefault(node, 1.0)
        for _, parent, local in zip(parent_slots(node), node.parents, node.local_derivatives, strict=True):
            before = sums.get(parent, 0.0)
            sums[parent] = before + contribution(upstream, local)
            found.append((k, explanation.names[parent], upstream, local, before, sums[parent]))
    return found


def product(x, y):
    """`a = x`, `b = y`, and a * b + a / 4 with an upstream gradient of 2: (a, b, root)."""
    a, b = Value(x, label="a"), Value(y, label="b")
    quarter = a / 4.0
    both = a * b
    both.label, quarter.label = "both", "quarter"
    total = both + quarter
    total.label = "total"
    root = total * 2.0
    root.label = "root"
    return root


class Quiz:
    """The quiz of a page, by keyboard alone."""

    def __init__(self, page):
        self.page = page
        page.locator("div.frame").focus()

    def start(self):
        self.page.keyboard.press("End")
        return self

    def answer(self, text):
        """Types an answer; returns what is said of it."""
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")
        return self.said

    @property
    def said(self):
        return self.page.locator(".quiz .said").inner_text()

    @property
    def asked(self):
        """The name whose gradient is asked for; "" where nothing is asked."""
        label = self.page.locator(".quiz label")
        return label.inner_text().removeprefix("grad ").removesuffix(" becomes") if label.is_visible() else ""

    @property
    def score(self):
        return self.page.locator(".quiz .score").inner_text()

    @property
    def count(self):
        return int(self.page.locator(".count").inner_text().split("/")[0])

    def picture(self):
        """All texts of the picture."""
        return self.page.evaluate(
            "[...document.querySelector('.autograd-stepper').shadowRoot.querySelectorAll('.picture svg text')]"
            ".map((text) => text.textContent)"
        )

    def visible(self):
        return self.page.locator("div.frame").inner_text()

    def go_on(self):
        """To the next question, with the key that is at hand."""
        while not self.asked and "to come" in self.score:
            self.page.keyboard.press("Enter")


@pytest.fixture
def open_quiz(open_page):
    return lambda root, **options: Quiz(open_page(explain(root, quiz=True, **options))).start()


def typed(rng, upstream, local, before, right):
    """A right answer as somebody may type it."""
    ways = [repr(right), f"{before!r} + {upstream!r}*({local!r})"]
    if math.isfinite(right):
        ways += [number(right, 12), f"{right:.2e}", f"{right:.3e}"]
    return rng.choice(ways)


@pytest.mark.parametrize("seed", [0, 1, *mostly_slow(2, 3, 4, 5)])
def test_right_answers_lead_through_all_questions_to_the_score(open_quiz, seed):
    root, rng = random_graph(seed), random.Random(seed)
    questions = edges(explain(root))
    quiz = open_quiz(root)
    for k, name, upstream, local, before, right in questions:
        assert (quiz.asked, quiz.count) == (name, k)
        said = quiz.answer(typed(rng, upstream, local, before, right))
        assert said == f"Right: grad {name} = {number(right)}"
        quiz.go_on()
    assert quiz.score == f"{len(questions)} of {len(questions)} questions right at the first try. All done."


MISTAKES = {  # of grad a, when "both" passes on: upstream 2, local derivative -3, before 0.5, other derivative 5
    "-6": "only what both adds (+=) to grad a, which had a sum before",
    "-5.50": "Right",
    "-3": "The upstream gradient is missing",
    "-2.5": "The upstream gradient is missing",
    "2": "unchanged",
    "2.5": "unchanged",
    "10": "another operand's local derivative",
    "10.5": "another operand's local derivative",
    "5.5": "Look at the sign",
    "6": "Look at the sign",
    "0.5": "what grad a was before",
    "17": "No: take the upstream gradient times the local derivative",
}


@pytest.mark.parametrize("answer", MISTAKES)
def test_the_usual_mistakes_are_named(open_quiz, answer):
    root = product(5.0, -3.0)
    quiz = open_quiz(root)
    questions = edges(explain(root))
    for _, name, *_, before, right in questions:
        if name == "a" and before:
            break
        quiz.answer(repr(right))
        quiz.go_on()
    assert quiz.asked == "a"
    said = quiz.answer(answer)
    assert MISTAKES[answer] in said
    assert said.endswith("Try again.") == (MISTAKES[answer] != "Right")


@pytest.mark.parametrize("seed", [0, *mostly_slow(1, 2, 3)])
def test_a_wrong_answer_never_shows_the_right_one(open_quiz, seed):
    root, rng = random_graph(seed), random.Random(seed)
    quiz = open_quiz(root)
    for _, _, upstream, local, before, right in edges(explain(root)):
        visible, picture = quiz.visible(), quiz.picture()
        share = contribution(upstream, local)
        usual = [share, local, upstream, before, -right, before - share]
        for wrong in rng.sample([*usual, right + 1.0, right * 1.004], 4):
            if math.isclose(wrong, right, rel_tol=1e-3):
                continue
            said = quiz.answer(repr(wrong))
            assert said.endswith("Try again.")
            assert number(right) not in re.findall(r"[-+.\w]+", said.replace("+=", ""))
            assert quiz.picture() == picture
            assert set(quiz.visible().split("\n")) <= {*visible.split("\n"), said}
        quiz.answer(repr(right))
        quiz.go_on()
    assert " right at the first try" in quiz.score


def test_what_is_asked_has_no_number_in_the_picture_yet_and_nobody_gets_past_it(open_quiz):
    root = random_graph(11)
    explanation = explain(root, lr=0.1)
    quiz = open_quiz(root, lr=0.1)
    forward = sum(moment.phase == "forward" for moment in explanation.steps)
    for key in ("End", "ArrowRight", "Space"):
        quiz.page.locator("div.frame").focus()
        quiz.page.keyboard.press(key)
        assert quiz.count == forward + 1  # the step that is asked for
        assert quiz.page.locator(".phases .now").get_attribute("data-phase") == "backward"
        assert quiz.said == "Answer first, or press Show me."
        assert not [text for text in quiz.picture() if re.fullmatch(r"grad \S+", text)]
    quiz.page.locator("input[type=range]").evaluate("(s) => { s.value = 99; s.dispatchEvent(new Event('input')); }")
    assert quiz.count == forward + 1
    quiz.page.locator("div.frame").focus()
    quiz.page.keyboard.press("ArrowLeft")
    assert quiz.count == forward
    assert not quiz.asked


def test_without_scripts_the_picture_of_a_quiz_has_no_gradients():
    root = product(2.0, 3.0)
    pictures = [fragment(explain(root, quiz=quiz)) for quiz in (True, False)]
    quiz, plain = (unquote(re.search(r'src="data:[^"]*"', page)[0]) for page in pictures)
    assert re.findall(r">grad \S+<", plain)
    assert not re.findall(r">grad \S+<", quiz)
    assert re.findall(r">data \S+<", quiz) == re.findall(r">data \S+<", plain)


def test_show_me_counts_as_not_known_and_the_step_is_named_at_the_end(open_quiz):
    quiz = open_quiz(product(2.0, 3.0))
    (first, *_), *others = edges(explain(product(2.0, 3.0)))
    quiz.page.keyboard.press("Tab")
    quiz.page.keyboard.press("Tab")
    quiz.page.keyboard.press("Enter")  # the button after "Check"
    assert quiz.said == "grad total = 2"
    quiz.go_on()
    missed = others[1][0]
    for n, (*_, right) in enumerate(others):
        if n == 1:
            quiz.answer("1234")
        quiz.answer(repr(right))
        quiz.go_on()
    asked = len(others) + 1
    steps = ", ".join(map(str, sorted({first, missed})))
    assert (
        quiz.score == f"{asked - 2} of {asked} questions right at the first try, 1 shown. Look again at step {steps}."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Type a number"),
        ("two", "Type a number"),
        ("1/", "Type a number"),
        ("0,33", "with a decimal point"),
        ("0.3", "give two or more"),
        ("0.3332", "Nearly"),
        ("0.33", "Right"),
        ("1/3", "Right"),
        ("0.3333333", "Right"),
        ("(2 - 1) / 3", "Right"),
        ("\u22120.33", "Look at the sign"),
    ],
)
def test_digits_and_arithmetic(open_quiz, text, said):
    a = Value(7.0, label="a")
    quiz = open_quiz(a / 3.0)
    assert said in quiz.answer(text)
    if "Right" not in said:
        quiz.answer("1/3")
    first = "Right" in said or "Type" in said or "two" in said or said[0] in "Nw"  # what is no answer costs nothing
    assert quiz.score.startswith(f"{int(first)} of 1 question right at the first try.")


@pytest.mark.parametrize(("x", "right", "others"), [(0.0, "inf", ["-inf", "0", "nan"]), (-1.0, "nan", ["inf", "0"])])
def test_nan_and_inf_are_answers(open_quiz, x, right, others):
    quiz = open_quiz(Value(x, label="a") ** 0.5)
    for wrong in others:
        assert quiz.answer(wrong).endswith("Try again.")
    assert quiz.answer(right) == f"Right: grad a = {right}"


def test_a_factor_of_exactly_zero_gives_zero(open_quiz):
    a, zero = Value(math.inf, label="a"), Value(0.0, label="zero")
    quiz = open_quiz(a * zero)
    assert quiz.answer("nan").endswith("Try again.")
    assert quiz.answer("0") == "Right: grad a = 0"
    assert quiz.answer("inf") == "Right: grad zero = inf"


def test_labels_and_answers_are_text(open_quiz):
    root = Value(0.0)
    for label in [*HOSTILE, '"><img src=x onerror="window.hacked = true">']:
        root = root + Value(1.0, label=label)
    quiz = open_quiz(root)
    for text in ['<img src=x onerror="window.hacked = true">', "window.hacked = true", "${1}", "constructor", "1e"]:
        assert quiz.answer(text).startswith("Type a number")
    while quiz.asked:
        quiz.answer("1")
        quiz.go_on()
    assert quiz.page.evaluate("window.hacked") is None
    assert quiz.page.locator("img[onerror]").count() == 0


def test_the_switch_in_the_page_begins_anew_and_closes_the_table(open_page):
    page = open_page(explain(product(2.0, 3.0)))
    page.locator("summary").click()
    assert page.locator("tbody").is_visible()
    page.click("[data-do=last]")
    switch = page.locator("[data-do=quiz]")
    switch.click()
    quiz = Quiz(page)
    assert (quiz.count, switch.get_attribute("aria-pressed")) == (0, "true")
    assert not page.locator("details").evaluate("(details) => details.open")
    assert "answers" in page.locator("summary").inner_text()
    assert quiz.start().answer("2") == "Right: grad total = 2"
    switch.click()
    assert page.locator(".quiz").count() == 0
    assert "answers" not in page.locator("summary").inner_text()
    switch.click()
    assert quiz.start().score == "6 questions to come."


def test_the_quiz_asks_with_the_numbers_of_now(open_page):
    page = open_page(explain(product(2.0, 3.0)))
    page.locator(".live select").first.select_option(label="b")
    number_of_b = page.get_by_label("its number")
    number_of_b.fill("-7")
    number_of_b.press("Enter")
    page.locator("[data-do=quiz]").click()
    quiz = Quiz(page).start()
    for *_, right in edges(explain(product(2.0, -7.0))):
        assert quiz.answer(repr(right)).startswith("Right")
        quiz.go_on()
    assert quiz.score == "6 of 6 questions right at the first try. All done."
    quiz.page.get_by_role("button", name="start over").click()
    assert (quiz.count, quiz.score) == (0, "6 questions to come.")


def test_the_quiz_has_names_for_who_does_not_see_it(open_quiz):
    quiz = open_quiz(product(2.0, 3.0))
    page = quiz.page
    assert page.get_by_label("grad total becomes").evaluate("(i) => i === i.getRootNode().activeElement")
    assert page.locator(".quiz .said").get_attribute("role") == "status"
    page.keyboard.type("jk 3")  # keys of the stepper are letters here
    assert page.get_by_label("grad total becomes").input_value() == "jk 3"
    assert page.get_by_role("button", name="Check").is_visible()
    assert page.get_by_role("button", name="Show me").is_visible()


def test_a_single_leaf_has_nothing_to_ask(open_quiz):
    assert open_quiz(Value(1.0, label="a")).score == "There is nothing to ask."


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_a_question_is_whole_in_sight_and_stays_when_the_window_changes(open_page, viewport):
    quiz = Quiz(open_page(explain(product(2.0, 3.0), quiz=True), viewport=viewport)).start()
    asked = quiz.asked
    for width in (0, 60):
        quiz.page.set_viewport_size({**viewport, "width": viewport["width"] + width})
        quiz.page.keyboard.press("Enter")
        assert quiz.asked == asked
        form, panel = (quiz.page.locator(name).bounding_box() for name in (".quiz", ".panel"))
        assert form["y"] + form["height"] <= panel["y"] + panel["height"]
