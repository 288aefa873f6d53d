"""Where is the newest number of a parameter that native code moves? In a loan, until somebody asks the parameter.

To write all parameters after each step would take longer than a step of a small network (20 ns a parameter, and as much
to read them again). So they are lent to native code. A Value that is lent is of a class of its own: whoever reads or
writes its number or its gradient, in whatever way, gets to the newest one. The first few questions after a step are
answered from the loan (0.5 us each, and 10 for the first). Somebody who asks more wants them all: that ends the loan,
which gives each parameter its number (0.2 us). A Value that is not lent is as fast as before.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from operator import is_
from threading import RLock
from typing import Any, Protocol

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.value import Value

FEW = 16
"""So many questions between two steps do not end a loan."""

_data: Any = Value.__dict__["_data"]  # the slots themselves; the classes of what is lent hide them
_grad: Any = Value.__dict__["_grad"]


@cache
def _lent_class(plain: type[Value]) -> type[Value]:
    """The class of Values of a class while they are lent. Their slot `_data` holds the loan."""

    def new(cls: Any) -> Value:
        return plain.__new__(plain)  # a copy is not lent

    def reduce(self: Value, protocol: Any) -> Any:
        _end(self)
        return self.__reduce_ex__(protocol)  # of the plain class, from here on

    hidden = {"_data": _property(_data), "_grad": _property(_grad), "__new__": new, "__reduce_ex__": reduce}
    slots = {"_data_slot": _data, "_grad_slot": _grad}  # a quarter of the time of `__get__` and `__set__`
    attributes = {"__slots__": (), "__module__": plain.__module__, "_plain": plain, **hidden, **slots}
    return type(plain.__name__, (plain,), attributes)


_changing: Any = RLock()
"""Held while a loan begins or ends, when the class and the slot of a parameter do not fit each other.

