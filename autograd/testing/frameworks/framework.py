"""What must be known of a framework to check its derivatives, and what is a function of its arrays alone?"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from autograd.reals import shown
from autograd.testing.arrays import holds_arrays, is_array, kind_of
from autograd.testing.claims import Claim
from autograd.testing.errors import InputChangedError
from autograd.testing.inputs import Inputs, note_left_alone
from autograd.testing.places import Field, leaves_with_places, written
from autograd.transforms.nesting import is_nested, leaves_of, rebuilt

Maker = Callable[[Iterator[Any]], Any]
"""Makes something of the next leaves; `next` takes one as it is."""
Opening = tuple[Any, Maker]
"""What holds arrays, as a dict, and how to make it again of its leaves."""


class Framework:
    """What is asked of PyTorch, of JAX, and of this engine.

    Attributes:
        arrays: what it calls its arrays, as errors say it.
        converted: how an array of integers becomes one of floats.
        detached: what takes a result out of its sight.
    """

    arrays = ""
    converted = ""
    detached = ""

    def knows(self, leaf: Any) -> bool:
        """Whether this is one of its arrays."""
        raise NotImplementedError

    def differentiable(self, leaves: Sequence[Any]) -> list[bool]:
        """Which of these it differentiates: its arrays of floats; of complex numbers too, for which it has an error."""
        return [self.knows(leaf) and kind_of(leaf) in ("real", "complex") for leaf in leaves]

    def opened(self, leaf: Any) -> Opening | None:
        """A dataclass with arrays, or a container of the framework's own kind; None of others."""
        return opened_dataclass(leaf, self)

    def opened_in(self, tree: Any) -> tuple[Any, list[Maker]]:
        """A nesting with all that can be opened as dicts, and how to make each leaf that it had of those it has now."""
        leaves = leaves_of(tree)
        openings = [self.opened(leaf) for leaf in leaves]
        opened = [opening[0] if opening else leaf for leaf, opening in zip(leaves, openings, strict=True)]
        return rebuilt(tree, iter(opened)), [opening[1] if opening else next for opening in openings]

    def no_function(self, f: Any) -> str:
        """What f is, and what to pass in its place, if it is no function of arrays; "" if it is one."""
        return ""

    def advice_if_slow(self, f: Any) -> str:
        """What makes a function that takes long faster; "" if nothing is known."""
        return ""

    def parameters(self, model: Any) -> dict[str, Any]:
        """What can be learned in a model, by name, each once; nothing if this is no model."""
        return {}

    def call_model(
        self, model: Any, parameters: Mapping[str, Any], positional: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        """What the model returns with these parameters. Nothing of the model is changed."""
        raise NotImplementedError

    def claims(self, f: "FrameworkFunction", inputs: Inputs, count: int) -> list[Claim]:
        """What it says to be the derivatives of so many results by the inputs."""
        raise NotImplementedError


def opened_dataclass(x: Any, framework: Framework) -> Opening | None:
    """A dataclass that holds arrays, in other dataclasses too."""
    if not dataclasses.is_dataclass(x) or isinstance(x, type):
        return None
    fields = {Field(field.name): getattr(x, field.name) for field in dataclasses.fields(x) if field.init}
    opened, makers = framework.opened_in(fields)
    if all(make is next for make in makers) and not any(map(framework.knows, leaves_of(fields))):
        return None

    def made(supply: Iterator[Any]) -> Any:
        return dataclasses.replace(x, **rebuilt(fields, iter([make(supply) for make in makers])))

    return opened, made


class FrameworkFunction:
    """A function of those arguments that its framework differentiates; all others are as they were.

    It is called with arguments of the same structure, with None in place of what is not differentiated. It returns
    lists, tuples and dicts of numbers and arrays.

    Arguments:
        f: the function, or a model with parameters.
        framework: whose arrays the arguments are.
        positional, keywords: the arguments.

    Attributes:
        point, keywords: the arguments without what is left alone, and with the parameters of the model.
        notes: what is left alone, in words.
        chosen: which claims the framework makes, once that is found out.

    Raises:
        TypeError: nothing in the arguments is differentiable.
    """

    def __init__(self, f: Any, framework: Framework, positional: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        self.f, self.framework = f, framework
        self.notes: list[str] = []
        self.chosen: list[str] | None = None
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self._parameters = _keyword_names(framework.parameters(f), keywords)
        self._like = (tuple(positional), dict(keywords))
        nest, self._makers = framework.opened_in(self._like)
        leaves = leaves_of(nest)
        self._fixed = [(not known, leaf) for known, leaf in zip(framework.differentiable(leaves), leaves, strict=True)]
        if all(fixed for fixed, _ in self._fixed) and not self._parameters:
            raise TypeError(
                f"check_gradient without df takes a point with {framework.arrays} of floating-point numbers; "
                f"it has none: convert it (such as {framework.converted}), or give df"
            )
        self._note_what_is_left_alone()
        self.point, given = rebuilt(nest, iter([None if fixed else leaf for fixed, leaf in self._fixed]))
        self.keywords: dict[str, Any] = {**given, **{key: tensor for key, (_, tensor) in self._parameters.items()}}

    def _note_what_is_left_alone(self) -> None:
        positional, keywords = self._like
        leaves = [*leaves_with_places(positional), *leaves_with_places(keywords)]
        for (place, leaf), make in zip(leaves, self._makers, strict=True):
            if make is next and holds_arrays(leaf):
                name = place[0] if isinstance(place[0], str) else f"argument {place[0]}"
                self.notes.append(note_left_alone(f"{name}{written(place[1:])}", leaf))
        left = [leaf for fixed, leaf in self._fixed if fixed and holds_fractions(leaf)]
        if any(map(self.framework.knows, left)):
            self.notes.append("tensors that require no gradient are left alone, since others of the point require one")
        if not all(map(self.framework.knows, left)):
            self.notes.append(f"only {self.framework.arrays} are differentiated: other numbers of the point are not")

    def __call__(self, *positional: Any, **keywords: Any) -> Any:
        parameters = {name: keywords.pop(key) for key, (name, _) in self._parameters.items()}
        given = leaves_of((positional, keywords))
        leaves = iter([old if fixed else new for (fixed, old), new in zip(self._fixed, given, strict=True)])
        positional, keywords = rebuilt(self._like, iter([make(leaves) for make in self._makers]))
        before = leaves_of((positional, keywords))
        if self._parameters:
            result = self.framework.call_model(self.f, parameters, positional, keywords)
        else:
            result = self.f(*positional, **keywords)
        after = leaves_of((positional, keywords))
        if len(before) != len(after) or any(old is not new for old, new in zip(before, after, strict=True)):
            raise InputChangedError(
                f"{self.__name__} put something else into a list or a dict of the point, or took something out, "
                f"and left {shown(positional)}; let it change a copy, such as dict(x)"
            )
        return _numbers_of(self.framework.opened_in(result)[0])


def _numbers_of(result: Any) -> Any:
    """Leaves out what is no number beside numbers: None, as for the weights that an attention layer does not give,
    and arrays of integers and booleans, as of argmax."""
    left_alone = set(map(_is_left_alone, leaves_of(result)))
    return _without_them(result) if left_alone == {True, False} else result


def _without_them(result: Any) -> Any:
    if isinstance(result, dict):
        return {key: _without_them(branch) for key, branch in result.items() if not _is_left_alone(branch)}
    return [_without_them(branch) for branch in result if not _is_left_alone(branch)] if is_nested(result) else result


def _is_left_alone(leaf: Any) -> bool:
    return leaf is None or (is_array(leaf) and kind_of(leaf) in ("whole", "other"))


def holds_fractions(leaf: Any) -> bool:
    """Whether this is a float, or an array of floats of any library."""
    return isinstance(leaf, float) or "float" in str(getattr(leaf, "dtype", ""))


def _keyword_names(parameters: Mapping[str, Any], keywords: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Under which keyword each parameter goes: its own name, unless the model takes an argument of that name."""
    return {(f"self.{name}" if name in keywords else name): (name, tensor) for name, tensor in parameters.items()}


class Recording:
    """A function at the point, called with new arrays each time."""

    def __init__(self, f: FrameworkFunction, inputs: Inputs) -> None:
        self.f, self.inputs = f, inputs

    def arrays(self) -> list[Any]:
        """New arrays of the point's numbers, in the order of the inputs."""
        return [leaf for leaf in leaves_of(self._arguments()) if leaf is not None]

    def results(self, arrays: Sequence[Any]) -> list[Any]:
        """What the function returns for these, from left to right."""
        arguments, supply = self._arguments(), iter(arrays)
        leaves = [None if leaf is None else next(supply) for leaf in leaves_of(arguments)]
        positional, keywords = rebuilt(arguments, iter(leaves))
        return leaves_of(self.f(*positional, **keywords))

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        arguments = self.inputs.at(self.inputs.numbers)
        return tuple(arguments), getattr(arguments, "keywords", {})


@contextmanager
def named(call: str) -> Iterator[None]:
    """Adds to an error which call of the framework it comes from."""
    try:
        yield
    except Exception as error:
        error.add_note(f"check_gradient called {call}")
        raise


def parts(numbers: Sequence[float], sizes: Sequence[int]) -> Iterator[Sequence[float]]:
    """The numbers in pieces of these sizes."""
    first = 0
    for size in sizes:
        yield numbers[first : first + size]
        first += size


def detached(framework: Framework, asked: str) -> ValueError:
    """No result depends on the point, as far as the framework sees."""
    return ValueError(
        f"{asked} sees no way from the point to what f returns, so that it has no derivative: did f use "
        f"{framework.detached}? Compute all of f with {framework.arrays}, or give df"
    )
