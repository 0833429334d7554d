"""How much each of retrieval's signals is worth on the logs at hand, and how much what the reranker already knows.

What the signals are worth differs between encoders and logs: a tuned encoder's cosine says more than a frozen one's,
and in a log of short forms the votes of like dialogues say more than words. So does what a reranker learned on
another desk. A listwise softmax over the candidates with a weight for each of the six signals and one for the trained
part is convex and fitted in seconds, from a few hundred examples; training then starts from the best that is known.
A desk that trains no model of its own has the base model's fitted in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from index.encoder_loading import default_device
from training.batching import stacked
from training.examples import Example, evenly
from training.losses import listwise_softmax
from training.rankers.base import Ranked
from training.reranker import SIGNAL_SCALE, Reranker
from training.reranker_training import scores_of
from training.trust import Trust, parts_of

Floats = npt.NDArray[np.float32]
PRIOR = 1e-4
"""Pull towards the weights before, per squared logit: for logs too short to say otherwise."""
STEPS = 50
MOST_FITTED = 1000
"""Examples that a trained reranker is asked about at most, evenly from all: seven numbers need no more."""


def fit_signal_weights(reranker: Reranker, examples: Sequence[Example]) -> None:
    """Fits the reranker's signal weights, and the trust in its trained part, in place; none becomes negative.

    Args:
        reranker: float32; untrained, its score is the retrieval score alone, and that is fitted.
        examples: with at least one right candidate each.
    """
    learned: list[Floats] | None = None
    if not reranker.is_untrained:
        examples = evenly(examples, MOST_FITTED)
        weights = reranker.signal_weights.detach().cpu().numpy()
        reranker.to(default_device()).eval()
        learned = [scores_of(reranker, example) - example.signals @ weights for example in examples]
    signals, right = [example.signals for example in examples], [example.right for example in examples]
    _fitted(reranker, signals, right, learned).give_to(reranker)


def fit_trust(reranker: Reranker, rankings: Sequence[Sequence[Ranked]], right_ids: Sequence[frozenset[int]]) -> Trust:
    """What the parts of a trained reranker's score should count where it ranked these lists.

    Args:
        reranker: that ranked them.
        rankings: one list per case.
        right_ids: per case the answer ids that count as right; where none is listed the case teaches nothing.
    """
    signals, learned, marks = [], [], []
    for ranked, right in zip(rankings, right_ids, strict=True):
        is_right = np.array([entry.candidate.answer_id in right for entry in ranked], bool)
        if is_right.any() and not is_right.all():
            own_signals, own_learned = parts_of(reranker, ranked)
            signals.append(own_signals)
            learned.append(own_learned)
            marks.append(is_right)
    if not signals:
        return Trust(tuple(reranker.signal_weights.tolist()))
    return _fitted(reranker, signals, marks, learned)


def _fitted(
    reranker: Reranker,
    signals: Sequence[Floats],
    right: Sequence[npt.NDArray[np.bool_]],
    learned: Sequence[Floats] | None,
) -> Trust:
    """The weights under which the right candidates get the most likelihood.

    Args:
        reranker: whose weights they begin with.
        signals: per list (candidates, signals).
        right: per list (candidates,).
        learned: per list (candidates,) what its trained part adds; None where there is none.
    """
    start = reranker.signal_weights.detach().cpu().double()
    of_each = [torch.from_numpy(own).double() for own in signals]
    if learned is not None:
        start = torch.cat([start, torch.tensor([SIGNAL_SCALE], dtype=torch.double)])
        added = [torch.from_numpy(own / SIGNAL_SCALE).double()[:, None] for own in learned]
        of_each = [torch.cat(both, dim=1) for both in zip(of_each, added, strict=True)]
    features, real = stacked(of_each)
    is_right = stacked([torch.from_numpy(own) for own in right])[0]
    weights = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        scores = (features @ weights.clamp(min=0.0)).masked_fill(~real, -torch.inf)
        loss = listwise_softmax(scores, is_right).mean() + PRIOR * (weights - start).square().sum()
        loss.backward()
        return float(loss.detach())

    optimizer.step(closure)
    fitted = weights.detach().clamp(min=0.0).tolist()
    if learned is None:
        return Trust(tuple(fitted))
    return Trust(tuple(fitted[:-1]), fitted[-1] / SIGNAL_SCALE)
