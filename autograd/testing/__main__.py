"""The command `python -m autograd.testing`: is somebody's own scalar engine right?

python -m autograd.testing my_engine.py:Value

The judging is done by `engines/`; here the class is found, and whatever is in the way of that is said in a sentence.
"""

import argparse
import difflib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from autograd.reals import shown
from autograd.text import visible

PROGRAM = "python -m autograd.testing"
DESCRIPTION = """\
Judges a scalar autograd engine: your own, micrograd, anybody's.

Its class makes a number, Value(2.0), with data, grad and backward(); which
operators and methods it has is found by trying. The report says by topic what
is right, what is wrong, with the smallest program that shows it, and what is
missing. The same engine gets the same report each time.

The file is run, as by an import: judge only code that you trust.
"""
EPILOG = """\
examples:
  python -m autograd.testing my_engine.py:Value
  python -m autograd.testing micrograd.engine:Value

exit status:
  0  nothing is wrong (something may be missing)
  1  something is wrong
  2  there is no such file, module or class, or it cannot be judged
"""


class CommandError(ValueError):
    """What was asked for cannot be done; one sentence."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are sentences."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message}; see {PROGRAM} --help")


def parser() -> argparse.ArgumentParser:
    """The one argument of the command."""
    options = Parser(
        prog=PROGRAM,
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("engine", metavar="ENGINE", help="FILE.py:CLASS or MODULE:CLASS, such as my_engine.py:Value")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Arguments:
        arguments: the words after `python -m autograd.testing`; those of the command line if None.

    Returns:
        the exit status: 0 if nothing is wrong, 1 if something is, 2 if there is no engine to judge.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not arguments:
            raise CommandError(f"name an engine, as in {PROGRAM} my_engine.py:Value; --help says more")
        from autograd.testing.engines import check_engine

        report = check_engine(class_of(parser().parse_args(arguments).engine))
        say(str(report))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except ModuleNotFoundError as error:  # mpmath or Hypothesis: a user's own import errors are CommandErrors
        print(f"{PROGRAM}: the package {error.name} is needed: pip install {error.name}", file=sys.stderr)
        return 2
    except (CommandError, TypeError) as error:
        print(f"{PROGRAM}: {' '.join(visible(str(error), ' ').split())}", file=sys.stderr)
        return 2
    return 0 if report.passed else 1


def class_of(words: str) -> type:
    """The class that FILE.py:CLASS or MODULE:CLASS names.

    Raises:
        CommandError: there is no such file, module or class, or it cannot be imported.

    >>> class_of("autograd:Value")
    <class 'autograd.value.Value'>
    >>> class_of("autograd:Valeu")
    Traceback (most recent call last):
    autograd.testing.__main__.CommandError: autograd has no class 'Valeu'; did you mean 'Value'?
    """
    place, colon, name = words.rpartition(":")
    if not (colon and place and name.isidentifier()):
        raise CommandError(
            f"the engine is FILE.py:CLASS or MODULE:CLASS, such as my_engine.py:Value; got {shown(words)}"
        )
    is_file = place.endswith(".py") or os.sep in place or "/" in place
    module = _from_file(Path(place)) if is_file else _from_name(place)
    found = getattr(module, name, None)
    if isinstance(found, type):
        return found
    what = f"has no class {name!r}" if found is None else f"has {name!r}, which is no class"
    public = {key: x for key, x in vars(module).items() if isinstance(x, type) and not key.startswith("_")}
    classes = [key for key, x in public.items() if x.__module__ not in ("builtins", "typing", "collections.abc")]
    raise CommandError(f"{place} {what}{_hint(name, classes, 'its classes are')}")


def _hint(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Names near this one; or, if none is and a few words lead up to them, all."""
    listed = sorted(set(names))
    close = difflib.get_close_matches(name, listed, n=3)
    close = close or [other for other in listed if other.lower() == name.lower()]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; {otherwise} {', '.join(listed[:8])}" if otherwise and listed else ""


def _from_file(path: Path) -> ModuleType:
    """The module in a file; what it imports is looked for beside it, as Python does with a program."""
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise CommandError(f"{path} {what}{_hint(path.name, _beside(path.parent))}")
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"engine_in_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path} is no Python file; its name should end in .py")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module
    loader = spec.loader
    _imported(str(path), lambda: loader.exec_module(module))
    return module


def _beside(folder: Path) -> list[str]:
    """The names of the Python files in a folder."""
    try:
        return [path.name for path in folder.glob("*.py") if not path.name.startswith("__")]
    except OSError:
        return []


def _from_name(name: str) -> ModuleType:
    """The module of that name, also from the folder where the command runs."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(f"{name!r} is no name of a module; a file's ends in .py, as in my_engine.py:Value")
    folder = os.getcwd()
    if folder not in sys.path and "" not in sys.path:
        sys.path.insert(0, folder)
    parent, _, _ = name.rpartition(".")
    if parent:
        _imported(parent, lambda: importlib.import_module(parent), missing=parent)
    found: ModuleType = _imported(name, lambda: importlib.import_module(name), missing=name)
    return found


def _modules_beside(name: str) -> list[str]:
    """The modules of the same package; at the top those in the folder where the command runs, and those installed."""
    parent, _, _ = name.rpartition(".")
    folders = list(getattr(sys.modules.get(parent), "__path__", [])) if parent else [os.getcwd()]
    stems = [file.removesuffix(".py") for folder in folders for file in _beside(Path(folder))]
    return [f"{parent}.{stem}" for stem in stems] if parent else [*stems, *packages_distributions()]


def _imported(what: str, load: Any, missing: str = "") -> Any:
    """What load() returns, without what the code prints; CommandError if it fails."""
    from autograd.testing.engines.running import undisturbed

    try:
        with undisturbed():
            return load()
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        if missing and error.name in (missing, missing.partition(".")[0]):
            raise CommandError(f"there is no module {missing!r}{_hint(missing, _modules_beside(missing))}") from None
        raise CommandError(f"{what} cannot be imported, since it needs {error.name!r}, which is not there") from None
    except BaseException as error:  # a SystemExit too
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".py")]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        where = f" in line {line}" if line else ""
        raise CommandError(f"{what} cannot be imported: {type(error).__name__}{where}: {text}".rstrip(": ")) from None


def say(text: str) -> None:
    """Prints the text; what the terminal's encoding has not is escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


if __name__ == "__main__":
    sys.exit(main())
