"""How do gradients, weights and activations change while a network learns? A diagnosis after every epoch of `fit`."""

from typing import Any

from autograd.terminal import table, wrapped
from nn.arguments import examples
from nn.diagnosis.diagnose import Diagnosis, diagnose, three_digits
from nn.diagnosis.layer_statistics import LayerStatistics
from nn.diagnosis.pictures import as_html, by_epoch, picture_of_epochs
from nn.losses import Loss, LossName, loss_function
from nn.module import Module, check_module
from nn.training.history import History


class Monitor:
    """A callback of `fit` that diagnoses the model after every epoch, and before the first.

    Arguments:
        model: what `fit` trains.
        X: some examples, a list of rows, a NumPy array or a data frame; each diagnosis takes as long as a training step
            on all of them.
        Y: a target for each.
        loss: a function of (predictions, targets) that returns one Value, or the name of one in `nn.losses`.

    Attributes:
        diagnoses: a `Diagnosis` from before the training, and one for each epoch. From the second on, the movement of
            the parameters is measured from the one before.

    Raises:
        ValueError, TypeError: an argument does not fit.

    >>> import random
    >>> from nn import MLP, SGD, fit
    >>> rng = random.Random(0)
    >>> model, X, Y = MLP(1, [3, 1], rng=rng), [[0.0], [1.0]], [1.0, 3.0]
    >>> monitor = Monitor(model, X, Y, "mse_loss")
    >>> history = fit(model, X, Y, loss="mse_loss", optimizer=SGD(model.parameters(), lr=0.1), epochs=2, batch_size=2,
    ...               callbacks=[monitor], progress=False)
    >>> len(monitor.diagnoses)
    3
    """

    def __init__(self, model: Module, X: Any, Y: Any, loss: Loss | LossName) -> None:
        check_module("Monitor takes", model)
        self.model, (self.X, self.Y) = model, examples(X, Y)
        self.loss = loss_function(loss)
        self.diagnoses: list[Diagnosis] = [diagnose(model, self.X, self.Y, self.loss)]
        self._state = model.state_dict()

    def __call__(self, model: Module, history: History) -> None:
        """Diagnoses the model; `fit` calls it after each epoch.

        Raises:
            ValueError: it is another model.
        """
        if model is not self.model:
            raise ValueError("this Monitor was made for another model: make one with the model that fit trains")
        self.diagnoses.append(diagnose(model, self.X, self.Y, self.loss, since=self._state))
        self._state = model.state_dict()

    def figures(self, layer: str, name: str) -> list[float | None]:
        """One number of a layer, from before the training and after each epoch.

        Arguments:
            layer: the layer's name, such as "layers.0".
            name: an attribute of `LayerStatistics`, such as "gradient", "movement" or "dead".

        Raises:
            ValueError: there is no such layer, or no such figure.

        >>> import random
        >>> from nn import MLP
        >>> Monitor(MLP(1, [1], rng=random.Random(0)), [[1.0]], [0.0], "mse_loss").figures("layers.0", "units")
        [0]
        """
        names = [x.name for x in self.diagnoses[0].layers]
        if layer not in names:
            raise ValueError(f"there is no layer {layer!r}; the layers are {', '.join(names)}")
        if name not in LayerStatistics.__annotations__:
            raise ValueError(f"there is no figure {name!r}; choose one of {', '.join(LayerStatistics.__annotations__)}")
        return by_epoch([diagnosis.layers for diagnosis in self.diagnoses], layer, name)

    def __str__(self) -> str:
        rows = []
        for epoch, diagnosis in enumerate(self.diagnoses):
            learning = diagnosis.learning
            gradients = [learning[0].gradient, learning[-1].gradient] if learning else [None, None]
            figures = [diagnosis.loss, *gradients, learning[0].movement if learning and epoch else None]
            rows.append([str(epoch), diagnosis.verdict, *map(three_digits, figures), str(len(diagnosis.dead))])
        header = ["epoch", "verdict", "loss", "first layer", "last layer", "moves", "dead"]
        legend = "(first layer, last layer: their gradients; moves: the first layer since the epoch before)"
        return f"{table(header, rows, left=2)}\n\n{wrapped(legend)}"

    def _repr_html_(self) -> str:
        """In a notebook: the table, and below it the picture."""
        return as_html(str(self), self.plot, "gradients, movements and dead units by epoch")

    def plot(self) -> Any:
        """Draws gradient, movement and dead units of each layer by epoch, with matplotlib; returns the picture.

        Raises:
            ImportError: matplotlib is not installed.
        """
        return picture_of_epochs([diagnosis.layers for diagnosis in self.diagnoses])
