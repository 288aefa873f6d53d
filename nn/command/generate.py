"""What does a trained GPT write? `python -m nn generate`: texts, one on each line."""

import argparse
from random import Random
from typing import Any

from autograd.terminal import say
from nn import checkpoint
from nn.command.options import PROGRAM
from nn.command.remarks import note
from nn.gpt import GPT


def generate(options: argparse.Namespace) -> None:
    """`python -m nn generate`."""
    gpt = gpt_in(options.checkpoint, checkpoint.read(options.checkpoint))
    check_prompt(gpt, options.prompt)
    if options.temperature == 0.0 and options.count > 1:
        note("temperature 0 always takes the likeliest character: there is one such text.")
    for text in generated(gpt, options.count, options.temperature, Random(options.seed), options.prompt):
        say(text)


def generated(gpt: GPT, count: int, temperature: float, rng: Random, prompt: str = "") -> list[str]:
    """So many texts of the model; at temperature 0 the only one that it writes."""
    count = count if temperature else 1
    return [gpt.generate(rng, temperature=temperature, prompt=prompt) for _ in range(count)]


def check_prompt(gpt: GPT, prompt: str) -> None:
    """Raises ValueError if the model cannot go on with the text."""
    assert gpt.tokenizer is not None
    unknown = "".join(sorted(set(prompt) - set(gpt.tokenizer.characters)))
    if unknown:
        raise ValueError(
            f"--prompt has characters that the model has not seen, {unknown!r}; it knows {gpt.tokenizer.characters!r}: "
            f"choose among these"
        )
    if len(prompt) >= gpt.block_size:
        raise ValueError(
            f"--prompt has {len(prompt)} characters, and the model goes on after at most {gpt.block_size - 1}: give "
            f"fewer"
        )


def gpt_in(path: str, content: dict[str, Any]) -> GPT:
    """The GPT in the content of a checkpoint."""
    kind = content["model"].get("class")
    if kind != "GPT":
        way_out = "predict" if "estimator" in content["metadata"] else ""
        use = f"use {PROGRAM} {way_out}" if way_out else "open it with nn.load"
        raise ValueError(f"{path} holds {kind} and no GPT, so that it writes no texts: {use}")
    gpt = checkpoint.model_of(content, path)
    assert isinstance(gpt, GPT)
    if gpt.tokenizer is None:
        raise ValueError(f"{path} holds a GPT without a tokenizer, whose tokens are no texts: open it with nn.load")
    return gpt
