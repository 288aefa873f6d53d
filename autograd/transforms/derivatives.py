"""What is the derivative of a function? Each function here takes a function and returns its derivative as a function.

`grad` and `value_and_grad` walk the recorded graph backward. `jvp` walks it forward, `vjp` backward as often as asked.
`derivative` takes any order. A derivative that depends on no other Value is computed in floats. Any other is computed
over Values, and can be differentiated again.
"""

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

from autograd import modes
from autograd.reals import shown
from autograd.transforms.forward import pushed, pushed_floats
from autograd.transforms.nesting import Number, is_nested, numbers_like, opened, rebuilt
from autograd.transforms.recorded_call import (
    Argnums,
    RecordedCall,
    check,
    despite_no_grad,
    name_of,
    order_between,
    recorded_call,
)
from autograd.transforms.reverse import adjoints, dependents, float_gradients
from autograd.transforms.series import expanded
from autograd.value import Value


def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes the gradient of `f`, by reverse mode: the chain rule, backward.

    The argument may be a number, a Value, a NumPy array, or any nesting of lists, tuples and dicts of them. For an
    array, `f` gets an array of Values, on which NumPy computes. The gradient has the same structure. It consists of
    floats, unless the argument holds a Value or the gradient depends on one (a parameter that `f` reads, the argument
    of an outer `grad`). Then it consists of Values that are connected to those, for derivatives of derivatives. No
    `grad` of any Value is read or changed.

    Arguments:
        f: a function that computes one number with the functions of `autograd` and returns it.
        argnums: the place of the argument to differentiate by; or several places, for a tuple of gradients.

    Returns:
        a function of the same arguments.

    Raises:
        TypeError: f is no function, does not return one number, or its result does not depend on its inputs; an
            argument is no number.
        IndexError: f is called without an argument at that place.

    Special points: those of the rules, at every order. A product of exactly 0 and a number that is not finite is 0.

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
        call = recorded_call("grad", f, args, kwargs, argnums)
        call.scalar("grad")
        return call.rebuilt(pulled(call, [1.0]))

    return named(gradient, "grad", f)


def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The function that computes `f` and its gradient (see `grad`) in one go, as a pair.

    Arguments:
        f: a function that returns one number.
        argnums: the place, or places, of the arguments to differentiate by.

    Returns:
        a function of the same arguments that returns the value and the gradient.

    Raises:
        TypeError, IndexError: as `grad`.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    check("value_and_grad", f, argnums)

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = recorded_call("value_and_grad", f, args, kwargs, argnums)
        (value,) = call.for_caller([call.scalar("value_and_grad")])
        return value, call.rebuilt(pulled(call, [1.0]))

    return named(value_and_gradient, "value_and_grad", f)


def pulled(call: RecordedCall, cotangents: Sequence[Number], in_floats: bool | None = None) -> list[Number]:
    """The derivative, by each input, of the outputs' sum, where each output is multiplied by its cotangent."""
    seeds: dict[Value, Number] = {}
    for y, cotangent in zip(call.outputs, cotangents, strict=True):
        seeds[y] = seeds[y] + cotangent if y in seeds else cotangent
    if call.in_floats if in_floats is None else in_floats:
        with call.lock:
            return float_gradients(call.order, seeds, call.inputs)  # type: ignore[arg-type,return-value]
    with despite_no_grad():
        found = adjoints(call.order, seeds, dependents(call.order, call.inputs))
    return [found.get(x, 0.0) for x in call.inputs]


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """The value of `f`, and how fast it changes as its arguments move: a Jacobian-vector product, by forward mode.

    Arguments:
        f: a function that returns numbers, in any nesting.
        primals: a tuple or list of its arguments; or a single number, for a function of one argument.
        tangents: how fast each of their numbers moves, in the same structure.

    Returns:
        what f returns, and its tangents in the same structure; floats or Values as for `grad`.

    Raises:
        TypeError: as `grad`, but f may return any nesting of numbers.
        ValueError: the tangents do not have the structure of the primals.

    >>> jvp(lambda x, y: (x * y, x + y), (2.0, 3.0), (1.0, 0.0))
    ((6.0, 5.0), (3.0, 1.0))
    """
    check("jvp", f)
    rates = numbers_like(tangents, primals, "the tangents of jvp")
    call = _call_with_all(f, "jvp", primals)
    if call.in_floats and not any(isinstance(x, Value) for x in rates):
        floats = pushed_floats(call.order, dict(zip(call.inputs, rates, strict=True)))  # type: ignore[arg-type]
        out: list[Number] = [floats.get(y, 0.0) for y in call.outputs]
    else:
        with despite_no_grad():
            values = pushed(call.order, dict(zip(call.inputs, rates, strict=True)))
        out = [values.get(y, 0.0) for y in call.outputs]
    return _as_returned(call, call.outputs), _as_returned(call, out, rates)


