"""How much each of retrieval's signals is worth on the logs at hand, for the reranker to start from.

What the signals are worth differs between encoders and logs: a tuned encoder's cosine says more than a frozen one's,
and in a log of short forms the votes of like dialogues say more than words. A listwise softmax over the candidates
with six weights is convex and fitted in a second; the reranker is then a residual on the best that retrieval can do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.examples import Example
from training.losses import listwise_softmax
from training.reranker import Reranker

PRIOR = 1e-4
"""Pull towards the weights before, per squared logit: for logs too short to say otherwise."""
STEPS = 50


def fit_signal_weights(reranker: Reranker, examples: Sequence[Example]) -> None:
    """Fits the reranker's signal weights in place; none becomes negative.

    Args:
        reranker: untrained, so that its score is the retrieval score alone.
        examples: with at least one right candidate each.
    """
    signals, right, real = _padded(examples)
    start = reranker.signal_weights.detach().cpu().double()
    weights = start.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        scores = (signals @ weights.clamp(min=0.0)).masked_fill(~real, -torch.inf)
        loss = listwise_softmax(scores, right).mean() + PRIOR * (weights - start).square().sum()
        loss.backward()
        return float(loss.detach())

    optimizer.step(closure)
    with torch.no_grad():
        reranker.signal_weights.copy_(weights.clamp(min=0.0))


def _padded(examples: Sequence[Example]) -> tuple[Tensor, Tensor, Tensor]:
    """Signals (examples, candidates, signals), which candidates are right, and which are there at all."""
    width = max(len(example.right) for example in examples)
    signals = np.zeros((len(examples), width, examples[0].signals.shape[1]))
    right, real = np.zeros((2, len(examples), width), dtype=bool)
    for row, example in enumerate(examples):
        signals[row, : len(example.right)] = example.signals
        right[row, : len(example.right)] = example.right
        real[row, : len(example.right)] = True
    return torch.from_numpy(signals), torch.from_numpy(right), torch.from_numpy(real)
