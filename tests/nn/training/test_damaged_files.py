"""Can a damaged file do harm? It is refused by a CheckpointError, and nothing is changed; or the damage is none.

Thousands of files are made from whole ones: bytes are changed, or the parts of the JSON; then with a digest that is
right again, as somebody makes it who edits a file by hand.
"""

import copy
import json
import random

import pytest

import nn
from nn import CheckpointError, checkpoint

EPOCHS = 2  # in the whole file
X, Y = [[0.5, -1.0], [1.5, 0.25], [-0.5, 2.0], [0.0, 1.0], [2.0, -0.75]], [1, 0, 1, 1, 0]


def with_everything():
    model = nn.Sequential(
        nn.Layer(2, 2, rng=random.Random(0)),
        nn.BatchNorm(2),
        nn.Dropout(0.3, rng=random.Random(5)),
        nn.Layer(2, 1, nonlin=False, rng=random.Random(1)),
    )
    optimizer = nn.Adam(model.parameters(), lr=0.02)
    more = {"schedule": nn.ReduceLROnPlateau(optimizer, patience=1), "validation": (X[:3], Y[:3]), "patience": 5}
    return model, optimizer, more


def with_momentum():
    model = nn.MLP(2, [2, 1], rng=random.Random(0))
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)
    more = {"validation": 0.4, "sample_weight": [1.0, 2.0, 0.5, 1.0, 3.0], "metrics": ["precision", "confusion_matrix"]}
    return model, optimizer, {"schedule": nn.StepLR(optimizer, 2), "max_grad_norm": 1.0, **more}


def with_little():
    model = nn.MLP(2, [1], rng=random.Random(0))
    return model, nn.RMSprop(model.parameters()), {"shuffle": False}


RUNS = {function.__name__: function for function in (with_everything, with_momentum, with_little)}


def state(model, optimizer, more, rng):
    """All that a run could change, as text: nan is not equal to itself."""
    schedule = more.get("schedule")
    generators = [rng, *(module.rng for module in model.modules() if isinstance(module, nn.Dropout))]
    return repr(
        (
            model.state_dict(),
            [(p.data, p.grad) for p in optimizer.params],
            [module.training for module in model.modules()],
            optimizer.state_dict(),
            schedule and schedule.state_dict(),
            [generator.getstate() for generator in generators],
        )
    )


def check_sentence(error, path):
    assert type(error) is CheckpointError
    assert str(path) in str(error)
    assert "\n" not in str(error)


def outcome(made, path, epochs=EPOCHS + 1, engine="eager"):
    """What a run ends with that goes on from the file; None if it is refused, and changes nothing."""
    (model, optimizer, more), rng = made(), random.Random(3)
    content, before = path.read_bytes() if path.exists() else b"", state(model, optimizer, more, rng)
    arguments = {"loss": "binary_cross_entropy_with_logits", "batch_size": 3, "rng": rng, "engine": engine}
    try:
        history = nn.fit(
            model, X, Y, optimizer=optimizer, epochs=epochs, checkpoint=path, progress=False, **arguments, **more
        )
    except CheckpointError as error:
        check_sentence(error, path)
        assert path.read_bytes() == content
        assert state(model, optimizer, more, rng) == before
        return None
    return state(model, optimizer, more, rng), repr(history.epochs), history.stopped


# The damage

ODD = [None, True, False, 0, 1, -1, 2**53 + 1, 10**400, 0.0, -1.0, 1e308, 1e-320, "", "inf", "nan", "0", "é", [], [0.5],
       {}, {"float": "nan"}, {"float": "x"}, {"float": []}, {"x": 1}, [[[]]]]  # fmt: skip


def damaged_bytes(whole, rng):
    """The bytes of a file, with a few of them changed, left out, or put in."""
    content = bytearray(whole)
    start = rng.randrange(len(content))
    end = start + rng.choice([1, 1, 1, 2, 5, 100])
    match rng.randrange(5):
        case 0:
            content[start:end] = rng.randbytes(len(content[start:end]))
        case 1:
            del content[start:end]
        case 2:
            content[start:start] = rng.choice([content[start:end], rng.randbytes(1), b"0", b",", b" "])
        case 3:
            del content[start:]
        case 4:
            content[start] = rng.choice(b'0123456789-+.eE"{}[]:, aNI')
    return bytes(content)


