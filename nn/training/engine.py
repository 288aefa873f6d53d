"""Which engine trains? The compiled one where it can, otherwise the eager one. A run calls both alike."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from autograd import Value
from autograd.compiler.tracing import session
from autograd.modes import RecordingError, is_strict
from nn.module import Module
from nn.optim import Optimizer
from nn.own import is_own
from nn.randomness import RandomSource
from nn.schedules import Schedule
from nn.training.eager import EagerTraining, Learned
from nn.training.examples import Examples
from nn.training.figures import Figures
from nn.training.sequences import Sequences

if TYPE_CHECKING:
    from nn.training.compiled import CompiledTraining

EngineName = Literal["auto", "eager", "compiled"]
Task = tuple[Module, Examples, Figures, Optimizer, int, float | None]


class Engine(Protocol):
    """What a run asks of an engine."""

    @property
    def name(self) -> str:
        """What the history calls it."""

    def shuffled(self, order: Any, rng: RandomSource | None) -> Any:
        """A new order of the examples, drawn by `rng.shuffle`; the same order without a generator."""

    def epoch(self, order: Any, schedule: Schedule | None = None) -> Iterator[Learned]:
        """A step for each batch. If anybody looks at the model, it has the newest numbers at the end.

        The caller moves the schedule, if there is one, as many steps as were made, each time that it gets some.
        """

    def evaluated(self, examples: Examples) -> dict[str, Any]:
        """The figures on other examples, in evaluation mode."""

    def numbers(self, parameters: list[Value]) -> list[float]:
        """The newest numbers of some parameters, to be kept."""

    def synchronize(self) -> None:
        """Gives the model and the optimiser their newest numbers."""

    def close(self) -> None:
        """Ends the run."""


def chosen_engine(
    name: str,
    model: Module,
    examples: Examples,
    figures: Figures,
    optimizer: Optimizer,
    batch_size: int,
    max_grad_norm: float | None,
    watched: bool,
    held_out: Examples | None = None,
) -> tuple[Engine, str]:
    """The engine that is to train, and in words why "auto" does not stand for the compiled one.

    Arguments:
        name: "auto", "eager" or "compiled".
        watched: whether code of one's own runs between two epochs, which may look at the model or change it.
        held_out: the examples that are evaluated after each epoch.
        model, ...: what both engines are made of.

    Raises:
        ValueError: there is no engine of that name.
        RecordingError: the name is "compiled", and the model or the loss cannot be recorded.
        ImportError: the name is "compiled", and NumPy is not installed.
    """
    task = model, examples, figures, optimizer, batch_size, max_grad_norm
    if name not in get_args(EngineName):
        raise ValueError(f'engine takes "auto", "eager" or "compiled"; got {name!r}')
    if name == "eager":
        return EagerTraining(*task), ""
    missing = _why_not_compiled()
    if missing and name == "compiled":
        raise ImportError(f'engine="compiled" cannot be had: {missing}')
    if missing:
        return EagerTraining(*task), missing
    if name == "auto":
        return _compiled_if_safe(task, watched, held_out)
    if is_strict():
        raise RecordingError(why_not_compiled())
    return _compiled(task, watched, held_out), ""


def _compiled(task: Task, watched: bool, held_out: Examples | None, cautious: bool = False) -> "CompiledTraining":
    """The compiled engine for such examples."""
    if isinstance(task[1], Sequences):
        from nn.training.compiled_sequences import CompiledSequences

        return CompiledSequences(*task, watched, held_out, cautious)
    from nn.training.compiled import CompiledTraining

    return CompiledTraining(*task, watched, held_out, cautious)


def _compiled_if_safe(task: Task, watched: bool, held_out: Examples | None) -> tuple[Engine, str]:
    """The compiled engine, if it surely does what the eager one does; otherwise that, and why."""
    from nn.training.own_code import Doubt
    from nn.training.settings import foreign

    model, _, figures, optimizer, *_ = task
    own = foreign(model, figures.loss, optimizer)
    try:
        if is_strict():
            raise RecordingError(why_not_compiled())
        if not is_own(optimizer):
            raise Doubt("it may do anything in its step")
        engine = _compiled(task, watched, held_out, cautious=True)
        return (engine, "") if engine.pays() else (EagerTraining(*task), _why_it_does_not_pay())
    except Exception as error:
        if not (own or isinstance(error, RecordingError)):
            raise
        why = f"{own}: {error}" if own else str(error)
        if own and isinstance(error, Doubt):
            why += '; engine="compiled" records it all the same, if its code may run only once'
        return EagerTraining(*task), why


def _why_it_does_not_pay() -> str:
    from autograd.compiler.backend import why_no_native_code

    return f"for batches this small NumPy would be slower than Python; {why_no_native_code()}"


def why_not_compiled() -> str:
    """Why nothing can be compiled here, whatever the model; "" if it can."""
    if is_strict():
        return "inside strict() every operation is looked at, which only the eager engine does"
    if session() is not None:
        return "a function is being recorded"
    return _why_not_compiled()


def _why_not_compiled() -> str:
    """Why nothing can be compiled on this machine; "" if it can."""
    try:
        import autograd.compiler.backend  # noqa: F401  # NumPy is looked for
    except ModuleNotFoundError as error:
        return f"compiled programs need {error.name}, and for speed llvmlite: pip install 'scalar-autograd[fast]'"
    return ""
