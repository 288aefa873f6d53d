"""What is the derivative of a function? Functions that take a function, and give its derivative as a function.

`grad` and `value_and_grad` walk the recorded graph backward, `jvp` forward, `vjp` backward as often as asked;
`derivative` takes any order. Where nothing could be connected to the result, it is computed in floats; otherwise the
chain rule is written out over Values, and its result can be differentiated again.
"""

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

from autograd import modes
from autograd.reals import shown
from autograd.transforms.forward import pushed, pushed_floats
from autograd.transforms.nesting import Number, is_nested, numbers_like, rebuilt
from autograd.transforms.recorded_call import Argnums, Recorded, check, name_of, record, recorded_again
from autograd.transforms.reverse import adjoints, dependents, float_gradients
from autograd.transforms.series import expanded
from autograd.value import Value


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes the gradient of `f`, by the chain rule backward.

    The argument may be a number, a Value, or any nesting of lists, tuples and dicts of them; the gradient has the same
    structure. It is made of floats, unless an argument is a Value or the gradient depends on one (a parameter that `f`
    reads, the argument of an outer `grad`): then it is made of Values, connected to those, for derivatives of
    derivatives. No `grad` of any Value is read or changed.

    Arguments:
        f: a function that returns one number that was computed with the functions of `autograd`.
        argnums: the place of the argument to differentiate by; or several, for a tuple of gradients.

    Returns:
        a function of the same arguments.

    Raises:
        TypeError: f is no function, does not return one number, or returns one that does not depend on its inputs; an
            argument is no number.
        IndexError: f is called without an argument at that place.

    Special points: those of the rules, at every order; a contribution with an exactly zero factor is 0 where the other
    one is not finite.

    >>> from autograd import sin
    >>> grad(sin)(0.0)
    1.0
    >>> grad(lambda p: p["w"] * p["x"] + p["b"])({"w": 3.0, "x": 2.0, "b": 1.0})
    {'w': 2.0, 'x': 3.0, 'b': 1.0}
    >>> grad(grad(grad(lambda x: x**4)))(2.0)
    48.0
    >>> grad(lambda x: x * grad(lambda y: x + y)(1.0))(5.0)
    1.0
    """
    check("grad", f, argnums)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        call = record("grad", f, args, kwargs, argnums)
        call.scalar("grad")
        return call.rebuilt(pulled(call, [1.0]))

    return named(gradient, "grad", f)


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes `f` and its gradient together: as `grad`, with the value before the gradient.

    Arguments:
        f: a function that returns one number.
        argnums: the place, or places, of what to differentiate by.

    Returns:
        a function of the same arguments that returns a pair.

    Raises:
        TypeError, IndexError: as `grad`.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    check("value_and_grad", f, argnums)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = record("value_and_grad", f, args, kwargs, argnums)
        (value,) = call.delivered([call.scalar("value_and_grad")])
        return value, call.rebuilt(pulled(call, [1.0]))

    return named(value_and_gradient, "value_and_grad", f)


def pulled(call: Recorded, cotangents: Sequence[Number], in_floats: bool | None = None) -> list[Number]:
    """The derivative by each input of the sum of the outputs, each times its cotangent."""
    seeds: dict[Value, Number] = {}
    for y, cotangent in zip(call.outputs, cotangents, strict=True):
        seeds[y] = seeds[y] + cotangent if y in seeds else cotangent
    if call.in_floats if in_floats is None else in_floats:
        with call.lock:
            return list(float_gradients(call.order, seeds, call.inputs))  # type: ignore[arg-type]
    with recorded_again():
        found = adjoints(call.order, seeds, dependents(call.order, call.inputs))
    return [found.get(x, 0.0) for x in call.inputs]


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of `f`, and how fast it changes as its arguments move: a Jacobian-vector product, by forward mode.

    Arguments:
        f: a function that returns numbers, in any nesting.
        primals: a tuple or list of its arguments; a single number stands for a function of one.
        tangents: how fast each of their numbers moves, in the same structure.

    Returns:
        what f returns, and the tangents of that in the same structure; floats or Values as for `grad`.

    Raises:
        TypeError: as `grad`, but f may return any nesting of numbers.
        ValueError: tangents are not given one for each number of primals.

    >>> jvp(lambda x, y: (x * y, x + y), (2.0, 3.0), (1.0, 0.0))
    ((6.0, 5.0), (3.0, 1.0))
    """
    check("jvp", f)
    rates = numbers_like(tangents, primals, "the tangents of jvp")
    call = _of_all(f, "jvp", primals)
    if call.in_floats and not any(isinstance(x, Value) for x in rates):
        floats = pushed_floats(call.order, dict(zip(call.inputs, rates, strict=True)))  # type: ignore[arg-type]
        out: list[Number] = [floats.get(y, 0.0) for y in call.outputs]
    else:
        with recorded_again():
            values = pushed(call.order, dict(zip(call.inputs, rates, strict=True)))
        out = [values.get(y, 0.0) for y in call.outputs]
    return _in_form(call, call.outputs), _in_form(call, out, rates)


