"""Properties of the cross-attention reranker that any weights must have."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_fixtures import WIDTH, candidates, dialogue, tiny_reranker

from index.embedder import Embedder
from index.fusion import FUSION_WEIGHTS
from index.tokens import EARLIER
from training.reranker import SIGNAL_SCALE, Reranker
from training.reranker_states import CandidateStates, DialogueStates

SEEDS = st.integers(0, 10_000)


def pick(all_of_them: CandidateStates, rows) -> CandidateStates:
    chosen = torch.as_tensor(rows)
    return CandidateStates(
        all_of_them.states[chosen],
        all_of_them.mask[chosen],
        all_of_them.is_answer[chosen],
        all_of_them.signals[chosen],
        all_of_them.dialogues[chosen],
    )


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, order=st.permutations(range(5)), heads=st.sampled_from([0, 2]))
def test_the_order_of_candidates_does_not_change_scores(seed, order, heads):
    reranker, given_ones = tiny_reranker(seed=seed, listwise_heads=heads), candidates(seed=seed + 1)
    with torch.no_grad():
        scores = reranker(dialogue(seed=seed), given_ones)
        shuffled = reranker(dialogue(seed=seed), pick(given_ones, order))
    torch.testing.assert_close(shuffled, scores[list(order)], atol=1e-4, rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, heads=st.sampled_from([0, 2]))
def test_many_dialogues_at_once_score_as_one_at_a_time(seed, heads):
    reranker = tiny_reranker(seed=seed, listwise_heads=heads)
    said = [dialogue(tokens=length, seed=seed + length) for length in (7, 3, 5)]
    lists = [candidates(count=count, seed=seed + count) for count in (2, 5, 3)]
    longest = max(one.states.shape[1] for one in said)
    together = DialogueStates(
        *(
            torch.cat(
                [
                    torch.cat([part, part.new_ones(1, longest - part.shape[1], *part.shape[2:])], dim=1)
                    if name != "mask"
                    else torch.arange(longest)[None] < part.shape[1]
                    for part in (getattr(one, name) for one in said)
                ]
            )
            for name in ("states", "turns", "agents", "mask")
        )
    )
    joined = CandidateStates(
        *(torch.cat([getattr(one, name) for one in lists]) for name in ("states", "mask", "is_answer", "signals")),
        torch.repeat_interleave(torch.arange(3), torch.tensor([2, 5, 3])),
    )
    with torch.no_grad():
        alone = torch.cat([reranker(one, own) for one, own in zip(said, lists, strict=True)])
        torch.testing.assert_close(reranker(together, joined), alone, atol=1e-4, rtol=1e-4)


def test_candidates_look_at_each_other_only_where_they_were_made_to():
    given_ones = candidates()
    for heads, changes in ((0, False), (2, True)):
        reranker = tiny_reranker(listwise_heads=heads)
        with torch.no_grad():
            whole, fewer = reranker(dialogue(), given_ones), reranker(dialogue(), pick(given_ones, [0, 1, 2]))
        assert bool((whole[:3] - fewer).abs().max() > 1e-3) is changes


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, padding=st.integers(1, 9))
def test_padding_does_not_change_scores(seed, padding):
    reranker, plain = tiny_reranker(seed=seed), candidates(seed=seed + 1)
    count = plain.mask.shape[0]
    padded = CandidateStates(
        torch.cat([plain.states, torch.full((count, padding, WIDTH), 9.0)], dim=1),
        torch.cat([plain.mask, torch.zeros(count, padding, dtype=torch.bool)], dim=1),
        torch.cat([plain.is_answer, torch.zeros(count, padding, dtype=torch.bool)], dim=1),
        plain.signals,
        plain.dialogues,
    )
    with torch.no_grad():
        torch.testing.assert_close(
            reranker(dialogue(seed=seed), padded), reranker(dialogue(seed=seed), plain), atol=1e-4, rtol=1e-4
        )


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_leaving_out_a_worse_candidate_does_not_change_the_winner(seed):
    reranker, given_ones = tiny_reranker(seed=seed), candidates(seed=seed + 1)
    with torch.no_grad():
        scores = reranker(dialogue(seed=seed), given_ones)
        kept = [row for row in range(5) if row != int(scores.argmin())]
        fewer = reranker(dialogue(seed=seed), pick(given_ones, kept))
    assert kept[int(fewer.argmax())] == int(scores.argmax())


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_an_untrained_reranker_ranks_as_retrieval_does(seed):
    given_ones = candidates(seed=seed)
    with torch.no_grad():
        scores = tiny_reranker(trained=False)(dialogue(seed=seed), given_ones)
    torch.testing.assert_close(scores, given_ones.signals @ torch.tensor(FUSION_WEIGHTS) * SIGNAL_SCALE)


def test_retrieval_scores_stay_exact_where_the_rest_computes_in_bfloat16():
    """What is trained and measured must not see ties that serving does not have."""
    reranker = tiny_reranker(trained=False)
    asked, served = dialogue(), candidates(50)
    served.signals = 0.9 + 1e-4 * served.signals
    expected = served.signals @ reranker.signal_weights
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        scores = reranker(asked, served)
    assert scores.dtype == torch.float32 and len(scores.unique()) > 40
    torch.testing.assert_close(scores, expected)


def test_the_dialogue_matters_to_a_trained_reranker():
    reranker, given_ones = tiny_reranker(), candidates()
    with torch.no_grad():
        one, other = reranker(dialogue(seed=1), given_ones), reranker(dialogue(seed=2), given_ones)
    assert (one - other).abs().max() > 1e-3


def test_speaker_and_recency_matter():
    reranker, given_ones, said = tiny_reranker(), candidates(), dialogue()
    with torch.no_grad():
        before = reranker(said, given_ones)
        said.agents = ~said.agents
        by_speaker = reranker(said, given_ones)
        said.turns = said.turns + 1
        by_recency = reranker(said, given_ones)
    assert (before - by_speaker).abs().max() > 1e-3
    assert (by_speaker - by_recency).abs().max() > 1e-3


@pytest.mark.parametrize("looks_back", [True, False])
def test_earlier_conversations_matter_to_those_who_look_back_and_to_no_others(looks_back):
    reranker = tiny_reranker(looks_back=looks_back)
    said, before, other = dialogue(tokens=5), dialogue(tokens=4, seed=8), dialogue(tokens=4, seed=9)
    with torch.no_grad():
        alone = reranker(said, candidates())
        after = reranker(after_earlier(said, before), candidates())
        after_other = reranker(after_earlier(said, other), candidates())
        looked = reranker.attention_to_dialogue(after_earlier(said, before), candidates(), 0)
    assert torch.allclose(alone, after, atol=1e-4) != looks_back
    assert torch.allclose(after, after_other, atol=1e-4) != looks_back
    assert (looked[5:] > 0).all() == looks_back
    assert looked.sum() == pytest.approx(1.0, abs=1e-5)


def after_earlier(said: DialogueStates, before: DialogueStates) -> DialogueStates:
    """The dialogue of a customer with an earlier conversation."""
    return DialogueStates(
        torch.cat([said.states, before.states], dim=1),
        torch.cat([said.turns, torch.full_like(before.turns, EARLIER)], dim=1),
        torch.cat([said.agents, before.agents], dim=1),
        torch.cat([said.mask, before.mask], dim=1),
    )


def test_a_candidate_without_a_question_is_scored():
    given_ones = candidates()
    given_ones.is_answer = given_ones.mask
    with torch.no_grad():
        assert torch.isfinite(tiny_reranker()(dialogue(), given_ones)).all()


def test_attention_to_the_dialogue_is_a_distribution():
    looked = tiny_reranker().attention_to_dialogue(dialogue(), candidates(), 0)
    assert looked.shape == (7,)
    assert (looked >= 0).all()
    torch.testing.assert_close(looked.sum(), torch.tensor(1.0))


def test_blocks_start_as_the_encoders_last_layers():
    embedder = Embedder(device="cpu", precision="float32")
    reranker = Reranker.from_encoder(embedder.transformer, embedder.identity, blocks=2, feed_forward=1536)
    tokens = embedder.tokenize(["Where is my parcel?"])
    with torch.no_grad():
        states = embedder.encode_tokens(tokens, states_below=2).states[0][None]
        mask = torch.ones(states.shape[:2], dtype=torch.bool)
        for block in reranker.layers:
            states = block(states, mask)
        vector = torch.nn.functional.normalize(states[0].mean(dim=0), dim=0)
    expected = torch.from_numpy(embedder.encode(["Where is my parcel?"])[0])
    assert float(vector @ expected) > 0.9999


def test_with_less_room_the_weightiest_feed_forward_units_are_taken_over():
    embedder = Embedder(device="cpu", precision="float32")
    layer = embedder.transformer.encoder.layer[-1]
    weight = layer.intermediate.dense.weight.norm(dim=1) * layer.output.dense.weight.norm(dim=0)
    block = Reranker.from_encoder(embedder.transformer, embedder.identity, feed_forward=700).layers[0]
    assert block.feed_in.out_features == block.feed_out.in_features == 700
    kept = [int((layer.intermediate.dense.weight == row).all(dim=1).nonzero()) for row in block.feed_in.weight[:5]]
    left_out = weight.sort(descending=True).values[700]
    assert all(weight[unit] >= left_out for unit in kept)
    torch.testing.assert_close(block.feed_out.weight[:, :5], layer.output.dense.weight[:, kept])
