"""What the encoder makes of dialogues: one pass gives the dialogue's vector and the last turn's."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from index_fixtures import embedder, small_store
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling

from conversations.model import Turn
from index.builder import index_directory, update_index
from index.candidates import EARLIER_TOKENS, SIGNALS, read_dialogues
from index.embedder import Embedder
from index.encoder_loading import bundled_path, default_precision, fast_arithmetic
from index.retriever import Retriever
from index.tokens import EARLIER

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


def test_earlier_conversations_add_tokens_and_change_no_vector():
    dialogues = [[QUESTION], [*BEFORE, QUESTION], [QUESTION]]
    plain = read_dialogues(embedder(), dialogues, 1)
    looking_back = read_dialogues(embedder(), dialogues, 1, earlier=[(), BEFORE, BEFORE * 30])
    for before, after in zip(plain, looking_back, strict=True):
        assert before.question_vector @ after.question_vector > 0.999
        assert before.dialogue_vector @ after.dialogue_vector > 0.999
        assert len(after.tokens.ids) == len(after.tokens.turns) == len(after.tokens.agents) == len(after.states)
    added = [
        after.tokens.turns[len(before.tokens.turns) :] for before, after in zip(plain, looking_back, strict=True)
    ]
    assert added[0] == []
    assert added[1] == [EARLIER] * len(embedder().tokenize_dialogues([BEFORE])[0].ids)
    assert added[2] == [EARLIER] * EARLIER_TOKENS
    weights = [1.0] * len(looking_back[1].tokens.ids)
    positions = {position for _, _, position in embedder().words(looking_back[1].tokens, weights, 3)}
    assert positions == {-1, 0, 1, 2}
    assert read_dialogues(embedder(), dialogues, earlier=[BEFORE] * 3)[0].tokens == plain[0].tokens, "none reads it"


def test_an_encoder_with_other_pooling_reads_the_last_turn_by_itself(tmp_path):
    bundled = SentenceTransformer(str(bundled_path()), device="cpu")
    first_token = Pooling(bundled.get_embedding_dimension(), pooling_mode="cls")
    SentenceTransformer(modules=[bundled[0], first_token]).save(str(tmp_path / "first-token"))
    other = Embedder(str(tmp_path / "first-token"), precision="float32")
    assert embedder().pools_mean and not other.pools_mean
    (read,) = read_dialogues(other, [[*BEFORE, QUESTION]])
    np.testing.assert_allclose(read.question_vector, other.encode([QUESTION.text])[0], atol=1e-4)
    (looking_back,) = read_dialogues(other, [[*BEFORE, QUESTION]], 1, earlier=[BEFORE])
    np.testing.assert_allclose(looking_back.question_vector, read.question_vector, atol=1e-4)


@pytest.fixture(scope="module")
def prompted(tmp_path_factory):
    """An encoder that reads questions and answers behind words of its own, and what made it."""
    directory = tmp_path_factory.mktemp("encoders") / "prompted"
    prompts = {"query": "query: ", "passage": "a passage: "}
    bundled = SentenceTransformer(str(bundled_path()), device="cpu", prompts=prompts)
    bundled.save(str(directory))
    return Embedder(str(directory), device="cpu", precision="float32"), bundled


def test_an_encoders_own_prompts_stand_before_questions_and_answers(prompted, tmp_path):
    own, model = prompted
    text = "Where is my parcel?"
    for found, expected in (
        (own.encode([text]), model.encode_query([text], normalize_embeddings=True)),
        (own.encode_dialogues([[Turn("customer", text)]]), model.encode_query([text], normalize_embeddings=True)),
        (own.encode_answers([text]), model.encode([text], prompt_name="passage", normalize_embeddings=True)),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert own.identity != embedder().identity
    Embedder(own.name, device="cpu").save(tmp_path / "saved")
    assert Embedder(str(tmp_path / "saved"), device="cpu").prompts == own.prompts


def test_nothing_of_a_prompt_is_shown_and_nothing_is_lost_by_it(prompted):
    own, _ = prompted
    long = Turn("customer", "parcel " * 500)
    for dialogue in ([QUESTION], [*BEFORE, QUESTION], [long], [long, QUESTION]):
        (read,), (plain,) = read_dialogues(own, [dialogue], 1), read_dialogues(embedder(), [dialogue], 1)
        assert read.tokens.ids == plain.tokens.ids and read.states.shape == plain.states.shape
        ones = [1.0] * len(read.tokens.ids)
        assert own.words(read.tokens, ones, len(dialogue)) == embedder().words(plain.tokens, ones, len(dialogue))
    (alone,), (after,) = read_dialogues(own, [[QUESTION]]), read_dialogues(own, [[*BEFORE, QUESTION]])
    np.testing.assert_allclose(alone.question_vector, alone.dialogue_vector, atol=1e-5)
    assert 0.5 < after.question_vector @ alone.question_vector < 0.9999
    with_earlier = read_dialogues(own, [[QUESTION]], 1, earlier=[BEFORE])[0]
    assert len(with_earlier.tokens.ids) == len(with_earlier.states)


def test_states_are_those_of_the_text_behind_the_prompt(prompted):
    own, model = prompted
    (states,) = own.encode_tokens(own.tokenize_answers(["Where is my parcel?"]), 1).states
    features = model.preprocess(["a passage: Where is my parcel?"])
    with torch.no_grad():
        whole = model[0].auto_model(features["input_ids"], output_hidden_states=True).hidden_states[-2][0]
    torch.testing.assert_close(states, torch.cat([whole[:1], whole[4:]]), atol=1e-5, rtol=1e-4)


def test_an_index_holds_answers_as_answers(prompted, tmp_path):
    own, _ = prompted
    with small_store(tmp_path) as store:
        update_index(tmp_path / "index", store, own)
        retriever = Retriever(index_directory(tmp_path / "index", own.identity), store, own.identity)
        (read,) = read_dialogues(own, [[QUESTION]])
        served = retriever.retrieve([read], [()])[0]
        retriever.close()
    answers = own.encode_answers([one.text for one in served])
    found = [one.signals[SIGNALS.index("answer")] for one in served]
    np.testing.assert_allclose(found, answers @ read.dialogue_vector, atol=1e-5)


def test_an_e5_model_is_known_by_its_name(tmp_path):
    SentenceTransformer(str(bundled_path()), device="cpu").save(str(tmp_path / "multilingual-e5-small"))
    known = Embedder(str(tmp_path / "multilingual-e5-small"), device="cpu")
    assert known.prompts == ("query: ", "passage: ")
    known.save(tmp_path / "tuned")
    tuned = Embedder(str(tmp_path / "tuned"), device="cpu")
    assert tuned.prompts == known.prompts


@pytest.mark.parametrize(("generation", "precision"), [(7, "float32"), (8, "bfloat16")])
def test_a_gpu_that_only_emulates_bfloat16_computes_in_float32(monkeypatch, generation, precision):
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(major=generation))
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda _: True)
    assert default_precision("cuda") == default_precision("cuda:1") == precision
    assert fast_arithmetic("cuda")._enabled is (precision == "bfloat16")
