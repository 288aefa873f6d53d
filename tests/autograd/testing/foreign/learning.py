"""Gradients of machine learning and of numerical mathematics, as people write them, and the mistakes that they make."""

from typing import Any

import numpy as np

from tests.autograd.testing.foreign import precise
from tests.autograd.testing.foreign.case import Problem

rng = np.random.default_rng(17)
PROBLEMS: list[Problem] = []


def problem(name: str, f: Any, df: Any, point: Any, **bugs: Any) -> None:
    """One more; what is wrong with a bug is its keyword, with spaces for the underscores."""
    PROBLEMS.append(Problem(name, f, df, point, {bug.replace("_", " "): wrong for bug, wrong in bugs.items()}))


def normal(*shape: int) -> Any:
    return rng.normal(size=shape).round(3)


def softmax(z: Any, axis: int = -1) -> Any:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_sum_exp(z: Any) -> Any:
    top = z.max(axis=-1, keepdims=True)
    return np.log(np.exp(z - top).sum(axis=-1)) + top[..., 0]


# Losses

labels = np.array([2, 0, 3])
one_hot = np.eye(4)[labels]
problem(
    "softmax cross-entropy of a batch",
    lambda z: (log_sum_exp(z) - (z * one_hot).sum(axis=-1)).mean(),
    lambda z: (softmax(z) - one_hot) / 3,
    2 * normal(3, 4),
    no_1_over_n=lambda z: softmax(z) - one_hot,
    the_labels_are_not_taken_away=lambda z: softmax(z) / 3,
)
problem(
    "log-sum-exp by rows",
    lambda z: log_sum_exp(z).sum(),
    softmax,
    normal(2, 3),
    softmax_over_the_other_axis=lambda z: softmax(z, axis=0),
)

targets = normal(6)
features = normal(6, 3)
problem(
    "mean squared error of a linear model",
    lambda w: ((features @ w - targets) ** 2).mean(),
    lambda w: 2 * features.T @ (features @ w - targets) / 6,
    normal(3),
    no_2=lambda w: features.T @ (features @ w - targets) / 6,
    the_sign_is_wrong=lambda w: 2 * features.T @ (targets - features @ w) / 6,
)

answers = np.array([1.0, 0, 0, 1, 1, 0])


def logistic(w: Any) -> Any:
    z = features @ w
    return (np.log1p(np.exp(z)) - answers * z).sum() + 0.05 * (w * w).sum()


def logistic_gradient(w: Any) -> Any:
    return features.T @ (1 / (1 + np.exp(-features @ w)) - answers) + 0.1 * w


problem(
    "regularised logistic likelihood",
    logistic,
    logistic_gradient,
    normal(3),
    weight_decay_without_its_factor_2=lambda w: logistic_gradient(w) - 0.05 * w,
)


def huber(w: Any) -> Any:
    r = features @ w - targets
    return np.where(abs(r) < 0.5, r * r / 2, 0.5 * (abs(r) - 0.25)).sum()


problem(
    "Huber loss",
    huber,
    lambda w: features.T @ np.clip(features @ w - targets, -0.5, 0.5),
    normal(3),
    clipped_at_1=lambda w: features.T @ np.clip(features @ w - targets, -1, 1),
)


def quantile(w: Any) -> Any:
    r = targets - features @ w
    return np.maximum(0.9 * r, -0.1 * r).sum()


problem(
    "quantile loss",
    quantile,
    lambda w: features.T @ np.where(targets > features @ w, -0.9, 0.1),
    normal(3),
    the_quantiles_are_swapped=lambda w: features.T @ np.where(targets > features @ w, -0.1, 0.9),
)


def cosine(a: Any, b: Any) -> Any:
    return a @ b / np.sqrt((a @ a) * (b @ b))


def cosine_gradient(a: Any, b: Any) -> Any:
    size = np.sqrt((a @ a) * (b @ b))
    return b / size - cosine(a, b) * a / (a @ a), a / size - cosine(a, b) * b / (b @ b)


problem(
    "cosine similarity",
    cosine,
    cosine_gradient,
    (normal(4), normal(4)),
    divided_by_the_norm_in_place_of_its_square=lambda a, b: (
        b / np.sqrt((a @ a) * (b @ b)) - cosine(a, b) * a / np.sqrt(a @ a),
        cosine_gradient(a, b)[1],
    ),
)


