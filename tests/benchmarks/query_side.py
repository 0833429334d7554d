"""What it is worth to tune the encoder for questions only, over answer vectors that stay as they are.

    OMP_NUM_THREADS=1 python tests/benchmarks/query_side.py DATA/insuranceqa_v2_en WORK

An index would not have to be made anew. Every question is drawn to its own answer and pushed from 1,000 others, which
costs nothing here, as their vectors are fixed; three epochs. Prints top-1 and MRR within dev's pools and hit@1, @10
and @100 over all answers, before and after each epoch. The frozen answers are encoded once and kept in WORK.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from index.embedder import Embedder
from training.augmentation import augment
from training.batching import batches_of_like_length
from training.datasets import Query, load_task
from training.encoded_answers import encoded_answers
from training.encoder_training import SCALE, _training_mode, _vectors
from training.losses import listwise_softmax
from training.metrics import mean_reciprocal_rank, rank_of_right, recall_at

EPOCHS, BATCH, NEGATIVES, RATE = 3, 64, 1_000, 1e-4


def figures(embedder: Embedder, queries: Sequence[Query], answers: np.ndarray) -> str:
    """Of the cosine, within the pools and over all answers."""
    scores = embedder.encode_dialogues([query.dialogue for query in queries]) @ answers.T
    pooled, everywhere = [], []
    for query, own in zip(queries, scores, strict=True):
        right = list(query.right)
        everywhere.append(rank_of_right(own, np.isin(np.arange(len(own)), right)))
        rows = np.array(query.pool)
        if np.isin(rows, right).any():
            pooled.append(rank_of_right(own[rows], np.isin(rows, right)))
    hits = " / ".join(f"{recall_at(everywhere, k):.3f}" for k in (1, 10, 100))
    return f"{recall_at(pooled, 1):.3f} / {mean_reciprocal_rank(pooled):.3f}   {hits}"


def main(data: str, work: str) -> None:
    """Prints a line before training and after every epoch."""
    task, dev = load_task(Path(data), "train"), load_task(Path(data), "dev")
    embedder = Embedder(precision="float32")
    frozen = encoded_answers(task.answers, embedder, 0, Path(work)).vectors
    fixed = torch.from_numpy(frozen).to(embedder.device)
    print("pool top-1 / MRR   corpus hit@1 / @10 / @100")
    print(figures(embedder, dev.queries, frozen), "frozen", flush=True)
    queries = [query for query in task.queries if query.right]
    lengths = [len(tokens.ids) for tokens in embedder.tokenize_dialogues([query.dialogue for query in queries])]
    optimizer = torch.optim.AdamW(embedder.model.parameters(), lr=RATE, weight_decay=0.01)
    steps = EPOCHS * -(-len(queries) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) * 10 / steps, 1 - step / steps)
    )
    generator = random.Random(13)
    for epoch in range(EPOCHS):
        order = list(range(len(queries)))
        generator.shuffle(order)
        batches = batches_of_like_length(order, lengths, BATCH)
        generator.shuffle(batches)
        with _training_mode(embedder):
            for rows in batches:
                own = [generator.choice(sorted(queries[row].right)) for row in rows]
                columns = sorted({*own, *generator.sample(range(len(frozen)), NEGATIVES)})
                asked = [augment(queries[row].dialogue, generator) for row in rows]
                vectors = _vectors(embedder, embedder.tokenize_dialogues(asked))
                right = torch.tensor([[one in queries[row].right for one in columns] for row in rows])
                loss = listwise_softmax(SCALE * vectors @ fixed[columns].T, right.to(embedder.device)).mean()
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(embedder.model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        print(figures(embedder, dev.queries, frozen), f"epoch {epoch + 1}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
