"""With what does a page train? Activations, losses, optimisers and initialisers as JavaScript, printed from our own.

Each is a function of Python's. It is called once on numbers that are not known yet, and its graph is printed. So the
page computes what `nn` computes, and no formula is written twice.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from autograd import Value, functions as autograd_functions
from autograd.compiler.javascript_functions import CONTRIBUTION, Functions
from autograd.compiler.tracing import tracer, tracing
from autograd.value import data_of
from nn.activations import ACTIVATIONS
from nn.init import INITIALISERS, initialiser
from nn.losses import Loss, is_sum, known_loss
from nn.metrics import score_threshold
from nn.optim import OPTIMIZERS, SGD, Optimizer
from nn.own import is_own
from nn.training.outputs import error_of

OFFERED: dict[str, tuple[Callable[..., Optimizer], float]] = {
    **{str(name): made for name, made in OPTIMIZERS.items()},
    "momentum": (lambda params, lr: SGD(params, lr, momentum=0.9), 0.1),
}
"""The optimisers that a page offers, each with its learning rate."""

QUICK_SUM = "const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);"
"""In place of the sum that is rounded once: with it the losses of 10 classes take four fifths of a step's time. The
weights are those of Python to 1e-9 all the same."""


def kit(
    loss: Loss,
    outputs: int,
    task: str,
    activations: Mapping[str, Callable[[Any], Any]] | None = None,
    optimizer: tuple[str, Optimizer] | None = None,
    wide: bool = False,
    targets: Sequence[Any] = (),
) -> str:
    """One JavaScript expression: an object with all that `network.js` and `training.js` compute with.

    Arguments:
        loss: a function of (predictions, targets).
        outputs: how many outputs the network has.
        task: "binary", "classes" or "regression".
        activations: those beside the ones that layers know by name, by the names that the page gives them.
        optimizer: one more optimiser, and what the page calls it.
        wide: whether a target is a row with a number for each output.
        targets: some, to see what a loss of one's own makes of several examples.

    Raises:
        TypeError: a function cannot be recorded: it decides something in Python by a number, or has an operation of
            one's own over plain floats; it is another one in each call; or a loss of one's own is neither the mean over
            the examples nor their sum.
    """
    adds_up = is_sum(loss) if known_loss(loss) else _adds_up(loss, outputs, targets)
    asked = loss, outputs, task, activations, optimizer, wide, adds_up
    printed = _printed(*asked)
    own = activations or not known_loss(loss) or (optimizer is not None and not is_own(optimizer[1]))
    if own and _printed(*asked) != printed:
        raise TypeError("a function of your own is another one in each call: does it draw random numbers?")
    return printed


def _adds_up(loss: Loss, outputs: int, targets: Sequence[Any]) -> bool:
    """Whether a loss of one's own is the sum over the examples, and not their mean."""
    numbers = [[math.sin(1.0 + 3.7 * (i + outputs * k)) for i in range(outputs)] for k in range(3)]
    rows = [row if outputs > 1 else row[0] for row in numbers]
    given = [*targets[:3]] * 3
    alone = [error_of(loss, [row], [target]) for row, target in zip(rows, given, strict=False)]
    for count in (2, 3) if given else ():
        together, total = _float(error_of(loss, rows[:count], given[:count])), math.fsum(map(_float, alone[:count]))
        if math.isclose(together, total, rel_tol=1e-9) and not math.isclose(total, 0.0):
            return True
        if not math.isclose(together, total / count, rel_tol=1e-9, abs_tol=1e-12):
            raise TypeError("the loss of several examples is neither the mean of their losses nor the sum")
    return False


def _float(x: Any) -> float:
    return float(data_of(x)) if isinstance(x, Value) else float(x)