def damaged_parts(whole, rng):
    """The content of a file, with one of its parts changed, renamed, left out, put in, or swapped for another."""
    content = copy.deepcopy(whole)
    holder, key = any_place(content, rng)
    part = holder[key]
    match rng.randrange(6):
        case 0:
            del holder[key]
        case 1:
            holder[key] = copy.deepcopy(rng.choice(ODD))
        case 2 if isinstance(holder, dict):
            holder[rng.choice(["", "x", f"{key}x", "float"])] = holder.pop(key) if rng.random() < 0.5 else part
        case 3 if isinstance(holder, list):
            holder.insert(holder.index(part), part)
        case 4:
            other, place = any_place(content, rng)
            holder[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(part)
        case _:
            holder[key] = changed(part, rng)
    return content


def any_place(content, rng):
    """A place in the tree; the few at the top are as likely as the many below them."""
    holder, key = content, rng.choice(list(content))
    while isinstance(holder[key], dict | list) and holder[key] and rng.random() < 0.85:
        holder = holder[key]
        key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    return holder, key


def changed(part, rng):
    """Another one of the same type."""
    if isinstance(part, bool):
        return not part
    if isinstance(part, int):
        return rng.choice([part + 1, -part, part * 10, float(part), part + 2**60])
    if isinstance(part, float):
        return rng.choice([part * 1.0000001, -part, part * 1e300, part + 1.0, round(part)])
    if isinstance(part, str):
        return rng.choice([part + "x", part[:-1], part.upper()])
    return [part]


def mended(content):
    """The content with its digest made right again, or without one as it is."""
    try:
        return {**content, "digest": checkpoint.digest_of(content)} if "digest" in content else content
    except ValueError:  # a number of 400 digits and more
        return content


@pytest.fixture(params=RUNS, scope="module")
def whole(request, tmp_path_factory):
    """A run, the file that it has written, and what it ends with."""
    made, folder = RUNS[request.param], tmp_path_factory.mktemp("whole")
    outcome(made, folder / "run.json", EPOCHS)
    content = (folder / "run.json").read_bytes()
    return made, content, outcome(made, folder / "run.json")


def check_bytes(whole, path, seeds):
    made, content, expected = whole
    found = []
    for seed in seeds:
        path.write_bytes(damaged_bytes(content, random.Random(seed)))
        found.append(outcome(made, path))
        assert found[-1] in (None, expected), seed
    assert found.count(None) > 0.8 * len(found)  # most damage is seen; the rest is between the parts


def check_parts(whole, path, seeds):
    made, content, expected = whole
    for seed in seeds:
        damaged = damaged_parts(json.loads(content), random.Random(seed))
        path.write_text(json.dumps(damaged))
        assert outcome(made, path) in (None, expected), seed


def check_edited(whole, path, seeds):
    made, content, _ = whole
    found = []
    for seed in seeds:
        path.write_text(json.dumps(mended(damaged_parts(json.loads(content), random.Random(seed)))))
        try:
            found.append(outcome(made, path))
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
    assert found.count(None) > 0.5 * len(found)


CHECKS = [check_bytes, check_parts, check_edited]


@pytest.mark.parametrize("check", CHECKS)
def test_a_run_goes_on_from_no_damaged_file(whole, tmp_path, check):
    check(whole, tmp_path / "run.json", range(100))


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_a_run_goes_on_from_no_damaged_file_of_many(whole, tmp_path, check):
    check(whole, tmp_path / "run.json", range(1_000, 4_000))


def numbers_in(part, place=()):
    """The place of each number in the tree."""
    if isinstance(part, dict | list):
        for key, item in part.items() if isinstance(part, dict) else enumerate(part):
            yield from numbers_in(item, (*place, key))
    elif isinstance(part, int | float):
        yield place


def test_no_number_can_be_changed_without_a_word(whole, tmp_path):
    made, content, _ = whole
    path, places = tmp_path / "run.json", list(numbers_in(json.loads(content)))
    for place in random.Random(0).sample(places, min(100, len(places))):
        changed = json.loads(content)
        holder = changed
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] += 1
        path.write_text(json.dumps(changed))
        assert outcome(made, path) is None, place


def test_how_the_file_is_laid_out_does_not_matter(whole, tmp_path):
    made, content, expected = whole
    path = tmp_path / "run.json"
    path.write_text(json.dumps(json.loads(content), indent=3))
    assert outcome(made, path) == expected


def test_a_file_without_a_digest_is_a_model_but_no_run_to_go_on_from(whole, tmp_path):
    made, content, _ = whole
    path, older = tmp_path / "run.json", json.loads(content)
    del older["digest"]
    path.write_text(json.dumps(older))
    assert nn.load(path).state_dict() == older["parameters"]
    assert outcome(made, path) is None
    model, optimizer, _ = made()
    with pytest.raises(CheckpointError, match=r"has no digest, so that .* nn.load reads its model"):
        nn.fit(
            model, X, Y, loss="mse_loss", optimizer=optimizer, epochs=3, batch_size=3, checkpoint=path, engine="eager"
        )


