"""How does an estimator keep its settings? As attributes, named as in its `__init__`, which only stores them.

That is scikit-learn's convention, with which it copies estimators and searches for better settings.
"""

from inspect import signature
from typing import Any, TypeVar

Self = TypeVar("Self", bound="WithParameters")


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
        known = self._defaults()
        for name in settings:
            if name not in known:
                raise ValueError(f"{type(self).__name__} has no setting {name!r}; choose one of {', '.join(known)}")
        vars(self).update(settings)
        return self

    def __repr__(self) -> str:
        chosen = {name: getattr(self, name) for name in self._defaults()}
        shown = [f"{name}={x!r}" for name, x in chosen.items() if repr(x) != repr(self._defaults()[name])]
        return f"{type(self).__name__}({', '.join(shown)})"
