"""How does an estimator keep its settings? As attributes, named as in its `__init__`, which only stores them.

That is scikit-learn's convention, with which it copies estimators and searches for better settings.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from autograd.spelling import did_you_mean

Self = TypeVar("Self", bound="WithParameters")
Init = TypeVar("Init", bound=Callable[..., None])

ELSEWHERE = {
    "layers": "that is hidden=(16, 16)",
    "hidden_layer_sizes": "that is hidden=(16, 16)",
    "ordered": "that is text={column: its values in order}",
    "drop": "that is fit(nn.Table(X).drop([column]), y)",
    "target": "that is fit(X, target)",
    "max_iter": "that is epochs",
    "learning_rate": "that is lr",
    "learning_rate_init": "that is lr",
    "n_iter_no_change": "that is patience",
    "validation_fraction": "that is validation",
    "seed": "that is random_state",
    "rng": "that is random_state",
}
"""What else settings are called, by scikit-learn, by `python -m nn` and in `nn.fit`."""


def settings_by_name(init: Init) -> Init:
    """An `__init__` that says which setting was probably meant where there is none of a name."""
    known = list(signature(init).parameters)[1:]

    @wraps(init)
    def checked(self: Any, *args: Any, **settings: Any) -> None:
        check_settings(type(self).__name__, settings, known, TypeError)
        init(self, *args, **settings)

    return checked  # type: ignore[return-value]  # wraps() keeps the signature, and mypy does not know


def check_settings(name: str, settings: Iterable[str], known: Iterable[str], error: type[Exception]) -> None:
    """Raises an error for the first setting that there is not.

    Arguments:
        name: that of the estimator's class.
        settings: those that were given.
        known: those there are.
        error: the kind of the error.
    """
    for setting in settings:
        if setting not in known:
            meant = f" ({ELSEWHERE[setting]})" if setting in ELSEWHERE else did_you_mean(setting, known)
            raise error(f"{name} has no setting {setting!r}{meant}; choose one of {', '.join(sorted(known))}")


class WithParameters:
    """The base class of what has settings: `get_params`, `set_params`, and a text that shows those that were chosen."""

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """The settings and what they are by default, in alphabetical order."""
        parameters = signature(cls).parameters.values()
        return {parameter.name: parameter.default for parameter in sorted(parameters, key=lambda x: x.name)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name.

        Arguments:
            deep: for scikit-learn; no setting has settings of its own.

        >>> from nn import Classifier
        >>> Classifier(epochs=5).get_params()["epochs"]
        5
        """
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self: Self, **settings: Any) -> Self:
        """Changes some of the settings, which count from the next `fit`; returns the estimator.

        Raises:
            ValueError: there is no setting of that name; nothing has been changed.

        >>> from nn import Classifier
        >>> Classifier().set_params(hidden=(8, 8), epochs=5)
        Classifier(epochs=5, hidden=(8, 8))
        """
        check_settings(type(self).__name__, settings, self._defaults(), ValueError)
        vars(self).update(settings)
        return self

    def __repr__(self) -> str:
        chosen = {name: getattr(self, name) for name in self._defaults()}
        shown = [f"{name}={x!r}" for name, x in chosen.items() if repr(x) != repr(self._defaults()[name])]
        return f"{type(self).__name__}({', '.join(shown)})"
