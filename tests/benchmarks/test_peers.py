"""Do the peers compute what this project computes, and do the tables stand without them? All at tiny sizes.

What takes seconds to load is tested by `pytest -m slow tests/benchmarks`.
"""

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install 'scalar-autograd[bench]'")

from tests.benchmarks.peers import (
    __main__ as command,
    catalogue,
    layers,
    own_data,
    rows,
    scalar_graphs,
    starts,
    task,
    training,
    training_table,
)
from tests.benchmarks.peers.columns import ENGINES, PACKAGES, installed
from tests.benchmarks.peers.programs import (
    bundle_adjustment,
    determinant,
    k_means,
    least_squares,
    lstm,
    mixture,
    ode,
)

TINY = task.Point(hidden=4, batch=2, examples=6, epochs=1)
TINY_ONE_BY_ONE = task.Point(hidden=4, batch=1, examples=3, epochs=1)
TIMES = {(16, 1): {"autograd": 2.0, "NumPy, 1 thread": 4.0, "NumPy, as it comes": 3.0}, (16, 8): {"autograd": 4.0}}
GROWTH = {nodes: dict.fromkeys(scalar_graphs.STAGES, nodes / 1e6) for nodes in (100, 1000)}

SECONDS_TO_LOAD = ("PyTorch", "JAX")
WAYS = [
    pytest.param(way, marks=[pytest.mark.slow] if way.startswith(SECONDS_TO_LOAD) else [])
    for way, *_ in ENGINES.values()
]


def skip_if_missing(engine):
    if not installed(engine):
        pytest.skip(f"{engine} is not installed")


@pytest.mark.filterwarnings("default")  # what the peers warn of when they are loaded is their own affair
@pytest.mark.parametrize("engine", WAYS)
def test_every_engine_has_the_same_losses(engine):
    skip_if_missing(engine)
    point = TINY_ONE_BY_ONE if engine == "micrograd" else TINY
    found = {name: training.training(name, point) for name in ("NumPy, 1 thread", engine)}
    task.check_agreement("training", {name: figures["losses"] for name, figures in found.items()})
    assert len(found[engine]["losses"]) == 2
    assert found[engine]["microseconds"] > 0


def test_engines_that_disagree_stop_the_run():
    task.check_agreement("training", {"one": [1.0, 2.0], "other": [1.0 + 1e-12, 2.0]})
    with pytest.raises(SystemExit, match="one and other disagree"):
        task.check_agreement("training", {"one": [1.0, 2.0], "other": [1.0, 2.0 + 1e-8]})


def test_the_last_examples_are_left_out_where_the_batch_does_not_divide():
    assert [point.examples for point in task.points(16)] == [1797, 1792, 1792, 1792, 1797]
    assert all(point.steps * point.batch == point.examples for point in task.points(16))


@pytest.mark.parametrize("nodes", [100, 1000])
def test_every_node_of_the_irregular_graph_is_used(nodes):
    instructions = scalar_graphs.irregular(nodes)
    assert len(instructions) == nodes
    used = {place for _, places in instructions for place in places}
    assert set(range(scalar_graphs.INPUTS, scalar_graphs.INPUTS + nodes - 1)) <= used


def test_the_irregular_graph_has_every_operation():
    names = {name for name, _ in scalar_graphs.irregular(1000)}
    assert names == {*scalar_graphs.ARITHMETIC, *scalar_graphs.UNARY, *scalar_graphs.BINARY}


TINY_ROWS = [
    scalar_graphs.irregular_row(300, 1, 1.0),
    scalar_graphs.irregular_row(300, 5, 1.0),
    scalar_graphs.spelling_row(3),
    determinant.row(3),
    ode.row(8),
    least_squares.row(6, 4),
    bundle_adjustment.row(4),
    mixture.row(dimensions=3, gaussians=2, points=5),
    k_means.row(9, 3, 2),
    k_means.hessian_row(9, 3, 2),
    lstm.row(3),
    layers.row(5, 7, 9),
    own_data.fit_row(500),
    own_data.predict_row(50),
    own_data.evaluate_row(50),
]
CELLS = [
    pytest.param(row, engine, marks=[pytest.mark.slow] if engine.startswith(SECONDS_TO_LOAD) else [])
    for row in TINY_ROWS
    for engine in row.engines
]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("row", "engine"), CELLS, ids=lambda x: getattr(x, "name", x))
def test_every_engine_of_every_row_agrees_with_the_reference(row, engine, monkeypatch):
    skip_if_missing(engine)
    monkeypatch.delattr("os.sched_setaffinity", raising=False)  # this process has other tests to run
    monkeypatch.setattr(rows, "BUDGET", 0.0)
    figures = rows.measure_row(row, engine)
    if "why" in figures:
        pytest.skip(figures["why"])
    assert 0.0 < figures["seconds"] <= figures["first"]


@pytest.mark.parametrize("row", [determinant.row(3), mixture.row(2, 2, 5), lstm.row(3)], ids=lambda row: row.name)
def test_a_wrong_gradient_is_refused(row):
    run = row.engines["eager"]()
    value, gradient = run()
    row.check((value, gradient))
    with pytest.raises(SystemExit, match="differs from the reference"):
        row.check((value, [gradient[0] * (1.0 + 1e-5) + 1e-5, *gradient[1:]]))
    with pytest.raises(SystemExit, match="differs from the reference"):
        row.check((value * (1.0 + 1e-6), gradient))


# The runner, on engines that are made up


def sleeping(seconds):
    return lambda: lambda: rows.Seconds(seconds)


def missing():
    raise rows.NotThereYet("not there yet")


def failing():
    raise SystemExit("wrong")


