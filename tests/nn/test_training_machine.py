"""Do this project's optimisers and modules pass `TrainingMachine`, and does it find what is wrong with others?"""

import copy
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from autograd import Value
from autograd.testing import TrainingMachine
from nn import MLP, SGD, BatchNorm, Dropout, Layer, LayerNorm, Module, RMSNorm, Sequential
from tests.nn.optimizers import OPTIMIZERS


def run(machine: type[TrainingMachine], examples: int, steps: int = 12) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


# What is right


def machine_for(name: str) -> type[TrainingMachine]:
    decays = bool(OPTIMIZERS[name]([Value(1.0)]).options.get("weight_decay"))
    own = {"make_optimizer": lambda self, parameters: OPTIMIZERS[name](parameters), "moves_without_gradients": decays}
    return type("Machine", (TrainingMachine,), own)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_our_optimisers_pass(name: str) -> None:
    run(machine_for(name), examples=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_our_optimisers_pass_many_programs(name: str) -> None:
    run(machine_for(name), examples=300, steps=30)


MODELS = {
    "Layer": lambda: Layer(2, 2, activation="gelu"),
    "MLP": lambda: MLP(2, [2, 2], activation="relu"),
    "MLP, dropout": lambda: MLP(2, [3, 1], dropout=0.5),
    "BatchNorm": lambda: Sequential(Layer(2, 2), BatchNorm(2)),
    "LayerNorm": lambda: Sequential(LayerNorm(2), Layer(2, 1)),
    "RMSNorm": lambda: Sequential(Layer(2, 2), RMSNorm(2), Dropout(0.25)),
}


@pytest.mark.parametrize("name", MODELS)
def test_our_modules_pass(name: str) -> None:
    run(type("Machine", (TrainingMachine,), {"make_model": lambda self: MODELS[name]()}), examples=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_our_modules_pass_many_programs(name: str) -> None:
    run(type("Machine", (TrainingMachine,), {"make_model": lambda self: MODELS[name]()}), examples=300, steps=30)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_pytorchs_optimisers_pass(name: str) -> None:
    torch = pytest.importorskip("torch")
    options = {"momentum": 0.9} if name == "SGD" else {}

    class Machine(TrainingMachine):
        batch = torch.tensor([[1.0, -0.5], [0.25, 2.0]])
        moves_without_gradients = name == "AdamW"
        states_are_copies = False

        def make_model(self) -> Any:
            return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1))

        def make_optimizer(self, parameters: Any) -> Any:
            return getattr(torch.optim, name)(parameters, lr=0.1, **options)

        def loss(self, model: Any) -> Any:
            return ((model(self.batch) - 0.5) ** 2).sum()

    run(Machine, examples=20)


# An optimiser and a model as people write them, and what may be wrong with them


class Parameter(Value):
    """A parameter that can be frozen."""

    def __init__(self, data: float) -> None:
        super().__init__(data)
        self.requires_grad = True

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        made = memo[id(self)] = Parameter(self.data)
        made.grad, made.requires_grad = self.grad, self.requires_grad
        return made

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Parameter, (self.data,), {"grad": self.grad, "requires_grad": self.requires_grad}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.grad, self.requires_grad = state["grad"], state["requires_grad"]


class Momentum:
    """Momentum with a correction of its bias, and weight decay. Parameters may be frozen."""

    decay = 0.0

    def __init__(self, parameters: Any) -> None:
        self.parameters = list(parameters)
        self.lr = 0.1
        self.count = 0
        self.buffers = [0.0] * len(self.parameters)

    def step(self) -> None:
        self.count += 1
        for place, parameter in enumerate(self.parameters):
            if parameter.requires_grad:
                self.move(place, parameter)

    def move(self, place: int, parameter: Any) -> None:
        gradient = parameter.grad + self.decay * parameter.data
        self.buffers[place] = 0.9 * self.buffers[place] + 0.1 * gradient
        parameter.data -= self.lr * self.buffers[place] / (1.0 - 0.9**self.count)

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"lr": self.lr, "count": self.count, "buffers": list(self.buffers)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.lr, self.count, self.buffers = state["lr"], state["count"], list(state["buffers"])