The slot of a Value of a plain class never holds a loan, so that reading it needs no lock: the class is the first to be
changed when a loan begins, and the last when it ends. Whoever holds this lock waits for none of a loan.
"""


def _property(slot: Any) -> property:
    """A property in place of a slot, which asks the loan."""

    def read(self: Value) -> Any:
        while isinstance(found := _data.__get__(self), Loan):
            number = found.read(self, slot)
            if number is not None:
                return number
            found.end()
        number = found if slot is _data else slot.__get__(self)
        _settle(self)
        return number

    def write(self: Value, number: Any) -> None:
        while True:
            if isinstance(loan := _data.__get__(self), Loan):
                if loan.write(self, slot, number):
                    return
                loan.end()
            with _changing:  # a loan that began here would miss the number
                if not isinstance(_data.__get__(self), Loan):
                    slot.__set__(self, number)
                    _settle(self)
                    return

    return property(read, write)


def _are_lent(parameters: Iterable[Value]) -> bool:
    """Whether some of the parameters are lent."""
    return any(hasattr(cls, "_plain") for cls in set(map(type, parameters)))


def _end(parameter: Value) -> None:
    """Ends the loan of a parameter."""
    if hasattr(type(parameter), "_plain"):
        loan = _data.__get__(parameter)
        if isinstance(loan, Loan):
            loan.end()
        _settle(parameter)


def _settle(parameter: Value) -> None:
    """Gives back its class to a parameter that is in no loan: the making or the end of one was interrupted."""
    with _changing:
        plain = getattr(type(parameter), "_plain", None)
        if plain is not None and not isinstance(_data.__get__(parameter), Loan):
            parameter.__class__ = plain


class Mover(Protocol):
    """What moves parameters that are lent."""

    def moved(self) -> tuple[Words, Numbers, Numbers]:
        """The places in the loan of what it moves; their numbers now, and their gradients."""


class Loan:
    """Parameters that native code moves, and their numbers.

    Whatever interrupts a method, it can be called again: numbers stay here until each parameter has its own.

    Arguments:
        parameters: Values, each once. If they were lent before, that loan ends.

    Attributes:
        parameters: the same, in order.
        is_open: whether all of them are still lent.
        version: counts the changes of their numbers.
        newest: has the newest numbers of those that it moves, if they are not here.
        gradients: those of the parameters, as far as they are here.
        lock: held by whoever moves or reads the numbers.
    """

    def __init__(self, parameters: Iterable[Value]) -> None:
        self.parameters = list(parameters)
        self.lock = RLock()
        self.version = 0
        self.newest: Mover | None = None
        self.is_open = False
        self.begin()

    @cached_property
    def _places(self) -> dict[Value, int]:
        """The place of each parameter. Whoever has all of them in this order does not need it."""
        return dict(zip(self.parameters, range(len(self.parameters)), strict=True))

    def begin(self) -> None:
        """Lends the parameters, at first or again."""
        while True:
            held = [p._grad for p in self.parameters]
            graphs = {} if set(map(type, held)) <= {float} else {x: x._data for x in held if isinstance(x, Value)}
            with self.lock, _changing:
                if not self.is_open and not _are_lent(self.parameters):
                    self._take_over(graphs)
                if self.is_open:
                    return
            end_loans(self.parameters)  # without a lock: those who hold the others may wait for this one

    def _take_over(self, graphs: Mapping[Value, float]) -> None:
        """Takes over the numbers of parameters that are not lent.

        Arguments:
            graphs: the numbers of those gradients that are Values.
        """
        classes = {cls: _lent_class(cls) for cls in set(map(type, self.parameters))}
        parameters: list[Any] = self.parameters
        for p in parameters:
            p.__class__ = classes[type(p)]
        # From here on nobody writes until the loan has begun.
        self._numbers = np.array([p._data_slot for p in parameters], np.float64)
        gradients = [p._grad_slot for p in parameters]
        if graphs:
            gradients = [graphs.get(x, 0.0) if isinstance(x, Value) else x for x in gradients]
        self.gradients = np.array(gradients, np.float64)
        self._were_moved = np.zeros(len(self.parameters), np.bool_)
        self.version += 1
        self._asked = 0
        for p in parameters:
            p._data_slot = self
        self.is_open = True

    def places(self, parameters: Sequence[Value]) -> Words | None:
        """The places of some parameters here; None if one is missing."""
        if len(parameters) == len(self.parameters) and all(map(is_, parameters, self.parameters)):
            return np.arange(len(parameters))
        found = [self._places.get(p, -1) for p in parameters]
        return None if -1 in found else np.array(found, np.int64)

    def numbers(self) -> Numbers:
        """The newest numbers of all parameters, in order."""
        with self.lock:
            if self.newest is not None:
                places, numbers, gradients = self.newest.moved()
                self._numbers[places], self.gradients[places] = numbers, gradients
                self._were_moved[places] = True
                self.newest = None
            return self._numbers

    def change(self, mover: Mover) -> int:
        """Says who changes the numbers next. Returns the version that they have then."""
        self.version += 1
        self._asked = 0
        self.newest = mover
        return self.version

    def read(self, parameter: Value, slot: Any) -> Any:
        """The number or the gradient of one parameter; None to one who asks too much."""
        with self.lock:
            place = self._asked_for(parameter)
            if place is None:
                return None
            if slot is _data:
                return float(self._numbers[place])
            return float(self.gradients[place]) if self._were_moved[place] else _grad.__get__(parameter)

    def write(self, parameter: Value, slot: Any, number: Any) -> bool:
        """Sets the number or the gradient of one parameter; False to one who asks too much."""
        with self.lock:
            place = self._asked_for(parameter)
            if place is None or type(number) is not float:
                return False
            if slot is _data:
                self._numbers[place] = number
            else:
                self.gradients[place] = number
                self._were_moved[place] = True
            self.version += 1
            return True

    def _asked_for(self, parameter: Value) -> int | None:
        """The place of a parameter whose newest number is here now, if this is one of the first questions."""
        self._asked += 1
        if self._asked > FEW or not self.is_open:
            return None
        self.numbers()
        return self._places[parameter]

    def end(self) -> None:
        """Gives the parameters their newest numbers, and those that were moved their gradients."""
        with self.lock:
            self.is_open = False
            numbers, gradients, moved = self.numbers().tolist(), self.gradients.tolist(), self._were_moved.tolist()
            holder, give, give_gradient = _data.__get__, _data.__set__, _grad.__set__
            with _changing:
                for p, number, gradient, was_moved in zip(self.parameters, numbers, gradients, moved, strict=True):
                    if holder(p) is self:
                        if was_moved:
                            give_gradient(p, gradient)
                        give(p, number)
                        p.__class__ = type(p)._plain  # type: ignore[attr-defined]


def _loan_of(parameter: Value) -> Loan | None:
    """The loan in which a parameter is, if it goes on."""
    loan = _data.__get__(parameter)
    return loan if isinstance(loan, Loan) and loan.is_open else None


def lent(parameters: Sequence[Value], before: Loan | None = None) -> Loan:
    """An open loan that has all these parameters: the one that they have in common, or a new one.

    A new one takes over the parameters of all loans that it ends: programs that share some parameters take turns, and
    would else end each other's loans each time.

    Arguments:
        parameters: Values, each once.
        before: the loan in which they were. If none of its parameters is lent, it begins again.
    """
    if before is not None and not _are_lent(before.parameters):
        before.begin()
        return before
    if not _are_lent(parameters):
        return Loan(parameters)  # to ask each of 1,210 takes 200 us more
    loans = dict.fromkeys(loan for loan in map(_loan_of, parameters) if loan is not None)
    for loan in loans:
        if loan.places(parameters) is not None:
            return loan
    return Loan(dict.fromkeys([*(p for loan in loans for p in loan.parameters), *parameters]))


def end_loans(parameters: Sequence[Value]) -> None:
    """Gives parameters that are lent their numbers."""
    first = next((p for p in parameters if hasattr(type(p), "_plain")), None)
    if first is not None:
        _end(first)  # and mostly all: to ask each of 4,810 takes 1.5 ms more
        if _are_lent(parameters):
            for p in parameters:
                _end(p)


class Reader:
    """Reads some parameters, again and again, without ending a loan that has them all.

    Arguments:
        parameters: Values, each once.
    """

    def __init__(self, parameters: Sequence[Value]) -> None:
        self._parameters = parameters
        self._known: tuple[Loan | None, Words | None] = None, None  # in one tuple, for readers in several threads

    def numbers(self) -> Numbers:
        """The newest numbers, in order."""
        loan, places = self._known
        if loan is None or not loan.is_open:
            loan = _loan_of(self._parameters[0]) if self._parameters else None
            places = None if loan is None else loan.places(self._parameters)
            self._known = loan, places
        if loan is not None and places is not None:
            with loan.lock:
                if loan.is_open:
                    return loan.numbers()[places]
        return np.array([p._data for p in self._parameters], np.float64)
