"""The reranker behind the ranking seam, over token states on disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from ranking_fixtures import WIDTH, tiny_reranker, tiny_source

from index.candidates import SIGNALS, Candidate, ReadDialogue
from index.tokens import Tokens
from training.rankers.cross_attention import CrossAttentionRanker, bucket_of
from training.rankers.fixed_shape import MOST, FixedShape

CONTEXT = ReadDialogue((), Tokens([], [0] * 5, [False] * 5), *[np.zeros(WIDTH, np.float32)] * 2, torch.ones(5, WIDTH))
MANY = [Candidate(row, "", (0.0,) * len(SIGNALS), 0.0) for row in range(50)]
SERVED = [Candidate(row, "", (0.0,) * len(SIGNALS), 1.0 - row / 10) for row in range(6)]


@pytest.fixture
def source(tmp_path):
    return tiny_source(tmp_path)


def test_a_model_that_needs_questions_leaves_bare_answers_in_retrievals_order(source):
    learned = tiny_reranker()

    def order(reranker):
        ranked = CrossAttentionRanker(reranker, source.answers, None, "cpu", "float32").rank(CONTEXT, SERVED)
        return [entry.candidate.answer_id for entry in ranked]

    assert order(learned) != list(range(6))
    learned.config = replace(learned.config, needs_questions=True)
    assert order(learned) == list(range(6))
    assert order(learned.for_bare_answers(64)) != list(range(6))


def test_a_gpu_scores_all_at_once_and_the_same(source, monkeypatch):
    def ranked(device):
        ranker = CrossAttentionRanker(tiny_reranker(), source.answers, None, "cpu", "float32")
        ranker.bucket = bucket_of(device)
        judge, passes = ranker.reranker.judge, []
        monkeypatch.setattr(ranker.reranker, "judge", lambda *told: passes.append(told) or judge(*told))
        return {one.candidate.answer_id: one.score for one in ranker.rank(CONTEXT, MANY)}, len(passes)

    (at_once, one), (in_parts, three) = ranked("cuda"), ranked("cpu")
    assert (one, three) == (1, 3)
    assert at_once == pytest.approx(in_parts, abs=1e-4)


def read(tokens: int, seed: int) -> ReadDialogue:
    """A dialogue of an agent's and a customer's turn."""
    states = torch.randn(tokens, WIDTH, generator=torch.Generator().manual_seed(seed))
    laid_out = Tokens([], [n // 3 for n in range(tokens)], [n % 2 == 0 for n in range(tokens)])
    return ReadDialogue((), laid_out, *[np.zeros(WIDTH, np.float32)] * 2, states)


@pytest.mark.parametrize("heads", [0, 2])
def test_a_gpu_weighs_the_lists_of_many_dialogues_in_few_passes_and_the_same(source, monkeypatch, heads):
    ranker = CrossAttentionRanker(tiny_reranker(listwise_heads=heads), source.answers, None, "cpu", "float32")
    contexts = [read(tokens, seed) for seed, tokens in enumerate((5, 9, 1, 30, 2, 7))]
    lists = [MANY[:8], MANY[20:21], [], MANY[3:33], MANY[:2], MANY[40:]]
    alone = [ranker.rank(*one) for one in zip(contexts, lists, strict=True)]
    passes: list[int] = []
    weigh = ranker.reranker.weigh
    monkeypatch.setattr(ranker.reranker, "weigh", lambda *told: passes.append(len(told[1])) or weigh(*told))
    assert ranker.rank_many(contexts, lists) == alone and passes == [8, 1, 30, 2, 10], "a CPU: one after the other"
    passes.clear()
    ranker.together = 20
    found = ranker.rank_many(contexts, lists)
    assert passes == [9, 30, 12], "never more than were asked for; a list that is longer goes by itself"
    for own, expected in zip(found, alone, strict=True):
        assert {one.candidate.answer_id: one.score for one in own} == pytest.approx(
            {one.candidate.answer_id: one.score for one in expected}, abs=1e-4
        )
        assert sum(one.weight for one in own) == pytest.approx(1.0 if expected else 0.0)


def test_a_gpu_launches_a_short_list_at_once_and_ranks_the_same(source):
    ranker = CrossAttentionRanker(tiny_reranker(listwise_heads=2), source.answers, None, "cpu", "float32")
    lists = [MANY, MANY[:7], (MANY * 2)[: MOST + 1]]
    expected = [ranker.rank(read(20, 3), one) for one in lists]
    ranker._fixed = FixedShape(ranker.reranker, ranker.dtype)
    for own, one in zip(expected, lists, strict=True):
        ranked = ranker.rank(read(20, 3), one)
        assert [entry.score for entry in ranked] == pytest.approx([entry.score for entry in own], abs=1e-4)
        assert [entry.candidate for entry in ranked] == [entry.candidate for entry in own]


def test_ranking_in_low_precision_leaves_a_models_weights_as_they_were(source):
    model = tiny_reranker().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert CrossAttentionRanker(model, source.answers, None, "cpu", "bfloat16").rank(CONTEXT, SERVED)
    for name, value in model.state_dict().items():
        assert value.dtype == before[name].dtype and value.equal(before[name]), name
    assert model.training
