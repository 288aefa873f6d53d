"""The workloads of `workloads.py` under pytest-benchmark, for histories and comparisons between commits.

    pytest tests/benchmarks

All engines share one process here, and their garbage costs one another time: the fair comparison is the table of
`python -m tests.benchmarks`. No timing fails a test.
"""

import pytest

pytest.importorskip(
    "pytest_benchmark", reason="pytest-benchmark is not installed: pip install 'scalar-autograd[bench]'"
)

from tests.benchmarks import workloads
from tests.benchmarks.workloads import GRAPH_ENGINES, HEAVY_MODULES, MICROGRAD_MISSING, MLP_ENGINES, NODE_ENGINES


def skip_if_missing(engine):
    if not workloads.installed(engine):
        pytest.skip(MICROGRAD_MISSING)


@pytest.mark.parametrize("engine", MLP_ENGINES)
def test_forward_and_backward_of_an_mlp(benchmark, engine):
    skip_if_missing(engine)
    benchmark.group = "forward + backward of one 64-16-10 MLP example"
    answer = benchmark.pedantic(workloads.forward_backward(engine), rounds=300, warmup_rounds=1)
    assert answer == pytest.approx(workloads.forward_backward("every product a node")(), rel=1e-12)


@pytest.mark.parametrize("engine", GRAPH_ENGINES)
def test_layered_graph(benchmark, engine):
    benchmark.group = "layered graph of 60,000 products and sums: build + backward + free"
    answer = benchmark.pedantic(workloads.layered_graph(engine), rounds=10, warmup_rounds=1)
    assert answer == pytest.approx(workloads.layered_graph("autograd")(), rel=1e-12)


@pytest.mark.parametrize("length", [250_000, 1_000_000])
def test_chain(benchmark, length):
    benchmark.group = "chain: build + backward + pickle + delete + deepcopy"
    benchmark.extra_info.update(benchmark.pedantic(workloads.chain, args=(length,), rounds=1))


@pytest.mark.parametrize("engine", NODE_ENGINES)
def test_bytes_of_a_node(benchmark, engine):
    skip_if_missing(engine)
    benchmark.group = "10,000 products of two Values under tracemalloc"
    size = benchmark.pedantic(workloads.bytes_a_node, args=(engine,), rounds=1)
    benchmark.extra_info["bytes a node"] = size
    assert engine != "autograd" or size <= 230


def test_gradcheck_of_ten_nodes(benchmark):
    benchmark.group = "gradcheck of ten operations on two inputs"
    benchmark.pedantic(workloads.check_of_ten_nodes(), rounds=30, warmup_rounds=2)


def test_import_loads_no_heavy_module(benchmark):
    benchmark.group = "a fresh process that imports autograd"
    milliseconds, loaded = benchmark.pedantic(workloads.import_time, rounds=5)
    benchmark.extra_info["import autograd, ms"] = milliseconds
    assert loaded == [], f"import autograd loads none of {HEAVY_MODULES}"
