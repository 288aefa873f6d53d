"""Do scikit-learn's own checks pass, and do its tools work with `Classifier` and `Regressor`?"""

import pickle
from typing import Any

import numpy as np
import pytest

from nn import Classifier, Regressor

pytest.importorskip("sklearn", reason="scikit-learn is not installed: its checks of estimators cannot run")

import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

WHOLE: dict[str, Any] = {"hidden": (8,), "epochs": 20, "batch_size": 1000, "validation": None, "random_state": 0}
"""A network that learns in 20 steps what the checks want learned. Each epoch is one step: a row of weight 2 is the same
as two rows only where they are in the same batch."""


@pytest.mark.parametrize("estimator", [Classifier(**WHOLE, lr=0.1), Regressor(**WHOLE, lr=0.05)], ids=repr)
@pytest.mark.filterwarnings("ignore::Warning")  # the checks provoke many, and look at those that they want
def test_scikit_learns_checks_pass_without_exception(estimator: Any) -> None:
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 40
    assert [(x["check_name"], str(x["exception"])) for x in results if x["status"] == "failed"] == []
    # needs SCIPY_ARRAY_API=1 before SciPy is imported; passes with it
    assert {x["check_name"] for x in results if x["status"] != "passed"} <= {"check_array_api_input"}


def test_it_is_a_classifier_or_a_regressor_to_scikit_learn() -> None:
    assert is_classifier(Classifier())
    assert is_regressor(Regressor())
    with pytest.raises(NotFittedError):
        Regressor().predict([[1.0]])
    settings = {**Classifier().get_params(), "hidden": (3, 2), "class_weight": {"a": 2.0}}
    assert clone(Classifier(**settings)).get_params() == settings


def test_pipelines_searches_and_ensembles_learn_iris() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    quick = Classifier((8,), epochs=20, lr=0.05, validation=None, random_state=0)
    pipeline = make_pipeline(StandardScaler(), quick)
    assert cross_val_score(pipeline, X, names, cv=2).min() > 0.85
    search = GridSearchCV(pipeline, {"classifier__hidden": [(), (8,)]}, cv=2).fit(X, names)
    assert search.best_score_ > 0.85
    assert search.predict(X[:1]) == ["setosa"]
    for ensemble in (
        StackingClassifier([("network", quick)], GaussianNB(), cv=2),
        VotingClassifier([("network", quick), ("bells", GaussianNB())], voting="soft"),
        CalibratedClassifierCV(quick, method="isotonic", cv=2),
    ):
        assert ensemble.fit(X, names).score(X, names) > 0.85


def test_a_fitted_estimator_is_pickled_by_joblib(tmp_path: Any) -> None:
    import joblib

    X, y = load_diabetes(return_X_y=True)
    model = Regressor((4,), epochs=3, random_state=0).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for other in (joblib.load(tmp_path / "model.joblib"), pickle.loads(pickle.dumps(model))):
        assert (other.predict(X) == model.predict(X)).all()


def test_weights_are_routed_where_they_are_asked_for() -> None:
    X, y = load_iris(return_X_y=True)
    weights = np.resize([0.0, 1.0], len(y))
    quick = Classifier((), epochs=3, random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(quick.set_fit_request(sample_weight=True).set_score_request(sample_weight=True))
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), asking)
        search = GridSearchCV(pipeline, {"classifier__epochs": [3]}, cv=2).fit(X, y, sample_weight=weights)
        with pytest.raises(TypeError, match="fit has no argument 'weight' to hand on; it has sample_weight"):
            asking.set_fit_request(weight=True)
    expected = Classifier((), epochs=3, random_state=0).fit(StandardScaler().fit_transform(X), y, weights)
    assert (search.predict_proba(X) == expected.predict_proba(StandardScaler().fit_transform(X))).all()


@pytest.mark.slow
def test_a_search_in_two_processes_finds_the_same() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"hidden": [(4,), (16,)], "lr": [0.001, 0.01]}
    alone, both = (GridSearchCV(Classifier(random_state=0), grid, cv=3, n_jobs=jobs).fit(X, y) for jobs in (1, 2))
    assert alone.cv_results_["mean_test_score"].tolist() == both.cv_results_["mean_test_score"].tolist()
    assert both.best_score_ > 0.95
