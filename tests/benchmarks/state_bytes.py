"""Bytes per stored token against ranking quality: how token states may be kept.

    python tests/benchmarks/state_bytes.py DATASET MODEL [LIMIT]

Every form is simulated exactly: states are packed and unpacked, then ranked by one model in float32, so that only
the form differs. Prints a table: bytes a token, top-1, MRR, and how often the first answer stays the same.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from index.candidates import Candidate, read_dialogues
from index.states import quantize
from index.tokens import Tokens
from training.datasets import load_task
from training.metrics import mean_reciprocal_rank, rank_of_right, recall_at
from training.rankers.cross_attention import CrossAttentionRanker
from training.registry import load_model, model_embedder
from training.reranker_states import CandidateStates
from training.task_index import TaskIndex

DEPTH = 50


class SimulatedRanker(CrossAttentionRanker):
    """Reads states from memory, in the form under test."""

    def __init__(self, reranker, states: dict[int, Tensor], form: Callable[[Tensor], Tensor]) -> None:
        super().__init__(reranker, None, None, "cpu", "float32")
        self._kept, self._form = states, form

    def candidates(self, candidates: list[Candidate]) -> CandidateStates:
        limit = self.reranker.config.answer_tokens
        made = [self._form(self._kept[one.answer_id][:limit]) for one in candidates]
        longest = max(len(states) for states in made)
        padded = torch.zeros(len(made), longest, made[0].shape[1])
        mask = torch.zeros(len(made), longest, dtype=torch.bool)
        for row, states in enumerate(made):
            padded[row, : len(states)], mask[row, : len(states)] = states, True
        signals = torch.tensor([one.signals for one in candidates])
        return CandidateStates(padded, mask, mask, signals, torch.zeros(len(made), dtype=torch.long))


def int8(states: Tensor) -> Tensor:
    values, scales = quantize(states)
    return values.float() * scales.float()[:, None]


def int4(states: Tensor, group: int = 64) -> Tensor:
    parts = states.unflatten(-1, (-1, group))
    scales = (parts.abs().amax(dim=-1, keepdim=True) / 7.0).clamp(min=1e-6).half().float()
    return ((parts / scales).round().clamp(-7, 7) * scales).flatten(-2)


def projected(basis: Tensor, mean: Tensor, pack: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda states: pack((states - mean) @ basis) @ basis.T + mean


def main(dataset: str, model_path: str, limit: str = "400") -> None:
    """Prints the table."""
    embedder, _ = model_embedder(Path(model_path))
    model = load_model(Path(model_path), embedder.identity)
    below, weights = model.reranker.config.blocks, model.reranker.config.signal_weights
    task = load_task(Path(dataset), "dev")
    queries = [query for query in task.queries if query.right & set(query.pool or query.right)][: int(limit)]
    scratch = tempfile.TemporaryDirectory(prefix="attendant-")
    index = TaskIndex(task, embedder, 0, Path(scratch.name))
    cases = []
    for query in queries:
        (context,) = read_dialogues(embedder, [query.dialogue], below, index.spelling)
        rows = np.array(query.pool) if query.pool else None
        cases.append((context, index.candidates(context, rows, DEPTH, weights)[0], query.right))
    needed = sorted({candidate.answer_id for _, served, _ in cases for candidate in served})
    tokens: list[Tokens] = embedder.tokenize_answers([task.answers[row] for row in needed])
    states = dict(zip(needed, embedder.encode_tokens(tokens, below).states, strict=True))
    read = min(sum(len(one.ids) for one in tokens) / len(tokens), model.reranker.config.answer_tokens)
    sample = torch.cat([states[row] for row in needed[:: max(1, len(needed) // 500)]])
    mean = sample.mean(dim=0)
    directions = torch.linalg.svd(sample - mean, full_matrices=False).Vh.T
    width = sample.shape[1]
    forms: dict[str, tuple[float, Callable[[Tensor], Tensor]]] = {
        "float32": (4 * width, lambda one: one),
        "bfloat16": (2 * width, lambda one: one.bfloat16().float()),
        "int8": (width + 2, int8),
        "int4, groups of 64": (width / 2 + 2 * width / 64, int4),
    }
    for kept in (width // 2, width // 4):
        basis = directions[:, :kept]
        forms[f"projected to {kept}, int8"] = (kept + 2, projected(basis, mean, int8))
        half = projected(basis, mean, partial(int4, group=32))
        forms[f"projected to {kept}, int4"] = (kept / 2 + 2 * kept / 32, half)
    firsts: list[int] = []
    print(f"{len(queries)} queries, {read:.0f} tokens read of an answer on average")
    for name, (size, form) in forms.items():
        ranker = SimulatedRanker(model.reranker, states, form)
        ranked = [(ranker.rank(context, served), right) for context, served, right in cases]
        ranks = [
            rank_of_right(np.array([one.score for one in found]), [one.candidate.answer_id in right for one in found])
            for found, right in ranked
        ]
        now = [found[0].candidate.answer_id for found, _ in ranked]
        firsts = firsts or now
        same = np.mean([one == other for one, other in zip(firsts, now, strict=True)])
        print(
            f"{name:24} {size:6.0f} bytes a token {size * read / 1000:6.1f} KB an answer   "
            f"top-1 {recall_at(ranks, 1):.3f}  MRR {mean_reciprocal_rank(ranks):.4f}  same first {same:.3f}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
