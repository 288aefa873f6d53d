"""How is an estimator read from a file, if one does not know of which kind it is?"""

import os

from nn.estimators.classifier import Classifier
from nn.estimators.files import damaged, read
from nn.estimators.regressor import Regressor

KINDS: dict[str, type[Classifier] | type[Regressor]] = {"Classifier": Classifier, "Regressor": Regressor}


def load_estimator(path: str | os.PathLike[str]) -> Classifier | Regressor:
    """Reads a fitted estimator that its `save` has written.

    Arguments:
        path: the file.

    Returns:
        a `Classifier` or a `Regressor`.

    Raises:
        CheckpointError: the file is damaged, or holds something else.
        OSError: the file cannot be read.

    >>> import os, tempfile
    >>> model = Classifier(epochs=2, random_state=0).fit([[0.0], [1.0], [2.0]], ["low", "high", "high"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(os.path.join(folder, "model.json"))
    ...     load_estimator(os.path.join(folder, "model.json"))
    Classifier(epochs=2, random_state=0)
    """
    kind, kept, model = read(path)
    if kind not in KINDS:
        raise damaged(path, f"its estimator is a {kind}, which is neither {' nor '.join(KINDS)}")
    return KINDS[kind]._restored(path, kept, model)
