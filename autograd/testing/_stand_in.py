"""Stand-in for what inputs.py and frameworks.py will offer; to be deleted."""

import math
import sys
from functools import cached_property
from itertools import groupby

from autograd.reals import real_or_none, shown
from autograd.testing import inputs as _inputs
from autograd.testing.inputs import entries, indices, shape, written


class Inputs(_inputs.Inputs):
    def __init__(self, point, caller, keywords=None):
        super().__init__(point, caller)
        self.caller = caller
        self.keywords = keywords or {}

    def call(self, f, arguments):
        return f(*arguments, **self.keywords)

    def name(self, k):
        return self.names[k]

    def place(self, k):
        return self.places[k]

    @cached_property
    def blocks(self):
        out, start = [], 0
        for home, group in groupby(self._homes, lambda h: h[0]):
            count = sum(1 for _ in group)
            path = self.places[start][: len(self.places[start]) - len(self._homes[start][1])]
            name = f"x{path[0]}{written(path[1:])}" if self.several else f"x{written(path)}"
            out.append((name, start, start + count))
            start += count
        return out

    def direction(self, weights):
        np = sys.modules.get("numpy")
        found, start = [], 0
        for i, leaf in enumerate(self._leaves):
            size = leaf.size if i in self._arrays else 1
            if i in self._arrays:
                found.append(np.array(weights[start : start + size], dtype=float).reshape(leaf.shape))
            else:
                found.append(weights[start])
            start += size
        return found

    def along(self, direction, t):
        moved = []
        for leaf, v in zip(self._leaves, direction):
            if hasattr(leaf, "dtype"):
                moved.append(leaf.dtype.type(0) + (leaf + t * v).astype(leaf.dtype) if hasattr(leaf, "astype") else leaf.dtype.type(leaf + t * v))
            else:
                moved.append(leaf + t * v)
        return tuple(_inputs.rebuilt(self.arguments, iter(moved)))

    def smallest(self, direction):
        return 0.0

    def derivatives(self, found, outputs):
        columns = list(_columns(found, self.point, outputs.shape, self.several))
        return [column[i] for i in range(len(outputs.numbers)) for column in columns]


class Outputs:
    def __init__(self, result, what):
        self.numbers, self.shape = _flat(result, what)
        self.what = what
        self.names = [written(p) for p in indices(self.shape)]
        self.unit = max([_inputs.roundoff(x) for x in entries(result)] or [2.0**-53])

    def numbers_of(self, result):
        found = shape(result)
        if found != self.shape:
            raise TypeError(
                f"f returned the shape {found}, but {self.shape} at the point itself; it must be the same near the point"
            )
        return [float(x) if isinstance(x, (int, float)) else math.nan if isinstance(x, complex) else x for x in _row(result)]


def _row(result):
    if hasattr(result, "tolist") and getattr(result, "dtype", None) is not None and result.dtype.kind == "f":
        return result.reshape(-1).tolist()
    return entries(result)


def _flat(x, what):
    found = shape(x)
    if found is None:
        raise TypeError(f"{what} is a list of rows with different lengths, or a dict: {shown(x)}; return an array")
    if hasattr(x, "reshape") and x.dtype.kind == "f":
        return x.reshape(-1).tolist(), found
    return [_number(item, what) for item in entries(x)], found


def _number(x, what):
    number = real_or_none(x)
    if number is None:
        raise TypeError(f"{what} must be made of real numbers; got {shown(x)} ({type(x).__name__})")
    return number


def _columns(found, point, outputs, by_part):
    inner = None if by_part else shape(point)
    if inner is None:
        for part, derivative in zip(_parts(point), _parts_like(point, found), strict=True):
            yield from _columns(derivative, part, outputs, by_part=False)
        return
    numbers, found_shape = _flat(found, "df(point)")
    if found_shape != outputs + inner:
        raise ValueError(
            f"df returned the shape {found_shape}, but f has the shape {outputs} and the point {inner}: "
            f"return {outputs + inner}, one derivative for each pair of them"
        )
    count = math.prod(inner)
    yield from (numbers[j::count] for j in range(count))


def _parts(point):
    return list(point.values() if isinstance(point, dict) else point)


def _parts_like(point, found):
    try:
        parts = [found[key] for key in (point if isinstance(point, dict) else range(len(point)))]
        if len(found) == len(parts):
            return parts
    except (TypeError, LookupError):
        pass
    each = f"the keys {shown(list(point))}" if isinstance(point, dict) else f"{len(point)} parts"
    raise ValueError(f"df returned {shown(found)}, but the point has {each}: return one derivative for each of them")
