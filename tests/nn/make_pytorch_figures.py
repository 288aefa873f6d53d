"""Where do the figures in pytorch_figures.json come from? From PyTorch, in float64, with this script.

`python tests/nn/make_pytorch_figures.py` writes them again (with `torch` installed, which the tests do not need).
`test_losses.py` and `test_optim.py` read them, and take the cases and the made-up gradients from here.
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
]
STEPS = 100
SHOWN = (1, 2, 3, 10, 100)  # the steps after which the weights are kept
START = [1.0, -2.0, 3.0]
CLIP_CASES = [([3.0, -4.0, 0.0], 1.0), ([3.0, -4.0, 0.0], 10.0), ([0.0, 0.0], 1.0), ([1e-3, 1e3], 5.0)]


def gradients(step, weights):
    """Gradients of a bowl around (1.5, -2.5, 3.5), which shakes a little from step to step; the last rests for a while.

    The minimum is away from 0, so that a relative bound means something."""
    slopes = [w - minimum for w, minimum in zip(weights, (1.5, -2.5, 3.5), strict=True)]
    shaken = [(i + 1) * slope + 0.3 * math.cos(step * (i + 1)) for i, slope in enumerate(slopes)]
    return [*shaken[:2], 0.0 if step < 5 else shaken[2]]


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
    }
    FIGURES.write_text(json.dumps(figures, indent=None, separators=(",", ":")).replace('},{"', '},\n{"') + "\n")


if __name__ == "__main__":
    main()
