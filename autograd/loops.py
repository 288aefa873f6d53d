"""How is a loop with state written, so that a compiled function records its body once? With `scan`.

Called with numbers or Values, it is a loop of Python. In a function that is being recorded, the whole loop becomes one
instruction (`compiler/scans.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from autograd import modes
from autograd.reals import shown
from autograd.transforms.nesting import described, shape_of

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(f: Step, init: Any, xs: Any = None, length: int | None = None) -> tuple[Any, Any]:
    """A loop with state: `carry, y = f(carry, x)` for each x of a sequence, as `jax.lax.scan` has it.

    In a function that `compile` records, or whose training `nn` records, the body is recorded once, and the loop is one
    instruction: how long it takes to compile does not depend on the number of steps. So `f` is called once there. Else
    it is an ordinary loop, whose graph can be drawn and stepped. A loop whose derivative is taken inside the recorded
    function, and one that draws random numbers, is recorded step by step.

    A list or an array is a sequence, with an x for each step: a number, or a nesting of lists, tuples and dicts of
    numbers. A tuple or a dict holds several sequences, which are gone through side by side: for `xs=(a, b)` the x of a
    step is `(a[t], b[t])`. What comes out follows the same rule: if `f` gives a tuple or a dict beside its state, `ys`
    is a tuple or a dict of lists, and else a list with a y for each step; or None if `f` gives None.

    Arguments:
        f: takes the state and an x; returns the new state, of the same nesting, and a y.
        init: the state at first: a number, or a nesting of numbers.
        xs: what the steps read; None if they read nothing. Then x is None.
        length: the number of steps, where there are no xs.

    Returns:
        the last state, and the ys.

    Raises:
        TypeError: `f` does not return a pair, or changes the nesting of the state; the x of a step has another nesting
            than the first; or something is no number.
        ValueError: the sequences differ in length, or there is no length.

    >>> from autograd import compile, scan
    >>> def step(total, x):
    ...     total = total * 0.5 + x
    ...     return total, total
    >>> scan(step, 0.0, [1.0, 2.0, 4.0])
    (5.25, [1.0, 2.5, 5.25])
    >>> last = compile(lambda decay, xs: scan(lambda s, x: (s * decay + x, None), 0.0, xs)[0])
    >>> last(0.5, [1.0, 2.0, 4.0]), last.value_and_grad(0.5, [1.0, 2.0, 4.0])
    (5.25, (5.25, (3.0, [0.25, 0.5, 1.0])))
    """
    elements = _elements(xs, length)
    if elements and modes.is_traced():
        from autograd.compiler.scans import recorded

        found = recorded(partial(one_step, f), init, elements)
        if found is not None:
            return found[0], stacked(found[1])
    carry, ys = init, []
    for x in elements:
        carry, y = one_step(f, carry, x)
        ys.append(y)
    return carry, stacked(ys)


def one_step(f: Step, carry: Any, x: Any) -> tuple[Any, Any]:
    """What a step returns, if that is a state of the same nesting and something beside it."""
    found = f(carry, x)
    if not isinstance(found, tuple) or len(found) != 2:
        raise TypeError(
            f"the step of a scan returns a pair, (carry, y); got {shown(found)}: return carry, None for no y"
        )
    if shape_of(found[0]) != shape_of(carry):
        raise TypeError(
            f"the step of a scan returned {described(found[0])} as its carry, {shown(found[0])}, where it was given "
            f"{described(carry)}: return a carry of the same nesting"
        )
    return found


def stacked(ys: Sequence[Any]) -> Any:
    """What the steps gave: a list; or for tuples and dicts one of lists; or None if they gave nothing."""
    first = ys[0] if ys else 0.0
    if first is None:
        return None
    if isinstance(first, dict):
        return {key: stacked([y[key] for y in ys]) for key in first}
    if isinstance(first, tuple):
        columns = map(stacked, zip(*ys, strict=True))
        return type(first)(*columns) if hasattr(first, "_fields") else tuple(columns)
    return list(ys)


def _elements(xs: Any, length: int | None) -> list[Any]:
    """The x of each step."""
    if xs is None and length is None:
        raise ValueError("scan takes xs or a length; got neither: give the number of steps as length")
    if length is not None and (not isinstance(length, int) or length < 0):
        raise ValueError(f"scan takes a whole number of at least 0 as its length; got {shown(length)}")
    lengths = {len(x) for x in _sequences(xs)}
    if len(lengths | ({length} - {None})) > 1:
        counts = sorted({*lengths, *({length} - {None})})  # type: ignore[type-var]
        raise ValueError(
            f"scan takes sequences of one length; got lengths {', '.join(map(str, counts))}: cut the longer"
        )
    if xs is None or not lengths:
        return [xs] * (length or 0)
    return _side_by_side(xs, lengths.pop())


def _sequences(xs: Any) -> Iterator[Sequence[Any]]:
    """The sequences in xs."""
    if isinstance(xs, dict | tuple):
        for branch in xs.values() if isinstance(xs, dict) else xs:
            yield from _sequences(branch)
    elif hasattr(xs, "__len__") and hasattr(xs, "__getitem__") and not isinstance(xs, str):
        yield xs
    elif xs is not None:
        raise TypeError(
            f"scan takes a list or an array as xs, or tuples and dicts of them; got {shown(xs)} "
            f"({type(xs).__name__}): give a list with an x for each step"
        )


def _side_by_side(xs: Any, steps: int) -> list[Any]:
    """The x of each step, from sequences that are gone through side by side."""
    if isinstance(xs, dict):
        columns = [_side_by_side(branch, steps) for branch in xs.values()]
        return [dict(zip(xs, row, strict=True)) for row in zip(*columns, strict=True)]
    if isinstance(xs, tuple):
        rows = zip(*(_side_by_side(branch, steps) for branch in xs), strict=True)
        return [type(xs)(*row) if hasattr(xs, "_fields") else row for row in rows]
    if xs is None:
        return [None] * steps
    return list(xs.tolist() if hasattr(xs, "tolist") else xs)