def edits():
    """Changes to the state of a run, and what the error says about each."""

    def edit(*place_and_value):
        *place, key, value = place_and_value

        def change(training):
            for name in place:
                training = training[name]
            training[key] = value

        return change

    yield edit("order", 0, 1), r"the order of its examples has each of 5 once; got \["
    yield edit("order", 0, 0.0), "the order of its examples is a list of whole numbers"
    yield edit("generators", "order", 0, 2), "this is not the state of a random generator"
    yield edit("generators", "order", 1, 0, -1), "this is not the state of a random generator"
    yield edit("generators", "order", 2, "x"), "this is not the state of a random generator"
    yield edit("generators", {}), r"its random generators should have the parts \['order', .*; got {}"
    yield edit("history", "epochs", []), r"its history has a loss, and the same figures in each epoch; got \[\]"
    yield edit("history", "epochs", 0, {"loss": 1.0}), "the same figures in each epoch"
    yield edit("history", "seconds", -1.0), "takes a number of at least 0 for seconds; got -1.0"
    yield edit("best", None), "its history and its best weights belong to different runs"
    yield edit("now", "model", {}), "its model should have the parts"
    yield edit("now", "moved", 0, True), "a parameter is a number such as 1.0; got True"
    yield edit("now", "moved", []), r"the optimizer moves 13 numbers; got \[\]"
    yield edit("best", "model", "x", 1.0), "its model should have the parts"
    yield edit("optimizer", "steps", 10**20), "a training run has no number 100000000000000000000"
    yield edit("optimizer", "steps", "4"), "takes a whole number of steps; got '4'"
    yield edit("optimizer", "state", "exp_avg_sq", 0, -1.0), "cannot make a step from its state"
    yield edit("optimizer", "options", "weight_decay", [0.5]), "cannot make a step from its state"
    yield edit("schedule", "options", "factor", 2.0), "the state_dict does not fit: .* a factor from 0 to below 1"
    yield edit("schedule", None), "this is not the state_dict of a ReduceLROnPlateau; got None"
    yield edit("settings", "batch_size", 4), "with the batch_size 4 where this one has 3"
    yield edit("more", 1), r"its state should have the parts \['now', 'best', .*; got {"


@pytest.mark.parametrize(("edit", "sentence"), list(edits()))
def test_an_edited_file_is_refused_with_a_sentence(tmp_path, edit, sentence):
    path = tmp_path / "run.json"
    outcome(with_everything, path, EPOCHS)
    content = json.loads(path.read_bytes())
    edit(content["training"])
    path.write_text(json.dumps(mended(content)))
    assert outcome(with_everything, path) is None
    model, optimizer, more = with_everything()
    arguments = {"loss": "binary_cross_entropy_with_logits", "batch_size": 3, "rng": random.Random(3)}
    with pytest.raises(CheckpointError, match=sentence):
        nn.fit(model, X, Y, optimizer=optimizer, epochs=3, checkpoint=path, engine="eager", **arguments, **more)


def test_the_compiled_engine_is_not_changed_by_a_damaged_file_either(tmp_path):
    pytest.importorskip("llvmlite")
    path = tmp_path / "run.json"
    outcome(with_everything, path, EPOCHS, "compiled")
    whole = path.read_bytes()
    for edit, _ in random.Random(0).sample(list(edits()), 4):
        content = json.loads(whole)
        edit(content["training"])
        path.write_text(json.dumps(mended(content)))
        assert outcome(with_everything, path, engine="compiled") is None
    path.write_bytes(whole)
    assert outcome(with_everything, path, engine="compiled") is not None


# Models

MODELS = [
    nn.MLP(2, [3, 2], dropout=0.5, rng=random.Random(0)),
    nn.Sequential(nn.Standardize([1.0, 2.0], [0.5, 3.0]), nn.Layer(2, 2, activation="tanh"), nn.BatchNorm(2)),
    nn.Sequential(nn.Embedding(3, 2), nn.LayerNorm(2), nn.RMSNorm(2), nn.LeakyReLU(0.5), nn.Softmax()),
]


def check_models(path, seeds):
    for model in MODELS:
        nn.save(model, path, note="é", figures=[1, 2.5])
        content = path.read_bytes()
        for seed in seeds:
            rng = random.Random(seed)
            path.write_bytes(damaged_bytes(content, rng))
            assert loaded(path) in (None, repr(model.state_dict())), seed
            damaged = damaged_parts(json.loads(content), rng)
            path.write_text(json.dumps(damaged))
            if "digest" in damaged:
                assert loaded(path) in (None, repr(model.state_dict())), seed
            path.write_text(json.dumps(mended(damaged)))
            loaded(path)


def loaded(path):
    """What the model knows, as text; None if the file is refused."""
    try:
        return repr(nn.load(path).state_dict())
    except CheckpointError as error:
        check_sentence(error, path)
        return None


def test_no_damaged_model_is_loaded(tmp_path):
    check_models(tmp_path / "model.json", range(100))


@pytest.mark.slow
def test_no_damaged_model_of_many_is_loaded(tmp_path):
    check_models(tmp_path / "model.json", range(1_000, 5_000))
