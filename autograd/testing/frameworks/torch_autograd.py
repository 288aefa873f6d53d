"""What does PyTorch say of a derivative? `torch.autograd.grad`, and forward mode where the function has it.

Backward passes that are right at first sight go wrong in use: where the gradient that they are given is not
contiguous, as it is behind a transposition; where only some inputs require a gradient; where they run twice. Each of
these is tried once. What then says something else than the plain backward pass is checked as a claim of its own.
"""

import math
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from autograd.reals import shown
from autograd.testing.arrays import TORCH
from autograd.testing.claims import Backward, Claim, Forward
from autograd.testing.errors import InputChangedError, NotDeterministicError
from autograd.testing.frameworks.framework import (
    Framework,
    FrameworkFunction,
    Recording,
    detached,
    holds_fractions,
    named,
    parts,
)
from autograd.testing.inputs import Inputs

_ONE_FORWARD_PASS = threading.RLock()
"""PyTorch has one level of forward mode for all threads."""
_GROUPS = 4
"""In how many passes the inputs are tried "alone"; with more tensors than that, some of them together."""


class Torch(Framework):
    """PyTorch, as the user has imported it."""

    arrays = "torch tensors"
    converted = "x.double()"
    detached = ".detach(), .item(), .numpy() or torch.no_grad()"

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self._buffers: dict[str, Any] = {}
        self._places: list[tuple[str, str]] | None = None

    def knows(self, leaf: Any) -> bool:
        """Whether this is a tensor."""
        return TORCH.owns(leaf)

    def differentiable(self, leaves: Sequence[Any]) -> list[bool]:
        """Tensors of floating-point numbers; if some of them require a gradient, then only those."""
        floats = super().differentiable(leaves)
        asked = [is_float and leaf.requires_grad for is_float, leaf in zip(floats, leaves, strict=True)]
        return asked if any(asked) else floats

    def parameters(self, model: Any) -> dict[str, Any]:
        """Those of a Module that require a gradient; a shared one once."""
        if not isinstance(model, self.torch.nn.Module):
            return {}
        if isinstance(model, self.torch.jit.ScriptModule):
            raise TypeError(
                f"check_gradient cannot put other parameters into a module of torch.jit; got {type(model).__name__}: "
                f"give it the module from which that was made, or a function that calls it"
            )
        found = {name: tensor for name, tensor in model.named_parameters() if tensor.requires_grad}
        for name, tensor in found.items():
            if self.torch.nn.parameter.is_lazy(tensor):
                raise ValueError(
                    f"check_gradient takes a model whose parameters have shapes; {name} of {type(model).__name__} "
                    f"has none yet: call the model once before"
                )
        return found

    def no_function(self, f: Any) -> str:
        """A class of an operation, which PyTorch itself calls by its `apply`."""
        is_operation = isinstance(f, type) and issubclass(f, self.torch.autograd.Function)
        return f"the class {f.__name__}: pass {f.__name__}.apply" if is_operation else ""

    def call_model(
        self, model: Any, parameters: Mapping[str, Any], positional: Sequence[Any], keywords: Mapping[str, Any]
    ) -> Any:
        """Calls the module with other tensors in place of its own; copies of its buffers take what is written there.

        Each place is named once: `torch.func.functional_call` leaves its own tensors behind in a module that a model
        has twice, if it is given both of its names, as it gives itself to tie weights.
        """
        if self._places is None:  # found once: it takes longer than a small model
            self._buffers = dict(model.named_buffers())
            names = {id(tensor): name for name, tensor in (*model.named_parameters(), *self._buffers.items())}
            self._places = [
                (place, names[id(tensor)])
                for path, module in model.named_modules()
                for own in (module.named_parameters, module.named_buffers)
                for place, tensor in own(path, recurse=False, remove_duplicate=False)
            ]
        new = {name: buffer.clone() for name, buffer in self._buffers.items()} | dict(parameters)
        tensors = {place: new[name] for place, name in self._places if name in new}
        return self.torch.func.functional_call(
            model, tensors, tuple(positional), dict(keywords), tie_weights=False, strict=False
        )

    def claims(self, f: FrameworkFunction, inputs: Inputs, count: int) -> list[Claim]:
        """The backward pass, what differs from it under other circumstances, and the forward pass."""
        passes = _Passes(self, f, inputs)
        if f.chosen is None:
            f.chosen = passes.choose(count)
        kinds: dict[str, Any] = {
            "backward": (Backward, passes.backward),
            "strided": (Backward, passes.strided),
            "alone": (Backward, passes.alone),
            "forward": (Forward, passes.forward),
        }
        return [kinds[name][0](name, kinds[name][1], count, len(inputs.numbers)) for name in f.chosen]


