"""Does each frame show what is known at its step, and nothing of later ones? Are the films whole?"""

import io
import os
import random
import re
import shutil
import struct
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from itertools import pairwise

import pytest
from hypothesis import given, settings, strategies as st

import nn
from autograd import Value, explain, topological_order
from autograd.drawing import DrawingError, engine, films, frames
from autograd.drawing.frames import Deck
from autograd.drawing.text import filled, number
from autograd.drawing.theme import theme_named
from autograd.graph import contribution
from autograd.steps import parent_slots, recompute
from tests.autograd.drawing.graphs import random_graph

needs_graphviz = pytest.mark.skipif(
    not (engine.has_dot() or find_spec("pygraphviz")), reason="neither dot nor pygraphviz is here"
)


def network():
    """MLP(2, [4, 4, 1]) with a loss, and its explanation with an update."""
    rng = random.Random(0)
    model = nn.MLP(2, [4, 4, 1], rng=rng) if "rng" in nn.MLP.__init__.__code__.co_varnames else nn.MLP(2, [4, 4, 1])
    return explain((model([0.5, -1.0]) - 1.0) ** 2, model=model, lr=0.1)


def knowledge(explanation, k):
    """After k steps, computed anew: the data of nodes, their gradients so far, and what flowed along each edge."""
    scene, data, sums, passed = explanation.scene, {}, {}, {}
    for i, node in enumerate(scene.nodes):
        if not node.operation:
            data[i] = node.data
    for moment in explanation.steps[:k]:
        node = scene.nodes[moment.node]
        if moment.phase == "forward":
            data[moment.node] = node.data
        elif moment.phase == "backward":
            upstream = sums.setdefault(moment.node, 1.0)
            for slot, parent, local in zip(parent_slots(node), node.parents, node.local_derivatives, strict=True):
                i = scene.index_of(parent)
                passed[f"{moment.node}.{slot}"] = share = contribution(upstream, local)
                sums[i] = sums.get(i, 0.0) + share
    return data, sums, passed


def pieces(svg):
    """The boxes of a picture, by number, its arrows and their labels, by name, and the lines below."""
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    groups = list(root.iter(f"{space}g"))
    kinds = {"box": [], "arrow": [], "label": []}
    for group in groups:
        kinds.get(group.get("class", "").split(" ")[0], []).append(group)
    texts = {g.get("data-box") or g.get("data-arrow"): [t.text or "" for t in g.iter(f"{space}text")] for g in groups}
    below = [t.text or "" for t in root.findall(f"{space}text")]
    return kinds, texts, below


def check_frame(explanation, k, svg):
    """The frame after step k has the numbers and the colours of what is known, and blanks for the rest."""
    scene, (data, sums, passed) = explanation.scene, knowledge(explanation, k)

    def known(code):
        kind, place = code[0], code[1:]
        tables = {"v": data, "g": sums}
        if kind in tables:
            return tables[kind].get(int(place))
        if kind == "c":
            return passed.get(place)
        assert kind == "l"
        index, slot = map(int, place.split("."))
        return explanation.numbers.local(index, slot) if index in data else None

    def shown(code):
        return " " if known(code) is None else number(known(code), explanation.precision)

    kinds, texts, _ = pieces(svg)
    touched = explanation.steps[k - 1]
    neutral = theme_named("light").neutral
    for i, box in enumerate(scene.boxes):
        assert texts[str(i)] == [filled(line, shown) for line in box.lines]
    for arrow in scene.arrows:
        if arrow.lines:
            label = [g for g in kinds["label"] if g.get("data-arrow") == arrow.name]
            assert [t.text for t in label[0].iter() if t.text] == [filled(line, shown) for line in arrow.lines]
    for group in kinds["box"] + kinds["arrow"]:
        name = group.get("data-box") or group.get("data-arrow")
        part = scene.boxes[int(name)] if group.get("data-box") else next(a for a in scene.arrows if a.name == name)
        marked = name in touched.arrows or name == str(touched.box)
        if not marked and part.colour and known(part.colour) is None:
            strokes = {shape.get("stroke") for shape in group.iter() if shape.get("stroke")}
            assert strokes <= {neutral, theme_named("light").mark}, name


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_a_frame_shows_what_is_known_and_nothing_of_later_steps(seed):
    explanation = explain(random_graph(seed))
    for k, svg in enumerate(frames.contents(explanation, "svg"), 1):
        check_frame(explanation, k, svg)


