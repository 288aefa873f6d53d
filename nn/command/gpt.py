"""What does `python -m nn gpt` do? A GPT learns to write names: it says how it goes, and what it invents.

`texts.py` says what it learns from, `generate.py` asks a trained one for more. The checkpoint is that of `nn.fit`, so a
run that was interrupted or killed goes on to the same bits.
"""

import argparse
import os
from math import exp, log
from random import Random

from autograd.terminal import WIDTH, cut, say, table, wrapped
from nn import checkpoint
from nn.bigram import Bigram
from nn.command.generate import generated, gpt_in
from nn.command.options import PROGRAM, check_writable, same_file
from nn.command.texts import Texts, load_texts, show_generated, shown_text
from nn.command.train import as_path, command_lines, ending, name_of, without
from nn.datasets.dataset import counted
from nn.gpt import GPT
from nn.module import Module
from nn.optim import Adam
from nn.schedules import LinearLR
from nn.tokenizer import CharTokenizer
from nn.training.fit import fit
from nn.training.history import History
from nn.training.resume import Progress, digest_of_examples, progress_in, with_schedule

Data = list[tuple[list[list[int]], list[list[int]]]]
"""X and Y to learn from, and those that are held out."""

SIZES = ("n_embd", "n_head", "n_layer", "block_size")
LOOKS = 10
"""So often in a run the validation loss is computed, texts are shown, and the checkpoint is written."""
SHOWN = 5
"""So many texts are written each time, as far as they go on a line."""
IN_THE_END = 20
ANEW = "delete the file to begin anew, or name another one with --checkpoint FILE"


def train_gpt(options: argparse.Namespace) -> None:
    """`python -m nn gpt`."""
    path = options.checkpoint or f"{'gpt' if options.data is None else name_of(options.data)}-checkpoint.json"
    check_writable(path, "--checkpoint")
    if options.data is not None and same_file(path, options.data):
        raise ValueError(f"--checkpoint {path} would overwrite the file of --data: choose another name")
    texts = load_texts(options)
    gpt = GPT(CharTokenizer(texts.all), *(getattr(options, size) for size in SIZES), rng=options.seed)
    data = [gpt.examples(texts.learned), gpt.examples(texts.held_out)]
    before = progress_of(path, gpt, data, options)
    for line in [*texts.about, about(gpt)]:
        say(wrapped(line, indent="  "))
    if before is not None:
        say(wrapped(f"{path} has {before.steps:,} of {options.steps:,} steps."))
    say()
    history = learn(gpt, texts, data, path, before, options)
    after = progress_in(checkpoint.read(path), path)
    for line in ending(history, stopped(history, after.steps, options), "the weights with the lowest validation loss"):
        say(wrapped(line))
    say()
    show_results(gpt, texts, data, history, options)
    say(wrapped(f"The model is in {path}. What next:"))
    for words in what_next(path, gpt, texts, after.steps, options):
        say("\n".join(command_lines([*PROGRAM.split(), *words])))


def about(gpt: GPT) -> str:
    """What the model is, in a sentence."""
    sizes = [counted(gpt.n_layer, "block"), counted(gpt.n_head, "head"), counted(gpt.n_embd, "number")]
    return (
        f"A GPT of {len(gpt.parameters()):,} parameters: {sizes[0]} with {sizes[1]}, {sizes[2]} for each position; it "
        f"looks at {counted(gpt.block_size, 'position')}."
    )


# The checkpoint


def progress_of(path: str, gpt: GPT, data: Data, options: argparse.Namespace) -> Progress | None:
    """How far this training is, if there is a file of it.

    Raises:
        ValueError: the file is something else, that of another training, or has more steps than asked for.
    """
    if not os.path.exists(path):
        return None
    content = checkpoint.read(path)
    if content["model"].get("class") != "GPT" or "training" not in content:
        raise ValueError(
            f"{path} holds no training of a GPT, and would be overwritten: name another file with --checkpoint FILE"
        )
    there, progress = gpt_in(path, content), progress_in(content, path)
    kept = {size: getattr(there, size) for size in SIZES} | {"lr": progress.lr, "batch_size": progress.batch_size}
    for name, number in kept.items():
        if number != getattr(options, name):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{path} was trained with {option} {number}; got {getattr(options, name)}: {ANEW}")
    if there.config() != gpt.config() or progress.examples != digest_of_examples(data):
        here = "the names of cities" if options.data is None else options.data
        raise ValueError(f"{path} was not trained on {here} with --seed {options.seed}, but on other texts: {ANEW}")
    if progress.steps > options.steps:
        raise ValueError(
            f"{path} has {progress.steps:,} steps already; got --steps {options.steps}: give more, or {ANEW}"
        )
    if options.engine not in ("auto", progress.engine):
        raise ValueError(f"{path} was trained with --engine {progress.engine}; got {options.engine}: {ANEW}")
    return progress


