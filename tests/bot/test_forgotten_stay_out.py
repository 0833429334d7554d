"""A forgotten customer does not come back: not with the next import, nor from a dialogue that is still open."""

from __future__ import annotations

import json

import pytest
from chat_fakes import make_console, shown
from lamp_desk import REFUND, RESET, SWAP, call, lamp_desk, write_log

from bot.chat import Chat
from bot.customer import allow_customer, forget_customer, known_customer
from bot.dialogue import Dialogue
from bot.feedback import FeedbackBook
from bot.pipeline import Pipeline
from conversations.errors import DeskError
from conversations.importing import import_logs
from conversations.model import Turn


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


def import_again(desk, log, redact=True):
    with desk.writing(), desk.store() as store:
        return import_logs(store, [log], redact=redact, rejects_dir=desk.rejects_path)


@pytest.mark.parametrize("redact", [True, False])
def test_the_next_import_leaves_a_forgotten_customer_out_and_counts_it(desk, tmp_path, redact):
    forget_customer(desk, "c-8")
    report = import_again(desk, tmp_path / "log.jsonl", redact)
    assert report.forgotten == 2
    with desk.store() as store:
        assert len(list(store.conversations())) == 3
        assert known_customer(store, "c-8").earlier == ()
        assert len(known_customer(store, "c-7").earlier) == 4


def test_a_log_of_forgotten_customers_alone_is_no_error(desk, tmp_path):
    forget_customer(desk, "c-8")
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    log = write_log(tmp_path / "own.jsonl", [row for row in rows if row["customer"] == "c-8"])
    assert (import_again(desk, log).conversations, import_again(desk, log).forgotten) == (0, 2)


def test_the_commands_say_so_and_a_customer_can_be_let_in_again(desk, tmp_path, capsys):
    _, out, _ = call(desk, capsys, "forget", "--customer", "c-8", "--yes")
    assert "Later imports leave this customer out" in out
    code, _, err = call(desk, capsys, "import", tmp_path / "log.jsonl")
    assert code == 0 and "Conversations of forgotten customers that were left out: 2" in err
    code, out, _ = call(desk, capsys, "forget", "--customer", "c-8", "--allow-again")
    assert code == 0 and "c-8" in out
    assert import_again(desk, tmp_path / "log.jsonl").conversations == 2
    code, _, err = call(desk, capsys, "forget", "--customer", "c-8", "--allow-again")
    assert code == 1 and "has forgotten no customer 'c-8'" in err


def test_a_replay_of_the_logs_stores_nothing_of_them_and_says_so(desk, tmp_path, capsys):
    forget_customer(desk, "c-8")
    code, out, err = call(desk, capsys, "replay", tmp_path / "log.jsonl")
    assert code == 0 and "forgotten customers that were left out: 2." in " ".join((out + err).split())
    with desk.replays() as replays:
        (run,) = replays.runs()
        kept = [turn.conversation for turn in replays.turns(run.id, [0, 1, 2])]
    assert kept == ["past-0", "past-1", "past-4"]
    desk_files = [path for path in desk.path.rglob("*") if path.is_file()]
    assert desk_files and not any(b"money back" in path.read_bytes() for path in desk_files)


def test_what_customers_ask_is_looked_for_without_them(desk, tmp_path, capsys):
    own = {"turns": [{"role": "customer", "text": "Do you repair toasters as well?"}]}
    log = write_log(tmp_path / "new.jsonl", [own | {"id": f"n{n}", "customer": "c-8"} for n in range(3)])
    code, out, _ = call(desk, capsys, "gaps", log)
    assert code == 0 and "toasters" in out
    forget_customer(desk, "c-8")
    code, out, err = call(desk, capsys, "gaps", log)
    assert code == 1 and "left out: 3." in " ".join(err.split()) and "toasters" not in out + err


def test_who_is_unknown_is_not_left_out_later(desk, tmp_path):
    with pytest.raises(DeskError, match="knows no customer"):
        forget_customer(desk, "c-99")
    with pytest.raises(DeskError, match="has forgotten no customer"):
        allow_customer(desk, "c-99")
    turns = [{"role": "customer", "text": "hi"}, {"role": "agent", "text": "hey"}]
    row = {"id": "n", "customer": "c-99", "turns": turns}
    assert import_again(desk, write_log(tmp_path / "new.jsonl", [row])).conversations == 1


def test_an_open_dialogue_keeps_nothing_of_a_customer_who_was_forgotten_meanwhile(desk):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-8")
        chat = Dialogue(customer=known, asked=(Turn("customer", "lamp dark, I am the one from Hill Road"),))
        forget_customer(desk, "c-8")
        FeedbackBook(pipeline, "assist").add(chat, None, "handed over")
        FeedbackBook(pipeline, "chat", known.key).add(chat, None, "handed over")
        assert list(pipeline.store.feedback()) == []
        FeedbackBook(pipeline, "assist").add(Dialogue(asked=chat.asked), None, "handed over")
        assert len(list(pipeline.store.feedback())) == 1


def open_chat(pipeline, as_json=False):
    """A chat that was handed over, with the refund of the one customer who got it as the nearest past answer."""
    chat = Chat(pipeline, make_console(), FeedbackBook(pipeline, "chat"), as_json)
    chat.take("Money?")
    assert chat.dialogue.given is None and chat.dialogue.answer.candidates[0].text == REFUND
    return chat


@pytest.mark.parametrize("as_json", [False, True])
def test_an_open_chat_lists_no_answer_of_a_customer_who_was_forgotten_meanwhile(desk, capsys, as_json):
    with Pipeline.open(desk) as pipeline:
        chat = open_chat(pipeline, as_json)
        found = chat.dialogue.answer
        capsys.readouterr()
        forget_customer(desk, "c-8")
        chat.take("/alt")
        told = shown(chat) + capsys.readouterr().out
        assert RESET in told and REFUND not in told and SWAP not in told
        best = chat.dialogue.answer.candidates[0]
        assert chat.dialogue.answer.chance(best) == pytest.approx(found.chance_of(best.answer_id))
        chat.take("1")
        assert chat.dialogue.given == best


def test_the_summary_of_an_open_chat_has_none_either_and_a_number_means_nothing_that_was_listed_before(desk):
    with Pipeline.open(desk) as pipeline:
        chat = open_chat(pipeline)
        chat.take("/alt")
        forget_customer(desk, "c-8")
        chat.take("/handoff")
        _, nearest = shown(chat).split("Nearest past answers:")
        assert RESET in nearest and REFUND not in nearest and SWAP not in nearest
        assert chat.dialogue.listed == 0


def test_where_nothing_is_left_to_list_the_chat_says_so(desk):
    with Pipeline.open(desk) as pipeline:
        chat = open_chat(pipeline)
        for customer in ("c-7", "c-8", "c-9"):
            forget_customer(desk, customer)
        for line in ("/alt", "/why", "/handoff"):
            chat.take(line)
    assert "There is no other answer to show." in shown(chat) and "Nearest past answers:\n  none" in shown(chat)