def _printed(
    loss: Loss,
    outputs: int,
    task: str,
    activations: Mapping[str, Callable[[Any], Any]] | None,
    optimizer: tuple[str, Optimizer] | None,
    wide: bool,
    adds_up: bool,
) -> str:
    functions = Functions()
    units: dict[str, Callable[[Any], Any]] = {str(name): function for name, function in ACTIVATIONS.items()}
    units |= activations or {}
    parts = {
        "activations": _object((name, _activation(functions, function)) for name, function in units.items()),
        "optimizers": _object((name, _optimizer(functions, *made)) for name, made in _optimizers(optimizer).items()),
        "loss": _loss(functions, loss, outputs, wide),
        "isSum": json.dumps(adds_up),
        "isRight": _is_right(loss, task),
        "initialisers": _object((name, _initialiser(functions, name)) for name in INITIALISERS),
        "initialiserOf": _initialiser_of(units),
    }
    declared = [x for x in functions.declarations() if x != CONTRIBUTION]  # the page has it, in network.js
    declared = [QUICK_SUM if x.startswith("const sum = ") else x for x in declared]
    return "\n".join(['(() => {\n"use strict";', *declared, f"return {_object(parts.items())};\n}})()"])


def _object(parts: Iterable[tuple[str, str]]) -> str:
    return f"{{{','.join(f'{json.dumps(name)}:{text}' for name, text in parts)}}}"


def _block(statements: Iterable[str], end: str) -> str:
    """The inside of a function. A number that is added to was declared before."""
    return "{" + "".join(f"{x};" if "+=" in x else f"let {x};" for x in statements) + end + "}"


def _activation(functions: Functions, function: Callable[[Any], Any]) -> str:
    """An activation function: its value, and its derivative by the value and the number that it was applied to."""
    with tracing():
        x = tracer(0.5)
        out = function(x)
    if not isinstance(out, Value):
        raise TypeError(f"an activation returns a Value; got {out!r}")
    if out is x:
        return "{value:(x)=>x,derivative:(o,x)=>1}"
    if out.parents == (x,) and out._operation is not None:
        statements, (result,) = functions.forward([out], {x: "x"})
        statements, _, (derivative,) = functions.backward(out, [x], {x: "x"})
        value = statements[0].partition("=")[2]
        # The value is known already: the derivative alone is computed.
        known = "" if f"{result}" not in derivative and not _mentions(statements[1:], result) else f"let {result}=o;"
        rest = "".join(f"let {x};" for x in statements[1:])
        return f"{{value:(x)=>{value},derivative:(o,x)=>{{{known}{rest}return {derivative}}}}}"
    statements, (result,) = functions.forward([out], {x: "x"})
    whole, _, (derivative,) = functions.backward(out, [x], {x: "x"})
    value, slope = _block(statements, f"return {result}"), _block(whole, f"return {derivative}")
    return f"{{value:(x)=>{value},derivative:(o,x)=>{slope}}}"


def _mentions(statements: Iterable[str], name: str) -> bool:
    return any(name in statement for statement in statements)


def _loss(functions: Functions, loss: Loss, outputs: int, wide: bool) -> str:
    """The loss of one example, which also fills in its gradient by the outputs."""
    with tracing():
        predictions = [tracer(0.5) for _ in range(outputs)]
        targets = [tracer(1.0) for _ in range(outputs if wide else 1)]
        error = loss([predictions if outputs > 1 else predictions[0]], [targets if wide else targets[0]])
    if not isinstance(error, Value):
        raise TypeError(f"a loss returns one Value; got {error!r}: use its reduction to a mean or a sum")
    names: dict[Value, str] = {p: f"o[{k}]" for k, p in enumerate(predictions)}
    names |= {t: f"t[{k}]" if wide else "t" for k, t in enumerate(targets)}
    statements, result, derivatives = functions.backward(error, predictions, names)
    filled = "".join(f"g[{k}]={derivative};" for k, derivative in enumerate(derivatives))
    return f"(o,t,g)=>{_block(statements, f'{filled}return {result}')}"


def _is_right(loss: Loss, task: str) -> str:
    """Whether an answer is the right class; null where there are no classes."""
    if task == "classes":
        return "(o,t)=>{let k=0;for(let j=1;j<o.length;j++)if(o[j]>o[k])k=j;return k===t}"
    if task == "binary" and (known := score_threshold(loss)) is not None:
        threshold, other = known
        return f"(o,t)=>(o[0]>{threshold:g}?1:{other})===t"
    return "()=>null"


