"""Does an optimiser, or a module, keep what people rely on? Hypothesis makes programs of its calls, and looks.

A `TrainingMachine` calls backward(), step(), zero_grad(), state_dict(), load_state_dict(), train() and eval(), copies
and pickles, freezes and shares parameters, in any order. Beside the optimiser under test it has references: optimisers
of the same kind that are never saved, loaded or copied, and are given the same gradients.
"""

import copy
import pickle
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nn.neuron import MLP
from nn.optim import Adam

PLACES = st.integers(0, 11)
Numbers = tuple[float, ...]


class Saved(NamedTuple):
    """What `state_dict()` gave, a copy of both, the parameters' numbers then, and how much had happened."""

    model: Any
    optimizer: Any
    kept: tuple[Any, Any]
    numbers: list[Numbers]
    events: int


class TrainingMachine(RuleBasedStateMachine):
    """A test of an optimiser or a module of one's own: subclass it, and give what is under test.

    Give `make_model`, `make_optimizer`, or both; what takes these takes a model with `parameters()`, `zero_grad()`,
    `state_dict()`, `load_state_dict()`, `train()` and `eval()`, and an optimiser with `step()` and `zero_grad()`, as
    here and in PyTorch. The rest may be overridden. A rule that is set to None is left out: `pickle_both = None`.

    What has to hold:
    - each parameter moves as it would alone, with the same gradients: after loading into the same or a fresh model and
      optimiser, after deepcopy and pickle, after freezing, to the last bit;
    - nothing but step() and load_state_dict() changes a parameter; a frozen one stays, and so does everything where the
      learning rate is 0, and in a first step without gradients; zero_grad() leaves none;
    - copies and saved states share nothing with the original;
    - parameters() holds the same objects in the same order, each once, also one that is shared;
    - the same seed gives the same bits; evaluation changes nothing.

    Attributes:
        batch: what the model is called with; by default two examples of two numbers.
        learning_rates: what the learning rate is set to.
        moves_each_alone: False for an optimiser in which a parameter's step depends on the others.
        moves_without_gradients: True for an optimiser that moves parameters without gradients: weight decay.
        states_are_copies: False where what state_dict() gave follows the model, as in PyTorch.

    >>> from hypothesis import settings
    >>> from nn import SGD
    >>> class MomentumMachine(TrainingMachine):
    ...     def make_optimizer(self, parameters):
    ...         return SGD(parameters, lr=0.1, momentum=0.9)
    >>> TestMomentum = MomentumMachine.TestCase        # this is what pytest runs
    >>> TestMomentum.settings = settings(max_examples=5, stateful_step_count=10)
    >>> TestMomentum().runTest()
    """

    batch: Any = ([1.0, -0.5], [0.25, 2.0])
    learning_rates: Sequence[float] = (0.0, 0.01, 0.25)
    moves_each_alone = True
    moves_without_gradients = False
    states_are_copies = True

    # What is under test

    def make_model(self) -> Any:
        """A new model. Its random numbers come from Python's `random` (see `seed`)."""
        return MLP(2, [2, 1], activation="tanh")

    def make_optimizer(self, parameters: list[Any]) -> Any:
        """A new optimiser for these parameters."""
        return Adam(parameters, lr=0.1)

    def loss(self, model: Any) -> Any:
        """A number whose `backward()` gives gradients; by default squares of the outputs for `batch`."""
        outputs = list(_flat(model(self.batch)))
        return sum(((k + 1.0) * (y - 0.5) * (y - 0.5) for k, y in enumerate(outputs)), 0.0)

    def seed(self, number: int) -> None:
        """Seeds the generators from which models draw: Python's, and NumPy's and PyTorch's where they are loaded."""
        random.seed(number)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(number)
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(number)

    def freeze(self, parameter: Any, frozen: bool) -> bool:
        """Marks a parameter as frozen, or no longer; returns whether optimisers heed the mark.

        By default `requires_grad` is the mark, where parameters have it. Otherwise nothing is marked, and a new
        optimiser is made for the parameters that are left.
        """
        if not hasattr(parameter, "requires_grad"):
            return False
        parameter.requires_grad = not frozen
        if frozen:
            parameter.grad = 0.0 if isinstance(parameter.grad, float) else None
        return True

    def set_learning_rate(self, optimizer: Any, lr: float) -> None:
        """Changes the learning rate: `lr`, or as in PyTorch that of all `param_groups`."""
        if hasattr(optimizer, "param_groups"):
            for group in optimizer.param_groups:
                group["lr"] = lr
        else:
            optimizer.lr = lr

    def numbers(self, parameter: Any) -> Numbers:
        """The numbers of a parameter: its `data`, a number or an array."""
        return tuple(_flat_array(parameter.data))

    # The start

    def __init__(self) -> None:
        super().__init__()
        self.shared: list[tuple[str, str]] = []
        self.frozen: set[int] = set()
        self.saved: Saved | None = None
        self.other: tuple[Any, Any] | None = None
        self.other_now: list[Numbers] = []
        self.turn = 0
        self.model = self._new_model()
        again = self._new_model()
        _require(
            self._numbers_of(self.model) == self._numbers_of(again),
            "make_model() gave other parameters for the same seed: draw them from Python's random, or override seed()",
        )
        self._watch()
        self._begin()

    def _new_model(self) -> Any:
        self.seed(0)
        model = self.make_model()
        for kept, replaced in self.shared:
            _put(model, replaced, _got(model, kept))
        return model

    def _watch(self) -> None:
        """Remembers which parameters there are, and their numbers."""
        self.held = list(self.model.parameters())
        self.now = self._numbers_of(self.model)

    def _numbers_of(self, model: Any) -> list[Numbers]:
        return [self.numbers(parameter) for parameter in model.parameters()]

    def _name(self, place: int) -> str:
        if hasattr(self.model, "named_parameters"):
            names: list[str] = [name for name, _ in self.model.named_parameters()]
            return names[place]
        return f"parameters()[{place}]"

    def _begin(self) -> None:
        """Makes an optimiser for what is not frozen, and references that have the same parameters."""
        self.trained = [place for place in range(len(self.held)) if place not in self.frozen]
        self.optimizer = self._optimizer_for(self.held)
        self.at_start = {place: copy.deepcopy(self.held[place]) for place in self.trained}
        self.events: list[tuple[str, Any]] = []
        self.saved = None
        self._replay()

    def _optimizer_for(self, parameters: Sequence[Any]) -> Any:
        return self.make_optimizer([parameters[place] for place in self.trained])

    def _replay(self) -> None:
        """The references, after all that has happened to the optimiser."""
        self.alone = {place: copy.deepcopy(parameter) for place, parameter in self.at_start.items()}
        groups = [[place] for place in self.trained] if self.moves_each_alone else [self.trained]
        self.references = [self.make_optimizer([self.alone[place] for place in group]) for group in groups]
        for event in self.events:
            self._repeat(*event)

    def _happens(self, what: str, with_: Any) -> None:
        self.events.append((what, with_))
        self._repeat(what, with_)

    def _repeat(self, what: str, with_: Any) -> None:
        """What happened to the optimiser happens to the references."""
        if what == "freeze":
            place, frozen = with_
            self.freeze(self.alone[place], frozen)
        for reference in self.references if what == "lr" else ():
            self.set_learning_rate(reference, with_)
        if what == "step":
            for place, gradient in with_.items():
                self.alone[place].grad = copy.deepcopy(gradient)
            for reference in self.references:
                reference.step()

    # What may happen

    @rule()
    def forward(self) -> None:
        """A loss alone; a copy of the model has the same one from the same seed."""
        state = repr(self.model.state_dict())
        self.turn += 1
        found = []
        for model in copy.deepcopy(self.model), self.model:
            self.seed(self.turn)
            found.append(repr(self.loss(model)))
        _require(found[0] == found[1], f"the same seed gave the losses {found[0]} and {found[1]}: seed all generators")
        if not self.model.training:
            _require(state == repr(self.model.state_dict()), "a forward pass in evaluation changed the state_dict()")

    @rule()
    def backward(self) -> None:
        """A loss and its gradients."""
        self.turn += 1
        self.seed(self.turn)
        self.loss(self.model).backward()

    @rule()
    def step(self) -> None:
        """A step of the optimiser, and of the references."""
        gradients = {place: self.held[place].grad for place in self.trained}
        is_first = not any(what == "step" for what, _ in self.events)
        without = all(gradient is None or not any(_flat_array(gradient)) for gradient in gradients.values())
        still = is_first and without and not self.moves_without_gradients
        rates = [lr for what, lr in self.events if what == "lr"]
        self._happens("step", {place: copy.deepcopy(gradient) for place, gradient in gradients.items()})
        self.optimizer.step()
        for place, before in enumerate(self.now):
            after = self.numbers(self.held[place])
            self._judge_move(place, before, after, still, rates[-1:] == [0.0])
        self.now = self._numbers_of(self.model)

    def _judge_move(self, place: int, before: Numbers, after: Numbers, still: bool, no_rate: bool) -> None:
        moved = f"{self._name(place)} moved from {_shown(before)} to {_shown(after)}"
        if place in self.frozen:
            _require(_same(after, before), f"{moved}, but it is frozen")
            return
        _require(not still or _same(after, before), f"{moved} in a first step without gradients")
        _require(not no_rate or _same(after, before), f"{moved} with a learning rate of 0")
        right = self.numbers(self.alone[place])
        _require(_same(after, right), f"{moved}; by itself, with the same gradients, it moves to {_shown(right)}")

    @rule()
    def train_a_step(self) -> None:
        """What people do most: zero_grad(), backward() and step()."""
        self.zero_grad(by_model=False)
        self.backward()
        self.step()

    @rule(by_model=st.booleans())
    def zero_grad(self, by_model: bool) -> None:
        """Of the model, or of the optimiser."""
        (self.model if by_model else self.optimizer).zero_grad()
        for place, parameter in enumerate(self.held):
            gradient = parameter.grad
            if gradient is not None and any(_flat_array(gradient)) and (by_model or place in self.trained):
                _require(False, f"zero_grad() left the gradient {gradient} in {self._name(place)}")

    @rule(which=st.integers(0, 2))
    def learning_rate(self, which: int) -> None:
        """Another learning rate."""
        lr = self.learning_rates[which % len(self.learning_rates)]
        self._happens("lr", lr)
        self.set_learning_rate(self.optimizer, lr)

    @rule()
    def save(self) -> None:
        """Takes the states of both."""
        states = self.model.state_dict(), self.optimizer.state_dict()
        self.saved = Saved(*states, copy.deepcopy(states), list(self.now), len(self.events))

    @rule(into_fresh=st.booleans())
    def load(self, into_fresh: bool) -> None:
        """Loads them again, or a copy of them into a fresh model and optimiser, with which it goes on."""
        if self.saved is None:
            self.save()
            self.train_a_step()
        assert self.saved is not None
        states: tuple[Any, Any] = (self.saved.model, self.saved.optimizer)
        if into_fresh:
            self._go_on_with(self._fresh())
        if into_fresh or not self.states_are_copies:
            states = copy.deepcopy(self.saved.kept)
        held = list(self.model.parameters())
        self.model.load_state_dict(states[0])
        self.optimizer.load_state_dict(states[1])
        _require(
            set(map(id, held)) == set(map(id, self.model.parameters())),
            "load_state_dict() of the model replaced parameters: optimisers still hold the old ones; set their data",
        )
        self.parameters_keep_their_order()
        self.events = [event for k, event in enumerate(self.events) if k < self.saved.events or event[0] == "freeze"]
        self._replay()
        self._expect(self.saved.numbers, "after load_state_dict()")

    def _fresh(self) -> tuple[Any, Any]:
        model = self._new_model()
        parameters = list(model.parameters())
        optimizer = self._optimizer_for(parameters)
        for place in self.frozen:
            self.freeze(parameters[place], True)
        model.train(self.model.training)
        return model, optimizer

    def _go_on_with(self, pair: tuple[Any, Any]) -> None:
        """Another model and optimiser take the place of these, which must not notice what happens from now on."""
        self.other, self.other_now = (self.model, self.optimizer), list(self.now)
        self.model, self.optimizer = pair
        self.held = list(self.model.parameters())

    def _expect(self, numbers: list[Numbers], when: str) -> None:
        """The model has these numbers."""
        found = self._numbers_of(self.model)
        _require(len(found) == len(numbers), f"{when} there are {len(found)} parameters, before {len(numbers)}")
        for place, (is_now, was) in enumerate(zip(found, numbers, strict=True)):
            _require(_same(is_now, was), f"{when} {self._name(place)} is {_shown(is_now)}, but was {_shown(was)}")
        self.now = found

    @rule()
    def deepcopy_both(self) -> None:
        """Goes on with a copy."""
        self._go_on_with(copy.deepcopy((self.model, self.optimizer)))
        self._expect(self.other_now, "after deepcopy")

    @rule()
    def pickle_both(self) -> None:
        """Goes on with what pickle makes of both."""
        self._go_on_with(pickle.loads(pickle.dumps((self.model, self.optimizer))))
        self._expect(self.other_now, "after pickle")

    @precondition(lambda self: self.other is not None)
    @rule()
    def step_of_the_other(self) -> None:
        """The one that was left goes its own way."""
        assert self.other is not None
        model, optimizer = self.other
        self.seed(self.turn)
        self.loss(model).backward()
        optimizer.step()
        self.other_now = self._numbers_of(model)

    @rule(which=PLACES)
    def freeze_or_unfreeze(self, which: int) -> None:
        """A parameter is frozen, or no longer."""
        place = which % len(self.held)
        if self.frozen | {place} == set(range(len(self.held))):
            return
        self.frozen ^= {place}
        if self.freeze(self.held[place], place in self.frozen) and place in self.alone:
            self._happens("freeze", (place, place in self.frozen))
        else:
            self._begin()

    @precondition(lambda self: not (self.frozen or self.shared) and hasattr(self.model, "named_parameters"))
    @rule(first=PLACES, second=PLACES)
    def share(self, first: int, second: int) -> None:
        """One parameter takes the place of another as well."""
        names = [name for name, _ in self.model.named_parameters()]
        kept, replaced = sorted((first % len(names), second % len(names)))
        if kept == replaced or len(self.now[kept]) != len(self.now[replaced]):
            return
        self.shared.append((names[kept], names[replaced]))
        _put(self.model, names[replaced], self.held[kept])
        right = [parameter for place, parameter in enumerate(self.held) if place != replaced]
        _require(
            _same_objects(self.model.parameters(), right),
            f"with {names[replaced]} the same object as {names[kept]}, parameters() must have it once, in its place",
        )
        self._watch()
        self._begin()

    @rule(mode=st.booleans())
    def train(self, mode: bool) -> None:
        """train() or eval()."""
        state = repr(self.model.state_dict())
        self.model.train() if mode else self.model.eval()
        _require(self.model.training == mode, f"after {'train' if mode else 'eval'}() training is {not mode}")
        _require(state == repr(self.model.state_dict()), f"{'train' if mode else 'eval'}() changed the state_dict()")

    # What has to hold all the time

    @invariant()
    def nothing_else_moves(self) -> None:
        """Parameters change by step() and load_state_dict() alone."""
        self._expect(self.now, "without a step")
        if self.other is not None:
            same = all(map(_same, self._numbers_of(self.other[0]), self.other_now))
            _require(same, "the model that was copied, or loaded from, moves with its copy: copy the numbers")

    @precondition(lambda self: self.saved is not None and self.states_are_copies)
    @invariant()
    def saved_states_stay(self) -> None:
        """What state_dict() gave does not follow the model."""
        assert self.saved is not None
        for now, kept, what in zip(self.saved[:2], self.saved.kept, ("model", "optimiser"), strict=True):
            _require(
                repr(now) == repr(kept),
                f"the state_dict() of the {what} changed from {kept} to {now}: give, and load, copies",
            )

    @invariant()
    def parameters_keep_their_order(self) -> None:
        """parameters() holds the same objects, each once."""
        found = list(self.model.parameters())
        _require(len({id(parameter) for parameter in found}) == len(found), "parameters() has a parameter twice")
        _require(_same_objects(found, self.held), "parameters() has other objects than before, or in another order")


