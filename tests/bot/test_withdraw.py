"""An answer that is no longer true is taken out of service, everywhere, and put back; a small real desk."""

from __future__ import annotations

import io
import json

import pytest
from lamp_desk import REFUND, RESET, SWAP, call, lamp_desk, write_log
from rich.console import Console

from bot.chat import Chat
from bot.dialogue import Request
from bot.feedback import FeedbackBook
from bot.gaps import find_gaps
from bot.pipeline import Pipeline
from bot.replay import replay
from bot.why_view import why_view
from conversations.errors import DeskError
from conversations.model import Turn

MONEY = "When do I get my money back?"


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


@pytest.fixture
def run(desk, capsys):
    """Gives a command's JSON for this desk."""

    def run(command, *arguments, status=0):
        code, out, err = call(desk, capsys, command, *arguments, "--json")
        assert code == status, err
        return json.loads(out or err)

    return run


def number_of(run, text):
    return next(one["answer_id"] for one in run("answers")["answers"] if one["text"] == text)


def offered(run):
    return [one["answer_id"] for one in run("ask", MONEY)["candidates"]]


def test_a_withdrawn_answer_is_not_given_until_it_is_restored(run):
    refund = number_of(run, REFUND)
    assert offered(run)[0] == refund
    (done,) = run("withdraw", refund, "--because", "ten days now")["answers"]
    assert (done["answer_id"], done["conversations"], done["changed"]) == (refund, 1, True)
    assert done["withdrawn"]["because"] == "ten days now" and done["text"] == REFUND
    assert refund not in offered(run) and offered(run)
    assert [one["answer_id"] for one in run("answers", "--withdrawn")["answers"]] == [refund]
    checks = {check["name"]: check for check in run("doctor")["checks"]}
    assert "1 of them withdrawn" in checks["store"]["detail"]
    assert run("withdraw", refund, "--restore")["answers"][0]["changed"]
    assert offered(run)[0] == refund and run("answers", "--withdrawn")["answers"] == []


def test_unless_all_are_known_none_is_withdrawn(run, desk, capsys):
    refund = number_of(run, REFUND)
    code, out, err = call(desk, capsys, "withdraw", refund, 999)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no answer 999; nothing was changed" in err and "attendant answers --desk lamps" in err
    assert run("answers", "--withdrawn")["total"] == 0


def test_doing_it_twice_is_said_and_changes_nothing(run, desk, capsys):
    refund = number_of(run, REFUND)
    for is_first in (True, False):
        _, out, _ = call(desk, capsys, "withdraw", refund, "--because", "old" if is_first else "older")
        assert ("was withdrawn already" in out, "because: old\n" in out) == (not is_first, True)
    for is_first in (True, False):
        _, out, _ = call(desk, capsys, "withdraw", refund, "--restore")
        assert ("in service again" in out, "in service already" in out) == (is_first, not is_first)
    assert call(desk, capsys, "withdraw", refund, "--restore", "--because", "x")[0] == 2


def test_a_chat_that_is_open_leaves_it_out_from_its_next_message_on(run, desk):
    refund = number_of(run, REFUND)
    with Pipeline.open(desk) as pipeline:
        assert pipeline.answer([Turn("customer", MONEY)]).candidates[0].answer_id == refund
        assert pipeline.retriever.is_current()
        run("withdraw", refund)
        assert refund not in [one.answer_id for one in pipeline.answer([Turn("customer", MONEY)]).candidates]
        assert not pipeline.retriever.is_current()


def test_what_is_on_the_screen_already_is_not_picked_any_more(run, desk):
    with Pipeline.open(desk) as pipeline:
        chat = Chat(pipeline, Console(record=True, width=200, file=io.StringIO()), FeedbackBook(pipeline, "chat"))
        chat.take(MONEY)
        chat.take("/alt")
        first, *others = chat.dialogue.choices()
        run("withdraw", first.answer_id)
        chat.take("1")
        assert chat.dialogue.given is not first and "withdrawn meanwhile" in chat.console.export_text()
        chat.take("2")
        assert chat.dialogue.given is others[0]


