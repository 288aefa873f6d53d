"""Which class is the engine that FILE.py:CLASS or MODULE:CLASS names? Whatever is in the way is said in a sentence."""

import difflib
import glob
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from autograd.command_line import CommandError
from autograd.reals import shown
from autograd.testing.engines.running import undisturbed


def class_of(words: str) -> type:
    """The class that FILE.py:CLASS or MODULE:CLASS names.

    Raises:
        CommandError: there is no such file, module or class, or it cannot be imported.

    >>> class_of("autograd:Value")
    <class 'autograd.value.Value'>
    >>> class_of("autograd:Valeu")
    Traceback (most recent call last):
    autograd.command_line.CommandError: autograd has no class 'Valeu'; did you mean 'Value'?
    """
    place, name = parts_of(words)
    check_file(words)
    module = _from_file(Path(place)) if is_file(place) else _from_name(place)
    found = getattr(module, name, None)
    if isinstance(found, type):
        return found
    what = f"has no class {name!r}" if found is None else f"has {name!r}, which is not a class"
    public = {key: x for key, x in vars(module).items() if isinstance(x, type) and not key.startswith("_")}
    classes = [key for key, x in public.items() if x.__module__ not in ("builtins", "typing", "collections.abc")]
    raise CommandError(f"{place} {what}{_hint(name, classes, 'its classes are')}")


def parts_of(words: str) -> tuple[str, str]:
    """The file or module, and the name of the class.

    Raises:
        CommandError: it is not of the form FILE.py:CLASS or MODULE:CLASS.
    """
    place, colon, name = words.rpartition(":")
    if not (colon and place and name.isidentifier()):
        raise CommandError(
            f"the engine is FILE.py:CLASS or MODULE:CLASS, such as my_engine.py:Value; got {shown(words)}"
        )
    return place, name


def is_file(place: str) -> bool:
    """Whether it is the path of a file, or of a folder, and not the name of a module."""
    return place.endswith(".py") or os.sep in place or "/" in place


def engines_in(words: str) -> list[str]:
    """The engines that a pattern such as submissions/*.py:Value or a folder such as submissions/:Value stands for.

    (A shell leaves such a pattern as it is, because of what follows the colon.) A file or module stands for itself.

    Raises:
        CommandError: there is none.
    """
    place, name = parts_of(words)
    is_folder = is_file(place) and os.path.isdir(place)
    if not is_folder and (os.path.exists(place) or not glob.has_magic(place)):
        return [words]
    found = glob.glob(os.path.join(glob.escape(place), "*.py") if is_folder else place, recursive=True)
    files = sorted(file for file in found if os.path.isfile(file) and not os.path.basename(file).startswith("__"))
    if not files:
        raise CommandError(f"{place} {'is a folder without Python files' if is_folder else 'matches no file'}")
    return [f"{file}:{name}" for file in files]


def check_file(words: str) -> None:
    """Raises a CommandError if the engine is to be in a file that is not there."""
    path = Path(parts_of(words)[0])
    if is_file(str(path)) and not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise CommandError(f"{path} {what}{_hint(path.name, _beside(path.parent))}")


def folder_of(words: str) -> str:
    """The real path of the folder that the engine's file lies in, with a separator at its end; "" for a module."""
    place, _ = parts_of(words)
    return os.path.join(os.path.realpath(Path(place).parent), "") if is_file(place) else ""


def _hint(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Names like this one. Where there is none: the words `otherwise`, if there are any, and some names."""
    listed = sorted(set(names))
    close = difflib.get_close_matches(name, listed, n=3)
    close = close or [other for other in listed if other.lower() == name.lower()]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; {otherwise} {', '.join(listed[:8])}" if otherwise and listed else ""


def _from_file(path: Path) -> ModuleType:
    """The module in a file; what it imports is looked for beside it, as Python does with a program."""
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else f"engine_in_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path} is not a Python file; its name should end in .py")
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
    """The module of that name. It may lie in the folder where the command runs."""
    if not all(part.isidentifier() for part in name.split(".")):
        raise CommandError(f"{name!r} is not the name of a module; name a file with its .py, as in my_engine.py:Value")
    folder = os.getcwd()
    if folder not in sys.path and "" not in sys.path:
        sys.path.insert(0, folder)
    parent, _, _ = name.rpartition(".")
    if parent:
        _imported(parent, lambda: importlib.import_module(parent), missing=parent)
    found: ModuleType = _imported(name, lambda: importlib.import_module(name), missing=name)
    return found


def _modules_beside(name: str) -> list[str]:
    """The modules of the same package. Outside any package: those in this folder, and those installed."""
    parent, _, _ = name.rpartition(".")
    folders = list(getattr(sys.modules.get(parent), "__path__", [])) if parent else [os.getcwd()]
    stems = [file.removesuffix(".py") for folder in folders for file in _beside(Path(folder))]
    if parent:
        return [f"{parent}.{stem}" for stem in stems]
    from importlib.metadata import packages_distributions  # a fifth of the time that a process takes to start

    return [*stems, *packages_distributions()]


def _imported(what: str, load: Callable[[], Any], missing: str = "") -> Any:
    """What load() returns. What the code prints is not shown; that it fails is a CommandError."""
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
        text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
        where = f" in line {line}" if line else ""
        raise CommandError(f"{what} cannot be imported: {type(error).__name__}{where}: {text}".rstrip(": ")) from None
