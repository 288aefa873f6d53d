"""Which nodes of a graph are a neuron? A weighted sum whose weights are parameters, and the activation after it.

It may be one `dot`, or separate products and sums. Nothing is asked of a model but the names of its modules and
parameters, so that a neuron of one's own is found too.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autograd.drawing.scene import ACTIVATIONS, NOWHERE, Modules
from autograd.value import Value

Edge = tuple[Value, int]
"""An operand: the node that uses it, and its slot there."""


@dataclass(eq=False)
class Use:
    """One use of a neuron: for one example, or at one point of a sequence.

    `inputs` says for each weight what it multiplies, `others` is what is added besides the bias, and `nodes` are the
    products and sums, the whole sum last.
    """

    module: str
    inputs: dict[Value, Edge]
    nodes: list[Value]
    bias: Value | None = None
    others: list[Edge] = field(default_factory=list)
    activation: Value | None = None

    @property
    def total(self) -> Value:
        """The weighted sum, with the bias."""
        return self.nodes[-1]

    @property
    def members(self) -> list[Value]:
        """All of the neuron's nodes, its result last."""
        return self.nodes if self.activation is None else [*self.nodes, self.activation]

    def feeds(self) -> Iterator[Any]:
        """What enters: numbers and Values."""
        return (node.operands[slot] for node, slot in [*self.inputs.values(), *self.others])


def uses_of(
    order: Sequence[Value], modules: Modules, weights: Mapping[str, Sequence[Value]], opened: Callable[[str], bool]
) -> list[Use]:
    """Every use of a neuron in a graph, in the graph's order.

    Arguments:
        order: the graph, parents first.
        modules: where its nodes belong; parameters have names there.
        weights: the weights of each module that is a neuron, by its dotted name.
        opened: whether the neurons of the module of that name are to be left as products and sums.
    """
    consumers = Counter(parent for node in order for parent in node.parents)
    parts: dict[Value, Use] = {}
    for node in order:
        use = None
        if node.operation in ("mul", "dot"):
            use = _product(node, modules)
        elif node.operation in ("add", "sum"):
            use = _sum(node, modules, parts, weights, consumers)
        if use is not None and not opened(use.module):
            for inner in use.nodes[:-1]:
                parts.pop(inner, None)
            parts[node] = use
    uses = [use for use in parts.values() if _is_whole(use, weights)]
    totals = {use.total: use for use in uses}
    for node in order:
        is_activation = node.operation in ACTIVATIONS and node in modules  # what is the loss's has no module
        if is_activation and len(node.parents) == 1 and consumers[node.parents[0]] == 1:
            use = totals.get(node.parents[0])
            if use is not None:
                use.activation = node
    return uses


def is_parameter(x: Any, modules: Modules) -> bool:
    """Whether x is a leaf that the model names."""
    return isinstance(x, Value) and not x.operation and bool(modules.get(x, NOWHERE).name)


def _product(node: Value, modules: Modules) -> Use | None:
    """A product of a parameter, or a `dot` of parameters of one module, with something else."""
    operands, count = node.operands, 1 if node.operation == "mul" else len(node.operands) // 2
    one, other = range(count), range(count, 2 * count)
    for weights, inputs in (one, other), (other, one):
        if not is_parameter(operands[weights[0]] if count else None, modules):
            continue
        chosen = dict.fromkeys(operands[slot] for slot in weights)
        if not all(is_parameter(w, modules) for w in chosen) or len(chosen) < count:
            continue
        if any(operands[slot] in chosen for slot in inputs):
            continue
        paths = {modules[w].module for w in chosen}
        if len(paths) != 1:
            continue
        use = Use(paths.pop(), {w: (node, slot) for w, slot in zip(chosen, inputs, strict=True)}, [node])
        for slot in range(2 * count, len(operands)):
            _add_term(use, node, slot, modules)
        return use
    return None


def _add_term(use: Use, node: Value, slot: int, modules: Modules) -> None:
    """Something that is added: the bias if it is the first parameter of the same module, or another input."""
    term = node.operands[slot]
    own = is_parameter(term, modules) and modules[term].module == use.module
    if own and use.bias is None and term not in use.inputs:
        use.bias = term
    elif isinstance(term, Value) or term:
        use.others.append((node, slot))


def _sum(
    node: Value,
    modules: Modules,
    parts: Mapping[Value, Use],
    weights: Mapping[str, Sequence[Value]],
    consumers: Mapping[Value, int],
) -> Use | None:
    """A sum of weighted sums of one module and of its bias, that nothing else uses."""
    inner = [parts[p] for p in node.parents if p in parts and consumers[p] == 1]
    paths = {part.module for part in inner}
    if len(paths) != 1:
        return None
    use = Use(paths.pop(), {}, [])
    for part in inner:
        if use.inputs.keys() & part.inputs.keys() or (use.bias is not None and part.bias is not None):
            return None
        use.inputs |= part.inputs
        use.nodes += part.nodes
        use.bias = use.bias if part.bias is None else part.bias
        use.others += part.others
    use.nodes.append(node)
    for slot, term in enumerate(node.operands):
        if not (isinstance(term, Value) and term in parts and consumers[term] == 1):
            _add_term(use, node, slot, modules)
    others = sum(len(part.others) for part in inner)
    alone = len(inner) == 1 or use.module in weights  # a module without neurons may add up any products
    return use if len(use.others) == others and alone else None


def _is_whole(use: Use, weights: Mapping[str, Sequence[Value]]) -> bool:
    """Whether a weighted sum is a neuron's. A single product is one where it has all of a neuron's weights, or scales
    what was computed; otherwise it may be any term of a loss."""
    if any(node.operation == "dot" for node in use.nodes):
        return True
    if use.module in weights:
        return set(use.inputs) == set(weights[use.module])
    return all(isinstance(x, Value) and bool(x.operation) for x in use.feeds())
