"""Logistic regression of a right-or-wrong outcome on a few features, and what it says of cases it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit

Floats = npt.NDArray[np.floating]
Rows = npt.NDArray[np.int64]

FOLDS = 5
"""Parts of the cross-validation; fewer conversations than this cannot calibrate anything."""
LEAST_SPREAD = 1e-3
"""A feature whose standard deviation is smaller tells no case from another."""


@dataclass(frozen=True)
class Expected:
    """What a coefficient is taken to be before any case was seen: the fewer cases, the nearer it stays to that."""

    coefficient: float = 0.0
    cases: float = 1.0
    """How firmly: as the inverse variance of a normal prior of the coefficient of a standardised feature."""


def fit_logistic(
    features: Floats, right: npt.NDArray[np.bool_], expected: Expected = Expected()
) -> tuple[Floats, float]:
    """Fits with a little shrinkage, by L-BFGS; features are standardised inside.

    Args:
        features: (cases, features)
        right: (cases,)
        expected: what the coefficients are drawn to.

    Returns:
        (features,) coefficients, none of them negative, and the intercept.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    # What does not vary where it is fitted gets no coefficient: any slope would fit, and it may vary elsewhere.
    factor = np.where(spread < LEAST_SPREAD, 0.0, 1.0 / np.maximum(spread, LEAST_SPREAD))
    inputs = torch.tensor((features - mean) * factor, dtype=torch.float64)
    target = torch.tensor(right, dtype=torch.float64)
    prior = torch.tensor(expected.coefficient * spread, dtype=torch.float64)
    # No coefficient may be negative: more weight, lead or nearness never makes an answer less credible.
    parameters = torch.full((inputs.shape[1] + 1,), -1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameters], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        slopes = torch.nn.functional.softplus(parameters[:-1])
        logits = inputs @ slopes + parameters[-1]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
        loss = loss + 0.5 * expected.cases / len(target) * (slopes - prior).square().sum()
        loss.backward()
        return float(loss.detach())

    optimizer.step(closure)
    slopes = torch.nn.functional.softplus(parameters[:-1]).detach().numpy()
    coefficients = slopes * factor
    return coefficients, float(parameters[-1].detach()) - float((coefficients * mean).sum())


def folds(groups: Sequence[str]) -> Iterator[tuple[Rows, Rows]]:
    """The rows outside and inside of each of `FOLDS` parts; all cases of one conversation are in one part.

    >>> [inside.tolist() for _, inside in folds(["b", "a", "b"])]
    [[1], [0, 2], [], [], []]
    """
    part_of = {group: place % FOLDS for place, group in enumerate(sorted(set(groups)))}
    parts = np.array([part_of[group] for group in groups], np.int64)
    for part in range(FOLDS):
        yield np.flatnonzero(parts != part), np.flatnonzero(parts == part)


def cross_validated(
    features: Floats, right: npt.NDArray[np.bool_], groups: Sequence[str], expected: Expected = Expected()
) -> Floats:
    """The probability of each case by a fit on other conversations.

    Args:
        features: (cases, features)
        right: (cases,)
        groups: per case its conversation; there are at least `FOLDS`.
        expected: as for `fit_logistic`.

    Returns:
        (cases,)
    """
    found = np.zeros(len(features))
    for outside, inside in folds(groups):
        found[inside] = probability(features[inside], *fit_logistic(features[outside], right[outside], expected))
    return found


def probability(features: Floats, coefficients: Floats, intercept: float) -> Floats:
    """Of each case, (cases,), by what `fit_logistic` found."""
    return np.asarray(expit(features @ coefficients + intercept))


def log_odds(confidence: Floats) -> Floats:
    """(cases,) probabilities as (cases, 1) features; one by itself as (1,)."""
    inside = np.clip(np.asarray(confidence, np.float64), 1e-6, 1.0 - 1e-6)
    return np.asarray(np.log(inside / (1.0 - inside)))[..., None]