class Pair(Module):
    """w2 * tanh(w1 * x + b)."""

    def __init__(self) -> None:
        self.first, self.bias, self.second = Parameter(0.5), Parameter(-0.25), Parameter(1.5)

    def forward(self, row: Any) -> Any:
        return [self.second * (self.first * row[0] + self.bias * row[1]).tanh()]


class Machine(TrainingMachine):
    """The right ones; each fault replaces one of them."""

    Optimizer: Any = Momentum
    Model: Any = Pair

    def make_model(self) -> Any:
        return self.Model()

    def make_optimizer(self, parameters: Any) -> Any:
        return self.Optimizer(parameters)


class StateNotSaved(Momentum):
    def load_state_dict(self, state: Any) -> None:
        self.lr, self.count = state["lr"], state["count"]


class CountNotSaved(Momentum):
    def state_dict(self) -> Any:
        return super().state_dict() | {"count": 0}


class LearningRateNotSaved(Momentum):
    def load_state_dict(self, state: Any) -> None:
        self.count, self.buffers = state["count"], list(state["buffers"])


class LoadTakesReferences(Momentum):
    def load_state_dict(self, state: Any) -> None:
        self.lr, self.count, self.buffers = state["lr"], state["count"], state["buffers"]


class SaveGivesReferences(Momentum):
    def state_dict(self) -> Any:
        return {"lr": self.lr, "count": self.count, "buffers": self.buffers}


class KeyedByPosition(Momentum):
    def step(self) -> None:
        self.count += 1
        for place, parameter in enumerate(p for p in self.parameters if p.requires_grad):
            self.move(place, parameter)


class FrozenOnesDecay(Momentum):
    def step(self) -> None:
        for parameter in self.parameters:
            parameter.data -= 0.01 * self.lr * parameter.data * (parameter.grad != 0.0 or not parameter.requires_grad)
        super().step()


class SharedBuffer(Momentum):
    def move(self, place: int, parameter: Any) -> None:
        super().move(0, parameter)


class ZeroGradForgetsTheLast(Momentum):
    def zero_grad(self) -> None:
        for parameter in self.parameters[:-1]:
            parameter.grad = 0.0


class LearningRateCached(Momentum):
    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters)
        self.cached = self.lr

    def move(self, place: int, parameter: Any) -> None:
        now, self.lr = self.lr, self.cached
        super().move(place, parameter)
        self.lr = now


class CopySharesState(Momentum):
    def __deepcopy__(self, memo: Any) -> Any:
        made = type(self)(copy.deepcopy(self.parameters, memo))
        made.lr, made.count, made.buffers = self.lr, self.count, self.buffers
        return made


class CopyHoldsTheOldParameters(Momentum):
    def __deepcopy__(self, memo: Any) -> Any:
        made = type(self)(self.parameters)
        made.lr, made.count, made.buffers = self.lr, self.count, list(self.buffers)
        return made


class PickleForgetsTheCount(Momentum):
    def __getstate__(self) -> Any:
        return vars(self) | {"count": 0}


class MovesWithoutGradients(Momentum):
    decay = 0.01


class SharedOneTwice(Pair):
    def parameters(self) -> Any:
        return [self.first, self.bias, self.second]


class OrderChanges(Pair):
    def parameters(self) -> Any:
        return sorted(super().parameters(), key=lambda parameter: parameter.data)


class LoadReplacesParameters(Pair):
    def load_state_dict(self, state: Any) -> None:
        self.first, self.bias, self.second = (Parameter(state[name]) for name in ("first", "bias", "second"))


class LoadForgetsTheBias(Pair):
    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict({name: getattr(self, name).data if name == "bias" else state[name] for name in state})


class EvaluationScales(Pair):
    def train(self, mode: bool = True) -> Any:
        self.first.data *= 1.0 if mode or not self.training else 0.5
        return super().train(mode)


class ForwardClips(Pair):
    def forward(self, row: Any) -> Any:
        self.second.data = min(self.second.data, 1.0)
        return super().forward(row)


class CopySharesParameters(Pair):
    def __deepcopy__(self, memo: Any) -> Any:
        made = type(self)()
        made.first, made.bias, made.second = self.first, self.bias, self.second
        return made.train(self.training)


