"""Do `python -m nn gpt` and `generate` learn, write and go on, and say in a sentence what is wrong?"""

import json
import os
import random
import re
import shutil
import signal
from math import exp, log

import pytest

import nn
from tests.nn.command.test_main import (
    HANGING,
    assert_fits_in_80_columns,
    assert_one_sentence,
    command,
    in_a_folder_of_its_own,
    posix,
    read_until,
    run,
)

__all__ = ["in_a_folder_of_its_own"]  # a fixture

RIVERS = (
    "Aare Adda Aller Arno Danube Drava Ebro Eider Elbe Ems Ilm Inn Isar Isere Lahn Lech Leine Loire Main Mosel Neckar"
)
RIVERS += " Oder Oise Po Rhine Rhone Ruhr Saale Saar Sambre Save Seine Spree Tiber Tisa Ure Vils Weser Werra Yonne"
TINY = ["--n-embd", 4, "--n-head", 2, "--block-size", 8, "--engine", "eager"]
FAST = ["gpt", "--data", "rivers.txt", *TINY, "--steps", 20]


@pytest.fixture(autouse=True)
def rivers(in_a_folder_of_its_own):
    write("rivers.txt", RIVERS.split())


def write(path, texts):
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"{text}\n" for text in texts))


def content(path):
    with open(path, "rb") as file:
        return file.read()


def state(path="rivers-checkpoint.json"):
    """What a checkpoint has of a run, but for the seconds that it took."""
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    history = found["training"]["history"]
    return found["parameters"], {**found["training"], "history": history["epochs"]}


# What is shown


def test_a_run_shows_texts_model_progress_result_inventions_and_what_next():
    code, out, err = run(*FAST)
    assert (code, err) == (0, "")
    assert_fits_in_80_columns(out)
    words = " ".join(out.split())
    assert "rivers.txt: 40 of 2 to 6 characters, such as " in words
    assert "36 to learn from, 4 held out to validate" in words
    assert "1 block with 2 heads, 4 numbers for each position; it looks at 8 positions." in words
    assert len(re.findall(r"^ +\d+  \d\.\d{4} +\d\.\d{4}  .*$", out, re.MULTILINE)) == 2
    assert "stopped: all 20 steps are done; the weights with the lowest validation loss are kept" in words
    assert "20 texts that it wrote (temperature 0.5" in words
    for line in ("generate rivers-checkpoint.json --prompt", "gpt --data rivers.txt --n-embd 4"):
        assert f"\n  python -m nn {line}" in out
    assert "--steps 40" in words


def test_the_losses_beside_each_other_are_those_of_the_three_models():
    _, out, _ = run(*FAST)
    table = dict(re.findall(r"^(GPT|bigram model|guessing) +(\d\.\d{4}) +[\d.]+$", out, re.MULTILINE))
    tokens = len(set("".join(RIVERS.split()))) + 1
    assert table["guessing"] == f"{log(tokens):.4f}"
    assert f" {exp(log(tokens)):.1f}" in out
    best = min(epoch["validation_loss"] for epoch in state()[1]["history"])
    assert table["GPT"] == f"{best:.4f}"


def test_a_star_is_before_what_was_learned_by_heart():
    write("two.txt", ["aa", "ab", "ba"])
    _, out, _ = run("gpt", "--data", "two.txt", *TINY, "--steps", 60, "--temperature", 1)
    held_out = re.search(r"such as (\w+) and (\w+); 2 to learn from", " ".join(out.split()))
    known = set(held_out.groups())
    shown = re.findall(
        r"([* ]) ('|\w)(\w*)'?", out.partition("that it wrote")[2].partition(":\n")[2].partition("\n\n")[0]
    )
    assert len(shown) == 20
    assert all((star == "*") == (first + rest in known) for star, first, rest in shown)
    assert any(star == "*" for star, *_ in shown)


def test_the_names_of_cities_are_learned_without_a_file():
    code, out, err = run("gpt", *TINY, "--steps", 1)
    assert (code, err) == (0, "")
    assert "Names of cities" in out
    assert "20 cities that it wrote" in out
    assert os.path.exists("gpt-checkpoint.json")


