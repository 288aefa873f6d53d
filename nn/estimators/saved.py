"""How is an estimator kept in a file? As a checkpoint of its model, with its settings and what it knows of the data.

`nn.load` reads the model alone from such a file; `load_estimator` the whole.
"""

import os
from typing import Any

from nn.estimators.classifier import Classifier
from nn.estimators.estimator import KINDS, estimator_in
from nn.estimators.regressor import Regressor

KINDS |= {"Classifier": Classifier, "Regressor": Regressor}


def load_estimator(path: str | os.PathLike[str]) -> Any:
    """Reads an estimator that its `save` has written: a `Classifier` or a `Regressor`.

    Arguments:
        path: the file.

    Raises:
        CheckpointError: the file is damaged, or holds something else.
        OSError: the file cannot be read.

    >>> import os, tempfile
    >>> from nn import Classifier
    >>> model = Classifier(epochs=2, random_state=0).fit([[0.0], [1.0], [2.0]], ["low", "high", "high"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(os.path.join(folder, "model.json"))
    ...     load_estimator(os.path.join(folder, "model.json"))
    Classifier(epochs=2, random_state=0)
    """
    return estimator_in(path)