def triplet(anchor: Any, positive: Any, negative: Any) -> Any:
    return np.maximum(((anchor - positive) ** 2).sum() - ((anchor - negative) ** 2).sum() + 20, 0)


problem(
    "triplet loss",
    triplet,
    lambda a, p, n: (2 * (n - p), 2 * (p - a), 2 * (a - n)),
    (normal(3), normal(3), normal(3)),
    the_sign_of_the_negative=lambda a, p, n: (2 * (n - p), 2 * (p - a), 2 * (n - a)),
)

data = normal(8)


def mixture(means: Any) -> Any:
    return np.log(np.exp(-((data[:, None] - means) ** 2) / 2) @ np.array([0.5, 0.3, 0.2])).sum()


def mixture_gradient(means: Any) -> Any:
    p = np.exp(-((data[:, None] - means) ** 2) / 2) * np.array([0.5, 0.3, 0.2])
    return (p / p.sum(axis=1, keepdims=True) * (data[:, None] - means)).sum(axis=0)


problem(
    "Gaussian mixture likelihood",
    mixture,
    mixture_gradient,
    normal(3),
    responsibilities_are_not_normalised=lambda m: (
        np.exp(-((data[:, None] - m) ** 2) / 2) * np.array([0.5, 0.3, 0.2]) * (data[:, None] - m)
    ).sum(axis=0),
)


# Layers

weight = normal(5)


def layer_norm(x: Any) -> Any:
    return ((x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + 1e-5) * weight).sum()


def layer_norm_gradient(x: Any, epsilon: float = 1e-5) -> Any:
    deviation = np.sqrt(((x - x.mean()) ** 2).mean() + epsilon)
    y = (x - x.mean()) / deviation
    return (weight - weight.mean() - y * (weight * y).mean()) / deviation


problem(
    "layer norm",
    layer_norm,
    layer_norm_gradient,
    normal(5),
    the_variance_is_held_fixed=lambda x: (weight - weight.mean()) / np.sqrt(x.var() + 1e-5),
    epsilon_is_forgotten=lambda x: layer_norm_gradient(x, epsilon=0.0),
)

batch_weight = normal(5, 2)


def batch_norm(x: Any, gamma: Any) -> Any:
    centred = x - x.mean(axis=0)
    return (gamma * centred / np.sqrt((centred**2).mean(axis=0) + 1e-5) * batch_weight).sum()


def batch_norm_gradient(x: Any, gamma: Any, lost: int = 0) -> Any:
    deviation = np.sqrt(x.var(axis=0) + 1e-5)
    y = (x - x.mean(axis=0)) / deviation
    g = gamma * batch_weight
    n = len(x) - lost
    return (g - g.sum(axis=0) / n - y * (g * y).sum(axis=0) / n) / deviation, (y * batch_weight).sum(axis=0)


problem(
    "batch norm",
    batch_norm,
    batch_norm_gradient,
    (normal(5, 2), normal(2)),
    n_minus_1_in_place_of_n=lambda x, gamma: batch_norm_gradient(x, gamma, lost=1),
)

upstream = normal(2, 3)


def attention(q: Any, k: Any, v: Any) -> Any:
    return (softmax(q @ k.T / np.sqrt(3.0)) @ v * upstream).sum()


def attention_gradient(q: Any, k: Any, v: Any, scale: float = np.sqrt(3.0)) -> Any:
    p = softmax(q @ k.T / np.sqrt(3.0))
    dp = upstream @ v.T
    dz = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / np.sqrt(3.0)
    return dz @ k, dz.T @ q * (np.sqrt(3.0) / scale), p.T @ upstream


problem(
    "attention",
    attention,
    attention_gradient,
    (normal(2, 3), normal(2, 3), normal(2, 3)),
    the_scale_is_missing_for_the_keys=lambda q, k, v: attention_gradient(q, k, v, scale=1.0),
    softmax_is_taken_elementwise=lambda q, k, v: (
        (upstream @ v.T * softmax(q @ k.T / np.sqrt(3.0)) * (1 - softmax(q @ k.T / np.sqrt(3.0)))) @ k / np.sqrt(3.0),
        *attention_gradient(q, k, v)[1:],
    ),
)

image = normal(4, 4)
image_weight = normal(3, 3)


