"""A conversation whose id holds personal data is known again: replayed, monitored, tuned on, forgotten."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest
from earlier_desks import keep_as_logged
from lamp_desk import call, lamp_desk, write_log
from stored_runs import store_run, turn

from bot.asynchronous import AsyncPipeline
from bot.customer import forget_customer
from bot.logged_turns import redaction_of
from bot.pipeline import Pipeline
from bot.replay import replay
from bot.watching import WatchedLogs
from conversations.errors import DeskError
from conversations.importing import import_logs
from conversations.known_ids import KnownIds
from conversations.model import Turn
from conversations.privacy import redactor_of
from training.registry import base_model_path, promote

MAIL = "jane.doe@example.com"
BULB = "A bulb of 40 watts fits; screw it in by hand."


def conversation(name=MAIL, customer="c-50", day=10):
    """So short that it is known by its id only."""
    at = f"2025-03-{day:02d}T09:00:00Z"
    turns = [{"role": "customer", "text": "Which bulb?", "at": at}, {"role": "agent", "text": BULB, "at": at}]
    return {"id": name, "customer": customer, "turns": turns}


@pytest.fixture
def log(tmp_path):
    return write_log(tmp_path / "own.jsonl", [conversation()])


@pytest.fixture(params=["now", "from before"])
def desk(tmp_path, log, request):
    """A desk that holds the conversation; one from before under the id of the log."""
    made = lamp_desk(tmp_path, log)
    if request.param == "from before":
        as_before(made)
    return made


def as_before(desk):
    with desk.writing(), desk.store() as store:
        keep_as_logged(store, MAIL)


def import_again(desk, log):
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], rejects_dir=desk.rejects_path)


def replayed(desk, log, **settings):
    with Pipeline.open(desk, "retrieval") as pipeline:
        report = replay(pipeline, [log], **settings)
    with desk.replays() as replays:
        return report, replays.turns(report.run, range(report.turns))


@pytest.mark.parametrize("as_of", [False, True])
def test_a_replayed_conversation_does_not_find_itself(desk, log, as_of):
    report, (own,) = replayed(desk, log, as_of=as_of)
    assert not own.is_known and own.rank == 0
    assert (report.in_desk, report.under_other_ids, report.not_placed) == (1, 0, 0)


def test_what_a_desk_does_not_hold_is_replayed_under_a_pseudonym(tmp_path):
    desk = lamp_desk(tmp_path)
    _, (one,) = replayed(desk, write_log(tmp_path / "own.jsonl", [conversation()]))
    with desk.store() as store:
        assert one.conversation == redactor_of(store).stored_id(MAIL) != MAIL
    assert MAIL.encode() not in b"".join(file.read_bytes() for file in desk.path.glob("replays*"))


@pytest.mark.parametrize("is_kept_as_logged", [False, True])
def test_replays_of_one_log_pair_before_and_after_it_was_imported(tmp_path, is_kept_as_logged):
    desk = lamp_desk(tmp_path)
    log = write_log(tmp_path / "own.jsonl", [conversation(), conversation("ticket_0608400800")])
    _, before = replayed(desk, log)
    import_again(desk, log)
    if is_kept_as_logged:
        as_before(desk)
    _, after = replayed(desk, log)
    assert [one.key for one in before] == [one.key for one in after] and after[1].key == 1437348508047303
    assert (before[0].conversation != after[0].conversation) == is_kept_as_logged


def test_a_conversation_is_hidden_and_read_by_the_id_of_its_log(desk):
    asked = [Turn("customer", "Which bulb?")]

    async def answers():
        async with await AsyncPipeline.open(desk, "retrieval") as pipeline:
            return [await pipeline.answer(asked, exclude=name) for name in (None, MAIL)]

    with Pipeline.open(desk, "retrieval") as pipeline:
        found = [pipeline.answer(asked, exclude=name) for name in (None, MAIL)]
        assert pipeline.conversation(MAIL).turns[1].text == BULB
        assert pipeline.conversation("past-0").id == "past-0" and pipeline.conversation("nobody's") is None
    for shown, hidden in (found, asyncio.run(answers())):
        assert BULB in [one.text for one in shown.candidates]
        assert BULB not in [one.text for one in hidden.candidates]


def test_a_replay_that_was_broken_off_goes_on(desk, tmp_path):
    names = [MAIL, "ann@example.com", "+44 7911 123456"]
    log = write_log(tmp_path / "three.jsonl", [conversation(name) for name in names])

    def stops(*_):
        raise KeyboardInterrupt

    with Pipeline.open(desk, "retrieval") as pipeline, pytest.raises(KeyboardInterrupt):
        replay(pipeline, [log], batch_size=2, on_progress=stops)
    report, turns = replayed(desk, log, batch_size=2)
    assert (report.run, report.turns, report.conversations) == (1, 3, 3)
    assert len({one.key for one in turns}) == 3 and [one.is_known for one in turns] == [False, True, True]


@pytest.mark.parametrize("is_imported_again", [False, True])
def test_tune_leaves_out_what_the_model_was_trained_on(desk, log, capsys, is_imported_again):
    """Also where the replay has the conversation under the id of the log, from an earlier version."""
    shutil.copytree(base_model_path(), desk.models_path / "model-0001")
    promote(desk.models_path, "model-0001")
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served, "as_of": False}
    if is_imported_again:
        import_again(desk, log)
    with desk.store() as store:
        now = KnownIds(store).of(MAIL)
    for kept in (MAIL, now):
        store_run(desk, "learned", [turn(place, 1, conversation=kept) for place in range(2)], **own)
        code, out, _ = call(desk, capsys, "tune", "learned", "--risk", "0.2")
        assert code == 1 and "Left out: 2 turns of conversations that the desk holds." in out


@pytest.mark.parametrize("is_imported_again", [False, True])
def test_forgetting_a_customer_reaches_stored_replays_of_logs_that_do_not_name_them(desk, log, is_imported_again):
    with desk.store() as store:
        name = redactor_of(store).stored_id(MAIL)
    run = store_run(desk, "old", [turn(0, 1, conversation=MAIL), turn(1, 1, conversation=name), turn(2, 1)])
    if is_imported_again:
        import_again(desk, log)
    assert forget_customer(desk, "c-50")["replayed turns"] == 2
    with desk.replays() as replays:
        assert [one.conversation for one in replays.turns(run, range(3))] == ["c-1"]
    with desk.store() as store:
        assert store.counts()["conversations"] == 5


@pytest.mark.parametrize("is_kept_as_logged", [False, True])
def test_who_is_known_by_the_id_of_a_conversation_alone_is_forgotten_by_it(tmp_path, is_kept_as_logged):
    log = write_log(tmp_path / "own.jsonl", [conversation(customer=None), conversation("past-x", customer=None)])
    desk = lamp_desk(tmp_path, log)
    if is_kept_as_logged:
        as_before(desk)
    replayed(desk, log)
    with pytest.raises(DeskError, match="knows no customer"):
        forget_customer(desk, "past-x")
    removed = forget_customer(desk, MAIL)
    assert (removed["conversations"], removed["pairs"], removed["replayed turns"]) == (1, 1, 1)
    with desk.writing(), desk.store() as store:
        report = import_logs(store, [log], rejects_dir=desk.rejects_path)
        assert (report.forgotten, report.conversations, report.unchanged) == (1, 0, 1)
        assert KnownIds(store).find(MAIL) is None and KnownIds(store).find("past-x") == "past-x"


def test_a_followed_log_is_counted_under_the_same_id(desk, tmp_path):
    said = [{"conversation": MAIL, "role": "customer", "text": "Which bulb?"}]
    said += [{"conversation": MAIL, "role": "agent", "text": BULB}]
    grows = tmp_path / "grows.jsonl"
    with desk.store() as store:
        watched = WatchedLogs([grows], redaction_of(store))
        seen = []
        for line in said:
            with grows.open("a") as file:
                file.write(json.dumps(line) + "\n")
            seen += watched.poll()[0]
        watched.close()
        assert [len(one.turns) for one in seen] == [1, 2]
        assert {one.id for one in seen} == {one.id for one in store.conversations([seen[0].id])}
