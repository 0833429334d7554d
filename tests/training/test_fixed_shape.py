"""A list weighed over tensors of one shape: the scores are those of the reranker, whatever was in them before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import pytest
import torch
from ranking_fixtures import candidates, dialogue, tiny_reranker
from torch.testing import assert_close

from index.embedder import MAX_TOKENS
from training.rankers.fixed_shape import MOST, FixedShape

LISTS = [(7, 5, 6), (MAX_TOKENS, MOST, 40), (1, 1, 2), (30, 50, 88), (3, 17, 9)]
"""Tokens of the dialogue, candidates, and tokens of the longest of them."""


def given(dialogue_tokens, count, tokens):
    return dialogue(dialogue_tokens, seed=count), candidates(count, tokens, seed=tokens)


@pytest.mark.parametrize("options", [{}, {"listwise_heads": 2}, {"looks_back": True, "blocks": 1}])
def test_scores_are_those_of_the_reranker_list_after_list(options):
    reranker = tiny_reranker(**options)
    fixed = FixedShape(reranker, torch.float32)
    for sizes in LISTS * 2:
        told = given(*sizes)
        with torch.inference_mode():
            assert_close(fixed.scores(*told), reranker(*told), rtol=1e-4, atol=1e-4)
    assert not fixed.is_captured, "a processor has nothing to capture"


@pytest.mark.parametrize("sizes", [(MAX_TOKENS + 1, 5, 6), (7, MOST + 1, 6), (7, 5, 89)])
def test_what_does_not_fit_is_left_to_others(sizes):
    assert FixedShape(tiny_reranker(), torch.float32).scores(*given(*sizes)) is None


def test_lists_of_several_threads_are_not_mixed_up():
    reranker = tiny_reranker()
    fixed = FixedShape(reranker, torch.float32)
    lists = [given(*sizes) for sizes in LISTS] * 8

    @torch.inference_mode()
    def scored(told):
        return fixed.scores(*told)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(scored, lists))
    for told, scores in zip(lists, found, strict=True):
        assert_close(scores, reranker(*told).detach(), rtol=1e-4, atol=1e-4)


def on_gpu(one):
    values = [getattr(one, field.name) for field in fields(one)]
    return type(one)(*(value.to("cuda") if isinstance(value, torch.Tensor) else value for value in values))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_replays_a_graph():
    reranker = tiny_reranker().to("cuda")
    fixed = FixedShape(reranker, torch.float32)
    for sizes in LISTS * 2:
        told = [on_gpu(one) for one in given(*sizes)]
        with torch.inference_mode():
            assert_close(fixed.scores(*told), reranker(*told).cpu(), rtol=1e-2, atol=1e-2)
    assert fixed.is_captured
