"""The customer: looked back on, not told twice what did not help, and forgotten for good."""

from __future__ import annotations

import errno
import io
import json

import pytest
from assist_fakes import use_screen
from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline, make_chat, make_console, shown
from lamp_desk import REFUND, RESET, SWAP, lamp_desk, visits, write_log

from bot.assist_plain import PlainAssist
from bot.assisted_dialogue import AssistedDialogue
from bot.cli import main
from bot.customer import forget_customer, known_customer
from bot.dialogue import Dialogue
from bot.failed_answers import failed_answers
from bot.feedback import FeedbackBook
from bot.pipeline import Pipeline
from conversations.errors import DeskError
from conversations.importing import import_logs
from conversations.model import Feedback, Turn
from index.builder import check_index
from index.embedder import Embedder


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


@pytest.mark.parametrize(
    ("reply", "failed"),
    [
        ("No luck, still a red light.", True),
        ("that didn't help", True),
        ("It does not work either", True),
        ("i have tried that already twice", True),
        ("same error again :(", True),
        ("Nothing happened.", True),
        ("your reset made it worse", True),
        ("Great, that works!", False),
        ("thanks, and how do I send it back?", False),
        ("Is that still possible after a month?", False),
        ("I still have the receipt.", False),
        ("no, the other lamp", False),
    ],
)
def test_what_tells_that_an_answer_did_not_help(reply, failed):
    turns = [Turn("customer", "it is dark"), Turn("agent", RESET), Turn("customer", reply), Turn("agent", SWAP)]
    assert failed_answers(turns) == ([RESET] if failed else [])


def said(*texts):
    """Turns from texts that begin with a: for the agent or c: for the customer."""
    return [Turn("agent" if text[0] == "a" else "customer", text[2:]) for text in texts]


@pytest.mark.parametrize(
    ("turns", "failed"),
    [
        (said("a:Press it. Did that help?", "c:no luck"), ["Press it. Did that help?"]),
        (said("a:What does the light do? And the app?", "c:still nothing"), []),
        (said("a:" + RESET, "c:ok, trying", "c:no luck"), [RESET]),
        (said("a:" + RESET, "a:How does it go?", "c:no luck"), [RESET, f"{RESET}\nHow does it go?"]),
    ],
)
def test_a_message_in_several_turns_or_with_a_question_behind_it_can_fail_too(turns, failed):
    assert failed_answers(turns) == failed


def test_what_did_not_help_long_ago_is_remembered(desk, tmp_path):
    with desk.store() as store:
        import_logs(store, [write_log(tmp_path / "later.jsonl", visits(9, "c-7"))], rejects_dir=tmp_path)
    with Pipeline.open(desk) as pipeline:
        request = Dialogue(customer=known_customer(pipeline.store, "c-7")).request(
            (Turn("customer", "my lamp does not light up"),)
        )
        assert len(request.earlier) > 18
        assert RESET not in [candidate.text for candidate in pipeline.answer_many([request])[0].candidates]


def test_an_answer_that_did_not_help_this_customer_is_not_offered_again(desk):
    with Pipeline.open(desk) as pipeline:
        question = (Turn("customer", "my lamp does not light up"),)
        anybody, returning, other = (
            Dialogue(customer=known_customer(pipeline.store, name) if name else None).request(question)
            for name in (None, "c-7", "c-9")
        )
        assert [len(one.earlier) for one in (anybody, returning, other)] == [0, 4, 2]
        answers = pipeline.answer_many([anybody, returning, other])
        offered = [[candidate.text for candidate in answer.candidates] for answer in answers]
    assert RESET in offered[0] and RESET in offered[2]
    assert RESET not in offered[1] and SWAP in offered[1]


