"""Are arrays of NumPy, PyTorch and JAX read, copied and moved exactly, and is what cannot be checked refused?"""

import math
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from autograd import Value
from autograd.testing.inputs import Inputs
from autograd.testing.outputs import Outputs


class Kind(NamedTuple):
    """A type of arrays: its name, how one is made of a list of lists, and how many bits its numbers have."""

    name: str
    make: Callable[[Any], Any]
    bits: int
    smallest: float


def torch_kind(name: str, bits: int, smallest: float) -> Kind:
    return Kind(
        f"torch {name}", lambda x: (t := pytest.importorskip("torch")).tensor(x, dtype=getattr(t, name)), bits, smallest
    )


def jax_kind(name: str, bits: int, smallest: float) -> Kind:
    return Kind(f"jax {name}", lambda x: pytest.importorskip("jax.numpy").array(x, name), bits, smallest)


def numpy_kind(name: str, bits: int, smallest: float) -> Kind:
    return Kind(f"numpy {name}", lambda x: np.array(x, name), bits, smallest)


def short_of_numpy(x: Any) -> Any:
    return np.array(x, pytest.importorskip("ml_dtypes").bfloat16)


HALF, SHORT, SINGLE, DOUBLE = (11, 2.0**-14), (8, 2.0**-126), (24, 2.0**-126), (53, 2.0**-1022)
KINDS = [
    numpy_kind("float64", *DOUBLE),
    numpy_kind("float32", *SINGLE),
    numpy_kind(">f4", *SINGLE),
    numpy_kind("float16", *HALF),
    Kind("numpy bfloat16", short_of_numpy, *SHORT),
    torch_kind("float64", *DOUBLE),
    torch_kind("float32", *SINGLE),
    torch_kind("float16", *HALF),
    torch_kind("bfloat16", *SHORT),
    jax_kind("float32", *SINGLE),
    jax_kind("float16", *HALF),
    jax_kind("bfloat16", *SHORT),
]
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)

small = st.integers(-15, 15).map(lambda k: k / 8.0)  # every type here holds these
matrices = st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(st.lists(small, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])
)


def numbers(array: Any) -> list[float]:
    """What stands in an array, read one by one through the library's own indexing."""
    if array.ndim == 0:
        return [float(array)]
    return [x for row in array for x in numbers(row)]


def rounded(x: Fraction, bits: int) -> float:
    """The number of so many bits nearest to x, ties to even: by whole numbers alone."""
    if x == 0:
        return 0.0
    exponent = math.frexp(float(x))[1] - bits
    return float(round(x / Fraction(2) ** exponent) * Fraction(2) ** exponent)


def printed_by(code: str, before: str = "") -> str:
    """What a new interpreter prints that knows sys, Inputs and Outputs; `before` is run before these are imported."""
    imports = "from autograd.testing.inputs import Inputs\nfrom autograd.testing.outputs import Outputs\n"
    program = f"import sys\n{before}{imports}{code}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@kinds
def test_a_copy_has_the_same_numbers_type_and_shape_and_shares_no_memory(kind: Kind) -> None:
    point = kind.make([[0.5, 1.0, -1.5], [2.0, 0.0, 4.0]])
    inputs = Inputs((point, point), "check")
    assert inputs.numbers == numbers(point) * 2
    assert inputs.unit == 2.0**-kind.bits
    still = inputs.direction([0.0] * 11 + [1.0])
    for arguments in (inputs.at(inputs.numbers), inputs.moved(11, 4.5), inputs.along(still, 0.5)):
        assert numbers(arguments[0]) == numbers(point)
        assert numbers(arguments[1]) == [*numbers(point)[:-1], 4.0 + 0.5 * (arguments[1][1, 2] != 4.0)]
        for array in arguments:
            assert (type(array), array.dtype, array.shape) == (type(point), point.dtype, point.shape)
            assert "jax" in kind.name or array is not point
        if "jax" not in kind.name:  # these cannot be changed
            arguments[0][0, 0] = arguments[1][0, 0] = 7.0
    assert numbers(point) == [0.5, 1.0, -1.5, 2.0, 0.0, 4.0]


