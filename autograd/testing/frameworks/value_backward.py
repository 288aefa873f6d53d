"""What does this engine say of a derivative? `backward()` of the Values that a function returns."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from autograd.testing.claims import Backward, Claim
from autograd.testing.frameworks.framework import Framework, FrameworkFunction, Recording, detached, named
from autograd.testing.inputs import Inputs
from autograd.value import Value


class Values(Framework):
    """This engine."""

    arrays = "Values"
    detached = ".data or .item()"

    def knows(self, leaf: Any) -> bool:
        """Whether this is a Value."""
        return isinstance(leaf, Value)

    def parameters(self, model: Any) -> dict[str, Any]:
        """Those of an nn.Module, or of any object that names its parameters and can be called."""
        if isinstance(model, type) or not hasattr(model, "named_parameters"):
            return {}
        return {name: leaf for name, leaf in model.named_parameters() if isinstance(leaf, Value)}

    def call_model(
        self, model: Any, parameters: Mapping[str, Any], positional: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        """Calls a copy, in which other Values stand for the parameters: so running means of the model stay too."""
        places = {id(leaf): parameters[name] for name, leaf in self.parameters(model).items()}
        return copy.deepcopy(model, places)(*positional, **keywords)

    def claims(self, f: FrameworkFunction, inputs: Inputs, count: int) -> list[Claim]:
        """The gradients that `backward()` leaves at fresh Values."""
        recording = Recording(f, inputs)
        with named("f on Values"):
            if not any(isinstance(result, Value) for result in recording.results(recording.arrays())):
                raise detached(self, "backward()")

        def vjp(weights: list[float]) -> list[float]:
            leaves = recording.arrays()
            results = recording.results(leaves)
            terms = [
                (weight, result)
                for weight, result in zip(weights, results, strict=True)
                if weight and isinstance(result, Value)
            ]
            with named("backward() of what f returned"):
                if len(terms) == 1:
                    terms[0][1].backward(terms[0][0])
                elif terms:
                    sum((weight * result for weight, result in terms), start=Value(0.0)).backward()
            return [leaf.grad for leaf in leaves]

        return [Backward("backward", vjp, count, len(inputs.numbers))]
