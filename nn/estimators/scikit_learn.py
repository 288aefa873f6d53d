"""What does scikit-learn want to know of an estimator? It is asked only where it is loaded already, and never imported.

So `nn` does not depend on it, and yet its pipelines, searches and checks find what they look for.
"""

import copy
import sys
from inspect import signature
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


class WithMetadataRouting:
    """Says which of its arguments a pipeline or a search shall hand on, where scikit-learn's routing is switched on."""

    def set_fit_request(self, **requests: Any) -> Any:
        """Which arguments of `fit` are handed on: `sample_weight=True`, or the name under which they are given."""
        return self._request("fit", requests)

    def set_partial_fit_request(self, **requests: Any) -> Any:
        """Which arguments of `partial_fit` are handed on."""
        return self._request("partial_fit", requests)

    def set_score_request(self, **requests: Any) -> Any:
        """Which arguments of `score` are handed on."""
        return self._request("score", requests)

    def get_metadata_routing(self) -> Any:
        """What scikit-learn asks for: the requests, as it keeps them."""
        kept = vars(self).get("_metadata_request")  # scikit-learn's name for it: `clone` copies it
        if kept is not None:
            return copy.deepcopy(kept)
        routing = sys.modules.get("sklearn.utils.metadata_routing")
        if routing is None:
            raise RuntimeError("requests are for scikit-learn, which is not there yet: import sklearn first")
        requests = routing.MetadataRequest(owner=type(self).__name__)
        for method in _ROUTED:
            for name in list(signature(getattr(type(self), method)).parameters)[3:]:  # after self, X and y
                getattr(requests, method).add_request(param=name, alias=None)
        return requests

    def _request(self, method: str, requests: dict[str, Any]) -> Any:
        kept = self.get_metadata_routing()
        known = getattr(kept, method).requests
        for name, request in requests.items():
            if name not in known:
                raise TypeError(f"{method} has no argument {name!r} to hand on; it has {', '.join(known)}")
            getattr(kept, method).add_request(param=name, alias=request)
        self._metadata_request = kept
        return self


_ROUTED = ("fit", "partial_fit", "score")
