"""Fine-tuning the sentence encoder on a desk's own pairs, with the other answers of the batch as negatives.

Henderson et al. 2017, "Efficient Natural Language Response Suggestion for Smart Reply": each dialogue is drawn to its
own answer and pushed from the answers of the other dialogues in the batch. An answer that is right for a dialogue is
never its negative, however often it occurs in the batch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from index.embedder import Embedder, Tokens
from training.datasets import Query
from training.loop import LoopSettings, Progress, train_loop

SCALE = 20.0
"""Inverse temperature of the cosines, the usual value for sentence encoders."""


def fine_tune_encoder(
    embedder: Embedder,
    queries: Sequence[Query],
    answers: Sequence[str],
    settings: LoopSettings,
    batch_size: int = 64,
    checkpoint: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Trains the embedder's encoder in place, in float32 with bf16 arithmetic where the device has it.

    Call `Embedder.serve` afterwards.

    Args:
        embedder: its precision must be float32.
        queries: dialogues with their right answers; those without one are left out.
        answers: all answers; `Query.right` counts their rows.
        settings: epochs, learning rate, seed.
        batch_size: dialogues a step; more is harder and better.
        checkpoint: directory for resuming after a kill.
        on_progress: called after every step.
    """
    answered = [query for query in queries if query.right]
    dialogues = embedder.tokenize_dialogues([query.dialogue for query in answered])
    needed = sorted({row for query in answered for row in query.right})
    answer_tokens = dict(zip(needed, embedder.tokenize([answers[row] for row in needed]), strict=True))

    def batches(generator: random.Random) -> list[list[int]]:
        return batches_of_like_length(dialogues, batch_size, generator)

    def loss_of(rows: list[int]) -> Tensor:
        generator = random.Random(rows[0])
        own = [generator.choice(sorted(answered[row].right)) for row in rows]
        columns = sorted(set(own))
        asked = _vectors(embedder, [dialogues[row] for row in rows])
        said = _vectors(embedder, [answer_tokens[column] for column in columns])
        right = torch.tensor(
            [[column in answered[row].right for column in columns] for row in rows], device=asked.device
        )
        return multi_positive_loss(SCALE * asked @ said.T, right)

    embedder.model.train()
    try:
        train_loop(
            "encoder",
            embedder.model,
            [(list(embedder.model.parameters()), 1.0)],
            batches,
            loss_of,
            settings,
            checkpoint,
            on_progress,
        )
    finally:
        embedder.model.eval()


def multi_positive_loss(logits: Tensor, right: Tensor) -> Tensor:
    """Mean over rows of -log(softmax mass on the right columns).

    >>> multi_positive_loss(torch.zeros(1, 4), torch.tensor([[True, True, False, False]])).item()
    0.6931471824645996
    """
    log_mass = torch.logsumexp(logits.masked_fill(~right, -torch.inf), dim=-1)
    return (torch.logsumexp(logits, dim=-1) - log_mass).mean()


def batches_of_like_length(texts: Sequence[Tokens], batch_size: int, generator: random.Random) -> list[list[int]]:
    """All rows in batches, shuffled, each batch of similar length so that little is spent on padding."""
    order = list(range(len(texts)))
    generator.shuffle(order)
    span = batch_size * 16
    batches = []
    for begin in range(0, len(order), span):
        chunk = sorted(order[begin : begin + span], key=lambda row: len(texts[row].ids))
        batches += [chunk[i : i + batch_size] for i in range(0, len(chunk), batch_size)]
    batches = [batch for batch in batches if len(batch) > 1]
    generator.shuffle(batches)
    return batches


def _vectors(embedder: Embedder, batch: Sequence[Tokens]) -> Tensor:
    features = embedder.features(batch)
    with torch.autocast(embedder.device.split(":")[0], torch.bfloat16, enabled=embedder.fast_bfloat16):
        vectors: Tensor = embedder.model(features)["sentence_embedding"]
    return torch.nn.functional.normalize(vectors.float(), dim=-1)