@kinds
@settings(max_examples=12, deadline=None)
@given(data=st.data(), rows=matrices, x=st.floats(-3.0, 3.0))
def test_one_number_is_moved_to_the_nearest_that_can_stand_there(
    kind: Kind, data: st.DataObject, rows: list[list[float]], x: float
) -> None:
    inputs = Inputs({"w": kind.make(rows)}, "check")
    k = data.draw(st.integers(0, len(inputs.numbers) - 1))
    near = inputs.nearest(k, x)
    if abs(x) >= kind.smallest:
        assert near in (rounded(Fraction(x), kind.bits), rounded(Fraction(float(np.float32(x))), kind.bits))
    expected = [*inputs.numbers]
    expected[k] = near
    assert numbers(inputs.moved(k, near)[0]["w"]) == expected
    assert numbers(inputs.at(expected)[0]["w"]) == expected
    i, j = divmod(k, len(rows[0]))
    assert (inputs.name(k), inputs.place(k)) == (f"x['w'][{i}, {j}]", ("w", i, j))


@kinds
@settings(max_examples=12, deadline=None)
@given(data=st.data(), rows=matrices, exponent=st.integers(-6, 3))
def test_a_direction_moves_every_number_by_its_weight_rounded_once(
    kind: Kind, data: st.DataObject, rows: list[list[float]], exponent: int
) -> None:
    inputs = Inputs(([1.0], kind.make(rows)), "check")
    count = len(inputs.numbers)
    weights = data.draw(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0]), min_size=count, max_size=count))
    t = 2.0**exponent
    for of_numpy in (False, True):
        direction = inputs.direction(np.array(weights) if of_numpy else weights)
        (plain,), array = inputs.along(direction, t)
        sums = [Fraction(x) + Fraction(t) * Fraction(w) for x, w in zip(inputs.numbers, weights, strict=True)]
        assert plain == float(sums[0])
        assert numbers(array) == [rounded(exact, kind.bits) for exact in sums[1:]]
        assert not inputs.changed(inputs.along(direction, 0.0))


@kinds
@settings(max_examples=12, deadline=None)
@given(rows=matrices, signs=st.integers(0, 511))
def test_the_smallest_step_moves_every_number_exactly(kind: Kind, rows: list[list[float]], signs: int) -> None:
    inputs = Inputs(kind.make(rows), "check")
    weights = [1.0 if signs >> k & 1 else -1.0 for k in range(len(inputs.numbers))]
    direction = inputs.direction(weights)
    t = inputs.smallest(direction)
    largest = max(map(abs, inputs.numbers))
    assert (
        max(largest * 2.0 ** (1 - kind.bits), kind.smallest)
        <= t
        <= max(largest * 2.0 ** (3 - kind.bits), kind.smallest)
    )
    if t > 2.0 * kind.smallest:  # below, JAX takes a number for 0
        for x, w, moved in zip(inputs.numbers, weights, numbers(inputs.along(direction, t)[0]), strict=True):
            outward = abs(x) < abs(x + w * t) and math.frexp(x)[1] != math.frexp(x + w * t)[1]
            assert moved == x + w * t or outward  # where the gap to the next number doubles


@kinds
def test_an_array_without_axes_stays_one(kind: Kind) -> None:
    point = kind.make(1.5)
    inputs = Inputs(point, "check")
    assert inputs.names == ["x"]
    for arguments in (inputs.at([2.5]), inputs.moved(0, 2.5), inputs.along(inputs.direction([1.0]), 1.0)):
        assert (type(arguments[0]), arguments[0].shape, float(arguments[0])) == (type(point), (), 2.5)


