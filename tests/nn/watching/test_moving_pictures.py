"""Does a film have a picture for each of its moments, and does it say what is missing?"""

import io
import shutil
from importlib.util import find_spec

import pytest

import nn
from autograd.drawing import DrawingError, films
from nn.watching import moving_pictures
from nn.watching.moving_pictures import pictures_of
from tests.nn.watching.test_moment import texts

needs_resvg = pytest.mark.skipif(find_spec("resvg_py") is None, reason="resvg-py is not installed")
needs_pillow = pytest.mark.skipif(find_spec("PIL") is None, reason="Pillow is not installed")
needs_ffmpeg = pytest.mark.skipif(not (shutil.which("ffmpeg") or find_spec("imageio_ffmpeg")), reason="no ffmpeg")


@pytest.fixture(scope="module")
def film():
    X, y = nn.datasets.make_moons(40, noise=0.1, rng=0)
    history = nn.fit(
        nn.MLP(2, [3, 1], "tanh", rng=0),
        X,
        y,
        loss="binary_cross_entropy_with_logits",
        epochs=6,
        rng=0,
        validation=0.2,
        progress=False,
        film=True,
    )
    return nn.film(history, names=["width", "height"], classes=["no", "yes"])


@pytest.fixture(autouse=True)
def fonts_are_looked_for_anew():
    moving_pictures.fonts.cache_clear()
    yield
    moving_pictures.fonts.cache_clear()


def test_there_is_a_picture_for_each_moment_with_its_numbers(film):
    moments = film.recording.moments
    pictures = list(pictures_of(film, 1000, "light"))
    assert len(pictures) == len(moments) == len(set(pictures))
    for moment, svg in zip(moments, pictures, strict=True):
        words = texts(svg)
        assert words[words.index("epoch") + 1] == f"{moment.epoch:.4g}"
        assert {"width", "height", "no", "yes"} <= {*words}
        if moment.figures:
            assert f"{moment.figures['loss']:.3g}" in words


def test_of_many_moments_some_are_shown_the_first_and_the_last_among_them(film):
    pictures = list(pictures_of(film, 4, "dark"))
    every = list(pictures_of(film, 1000, "dark"))
    assert len(pictures) == 4
    assert (pictures[0], pictures[-1]) == (every[0], every[-1])


def scale(svg):
    """The numbers at the ends of the axes of the loss curve; None before there is one."""
    words = texts(svg)
    epoch = [k for k, word in enumerate(words) if word and word.startswith("epoch ")]
    return (*words[epoch[0] - 2 : epoch[0]], words[epoch[0] + 1]) if epoch else None


def test_the_scale_of_the_loss_is_that_of_the_whole_film(film):
    scales = [scale(svg) for svg in pictures_of(film, 1000, "light")]
    assert scales[0] is None
    assert len({*scales} - {None}) == 1
    assert scales[-1][-1] == "6"


@needs_resvg
@needs_pillow
def test_a_gif_has_frames_of_one_size_and_stays_at_its_end(film, tmp_path):
    from PIL import Image

    path = film.gif(tmp_path / "film.gif", seconds=0.5)
    image = Image.open(io.BytesIO(path.read_bytes()))
    assert image.size == (900, 506)
    assert image.n_frames == 4
    times = []
    for k in range(image.n_frames):
        image.seek(k)
        times.append(image.info["duration"])
    assert times == [120, 120, 120, 2120]


@needs_resvg
@needs_ffmpeg
def test_an_mp4_is_one(film, tmp_path):
    content = film.mp4(tmp_path / "film.mp4", seconds=0.5, theme="dark").read_bytes()
    assert content[4:8] == b"ftyp"
    assert content.find(b"moov") < content.find(b"mdat")


@needs_resvg
def test_words_appear_whatever_fonts_there_are(film, monkeypatch):
    whole = moving_pictures._png
    svg = next(pictures_of(film, 2, "light"))
    with_words = whole(svg, **moving_pictures.fonts())
    assert with_words != whole(svg, skip_system_fonts=True)
    monkeypatch.setattr(moving_pictures, "_png", lambda svg, **more: whole(svg, skip_system_fonts=True, **more))
    moving_pictures.fonts.cache_clear()
    if find_spec("matplotlib") is not None:
        assert moving_pictures._png(svg, **moving_pictures.fonts()) != whole(svg, skip_system_fonts=True)
    moving_pictures.fonts.cache_clear()
    monkeypatch.setattr(moving_pictures, "find_spec", lambda name: None)
    with pytest.raises(DrawingError, match=r"finds no font on this machine: install one.*pip install matplotlib"):
        moving_pictures.fonts()


def test_what_a_film_needs_is_said(film, tmp_path, monkeypatch):
    monkeypatch.setattr(films.shutil, "which", lambda name: None)
    monkeypatch.setattr(films, "find_spec", lambda name: None)
    with pytest.raises(DrawingError, match=r"a GIF needs the package Pillow.*`pip install pillow`, or use \.mp4"):
        film.gif(tmp_path / "film.gif")
    with pytest.raises(DrawingError, match=r"an MP4 needs ffmpeg.*`pip install imageio-ffmpeg`, or use \.gif"):
        film.mp4(tmp_path / "film.mp4")
    monkeypatch.setattr(moving_pictures, "find_spec", lambda name: None)
    monkeypatch.setattr(films, "find_spec", lambda name: True)
    with pytest.raises(
        DrawingError, match=r"resvg-py, and it is not here: run `pip install 'scalar-autograd\[film\]'`"
    ):
        film.gif(tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"path": "film.png"}, r"gif writes files that end in \.gif"),
        ({"path": "film.gif", "seconds": 0.0}, "seconds takes how long the film is, from 0.5 to 600; got 0.0"),
        ({"path": "film.gif", "theme": "blue"}, "theme takes one of auto, light, dark; got 'blue'"),
        ({"path": "film.gif", "theme": "auto"}, 'a film has one theme: theme takes "light" or "dark"; got \'auto\''),
    ],
)
def test_bad_arguments_are_refused(film, tmp_path, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        film.gif(**{**arguments, "path": tmp_path / arguments["path"]})
