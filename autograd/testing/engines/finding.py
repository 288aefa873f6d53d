"""Which class is the engine that FILE.py:CLASS or MODULE:CLASS names? Whatever is in the way is said in a sentence."""

import difflib
import glob
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from autograd.command_line import CommandError
from autograd.reals import shown
from autograd.testing.engines.running import undisturbed

ENGINE = "Value"
"""What the class is called if nobody says."""


class NoClassError(CommandError):
    """There is no class of that name, and none that could be meant."""


def class_of(words: str) -> type:
    """The class that FILE.py:CLASS or MODULE:CLASS names, or FOLDER:CLASS for a package.

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
    modules = _from_file(Path(place)) if is_file(place) else iter([_from_name(place)])
    first = module = next(modules)
    while not hasattr(module, name):  # a package has it in one of its files
        following = next(modules, None)
        if following is None:
            break
        module = following
    found = getattr(module, name, None)
    if isinstance(found, type):
        return found
    if found is not None:
        raise CommandError(f"{place} has {name!r}, which is not a class: give the class that it makes")
    public = {key: x for key, x in vars(first).items() if isinstance(x, type) and not key.startswith("_")}
    classes = [key for key, x in public.items() if x.__module__ not in ("builtins", "typing", "collections.abc")]
    engines = [key for key in classes if {"backward", "__add__", "__mul__"} & vars(public[key]).keys()]
    if len(engines) == 1 and not difflib.get_close_matches(name, engines):
        raise CommandError(f"{place} has no class {name!r}: its class is {engines[0]}")
    kind = CommandError if engines else NoClassError
    raise kind(f"{place} has no class {name!r}{_hint(name, classes, 'its classes are')}")


def parts_of(words: str) -> tuple[str, str]:
    """The file or module, and the name of the class, which is Value if no name is given for a file.

    Raises:
        CommandError: it is not of the form FILE.py:CLASS or MODULE:CLASS.
    """
    place, colon, name = words.rpartition(":")
    if not colon and is_file(words):
        return words, ENGINE
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

    (A shell leaves such a pattern as it is, because of what follows the colon.) A file, a module or a package stands
    for itself; so does a package among what a pattern finds.

    Raises:
        CommandError: there is none.
    """
    place, name = parts_of(words)
    is_folder = os.path.isdir(place) and (is_file(place) or not os.path.exists(f"{place}.py"))
    if (is_folder and is_package(place)) or not (is_folder or (glob.has_magic(place) and not os.path.exists(place))):
        return [f"{place}:{name}"]
    found = glob.glob(os.path.join(glob.escape(place), "*") if is_folder else place, recursive=True)
    files = [file for file in found if file.endswith(".py") and os.path.isfile(file)]
    folders = [file for file in found if is_package(file)]
    packages = {folder for folder in map(os.path.dirname, files) if is_package(folder)}
    alone = [
        file for file in files if os.path.dirname(file) not in packages and os.path.basename(file) != "__main__.py"
    ]
    engines = sorted({*alone, *(os.path.join(folder, "") for folder in {*folders, *packages})})
    if not engines:
        raise CommandError(f"{place} {'is a folder without Python files' if is_folder else 'matches no file'}")
    return [f"{file}:{name}" for file in engines]


def is_package(folder: str) -> bool:
    """Whether it is a folder with an __init__.py."""
    return os.path.isfile(os.path.join(folder, "__init__.py"))


def check_file(words: str) -> None:
    """Raises a CommandError if the engine is to be in a file that is not there."""
    path = Path(parts_of(words)[0])
    if is_file(parts_of(words)[0]) and not path.is_file() and not is_package(str(path)):
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise CommandError(f"{path} {what}{_hint(path.name, _beside(path.parent))}")


def folder_of(words: str) -> str:
    """The real path of the folder that the engine's file lies in, with a separator at its end; "" for a module.

    For a package, and for a file of one, that is the package's.
    """
    place, _ = parts_of(words)
    if not is_file(place):
        return ""
    return os.path.join(os.path.realpath(_package_of(Path(place)) or Path(place).parent), "")


def _package_of(path: Path) -> Path | None:
    """The outermost folder of the package that a file belongs to, or that a folder is."""
    folder = Path(os.path.abspath(path if path.is_dir() else path.parent))
    if not is_package(str(folder)):
        return None
    while is_package(str(folder.parent)):
        folder = folder.parent
    return folder


def _hint(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Names like this one. Where there is none: the words `otherwise`, if there are any, and some names."""
    listed = sorted(set(names))
    close = difflib.get_close_matches(name, listed, n=3)
    close = close or [other for other in listed if other.lower() == name.lower()]
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; {otherwise} {', '.join(listed[:8])}" if otherwise and listed else ""


def _from_file(path: Path) -> Iterator[ModuleType]:
    """The module in a file; of a package its files, one after the other.

    What it imports is looked for beside it, after Python's own modules: a `random.py` there is not taken for those.
    """
    package = _package_of(path)
    own = str((package or path.resolve()).parent)
    if own not in sys.path:
        standard = [place for place, folder in enumerate(sys.path) if is_standard(folder)]
        sys.path.insert(max(standard, default=-1) + 1, own)
    if package is None:
        yield _loaded(path, path.stem)
        return
    top = _loaded(package / "__init__.py", package.name, [str(package)])
    if path.is_file():
        parts = path.resolve().with_suffix("").relative_to(package.resolve()).parts
        names = [".".join(parts)] if parts[-1] != "__init__" else []
    else:
        yield top
        names = [file.removesuffix(".py") for file in sorted(_beside(package))]
    for name in names:
        yield _imported(str(path), lambda name=name: importlib.import_module(f"{top.__name__}.{name}"))  # type: ignore[misc]
    if path.is_file() and not names:
        yield top


def is_standard(folder: str) -> bool:
    """Whether a folder of sys.path holds Python's own modules."""
    own = os.path.dirname(os.__file__)
    return folder == own or (folder.startswith(own + os.sep) and "site-packages" not in folder)


def _loaded(path: Path, name: str, places: list[str] | None = None) -> ModuleType:
    """The module that a file makes; with places, the package."""
    name = name if name.isidentifier() and name not in sys.modules else f"engine_in_{name}"
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=places)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path} is not a Python file; its name should end in .py")
    module = importlib.util.module_from_spec(spec)
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
        raise CommandError(f"{what} cannot be imported: {_why(error)}") from None


MAIN = "put that under if __name__ == '__main__'"
CAUSES = (
    (EOFError, f"it asks for input(){{where}}: {MAIN}"),
    (SystemExit, f"it calls exit(){{where}} (SystemExit): {MAIN}"),
    (MemoryError, "it needs too much memory{where} (MemoryError)"),
)
"""What is said of an import that fails with such an error."""


def _why(error: BaseException) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".py")]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    where = f" in line {line}" if line else ""
    for kind, sentence in CAUSES:
        if isinstance(error, kind):
            return sentence.format(where=where)
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    return f"{type(error).__name__}{where}: {text}".rstrip(": ")
