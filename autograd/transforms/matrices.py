"""What are all the first derivatives of many results, and all the second ones of one? Matrices, in nested lists.

`jacobian` walks forward once for each input or backward once for each result, whichever is less; `hessian` goes forward
over reverse: it asks how fast the gradient changes with each input. `hvp` asks the same in one direction only.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd.transforms.derivatives import named, pulled
from autograd.transforms.duals import rates_of_adjoints
from autograd.transforms.forward import pushed, pushed_floats
from autograd.transforms.nesting import Number, numbers_like, rebuilt
from autograd.transforms.recorded_call import Argnums, Recorded, check, order_between, record, recorded_again
from autograd.value import Value


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes all derivatives of all numbers that `f` returns.

    Arguments:
        f: a function that returns numbers, in any nesting.
        argnums: the place of the argument to differentiate by; or several, for a tuple.

    Returns:
        a function of the same arguments. It gives the structure of what f returns, with, in the place of each number,
        its gradient in the structure of the argument: for lists, a list of rows. Floats or Values as for `grad`.

    Raises:
        TypeError, IndexError: as `grad`, but f may return any nesting of numbers.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1], v[0] ** 2])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0], [4.0, 0.0]]
    """
    check("jacobian", f, argnums)

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = record("jacobian", f, args, kwargs, argnums)
        forward = len(call.inputs) < len(call.outputs)
        columns = [[c.get(y, 0.0) for y in call.outputs] for c in _pushed_one_by_one(call)] if forward else []
        rows = [list(row) for row in zip(*columns, strict=True)] if columns else list(_rows_backward(call))
        numbers = iter(call.delivered([x for row in rows for x in row]))
        return rebuilt(call.result, (rebuilt(call.argument, numbers) for _ in rows))

    return named(jacobian_of_f, "jacobian", f)


def _pushed_one_by_one(call: Recorded) -> Iterator[dict[Value, Any]]:
    """The tangents of all nodes as one input after the other moves."""
    for x in call.inputs:
        if call.in_floats:
            yield pushed_floats(call.order, {x: 1.0})
        else:
            with recorded_again():
                tangents = pushed(call.order, {x: 1.0})
            yield tangents


def _rows_backward(call: Recorded) -> Iterator[list[Number]]:
    """The gradient of one output after the other."""
    for k in range(len(call.outputs)):
        yield pulled(call, [1.0 if i == k else 0.0 for i in range(len(call.outputs))])


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes all second derivatives of `f`: forward over reverse, each pair of inputs once.

    Arguments:
        f: a function that returns one number.
        argnums: the place of the argument to differentiate by; or several, for a tuple of tuples.

    Returns:
        a function of the same arguments. It gives the structure of the argument twice, one inside the other: for a
        list, the rows of a symmetric matrix. Floats or Values as for `grad`.

    Raises:
        TypeError: as `grad`; or an operation was given over floats only.
        IndexError: as `grad`.

    Newton's method finds the lowest point of Rosenbrock's valley in a few steps:

    >>> def rosenbrock(v):
    ...     return (1 - v[0]) ** 2 + 100 * (v[1] - v[0] ** 2) ** 2
    >>> from autograd import grad, hessian
    >>> x, y = -1.2, 1.0
    >>> for step in range(7):
    ...     (p, q), ((a, b), (_, d)) = grad(rosenbrock)([x, y]), hessian(rosenbrock)([x, y])
    ...     x, y = x - (d * p - b * q) / (a * d - b * b), y - (a * q - b * p) / (a * d - b * b)
    >>> abs(x - 1.0) < 1e-12 and abs(y - 1.0) < 1e-12
    True
    """
    check("hessian", f, argnums)

    def hessian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = record("hessian", f, args, kwargs, argnums)
        call.scalar("hessian", "use jacobian twice, or return one number")
        columns = _columns_in_floats(call) if call.in_floats else _columns(call)
        n = len(call.inputs)
        upper = iter(call.delivered([x for k, column in enumerate(columns) for x in column[k:]]))
        matrix: list[list[Any]] = [[0.0] * n for _ in range(n)]
        for i in range(n):
            for j in range(i, n):
                matrix[i][j] = matrix[j][i] = next(upper)
        return rebuilt(call.argument, (rebuilt(call.argument, iter(row)) for row in matrix))

    return named(hessian_of_f, "hessian", f)


def _columns_in_floats(call: Recorded) -> Iterator[Sequence[Number]]:
    """The columns of the Hessian from the diagonal down, each as long as the others; what is above is not used.

    Of each column only the nodes are walked through that lead to inputs from the diagonal on.
    """
    pulled(call, [1.0])
    last = _last_inputs(call)
    for k, tangents in enumerate(_pushed_one_by_one(call)):
        rates = rates_of_adjoints([node for node in call.order if last[node] >= k], tangents)
        yield [rates.get(x, 0.0) for x in call.inputs]


def _last_inputs(call: Recorded) -> dict[Value, int]:
    """The place of the last input on which each node depends, -1 if on none."""
    last = {x: k for k, x in enumerate(call.inputs)}
    for node in call.order:
        last[node] = max((last.get(x, -1) for x in node.parents), default=-1)
    return last


def _columns(call: Recorded) -> Iterator[Sequence[Number]]:
    """The same over Values, by pushing tangents through the graph of the gradient."""
    gradient = pulled(call, [1.0])
    for k, x in enumerate(call.inputs):
        below = [g for g in gradient[k:] if isinstance(g, Value)]
        with recorded_again():
            tangents = pushed(order_between(call.inputs, below), {x: 1.0})
        yield [tangents.get(g, 0.0) if isinstance(g, Value) else 0.0 for g in gradient]


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of `f` at x times the vector v, for the price of a few gradients, however many inputs there are.

    Arguments:
        f: a function of one argument that returns one number.
        x: the argument: a number, or any nesting of numbers.
        v: the direction, in the same structure.

    Returns:
        how fast the gradient changes as x moves along v, in the same structure; floats or Values as for `grad`.

    Raises:
        TypeError: as `hessian`.
        ValueError: v has another structure than x.

    >>> hvp(lambda v: v[0] ** 2 * v[1], [3.0, 0.0], [0.0, 1.0])
    [6.0, 0.0]
    """
    check("hvp", f)
    direction = numbers_like(v, x, "the direction of hvp")
    call = record("hvp", f, (x,), {})
    call.scalar("hvp", "return one number")
    moving = dict(zip(call.inputs, direction, strict=True))
    if call.in_floats and not any(isinstance(t, Value) for t in direction):
        tangents = pushed_floats(call.order, moving)  # type: ignore[arg-type]
        pulled(call, [1.0])
        rates = rates_of_adjoints(call.order, tangents)
        return call.rebuilt([rates.get(z, 0.0) for z in call.inputs])
    gradient = pulled(call, [1.0], in_floats=False)
    order = order_between(call.inputs, [g for g in gradient if isinstance(g, Value)])
    with recorded_again():
        found = pushed(order, moving)
    return call.rebuilt([found.get(g, 0.0) if isinstance(g, Value) else 0.0 for g in gradient], direction)
