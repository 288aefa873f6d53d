"""Which programs does a model have already? Those that were compiled for it last, as long as it lives.

They are kept beside the models, not in them: a model is copied, pickled and saved without them.
"""

import threading
from typing import Any
from weakref import WeakKeyDictionary

from nn.module import Module

MOST = 4
"""How many programs are kept for one model."""

_programs: WeakKeyDictionary[Module, list[tuple[Any, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()


def keep(model: Module, key: Any, program: Any) -> None:
    """Keeps a program, in place of the oldest one if there are too many.

    Arguments:
        key: equal to another key if the program can serve for both.
    """
    if model.buffer_names:  # the program calls the model after each run, and would keep it alive
        return
    with _lock:
        programs = _programs.setdefault(model, [])
        programs[:] = [*(entry for entry in programs if entry[0] != key), (key, program)][-MOST:]


def kept(model: Module, key: Any) -> Any:
    """The program that was kept under an equal key, and stays kept; None if there is none."""
    with _lock:
        return next((program for found, program in _programs.get(model, ()) if found == key), None)


def taken(model: Module, key: Any) -> Any:
    """The program that was kept under an equal key, for one who uses it alone; None if there is none."""
    with _lock:
        programs = _programs.get(model, [])
        for place, (found, program) in enumerate(programs):
            if found == key:
                del programs[place]
                return program
    return None