@kinds
def test_results_and_gradients_of_every_type_are_read(kind: Kind) -> None:
    result = {"loss": kind.make(0.5), "parts": [kind.make([1.0, 2.0]), 3.0]}
    outputs = Outputs(result, "f")
    assert outputs.numbers == outputs.numbers_of(result) == [0.5, 1.0, 2.0, 3.0]
    assert outputs.unit == 2.0**-kind.bits
    inputs = Inputs((kind.make([1.0, 2.0]), 3.0), "check")
    gradient = (kind.make([0.5, 0.25]), kind.make(2.0))
    assert inputs.derivatives(gradient, Outputs(kind.make(1.0), "f")) == [0.5, 0.25, 2.0]


@kinds
def test_a_change_in_place_is_seen(kind: Kind) -> None:
    inputs = Inputs(([kind.make([1.0, 2.0])], kind.make([3.0])), "check")
    assert not inputs.changed(inputs.at(inputs.numbers))
    arguments = inputs.at(inputs.numbers)
    if "jax" not in kind.name:
        arguments[1][0] = 4.0
        assert inputs.changed(arguments)
    arguments = inputs.at(inputs.numbers)
    arguments[0].append(1.0)
    assert inputs.changed(arguments)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_scalar_of_numpy_keeps_its_type(dtype: str) -> None:
    inputs = Inputs([np.dtype(dtype).type(1.5)], "check")
    for (arguments,) in (inputs.at([2.5]), inputs.moved(0, 2.5), inputs.along(inputs.direction([1.0]), 1.0)):
        assert arguments == [2.5]
        assert arguments[0].dtype == dtype
    assert inputs.nearest(0, 0.1) == float(np.dtype(dtype).type(0.1))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_layouts_of_numpy_are_kept() -> None:
    for point in (
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(2, 6)[:, ::2],
        np.broadcast_to(1.0, (2, 3)),
        np.matrix([[1.0, 2.0]]),
        np.arange(3.0)[::-1],
    ):
        inputs = Inputs(point, "check")
        direction = inputs.direction([1.0] * point.size)
        for arguments in (inputs.at(inputs.numbers), inputs.moved(1, inputs.numbers[1]), inputs.along(direction, 0.0)):
            assert type(arguments[0]) is type(point)
            assert np.array_equal(arguments[0], point)
            assert arguments[0].flags.writeable
            assert arguments[0].flags.f_contiguous >= (point.flags.f_contiguous and not point.flags.c_contiguous)


# PyTorch


def test_a_tensor_that_asks_for_gradients_is_a_new_leaf_in_every_call() -> None:
    torch = pytest.importorskip("torch")
    leaf = torch.tensor([1.0, 2.0], requires_grad=True)
    for point in (leaf, leaf * 2.0, torch.nn.Parameter(leaf.detach())):
        inputs = Inputs(point, "check")
        direction = inputs.direction([1.0, 0.0])
        for arguments in (inputs.at(inputs.numbers), inputs.moved(0, 3.0), inputs.along(direction, 0.5)):
            assert arguments[0].is_leaf
            assert arguments[0].requires_grad
            (arguments[0] ** 2).sum().backward()
            assert arguments[0].grad.tolist() == [2.0 * x for x in arguments[0].tolist()]
            assert not inputs.changed(inputs.at(inputs.numbers))
        with torch.no_grad():
            assert inputs.at(inputs.numbers)[0].requires_grad
    assert leaf.grad is None


