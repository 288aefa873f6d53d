"""What is nn's own? The classes that are marked so, and nothing derived from them.

Compiled training may rely on them: a recording sees everything that they read, write and draw. A class of one's own
may do more, even one that is derived from a marked class.
"""

from typing import Any, TypeVar

C = TypeVar("C", bound=type)


def own(marked: C) -> C:
    """Marks a class as nn's own, but not the classes that are derived from it.

    >>> @own
    ... class Layer: ...
    >>> class Mine(Layer): ...
    >>> is_own(Layer()), is_own(Mine())
    (True, False)
    """
    marked._is_own = True  # type: ignore[attr-defined]
    return marked


def is_own(x: Any) -> bool:
    """Whether the class of x itself is marked."""
    return "_is_own" in vars(type(x))