class _Passes:
    """The backward and the forward pass of a function at the point. Each begins with a new call of the function."""

    def __init__(self, framework: Torch, f: FrameworkFunction, inputs: Inputs) -> None:
        self.framework, self.torch, self.f = framework, framework.torch, f
        self.recording = Recording(f, inputs)

    def choose(self, count: int) -> list[str]:
        """Which passes there are to check; what is left out, and why, goes to the notes of f."""
        chosen, weights = ["backward"], [1.0 + k % 5 / 4 for k in range(count)]
        plain = self._gradients_twice(weights)
        others = [("strided", self.strided, "with a grad_output that is not contiguous, as behind a transposition")]
        if len(self.recording.arrays()) > 1:
            others.append(("alone", self.alone, "when one input at a time requires a gradient, and the others do not"))
        for name, other, what in others:
            with named(f"f and its backward pass {what}"):
                if not _close(plain, other(weights), self.recording.inputs.unit):
                    chosen.append(name)
                    self.f.notes.append(f"{name}: torch.autograd.grad gives something else {what}")
        return [*chosen, "forward"] if self._has_forward() else chosen

    # Backward

    def backward(self, weights: list[float]) -> list[float]:
        """The weighted sum of the results, differentiated by all inputs."""
        leaves = self._leaves()
        return self._gradients(self._results(leaves), leaves, weights)

    def strided(self, weights: list[float]) -> list[float]:
        """The same, with weights that do not lie side by side in memory."""
        leaves = self._leaves()
        return self._gradients(self._results(leaves), leaves, weights, self._spread_out)

    def alone(self, weights: list[float]) -> list[float]:
        """The same, with a pass for each input in which no other requires a gradient."""
        found: list[list[float]] = []
        for group in range(_GROUPS):
            leaves = self._leaves(group)
            if any(leaf.requires_grad for leaf in leaves):
                found.append(self._gradients(self._results(leaves), leaves, weights))
        return [math.fsum(terms) for terms in zip(*found, strict=True)]  # each is 0 in all passes but its own

    def _gradients_twice(self, weights: list[float]) -> list[float]:
        """The gradients, after a look at what may go wrong in a backward pass that runs twice."""
        leaves = self._leaves()
        results = self._results(leaves)
        if not any(self.framework.knows(result) and result.requires_grad for result in results):
            raise detached(self.framework, "torch.autograd")
        unseen = sum(holds_fractions(result) and not getattr(result, "requires_grad", False) for result in results)
        if unseen:
            self.f.notes.append(
                f"{unseen} of the {len(results)} results require no gradient: their derivatives count as 0 "
                f"({self.framework.detached} would do that)"
            )
        first = self._gradients(results, leaves, weights, keep=True)
        with named("torch.autograd.grad a second time on the same results (retain_graph=True)"):
            again = self._gradients(results, leaves, weights)
        if not _close(first, again, self.recording.inputs.unit):
            raise NotDeterministicError(
                "torch.autograd.grad gave other gradients when called again on the same results (retain_graph=True); "
                "let backward() change nothing that it has saved, and draw no random numbers in it"
            )
        return first

    def _leaves(self, group: int | None = None) -> list[Any]:
        """New tensors at the point that require a gradient: all, or every fourth."""
        with self._recording():
            arrays = self.recording.arrays()
            return [x.detach().requires_grad_(group in (None, k % _GROUPS)) for k, x in enumerate(arrays)]

    def _results(self, leaves: Sequence[Any]) -> list[Any]:
        """What f returns."""
        with self._recording(), named("f on tensors that require a gradient"):
            return self.recording.results(leaves)

    def _gradients(
        self,
        results: Sequence[Any],
        leaves: Sequence[Any],
        weights: Sequence[float],
        lay_out: Callable[[Any], Any] = lambda x: x,
        keep: bool = False,
    ) -> list[float]:
        """The gradients of all leaves in a row.

        Results of weight 0 are not asked, as in a loss that does not use them: a function of several results must be
        ready for that too.
        """
        pieces = parts(weights, list(map(self._size, results)))
        with self._recording():
            pairs = [
                (result, lay_out(self._like(result, piece)))
                for result, piece in zip(results, pieces, strict=True)
                if any(piece) and self.framework.knows(result) and result.requires_grad
            ]
        asked = [leaf for leaf in leaves if leaf.requires_grad]
        found = iter([None] * len(asked))
        watched = [*leaves, *(weight for _, weight in pairs)]
        versions = [tensor._version for tensor in watched]
        if pairs:
            outputs, grad_outputs = zip(*pairs, strict=True)
            with self._recording(), named("torch.autograd.grad of what f returned"):
                found = iter(self.torch.autograd.grad(outputs, asked, grad_outputs, keep, allow_unused=True))
        self._unchanged(watched, versions, len(leaves))
        gradients = [next(found) if leaf.requires_grad else None for leaf in leaves]
        return [x for leaf, gradient in zip(leaves, gradients, strict=True) for x in self._flat(gradient, leaf)]

    def _unchanged(self, tensors: Sequence[Any], versions: Sequence[int], leaves: int) -> None:
        for k, (tensor, version) in enumerate(zip(tensors, versions, strict=True)):
            if tensor._version != version:
                what = "an input of f" if k < leaves else "the grad_output that it was given"
                raise InputChangedError(
                    f"the backward pass changed {what} in place, to {shown(tensor)}; others may still read it: "
                    f"compute with a copy of it, such as .clone()"
                )

    # Forward

    def forward(self, direction: list[float]) -> list[float]:
        """How all results change along a direction of the inputs."""
        forward_ad = self.torch.autograd.forward_ad
        leaves = self._leaves()
        pieces = parts(direction, [leaf.numel() for leaf in leaves])
        with (
            _ONE_FORWARD_PASS,
            self._recording(),
            forward_ad.dual_level(),
            named("f in forward mode (torch.autograd.forward_ad)"),
        ):
            duals = [
                forward_ad.make_dual(leaf, self._like(leaf, piece)) for leaf, piece in zip(leaves, pieces, strict=True)
            ]
            results = self._results(duals)
            return [
                x
                for result in results
                for x in self._flat(self.framework.knows(result) and forward_ad.unpack_dual(result).tangent, result)
            ]

    def _has_forward(self) -> bool:
        """Whether forward mode works; if it does not, a note says why."""
        forward_ad = self.torch.autograd.forward_ad
        try:
            with _ONE_FORWARD_PASS, warnings.catch_warnings(), forward_ad.dual_level():
                warnings.simplefilter("ignore")  # the first dual number makes PyTorch warn of what it uses itself
                forward_ad.make_dual(self.torch.zeros(()), self.torch.zeros(()))
        except RuntimeError as error:
            self.f.notes.append(
                f"only backward mode is checked: within forward mode of your own PyTorch says '{error}'"
            )
            return False
        try:
            self.forward([1.0] * len(self.recording.inputs.numbers))
        except NotImplementedError as error:
            why = str(error).partition("\n")[0].rstrip(".")
            self.f.notes.append(f"only backward mode is checked: in forward mode PyTorch says {why!r}")
            return False
        return True

    # Numbers as tensors, and back

    def _recording(self) -> ExitStack:
        """Gradients are recorded, even where the user has switched that off around the check."""
        contexts = ExitStack()
        contexts.enter_context(self.torch.inference_mode(False))
        contexts.enter_context(self.torch.enable_grad())
        return contexts

    def _size(self, result: Any) -> int:
        return int(result.numel() if self.framework.knows(result) else getattr(result, "size", 1))

    def _like(self, tensor: Any, numbers: Sequence[float]) -> Any:
        """The numbers as a tensor of the same shape, type and device."""
        if not self.framework.knows(tensor):
            return None
        return self.torch.tensor(numbers, dtype=tensor.dtype, device=tensor.device).reshape(tensor.shape)

    def _spread_out(self, tensor: Any) -> Any:
        """The same numbers with gaps between, where a kernel that believes them to lie side by side finds nan."""
        *rows, columns = tensor.shape or (1,)
        apart = self.torch.full((*rows, 2 * columns + 1), math.nan, dtype=tensor.dtype, device=tensor.device)
        apart[..., 1::2] = tensor
        return apart[..., 1::2] if tensor.ndim else apart[1]

    def _flat(self, gradient: Any, like: Any) -> list[float]:
        """The numbers of a gradient in a row; zeros where there is none."""
        if not self.framework.knows(gradient):
            return [0.0] * self._size(like)
        return TORCH.numbers(gradient if gradient.layout == self.torch.strided else gradient.detach().to_dense())


def _close(a: Sequence[float], b: Sequence[float], unit: float) -> bool:
    """Whether they are the same but for the rounding of another order of summation."""
    allowed = 1024 * unit * max(map(abs, a), default=0.0)
    return all(abs(x - y) <= allowed or (x != x and y != y) for x, y in zip(a, b, strict=True))