def test_customers_stay_known_when_something_was_imported_without_de_identification(desk, tmp_path):
    with desk.store() as store:
        answer = next(iter(store.answers())).id
        key = known_customer(store, "c-7").key
        store.add_feedback(Feedback("2026-01-01T00:00:00+00:00", "chat-1", "q", answer, "bad", "chat", key, key))
        turns = [{"role": "customer", "text": "a new one", "at": "2025-06-01T10:00:00Z"}]
        log = write_log(tmp_path / "raw.jsonl", [{"id": "raw", "customer": "c-7", "turns": turns}])
        import_logs(store, [log], redact=False, rejects_dir=desk.rejects_path)
        known = known_customer(store, "c-7")
    assert [turn.text for turn in known.earlier][-1] == "a new one"
    assert (len(known.earlier), len(known.disliked)) == (5, 1)


def test_what_did_not_help_is_not_said_again_in_the_same_dialogue(desk):
    turns = [Turn("customer", "my lamp is dark"), Turn("agent", RESET), Turn("customer", "no luck, it is still dark")]
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer(turns)
        assert RESET not in [candidate.text for candidate in answer.candidates]
        assert answer.left_out == 1
        assert RESET in [candidate.text for candidate in pipeline.answer(turns[:1]).candidates]


def test_what_the_customer_called_bad_in_a_chat_is_not_offered_in_the_next(desk):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-9")
        refund = next(answer for answer in pipeline.store.answers() if answer.text == REFUND)
        dialogue = Dialogue(asked=(Turn("customer", "when?"),))
        FeedbackBook(pipeline, "chat", known.key).add(dialogue, refund.id, "bad")
        FeedbackBook(pipeline, "chat").add(dialogue, refund.id, "bad")
        assert known_customer(pipeline.store, "c-9").disliked == (REFUND,)
        assert known_customer(pipeline.store, "c-8").disliked == ()


def test_forgetting_reaches_what_an_agent_did_with_suggestions_for_the_customer(desk):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-8")
        dialogue = AssistedDialogue(
            customer=known, asked=(Turn("customer", "lamp dark, I am the one from Hill Road"),)
        )
        FeedbackBook(pipeline, "assist").add(dialogue, None, "handed over")
        (kept,) = pipeline.store.feedback()
        assert kept.customer == known.key != kept.who, "an agent did it, for this customer"
    assert forget_customer(desk, "c-8")["feedback"] == 1


def test_forgetting_removes_all_of_one_customer_and_nothing_else(desk):
    with Pipeline.open(desk) as pipeline:
        key = known_customer(pipeline.store, "c-8").key
        ids = {answer.text: answer.id for answer in pipeline.store.answers()}
        swap, reset = ids[SWAP], ids[RESET]
        dialogue = Dialogue(asked=(Turn("customer", "lamp dark"),))
        FeedbackBook(pipeline, "chat", key).add(dialogue, reset, "good")
        FeedbackBook(pipeline, "chat", key).add(dialogue, swap, "good")
        FeedbackBook(pipeline, "chat").add(Dialogue(asked=dialogue.asked), reset, "good")
    removed = forget_customer(desk, "c-8")
    counts = {"conversations": 2, "turns": 4, "pairs": 2, "answers": 2, "feedback": 2, "vectors": 6}
    assert removed == counts | {"replayed turns": 0}
    with desk.store() as store:
        assert known_customer(store, "c-8").earlier == ()
        assert len(known_customer(store, "c-7").earlier) == 4
        assert swap not in store.answer_ids() and reset in store.answer_ids()
        assert len(list(store.feedback())) == 1
        assert all(check.ok for check in check_index(desk.index_path, store, Embedder().identity))
    assert b"courier" not in b"".join(path.read_bytes() for path in desk.path.rglob("*") if path.is_file())
    with pytest.raises(DeskError, match="knows no customer 'c-8'"):
        forget_customer(desk, "c-8")


