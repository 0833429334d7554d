"""Which examples go into a step together, and how they are laid side by side."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

TOPICS = 4
"""Topics that the dialogues of a batch of few topics come from."""
SPAN = 16
"""Batches over which examples are sorted by length: enough to save padding, few enough to stay mixed."""


def batches_of_like_length(order: Sequence[int], lengths: Sequence[int], size: int) -> list[list[int]]:
    """Rows in batches, each of similar length so that little is spent on padding.

    Args:
        order: rows, shuffled.
        lengths: of every row.
        size: rows of a batch; the last one may have fewer.

    >>> batches_of_like_length([3, 0, 2, 1], [9, 1, 8, 2], 2)
    [[1, 3], [2, 0]]
    """
    batches = []
    for begin in range(0, len(order), SPAN * size):
        span = sorted(order[begin : begin + SPAN * size], key=lambda row: lengths[row])
        batches += [span[i : i + size] for i in range(0, len(span), size)]
    return batches


def batches_of_few_topics(vectors: npt.NDArray[np.float32], size: int, generator: random.Random) -> list[list[int]]:
    """All rows in batches, shuffled, each batch of `TOPICS` groups of neighbours.

    Args:
        vectors: (rows, dimension), each of length 1.
        size: rows of a batch.
        generator: decides the topics anew in every epoch.
    """
    group = max(size // TOPICS, 1)
    centres = vectors[generator.sample(range(len(vectors)), max(len(vectors) // (4 * group), 1))]
    topic = (vectors @ centres.T).argmax(axis=1)
    order = list(range(len(vectors)))
    generator.shuffle(order)
    order.sort(key=lambda row: int(topic[row]))
    groups = [order[i : i + group] for i in range(0, len(order), group)]
    generator.shuffle(groups)
    mixed = [row for rows in groups for row in rows]
    return [mixed[i : i + size] for i in range(0, len(mixed), size)]


def stacked(parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Tensors of different lengths as one, zeros at their ends, and the mask of what is real: (parts, longest).

    Args:
        parts: each (length, ...), alike but for the length.

    >>> stacked([torch.tensor([1, 2]), torch.tensor([3])])
    (tensor([[1, 2],
            [3, 0]]), tensor([[ True,  True],
            [ True, False]]))
    """
    together = nn.utils.rnn.pad_sequence(list(parts), batch_first=True)
    lengths = torch.tensor([len(part) for part in parts])
    return together, torch.arange(together.shape[1])[None] < lengths[:, None]


def step_generator() -> random.Random:
    """Draws the same in this step of a run that was resumed: seeded by torch's generator, which the loop seeds."""
    return random.Random(int(torch.randint(1 << 30, ()).item()))
