"""From scores to a confidence that means something, and from confidence to a decision.

The confidence of the best candidate is a logistic function of three things: the log-odds of its softmax weight at a
fitted temperature (Guo et al. 2017, "On Calibration of Modern Neural Networks"), its lead over the second, and how
near the dialogue is to anything known (the largest cosine). The third lets it say "never seen anything like it",
which the softmax, relative to its own list, cannot (Platt 1999 for the logistic step). All of it is fitted on
held-out conversations and stored with the model; nothing is pinned in code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from index.candidates import SIGNALS
from training.logistic import FOLDS, Expected, cross_validated, fit_logistic, log_odds, probability
from training.metrics import ends_of_ties, expected_calibration_error
from training.rankers.base import Ranked

Floats = npt.NDArray[np.floating]

FEATURES = ("log-odds of the weight", "lead over the second", "nearness")
_NEARNESS = tuple(SIGNALS.index(name) for name in ("answer", "question", "dialogue"))
RISKS = (0.2, 0.35, 0.5)
"""Risks tried in turn where the wished one cannot be kept."""
CAREFUL_RISK = 0.05
NEARLY_AS_IT_IS = Expected(coefficient=1.0, cases=16.0)
"""Of the slope by which a confidence is read anew: a hundred turns tell little about it, and it was fitted before."""
MORE_LIKELY_RIGHT = 0.5
"""The threshold where none of them can."""
NEVER = 1.1
"""A threshold that no confidence reaches."""
FEW = 10
"""With fewer candidates than this, the best one's weight proves nothing: it has too few to win against."""
LEAST_CASES = 30
"""Fewer held-out cases than this cannot calibrate anything."""


