"""Where do the figures in pytorch_figures.json come from? From PyTorch, in float64, with this script.

`python tests/nn/make_pytorch_figures.py` writes them again (with `torch` installed, which the tests do not need).
The tests of losses, optimisers, schedules, normalisation and embeddings read them, and take the cases and the made-up
gradients and inputs from here.
"""

import json
import math
import warnings
from pathlib import Path

FIGURES = Path(__file__).with_name("pytorch_figures.json")

# (name, options, predictions, targets). Each set of targets has values on both sides of each branch of its loss.
NUMBERS = [[0.3, -1.7, 2.25], [4.0, 0.0, -0.6]]
TARGETS = [[0.1, 1.0, 2.0], [0.5, 0.25, -0.6]]
PROBABILITIES = [[0.2, 0.7, 0.999], [1e-9, 0.5, 0.35]]
SHARES = [[0.0, 1.0, 0.9], [0.25, 0.5, 1.0]]
LOGITS = [[1.5, -0.5, 0.25], [-3.0, 2.0, 2.0], [40.0, -40.0, 0.0]]
DISTRIBUTIONS = [[0.2, 0.3, 0.5], [0.0, 1.0, 0.0], [0.7, 0.1, 0.2]]
LOG_PROBABILITIES = [[-0.5, -1.5, -2.5], [-3.0, -0.1, -4.0], [-1.0, -1.1, -1.2]]
LOSS_CASES = [
    *(("mse_loss", {"reduction": r}, NUMBERS, TARGETS) for r in ("mean", "sum")),
    *(("l1_loss", {"reduction": r}, NUMBERS, TARGETS) for r in ("mean", "sum")),
    *(("huber_loss", {"delta": delta}, NUMBERS, TARGETS) for delta in (0.15, 1.0, 10.0)),
    *(("binary_cross_entropy", {"reduction": r}, PROBABILITIES, SHARES) for r in ("mean", "sum")),
    *(("binary_cross_entropy_with_logits", {"reduction": r}, LOGITS, DISTRIBUTIONS) for r in ("mean", "sum")),
    *(("cross_entropy", {"reduction": r}, LOGITS, [2, 0, 1]) for r in ("mean", "sum")),
    *(("cross_entropy", {"label_smoothing": s}, LOGITS, [2, 0, 1]) for s in (0.1, 1.0)),
    ("cross_entropy", {}, LOGITS, DISTRIBUTIONS),
    ("cross_entropy", {"label_smoothing": 0.3, "reduction": "sum"}, LOGITS, DISTRIBUTIONS),
    *(("nll_loss", {"reduction": r}, LOG_PROBABILITIES, [2, 0, 1]) for r in ("mean", "sum")),
    *(("kl_div", {"reduction": r}, LOG_PROBABILITIES, DISTRIBUTIONS) for r in ("mean", "sum", "batchmean")),
]

OPTIMIZER_CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": [0.8, 0.99], "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "betas": [0.5, 0.9], "weight_decay": 0.3}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.05, "centered": True}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.3, "momentum": 0.5, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.1, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.5, "initial_accumulator_value": 0.25, "eps": 1e-3}),
]
STEPS = 100
SHOWN = (1, 2, 3, 10, 100)  # the steps after which the weights are kept
START = [1.0, -2.0, 3.0]
EPOCHS_SHOWN = (0, 1, 2, 3, 4, 5, *range(10, STEPS + 1, 10))
BASE_LR = 0.05
SCHEDULE_CASES = [
    ("StepLR", {"step_size": 1}),
    ("StepLR", {"step_size": 7, "gamma": 0.7}),
    ("StepLR", {"step_size": 30, "gamma": 1.5}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("ExponentialLR", {"gamma": 1.1}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.001}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.1}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.9, "total_iters": 40}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 64}),
    ("ReduceLROnPlateau", {}),
    ("ReduceLROnPlateau", {"factor": 0.7, "patience": 2}),
    ("ReduceLROnPlateau", {"factor": 0.7, "patience": 0, "cooldown": 3, "min_lr": 0.003}),
    ("ReduceLROnPlateau", {"mode": "max", "factor": 0.9, "patience": 1, "threshold": 0.01}),
    ("ReduceLROnPlateau", {"factor": 0.5, "patience": 1, "threshold": 0.3, "threshold_mode": "abs", "eps": 1e-4}),
    ("ReduceLROnPlateau", {"mode": "max", "factor": 0.8, "patience": 3, "threshold": 0.2, "threshold_mode": "abs"}),
]

EXAMPLES, FEATURES = 4, 3
LAYER_SHOWN = (1, 2, 100)
LAYER_CASES = [
    ("BatchNorm", {}),
    ("BatchNorm", {"eps": 0.1, "momentum": 0.3}),
    ("BatchNorm", {"momentum": None}),
    ("BatchNorm", {"affine": False}),
    ("LayerNorm", {}),
    ("LayerNorm", {"eps": 0.1, "affine": False}),
    ("RMSNorm", {}),
    ("RMSNorm", {"eps": 0.1}),
    ("RMSNorm", {"affine": False}),
]
VECTORS = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]]  # what an embedding starts from
CLIP_CASES = [([3.0, -4.0, 0.0], 1.0), ([3.0, -4.0, 0.0], 10.0), ([0.0, 0.0], 1.0), ([1e-3, 1e3], 5.0)]


def gradients(step, weights):
    """Gradients of a bowl around (1.5, -2.5, 3.5), which shakes a little from step to step; the last rests for a while.

    The minimum is away from 0, so that a relative bound means something."""
    slopes = [w - minimum for w, minimum in zip(weights, (1.5, -2.5, 3.5), strict=True)]
    shaken = [(i + 1) * slope + 0.3 * math.cos(step * (i + 1)) for i, slope in enumerate(slopes)]
    return [*shaken[:2], 0.0 if step < 5 else shaken[2]]


