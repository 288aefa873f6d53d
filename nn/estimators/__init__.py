"""How does one learn from data in two lines? `Classifier` and `Regressor`, with scikit-learn's conventions.

They do what `nn.fit` and its companions do, in the usual way: the inputs are brought to one scale, labels are numbered,
some of the examples are held out to stop in time. `estimator.py` says how, and what the two have in common.
"""

from nn.estimators.classifier import Classifier
from nn.estimators.loading import load_estimator
from nn.estimators.regressor import Regressor

__all__ = ["Classifier", "Regressor", "load_estimator"]