def convolution(kernel: Any) -> Any:
    patches = np.array([[image[i : i + 2, j : j + 2] for j in range(3)] for i in range(3)])
    return ((patches * kernel).sum(axis=(2, 3)) * image_weight).sum()


def convolution_gradient(kernel: Any) -> Any:
    patches = np.array([[image[i : i + 2, j : j + 2] for j in range(3)] for i in range(3)])
    return (patches * image_weight[:, :, None, None]).sum(axis=(0, 1))


problem(
    "convolution",
    convolution,
    convolution_gradient,
    normal(2, 2),
    the_kernel_is_flipped=lambda k: convolution_gradient(k)[::-1, ::-1],
)

inputs = normal(4, 3)
output_weight = normal(4, 3)
problem(
    "linear layer with a bias",
    lambda w, b: (np.tanh(inputs @ w + b) * output_weight).sum(),
    lambda w, b: (
        inputs.T @ (output_weight * (1 - np.tanh(inputs @ w + b) ** 2)),
        (output_weight * (1 - np.tanh(inputs @ w + b) ** 2)).sum(axis=0),
    ),
    (normal(3, 3), normal(3)),
    the_broadcast_bias_is_averaged=lambda w, b: (
        inputs.T @ (output_weight * (1 - np.tanh(inputs @ w + b) ** 2)),
        (output_weight * (1 - np.tanh(inputs @ w + b) ** 2)).mean(axis=0),
    ),
    the_derivative_of_tanh_is_1_minus_tanh=lambda w, b: (
        inputs.T @ (output_weight * (1 - np.tanh(inputs @ w + b))),
        (output_weight * (1 - np.tanh(inputs @ w + b) ** 2)).sum(axis=0),
    ),
)
square = normal(3, 3)
problem(
    "input of a linear layer",
    lambda x: (x @ square * upstream).sum(),
    lambda x: upstream @ square.T,
    normal(2, 3),
    weights_not_transposed=lambda x: upstream @ square,
)


def max_pool(x: Any) -> Any:
    return (x.reshape(3, 2).max(axis=1) * np.array([1.0, -2.0, 3.0])).sum()


def max_pool_gradient(x: Any) -> Any:
    pairs = x.reshape(3, 2)
    return (np.array([[1.0], [-2.0], [3.0]]) * (pairs == pairs.max(axis=1, keepdims=True))).reshape(-1)


problem(
    "max-pool",
    max_pool,
    max_pool_gradient,
    normal(6),
    routed_to_the_other_number=lambda x: max_pool_gradient(-x),
)

C = normal(3, 2, 2)
problem(
    "einsum",
    lambda a, b: np.einsum("i,ijk,j->k", a, C, b),
    lambda a, b: (np.einsum("ijk,j->ki", C, b), np.einsum("i,ijk->kj", a, C)),
    (normal(3), normal(2)),
    indices_j_and_k_swapped=lambda a, b: (np.einsum("ijk,j->ki", C, b), np.einsum("i,ijk->jk", a, C)),
)


def gelu_tanh(x: Any) -> Any:
    return (0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))).sum()


def gelu_tanh_gradient(x: Any, cubic: float = 0.134145) -> Any:
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + cubic * x * x)


problem(
    "gelu by tanh",
    gelu_tanh,
    gelu_tanh_gradient,
    normal(4),
    a_coefficient_of_three_digits=lambda x: gelu_tanh_gradient(x, cubic=0.134),
)


# Linear algebra

well = normal(3, 3) + 3 * np.eye(3)
C3 = normal(3, 3)
problem(
    "log-determinant",
    lambda a: np.log(abs(precise.determinant(a))),
    lambda a: np.linalg.inv(a).T,
    well,
    inverse_not_transposed=np.linalg.inv,
)
problem(
    "inverse",
    lambda a: (C3 * precise.inverse(a)).sum(),
    lambda a: -np.linalg.inv(a).T @ C3 @ np.linalg.inv(a).T,
    well,
    the_factors_stand_in_the_wrong_order=lambda a: -np.linalg.inv(a) @ C3 @ np.linalg.inv(a),
    no_minus=lambda a: np.linalg.inv(a).T @ C3 @ np.linalg.inv(a).T,
)
problem(
    "solve",
    lambda a, b: precise.inverse(a) @ b @ weight[:3],
    lambda a, b: (
        -np.outer(np.linalg.solve(a.T, weight[:3]), np.linalg.solve(a, b)),
        np.linalg.solve(a.T, weight[:3]),
    ),
    (well, normal(3)),
    solved_with_a_in_place_of_its_transpose=lambda a, b: (
        -np.outer(np.linalg.solve(a.T, weight[:3]), np.linalg.solve(a, b)),
        np.linalg.solve(a, weight[:3]),
    ),
)