def test_the_same_seed_gives_the_same_texts_and_another_seed_others():
    outs = [run(*FAST, "--seed", seed, "--checkpoint", f"{k}.json")[1] for k, seed in enumerate((1, 1, 2))]
    written = [out.partition("that it wrote")[2].partition("The model is")[0] for out in outs]
    assert written[0] == written[1] != written[2]
    assert state("0.json") == state("1.json")


def test_every_option_is_heeded():
    options = ["--n-embd", 6, "--n-head", 3, "--n-layer", 2, "--block-size", 5, "--lr", 0.02, "--batch-size", 3]
    code, out, err = run(
        "gpt", "--data", "rivers.txt", *options, "--steps", 2, "--engine", "eager", "--checkpoint", "m.json"
    )
    assert (code, err) == (0, "")
    model = nn.load("m.json")
    assert (model.n_embd, model.n_head, model.n_layer, model.block_size) == (6, 3, 2, 5)
    settings = state("m.json")[1]["settings"]
    assert settings["batch_size"] == 3
    assert "lr=0.02, betas=(0.85, 0.99)" in settings["optimizer"]
    assert "are cut to 5 positions (4 characters and the end): --block-size 7" in " ".join(out.split())


# Going on


def test_a_run_that_is_done_is_shown_again_and_goes_further_with_more_steps():
    first = run(*FAST)[1]
    again = run(*FAST)[1]
    end = "that it wrote"
    assert again.partition(end)[2] == first.partition(end)[2]
    assert "rivers-checkpoint.json has 20 of 20 steps." in again
    code, out, err = run(*FAST[:-1], 30)
    assert (code, err) == (0, "")
    assert "rivers-checkpoint.json has 20 of 30 steps." in out
    assert "all 30 steps are done" in out
    training = state()[1]
    assert (training["steps"], training["schedule"]["options"]["total_iters"]) == (30, 30)
    assert training["schedule"]["lr"] == 0.0
    assert len(training["history"]) == 3


@posix
def test_a_run_killed_at_random_moments_ends_with_the_same_bits():
    words = [*FAST[:-1], 60]
    assert run(*words, "--checkpoint", "whole.json")[0] == 0
    rng = random.Random(3)
    for _ in range(3):
        with command(*words) as process:
            read_until(process, rf"\n +{rng.choice([10, 20, 30, 40, 50])} |has \d\d of")
            process.kill()
    with command(*words) as process:
        process.communicate(timeout=HANGING)
        assert process.returncode == 0
    assert state() == state("whole.json")


@posix
def test_ctrl_c_keeps_what_was_learned_and_says_how_to_go_on():
    assert run(*FAST)[0] == 0  # of 100,000 steps each look would take 10,000; so it is 10
    words = [*FAST[:-1], 100_000]
    with command(*words) as process:
        seen = read_until(process, "what it writes")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANGING)
    seen += out.decode()
    assert (process.returncode, err) == (0, b"")
    words_seen = " ".join(seen.split())
    assert re.search(r"stopped: interrupted, with [\d,]+ of 100,000 steps in the checkpoint;", words_seen)
    assert "20 texts that it wrote" in words_seen
    assert "python -m nn gpt --data rivers.txt" in words_seen
    assert run("generate", "rivers-checkpoint.json", "--count", 2)[0] == 0


@posix
def test_ctrl_c_before_anything_was_learned_exits_with_a_word():
    with command(*FAST[:-1], 100_000) as process:
        read_until(process, "positions.")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGING)
    assert process.returncode == 130  # as shells report an interrupt
    assert err == b"interrupted\n"
    assert not os.path.exists("rivers-checkpoint.json")