def vjp(f: Callable[..., Any], primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The value of `f`, and a function that pulls derivatives back through it: vector-Jacobian products, backward.

    Arguments:
        f: a function that returns numbers, in any nesting.
        primals: a tuple or list of its arguments; a single number stands for a function of one.

    Returns:
        what f returns, and a function of cotangents (in the structure of what f returns), which returns their sum of
        products with the derivatives, in the structure of primals. It can be called again and again.

    Raises:
        TypeError: as `grad`, but f may return any nesting of numbers.
        ValueError: cotangents are not given one for each number that f returned.

    >>> value, pull = vjp(lambda x, y: (x * y, x + y), (2.0, 3.0))
    >>> value, pull((1.0, 0.0)), pull((0.0, 1.0))
    ((6.0, 5.0), (3.0, 2.0), (1.0, 1.0))
    """
    check("vjp", f)
    call = _of_all(f, "vjp", primals)

    def pull(cotangents: Any) -> Any:
        seeds = numbers_like(cotangents, call.result, "the cotangents of vjp")
        in_floats = call.in_floats and not any(isinstance(x, Value) for x in seeds)
        return call.rebuilt(pulled(call, seeds, in_floats), seeds)

    return _in_form(call, call.outputs), pull


def _of_all(f: Callable[..., Any], what: str, primals: Any) -> Recorded:
    """The call of f on all its arguments, as numbers to differentiate by."""
    if isinstance(primals, tuple | list):
        call = record(what, lambda *args: f(*args), primals, {}, tuple(range(len(primals)))) if primals else None
        if call is None:
            raise ValueError(f"{what} needs at least one argument of {name_of(f)}; got none")
        call.argument = primals
        return call
    return record(what, f, (primals,), {})


def _in_form(call: Recorded, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> Any:
    """Numbers as the caller gets them, in the structure of what the function returned."""
    return rebuilt(call.result, iter(call.delivered(numbers, directions)))


def derivative(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    """The derivative, of any order, of a function of one number. The work does not double with the order.

    Arguments:
        f: a function whose first argument is one number; it returns a number, or any nesting of numbers.
        order: how often to differentiate; 0 gives the value.

    Returns:
        a function of the same arguments; floats or Values as for `grad`.

    Raises:
        TypeError: the argument is not one number, or as `grad`.
        ValueError: the order is negative, or above 170.

    >>> from math import factorial
    >>> from autograd import exp, sin
    >>> [round(derivative(lambda x: exp(sin(x)), order=n)(0.0) / factorial(n), 6) for n in range(6)]
    [1.0, 1.0, 0.5, 0.0, -0.125, -0.066667]
    """
    check("derivative", f)
    if not isinstance(order, int) or isinstance(order, bool):
        raise TypeError(f"derivative(f, order) takes a whole number; got {shown(order)} ({type(order).__name__})")
    if not 0 <= order <= 170:  # the factorial of 171 is no float
        raise ValueError(f"derivative(f, order) takes an order from 0 to 170; got {order}")

    def nth_derivative(*args: Any, **kwargs: Any) -> Any:
        if args and is_nested(args[0]):
            raise TypeError(f"derivative takes a function of one number; got {shown(args[0])}: use jacobian or hessian")
        if order:  # series leave out what vanishes, and so look at numbers
            modes.check_readable("derivative()", "use grad(f), grad(grad(f)) and so on")
        call = record("derivative", f, args, kwargs)
        if order == 0:
            return _in_form(call, call.outputs)
        with recorded_again():
            found = expanded(call.order, call.inputs[0], order, call.in_floats)
            times = float(factorial(order))
            numbers = [found[y][order] * times if y in found else 0.0 for y in call.outputs]
        return _in_form(call, numbers)

    return named(nth_derivative, "derivative", f)


def named(made: Callable[..., Any], what: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """A derivative with a name of its own, such as "grad(f)"."""
    made.__name__ = made.__qualname__ = f"{what}({name_of(f)})"
    return made