def test_layouts_of_tensors_are_kept() -> None:
    torch = pytest.importorskip("torch")
    whole = torch.arange(24.0).reshape(2, 3, 4)
    for point in (whole.transpose(0, 2), whole[:, :, ::2], whole[:, 1], whole.to(torch.float16).transpose(0, 1)):
        inputs = Inputs(point, "check")
        direction = inputs.direction([1.0] * point.numel())
        for arguments in (inputs.at(inputs.numbers), inputs.moved(1, inputs.numbers[1]), inputs.along(direction, 0.0)):
            assert torch.equal(arguments[0], point)
            assert arguments[0].stride() == point.stride()
    for point in (torch.tensor(1.0).expand(2, 3), torch.arange(4.0).unfold(0, 2, 1)):  # numbers that share memory
        moved = Inputs(point, "check").moved(1, 9.0)[0]
        assert moved.reshape(-1).tolist() == [x if k != 1 else 9.0 for k, x in enumerate(point.reshape(-1).tolist())]


def test_tensors_work_without_numpy() -> None:
    pytest.importorskip("torch")
    before = "import warnings; warnings.simplefilter('ignore'); sys.modules['numpy'] = None\nimport torch\n"
    code = (
        "inputs = Inputs((torch.tensor([1.0, 2.0]), [3.0], torch.tensor([1, 2])), 'check')\n"
        "print(inputs.along(inputs.direction([1.0, 0.0, 2.0]), 0.5), inputs.moved(1, 7.0)[0].tolist())\n"
        "print(inputs.derivatives((torch.tensor([4.0, 5.0]), [6.0], None), Outputs(torch.tensor(1.0), 'f')))\n"
    )
    assert printed_by(code, before) == "(tensor([1.5000, 2.0000]), [4.0], tensor([1, 2])) [1.0, 7.0]\n[4.0, 5.0, 6.0]\n"


# What is imported


def test_lists_need_no_library_and_none_is_imported() -> None:
    code = (
        "inputs = Inputs(([1.0, 2.0], {'w': 3}), 'check')\n"
        "print(tuple(inputs.along(inputs.direction([1.0, 0.0, 2.0]), 0.5)))\n"
        "print(inputs.derivatives(([4.0, 5.0], {'w': 6.0}), Outputs(1.0, 'f')), Outputs([1, 2.0], 'f').numbers)\n"
        "print({'numpy', 'torch', 'jax', 'ml_dtypes', 'pandas'} & set(sys.modules))\n"
    )
    assert printed_by(code) == "([1.5, 2.0], {'w': 4.0})\n[4.0, 5.0, 6.0] [1.0, 2.0]\nset()\n"


# What is refused


class Frame:
    """An array of a library that is not known."""

    __module__ = "pandas.frames"
    shape, dtype = (2,), "float64"


class Field(Frame):
    __module__ = "strange.fields"


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: np.array([1j]), r"complex: .* as two arguments, and let f compute re \+ 1j \* im"),
    (lambda: np.complex64(1j), "complex: give its real and its imaginary part as two numbers"),
    (lambda: np.array([1.0, None]), r"an array of objects: make it one of numbers, x\.astype\(float\)"),
    (lambda: np.array([(1.0, 2)], [("a", "f8"), ("b", "i4")]), "a structured array: give its fields as arrays"),
    (lambda: np.ma.array([1.0, 2.0], mask=[True, False]), r"a masked array: .*x\.filled\(0\.0\)"),
    (lambda: Frame(), r"a Frame of pandas: turn it into a NumPy array, x\.to_numpy\(\)"),
    (lambda: Field(), "a Field of strange: turn it into a NumPy array"),
    (lambda: {1.0}, "a set: put its numbers in a list"),
    (lambda: pytest.importorskip("pandas").Series([1.0]), r"a Series of pandas: .*x\.to_numpy\(\)"),
    (lambda: pytest.importorskip("scipy.sparse").eye(2), r"a dia_matrix of scipy: .*x\.toarray\(\)"),
    (lambda: torch_of("eye", 2).to_sparse(), r"a sparse tensor of torch: .*x\.to_dense\(\)"),
    (lambda: torch_of("eye", 2).to_sparse_csr(), r"a sparse tensor of torch: .*x\.to_dense\(\)"),
    (lambda: torch_of("ones", 2, device="meta"), "a tensor on the device meta, which holds no numbers"),
    (
        lambda: torch_of("quantize_per_tensor", torch_of("ones", 2), 0.1, 0, pytest.importorskip("torch").qint8),
        r"a quantized tensor of torch: give floats, x\.dequantize\(\)",
    ),
    (lambda: torch_of("ones", 2, dtype=pytest.importorskip("torch").complex64), "complex: .* let f compute re"),
    (lambda: pytest.importorskip("jax.numpy").array([1j]), "complex: .* let f compute re"),
    (
        lambda: pytest.importorskip("jax.experimental.sparse").BCOO.fromdense(np.eye(2)),
        r"a BCOO of jax: .*x\.todense\(\)",
    ),
]


