"""What the encoder makes of dialogues: one pass gives the dialogue's vector and the last turn's."""

from __future__ import annotations

import numpy as np
import pytest
from index_fixtures import embedder
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from conversations.model import Turn
from index.candidates import read_dialogues
from index.embedder import Embedder
from index.encoder_loading import bundled_path

QUESTION = Turn("customer", "And if it is already open?")
BEFORE = (Turn("customer", "Can I send the lamp back?"), Turn("agent", "Yes, within 30 days."))


def test_one_turn_has_one_vector():
    (read,) = read_dialogues(embedder(), [[QUESTION]])
    np.testing.assert_allclose(read.question_vector, read.dialogue_vector, atol=2e-3)
    np.testing.assert_allclose(read.question_vector, embedder().encode([QUESTION.text])[0], atol=2e-3)


def test_the_last_turn_keeps_its_own_vector_and_sees_what_came_before():
    alone, after = read_dialogues(embedder(), [[QUESTION], [*BEFORE, QUESTION]])
    assert np.linalg.norm(after.question_vector) == pytest.approx(1.0, abs=1e-5)
    assert not np.allclose(after.question_vector, after.dialogue_vector, atol=1e-3)
    to_itself = after.question_vector @ alone.question_vector
    assert 0.5 < to_itself < 0.9999
    assert to_itself > after.question_vector @ embedder().encode(["My screen is broken."])[0]


def test_in_a_batch_as_alone():
    dialogues = [[QUESTION], [*BEFORE, QUESTION], [Turn("customer", "Hello")]]
    for together, dialogue in zip(read_dialogues(embedder(), dialogues, 1), dialogues, strict=True):
        (alone,) = read_dialogues(embedder(), [dialogue], 1)
        assert together.question_vector @ alone.question_vector > 0.999
        assert together.states.shape == alone.states.shape


def test_an_encoder_with_other_pooling_reads_the_last_turn_by_itself(tmp_path):
    bundled = SentenceTransformer(str(bundled_path()), device="cpu")
    first_token = Pooling(bundled.get_embedding_dimension(), pooling_mode="cls")
    SentenceTransformer(modules=[bundled[0], first_token]).save(str(tmp_path / "first-token"))
    other = Embedder(str(tmp_path / "first-token"), precision="float32")
    assert embedder().pools_mean and not other.pools_mean
    (read,) = read_dialogues(other, [[*BEFORE, QUESTION]])
    np.testing.assert_allclose(read.question_vector, other.encode([QUESTION.text])[0], atol=1e-4)
