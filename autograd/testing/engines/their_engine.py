"""What does somebody's class offer, and how is an operation or a graph written with it?

What it offers is found by trying: operators by their special methods, and other operations as methods of the class or
functions of its module.
"""

from collections.abc import Generator, Iterable, Sequence
from typing import Any, Protocol

from autograd.testing.engines.forms import ARITHMETIC, METHODS, Form
from autograd.testing.engines.process import Question
from autograd.testing.engines.programs import Trial, do, error_of, is_a, read, refusal, shown_text
from autograd.testing.engines.report import Claim, Fault, judged
from autograd.testing.engines.running import LINES
from autograd.testing.engines.their_side import Answer
from autograd.testing.engines.truth import Truth, truth_of
from autograd.testing.graphs.expression import Expression, kind_of
from autograd.testing.offers import FUNCTIONS_OF_TWO, OPERATORS, OTHER_NAMES, operator_text

SPECIAL_METHODS = [f"__{r}{function.__name__}__" for function in OPERATORS.values() for r in ("", "r")]
IN_PLACE = {name: f"__i{OPERATORS[name].__name__}__" for name in ARITHMETIC}
"""The methods of `x += y` and the like, by operation."""
SETUP: dict[str, Any] = {
    "methods": {name: ((name, *OTHER_NAMES.get(name, ())), 2 if name in FUNCTIONS_OF_TWO else 1) for name in METHODS},
    "attributes": [*SPECIAL_METHODS, *IN_PLACE.values(), "zero_grad"],
}
"""What `their_side.Player.describe` is to look for."""
SINGLE = 0.10000000149011612
"""What 0.1 is in single precision."""
SLACK_OF_SINGLE = 256.0
"""Errors of single precision may be so many times as large: 2**-18."""
LEAST_OF_SINGLE, LARGEST_OF_SINGLE = 1e-9, 40.0
"""Numbers of a size at which the formulas of textbooks neither overflow nor underflow in single precision."""
AT_A_TIME = (1, 8, 48)
"""So many programs are sent together: few at first, since most faults show at once; no more than a pipe holds."""


class Asked(Protocol):
    """Whoever runs programs: another process, or this one."""

    def run(self, questions: Sequence[Question]) -> Generator[Answer, None, None]:
        """The answers, one after the other; whoever wants no more of them closes it."""


