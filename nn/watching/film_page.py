"""How is a film written as a page? Its moments, packed, with scripts that compute and show each of them."""

from typing import Any

from nn.diagnosis.layer_statistics import FLAT
from nn.losses import known_loss
from nn.training.examples import Examples
from nn.training.history import History
from nn.training.recording import Recording
from nn.watching.answers import Answers, answers_of
from nn.watching.arrays_of_weights import layers_of
from nn.watching.kit import kit
from nn.watching.networks import Network, network_of
from nn.watching.packing import PackedMoments, packed, thinned
from nn.watching.page import CORE, DRAWING, as_json, fragment as fragment_of, page as page_of, style_constants
from nn.watching.task import Task, task_of

NUMBERS = 70_000
"""So many numbers a page has of all examples together: a thousand of 64 pixels, fewer of more."""

STYLES = ("nn/watching/playground.css", "nn/watching/picture.css", "nn/watching/film.css")
SHOWING = (
    "nn/watching/plots.js",
    "nn/watching/picture.js",
    "nn/watching/film_figures.js",
    "nn/watching/film_charts.js",
    "nn/watching/film_predictions.js",
    "nn/watching/film.js",
)


def fragment(
    history: History,
    recording: Recording,
    names: list[str] | None,
    classes: list[str] | None,
    theme: str,
    picture: str = "",
) -> str:
    """The film as a piece of HTML for a notebook.

    Arguments:
        history: the figures by epoch.
        recording: the moments.
        names: of the inputs, where they are known.
        classes: what the classes are called, where that is known.
        theme: "light", "dark" or "auto".
        picture: what is seen where no script runs, as SVG.
    """
    task = task_of(recording, classes)
    network, printed = _network(recording, task)
    places = _places(recording, network)
    moments = packed(recording, places)
    examples = _few(recording.examples, task)
    answers = answers_of(recording, examples, task, moments) if network.missing else None
    model = _model(history, recording, examples, task, network, moments, answers)
    model |= {"names": {"inputs": names or [f"x{k}" for k in range(task.inputs)], "classes": task.classes}}
    model |= {"theme": theme, "layers": layers_of(recording, places)}
    constants = {"KIT": printed, "MODEL": as_json(model), **style_constants(*STYLES)}
    sentence = f"The film of a training: {description(recording)}. It needs a browser that runs scripts."
    return fragment_of("film", picture, sentence, constants, [*CORE, *DRAWING, *SHOWING])


def page(content: str, theme: str) -> str:
    """One HTML file that needs no kernel and no network, around the film's fragment."""
    return page_of("film", "The film of a training", theme, content)


def description(recording: Recording) -> str:
    """How long the film is, in words."""
    moments = recording.moments
    count = f"{len(moments)} moments" if len(moments) != 1 else "one moment"
    last = moments[-1].epoch if moments else 0.0
    return f"{last:.4g} epoch{'' if last == 1.0 else 's'} in {count}"


def _network(recording: Recording, task: Task) -> tuple[Network, str]:
    """The model as the page computes it, or what is missing; and all that it computes with."""
    network = network_of(recording.model)
    if task.is_of_sequences:
        network.missing = ["What a model of sequences answers is not shown, but its figures and its weights are."]
    known = {id(parameter) for _, parameter in recording.model.named_parameters()}
    names = [name for name, _ in recording.model.named_parameters()]
    if names != recording.names[: len(names)] or not all(id(p) in known for p in network.parameters):
        network.missing.append("The model has other parameters now than it had when it was recorded.")
    if not network.missing:
        try:
            return network, kit(recording.loss, task.width, task.kind, network.activations, None, task.is_wide)
        except TypeError as error:
            network.missing.append(f"The page cannot compute the loss or an activation: {error}.")
    return network, "null"


def _places(recording: Recording, network: Network) -> list[int]:
    """Where the numbers of a moment are, in the order in which the page has them: first those that it computes with."""
    place = {id(p): i for i, (_, p) in enumerate(recording.model.named_parameters())}
    first = [] if network.missing else [place[id(p)] for p in network.parameters]
    taken = set(first)
    return first + [i for i in range(len(recording.names)) if i not in taken]


def _few(examples: Examples, task: Task) -> Examples:
    """As many of the examples as a page has room for; of sequences it shows none."""
    if task.is_of_sequences:
        return Examples([], [])
    return examples.at(thinned(len(examples), max(2, NUMBERS // max(1, task.inputs))))


def _model(
    history: History,
    recording: Recording,
    examples: Examples,
    task: Task,
    network: Network,
    moments: PackedMoments,
    answers: Answers | None,
) -> dict[str, Any]:
    """All that the page knows, for JSON."""
    held_out = Examples([], []) if recording.held_out is None else _few(recording.held_out, task)
    python = answers is not None and bool(answers.outputs)
    drawn = ["So the network is not drawn; Python has computed what it answers."] if python else []
    best = recording.steps_per_epoch * history.kept_epoch or None
    shown = [recording.moments[k] for k in moments.places]
    return {
        "kind": "film",
        "spec": None if network.missing else network.spec,
        "numbers": moments.numbers,
        "count": moments.count,
        "steps": [m.steps for m in shown],
        "epochs": [m.epoch for m in shown],
        "rates": [m.lr for m in shown],
        "losses": [m.loss for m in shown],
        "figures": [dict(m.figures) for m in shown],
        "best": best if any(m.steps == best for m in shown) else None,  # of a long run some epochs are left out
        "task": task.kind,
        "threshold": task.threshold,
        "datasets": [
            {
                "name": "the examples",
                "rows": examples.rows,
                "targets": examples.targets,
                "testRows": held_out.rows,
                "testTargets": held_out.targets,
            }
        ],
        "loss": known_loss(recording.loss) or "a loss of your own",
        "optimizer": recording.optimizer,
        "batchSize": recording.batch_size,
        "stepsPerEpoch": recording.steps_per_epoch,
        "missing": network.missing + (answers.missing if answers else []) + drawn,
        "answers": None if answers is None else answers.for_page(),
        "note": " ".join(x for x in (recording.note, moments.note) if x),
        "stopped": history.stopped,
        "flat": FLAT,
    }