# Writing


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A checkpoint of the run FAST."""
    folder = tmp_path_factory.mktemp("rivers")
    write(folder / "rivers.txt", RIVERS.split())
    assert run(*FAST, "--data", folder / "rivers.txt", "--checkpoint", folder / "trained.json")[0] == 0
    return folder / "trained.json"


@pytest.fixture
def model(trained):
    shutil.copy(trained, "rivers-checkpoint.json")
    return "rivers-checkpoint.json"


def test_generate_writes_a_text_on_each_line(model):
    code, out, err = run("generate", model, "--prompt", "Rh", "--count", 7, "--seed", 1)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 7
    assert all(line.startswith("Rh") and len(line) <= 8 for line in out.splitlines())
    assert run("generate", model, "--prompt", "Rh", "--count", 7, "--seed", 1)[1] == out
    assert run("generate", model, "--prompt", "Rh", "--count", 7, "--seed", 2)[1] != out
    assert len(run("generate", model)[1].splitlines()) == 20


def test_temperature_0_writes_the_one_likeliest_text_and_says_so(model):
    code, out, err = run("generate", model, "--temperature", 0)
    assert code == 0
    assert len(out.splitlines()) == 1
    assert err == "temperature 0 always takes the likeliest character: there is one such text.\n"
    assert run("generate", model, "--temperature", 0, "--count", 1) == (0, out, "")
    assert run("generate", model, "--temperature", 1e-9, "--count", 1)[1] == out


def test_the_command_says_what_a_gpt_is_for(model):
    for other in ("predict", "evaluate"):
        assert_one_sentence(run(other, model), "python -m nn generate rivers-checkpoint.json")


# What is wrong, in one sentence


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["--block-size", 0], "--block-size: takes a whole number of at least 1; got '0'"),
        (["--n-embd", 10], "n_embd has to be a multiple of n_head; got 10 and 4: choose n_embd=12"),
        (["--steps", 0], "--steps: takes a whole number of at least 1; got '0'"),
        (["--temperature", -1], "--temperature: takes a number of at least 0; got '-1'"),
        (["--temperature", "nan"], "--temperature: takes a number of at least 0; got 'nan'"),
        (["--lr", 0], "--lr: takes a number above 0; got '0'"),
        (["--data", "none.txt"], "none.txt: No such file or directory"),
        (["--data", "empty.txt"], "empty.txt has no text: write one example on each line"),
        (["--data", "blank.txt"], "blank.txt has no text: write one example on each line"),
        (["--data", "one.txt"], "one.txt has one text only, and two are the least"),
        (["--data", "again.txt"], "again.txt has one text only, and two are the least"),
        (["--data", "image.png"], r"image.png is not UTF-8 text \(line 1 has the byte 0x89\)"),
        (["--data", "zeros.bin"], r"zeros.bin is not text \(line 2 has the character '\\x00'\)"),
        (["--data", "rivers.txt", "--checkpoint", "rivers.txt"], "--checkpoint rivers.txt would overwrite the file of"),
        (["--checkpoint", "nowhere/m.json"], "nowhere/m.json cannot be written: there is no folder nowhere"),
        (["--checkpoint", "rivers.txt"], "rivers.txt is not a complete checkpoint"),
    ],
)
def test_bad_arguments_of_gpt_are_one_sentence(arguments, pattern):
    write("blank.txt", ["", "  "])
    write("one.txt", ["Rhine"])
    write("again.txt", ["Rhine", "Rhine "])
    for name, data in {"empty.txt": b"", "image.png": b"\x89PNG\r\n\x1a\n\0", "zeros.bin": b"a\n\0\0"}.items():
        with open(name, "wb") as file:
            file.write(data)
    assert_one_sentence(run("gpt", *arguments), pattern)


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["--prompt", "Bén1"], r"--prompt has characters that the model has not seen, '1Bé'; it knows 'ADEIL"),
        (["--prompt", "Isarsaar"], "--prompt has 8 characters, and the model goes on after at most 7: give fewer"),
        (["--temperature", "-0.5"], "--temperature: takes a number of at least 0; got '-0.5'"),
        (["--count", "0"], "--count: takes a whole number of at least 1; got '0'"),
    ],
)
def test_bad_arguments_of_generate_are_one_sentence(model, arguments, pattern):
    assert_one_sentence(run("generate", model, *arguments), pattern)


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["--n-embd", 6], "was trained with --n-embd 4; got 6: delete the file"),
        (["--n-layer", 2], "was trained with --n-layer 1; got 2"),
        (["--block-size", 9], "was trained with --block-size 8; got 9"),
        (["--lr", 0.5], "was trained with --lr 0.01; got 0.5"),
        (["--batch-size", 2], "was trained with --batch-size 1; got 2"),
        (["--engine", "compiled"], "was trained with --engine eager; got compiled"),
        (["--seed", 7], "was not trained on rivers.txt with --seed 7, but on other texts"),
        (["--data", "lakes.txt"], "was not trained on lakes.txt with --seed 42, but on other texts"),
        (["--steps", 10], "has 20 steps already; got --steps 10: give more, or delete the file"),
    ],
)
def test_another_run_is_refused_and_changes_nothing(model, arguments, pattern):
    write("lakes.txt", [*RIVERS.split()[1:], "Aar"])
    before = content(model)
    assert_one_sentence(run(*FAST, "--steps", 30, "--checkpoint", model, *arguments), pattern)
    assert content(model) == before


def test_a_checkpoint_of_another_kind_is_refused():
    nn.save(nn.MLP(2, [1]), "mlp.json")
    nn.save(nn.GPT(5, 4, 2, 1, 4), "tokens.json")
    nn.save(nn.GPT(nn.CharTokenizer("abc"), 4, 2, 1, 4), "saved.json")
    assert_one_sentence(run("generate", "mlp.json"), "mlp.json holds MLP and no GPT, so that it writes no texts")
    assert_one_sentence(run("generate", "tokens.json"), "tokens.json holds a GPT without a tokenizer")
    assert_one_sentence(run("generate", "none.json"), "none.json: No such file")
    assert_one_sentence(run("generate", "rivers.txt"), "rivers.txt is not a complete checkpoint")
    for path in ("mlp.json", "saved.json"):
        assert_one_sentence(
            run(*FAST, "--checkpoint", path), f"{path} holds no training of a GPT, and would be overwritten"
        )
    assert run("generate", "saved.json", "--count", 2, "--seed", 0)[0] == 0


def test_a_damaged_checkpoint_is_refused(model):
    data = content(model)
    for damaged in (data[:-100], data.replace(b'"lr": ', b'"lr": 1', 1)):
        with open(model, "wb") as file:
            file.write(damaged)
        assert_one_sentence(run(*FAST), "is not a complete checkpoint|does not fit together")
        assert_one_sentence(run("generate", model), "is not a complete checkpoint|does not fit together")


def test_a_learning_rate_far_too_high_is_said_and_nothing_is_kept():
    code, out, err = run(*FAST, "--lr", 1e30)
    assert_one_sentence((code, out, err), r"nothing was learned or saved: .* \(--lr RATE\)")
    assert not os.path.exists("rivers-checkpoint.json")


def test_enormous_lines_are_cut_with_a_remark():
    write("long.txt", [*RIVERS.split(), "a" * 1_000_000])
    code, out, err = run("gpt", "--data", "long.txt", *TINY, "--steps", 1)
    assert (code, err) == (0, "")
    assert_fits_in_80_columns(out)
    assert "1 text is cut to 8 positions (7 characters and the end)" in " ".join(out.split())


def test_lines_that_occur_again_are_left_out_and_texts_in_any_script_learned():
    write("scripts.txt", ["東京", "Αθήνα", "東京", "القاهرة", "Zürich"] * 2)
    code, out, err = run("gpt", "--data", "scripts.txt", *TINY, "--steps", 1)
    assert (code, err) == (0, "")
    assert "4 of 2 to 7 characters" in out
    assert "6 lines that were there already left out." in out
    assert run("generate", "scripts-checkpoint.json", "--prompt", "東", "--count", 1)[1].startswith("東")
