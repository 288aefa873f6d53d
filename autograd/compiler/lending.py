"""Where is the newest number of a parameter that native code moves? In a loan, until somebody asks the parameter.

To write all parameters after each step would take longer than a step of a small network (20 ns a parameter, and as much
to read them again). So they are lent to native code. A Value that is lent is of a class of its own: whoever reads or
writes its number or its gradient, in whatever way, gets to the newest one. The first few questions after a step are
answered from the loan (0.5 us each, and 10 for the first). Somebody who asks more wants them all: that ends the loan,
which gives each parameter its number (0.2 us). A Value that is not lent is as fast as before.
"""

from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from operator import is_
from threading import RLock
from typing import Any, Protocol

import numpy as np

from autograd.compiler.backend import Numbers, Words
from autograd.value import Value, data_of

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
    return type(plain.__name__, (plain,), {"__slots__": (), "__module__": plain.__module__, "_plain": plain, **hidden})


def _property(slot: Any) -> property:
    """A property in place of a slot, which asks the loan."""

    def read(self: Value) -> Any:
        loan = _data.__get__(self)
        number = loan.read(self, slot) if isinstance(loan, Loan) else None
        if number is None:
            _end(self)
            number = slot.__get__(self)
        return number

    def write(self: Value, number: Any) -> None:
        loan = _data.__get__(self)
        if not isinstance(loan, Loan) or not loan.write(self, slot, number):
            _end(self)
            slot.__set__(self, number)

    return property(read, write)


def _end(parameter: Value) -> None:
    """Ends the loan of a parameter."""
    loan = _data.__get__(parameter)
    if isinstance(loan, Loan):
        loan.end()
    plain = getattr(type(parameter), "_plain", None)
    if plain is not None:  # the making or the end of a loan was interrupted just here
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
        with self.lock:
            self._numbers = np.array([p._data for p in self.parameters], np.float64)
            try:
                self.gradients = np.array([p._grad for p in self.parameters], np.float64)
            except TypeError:  # a gradient is a Value
                self.gradients = np.array([data_of(p._grad) for p in self.parameters], np.float64)
            self._were_moved = np.zeros(len(self.parameters), np.bool_)
            self.version += 1
            self._asked = 0
            plain: set[Any] = set(map(type, self.parameters))
            classes, lend = {cls: _lent_class(cls) for cls in plain}, _data.__set__
            for p in self.parameters:
                p.__class__ = classes[type(p)]
                lend(p, self)
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
    if before is not None and not any(hasattr(x, "_plain") for x in set(map(type, before.parameters))):
        before.begin()
        return before
    if not any(hasattr(kind, "_plain") for kind in set(map(type, parameters))):
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
        if any(hasattr(kind, "_plain") for kind in set(map(type, parameters))):
            for p in parameters:
                _end(p)


class Reader:
    """Reads some parameters, again and again, without ending a loan that has them all.

    Arguments:
        parameters: Values, each once.
    """

    def __init__(self, parameters: Sequence[Value]) -> None:
        self._parameters = parameters
        self._loan: Loan | None = None
        self._places: Words | None = None

    def numbers(self) -> Numbers:
        """The newest numbers, in order."""
        if self._loan is None or not self._loan.is_open:
            self._loan = _loan_of(self._parameters[0]) if self._parameters else None
            self._places = None if self._loan is None else self._loan.places(self._parameters)
        if self._loan is not None and self._places is not None:
            with self._loan.lock:
                if self._loan.is_open:
                    return self._loan.numbers()[self._places]
        return np.array([p._data for p in self._parameters], np.float64)