class Scale(NamedTuple):
    """A confidence read anew: its log-odds times a slope, plus a shift (Platt 1999)."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, confidence: Floats) -> Floats:
        """Confidence as it is to be read; what is not a number stays so."""
        if self == AS_IT_IS:
            return confidence
        return probability(log_odds(confidence), np.array([self.slope]), self.shift)

    def then(self, other: Scale) -> Scale:
        """This scale with another one after it.

        >>> Scale(2.0, 1.0).then(Scale(0.5, -1.0))
        Scale(slope=1.0, shift=-0.5)
        """
        return Scale(other.slope * self.slope, other.slope * self.shift + other.shift)

    def back(self) -> Scale:
        """The scale that undoes this one.

        >>> Scale(2.0, 1.0).then(Scale(2.0, 1.0).back())
        Scale(slope=1.0, shift=0.0)
        """
        return Scale(1.0 / self.slope, -self.shift / self.slope)


AS_IT_IS = Scale()


@dataclass(frozen=True)
class Decision:
    """Turns a ranked list into confidence and decision; stored with the model."""

    temperature: float = 1.0
    coefficients: tuple[float, ...] = (1.0, 0.0, 0.0)
    """One per `FEATURES`."""
    intercept: float = -1.0
    threshold: float = 0.5
    """Answer at or above this confidence."""
    risk: float = 0.2
    """The share of wrong answers among those given that the threshold was chosen for.

    The wished one, or the least of `RISKS` that a threshold could keep on the held-out cases; 1 where none could.
    """
    cases: int = 0
    """Held-out cases it was fitted on; 0 for a guess."""
    ece: float = 0.0
    """Expected calibration error on held-out cases, cross-validated."""
    careful_coverage: float = 0.0
    """Share of the held-out cases that are answered where only `CAREFUL_RISK` of the answers may be wrong."""
    scale: Scale = AS_IT_IS
    """How the confidence is read anew on logs that differ from the held-out cases; after all else."""
    ask_threshold: float | None = None
    """Below `threshold`, ask which of two close answers is meant at or above this confidence in the two, and hand
    over else; None for `threshold` itself."""

    def reading(self) -> dict[str, Any]:
        """How confidence is read from ranked lists, as plain values for `read_as`."""
        return {
            "temperature": self.temperature,
            "coefficients": list(self.coefficients),
            "intercept": self.intercept,
            "scale": list(self.scale),
        }

    def read_as(self, reading: dict[str, Any], scale: Scale) -> Decision:
        """The same with confidence read in another way and on another scale; thresholds stay the numbers they are.

        Args:
            reading: as of `reading`; older ones have no scale.
            scale: to be read on after that.
        """
        return replace(
            self,
            temperature=reading["temperature"],
            coefficients=tuple(reading["coefficients"]),
            intercept=reading["intercept"],
            scale=Scale(*reading.get("scale", ())).then(scale),
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Decision:
        """A decision as it was stored by `dataclasses.asdict`."""
        kept = {**values, "coefficients": tuple(values["coefficients"])}
        return cls(**kept | {"scale": Scale(*values.get("scale", ()))})

    @property
    def asking_from(self) -> float:
        """The confidence in two answers from which on it is asked which of them is meant."""
        return self.threshold if self.ask_threshold is None else self.ask_threshold

    def confidence(self, ranked: Sequence[Ranked]) -> float:
        """How likely the best candidate is right, 0 to 1."""
        if not ranked:
            return 0.0
        features = confidence_features(ranked, self.temperature)
        confidence = float(probability(features, np.array(self.coefficients), self.intercept))
        if len(ranked) < FEW:
            confidence = min(confidence, max(nearness(ranked[0]), 0.0))
        return float(self.scale(np.array(confidence)))

    def confidence_in_two(self, ranked: Sequence[Ranked]) -> float:
        """How likely one of the two best candidates is right: the confidence if they were one answer.

        Fitted for one answer, it holds for two: of 600 turns of STAR's dev log 61, 71, 80, 82 and 98 % were right
        where it said .5, .6, .7, .8 and .9 or somewhat more.
        """
        if len(ranked) < 2:
            return self.confidence(ranked)
        first, second, *others = ranked
        both = Ranked(first.candidate, float(np.logaddexp(first.score, second.score)), first.weight + second.weight)
        return max(self.confidence([both, *others]), self.confidence(ranked))


def nearness(entry: Ranked) -> float:
    """The largest cosine between the dialogue and what is known of a candidate."""
    return max(entry.candidate.signals[column] for column in _NEARNESS)


def confidence_features(ranked: Sequence[Ranked], temperature: float) -> Floats:
    """The numbers that confidence is read from, one per `FEATURES`."""
    scores = np.array([entry.score for entry in ranked], dtype=np.float64) / temperature
    weights = np.exp(scores - scores.max())
    weights = np.clip(weights / weights.sum(), 1e-6, 1 - 1e-6)
    lead = scores[0] - scores[1] if len(scores) > 1 else 10.0
    return np.array([np.log(weights[0] / (1.0 - weights[0])), min(lead, 10.0), 10.0 * nearness(ranked[0])])


def fit_temperature(lists: Sequence[tuple[Floats, npt.NDArray[np.bool_]]]) -> float:
    """The temperature at which the softmax gives right answers the most likelihood, over (scores, right) lists."""
    usable = [(scores, right) for scores, right in lists if right.any() and not right.all()]
    if not usable:
        return 1.0
    grid = np.exp(np.linspace(np.log(0.25), np.log(8.0), 60))
    losses = []
    for temperature in grid:
        total = 0.0
        for scores, right in usable:
            scaled = np.asarray(scores, np.float64) / temperature
            top = scaled.max()
            total += np.log(np.exp(scaled - top).sum()) - np.log(np.exp(scaled[right] - top).sum() + 1e-300)
        losses.append(total)
    return float(grid[int(np.argmin(losses))])


def fit_decision(
    ranked_lists: Sequence[Sequence[Ranked]],
    right_ids: Sequence[frozenset[int]],
    groups: Sequence[str],
    risk: float = 0.2,
) -> Decision:
    """Fits temperature, logistic step and threshold on held-out cases.

    Args:
        ranked_lists: one list per case, best first.
        right_ids: per case the answer ids that count as right; may be empty.
        groups: per case its conversation; cross-validation never splits one.
        risk: share of wrong answers among those given that the threshold may let through.

    Returns:
        A guess where the cases or their conversations are too few.
    """
    cases = [row for row, ranked in enumerate(ranked_lists) if ranked]
    if _are_too_few([groups[row] for row in cases]):
        return Decision(risk=risk)
    lists = [
        (
            np.array([entry.score for entry in ranked_lists[row]]),
            np.array([entry.candidate.answer_id in right_ids[row] for entry in ranked_lists[row]]),
        )
        for row in cases
    ]
    temperature = fit_temperature(lists)
    features = np.stack([confidence_features(ranked_lists[row], temperature) for row in cases])
    right = np.array([answers[0] for _, answers in lists])
    honest = cross_validated(features, right, [groups[row] for row in cases])
    coefficients, intercept = fit_logistic(features, right)
    tried = [
        (one, threshold_for_risk(honest, right, one)) for one in (risk, *(more for more in RISKS if more > risk))
    ]
    kept = [(one, threshold) for one, threshold in tried if threshold is not None]
    kept_risk, threshold = kept[0] if kept else (1.0, MORE_LIKELY_RIGHT)
    return Decision(
        temperature=temperature,
        coefficients=tuple(float(value) for value in coefficients),
        intercept=float(intercept),
        threshold=threshold,
        risk=kept_risk,
        cases=len(cases),
        ece=expected_calibration_error(honest, right),
        careful_coverage=careful_coverage(honest, right),
    )


def fit_scale(confidence: Floats, right: npt.NDArray[np.bool_], groups: Sequence[str]) -> tuple[Scale, Floats]:
    """How a confidence is to be read on other cases than it was fitted on.

    Args:
        confidence: (cases,)
        right: (cases,)
        groups: per case its conversation; cross-validation never splits one.

    Returns:
        The scale, and (cases,) the confidence as scales fitted on the other cases read it. Where that is no better
        (Brier score), or there are too few cases or conversations to tell, the scale changes nothing.
    """
    if _are_too_few(groups):
        return AS_IT_IS, confidence
    features = log_odds(confidence)
    honest = cross_validated(features, right, groups, NEARLY_AS_IT_IS)
    if ((honest - right) ** 2).mean() >= ((confidence - right) ** 2).mean():
        return AS_IT_IS, confidence
    (slope,), shift = fit_logistic(features, right, NEARLY_AS_IT_IS)
    return Scale(float(slope), shift), honest


def threshold_for_risk(confidence: Floats, right: npt.NDArray[np.bool_], risk: float) -> float | None:
    """The lowest threshold at which at most this share of the answers given is wrong; None where there is none.

    Cases of one confidence are answered together.

    >>> threshold_for_risk(np.array([0.9, 0.8, 0.3]), np.array([True, True, False]), 0.1)
    0.8
    """
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    # A few lucky cases at the very top prove nothing: the stretch must hold at least ten, or all there are.
    enough = np.arange(1, len(order) + 1) >= min(10, len(order) - 1)
    allowed = np.flatnonzero((wrong <= risk) & enough & ends_of_ties(confidence[order]))
    return float(confidence[order[allowed[-1]]]) if len(allowed) else None


def careful_coverage(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Share of the cases above the threshold at which `CAREFUL_RISK` of the answers given are wrong.

    >>> careful_coverage(np.array([0.9, 0.8, 0.3, 0.2]), np.array([True, True, True, False]))
    0.75
    """
    threshold = threshold_for_risk(confidence, right, CAREFUL_RISK)
    return float((confidence >= threshold).mean()) if threshold is not None else 0.0


def _are_too_few(groups: Sequence[str]) -> bool:
    """Whether nothing can be fitted on cases from these conversations and tried on others."""
    return len(groups) < LEAST_CASES or len(set(groups)) < FOLDS