def test_the_frames_of_a_network_show_nothing_of_later_steps_either():
    explanation = network()
    forward_and_backward = sum(moment.phase != "update" for moment in explanation.steps)
    for k, svg in enumerate(frames.contents(explanation, "svg")[:forward_and_backward], 1):
        check_frame(explanation, k, svg)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_the_update_moves_leaves_one_by_one_and_then_everything_is_of_after_it(seed):
    root = random_graph(seed)
    explanation = explain(root, lr=0.1)
    scene, moved = explanation.scene, [m for m in explanation.steps if m.phase == "update"][:-1]
    new = {scene.nodes[m.node]: explanation.numbers(f"n{m.node}") for m in moved}
    svgs = frames.contents(explanation, "svg")
    for svg, done in ((svgs[-2], new), (svgs[-1], recompute(topological_order(root), new))):
        texts = pieces(svg)[1]
        for i, node in enumerate(scene.nodes):
            expected = done.get(node, node.data)
            assert f"data {number(expected)}" in texts[str(scene.box_of[i])]


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_all_frames_have_one_size_and_say_their_step(seed):
    explanation = explain(random_graph(seed), lr=0.5)
    svgs = [svg.decode() for svg in frames.contents(explanation, "svg", Deck("dark"))]
    assert len({re.search(r'viewBox="([^"]*)"', svg)[1] for svg in svgs}) == 1
    for k, (svg, moment) in enumerate(zip(svgs, explanation.steps, strict=True), 1):
        below = " ".join(pieces(svg)[2])
        assert f"{k} of {len(svgs)}, {moment.phase}" in below
        assert moment.title in below
        words = " ".join(below.split())
        assert all(" ".join(line.split()) in words for line in moment.lines)


@needs_graphviz
def test_frames_as_png_have_one_size_too(tmp_path):
    paths = explain(random_graph(1), lr=0.1).frames(tmp_path / "new" / "folder", format="png")
    assert [path.name for path in paths] == [f"step-{k:03d}.png" for k in range(1, len(paths) + 1)]
    heads = [path.read_bytes()[:24] for path in paths]
    assert {head[:8] for head in heads} == {b"\x89PNG\r\n\x1a\n"}
    assert len({struct.unpack(">II", head[16:]) for head in heads}) == 1


def test_seventy_eight_frames_of_a_network_are_small():
    contents = frames.contents(network(), "svg")
    assert len(contents) >= 70
    assert sum(map(len, contents)) < 5e6


def test_a_single_leaf_has_its_frames(tmp_path):
    explanation = explain(Value(1.0, label="a"))
    assert len(explanation.frames(tmp_path)) == len(explanation.steps) >= 1


def test_slides_have_a_slides_size_and_large_type(tmp_path):
    for explanation in (network(), explain(random_graph(2), lr=0.1)):
        for svg in frames.contents(explanation, "svg", Deck(style="slide", by="neuron")):
            head = ElementTree.fromstring(svg)
            assert (head.get("width"), head.get("height")) == ("1920", "1080")
            width, height = map(float, head.get("viewBox").split()[2:])
            assert width / height == pytest.approx(16 / 9, rel=1e-3)
            below = [t for t in head.findall("{http://www.w3.org/2000/svg}text") if t.get("font-size") != "11"]
            assert all(float(t.get("font-size")) * 1920 / width >= 27.9 for t in below)
            lowest = max(float(t.get("y")) for t in below)
            assert lowest < float(head.get("viewBox").split()[1]) + height


@needs_graphviz
def test_slides_as_images_have_a_slides_size(tmp_path):
    paths = explain(Value(2.0, label="a") * 3.0).frames(tmp_path, format="png", style="slide")
    assert {struct.unpack(">II", path.read_bytes()[16:24]) for path in paths} == {(1920, 1080)}


@pytest.mark.parametrize("by", ["node", "neuron", "layer"])
def test_frames_by_neuron_and_by_layer_have_each_step_once_in_its_order(by):
    explanation = network()
    parts = frames.parts_of(explanation, by)
    assert [moment for part in parts for moment in part] == explanation.steps
    for part, following in pairwise(parts):
        assert len({moment.phase for moment in part}) == 1
        if by == "neuron":
            assert len({moment.box for moment in part}) == 1
            assert (part[-1].phase, part[-1].box) != (following[0].phase, following[0].box)
    layers = {(m.phase, m.group) for m in explanation.steps if m.phase != "update"}
    assert by != "layer" or sum(part[0].phase != "update" for part in parts) == len(layers)


@pytest.mark.parametrize("by", ["neuron", "layer"])
def test_a_frame_of_several_steps_shows_what_is_known_after_the_last_one(by):
    explanation, done = network(), 0
    for part, svg in zip(
        frames.parts_of(explanation, by), frames.contents(explanation, "svg", Deck(by=by)), strict=True
    ):
        first, done = done + 1, done + len(part)
        if part[0].phase == "update":
            break
        below = pieces(svg)[2]
        assert any(line.startswith(f"{first} to {done} of " if len(part) > 1 else f"{done} of ") for line in below)
        hidden = re.search(r"and (\d+) more line", below[-1])
        assert not hidden or int(hidden[1]) > 0
        expected, (data, sums, _) = explanation.scene, knowledge(explanation, done)
        for i, box in enumerate(expected.boxes):
            codes = [code for line in box.lines for code in line[1::2] if code[0] in "vg"]
            known = [{"v": data, "g": sums}[code[0]].get(int(code[1:])) for code in codes]
            text = " ".join(pieces(svg)[1][str(i)])
            assert all(x is None or number(x, explanation.precision) in text for x in known)


