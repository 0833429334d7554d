"""What the block computes is the attention of `training.attention`, and /why shows just that."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_fixtures import WIDTH, candidates, dialogue, tiny_reranker
from torch.nn import functional

from training.attention import attend
from training.attention_block import CrossAttentionBlock

SEEDS = st.integers(0, 10_000)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, own=st.integers(1, 6), beside=st.integers(1, 6), only=st.sampled_from([None, 1, 2]))
def test_the_block_mixes_as_the_pure_attention_over_its_own_tokens_and_the_others(seed, own, beside, only):
    torch.manual_seed(seed)
    block = CrossAttentionBlock(WIDTH, heads=2, feed_forward=8, layer_norm_epsilon=1e-12)
    states, others = torch.randn(3, own, WIDTH), torch.randn(3, beside, WIDTH)
    mask, seen = (torch.arange(size) < torch.randint(1, size + 1, (3, 1)) for size in (own, beside))
    mixed = []
    block.out.register_forward_pre_hook(lambda module, given_ones: mixed.append(given_ones[0]))
    with torch.no_grad():
        block(states, mask, block.keys_and_values(others), seen, only)
        (own_keys, own_values), (keys, values) = block.keys_and_values(states), block.keys_and_values(others)
        expected = attend(
            block.split(block.query(states[:, :only])),
            torch.cat([own_keys, keys], dim=-2),
            torch.cat([own_values, values], dim=-2),
            torch.cat([mask, seen], dim=-1)[:, None, None],
        )
        weights = block.weights(states, mask, block.keys_and_values(others), seen, only)
    torch.testing.assert_close(mixed[0], expected.transpose(1, 2).flatten(-2), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights @ torch.cat([own_values, values], dim=-2), expected, atol=1e-5, rtol=1e-5)
    assert not weights.masked_select(~torch.cat([mask, seen], dim=-1)[:, None, None].expand_as(weights)).any()


@pytest.mark.parametrize("place", [0, 3])
@pytest.mark.parametrize("looks_back", [True, False])
def test_the_attention_that_is_shown_is_that_of_the_pass_that_scores(monkeypatch, place, looks_back):
    computed = functional.scaled_dot_product_attention
    calls = []

    def noted(queries, keys, values, attn_mask):
        calls.append((queries, keys, attn_mask))
        return computed(queries, keys, values, attn_mask=attn_mask)

    reranker, said, given_ones = tiny_reranker(looks_back=looks_back), dialogue(), candidates()
    with monkeypatch.context() as patched, torch.no_grad():
        patched.setattr(functional, "scaled_dot_product_attention", noted)
        reranker(said, given_ones)
    queries, keys, mask = calls[-1]
    # With one value for each key what comes out is how much each was looked at.
    every = torch.eye(keys.shape[-2]).expand(*keys.shape[:2], -1, -1)
    looked = computed(queries, keys, every, attn_mask=mask)[place]
    answer = (given_ones.mask & given_ones.is_answer)[place, : queries.shape[-2]]
    on_dialogue = looked[:, answer, given_ones.mask.shape[1] :].sum(dim=(0, 1))
    assert on_dialogue.sum() < 0.99 * answer.sum() * looked.shape[0], "the rest falls on the candidate itself"
    shown = reranker.attention_to_dialogue(said, given_ones, place)
    torch.testing.assert_close(shown, on_dialogue / on_dialogue.sum(), atol=1e-5, rtol=1e-5)