def vjp(f: Callable[..., Any], primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The value of `f`, and a function that pulls derivatives back through it: vector-Jacobian products, in reverse.

    Arguments:
        f: a function that returns numbers, in any nesting.
        primals: a tuple or list of its arguments; or a single number, for a function of one argument.

    Returns:
        what f returns, and a function `pull`. It takes cotangents, one for each number that f returned, in the same
        structure. It multiplies the derivatives of each of those numbers by its cotangent, adds them up, and returns
        the sums in the structure of primals. It can be called again and again.

    Raises:
        TypeError: as `grad`, but f may return any nesting of numbers.
        ValueError: the cotangents do not have the structure of what f returned.

    >>> value, pull = vjp(lambda x, y: (x * y, x + y), (2.0, 3.0))
    >>> value, pull((1.0, 0.0)), pull((0.0, 1.0))
    ((6.0, 5.0), (3.0, 2.0), (1.0, 1.0))
    """
    check("vjp", f)
    call = _call_with_all(f, "vjp", primals)

    def pull(cotangents: Any) -> Any:
        seeds = numbers_like(cotangents, call.result, "the cotangents of vjp")
        in_floats = call.in_floats and not any(isinstance(x, Value) for x in seeds)
        return call.rebuilt(pulled(call, seeds, in_floats), seeds)

    return _as_returned(call, call.outputs), pull


def _call_with_all(f: Callable[..., Any], what: str, primals: Any) -> RecordedCall:
    """The recorded call of f, to be differentiated by all its arguments."""
    if not isinstance(primals, tuple | list):
        return recorded_call(what, f, (primals,), {})
    if not primals:
        raise ValueError(f"{what} needs at least one argument of {name_of(f)}; got none")
    call = recorded_call(what, lambda *args: f(*args), primals, {}, tuple(range(len(primals))))
    call.argument = opened(primals)
    return call


def _as_returned(call: RecordedCall, numbers: Sequence[Number], directions: Sequence[Number] = ()) -> Any:
    """Numbers for the caller, in the structure of what the function returned."""
    return rebuilt(call.result, iter(call.for_caller(numbers, directions)))


def derivative(f: Callable[..., Any], order: int = 1) -> Callable[..., Any]:
    """The derivative, of any order, of a function of one number. The work does not double with each order.

    (Inside a function that is being compiled it does: what is recorded there grows several times with each order.)

    Arguments:
        f: a function whose first argument is one number; it returns a number, or any nesting of numbers.
        order: how many times to differentiate; 0 gives the value.

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
        if args and is_nested(opened(args[0])):
            raise TypeError(f"derivative takes a function of one number; got {shown(args[0])}: use jacobian or hessian")
        call = recorded_call("derivative", f, args, kwargs)
        if order == 0:
            return _as_returned(call, call.outputs)
        with despite_no_grad():
            if modes.is_traced():
                return _as_returned(call, _pushed_again(call, order))
            found = expanded(call.order, call.inputs[0], order, call.in_floats)
            times = float(factorial(order))
            numbers = [found[y][order] * times if y in found else 0.0 for y in call.outputs]
        return _as_returned(call, numbers)

    return named(nth_derivative, "derivative", f)


def _pushed_again(call: RecordedCall, times: int) -> list[Number]:
    """The derivatives of the outputs by one input, by forward mode through forward mode, and so on.

    This serves where a function is recorded for all numbers: which terms of a series are left out is decided by number.
    """
    (x,) = call.inputs
    found: list[Number] = list(call.outputs)
    for _ in range(times):
        rates = pushed(order_between([x], [y for y in found if isinstance(y, Value)]), {x: 1.0})
        found = [rates.get(y, 0.0) if isinstance(y, Value) else 0.0 for y in found]
    return found


def named(made: Callable[..., Any], what: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a derivative a name that says what it is, such as "grad(f)"."""
    made.__name__ = made.__qualname__ = f"{what}({name_of(f)})"
    return made