class OwnGenerator(Pair):
    """Its random numbers cannot be seeded."""

    generator = random.SystemRandom()

    def forward(self, row: Any) -> Any:
        return super().forward([x * self.generator.random() for x in row])


OF_OPTIMISERS = [
    (StateNotSaved, "by itself, with the same gradients, it moves to"),
    (CountNotSaved, "by itself, with the same gradients, it moves to"),
    (LearningRateNotSaved, "by itself, with the same gradients, it moves to|a learning rate of 0"),
    (LoadTakesReferences, "the state_dict.. of the optimiser changed|by itself, with the same"),
    (SaveGivesReferences, "the state_dict.. of the optimiser changed|by itself, with the same"),
    (KeyedByPosition, "by itself, with the same gradients, it moves to"),
    (FrozenOnesDecay, "but it is frozen"),
    (SharedBuffer, "by itself, with the same gradients, it moves to"),
    (ZeroGradForgetsTheLast, "zero_grad.. left the gradient .* in second"),
    (LearningRateCached, "with a learning rate of 0"),
    (CopySharesState, "by itself, with the same gradients, it moves to|first step without gradients"),
    (CopyHoldsTheOldParameters, "by itself, with the same gradients, it moves to|moves with its copy"),
    (PickleForgetsTheCount, "by itself, with the same gradients, it moves to|division by zero"),
    (MovesWithoutGradients, "in a first step without gradients"),
]
OF_MODELS = [
    (SharedOneTwice, "parameters.. must have it once, in its place"),
    (OrderChanges, "in another order|parameters.. must have it once|without a step"),
    (LoadReplacesParameters, "optimisers still hold the old ones"),
    (LoadForgetsTheBias, "after load_state_dict.. bias is"),
    (EvaluationScales, "eval.. changed the state_dict"),
    (ForwardClips, "without a step second is 1.0, but was 1.5"),
    (CopySharesParameters, "moves with its copy|without a step|by itself, with the same gradients, it moves to"),
    (OwnGenerator, "the same seed gave the losses"),
]


def test_the_right_optimiser_and_model_pass() -> None:
    run(Machine, examples=20)


@pytest.mark.slow
def test_the_right_optimiser_and_model_pass_many_programs() -> None:
    run(Machine, examples=500, steps=30)


QUICK = (FrozenOnesDecay, SharedBuffer, ZeroGradForgetsTheLast, SaveGivesReferences, MovesWithoutGradients)


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [pytest.param(*case, marks=() if case[0] in QUICK else pytest.mark.slow) for case in OF_OPTIMISERS],
)
def test_a_wrong_optimiser_is_found(optimizer: Any, sentence: str) -> None:
    found(type("Faulty", (Machine,), {"Optimizer": optimizer}), sentence)


@pytest.mark.parametrize(("model", "sentence"), OF_MODELS)
def test_a_wrong_model_is_found(model: Any, sentence: str) -> None:
    found(type("Faulty", (Machine,), {"Model": model}), sentence)


INVARIANTS = ("nothing_else_moves", "parameters_keep_their_order", "saved_states_stay")


def found(machine: Any, sentence: str) -> None:
    """The machine fails, and the program that shows it is short."""
    with pytest.raises((AssertionError, ArithmeticError), match=sentence) as caught:
        run(machine, examples=200, steps=20)
    program = [line for line in caught.value.__notes__[0].splitlines() if line.startswith("state.")]
    calls = [line for line in program if not any(name in line for name in INVARIANTS)]
    assert len(calls) - 1 <= 6, "\n".join(calls)  # the last is teardown()


def test_a_rule_can_be_left_out() -> None:
    class Local(Pair):  # which cannot be pickled
        pass

    run(type("Without", (Machine,), {"Model": Local, "pickle_both": None}), examples=20)
    with pytest.raises(Exception, match="pickle"):
        run(type("With", (Machine,), {"Model": Local}), examples=50)


def test_it_passes_as_a_test_case() -> None:
    class Small(TrainingMachine):
        def make_optimizer(self, parameters: Any) -> Any:
            return SGD(parameters, lr=0.1)

    case = Small.TestCase
    case.settings = settings(max_examples=2, stateful_step_count=5, database=None)
    case().runTest()
