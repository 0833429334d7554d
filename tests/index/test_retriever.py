"""What retrieval serves, and what it must not see."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_fixtures import LOG, add, built, conversation, embedder, opened

from conversations.errors import DeskError
from conversations.model import Turn
from index.builder import update_index
from index.candidates import SIGNALS, read_dialogues
from index.fusion import fuse


def ask(retriever, *texts, exclude=()):
    roles = ("customer", "agent")
    turns = [Turn(roles[place % 2], text) for place, text in enumerate(texts)]
    return retriever.retrieve(read_dialogues(embedder(), [turns]), [exclude])[0]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("my package has not come", "Please send me the order number"),
        ("how can i return something", "Print the free label"),
        ("forgot my password", "Use the link"),
        ("my bulb arrived smashed", "I am sorry"),
    ],
)
def test_the_obvious_answer_comes_first(tmp_path, question, answer):
    _, retriever = built(tmp_path)
    assert ask(retriever, question)[0].text.startswith(answer)


def test_each_candidate_says_where_it_comes_from(tmp_path):
    _, retriever = built(tmp_path)
    best = ask(retriever, "When will I get my money?")[0]
    assert [(e.conversation, e.turn) for e in best.evidence] == [("refund", 1)]
    assert best.question == "When will I get my money?"
    assert best.signals[SIGNALS.index("question")] == pytest.approx(1.0, abs=0.01)
    assert best.retrieval_score == pytest.approx(float(fuse(np.array([best.signals], np.float32))[0]), abs=1e-5)


def test_a_hidden_conversation_leaves_no_trace(tmp_path):
    store, retriever = built(tmp_path)
    without = ask(retriever, "When will I get my money?", exclude=("refund",))
    store.delete_conversation("refund")
    update_index(tmp_path / "index", store, embedder())
    deleted = ask(opened(tmp_path, store), "When will I get my money?")
    assert not any("Refunds" in candidate.text for candidate in without)
    assert [c.answer_id for c in without] == [c.answer_id for c in deleted]
    for ours, theirs in zip(without, deleted, strict=True):
        # BM25 weighs words by how rare they are in the whole desk, and a hidden conversation still counts there.
        columns = [place for place, name in enumerate(SIGNALS) if name != "words"]
        np.testing.assert_allclose(np.array(ours.signals)[columns], np.array(theirs.signals)[columns], atol=0.01)


def test_an_answer_given_elsewhere_too_stays_when_one_conversation_is_hidden(tmp_path):
    store, _ = built(tmp_path)
    add(store, conversation("refund again", "Is my cash coming?", LOG[2][2]))
    update_index(tmp_path / "index", store, embedder())
    served = ask(opened(tmp_path, store), "When will I get my money?", exclude=("refund",))
    refund = next(candidate for candidate in served if "Refunds" in candidate.text)
    assert [evidence.conversation for evidence in refund.evidence] == ["refund again"]
    assert refund.signals[SIGNALS.index("evidence")] == pytest.approx(np.log10(2) / 4, abs=1e-4)


def test_the_context_decides_a_follow_up(tmp_path):
    store, _ = built(tmp_path)
    before = (Turn("customer", "I want to send the sofa back."), Turn("agent", "A collection costs 25 pounds."))
    other = (Turn("customer", "My headphones pinch."), Turn("agent", "You can return them within 30 days."))
    add(store, conversation("sofa", "And if it's open?", "An unwrapped sofa is collected just the same.", before))
    add(store, conversation("ear", "And if it's open?", "Opened headphones are fine, but not the ear tips.", other))
    update_index(tmp_path / "index", store, embedder())
    retriever = opened(tmp_path, store)
    sofa = ask(retriever, "The couch must go back.", "Collecting it costs 25 pounds.", "and if it's open?")
    ear = ask(retriever, "These headphones hurt.", "You may return them within 30 days.", "and if it's open?")
    assert "sofa" in sofa[0].text
    assert "headphones" in ear[0].text


def test_a_batch_gives_what_single_calls_give(tmp_path):
    _, retriever = built(tmp_path)
    dialogues = [[Turn("customer", row[1])] for row in LOG]
    together = retriever.retrieve(read_dialogues(embedder(), dialogues))
    for dialogue, candidates in zip(dialogues, together, strict=True):
        alone = retriever.retrieve(read_dialogues(embedder(), [dialogue]))[0]
        assert alone[0].answer_id == candidates[0].answer_id
        np.testing.assert_allclose(alone[0].signals, candidates[0].signals, atol=0.02)


def test_what_is_hidden_from_one_dialogue_changes_nothing_for_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("index.retriever.SEARCHED", 2)
    monkeypatch.setattr("index.retriever.SEARCHED_ANSWERS", 2)
    monkeypatch.setattr("index.retriever.SPARE", 0)
    _, retriever = built(tmp_path)
    asked, other = read_dialogues(embedder(), [[Turn("customer", LOG[2][1])], [Turn("customer", LOG[0][1])]])
    (alone,) = retriever.retrieve([asked])
    together, _ = retriever.retrieve([asked, other], [(), (LOG[0][0],)])
    assert [(one.answer_id, one.signals) for one in together] == [(one.answer_id, one.signals) for one in alone]


def test_words_looked_up_beside_the_encoder_give_the_same_also_for_hidden_conversations(tmp_path, monkeypatch):
    monkeypatch.setattr("index.retriever.SEARCHED_WORDS", 1)
    _, retriever = built(tmp_path)
    questions = [row[1] for row in LOG]
    hidden = [(row[0],) if place % 2 else () for place, row in enumerate(LOG)]
    begun = retriever.look_up_words(questions)
    read = read_dialogues(embedder(), [[Turn("customer", question)] for question in questions])
    assert retriever.retrieve(read, hidden, words=begun) == retriever.retrieve(read, hidden)
    words = SIGNALS.index("words")
    assert any(one.signals[words] > 0 for served in retriever.retrieve(read, words=begun) for one in served)


def test_a_failed_search_by_words_is_said_and_closing_waits_for_those_begun(tmp_path, monkeypatch):
    def fail(question, limit):
        raise DeskError("The desk is damaged.", "Import again.")

    store, retriever = built(tmp_path)
    (begun,) = retriever.look_up_words(["lamp"])
    begun.result()
    read = read_dialogues(embedder(), [[Turn("customer", "lamp")]])
    monkeypatch.setattr(store, "search_words", fail)
    with pytest.raises(DeskError, match="damaged"):
        retriever.retrieve(read, words=retriever.look_up_words(["lamp"]))
    last = retriever.look_up_words(["lamp"] * 3)
    retriever.close()
    assert all(one.done() for one in last)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=200))
def test_any_text_can_be_asked(tmp_path_factory, text):
    retriever = _shared(tmp_path_factory)
    served = ask(retriever, text)
    assert 0 < len(served) <= 6
    assert all(np.isfinite(candidate.signals).all() for candidate in served)
    assert [c.retrieval_score for c in served] == sorted((c.retrieval_score for c in served), reverse=True)


_kept = {}


def _shared(tmp_path_factory):
    if "retriever" not in _kept:
        _kept["store"], _kept["retriever"] = built(tmp_path_factory.mktemp("desk"))
    return _kept["retriever"]
