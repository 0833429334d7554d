"""A tiny encoder-free reranker and its inputs."""

from __future__ import annotations

from dataclasses import replace

import torch

from training.reranker import SIGNALS, Reranker, RerankerConfig
from training.reranker_states import CandidateStates, DialogueStates

WIDTH = 16


def tiny_reranker(trained: bool = True, seed: int = 0, listwise_heads: int = 0, looks_back: bool = False) -> Reranker:
    """Random weights; trained means that the zero layers are not zero any more."""
    torch.manual_seed(seed)
    config = RerankerConfig(encoder="tiny@0", width=WIDTH, heads=2, feed_forward=32, hidden=8, blocks=2)
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
