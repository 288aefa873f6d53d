"""What does scikit-learn want to know of an estimator? It is asked only where it is loaded already, and never imported.

So `nn` does not depend on it, and yet its pipelines, searches and checks find what they look for.
"""

import sys
from typing import Any


class NotFittedError(ValueError, AttributeError):
    """An estimator was asked for what it has only after `fit`. Where scikit-learn is loaded, its error is raised."""


class DataConversionWarning(UserWarning):
    """y was a column where labels were expected. Where scikit-learn is loaded, its warning is given."""


def not_fitted(name: str) -> Exception:
    """The error for an estimator that has not learned anything yet.

    Arguments:
        name: the name of its class.
    """
    kind = _exceptions("NotFittedError", NotFittedError)
    error: Exception = kind(f"this {name} is not fitted yet: call fit with examples first, or load a fitted one")
    return error


def data_conversion_warning() -> type[Warning]:
    """The class of the warning that y was converted."""
    kind: type[Warning] = _exceptions("DataConversionWarning", DataConversionWarning)
    return kind


def _exceptions(name: str, own: Any) -> Any:
    return getattr(sys.modules.get("sklearn.exceptions"), name, own)


def tags(kind: str, multi_output: bool) -> Any:
    """What `__sklearn_tags__` returns, which scikit-learn alone asks for.

    Arguments:
        kind: "classifier" or "regressor".
        multi_output: whether several targets can be learned at once.
    """
    utils: Any = sys.modules["sklearn.utils"]
    return utils.Tags(
        estimator_type=kind,
        target_tags=utils.TargetTags(required=True, multi_output=multi_output),
        classifier_tags=utils.ClassifierTags() if kind == "classifier" else None,
        regressor_tags=utils.RegressorTags() if kind == "regressor" else None,
        transformer_tags=None,
        input_tags=utils.InputTags(),
    )
