"""What runs in the process of the code that is judged? It imports the class, runs programs, and answers with numbers.

A program is text. What is right is not known here: the judge, in a process of its own, sends questions and compares the
numbers (`process.py`). `check_engine` asks a `Player` in its own process instead.

A question is a list of steps, done one after the other until one fails:

    {"do": "t0 = x0 * x0\\ny = t0 + x0", "theirs": ["t0", "y"]}     runs lines; these names must hold numbers of theirs
    {"read": "x0.grad"}                                            evaluates an expression
    {"numbers": "found"}                                           the same of a list of numbers

Its answer is a list with an entry for each step that was done: {"lines": 7}, how many lines of Python were run; or
{"number": 2.0, "shown": "2.0", "type": "float"} for what was read, or
{"numbers": [2.0, None]}. A failure, {"error": "TypeError", "bases": [...],
"text": "..."}, is the last entry.
"""

import contextlib
import difflib
import inspect
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, BinaryIO

from autograd.command_line import CommandError
from autograd.reals import real_or_none, shown
from autograd.terminal import visible
from autograd.testing.engines.finding import NoClassError, class_of, folder_of, is_standard
from autograd.testing.engines.running import attempt, undisturbed
from autograd.testing.engines.supervisor import supervised
from autograd.testing.offers import method_text, takes

Step = dict[str, Any]
Answer = list[dict[str, Any]]
KNOWN_ENGINES = ("autograd", "micrograd", "torch", "jax", "tinygrad", "tensorflow", "theano", "mxnet", "casadi")
WORK = ("backward", "__mul__", "__add__")
"""Whoever has written these has written the engine."""
LONGEST_TEXT = 90


class Player:
    """A class of somebody's, and the names that programs about it use.

    Arguments:
        ValueClass: the class.
        begin: called when a step begins; the judge counts these, to know which step never ended.
    """

    def __init__(self, ValueClass: type, begin: Callable[[], object] = lambda: None) -> None:
        self.ValueClass, self.begin = ValueClass, begin
        self.names: dict[str, Any] = {ValueClass.__name__: ValueClass}
        self.family = tuple(base for base in ValueClass.__mro__ if base.__module__ != "builtins")

    def describe(self, methods: dict[str, tuple[Sequence[str], int]], attributes: Sequence[str]) -> dict[str, Any]:
        """What the class offers.

        Arguments:
            methods: for each operation the names that it may have, and how many operands.
            attributes: names to look for in the class.
        """
        found = {operation: self._look_up(names, count) for operation, (names, count) in methods.items()}
        return {
            "name": self.ValueClass.__name__,
            "place": f"{self.ValueClass.__module__}:{self.ValueClass.__qualname__}",
            "methods": {operation: text for operation, text in found.items() if text},
            "attributes": [name for name in attributes if self._own(name)],
            "near": [] if self._own("backward") else difflib.get_close_matches("backward", dir(self.ValueClass), 1),
        }

    def _own(self, name: str) -> Any:
        """An attribute of the class, unless it is only inherited from a type of Python's, such as float."""
        return getattr(self.ValueClass, name, None) if any(name in vars(base) for base in self.family) else None

    def _look_up(self, names: Sequence[str], count: int) -> str | None:
        """How the operation is written: as a method, or as a function of the class's own module."""
        place = self.ValueClass.__module__
        for own in names:
            if takes(self._own(own), count):
                return method_text(own, count)
            function = getattr(sys.modules.get(place), own, None)
            if inspect.isfunction(function) and function.__module__ == place and takes(function, count):
                self.names[own] = function
                return f"{own}({', '.join(['{}'] * count)})"
        return None

    def answer(self, steps: Sequence[Step], lines: int) -> Answer:
        """Does the steps, each within so many lines of their Python."""
        names = dict(self.names)
        done: Answer = []
        for step in steps:
            self.begin()
            done.append(self._done(step, names, lines))
            if "error" in done[-1]:
                break
        return done

    def _done(self, step: Step, names: dict[str, Any], lines: int) -> dict[str, Any]:
        """Does one step; its entry in the answer."""
        if "do" in step:
            code = _compiled(step["do"], "exec")
            _, error, used = attempt(partial(exec, code, names), lines)
            refused = {} if error is None else _refused(error, lines)  # it may count as false
            return {"lines": used} | (self._not_theirs(step.get("theirs", ()), names) or refused)
        text, in_words = (step["numbers"], _numbers) if "numbers" in step else (step["read"], _described)
        code = _compiled(text, "eval")
        found, error, _ = attempt(lambda: in_words(eval(code, names)), lines)
        entry: dict[str, Any] = found if error is None else _refused(error, lines)
        return entry

    def _not_theirs(self, wanted: Sequence[str], names: dict[str, Any]) -> dict[str, Any] | None:
        """The first name that holds something other than a number of theirs."""
        for name in wanted:
            if name in names and not issubclass(type(names[name]), self.family):
                return {"error": "NotTheirs", "bases": [], "text": name, **_described(names[name])}
        return None


@lru_cache(maxsize=256)  # most programs end with the same few lines: a third of the time
def _compiled(text: str, mode: str) -> Any:
    return compile(text, "<program>", mode)