MADE_UP = rows.Row(
    "a task",
    {"autograd": sleeping(2e-3), "fast": sleeping(1e-3), "later": missing, "wrong": failing, "absent": missing},
    [rows.ahead("fast"), rows.ahead("later"), rows.ahead("absent"), rows.within(1.0)],
)


def in_this_process(name, engine, index, program, timeout):
    try:
        return rows.measure_row(MADE_UP, engine)
    except SystemExit as problem:
        raise subprocess.CalledProcessError(1, engine) from problem


def test_the_runner_prints_what_was_measured_and_why_not(monkeypatch):
    monkeypatch.setattr(rows, "measure_alone", in_this_process)
    monkeypatch.setattr(rows, "BUDGET", 0.0)
    text, bars = rows.run_table("made up", rows.Table("Made up", [MADE_UP]), 2, lambda engine: engine != "absent")
    cells = [cell.strip() for cell in text.splitlines()[-1].strip("|").split("|")]
    assert cells == ["a task", "2 ms", "1 ms", "not there yet", "failed", "-"]
    assert [cells[1:] for cells in bars] == [
        (">= 1.00x", "0.50x", "short"),
        (">= 1.00x", "not there yet", "not measured"),
        (">= 1.00x", "not there yet", "not measured"),
        ("<= 1 s", "2 ms", "pass"),
    ]


def test_the_best_round_counts():
    assert rows.better({}, {"seconds": 2.0, "first": 3.0}) == {"seconds": 2.0, "first": 3.0}
    assert rows.better({"seconds": 2.0, "first": 3.0}, {"seconds": 1.0, "first": 4.0}) == {"seconds": 1.0, "first": 3.0}


@pytest.mark.parametrize(
    ("number", "unit", "shown"),
    [(0.5, "x", "0.50x"), (12.34, "x", "12.3x"), (2e3, "x", "2,000x"), (90.0, "s", "90 s"), (1.5, "s", "1.5 s"),
     (0.0123, "s", "12.3 ms"), (4.2e-5, "s", "42 us"), (float("inf"), "s", "inf s")],
)  # fmt: skip
def test_quantities_have_three_digits_and_a_unit(number, unit, shown):
    assert rows.quantity(number, unit) == shown


def test_operations_a_second_are_shown_where_a_row_counts_them():
    row = layers.row(4, 5, 6)
    assert rows.cell({"seconds": 1e-9 * row.operations, "first": 1.0}, row, first=True) == "1.0 GFLOP/s"


def test_a_table_of_rows_names_engines_that_are_known_or_need_nothing():
    names = {name for shown in catalogue.TABLES.values() for row in shown.rows for name in row.engines}
    needing_nothing = {
        starts.COLD,
        starts.WARM,
        "eager",
        "a node a product",
        "product alone",
        "first call",
        "second call",
    }
    assert names - needing_nothing <= PACKAGES.keys()


def test_code_for_an_older_processor_holds_the_peers_to_its_instructions(monkeypatch):
    monkeypatch.setattr(command.os, "environ", {})
    assert "AVX2" in command.make_code_for("haswell")
    assert command.os.environ["XLA_FLAGS"].endswith("AVX2")
    assert "at hand" in command.make_code_for("znver9")
    assert command.os.environ["AUTOGRAD_PROCESSOR"] == "znver9"


def test_a_start_that_is_cold_has_an_empty_cache_each_time_and_a_warm_one_what_is_there():
    def measure(cache):
        files = list(Path(cache).iterdir())
        (Path(cache) / "code").touch()
        return len(files)

    empty, kept = starts.cold(measure)(), starts.warm(measure)()
    assert [empty(), empty(), kept(), kept()] == [0, 0, 1, 1]


def test_growth_has_all_stages_and_counts_until_the_first_gradient():
    assert list(scalar_graphs.growth(100)) == list(scalar_graphs.STAGES)
    small, large = scalar_graphs.growth_bars({100_000: dict.fromkeys(scalar_graphs.STAGES, 0.3)})
    assert small[2:] == ("0.90 s", "short")
    assert large[3] == "not measured"


def test_the_faster_way_of_running_a_peer_counts():
    rows = training_table.training_tables(TIMES)
    assert "3.00 (*)" in rows
    assert "1.50x" in rows


def test_peers_that_are_not_installed_have_a_dash(monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda package: None)
    lines = command.versions()
    assert "pip install torch" in lines
    assert all(package in lines for package in PACKAGES.values())
    assert {row[3] for row in training_table.training_bars({(16, 1): {"autograd": 2.0}})} == {"not measured"}


def test_a_bar_names_the_place_where_it_is_missed():
    row = training_table.training_bar(TIMES, "NumPy", "NumPy", 2, TIMES)
    assert row == ("NumPy", ">= 2x", "1.50x at 16, 1", "short")
    row = training_table.training_bar(TIMES, "NumPy", "NumPy", 2, TIMES, most=True)
    assert row == ("NumPy", "<= 2x", "1.50x at 16, 1", "pass")


@pytest.mark.filterwarnings("default")
def test_the_plot_has_a_panel_for_each_width_and_one_for_graphs(tmp_path):
    pytest.importorskip("matplotlib")
    from tests.benchmarks.peers.plot import plot

    figure = plot(TIMES | {(64, 1): {"autograd": 1e6, "NumPy, 1 thread": 0.1}}, GROWTH)
    figure.savefig(tmp_path / "times.png")
    narrow, wide, graphs = figure.axes
    assert [ax.get_xlabel() for ax in (narrow, wide, graphs)] == ["examples in a batch", "examples in a batch", "nodes"]
    assert narrow.get_ylim() == wide.get_ylim()
    assert narrow.get_ylim()[0] < 0.1 < 1e6 < narrow.get_ylim()[1]
