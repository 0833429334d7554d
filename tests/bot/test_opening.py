"""A desk opened in front of a person: nobody waits for Python's garbage collector."""

from __future__ import annotations

import gc

from lamp_desk import LOG, lamp_desk

from bot.opening import open_pipeline
from conversations.model import Turn


def test_a_full_collection_looks_through_little_while_a_desk_is_open(tmp_path):
    desk = lamp_desk(tmp_path)
    assert gc.get_freeze_count() == 0
    with open_pipeline(desk, is_plain=True, with_feedback=True) as pipeline:
        for _, _, question, _ in LOG:
            assert pipeline.answer([Turn("customer", question)]).candidates
        assert len(gc.get_objects()) < gc.get_freeze_count() / 20
    assert gc.get_freeze_count() == 0, "a process that goes on collects as before"