def metric(step):
    """A loss that falls, rests and shakes; now and then it is as good as lost."""
    if step in (17, 60):
        return math.nan if step == 17 else math.inf
    return 3.0 / (1.0 + 0.2 * min(step, 40)) + 0.1 * math.cos(3.0 * step)


def batch(step):
    """Rows of numbers that differ from step to step; the second feature is large, the third small."""
    return [
        [scale * math.cos(step + i * i + k) + k for k, scale in enumerate((1.0, 100.0, 0.01))] for i in range(EXAMPLES)
    ]


def indices(step):
    """Two places in a table of three vectors for each of two examples, sometimes the same."""
    return [[step % 3, (step // 3) % 3], [(2 * step) % 3, (step * step) % 3]]


def counted(outputs):
    """The slope of the made-up loss for each output: none is the same, so that no gradient cancels."""
    return [[math.sin(1.0 + 2.0 * i + 3.0 * k) for k in range(len(row))] for i, row in enumerate(outputs)]


def loss_figures(name, options, predictions, targets):
    import torch
    from torch.nn import functional

    warnings.simplefilter("ignore")  # PyTorch announces that kl_div's mean may become its batchmean

    x = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    is_classes = not isinstance(targets[0], list)
    y = torch.tensor(targets, dtype=torch.int64 if is_classes else torch.float64)
    loss = getattr(functional, name)(x, y, **options)
    loss.backward()
    return {"loss": loss.item(), "gradients": x.grad.tolist()}


def optimizer_figures(name, options):
    import torch

    weights = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in START]
    optimizer = getattr(torch.optim, name)(weights, **options)
    figures = {}
    for step in range(1, STEPS + 1):
        for weight, gradient in zip(weights, gradients(step, [w.item() for w in weights]), strict=True):
            weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        if step in SHOWN:
            figures[str(step)] = [w.item() for w in weights]
    return figures


def schedule_figures(name, options):
    """The learning rate after so many steps."""
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE_LR)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    figures = {"0": optimizer.param_groups[0]["lr"]}
    for step in range(1, STEPS + 1):
        optimizer.step()
        schedule.step(metric(step)) if name == "ReduceLROnPlateau" else schedule.step()
        figures[str(step)] = optimizer.param_groups[0]["lr"]
    return {str(step): figures[str(step)] for step in EPOCHS_SHOWN}


def layer_figures(name, options):
    """Outputs, gradients and numbers of a layer that learns for 100 steps; then its outputs in evaluation."""
    import torch

    renamed = {"affine": "elementwise_affine"} if name != "BatchNorm" else {}
    options = {renamed.get(option, option): value for option, value in options.items()}
    layer = getattr(torch.nn, {"BatchNorm": "BatchNorm1d"}.get(name, name))(FEATURES, **options, dtype=torch.float64)
    figures = {}
    for step in range(1, STEPS + 1):
        x = torch.tensor(batch(step), dtype=torch.float64, requires_grad=True)
        y = layer(x)
        layer.zero_grad()
        (y * torch.tensor(counted(y.tolist()), dtype=torch.float64)).sum().backward()
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter -= BASE_LR * parameter.grad
        if step in LAYER_SHOWN:
            state = {name: number.tolist() for name, number in layer.state_dict().items()}
            figures[str(step)] = {"outputs": y.tolist(), "gradients": x.grad.tolist(), "state": state}
    return {**figures, "evaluation": layer.eval()(torch.tensor(batch(0), dtype=torch.float64)).tolist()}


def embedding_figures():
    """Outputs and vectors of a table that learns for 100 steps."""
    import torch

    table = torch.nn.Embedding.from_pretrained(torch.tensor(VECTORS, dtype=torch.float64), freeze=False)
    figures = {}
    for step in range(1, STEPS + 1):
        y = table(torch.tensor(indices(step))).flatten(1)
        table.zero_grad()
        (y * torch.tensor(counted(y.tolist()), dtype=torch.float64)).sum().backward()
        with torch.no_grad():
            table.weight -= BASE_LR * table.weight.grad
        if step in LAYER_SHOWN:
            figures[str(step)] = {"outputs": y.tolist(), "vectors": table.weight.tolist()}
    return figures


def clip_figures(slopes, bound):
    import torch

    by_norm, by_value = torch.zeros(len(slopes)).double(), torch.zeros(len(slopes)).double()
    by_norm.grad, by_value.grad = (torch.tensor(slopes, dtype=torch.float64) for _ in range(2))
    total = torch.nn.utils.clip_grad_norm_([by_norm], bound)
    torch.nn.utils.clip_grad_value_([by_value], bound)
    return {"norm": total.item(), "by_norm": by_norm.grad.tolist(), "by_value": by_value.grad.tolist()}


def main():
    import torch

    figures = {
        "made_with": f"PyTorch {torch.__version__.partition('+')[0]}",
        "losses": [loss_figures(*case) for case in LOSS_CASES],
        "optimizers": [optimizer_figures(*case) for case in OPTIMIZER_CASES],
        "clipping": [clip_figures(*case) for case in CLIP_CASES],
        "schedules": [schedule_figures(*case) for case in SCHEDULE_CASES],
        "layers": [layer_figures(*case) for case in LAYER_CASES],
        "embedding": embedding_figures(),
    }
    FIGURES.write_text(json.dumps(figures, indent=None, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")


if __name__ == "__main__":
    main()