def cholesky_log(a: Any) -> Any:
    """log det of a a' + 1, by its Cholesky factor."""
    return 2 * np.log(np.diagonal(precise.cholesky(a @ a.T + np.eye(3)))).sum()


problem(
    "log-determinant by Cholesky",
    cholesky_log,
    lambda a: 2 * np.linalg.inv(a @ a.T + np.eye(3)) @ a,
    normal(3, 3),
    symmetry_counted_once=lambda a: np.linalg.inv(a @ a.T + np.eye(3)) @ a,
)


def top_vector(a: Any) -> Any:
    return np.linalg.eigh((a + a.T) / 2)[1][:, -1]


problem(
    "largest eigenvalue",
    lambda a: precise.eigenvalues((a + a.T) / 2)[-1],
    lambda a: np.outer(top_vector(a), top_vector(a)),
    normal(3, 3),
    the_off_diagonal_counted_twice=lambda a: np.outer(top_vector(a), top_vector(a)) * (2 - np.eye(3)),
)


# Numerical mathematics

band = np.array([1.0, 2, 0.5, 0, 0, 0, 0.5, 2])
problem(
    "power in a band of the Fourier transform",
    lambda x: (band * precise.fourier_power(x)).sum(),
    lambda x: 2 * 8 * np.fft.ifft(band * np.fft.fft(x)).real,
    normal(8),
    the_n_of_the_inverse_is_forgotten=lambda x: 2 * np.fft.ifft(band * np.fft.fft(x)).real,
)

knots = np.array([0.0, 0.7, 1.1, 2.3, 3.0])


def interpolation(table: Any, x: Any) -> Any:
    k = int(np.searchsorted(knots, float(x))) - 1
    t = (x - knots[k]) / (knots[k + 1] - knots[k])
    return (1 - t) * table[k] + t * table[k + 1]


def interpolation_gradient(table: Any, x: Any, shift: int = 0) -> Any:
    k = int(np.searchsorted(knots, x)) - 1
    t = (x - knots[k]) / (knots[k + 1] - knots[k])
    by_table = np.zeros(5)
    by_table[k : k + 2] = 1 - t, t
    return by_table, (np.diff(table) / np.diff(knots))[k + shift]


problem(
    "linear interpolation",
    interpolation,
    interpolation_gradient,
    (normal(5), 1.6),
    slope_of_the_next_cell=lambda table, x: interpolation_gradient(table, x, shift=1),
)


def pendulum(state: Any, friction: Any) -> Any:
    return np.array([state[1], -np.sin(state[0]) - friction * state[1]])


def runge_kutta(friction: Any, steps: int = 10, h: float = 0.1) -> Any:
    state = np.array([1.0, 0.0]) + 0 * friction
    for _ in range(steps):
        a = pendulum(state, friction)
        b = pendulum(state + h / 2 * a, friction)
        c = pendulum(state + h / 2 * b, friction)
        d = pendulum(state + h * c, friction)
        state = state + h / 6 * (a + 2 * b + 2 * c + d)
    return state[0]


def runge_kutta_adjoint(friction: Any, weights: Any = (1, 2, 2, 1), h: float = 0.1) -> Any:
    """The states are kept on the way, and the steps are gone back."""
    state, stages = np.array([1.0, 0.0]), []
    for _ in range(10):
        places = [state]
        for share in (h / 2, h / 2, h):
            places.append(state + share * pendulum(places[-1], friction))
        stages.append(places)
        slopes = [pendulum(place, friction) for place in places]
        state = state + h / 6 * (slopes[0] + 2 * slopes[1] + 2 * slopes[2] + slopes[3])
    adjoint, total = np.array([1.0, 0.0]), 0.0
    for places in reversed(stages):
        later, carried = adjoint.copy(), np.zeros(2)
        for place, weight, share in zip(reversed(places), reversed(weights), (0.0, h, h / 2, h / 2), strict=True):
            at_slope = h / 6 * weight * adjoint + share * carried
            total += at_slope[1] * -place[1]
            carried = np.array([-np.cos(place[0]) * at_slope[1], at_slope[0] - friction * at_slope[1]])
            later = later + carried
        adjoint = later
    return total


