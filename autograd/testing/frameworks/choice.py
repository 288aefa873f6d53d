"""Whose arrays are at the point, and what does that framework claim?"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autograd.reals import shown
from autograd.testing.claims import Claim
from autograd.testing.frameworks.framework import Framework, FrameworkFunction
from autograd.testing.frameworks.jax_transforms import Jax
from autograd.testing.frameworks.torch_autograd import Torch
from autograd.testing.frameworks.value_backward import Values
from autograd.testing.inputs import Inputs, by_name
from autograd.transforms.nesting import leaves_of


def as_function(
    f: Callable[..., Any], point: Any, keywords: Mapping[str, Any] | None = None
) -> tuple[FrameworkFunction, Any, dict[str, Any]]:
    """Makes ready what the framework of the point's arrays is to differentiate.

    Arguments:
        f: a function of PyTorch's tensors, JAX's arrays or Values; or a model, a `torch.nn.Module`, one of `nn`, or an
            object of a class that is registered with JAX: its parameters are differentiated by too, each once; of
            PyTorch's those that require a gradient.
        point: a tuple of arguments, or one argument.
        keywords: further arguments by name.

    Returns:
        the function, its point and its keywords. In these, None stands for what the framework does not differentiate:
        plain numbers, other libraries' arrays, integers, and tensors that do not require a gradient if others do. The
        parameters of a model are further keywords.

    Raises:
        TypeError: the point is of no framework, or nothing in it is differentiable.
        ValueError: the model has parameters without shapes.

    >>> from autograd import Value
    >>> f, point, keywords = as_function(lambda x, power: x**power, (Value(2.0), 3))
    >>> point, f(*point)
    ((Value(data=2.0, grad=0.0), None), Value(data=8.0, grad=0.0))
    """
    positional = point if type(point) is tuple else (point,)
    keywords = by_name(keywords, "check_gradient")
    leaves = leaves_of((positional, keywords))
    for framework in _imported():
        if framework.parameters(f) or any(framework.knows(leaf) or framework.opened(leaf) for leaf in leaves):
            if advice := framework.no_function(f):
                raise TypeError(f"check_gradient takes a function; got {advice}")
            function = FrameworkFunction(f, framework, positional, keywords)
            return function, function.point if type(point) is tuple else function.point[0], function.keywords
    raise TypeError(
        f"check_gradient without df asks the framework of the point's arrays, but numbers and NumPy arrays have none; "
        f"got {shown(point)}: give df, or a point of torch tensors, JAX arrays or Values"
    )


def own_claims(f: FrameworkFunction, inputs: Inputs, outputs: Any) -> list[Claim]:
    """What the framework says to be the derivatives of a function that `as_function` made.

    Arguments:
        f, inputs: the function and its point.
        outputs: what it returned there.

    Returns:
        the backward pass, and the forward pass if there is one. The first has notes on what is left out.

    Raises:
        ValueError: the framework sees no way from the point to the results.
        InputChangedError: a backward pass changed what it read.
        NotDeterministicError: it gave other gradients when it ran a second time.

    >>> from autograd import Value
    >>> from autograd.testing.inputs import Inputs
    >>> from autograd.testing.outputs import Outputs
    >>> f, point, keywords = as_function(lambda x, y: [x * y, x.data * y], (Value(2.0), Value(5.0)))
    >>> inputs, outputs = Inputs(point, "check_gradient", keywords), Outputs(f(*point), "f")
    >>> [(claim.name, claim.entries()) for claim in own_claims(f, inputs, outputs)]
    [('backward', [5.0, 2.0, 0.0, 2.0])]
    """
    claims = f.framework.claims(f, inputs, len(outputs.numbers))
    claims[0].notes += f.notes
    return claims


def _imported() -> Iterator[Framework]:
    """The frameworks that the user has imported, and this engine."""
    if torch := sys.modules.get("torch"):
        yield Torch(torch)
    if jax := sys.modules.get("jax"):
        yield Jax(jax)
    yield Values()
