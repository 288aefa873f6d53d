"""Do all commands say what is wrong in one sentence, and end with the exit code that shells expect?"""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import pytest

from autograd.command_line import CommandError, Parser, run

PROGRAM = "python -m something"


def failing(error: BaseException) -> Callable[[list[str]], int]:
    def work(arguments: list[str]) -> int:
        raise error

    return work


def test_the_exit_code_is_that_of_the_work_and_0_where_it_gives_none() -> None:
    assert run(PROGRAM, len, ["a", "b"]) == 2
    assert run(PROGRAM, lambda arguments: None, []) == 0


def test_without_arguments_those_of_the_command_line_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["program", "a", "b", "c"])
    assert run(PROGRAM, len, None) == 3


SENTENCES = [
    (ValueError("a value"), "a value"),
    (CommandError("two\nlines\x1b"), "two lines\\x1b"),
    (CommandError("it", program="python -m something else"), "it"),
    (FileNotFoundError(2, "No such file or directory", "data.csv"), "data.csv: No such file or directory"),
    (OSError("no more room"), "no more room"),
    (
        ModuleNotFoundError("No module named 'mpmath'", name="mpmath"),
        "the package mpmath is needed: pip install mpmath",
    ),
    (ImportError("drawing needs graphviz: pip install graphviz"), "drawing needs graphviz: pip install graphviz"),
    (RuntimeError("dot cannot draw this"), "dot cannot draw this"),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES, ids=[repr(error) for error, _ in SENTENCES])
def test_what_is_wrong_is_one_sentence(error: Exception, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(PROGRAM, failing(error), []) == 2
    program = getattr(error, "program", "") or PROGRAM
    assert tuple(capsys.readouterr()) == ("", f"{program}: {sentence}\n")


def test_lines_stand_below_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    run(PROGRAM, failing(CommandError("wrong", below=["  a $", "    ^"])), [])
    assert capsys.readouterr().err == f"{PROGRAM}: wrong\n  a $\n    ^\n"


def test_an_interrupt_is_reported_as_shells_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(PROGRAM, failing(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_fault_of_the_program_itself_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(PROGRAM, failing(ZeroDivisionError()), [])


@pytest.mark.parametrize("arguments", [["--colur"], ["paint", "--colur"], ["paint", "x", "--colur", "red"]])
def test_a_misspelt_option_is_recognized_also_in_commands_below(arguments: list[str]) -> None:
    top = Parser(prog=PROGRAM)
    paint = top.add_subparsers(parser_class=Parser).add_parser("paint")
    paint.add_argument("--colour")
    paint.add_argument("what", nargs="?")
    with pytest.raises(CommandError, match=r"unrecognized arguments: --colur( red)? \(did you mean --colour\?\); see"):
        top.parse_args(arguments)


COMMANDS = ["autograd.command.main", "autograd.testing.__main__", "nn.command.main"]


@pytest.mark.parametrize("module", COMMANDS)
def test_each_command_has_help_and_refuses_unknown_options(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    main = import_module(module).main
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert capsys.readouterr().out.startswith("usage: python -m ")
    assert main(["--nonsense"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes work differently there")
def test_a_reader_that_leaves_does_not_change_the_verdict() -> None:
    code = (
        "import autograd, math, sys; from autograd.command.main import main; "
        "autograd.functions.sin = autograd.operation(math.sin, lambda out, x: 2.0, name='sin'); "
        "sys.exit(main(['sin(a)', '--at', 'a=1']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, b"")
