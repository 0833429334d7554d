"""A tiny encoder-free reranker and its inputs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from index.candidates import SIGNALS
from index.states import TokenStates, quantize, write_segment
from training.examples import Example, Source
from training.reranker import Reranker, RerankerConfig
from training.reranker_states import CandidateStates, DialogueStates
from training.reranker_training import scores_of

SAMPLE = Path(__file__).resolve().parents[2] / "conversations" / "sample"
WIDTH = 16


def tiny_reranker(
    trained: bool = True, seed: int = 0, listwise_heads: int = 0, looks_back: bool = False, blocks: int = 2
) -> Reranker:
    """Random weights; trained means that the zero layers are not zero any more. One of two blocks tells more, one of
    one block can be loaded."""
    torch.manual_seed(seed)
    config = RerankerConfig(encoder="tiny@0", width=WIDTH, heads=2, feed_forward=32, hidden=8, blocks=blocks)
    config = replace(config, listwise_heads=listwise_heads, looks_back=looks_back)
    reranker = Reranker(config).eval()
    if trained:
        for parameter in reranker.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return reranker


def dialogue(tokens: int = 7, seed: int = 1) -> DialogueStates:
    generator = torch.Generator().manual_seed(seed)
    return DialogueStates(
        torch.randn(1, tokens, WIDTH, generator=generator),
        torch.arange(tokens).flip(0)[None] // 3,
        torch.arange(tokens)[None] % 2 == 0,
        torch.ones(1, tokens, dtype=torch.bool),
    )


def candidates(count: int = 5, tokens: int = 6, seed: int = 2) -> CandidateStates:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, tokens + 1, (count,), generator=generator)
    mask = torch.arange(tokens)[None] < lengths[:, None]
    return CandidateStates(
        torch.randn(count, tokens, WIDTH, generator=generator) * mask[:, :, None],
        mask,
        torch.arange(tokens)[None] < (lengths[:, None] + 1) // 2,  # the answer, then the question
        torch.rand(count, len(SIGNALS), generator=generator),
        torch.zeros(count, dtype=torch.long),
    )


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Gzipped JSON Lines, as data sets are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def sample_questions(directory: Path) -> Path:
    """A data set of 90 questions and answers of the sample."""
    rows = [json.loads(line)["turns"][:2] for line in (SAMPLE / "past.jsonl").open(encoding="utf-8")]
    rows = [turns for turns in rows if turns[1]["role"] == "agent"][:90]
    write_rows(directory / "answers.jsonl.gz", [{"id": n, "text": turns[1]["text"]} for n, turns in enumerate(rows)])
    questions = [{"id": n, "question": turns[0]["text"], "answers": [n]} for n, turns in enumerate(rows)]
    write_rows(directory / "train.jsonl.gz", questions)
    write_rows(directory / "dev.jsonl.gz", questions[:20])
    return directory


def tiny_source(directory: Path) -> Source:
    """Token states of sixty answers without questions."""
    generator = torch.Generator().manual_seed(3)
    made = [torch.randn(4, WIDTH, generator=generator) for _ in range(60)]
    write_segment(directory, "answers", np.arange(60, dtype=np.int64), [4] * 60, made, WIDTH)
    return Source(TokenStates(directory, ["answers"]), None)


def judged_example(reranker: Reranker, source: Source, seed: int, *, agrees: bool) -> Example:
    """Eight candidates of which the reranker would have the right one first, or last."""
    generator = np.random.default_rng(seed)
    values, scales = quantize(torch.from_numpy(generator.standard_normal((5, WIDTH), dtype=np.float32)))
    ids = generator.choice(60, 8, replace=False).tolist()
    signals = generator.random((8, len(SIGNALS)), dtype=np.float32) / 10
    made = Example("group", values, scales, [0] * 5, [False] * 5, ids, [-1] * 8, signals, np.zeros(8, bool), source)
    scores = scores_of(reranker, made)
    made.right[scores.argmax() if agrees else scores.argmin()] = True
    return made
