"""The optimisers that native steps are held against, each with other options."""

from nn import SGD, Adagrad, Adam, AdamW, RMSprop

OPTIMIZERS = {
    "SGD": lambda p: SGD(p, lr=0.1),
    "SGD, momentum": lambda p: SGD(p, lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "SGD, Nesterov": lambda p: SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: Adam(p, lr=0.01, weight_decay=0.1),
    "AdamW": lambda p: AdamW(p, lr=0.01),
    "RMSprop": lambda p: RMSprop(p, lr=0.01),
    "RMSprop, centered": lambda p: RMSprop(p, lr=0.01, centered=True, momentum=0.5, weight_decay=0.1),
    "Adagrad": lambda p: Adagrad(p, lr=0.05, lr_decay=0.1, weight_decay=0.01, initial_accumulator_value=0.1),
}