def test_a_disk_too_full_to_forget_in_the_index_is_told_and_the_same_command_finishes(desk, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(DeskError) as raised:
        patched.setattr("bot.customer.forget_in_indexes", fail)
        forget_customer(desk, "c-8")
    assert "'c-8' is removed from the store, but files may still hold traces" in raised.value.message
    assert "no room left" in raised.value.message and "forget them again" in raised.value.remedy
    with desk.store() as store:
        assert len(store.forgotten()) == 1 and known_customer(store, "c-8").earlier == ()
    assert forget_customer(desk, "c-8")["vectors"] == 6
    assert b"courier" not in b"".join(path.read_bytes() for path in desk.path.rglob("*") if path.is_file())
    with pytest.raises(DeskError, match="nothing of them is left"):
        forget_customer(desk, "c-8")


def test_who_cannot_be_left_out_of_later_imports_is_not_removed_either(desk, monkeypatch):
    def fail(*_):
        raise DeskError("There is no room.")

    with monkeypatch.context() as patched, pytest.raises(DeskError, match="There is no room"):
        patched.setattr("conversations.store.Store.leave_out", fail)
        forget_customer(desk, "c-8")
    with desk.store() as store:
        assert len(known_customer(store, "c-8").earlier) == 4


def test_a_forgetting_that_was_killed_half_way_is_finished_by_the_same_command(desk):
    with desk.writing(), desk.store() as store:
        store.delete_customer(known_customer(store, "c-8").key)
    removed = forget_customer(desk, "c-8")
    assert removed["vectors"] == 6 and not any(count for what, count in removed.items() if what != "vectors")


def test_the_command_asks_first_and_says_what_it_removed(desk, capsys, monkeypatch):
    home = str(desk.path.parent.parent)

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["forget", "--desk", "lamps", "--home", home, "--customer", *arguments])
        return ended.value.code, *capsys.readouterr()

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, _, err = call("c-8")
    assert code == 130 and "Remove all that desk lamps holds of customer c-8?" in err
    code, out, _ = call("c-8", "--yes", "--json")
    assert code == 0 and json.loads(out)["conversations"] == 2
    code, _, err = call("c-8", "--yes")
    assert code == 1 and "knows no customer" in err and "Traceback" not in err


def test_forget_in_the_chat_is_asked_for_twice_in_a_row_and_ends_it(desk):
    chat = make_chat()
    assert chat.take("/forget")
    assert "not known who the customer is" in shown(chat)
    with desk.store() as store:
        chat.dialogue.customer = known_customer(store, "c-8")
    chat.pipeline.desk = desk
    assert chat.take("/forget")
    assert chat.take("wait")
    assert chat.take("/forget")
    with desk.store() as store:
        assert known_customer(store, "c-8").earlier
    assert not chat.take("/forget")
    assert "Removed: 2 conversations, 4 turns" in shown(chat)
    with desk.store() as store:
        assert not known_customer(store, "c-8").earlier


@pytest.mark.parametrize("in_lines", [True, False], ids=["lines", "screen"])
def test_forget_in_assist_is_asked_for_twice_in_a_row_and_ends_it(desk, in_lines):
    faked = FakePipeline(ANSWERS, PAST)
    faked.desk = desk
    with desk.store() as store:
        known = known_customer(store, "c-8")
    if in_lines:
        helped = PlainAssist(faked, make_console(), FakeBook(), known)
        for line in ("/forget", "it is dark", "/forget", "/help", "/forget"):
            assert helped.take(line)
        with desk.store() as store:
            assert known_customer(store, "c-8").earlier
        assert not helped.take("/forget")
        assert "Removed: 2 conversations, 4 turns" in helped._console.file.getvalue()
    else:

        async def play(keyboard):
            await keyboard.type("/forget\r")
            await keyboard.sees("/forget again does it")
            await keyboard.type("it is dark\r/forget\r/forget\r")
            await keyboard.until(lambda: not keyboard.screen.application.is_running)

        screen = use_screen(play, faked, customer=known)
        assert screen.last_words.startswith("Removed: 2 conversations, 4 turns")
        assert screen.assist.dialogue.turns == (), "what is printed at the end holds nothing of it"
    with desk.store() as store:
        assert not known_customer(store, "c-8").earlier
