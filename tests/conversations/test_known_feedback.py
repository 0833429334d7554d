"""Feedback that others add and remove while a desk is open."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conversations.model import Feedback
from conversations.store import Store

SAID = Feedback("2026-01-01T00:00:00+00:00", "key", "q", None, "handed over", "chat", "me")


@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.booleans()), max_size=12))
def test_what_is_known_is_what_is_stored_whoever_adds_and_removes(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("desk") / "desk.sqlite"
    with Store(path) as here, Store(path) as elsewhere:
        for number, (is_here, customer, is_added) in enumerate(steps):
            store = here if is_here else elsewhere
            if is_added:
                store.add_feedback(replace(SAID, question=f"question {number}", customer=customer))
            else:
                store.delete_customer(customer)
            if number % 3:
                assert here.known_feedback.latest() == tuple(here.feedback())
        assert here.known_feedback.latest() == elsewhere.known_feedback.latest() == tuple(here.feedback())


def test_the_same_again_is_told_without_reading_and_only_what_is_new_is_read(tmp_path):
    with Store(tmp_path / "desk.sqlite") as here, Store(tmp_path / "desk.sqlite") as elsewhere:
        for number in range(3):
            elsewhere.add_feedback(replace(SAID, question=f"question {number}"))
        first = here.known_feedback.latest()
        elsewhere.set_setting("mood", "calm")
        assert here.known_feedback.latest() is first
        elsewhere.add_feedback(replace(SAID, question="another"))
        second = here.known_feedback.latest()
        assert all(old is now for old, now in zip(first, second[:3], strict=True))
        assert [one.question for one in second[3:]] == ["another"]


def test_what_is_written_while_it_is_read_is_neither_lost_nor_there_twice(tmp_path, monkeypatch):
    with Store(tmp_path / "desk.sqlite") as here, Store(tmp_path / "desk.sqlite") as elsewhere:
        elsewhere.add_feedback(replace(SAID, question="first"))
        rows = here._file.rows

        def late(sql, parameters=()):
            if "question" in sql and next(questions, None):
                elsewhere.add_feedback(replace(SAID, question="meanwhile"))
            return rows(sql, parameters)

        questions = iter(["once"])
        monkeypatch.setattr(here._file, "rows", late)
        here.known_feedback.latest()
        assert [one.question for one in here.known_feedback.latest()] == ["first", "meanwhile"]