def test_the_frames_of_an_older_longer_deck_are_removed(tmp_path):
    keep = ["step-999.png", "step-.svg", "notes.svg", "step-x.svg"]
    for name in keep:
        (tmp_path / name).write_text("mine")
    old = explain(random_graph(3), lr=0.1).frames(tmp_path)
    new = explain(Value(1.0, label="a")).frames(tmp_path)
    assert len(new) < len(old)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*keep, *(path.name for path in new)])


def test_what_is_no_format_no_theme_and_no_time_is_a_sentence(tmp_path):
    explanation = explain(random_graph(2))
    with pytest.raises(ValueError, match=r"format takes one of svg, png, .*; got 'xyz'"):
        explanation.frames(tmp_path / "frames", format="xyz")
    with pytest.raises(ValueError, match="theme takes one of"):
        explanation.frames(tmp_path / "frames", theme="pink")
    for options, said in (
        ({"style": "film"}, "style takes one of page, slide; got 'film'"),
        ({"by": 3}, "by takes one of node, neuron, layer; got 3"),
    ):
        with pytest.raises(ValueError, match=said):
            explanation.frames(tmp_path / "frames", **options)
    assert not (tmp_path / "frames").exists()
    for seconds in (0.0, float("nan"), 1e9):
        with pytest.raises(ValueError, match=r"seconds takes how long each step is seen, from 0.02 to 60"):
            explanation.gif(tmp_path / "film.gif", seconds=seconds)
    with pytest.raises(TypeError, match="seconds takes a real number"):
        explanation.mp4(tmp_path / "film.mp4", seconds="slow")


def test_a_failed_write_leaves_no_half_file(tmp_path, monkeypatch):
    explanation = explain(random_graph(3))
    old = explanation.frames(tmp_path)[0]
    before = old.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        explanation.frames(tmp_path, theme="dark")
    assert old.read_bytes() == before
    assert {path.suffix for path in tmp_path.iterdir()} == {".svg"}


# Films


@needs_graphviz
def test_a_gif_has_a_picture_for_each_step_and_begins_again(tmp_path):
    image = pytest.importorskip("PIL.Image")
    explanation = explain(random_graph(4), lr=0.1)
    path = explanation.gif(tmp_path / "film.gif", seconds=0.5)
    with image.open(path) as film:
        assert film.n_frames == len(explanation.steps)
        assert film.info["loop"] == 0
        assert film.info["duration"] == 500
        film.seek(film.n_frames - 1)
        assert film.info["duration"] == 2500  # the end stays


@needs_graphviz
def test_the_colours_of_frames_survive_the_palette(tmp_path):
    image = pytest.importorskip("PIL.Image")
    explanation = explain(random_graph(5))
    whole = frames.contents(explanation, "png", sharp=True)
    theme = theme_named("light")
    flat = {tuple(bytes.fromhex(x[1:])) for x in (theme.background, theme.text, theme.positive, theme.negative)}
    for few, picture in zip(explanation.frames(tmp_path, format="png"), whole, strict=True):
        with image.open(few) as small, image.open(io.BytesIO(picture)) as large:
            pairs = zip(small.convert("RGB").tobytes(), large.convert("RGB").tobytes(), strict=True)
            differences = sorted(abs(a - b) for a, b in pairs)
            found, wanted = ({colour for _, colour in x.convert("RGB").getcolors(1 << 24)} for x in (small, large))
        assert differences[int(0.995 * len(differences))] <= 24
        assert not {colour for colour in flat & wanted if colour not in found}


@needs_graphviz
@pytest.mark.skipif(not (shutil.which("ffmpeg") or find_spec("imageio_ffmpeg")), reason="no ffmpeg is here")
def test_an_mp4_is_one(tmp_path):
    path = explain(random_graph(6)).mp4(tmp_path / "film.mp4", seconds=0.3, theme="dark")
    content = path.read_bytes()
    assert content[4:8] == b"ftyp"
    assert content.find(b"moov") < content.find(b"mdat")  # players begin before all is loaded
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_what_a_film_needs_is_said(tmp_path, monkeypatch):
    explanation = explain(random_graph(7))
    monkeypatch.setattr(films, "find_spec", lambda name: None)
    monkeypatch.setattr(films.shutil, "which", lambda name: None)
    with pytest.raises(DrawingError, match=r"a GIF needs the package Pillow.*pip install pillow"):
        explanation.gif(tmp_path / "film.gif")
    with pytest.raises(DrawingError, match=r"an MP4 needs ffmpeg.*pip install imageio-ffmpeg"):
        explanation.mp4(tmp_path / "film.mp4")


@needs_graphviz
@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script for a POSIX shell")
def test_an_ffmpeg_that_fails_is_quoted(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho Unknown encoder libx264 >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(DrawingError, match=r"it says: Unknown encoder libx264; try \.gif"):
        explain(random_graph(8)).mp4(tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()