def torch_of(name: str, *arguments: Any, **keywords: Any) -> Any:
    return getattr(pytest.importorskip("torch"), name)(*arguments, **keywords)


@pytest.mark.filterwarnings("ignore")  # libraries say that some of these will go
@pytest.mark.parametrize(("make", "sentence"), REFUSED)
def test_what_cannot_be_checked_is_refused_as_a_point_and_as_a_result(make: Callable[[], Any], sentence: str) -> None:
    x = make()
    with pytest.raises(TypeError, match=rf"check takes numbers, .* as the arguments; x1\['w'\] is {sentence}"):
        Inputs((1.0, {"w": x}), "check")
    with pytest.raises(TypeError, match=f"f must return real numbers, or arrays of them; got {sentence}"):
        Outputs(x, "f")


def test_a_traced_value_of_jax_is_refused() -> None:
    jax = pytest.importorskip("jax")
    with pytest.raises(TypeError, match=r"x is a value that JAX is tracing, .*: call the check outside of jit"):
        jax.jit(lambda x: Inputs(x, "check"))(1.0)


# What is left alone


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.array([1, 2]),
        lambda: np.array([True, False]),
        lambda: np.array(["a"]),
        lambda: torch_of("tensor", [1, 2]),
        lambda: torch_of("tensor", [True]),
        lambda: pytest.importorskip("jax.numpy").array([1, 2]),
        lambda: pytest.importorskip("jax").random.key(0),
        lambda: torch_of("device", "cpu"),
        lambda: "mean",
        lambda: None,
        lambda: True,
        lambda: np.float32,
        lambda: math.sin,
    ],
)
def test_what_is_no_number_is_given_to_the_function_as_it_is(make: Callable[[], Any]) -> None:
    x = make()
    inputs = Inputs((1.5, x, np.array([2.0])), "check", {"option": x})
    assert inputs.numbers == [1.5, 2.0]
    assert inputs.names == ["x0", "x2[0]"]
    for arguments in (inputs.at([1.0, 3.0]), inputs.moved(1, 3.0), inputs.along(inputs.direction([0.0, 1.0]), 1.0)):
        kept: list[Any] = []
        inputs.call(lambda *given, option, into=kept: into.extend([given[1], option]), arguments)
        assert all(type(each) is type(x) and str(each) == str(x) for each in kept)
    assert inputs.derivatives((5.0, None, np.array([6.0])), Outputs(1.0, "f")) == [5.0, 6.0]


def test_labels_that_a_function_changes_are_whole_again_in_the_next_call() -> None:
    labels = np.array([1, 2])
    inputs = Inputs((1.5, labels), "check")
    arguments = inputs.at([1.5])
    arguments[1][0] = 7
    assert inputs.changed(arguments)
    assert labels.tolist() == inputs.at([1.5])[1].tolist() == [1, 2]


def test_a_value_is_moved_as_a_value() -> None:
    inputs = Inputs(Value(2.0), "check")
    for (x,) in (inputs.at([2.5]), inputs.moved(0, 2.5), inputs.along(inputs.direction([0.5]), 1.0)):
        assert isinstance(x, Value)
        assert x.data == 2.5
