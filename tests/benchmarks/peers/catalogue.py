"""Which tables of rows are there? By the name that `--only` takes."""

from tests.benchmarks.peers import layers, own_data, programs, scalar_graphs, starts

TABLES = {
    "graphs": scalar_graphs.TABLE,
    "programs": programs.TABLE,
    "layers": layers.TABLE,
    "data": own_data.TABLE,
    "starts": starts.TABLE,
}
