"""How is a GPT written where a number is a `Value`, and every product and every sum is a node? With a class of its own.

A program of one file: it reads `input.txt`, a name a line, in the working folder, and trains and samples a GPT with
the class below. Its arithmetic is that of microgpt, and so are the numbers that it prints. Nothing here knows of
`autograd`: `swapped_class.py` runs it with our class in place of its own, and compiles its step.
"""

import math
import random
from pathlib import Path

WIDTH, HEADS, LAYERS, POSITIONS = 16, 4, 1, 16
STEPS, SAMPLES, TEMPERATURE = 1000, 20, 0.5
RATE, BETA1, BETA2, EPSILON = 0.01, 0.85, 0.99, 1e-8


class Value:
    """The smallest design without closures: a number, its parents, and its derivative with respect to each of them."""

    __slots__ = ("data", "grad", "local_derivatives", "parents")

    def __init__(self, data, parents=(), local_derivatives=()):
        self.data = data
        self.grad = 0
        self.parents = parents
        self.local_derivatives = local_derivatives

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent):
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def exp(self):
        power = math.exp(self.data)
        return Value(power, (self,), (power,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            for parent, derivative in zip(node.parents, node.local_derivatives):  # noqa: B905 (as short as theirs)
                parent.grad += derivative * node.grad


# The model. To look up and to compare is left to functions of their own: a program for all tokens does it otherwise.


def row_of(table, index):
    return table[index]


def largest(numbers):
    return max(number.data for number in numbers)


def matrices(vocabulary):
    """The parameters, by name."""
    sizes = {"token": (vocabulary, WIDTH), "position": (POSITIONS, WIDTH), "output": (vocabulary, WIDTH)}
    for layer in range(LAYERS):
        sizes |= {(name, layer): (WIDTH, WIDTH) for name in ("query", "key", "value", "mix")}
        sizes |= {("up", layer): (4 * WIDTH, WIDTH), ("down", layer): (WIDTH, 4 * WIDTH)}
    return {
        name: [[Value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in sizes.items()
    }


def dot(x, y):
    return sum(a * b for a, b in zip(x, y))  # noqa: B905 (strict= costs both classes time)


def linear(matrix, x):
    return [dot(row, x) for row in matrix]


def plus(x, y):
    return [a + b for a, b in zip(x, y, strict=True)]


def normalised(x):
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [a * scale for a in x]


def softmax(logits):
    top = largest(logits)
    powers = [(logit - top).exp() for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def attention(weights, layer, x, keys, values):
    """What the position of x takes from itself and from those before it, which are kept in keys and values."""
    query = linear(weights["query", layer], x)
    keys.append(linear(weights["key", layer], x))
    values.append(linear(weights["value", layer], x))
    found, size = [], WIDTH // HEADS
    for start in range(0, WIDTH, size):
        part = slice(start, start + size)
        shares = softmax([dot(query[part], key[part]) / size**0.5 for key in keys])
        found += [dot(shares, column) for column in zip(*(value[part] for value in values), strict=True)]
    return linear(weights["mix", layer], found)


def logits_of(weights, token, position, memory):
    """A logit for each token that may come next; memory holds a pair of lists, keys and values, for each layer."""
    x = normalised(plus(row_of(weights["token"], token), weights["position"][position]))
    for layer, (keys, values) in enumerate(memory):
        x = plus(attention(weights, layer, normalised(x), keys, values), x)
        hidden = [a.relu() for a in linear(weights["up", layer], normalised(x))]
        x = plus(linear(weights["down", layer], hidden), x)
    return linear(weights["output"], x)


def losses_of(weights, tokens, targets):
    """The loss of each position."""
    memory = [([], []) for _ in range(LAYERS)]
    found = []
    for position, (token, target) in enumerate(zip(tokens, targets, strict=True)):
        found.append(-row_of(softmax(logits_of(weights, token, position, memory)), target).log())
    return found


# Training and sampling


def read_names(file=Path("input.txt")):
    """The names in the order in which they are learned from, and their characters."""
    random.seed(42)
    names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    random.shuffle(names)
    return names, sorted(set("".join(names)))


def encoded(name, characters):
    """Tokens and targets. One token more than there are characters begins and ends a name."""
    tokens = [len(characters), *map(characters.index, name), len(characters)][: POSITIONS + 1]
    return tokens[:-1], tokens[1:]


def train(weights, names, characters):
    parameters = [number for matrix in weights.values() for row in matrix for number in row]
    m, v = [0.0] * len(parameters), [0.0] * len(parameters)
    for step in range(STEPS):
        losses = losses_of(weights, *encoded(names[step % len(names)], characters))
        loss = 1 / len(losses) * sum(losses)
        loss.backward()
        rate = RATE * (1 - step / STEPS)
        for i, p in enumerate(parameters):
            m[i] = BETA1 * m[i] + (1 - BETA1) * p.grad
            v[i] = BETA2 * v[i] + (1 - BETA2) * p.grad**2
            mean, square = m[i] / (1 - BETA1 ** (step + 1)), v[i] / (1 - BETA2 ** (step + 1))
            p.data -= rate * mean / (square**0.5 + EPSILON)
            p.grad = 0
        print(f"step {step + 1:4d} / {STEPS:4d} | loss {loss.data:.4f}")


def sample(weights, characters):
    memory, token, name = [([], []) for _ in range(LAYERS)], len(characters), ""
    for position in range(POSITIONS):
        logits = logits_of(weights, token, position, memory)
        shares = [share.data for share in softmax([logit / TEMPERATURE for logit in logits])]
        (token,) = random.choices(range(len(shares)), shares)
        if token == len(characters):
            break
        name += characters[token]
    return name


def main():
    names, characters = read_names()
    weights = matrices(len(characters) + 1)
    train(weights, names, characters)
    for i in range(SAMPLES):
        print(f"sample {i + 1:2d}: {sample(weights, characters)}")


if __name__ == "__main__":
    main()
