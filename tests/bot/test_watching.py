"""Logs that grow, read turn by turn."""

from __future__ import annotations

import json

from bot.watching import WatchedLogs
from conversations.privacy import Redactor


def test_turns_of_one_conversation_come_together_and_are_de_identified(tmp_path):
    log = tmp_path / "log.jsonl"
    watched = WatchedLogs([log], lambda one: Redactor("salt").redact_conversation(one)[0])
    assert watched.poll() == ([], [f"{log} does not exist yet: waiting for it."])
    turns = [
        {"conversation": "a", "role": "customer", "text": "Call me on +44 20 7946 0958"},
        {"conversation": "b", "role": "customer", "text": "hello"},
        {"conversation": "a", "role": "agent", "text": "Of course."},
        {"conversation": "b", "role": "customer", "text": "hello?", "typing": True},
    ]
    log.write_text("".join(json.dumps(turn) + "\n" for turn in turns))
    conversations, troubles = watched.poll()
    assert not troubles
    said = {one.id: [turn.text for turn in one.turns] for one in conversations}
    assert said == {"a": ["Call me on <PHONE>", "Of course."], "b": ["hello"]}
    with log.open("a") as file:
        file.write(json.dumps({"role": "customer", "text": "of no conversation"}) + "\n")
    conversations, troubles = watched.poll()
    assert not conversations and "line 5: a turn needs the id of its conversation" in troubles[0]
    watched.close()


def test_a_log_that_was_written_anew_does_not_say_its_turns_twice(tmp_path):
    log = tmp_path / "log.jsonl"
    watched = WatchedLogs([log], lambda one: one)
    lines = [json.dumps({"conversation": "a", "role": "customer", "text": f"line {n}"}) + "\n" for n in range(3)]
    lines[0] += json.dumps({"conversation": "a", "role": "system", "text": "Ann joined"}) + "\n"
    log.write_text("".join(lines))
    watched.poll()
    log.write_text("".join(lines[:2]))
    (one,), troubles = watched.poll()
    assert [turn.text for turn in one.turns] == ["line 0", "line 1", "line 2"] and "cut or replaced" in troubles[0]
    # And one that was replaced by its continuation says only what is new.
    log.write_text(lines[0].replace("line 0", "line 3"))
    (one,), _ = watched.poll()
    assert [turn.text for turn in one.turns] == ["line 0", "line 1", "line 2", "line 3"]
    watched.close()


def test_a_conversation_may_begin_in_one_log_and_go_on_in_the_next(tmp_path):
    logs = [tmp_path / "last-month.jsonl", tmp_path / "today.jsonl"]
    for number, log in enumerate(logs):
        log.write_text(json.dumps({"conversation": "a", "role": "customer", "text": f"line {number}"}) + "\n")
    watched = WatchedLogs(logs, lambda one: one)
    (one,), _ = watched.poll()
    assert [turn.text for turn in one.turns] == ["line 0", "line 1"]
    watched.close()


def test_what_the_lines_of_a_conversation_say_of_it_is_put_together_and_de_identified(tmp_path):
    log = tmp_path / "log.jsonl"
    turns = [
        {"role": "system", "text": "Ann joined", "meta": {"topic": "unknown", "mail": "ann@example.org"}},
        {"role": "customer", "text": "hello", "meta": {"topic": "re\x1b[2Jfunds"}, "source": "web"},
        {"role": "agent", "text": "hi", "meta": "no object"},
        {"role": "agent", "text": "lost", "meta": {"topic": json.loads("[" * 90 + "]" * 90)}},
    ]
    log.write_text("".join(json.dumps({"conversation": "a", **turn}) + "\n" for turn in turns))
    watched = WatchedLogs([log], lambda one: Redactor("salt").redact_conversation(one)[0])
    (one,), troubles = watched.poll()
    assert one.meta == {"topic": "refunds", "mail": "<EMAIL>"} and one.source == "web"
    assert [turn.text for turn in one.turns] == ["hello", "hi"] and "nested too deeply" in troubles[0]
    with log.open("a") as file:
        file.write(json.dumps({"conversation": "a", "role": "note", "meta": {"topic": "parcels"}}) + "\n")
    (one,), _ = watched.poll()
    assert one.meta["topic"] == "parcels" and len(one.turns) == 2
    watched.close()


def test_a_conversation_in_which_nobody_spoke_yet_is_none(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"conversation": "a", "role": "system", "text": "Ann joined"}) + "\n")
    watched = WatchedLogs([log], lambda one: one)
    assert watched.poll() == ([], [])
    watched.close()