def _optimizers(given: tuple[str, Optimizer] | None) -> dict[str, tuple[Optimizer, float]]:
    """The optimisers that the page offers, each for a parameter of its own, and their learning rates."""
    offered = {name: (make([Value(0.0)], lr), lr) for name, (make, lr) in OFFERED.items()}
    return offered if given is None else {**offered, given[0]: (given[1], given[1].lr)}


def _optimizer(functions: Functions, optimizer: Optimizer, lr: float) -> str:
    """An optimiser: its learning rate, what it remembers of a parameter at first, and its step for all of them."""
    starts = optimizer.starts()
    first, count = _scalars(functions, optimizer, begun=False)
    later, _ = _scalars(functions, optimizer, begun=True)
    with tracing():
        scalars = [tracer(1.0) for _ in range(count)]
        data, gradient, *remembered = [tracer(1.0) for _ in range(2 + len(starts))]
        moved = list(optimizer.rule(autograd_functions, *scalars)(data, gradient, *remembered))
    names: dict[Value, str] = {data: "x", gradient: "d"}
    names.update({x: f"m{k}" for k, x in enumerate(remembered)})
    names.update({x: f"s{k}" for k, x in enumerate(scalars)})
    statements, results = functions.forward(moved, names)
    places = ["n[i]", *(f"m[{k}][i]" for k in range(len(starts)))]
    read = ["x=n[i]", "d=g[i]", *(f"m{k}=m[{k}][i]" for k in range(len(starts)))]
    written = "".join(f"{place}={x};" for place, x in zip(places, results, strict=True))
    loop = f"for(let i=0;i<n.length;i++){_block([*read, *statements], written)}"
    chosen = later if first == later else f"k?{later}:{first}"
    step = f"(n,g,m,lr,k)=>{{const [{','.join(f's{k}' for k in range(count))}]={chosen};{loop}}}"
    return f"{{lr:{lr!r},states:{json.dumps(list(starts.values()))},step:{step}}}"


def _scalars(functions: Functions, optimizer: Optimizer, begun: bool) -> tuple[str, int]:
    """The scalars of the coming step as an expression of the learning rate and of how many steps were made."""
    with tracing():
        lr, steps = tracer(0.1), tracer(1.0)
        then: Any = optimizer.before_step(0, begun)
        then.lr, then._steps = lr, steps
        scalars = then.scalars(autograd_functions)
    names: dict[Value, str] = {lr: "lr", steps: "k"}
    values = [x for x in scalars if isinstance(x, Value)]
    statements, results = functions.forward(values, names)
    known = iter(results)
    texts = [next(known) if isinstance(x, Value) else repr(float(x)) for x in scalars]
    end = f"return [{','.join(texts)}]"
    return f"(()=>{_block(statements, end)})()", len(texts)


def _initialiser(functions: Functions, name: str) -> str:
    """An initialiser as a function of fan-in, fan-out and a generator of random numbers."""
    draws: list[str] = []

    class Recorder:
        """Writes down which number is drawn."""

        def uniform(self, low: Any, high: Any) -> float:
            """One number between two."""
            return self._drawn("uniform", low, high)

        def gauss(self, mean: Any, deviation: Any) -> float:
            """One number of a normal distribution."""
            return self._drawn("gauss", mean, deviation)

        def _drawn(self, function: str, *arguments: Any) -> float:
            values = [x for x in arguments if isinstance(x, Value)]
            statements, results = functions.forward(values, {fan_in: "a", fan_out: "b"})
            known = iter(results)
            texts = [next(known) if isinstance(x, Value) else repr(float(x)) for x in arguments]
            end = f"return r.{function}({','.join(texts)})"
            draws.append(f"(a,b,r)=>{_block(statements, end)}")
            return 0.0

    with tracing():
        fan_in, fan_out = tracer(1.0), tracer(1.0)
        INITIALISERS[name](fan_in, fan_out, Recorder())  # type: ignore[arg-type]
    return draws[0]


def _initialiser_of(activations: Iterable[str]) -> str:
    """The name of the initialiser that suits an activation."""
    names = {function: name for name, function in INITIALISERS.items()}
    chosen = {activation: names[initialiser(None, activation)] for activation in activations}
    return f"(x)=>({json.dumps(chosen, separators=(',', ':'))})[x]"
