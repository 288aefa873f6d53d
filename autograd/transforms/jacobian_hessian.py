"""What are all first derivatives of many results, and all second derivatives of one? Matrices, in nested lists.

`jacobian` walks forward once for each input, or backward once for each result, whichever is less. `hessian` goes
forward over reverse: it computes how fast the gradient changes with each input. `hvp` does the same for one direction.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd.transforms.derivatives import named, pulled
from autograd.transforms.duals import rates_of_adjoints
from autograd.transforms.forward import pushed, pushed_floats
from autograd.transforms.nesting import Number, numbers_like, rebuilt
from autograd.transforms.recorded_call import (
    Argnums,
    RecordedCall,
    check,
    despite_no_grad,
    order_between,
    recorded_call,
)
from autograd.value import Value


def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes all derivatives of all numbers that `f` returns.

    Arguments:
        f: a function that returns numbers, in any nesting.
        argnums: the place of the argument to differentiate by; or several, for a tuple.

    Returns:
        a function of the same arguments. Its result has the structure of what f returns. In the place of each number
        stands that number's gradient, in the structure of the argument. If both are lists, this is a list of rows.
        Floats or Values as for `grad`.

    Raises:
        TypeError, IndexError: as `grad`, but f may return any nesting of numbers.

    >>> jacobian(lambda v: [v[0] * v[1], v[0] + v[1], v[0] ** 2])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 1.0], [4.0, 0.0]]
    """
    check("jacobian", f, argnums)

    def jacobian_of_f(*args: Any, **kwargs: Any) -> Any:
        call = recorded_call("jacobian", f, args, kwargs, argnums)
        for x in call.argument if isinstance(argnums, tuple | list) else [call.argument]:
            if hasattr(x, "__array__"):  # one number out of an array, for `compile`: the array's Jacobian is a matrix,
                x.__array__()  # so that this refuses it, and the array comes instead
        forward = len(call.inputs) < len(call.outputs)
        columns = [[c.get(y, 0.0) for y in call.outputs] for c in _pushed_one_by_one(call)] if forward else []
        rows = [list(row) for row in zip(*columns, strict=True)] if columns else list(_rows_backward(call))
        numbers = iter(call.for_caller([x for row in rows for x in row]))
        return rebuilt(call.result, (rebuilt(call.argument, numbers) for _ in rows))

    return named(jacobian_of_f, "jacobian", f)


def _pushed_one_by_one(call: RecordedCall) -> Iterator[dict[Value, Any]]:
    """For each input in turn, the tangents of all nodes while only that input moves."""
    for x in call.inputs:
        if call.in_floats:
            yield pushed_floats(call.order, {x: 1.0})
        else:
            with despite_no_grad():
                tangents = pushed(call.order, {x: 1.0})
            yield tangents


def _rows_backward(call: RecordedCall) -> Iterator[list[Number]]:
    """The gradient of each output in turn."""
    for k in range(len(call.outputs)):
        yield pulled(call, [1.0 if i == k else 0.0 for i in range(len(call.outputs))])


def hessian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes all second derivatives of `f`: forward over reverse, each pair of inputs once.

    Arguments:
        f: a function that returns one number.
        argnums: the place of the argument to differentiate by; or several, for a tuple of tuples.

    Returns:
        a function of the same arguments. Its result has the structure of the argument twice, one inside the other. For
        a list, these are the rows of a symmetric matrix. Floats or Values as for `grad`.

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
        call = recorded_call("hessian", f, args, kwargs, argnums)
        call.scalar("hessian", "use jacobian twice, or return one number")
        columns = _columns_in_floats(call) if call.in_floats else _columns(call)
        half = call.for_caller([x for k, column in enumerate(columns) for x in column[k:]])
        matrix = _symmetric(len(call.inputs), iter(half))
        return rebuilt(call.argument, (rebuilt(call.argument, iter(row)) for row in matrix))

    return named(hessian_of_f, "hessian", f)


def _symmetric(n: int, half: Iterator[Any]) -> list[list[Any]]:
    """The symmetric matrix of n rows that has these numbers from the diagonal on, row by row."""
    matrix: list[list[Any]] = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i, n):
            matrix[i][j] = matrix[j][i] = next(half)
    return matrix


def _columns_in_floats(call: RecordedCall) -> Iterator[Sequence[Number]]:
    """The columns of the Hessian, right from the diagonal down; the numbers above it are not used.

    For column k, only the nodes that depend on input k or a later one are walked through.
    """
    pulled(call, [1.0])
    last = _last_inputs(call)
    for k, tangents in enumerate(_pushed_one_by_one(call)):
        rates = rates_of_adjoints([node for node in call.order if last[node] >= k], tangents)
        yield [rates.get(x, 0.0) for x in call.inputs]


def _last_inputs(call: RecordedCall) -> dict[Value, int]:
    """For each node, the place of the last input that it depends on; -1 if there is none."""
    last = {x: k for k, x in enumerate(call.inputs)}
    for node in call.order:
        last[node] = max((last.get(x, -1) for x in node.parents), default=-1)
    return last


def _columns(call: RecordedCall) -> Iterator[Sequence[Number]]:
    """The columns of the Hessian over Values: tangents are pushed through the graph of the gradient."""
    gradient = pulled(call, [1.0])
    for k, x in enumerate(call.inputs):
        rest = [g for g in gradient[k:] if isinstance(g, Value)]
        with despite_no_grad():
            tangents = pushed(order_between(call.inputs, rest), {x: 1.0})
        yield [tangents.get(g, 0.0) if isinstance(g, Value) else 0.0 for g in gradient]


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The Hessian of `f` at x times the vector v. It costs a few gradients, however many inputs there are.

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
    call = recorded_call("hvp", f, (x,), {})
    call.scalar("hvp", "return one number")
    moving = dict(zip(call.inputs, direction, strict=True))
    if call.in_floats and not any(isinstance(t, Value) for t in direction):
        tangents = pushed_floats(call.order, moving)  # type: ignore[arg-type]
        pulled(call, [1.0])
        rates = rates_of_adjoints(call.order, tangents)
        return call.rebuilt([rates.get(z, 0.0) for z in call.inputs])
    gradient = pulled(call, [1.0], in_floats=False)
    order = order_between(call.inputs, [g for g in gradient if isinstance(g, Value)])
    with despite_no_grad():
        found = pushed(order, moving)
    return call.rebuilt([found.get(g, 0.0) if isinstance(g, Value) else 0.0 for g in gradient], direction)