def _described(x: Any) -> dict[str, Any]:
    """A number as one of Python's own, or None; its text and its type for the report."""
    if type(x) is float:  # the common case first
        return {"number": x, "shown": repr(x), "type": "float"}
    return {"number": real_or_none(x), "shown": visible(shown(x, 40)), "type": type(x).__name__}


def _numbers(values: list[Any]) -> dict[str, Any]:
    return {"numbers": [real_or_none(x) for x in values]}


def _refused(error: BaseException, lines: int) -> dict[str, Any]:
    """What was raised, in words. Their exception may have a `__str__` of its own, so that this too is limited."""
    text, _, _ = attempt(lambda: visible(" ".join(str(error).split())), lines)
    text = text or ""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 3]}..."
    kind = type(error)
    return {
        "error": kind.__name__,
        "bases": [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"],
        "text": text,
    }


# The process


def main() -> None:
    """Answers the judge's questions, which come on standard input, until there are no more, in a supervised process."""
    supervised(_answer)


def _answer() -> None:
    """The judge's two pipes get numbers of their own, and whatever else reads input or prints meets an empty device."""
    with os.fdopen(os.dup(0), "rb") as questions, contextlib.suppress(BrokenPipeError):
        answers = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in 0, 1, 2:
            os.dup2(nothing, standard)
        _serve(questions, answers)


def _serve(questions: BinaryIO, answers: int) -> None:
    setup = json.loads(questions.readline())
    _limit(**setup["limits"])
    _forget_ourselves()
    sys.path[:], sys.argv[:] = _standard_library_first(setup["path"]), [setup["engine"]]

    def sign_of_life() -> None:
        os.write(answers, b".")

    def send(answer: Any) -> None:
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(answers, data) :]

    sign_of_life()
    try:
        with undisturbed(), _noticing_imports(sign_of_life):
            ValueClass = class_of(setup["engine"])
    except CommandError as error:
        send({"sentence": str(error)} | ({"empty": True} if isinstance(error, NoClassError) else {}))
        return
    player = Player(ValueClass, sign_of_life)
    with undisturbed():
        send(player.describe(setup["methods"], setup["attributes"]) | _origin(ValueClass, setup["engine"]))
        for line in questions:
            for question in json.loads(line):
                send(_surviving(player, question))


def _surviving(player: Player, question: dict[str, Any]) -> Answer:
    try:
        return player.answer(question["steps"], question["lines"])
    except KeyboardInterrupt as error:  # raised by their code: no user has this process in a terminal
        return [_refused(error, question["lines"])]


def _limit(memory: int, processes: int, file_size: int, seconds: int) -> None:
    """Asks the operating system to stop what takes too much. Windows has no such limits."""
    try:
        import resource
    except ImportError:
        return
    wanted = {
        "RLIMIT_DATA": memory,
        "RLIMIT_AS": 4 * memory,  # address space is reserved in bulk; where RLIMIT_DATA does nothing, this is the limit
        "RLIMIT_NPROC": processes,
        "RLIMIT_FSIZE": file_size,
        "RLIMIT_CPU": seconds,
        "RLIMIT_CORE": 0,
    }
    for name, most in wanted.items():
        if most or name == "RLIMIT_CORE":
            with contextlib.suppress(AttributeError, ValueError, OSError):
                kind = getattr(resource, name)
                _, hard = resource.getrlimit(kind)
                most = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.setrlimit(kind, (most, most))
    signal.alarm(seconds)  # ends this process even if the judge has been killed


def _standard_library_first(path: Sequence[str]) -> list[str]:
    """The path with Python's own modules before all others: what lies beside a submission comes next (`finding.py`)."""
    return sorted(path, key=lambda folder: not is_standard(folder))


def _forget_ourselves() -> None:
    """Lets their `import autograd` load it anew: it is seen to be loaded, and nothing that runs here can be patched."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "autograd"]:
        del sys.modules[name]


@contextlib.contextmanager
def _noticing_imports(sign_of_life: Callable[[], None]) -> Iterator[None]:
    """Gives a sign of life for each module that is looked for: importing a large library is slow, and no hang."""

    class Finder:
        @staticmethod
        def find_spec(*_: Any) -> None:
            sign_of_life()

    sys.meta_path.insert(0, Finder)
    try:
        yield
    finally:
        if Finder in sys.meta_path:
            sys.meta_path.remove(Finder)


def _origin(ValueClass: type, words: str) -> dict[str, Any]:
    """Whose class this is, if its work is done by a class from elsewhere; and which engines have been imported."""
    owners = [next((base for base in ValueClass.__mro__ if name in vars(base)), object) for name in WORK]
    others = {
        name: f"{owner.__module__}:{owner.__qualname__}"
        for name, owner in zip(WORK, owners, strict=True)
        if owner.__module__ != "builtins" and not _is_own(owner.__module__, words)
    }
    if others:
        name, whose = next(iter(others.items()))
        return {"whose": whose, "of": name, "all": len(others) == sum(owner is not object for owner in owners)}
    return {"imported": [name for name in KNOWN_ENGINES if name in sys.modules and not _is_own(name, words)]}


def _is_own(module: str, words: str) -> bool:
    """Whether a module lies beside the submission, or is of the package that was named."""
    file = os.path.realpath(getattr(sys.modules.get(module), "__file__", None) or "")
    folder = folder_of(words)
    if folder:
        return file.startswith(folder) and "site-packages" not in file
    return module.partition(".")[0] == words.partition(":")[0].partition(".")[0]
