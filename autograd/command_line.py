"""What do the commands share? One sentence for whatever is wrong, exit codes, and an end by Ctrl-C or a closed pipe.

The commands are `python -m autograd`, `python -m autograd.testing` and `python -m nn`.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from autograd.spelling import did_you_mean
from autograd.terminal import on_one_line

FAILURES = (ValueError, TypeError, OSError, RuntimeError, ImportError, subprocess.CalledProcessError)
"""What is said in a sentence. Any other error is a fault of the program, and shows its traceback."""


class CommandError(ValueError):
    """What was asked for cannot be done.

    Arguments:
        sentence: what is wrong.
        below: lines to print below the sentence.
        program: which command says so, if not the one that was started.
    """

    def __init__(self, sentence: str, below: Sequence[str] = (), program: str = "") -> None:
        super().__init__(sentence)
        self.below, self.program = below, program


class Parser(argparse.ArgumentParser):
    """A parser that raises one sentence, which names the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}{self._meant(message)}; see {self.prog} --help", program=self.prog)

    def _meant(self, message: str) -> str:
        if "unrecognized" not in message:
            return ""
        wrong = next((word for word in message.split() if word.startswith("--")), "")
        return did_you_mean(wrong, self._known(), show=str)

    def _known(self) -> list[str]:
        """The options of this parser and of those below it."""
        below = [
            parser for action in self._actions if isinstance(action.choices, dict) for parser in action.choices.values()
        ]
        return [*self._option_string_actions, *(option for parser in below for option in parser._known())]


def run(program: str, work: Callable[[list[str]], int | None], arguments: Sequence[str] | None) -> int:
    """Runs a command and says in a sentence what goes wrong.

    Arguments:
        program: how the command is started, such as "python -m nn".
        work: what it does with its arguments; it returns the exit code, or None for 0.
        arguments: the words behind the program; those of the command line if None.

    Returns:
        the exit code: that of the work, 2 if something is wrong, or 130 if the user interrupted it, as in shells.
    """
    code = None
    try:
        with until_the_reader_leaves():
            code = work(list(sys.argv[1:] if arguments is None else arguments))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except FAILURES as error:
        print(f"{getattr(error, 'program', '') or program}: {on_one_line(sentence_of(error))}", file=sys.stderr)
        for line in getattr(error, "below", ()):
            print(line, file=sys.stderr)
        return 2
    return code or 0


@contextlib.contextmanager
def until_the_reader_leaves() -> Iterator[None]:
    """Ends the block, without an error, when whoever reads the output has seen enough, as `head` does."""
    try:
        yield
        if sys.stdout is not None:  # it may be closed
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def sentence_of(error: Exception) -> str:
    """What is wrong, in words.

    >>> sentence_of(FileNotFoundError(2, "No such file or directory", "data.csv"))
    'data.csv: No such file or directory'
    """
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name} is needed: pip install {error.name}"
    return str(error)
