"""Ways to read a confidence from one ranker's scores, on the same queries.

    python tests/benchmarks/calibrations.py DATASET MODEL [LIMIT]

Each way is fitted on four fifths of the conversations of the dev split and read on the rest, five times. Prints a
table: expected calibration error, what of it a perfect confidence would show by chance, Brier score, and the share of
the queries that could be answered with 5 % of the answers wrong.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import softmax

from index.builder import STATES_BELOW
from training.calibration import careful_coverage, confidence_features, fit_temperature
from training.cases import task_cases
from training.datasets import load_task
from training.logistic import fit_logistic, folds, log_odds, probability
from training.metrics import brier_score, calibration
from training.rankers.base import Ranked
from training.rankers.cross_attention import CrossAttentionRanker
from training.registry import load_model, model_embedder
from training.task_index import TaskIndex

Lists = list[list[Ranked]]
Marks = list[np.ndarray]
Read = Callable[[Lists], np.ndarray]
Fit = Callable[[Lists, Marks], Read]


def temperature_of(lists: Lists, marks: Marks) -> float:
    return fit_temperature([(scores(one), right) for one, right in zip(lists, marks, strict=True)])


def scores(ranked: list[Ranked]) -> np.ndarray:
    return np.array([entry.score for entry in ranked], np.float64)


def weight(lists: Lists, temperature: float) -> np.ndarray:
    return np.array([softmax(scores(one) / temperature).max() for one in lists])


def features(lists: Lists, temperature: float) -> np.ndarray:
    return np.stack([confidence_features(one, temperature) for one in lists])


def as_it_is(lists: Lists, marks: Marks) -> Read:
    return lambda others: weight(others, 1.0)


def by_temperature(lists: Lists, marks: Marks) -> Read:
    temperature = temperature_of(lists, marks)
    return lambda others: weight(others, temperature)


def by_platt(lists: Lists, marks: Marks) -> Read:
    temperature = temperature_of(lists, marks)
    fitted = fit_logistic(log_odds(weight(lists, temperature)), first_is_right(marks))
    return lambda others: probability(log_odds(weight(others, temperature)), *fitted)


def by_three(lists: Lists, marks: Marks) -> Read:
    temperature = temperature_of(lists, marks)
    fitted = fit_logistic(features(lists, temperature), first_is_right(marks))
    return lambda others: probability(features(others, temperature), *fitted)


def isotonic(read: Fit) -> Fit:
    """The same with its confidence bent by a rising step function (Zadrozny and Elkan 2002)."""

    def fit(lists: Lists, marks: Marks) -> Read:
        inner = read(lists, marks)
        found, right = inner(lists), first_is_right(marks)
        order = np.argsort(found, kind="stable")
        steps = isotonic_regression(right[order].astype(np.float64)).x
        return lambda others: np.interp(inner(others), found[order], steps)

    return fit


def first_is_right(marks: Marks) -> np.ndarray:
    return np.array([right[0] for right in marks])


WAYS = {
    "softmax weight": as_it_is,
    "temperature": by_temperature,
    "temperature, isotonic": isotonic(by_temperature),
    "temperature, Platt": by_platt,
    "weight, lead and nearness": by_three,
    "weight, lead and nearness, isotonic": isotonic(by_three),
}


def main(dataset: str, model_path: str, limit: str = "1500") -> None:
    """Prints the table."""
    embedder, _ = model_embedder(Path(model_path))
    model = load_model(Path(model_path), embedder.identity)
    task = load_task(Path(dataset), "dev")
    queries = task.queries[:: max(1, len(task.queries) // int(limit))]
    with tempfile.TemporaryDirectory(prefix="attendant-") as scratch:
        index = TaskIndex(task, embedder, STATES_BELOW, Path(scratch))
        ranker = CrossAttentionRanker(model.reranker, index.states, None, embedder.device)
        cases = [case for case in task_cases(index, embedder, queries, lambda *_: None) if case.candidates]
        lists = [ranker.rank(case.context, case.candidates) for case in cases]
    marks = [
        np.array([entry.candidate.answer_id in case.right for entry in ranked])
        for case, ranked in zip(cases, lists, strict=True)
    ]
    groups = [case.group for case in cases]
    right = first_is_right(marks)
    print(f"{len(cases)} queries, the first answer is right in {right.mean():.3f}")
    print(f"{'':38}{'ECE':>8}{'chance':>8}{'Brier':>8}{'at 5 %':>8}")
    for name, fit in WAYS.items():
        read = np.zeros(len(cases))
        for outside, inside in folds(groups):
            reader = fit([lists[row] for row in outside], [marks[row] for row in outside])
            read[inside] = reader([lists[row] for row in inside])
        found = calibration(read, right)
        row = (found.ece, found.noise, brier_score(read, right), careful_coverage(read, right))
        print(f"{name:38}" + "".join(f"{one:8.4f}" for one in row))


if __name__ == "__main__":
    main(*sys.argv[1:])
