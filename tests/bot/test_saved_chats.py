"""A saved chat is history: the customer's turns are known later, and what the bot said teaches nothing."""

from __future__ import annotations

import json

import pytest
from chat_fakes import FakeBook, make_console
from lamp_desk import RESET, call, lamp_desk, visits, write_log

from bot.chat import Chat
from bot.customer import known_customer
from bot.dialogue import Dialogue
from bot.pipeline import Pipeline
from conversations.model import Turn

UMBRELLAS = "Do you sell garden umbrellas?"


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


def chat_row(*said, **more):
    """A saved chat: the customer begins, then the bot and the customer take turns."""
    turns = [{"role": ("customer", "agent")[place % 2], "text": text} for place, text in enumerate(said)]
    return {"id": "chat-1", "source": "attendant chat", "turns": turns, **more}


def test_an_answer_that_only_the_bot_gave_is_no_surer_after_the_chat_was_imported(desk, tmp_path, capsys):
    log, question = tmp_path / "wrong.jsonl", [Turn("customer", UMBRELLAS)]
    with Pipeline.open(desk) as pipeline:
        before = pipeline.answer(question)
        chat = Chat(pipeline, make_console(), FakeBook())
        for line in (UMBRELLAS, "/alt", "2", f"/save {log}"):
            chat.take(line)
        (picked,) = [turn.text for turn in chat.dialogue.turns if turn.role == "agent"]
    renamed = json.loads(log.read_text()) | {"id": "ticket-1"}
    write_log(tmp_path / "renamed.jsonl", [renamed])
    code, _, err = call(desk, capsys, "import", log, tmp_path / "renamed.jsonl")
    assert code == 0 and "Conversations with the bot: 2." in " ".join(err.split())
    assert "in which no agent answers" not in err
    with Pipeline.open(desk) as pipeline:
        after = pipeline.answer(question)
        kept = [one.text for one in pipeline.conversation("ticket-1").turns]
    assert kept == [UMBRELLAS, picked]
    assert (after.confidence, after.candidates) == (before.confidence, before.candidates)


def test_what_the_bot_said_in_vain_is_not_offered_to_this_customer_again(desk, tmp_path, capsys):
    said = ("my lamp is dark", RESET, "That did not help.")
    assert call(desk, capsys, "import", write_log(tmp_path / "chat.jsonl", [chat_row(*said, customer="c-5")]))[0] == 0
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-5")
        assert [turn.text for turn in known.earlier] == list(said)
        request = Dialogue(customer=known).request((Turn("customer", "my lamp is dark"),))
        assert RESET not in [one.text for one in pipeline.answer_many([request])[0].candidates]
        assert pipeline.answer(request.turns).candidates[0].text == RESET


def test_a_replay_of_chats_with_the_bot_alone_ends_in_the_reason(desk, tmp_path, capsys):
    chats = write_log(tmp_path / "chats.jsonl", [chat_row(UMBRELLAS, RESET), chat_row("And lamps?", RESET, id="2")])
    code, _, err = call(desk, capsys, "replay", chats)
    said = " ".join(err.split())
    assert code == 1 and "No agent turn could be replayed." in said and "Conversations with the bot: 2." in said
    code, out, _ = call(desk, capsys, "replay", chats, write_log(tmp_path / "new.jsonl", visits(1)), "--json")
    report = json.loads(out)
    assert code == 0 and (report["turns"], report["rejected"]) == (2, 0)
    assert [text.split(":")[0] for text in report["problems"]] == ["Conversations with the bot"]


def test_what_customers_asked_the_bot_is_looked_through_for_gaps(desk, tmp_path, capsys):
    code, out, err = call(desk, capsys, "gaps", write_log(tmp_path / "chat.jsonl", [chat_row(UMBRELLAS, RESET)]))
    assert code == 0 and "garden umbrellas" in out and not err.strip()
