"""Tables as people have them, made: text, gaps, dates, truth values, and a target that depends on some of them.

Each maker takes a seed and gives the header and the rows, cells as a CSV file has them. NumPy makes the random numbers;
the larger makers can be asked for fewer rows.
"""

import csv
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

Rows = tuple[list[str], list[list[Any]]]
"""A header, and the rows below it."""


def write(rows: Rows, path: str | os.PathLike[str]) -> None:
    """Writes a table as a CSV file."""
    header, lines = rows
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *lines])


def with_gaps(rng: np.random.Generator, cells: Any, share: float, word: Any = "") -> list[Any]:
    """The cells, of which a share is empty."""
    return [word if gap else cell for cell, gap in zip(cells, rng.random(len(cells)) < share, strict=True)]


def chosen(rng: np.random.Generator, chances: Any) -> Any:
    """True as often as each chance says."""
    return rng.random(len(chances)) < 1.0 / (1.0 + np.exp(-np.asarray(chances)))


def passengers(seed: int = 0, n: int = 891) -> Rows:
    """Like the Titanic's: names and tickets that are all different, cabins that mostly lack, ages that partly do."""
    rng = np.random.default_rng(seed)
    place = rng.choice([1, 2, 3], n, p=[0.24, 0.21, 0.55])
    female = rng.random(n) < 0.35
    age = np.clip(rng.normal(30, 14, n), 0.5, 80).round(1)
    family = rng.poisson(0.9, n)
    fare = np.exp(rng.normal(4.6 - 0.9 * place, 0.5)).round(2)
    port = rng.choice(["Southampton", "Cherbourg", "Queenstown"], n, p=[0.72, 0.19, 0.09])
    child = age < 12
    survived = chosen(rng, 2.6 * female - 1.1 * (place - 2) + 1.8 * child - 0.3 * family - 0.9)
    names = [f"{('Mr', 'Mrs')[f]}. Passenger {i} of {seed}" for i, f in enumerate(female.astype(int))]
    cells = [
        range(1, n + 1), survived.astype(int), place, names, np.where(female, "female", "male"),
        with_gaps(rng, age.tolist(), 0.2), family, [f"A/{x}" for x in rng.integers(1000, 9999, n)], fare,
        with_gaps(rng, [f"{'ABCDEF'[p]}{x}" for p, x in zip(place, rng.integers(1, 150, n), strict=True)], 0.77),
        with_gaps(rng, port.tolist(), 0.01), np.where(family == 0, "yes", "no"),
    ]  # fmt: skip
    header = [
        "passenger",
        "survived",
        "class",
        "name",
        "sex",
        "age",
        "family",
        "ticket",
        "fare",
        "cabin",
        "embarked",
        "alone",
    ]
    return header, [list(row) for row in zip(*cells, strict=True)]


def mushrooms(seed: int = 0, n: int = 8124) -> Rows:
    """Like the UCI's: letters in every column, a question mark for a gap, and a class that some of the letters tell."""
    rng = np.random.default_rng(seed)
    widths = [6, 4, 10, 2, 9, 2, 2, 2, 12, 2, 5, 4, 4, 9, 9, 1, 4, 3, 5, 9, 6, 7]
    columns = [rng.choice(list("abcdefghijkl")[:width], n) for width in widths]
    odour, spores, habitat = columns[4], columns[19], columns[21]
    poisonous = np.isin(odour, list("cde")) | (np.isin(spores, list("ab")) & np.isin(habitat, list("abc")))
    poisonous ^= rng.random(n) < 0.01
    columns[10] = with_gaps(rng, columns[10], 0.3, "?")
    cells = [np.where(poisonous, "poisonous", "edible"), *columns]
    return ["class", *(f"trait {k + 1}" for k in range(22))], [list(row) for row in zip(*cells, strict=True)]


def houses(seed: int = 0, n: int = 20_640) -> Rows:
    """Like California's: places, incomes and rooms, all of them numbers, and prices that depend on them with bends."""
    rng = np.random.default_rng(seed)
    latitude, longitude = rng.uniform(32.5, 42, n), rng.uniform(-124.3, -114.3, n)
    income, age = np.exp(rng.normal(1.2, 0.45, n)), rng.integers(1, 52, n)
    rooms, people = np.exp(rng.normal(1.6, 0.25, n)), np.exp(rng.normal(1.0, 0.3, n))
    coast = np.exp(-(((latitude - 34) + 0.8 * (longitude + 118.5)) ** 2) / 4)
    price = 40_000 * income + 120_000 * coast + 900 * age + 25_000 * np.sin(rooms) - 15_000 * np.log(people)
    price = np.minimum(price + rng.normal(0, 25_000, n), 500_000).round(-2)
    cells = [longitude.round(2), latitude.round(2), age, rooms.round(3), people.round(3), income.round(4), price]
    header = ["longitude", "latitude", "age", "rooms", "people", "income", "price"]
    return header, [list(row) for row in zip(*(cell.tolist() for cell in cells), strict=True)]


def rentals(seed: int = 0, n: int = 2000) -> Rows:
    """Bicycles rented, day by day: a date with its season and its weekday, the weather with gaps, and a holiday."""
    rng = np.random.default_rng(seed)
    days = [date(2019, 1, 1) + timedelta(days=k) for k in range(n)]
    season = np.array([np.sin(2 * np.pi * (day.timetuple().tm_yday - 100) / 365) for day in days])
    weekend = np.array([day.weekday() >= 5 for day in days])
    sky = rng.choice(["clear", "clouds", "rain"], n, p=[0.5, 0.35, 0.15])
    warmth, holiday = 12 + 10 * season + rng.normal(0, 3, n), rng.random(n) < 0.04
    count = 900 + 60 * warmth + 0.3 * np.arange(n) - 420 * weekend - 700 * (sky == "rain") - 300 * holiday
    count = np.maximum(count + rng.normal(0, 120, n), 0).astype(int)
    cells = [
        [day.isoformat() for day in days], with_gaps(rng, sky, 0.03), with_gaps(rng, warmth.round(1).tolist(), 0.05),
        np.where(holiday, "true", "false"), count,
    ]  # fmt: skip
    return ["date", "sky", "temperature", "holiday", "count"], [list(row) for row in zip(*cells, strict=True)]


def large(seed: int = 0, n: int = 100_000) -> Rows:
    """100,000 rows of 20 columns: 12 of numbers, 5 of text, a date and a truth value, and one of two classes."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(12, n)).round(4)
    letters = rng.choice(list("abcdefgh"), (5, n))
    days = rng.integers(0, 1500, n)
    known = rng.random(n) < 0.5
    yes = chosen(rng, 2 * numbers[0] - numbers[1] * numbers[2] + 2 * (letters[0] < "d") + known - days / 1500)
    some = [with_gaps(rng, row.tolist(), 0.1 * (k % 4 == 0)) for k, row in enumerate(numbers)]
    dates = [(date(2020, 1, 1) + timedelta(days=int(day))).isoformat() for day in days]
    cells = [*some, *letters, dates, np.where(known, "true", "false"), np.where(yes, "yes", "no")]
    header = [*(f"number {k}" for k in range(12)), *(f"text {k}" for k in range(5)), "date", "known", "answer"]
    return header, [list(row) for row in zip(*cells, strict=True)]


MADE: dict[str, tuple[Callable[..., Rows], str]] = {
    "passengers": (passengers, "survived"),
    "mushrooms": (mushrooms, "class"),
    "houses": (houses, "price"),
    "rentals": (rentals, "count"),
}
"""The makers, and the column to predict."""
