"""What training examples are roughened with, what is planted among them, and whom several rankers agree on."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from conversations.model import Turn
from index.candidates import SIGNALS, Candidate, read_dialogues
from index.embedder import Embedder
from index.states import ExtraStates, TokenStates, gather, write_segment
from training.augmentation import ROUGHENED, SHORTENED, augment
from training.examples import Case, Source, examples_from
from training.planting import PLANTED_SHARE, Planter
from training.rankers.base import Ranked, in_order
from training.rankers.ensemble import EnsembleRanker

DIALOGUE = (
    Turn("customer", "Hello there, my lamp flickers since yesterday."),
    Turn("agent", "Which lamp is it, please?"),
    Turn("customer", "The standing lamp from last winter."),
)


def candidate(number: int, score: float) -> Candidate:
    signals = tuple(score if name == "answer" else 0.0 for name in SIGNALS)
    return Candidate(number, f"answer {number}", signals, score)


def test_roughening_leaves_the_last_turn_there_and_the_agents_words_whole():
    generator = random.Random(4)
    seen = [augment(DIALOGUE, generator) for _ in range(2_000)]
    assert all(turns[-1].role == "customer" and turns[-1].text.strip() for turns in seen)
    assert {turn.text for turns in seen for turn in turns if turn.role == "agent"} == {DIALOGUE[1].text}
    shorter = sum(len(turns) < 3 for turns in seen) / len(seen)
    rough = sum(turns[-1] != DIALOGUE[-1] for turns in seen) / len(seen)
    assert shorter == pytest.approx(SHORTENED, abs=0.02)
    assert rough == pytest.approx(ROUGHENED, abs=0.05)


def test_the_same_seed_roughens_alike():
    assert [augment(DIALOGUE, random.Random(n)) for n in range(50)] == [
        augment(DIALOGUE, random.Random(n)) for n in range(50)
    ]


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


@pytest.fixture
def states(tmp_path, embedder):
    ids, lengths = np.arange(3, dtype=np.int64), [4, 2, 3]
    generator = torch.Generator().manual_seed(3)
    made = [torch.randn(length, embedder.dimension, generator=generator) for length in lengths]
    write_segment(tmp_path, "answers", ids, lengths, made, embedder.dimension)
    return ExtraStates(TokenStates(tmp_path, ["answers"]))


def test_states_in_memory_are_read_beside_those_on_disk(states, embedder):
    extra = states.add(torch.ones(5, embedder.dimension))
    values, scales, mask, _ = gather([(states, [1, extra, 2], 4)])
    assert mask.sum(dim=1).tolist() == [2, 4, 3]
    read = values[1].float() * scales[1].float()[:, None]
    assert torch.allclose(read, torch.ones(4, embedder.dimension), atol=1e-2)
    assert len(states) == 4


def test_planted_candidates_stand_where_retrieval_would_put_them_and_are_never_right(states, embedder):
    (context,) = read_dialogues(embedder, [DIALOGUE], 1)
    planter = Planter(embedder, states, 1, [1.0, 0, 0, 0.05, 0, 0], seed=3)
    served = [candidate(0, 0.9), candidate(1, 0.4), candidate(2, 0.1)]
    cases = [Case(str(n), context, list(served), frozenset({1})) for n in range(300)]
    made = examples_from(cases, Source(states, None), planter)
    assert len(made) == 300
    longer = [example for example in made if len(example.right) == 4]
    assert len(longer) / 300 == pytest.approx(PLANTED_SHARE, abs=0.05)
    texts = set()
    for example in longer:
        trap = next(row for row, identifier in enumerate(example.answer_ids) if identifier > 2)
        assert not example.right[trap]
        texts.add(states.slices(example.answer_ids[trap], 99)[0].tobytes())
        assert example.right.sum() == 1
        fused = example.signals @ np.array([1.0, 0, 0, 0.05, 0, 0], np.float32)
        assert (np.diff(fused) <= 1e-6).all(), "best retrieval score first"
    assert len(texts) > 1, "copied questions and stuffed ones"


class Fixed:
    """A ranker with given scores by answer id."""

    name = "fixed"

    def __init__(self, scores: dict[int, float], states_below: int = 0) -> None:
        self.scores, self.states_below = scores, states_below

    def rank(self, context, candidates) -> list[Ranked]:
        return in_order(candidates, np.array([self.scores[one.answer_id] for one in candidates]))


def test_an_ensemble_is_the_mean_of_probabilities():
    sure, unsure = Fixed({0: 5.0, 1: 0.0, 2: 0.0}), Fixed({0: 0.0, 1: 0.4, 2: 0.2}, states_below=1)
    served = [candidate(n, 0.5) for n in range(3)]
    both = EnsembleRanker([sure, unsure])
    ranked = both.rank(None, served)
    weights = {
        ranker: {entry.candidate.answer_id: entry.weight for entry in ranker.rank(None, served)}
        for ranker in (sure, unsure)
    }
    for entry in ranked:
        identifier = entry.candidate.answer_id
        assert entry.weight == pytest.approx((weights[sure][identifier] + weights[unsure][identifier]) / 2)
    assert [entry.candidate.answer_id for entry in ranked] == [0, 1, 2], "the sure one outweighs the unsure"
    assert both.states_below == 1
    assert both.rank(None, []) == []


def test_an_ensemble_of_rankers_that_read_different_states_is_refused():
    with pytest.raises(ValueError, match="same token states"):
        EnsembleRanker([Fixed({}, 1), Fixed({}, 2)])
    with pytest.raises(ValueError, match="same token states"):
        EnsembleRanker([])