class Engine:
    """Somebody's class, and how its operations are written.

    Attributes:
        name: the class's.
        place: where it is, such as "micrograd.engine:Value".
        near: the name of a method that may be meant to be `backward()`, or "".
        differentiates: whether it has `backward()`.
        methods: for each operation that is not an operator, how it is written.
        computed, differentiated: the forms whose values are right, and those whose derivatives are right too.
        sound: those that are right by themselves, by operation and kind.
        spelling: for words of our programs those that it needs instead, such as ".grad()" for ".grad".
        habits: claims about the class as a whole, found before all others.
        takes_ints: whether it can be made from one.
        slack: errors may be so many times as large as in double precision.

    Raises:
        TypeError: it cannot be made from one number, or has no `data`.
    """

    def __init__(self, asked: Asked, description: dict[str, Any]) -> None:
        self.asked = asked
        self.name, self.place = description["name"], description["place"]
        self.methods: dict[str, str] = description["methods"]
        self.attributes = frozenset(description["attributes"])
        self.near = shown_text("".join(description["near"]))
        self.computed: list[Form] = []
        self.differentiated: list[Form] = []
        self.sound: dict[tuple[str, str], list[Form]] = {}
        self.spelling: dict[str, str] = {}
        self.habits: list[Claim] = []
        self.takes_ints, self.slack = True, 1.0
        self.differentiates = self._first_number()
        self._find_habits()

    def _first_number(self) -> bool:
        """Whether a number of theirs, which must have `data`, has `backward()`."""
        code = f"{self.name}(2.0)"
        steps = [{"do": f"x0 = {code}"}, read("x0.data"), read("hasattr(x0, 'backward')")]
        *before, last = self.ask(steps)
        if last.get("error") == "Lost":
            raise TypeError(f"{code}: it {refusal(last)}")
        if "error" in last and not before:
            raise TypeError(f"{code} raised {error_of(last)}; an engine's class makes a number from one number")
        if is_a(last, "AttributeError"):
            raise TypeError(f"{code} has no attribute 'data'; that is where an engine's number is read")
        if "error" in last:
            raise TypeError(f"{code}.data raised {error_of(last)}; that is where an engine's number is read")
        return bool(last["number"])

    # Habits: what would make many claims wrong is one claim, after which the class is judged as it is.

    def _find_habits(self) -> None:
        code = f"{self.name}(0.1).data"
        (entry,) = self.ask([read(code)])
        if entry.get("number") == SINGLE:
            self.slack = SLACK_OF_SINGLE
            self.habits.append(Claim("it computes in single precision", "note", "and is judged by that"))
        code = f"{self.name}(2)"
        (entry,) = self.ask([do([code])])
        if "error" in entry:
            self.takes_ints = False
            self.habits.append(judged(f"{code} takes an int", Fault((code,), refusal(entry), f"{code}.data = 2")))
        if self.differentiates:
            self._find_spelling()

    def _find_spelling(self) -> None:
        start = f"x0 = {self.name}(2.0)"
        *_, entry = self.ask([do([start]), do(["x0.backward()"])])
        *_, other = self.ask([do([start]), do(["x0.backward(1.0)"])])
        if is_a(entry, "TypeError") and "error" not in other:
            self.spelling[".backward()"] = ".backward(1.0)"
            fault = Fault((start, "x0.backward()"), refusal(entry), "it begins with 1.0 by itself")
            self.habits.append(judged("backward() takes no argument", fault, ("pass",)))
        *_, entry = self.ask([do([start]), read("callable(x0.grad)")])
        if entry.get("number"):
            self.spelling[".grad"] = ".grad()"
            fault = Fault((start,), "x0.grad is a method", "x0.grad = 0")
            self.habits.append(judged("grad is a number", fault, ("construction",)))

    def _spelled(self, text: str) -> str:
        for usual, own in self.spelling.items():
            text = text.replace(usual, own)
        return text

    def _asked(self, question: Question) -> Question:
        """The question as their class has it."""
        if not self.spelling:
            return question
        steps = [
            {key: self._spelled(text) if key in ("do", "read") else text for key, text in step.items()}
            for step in question.steps
        ]
        return question._replace(steps=steps)

    def _found(self, fault: Fault | None) -> Fault | None:
        """The fault with the lines that were run."""
        if fault is None or not self.spelling:
            return fault
        code = tuple(map(self._spelled, fault.code))
        return fault._replace(code=code, yours=self._spelled(fault.yours), expected=self._spelled(fault.expected))

    def has(self, form: Form) -> bool:
        """Whether there is anything to try."""
        if form.operation not in OPERATORS:
            return form.operation in self.methods
        own = OPERATORS[form.operation].__name__
        return any(special in self.attributes for special in (f"__{own}__", f"__r{own}__"))

    # Asking

    def ask(self, steps: Sequence[dict[str, Any]], lines: int = LINES) -> Answer:
        """The answer to one question."""
        return self.answer(Question(steps, lines))

    def answer(self, question: Question) -> Answer:
        """The same, for a question that needs more patience."""
        (answer,) = self.asked.run([self._asked(question)])
        return answer

    def first_fault(self, trials: Iterable[Trial]) -> Fault | None:
        """The first fault, if there is one."""
        _, fault = self.first_failing(trials)
        return fault

    def first_failing(self, trials: Iterable[Trial]) -> tuple[int, Fault | None]:
        """The place of the first trial that fails, and its fault; (-1, None) if there is none."""
        waiting = list(trials)
        place = 0
        sizes = iter(AT_A_TIME)
        while waiting:
            size = next(sizes, AT_A_TIME[-1])
            together, waiting = waiting[:size], waiting[size:]
            answers = self.asked.run([self._asked(trial.question) for trial in together])
            for trial, answer in zip(together, answers, strict=True):
                if fault := self._found(trial.fault(answer)):
                    answers.close()
                    return place, fault
                place += 1
        return -1, None

    # One operation: how it is written

    def text(self, name: str, *operands: Any) -> str:
        """The operation on names and numbers."""
        texts = [x if isinstance(x, str) else repr(x) for x in operands]
        if texts[0].startswith("-"):  # -1 ** x is something else
            texts[0] = f"({texts[0]})"
        return (operator_text(name) if name in OPERATORS else self.methods[name]).format(*texts)

    def text_of(self, form: Form) -> str:
        """The form with x and y."""
        names = {"x0": "x", "x1": "y"}
        return self.text(form.operation, *(names[x] if isinstance(x, str) else x for x in form.operands))

    # Plain numbers among the operands are made theirs unless the engine is known to take them plain.

    def takes_only_theirs(self, name: str, operands: Sequence[Any]) -> bool:
        """Whether plain numbers have to be made theirs first."""
        if name == "pow":  # with two Values only a positive base will do, with a plain exponent any
            return False
        kind = kind_of(operands)
        return "c" in kind and (name, kind) not in self.sound and (name, "vv") in self.sound

    def can(self, name: str, operands: Sequence[Any]) -> bool:
        """Whether the operation is right by itself, with such operands."""
        return (name, kind_of(operands)) in self.sound or self.takes_only_theirs(name, operands)

    # Expressions

    def truth_of(self, use: Expression) -> Truth:
        """What is right, with the errors that their precision allows."""
        truth = truth_of(use)
        return truth if self.slack == 1.0 else truth.with_slack(self.slack)

    def reaches(self, use: Expression) -> bool:
        """Whether the inputs are of a size that their precision is meant for."""
        if self.slack == 1.0:
            return True
        return all(not x or LEAST_OF_SINGLE < abs(x) < LARGEST_OF_SINGLE for x in use.inputs)

    def lines(self, use: Expression) -> tuple[str, ...]:
        """The expression as a program."""
        return (*self.inputs_as_lines(use.inputs), *self.operations_as_lines(use))

    def operations_as_lines(self, use: Expression) -> tuple[str, ...]:
        """The same without the lines that make the inputs."""
        lines = []
        for place, (operation, operands) in enumerate(use.instructions):
            make = self.takes_only_theirs(operation.name, operands)
            texts = [f"{self.name}({x!r})" if make and not isinstance(x, str) else x for x in operands]
            name = f"t{place}" if place < len(use) - 1 else "y"
            lines.append(f"{name} = {self.text(operation.name, *texts)}")
        return tuple(lines)

    def inputs_as_lines(self, inputs: Sequence[float]) -> tuple[str, ...]:
        """The lines that make the inputs."""
        numbers = inputs if self.takes_ints else [float(x) for x in inputs]
        return tuple(f"x{place} = {self.name}({x!r})" for place, x in enumerate(numbers))
