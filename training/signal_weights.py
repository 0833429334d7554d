"""How much each of retrieval's signals is worth on the logs at hand, and how much what the reranker already knows.

What the signals are worth differs between encoders and logs: a tuned encoder's cosine says more than a frozen one's,
and in a log of short forms the votes of like dialogues say more than words. So does what a reranker learned on
another desk. A listwise softmax over the candidates with a weight for each of the six signals and one for the trained
part is convex and fitted in seconds, from a few hundred examples; training then starts from the best that is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from index.encoder_loading import default_device
from training.batching import stacked
from training.examples import Example
from training.losses import listwise_softmax
from training.reranker import SIGNAL_SCALE, Reranker
from training.reranker_training import scores_of

Floats = npt.NDArray[np.float32]
PRIOR = 1e-4
"""Pull towards the weights before, per squared logit: for logs too short to say otherwise."""
STEPS = 50
MOST_FITTED = 1000
"""Examples that a trained reranker is asked about, evenly from all: seven numbers need no more."""


def fit_signal_weights(reranker: Reranker, examples: Sequence[Example]) -> None:
    """Fits the reranker's signal weights, and the trust in its trained part, in place; none becomes negative.

    Args:
        reranker: float32; untrained, its score is the retrieval score alone, and that is fitted.
        examples: with at least one right candidate each.
    """
    start = reranker.signal_weights.detach().cpu().double()
    trained = not reranker.is_untrained
    if trained:
        examples = examples[:: max(1, len(examples) // MOST_FITTED)]
        start = torch.cat([start, torch.tensor([SIGNAL_SCALE], dtype=torch.double)])
    features, right, real = _features(examples, _trained_part(reranker, examples) if trained else None)
    weights = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        scores = (features @ weights.clamp(min=0.0)).masked_fill(~real, -torch.inf)
        loss = listwise_softmax(scores, right).mean() + PRIOR * (weights - start).square().sum()
        loss.backward()
        return float(loss.detach())

    optimizer.step(closure)
    fitted = weights.detach().clamp(min=0.0)
    with torch.no_grad():
        count = len(reranker.signal_weights)
        reranker.signal_weights.copy_(fitted[:count])
        if trained:
            for learned in (reranker.score_out.weight, reranker.score_out.bias, reranker.part_weights):
                learned.mul_(float(fitted[count]) / SIGNAL_SCALE)


def _trained_part(reranker: Reranker, examples: Sequence[Example]) -> list[Floats]:
    """Per example what the score is beyond the signals, in their scale: (candidates,)."""
    weights = reranker.signal_weights.detach().cpu().numpy()
    reranker.to(default_device()).eval()
    return [(scores_of(reranker, example) - example.signals @ weights) / SIGNAL_SCALE for example in examples]


def _features(examples: Sequence[Example], trained_part: Sequence[Floats] | None) -> tuple[Tensor, Tensor, Tensor]:
    """Features (examples, candidates, features), which candidates are right, and which are there at all."""
    of_each = [torch.from_numpy(example.signals).double() for example in examples]
    if trained_part is not None:
        parts = [torch.from_numpy(part).double()[:, None] for part in trained_part]
        of_each = [torch.cat(both, dim=1) for both in zip(of_each, parts, strict=True)]
    features, real = stacked(of_each)
    return features, stacked([torch.from_numpy(example.right) for example in examples])[0], real
