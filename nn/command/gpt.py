"""What does `python -m nn gpt` do? A GPT learns to write names: it says how it goes, and what it invents.

`texts.py` says what it learns from, `generate.py` asks a trained one for more. The checkpoint is that of `nn.fit`, so a
run that was interrupted or killed goes on to the same bits.
"""

import argparse
import os
from math import exp, log, nan
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
LEAST, MOST = 10, 1000
"""So many steps lie between two looks, at least and at most: a short run may be made a long one later, and Ctrl-C takes
back what came after the last look."""
SHOWN = 5
"""So many texts are written each time, as far as they go on a line."""
IN_THE_END = 20
WAYS_OUT = "try more steps, more texts, or another learning rate (--lr)"
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
    each, engine = max(LEAST, min(-(-options.steps // LOOKS), MOST)), options.engine
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
    best = lowest(history)
    if is_hopeless(best, gpt):
        os.remove(path)
        raise ValueError(
            f"nothing was learned or saved: the validation loss is {best:.2g} at best, and guessing has "
            f"{guessing(gpt):.2g}; a lower learning rate may help (--lr RATE)"
        )
    return history


def lowest(history: History) -> float:
    """The validation loss with the weights that are kept; nan if there are none."""
    return history.validation_loss[history.best_epoch - 1] if history.best_epoch else nan


def is_hopeless(loss: float, gpt: GPT) -> bool:
    """Whether guessing is so much better that there is no point in going on from there."""
    return not loss < 2.0 * guessing(gpt)


def guessing(gpt: GPT) -> float:
    """The loss of whoever guesses."""
    return log(gpt.wte.num_embeddings)


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
        step, last, figures = self._schedule.last_epoch, self._options.steps, history[-1]
        if step % self._every and step != last and not self._header:
            return
        if self._header:
            say(self._header)
            self._header = ""
        line = f"{step:>{self._step},}  {figure(figures['loss']):>6}  {figure(figures['validation_loss']):>15}"
        rng = Random(f"{self._options.seed} {step}")  # so a run that was resumed writes the same
        try:
            written = generated(model, SHOWN, self._options.temperature, rng)
        except ValueError:  # its numbers are not finite
            written = []
        say(cut(f"{line}  {', '.join(map(shown_text, written))}", WIDTH))


def figure(loss: float) -> str:
    """A loss, short even where a learning rate was far too high."""
    return f"{loss:.4f}" if loss < 1000.0 else f"{loss:.0e}"


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
        "GPT": lowest(history),
        "bigram model": bigram.loss(*data[1]),
        "guessing": guessing(gpt),
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
    if losses["GPT"] >= losses["bigram model"]:
        say(wrapped(f"Counting pairs is as good: {WAYS_OUT}."))
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
    """The commands that one may want to give next: write more, more steps, a larger model, other texts."""
    if steps < options.steps:
        return [["gpt", *options.words], ["generate", as_path(path), "--count", "40"]]
    prompt = "Ber" if options.data is None else texts.learned[0][:2].strip()
    begins = ["--prompt", prompt] if len(prompt) < gpt.block_size and not prompt.startswith("-") else []
    larger = [
        "--n-embd",
        str(2 * gpt.n_embd),
        "--n-layer",
        str(gpt.n_layer + 1),
        "--checkpoint",
        f"larger-{os.path.basename(path)}",
    ]
    again = options.words
    for option in ("--n-embd", "--n-layer", "--checkpoint"):
        again = without(again, option)
    return [
        ["generate", as_path(path), *begins, "--count", "10"],
        ["gpt", *without(options.words, "--steps"), "--steps", str(2 * options.steps)],
        ["gpt", *again, *larger],
        *([["gpt", "--data", "names.txt"]] if options.data is None else []),
    ]
