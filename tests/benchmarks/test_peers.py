"""Do the peers compute what this project computes, and do the tables stand without them? All at tiny sizes.

What takes seconds to load is tested by `pytest -m slow tests/benchmarks`.
"""

import pytest

pytest.importorskip("numba", reason="numba is not installed: pip install 'scalar-autograd[bench]'")

from tests.benchmarks.peers import __main__ as command, scalar_graphs, task, training
from tests.benchmarks.peers.columns import ENGINES, PACKAGES, installed

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


@pytest.mark.filterwarnings("default")
def test_casadi_has_the_same_value_and_gradient():
    skip_if_missing("CasADi")
    found = {
        engine: scalar_graphs.irregular_figures(engine, 300, runs=1)["answer"] for engine in ("CasADi", "autograd")
    }
    task.check_agreement("irregular graph", found)


def test_products_and_dots_have_the_same_value_and_gradient():
    found = {engine: scalar_graphs.spelling(engine, 3, runs=1)["answer"] for engine in ("products", "dots")}
    task.check_agreement("spelling", found)


def test_growth_has_all_stages():
    assert list(scalar_graphs.growth(100)) == list(scalar_graphs.STAGES)


def test_the_faster_way_of_running_a_peer_counts():
    rows = command.training_tables(TIMES)
    assert "3.00 (*)" in rows
    assert "1.50x" in rows


def test_peers_that_are_not_installed_have_a_dash(monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda package: None)
    lines = command.versions()
    assert "pip install torch" in lines
    assert all(package in lines for package in PACKAGES.values())
    assert {row[3] for row in command.training_bars({(16, 1): {"autograd": 2.0}})} == {"not measured"}
    assert "-" in command.graph_table({"autograd": 1.0}, {"dots": 1.0, "products": 1.0})


def test_a_bar_names_the_place_where_it_is_missed():
    row = command.training_bar(TIMES, "NumPy", "NumPy", 2, TIMES)
    assert row == ("NumPy", ">= 2x", "1.50x at 16, 1", "short")


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
