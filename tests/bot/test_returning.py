"""Customers who come back because an answer did not help, against the sample desk, with and without their history."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.dialogue import Request
from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from index.equality import says_the_same

SAMPLE = Path(__file__).resolve().parents[2] / "conversations" / "sample"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    desk = Desk.create(tmp_path_factory.mktemp("home"), "returning")
    with desk.writing(), desk.store() as store:
        logs = [SAMPLE / "past.jsonl", SAMPLE / "returning.jsonl"]
        import_logs(store, logs, redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    with Pipeline.open(desk) as opened:
        yield opened


def test_what_failed_is_not_offered_to_a_returning_customer_and_no_answer_is_lost(pipeline):
    store = pipeline.store
    second = [
        pair
        for pair in store.pairs()
        if pair.conversation.startswith("lw-70") and store.history_before(pair.conversation)
    ]
    assert len(second) == 12
    known, unknown = [], []
    for pair in second:
        earlier = store.history_before(pair.conversation)
        known.append(Request(pair.dialogue, pair.conversation, earlier=earlier))
        unknown.append(Request(pair.dialogue, pair.conversation))
    failed = [request.earlier[-1].text for request in known]
    right = [answer.text for pair in second for answer in store.answers([pair.answer_id])]

    def figures(requests):
        answers = pipeline.answer_many(requests)
        best = [answer.candidates[0].text for answer in answers]
        return (
            sum(map(says_the_same, best, failed)),
            sum(map(says_the_same, best, right)),
            sum(
                any(says_the_same(one.text, text) for one in answer.candidates)
                for answer, text in zip(answers, right, strict=True)
            ),
        )

    repeats_without, first_without, found_without = figures(unknown)
    repeats, first, found = figures(known)
    print(
        f"failed answer first, right answer first, right answer found: {figures(unknown)} and {figures(known)} of 12"
    )
    assert repeats == 0 < repeats_without
    assert first >= first_without
    assert found == found_without > 0