def test_a_desk_whose_answers_are_all_withdrawn_hands_over(run):
    run("withdraw", *(one["answer_id"] for one in run("answers")["answers"]))
    answer = run("ask", MONEY)
    assert (answer["decision"], answer["candidates"]) == ("handoff", [])
    assert run("doctor")["ok"]


def test_the_others_that_say_nearly_the_same_are_named_and_stay(tmp_path, capsys):
    longer = f"{REFUND} Please write again if it does not come."
    turns = [{"role": "customer", "text": "where is the refund?"}, {"role": "agent", "text": longer}]
    desk = lamp_desk(tmp_path, write_log(tmp_path / "more.jsonl", [{"id": "more", "turns": turns}]))
    listed = json.loads(call(desk, capsys, "answers", "--json")[1])["answers"]
    numbers = {one["text"]: one["answer_id"] for one in listed}
    _, out, _ = call(desk, capsys, "withdraw", numbers[REFUND])
    assert "1 other answer in service says nearly the same" in out
    assert f"attendant withdraw {numbers[longer]} --desk lamps" in out
    _, out, _ = call(desk, capsys, "withdraw", numbers[longer])
    assert "nearly the same" not in out


def new_log(tmp_path):
    turns = [{"role": "customer", "text": MONEY}, {"role": "agent", "text": f"Hello, {REFUND}"}]
    return write_log(tmp_path / "new.jsonl", [{"id": "new", "turns": turns}])


def test_a_replayed_turn_whose_own_answer_is_withdrawn_is_one_that_nobody_could_answer(run, desk, tmp_path):
    log = new_log(tmp_path)
    with Pipeline.open(desk, "retrieval") as opened_before:
        assert (before := replay(opened_before, [log])).known == before.recall_at_1 == 1.0
        run("withdraw", number_of(run, REFUND))
        with pytest.raises(DeskError, match="changed the desk"):
            replay(opened_before, [log])
    with Pipeline.open(desk, "retrieval") as pipeline:
        report = replay(pipeline, [log])
    assert (report.run != before.run, report.turns, report.known, report.mrr) == (True, 1, 0.0, 0.0)


def test_what_only_a_withdrawn_answer_covered_is_a_gap(run, desk, tmp_path):
    log = new_log(tmp_path)
    for uncovered in (0, 1):
        with Pipeline.open(desk) as pipeline:
            assert find_gaps(pipeline, [log])[0].uncovered == uncovered
        run("withdraw", number_of(run, REFUND))


def test_answers_are_listed_with_their_numbers_those_most_often_given_first(run, desk, capsys):
    listed = run("answers")["answers"]
    assert (listed[0]["text"], listed[0]["given"], listed[0]["last"][:10]) == (RESET, 2, "2025-04-01")
    assert [one["text"] for one in run("answers", "lamp", "courier")["answers"]] == [SWAP]
    assert run("answers", "--limit", 1)["total"] == len(listed) == 4
    _, out, _ = call(desk, capsys, "answers", "--limit", 1)
    number = listed[0]["answer_id"]
    assert out.splitlines()[1].split()[:4] == [str(number), "2", "2025-04-01", "yes"]
    assert "3 more: --limit" in out
    assert "no such answer" in call(desk, capsys, "answers", "unheard")[1]


def test_the_page_of_a_replay_and_why_name_answers_by_their_numbers(run, desk, tmp_path, capsys):
    refund = number_of(run, REFUND)
    call(desk, capsys, "replay", new_log(tmp_path), "--report", tmp_path)
    (page,) = tmp_path.glob("replay-*.html")
    assert f'<td>{refund}</td><td class="said">{REFUND}</td>' in page.read_text()
    turns = (Turn("customer", MONEY),)
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer(turns)
        console = Console(record=True, file=io.StringIO(), width=200)
        console.print(why_view(turns, answer, pipeline.explain(Request(turns), answer), pipeline))
    assert f"answer {refund}, from conversation past-3" in console.export_text()