problem(
    "Runge-Kutta by its adjoint",
    runge_kutta,
    runge_kutta_adjoint,
    0.3,
    a_stage_with_the_wrong_weight=lambda friction: runge_kutta_adjoint(friction, weights=(1, 2, 1, 1)),
)


def root(a: Any, b: Any) -> Any:
    """x of x**3 + a*x = b."""
    x = 1.0 + 0 * a
    for _ in range(12):
        x = x - (x**3 + a * x - b) / (3 * x**2 + a)
    return x


problem(
    "implicit function by Newton's method",
    root,
    lambda a, b: (-root(a, b) / (3 * root(a, b) ** 2 + a), 1 / (3 * root(a, b) ** 2 + a)),
    (0.7, 2.0),
    a_is_forgotten_below=lambda a, b: (-root(a, b) / (3 * root(a, b) ** 2), 1 / (3 * root(a, b) ** 2 + a)),
)

nodes = np.linspace(0, 2, 41)
simpson = np.array([1, *[4, 2] * 19, 4, 1]) * 0.05 / 3
problem(
    "quadrature by Simpson's rule",
    lambda a: simpson @ np.exp(-a * nodes**2),
    lambda a: simpson @ (-(nodes**2) * np.exp(-a * nodes**2)),
    0.8,
    weights_of_the_trapezium_rule=lambda a: np.full(41, 0.05) @ (-(nodes**2) * np.exp(-a * nodes**2)),
)

measured = normal(6)


def kalman(q: Any, r: Any) -> Any:
    """The log-likelihood of a local level."""
    mean, variance, total = 0.0, 1.0, 0.0
    for y in measured:
        variance = variance + q
        total = total - np.log(variance + r) / 2 - (y - mean) ** 2 / (variance + r) / 2
        gain = variance / (variance + r)
        mean = mean + gain * (y - mean)
        variance = (1 - gain) * variance
    return total


def kalman_gradient(q: Any, r: Any, gain_is_fixed: bool = False) -> Any:
    mean, variance, dmean, dvariance, total = 0.0, 1.0, np.zeros(2), np.zeros(2), np.zeros(2)
    for y in measured:
        variance, dvariance = variance + q, dvariance + np.array([1, 0])
        s, ds = variance + r, dvariance + np.array([0, 1])
        total = total - ds / s / 2 + (y - mean) * dmean / s + (y - mean) ** 2 * ds / s**2 / 2
        gain, dgain = variance / s, dvariance / s - variance * ds / s**2
        if gain_is_fixed:
            dgain = 0 * dgain
        mean, dmean = mean + gain * (y - mean), (1 - gain) * dmean + dgain * (y - mean)
        variance, dvariance = (1 - gain) * variance, (1 - gain) * dvariance - dgain * variance
    return total


problem(
    "likelihood of a Kalman filter",
    kalman,
    kalman_gradient,
    (0.4, 0.8),
    the_gain_is_held_fixed=lambda q, r: kalman_gradient(q, r, gain_is_fixed=True),
)

heights = normal(6)


def spline(x: Any) -> Any:
    """Catmull-Rom, knots 0.5 apart."""
    k = int(float(x) / 0.5)
    t = x / 0.5 - k
    a, b, c, d = heights[k - 1 : k + 3]
    return b + t * (c - a) / 2 + t**2 * (a - 2.5 * b + 2 * c - d / 2) + t**3 * (1.5 * (b - c) + (d - a) / 2)


def spline_gradient(x: Any) -> Any:
    k = int(x / 0.5)
    t = x / 0.5 - k
    a, b, c, d = heights[k - 1 : k + 3]
    slope = (c - a) / 2 + 2 * t * (a - 2.5 * b + 2 * c - d / 2) + 3 * t**2 * (1.5 * (b - c) + (d - a) / 2)
    return slope / 0.5


problem(
    "cubic spline",
    spline,
    spline_gradient,
    1.2,
    by_t_in_place_of_x=lambda x: spline_gradient(x) * 0.5,
)
