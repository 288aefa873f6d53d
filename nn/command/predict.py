"""What does a trained model say? `python -m nn predict`: a table for the rows of a file, or a few images."""

import argparse
import csv
import io

from autograd import softmax
from autograd.terminal import say, write
from nn.command.data import split_of
from nn.command.results import some_images
from nn.command.trained import open_checkpoint
from nn.datasets import load_digits, read_csv
from nn.metrics import largest
from nn.training.predict import predict


def predict_rows(options: argparse.Namespace) -> None:
    """`python -m nn predict`: a CSV table of predictions, or a few images."""
    model, known = open_checkpoint(options.checkpoint)
    if options.file is None:
        if known["data"] is not None:
            raise ValueError(f"predict needs a CSV file with the columns {', '.join(known['feature_names'])}")
        test = split_of(load_digits(), known["seed"]).test
        say(some_images(test.X, test.y, predict(model, test.X), known["target_names"]))
        return
    rows = read_csv(options.file, features=known["feature_names"]).X
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    names = known["target_names"]
    if known["classification"]:
        writer.writerow([known["target"] or "digit", "probability"])
        for outputs in predict(model, rows):
            probabilities = softmax(outputs)
            best = largest(probabilities)
            writer.writerow([names[best], f"{probabilities[best]:.4f}"])
    else:
        writer.writerow([known["target"]])
        writer.writerows([f"{output:.6g}"] for output in predict(model, rows))
    write(table.getvalue().rstrip("\n"))