def _require(holds: bool, sentence: str) -> None:
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(sentence)


def _flat(x: Any) -> Iterator[Any]:
    """What lists and tuples hold, at any depth."""
    if isinstance(x, list | tuple):
        for part in x:
            yield from _flat(part)
    else:
        yield x


def _flat_array(x: Any) -> Iterator[Any]:
    """The numbers of an array, or of a number or lists of them."""
    return _flat(x.tolist() if hasattr(x, "tolist") else x)


def _same(a: Numbers, b: Numbers) -> bool:
    """Whether all bits are the same."""
    return [float(x).hex() for x in a] == [float(x).hex() for x in b]


def _same_objects(a: Any, b: Any) -> bool:
    return list(map(id, a)) == list(map(id, b))


def _shown(numbers: Numbers) -> str:
    return repr(numbers[0]) if len(numbers) == 1 else repr(list(numbers))


def _step_into(holder: Any, name: str) -> Any:
    if isinstance(holder, list | tuple):
        return holder[int(name)]
    return holder[name] if isinstance(holder, dict) else getattr(holder, name)


def _got(model: Any, path: str) -> Any:
    """What stands at a name such as "layers.0.neurons.3.b"."""
    for name in path.split("."):
        model = _step_into(model, name)
    return model


def _put(model: Any, path: str, parameter: Any) -> None:
    """Puts a parameter at such a place."""
    *above, last = path.split(".")
    holder = _got(model, ".".join(above)) if above else model
    if isinstance(holder, list):
        holder[int(last)] = parameter
    elif isinstance(holder, dict):
        holder[last] = parameter
    else:
        setattr(holder, last, parameter)