def learn(
    gpt: GPT, texts: Texts, data: Data, path: str, before: Progress | None, options: argparse.Namespace
) -> History:
    """Trains, with a line now and then. Raises KeyboardInterrupt if nothing was learned until then."""
    optimizer = Adam(gpt.parameters(), lr=options.lr, betas=(0.85, 0.99))
    schedule = LinearLR(optimizer, 1.0, 0.0, total_iters=options.steps)
    each, engine = -(-options.steps // LOOKS), options.engine
    if before is not None:
        each, engine = before.steps_per_epoch or -(-len(texts.learned) // options.batch_size), before.engine
        with_schedule(path, schedule, "step")
    (X, Y), held_out = data
    history = fit(
        gpt,
        X,
        Y,
        loss="cross_entropy",
        optimizer=optimizer,
        epochs=options.steps,
        batch_size=options.batch_size,
        steps_per_epoch=each,
        max_steps=options.steps,
        validation=held_out,
        rng=Random(options.seed),
        schedule=schedule,
        schedule_by="step",
        checkpoint=path,
        engine=engine,
        callbacks=[Lines(texts, schedule, each, options)],
    )
    if not len(history):
        raise KeyboardInterrupt
    if not history.best_epoch:
        os.remove(path)
        raise ValueError(f"nothing was learned or saved: {history.stopped} (--lr RATE)")
    return history


class Lines:
    """The lines of a table, each with what the model writes at that moment.

    Arguments:
        texts: what it learns from.
        schedule: knows how many steps it has learned.
        each: after so many steps it is called.
        options: those of the command.
    """

    def __init__(self, texts: Texts, schedule: LinearLR, each: int, options: argparse.Namespace) -> None:
        self._schedule, self._options = schedule, options
        self._every = each * -(-options.steps // (each * LOOKS))
        self._step = max(4, len(f"{options.steps:,}"))
        self._header = f"{'step':>{self._step}}    loss  validation loss  what it writes"

    def __call__(self, model: Module, history: History) -> None:
        """Prints a line, if it is time; before the first one the header."""
        assert isinstance(model, GPT)
        step, last = self._schedule.last_epoch, self._options.steps
        if step % self._every and step != last:
            return
        if self._header:
            say(self._header)
            self._header = ""
        figures = history[-1]
        line = f"{step:>{self._step},}  {figures['loss']:6.4f}  {figures['validation_loss']:15.4f}"
        rng = Random(f"{self._options.seed} {step}")  # so a run that was resumed writes the same
        written = generated(model, SHOWN, self._options.temperature, rng)
        say(cut(f"{line}  {', '.join(map(shown_text, written))}", WIDTH))


# The end


def stopped(history: History, kept: int, options: argparse.Namespace) -> str:
    """Why the training ended, and what is kept of it."""
    if kept >= options.steps:
        return f"all {options.steps:,} steps are done"
    return f"{history.stopped}, with {kept:,} of {options.steps:,} steps in the checkpoint"


def show_results(gpt: GPT, texts: Texts, data: Data, history: History, options: argparse.Namespace) -> None:
    """How good the model is beside simpler ones, and what it writes."""
    assert gpt.tokenizer is not None
    bigram = Bigram(gpt.tokenizer, *data[0])
    losses = {
        "GPT": history.validation_loss[history.best_epoch - 1],
        "bigram model": bigram.loss(*data[1]),
        "guessing": log(len(gpt.tokenizer)),
    }
    rows = [[name, f"{loss:.4f}", f"{exp(loss):.1f}"] for name, loss in losses.items()]
    say(table(["model", "validation loss", "perplexity"], rows))
    say(
        wrapped(
            f"(bigram model: counts which character follows which, and adds {bigram.smoothing:g} to each count; "
            f"guessing: any of {len(gpt.tokenizer)}, with the end; loss: in nats a character; perplexity: exp(loss), "
            f"as if so many characters were equally likely)"
        )
    )
    written = generated(gpt, IN_THE_END, options.temperature, Random(options.seed))
    known = set(texts.learned)
    new = sum(text not in known for text in written)
    heat = f"temperature {options.temperature:g}"
    some = f"{len(written)} {texts.nouns}" if len(written) > 1 else f"The likeliest {texts.noun}"
    stars = (
        f"; * marks the {len(written) - new} that it has learned from" if new < len(written) else ", all of them new"
    )
    say()
    say(wrapped(f"{some} that it wrote ({heat}{stars}):"))
    show_generated(written, known)
    say()


def what_next(path: str, gpt: GPT, texts: Texts, steps: int, options: argparse.Namespace) -> list[list[str]]:
    """The commands that one may want to give next: go on, generate, more steps, larger, or other texts."""
    if steps < options.steps:
        return [["gpt", *options.words], ["generate", as_path(path), "--count", "40"]]
    first = texts.learned[0][: min(3, gpt.block_size - 1)]
    prompt = first if first.strip() == first and not first.startswith("-") else ""
    ask = ["generate", as_path(path), *(["--prompt", prompt] if prompt else []), "--count", "10"]
    again = without(options.words, "--steps")
    return [ask, ["gpt", *again, "--steps", str(2 * options.steps)]]
