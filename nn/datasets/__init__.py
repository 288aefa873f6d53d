"""What can a model learn from?  Small data sets, readers for your own data, and a fair split.

`load_digits` holds real images, `make_moons` and its relatives draw points in the plane,
`read_csv` reads a file, `train_validation_test_split` divides any of them.
Everything is plain lists of floats and needs only the standard library.
Read `dataset.py` next, then `digits.py`.
"""

from nn.datasets.city_names import load_city_names
from nn.datasets.csv_files import read_csv
from nn.datasets.dataset import Dataset
from nn.datasets.digits import load_digits
from nn.datasets.encoding import TableEncoder
from nn.datasets.lines import load_lines
from nn.datasets.shapes import make_circles, make_moons, make_spirals, xor
from nn.datasets.split import Part, Split, train_validation_test_split
from nn.datasets.table import Table
from nn.datasets.tables import as_rows, as_targets, check_same_length, number_labels

__all__ = [
    "Dataset",
    "Part",
    "Split",
    "Table",
    "TableEncoder",
    "as_rows",
    "as_targets",
    "check_same_length",
    "load_city_names",
    "load_digits",
    "load_lines",
    "make_circles",
    "make_moons",
    "make_spirals",
    "number_labels",
    "read_csv",
    "train_validation_test_split",
    "xor",
]
