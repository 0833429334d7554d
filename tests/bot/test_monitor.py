"""The monitor over a small desk: real encoder, real mood head, the command as its user types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import main
from bot.growing_log import AT_ONCE
from bot.monitor_view import MonitorScreen
from bot.monitoring import ALL, Monitor
from bot.watching import WatchedLogs, watch
from conversations.desk import Desk
from conversations.importing import import_logs
from conversations.model import Conversation, Turn

SAMPLE = Path(__file__).resolve().parents[2] / "conversations" / "sample"
CALM = (
    ("parcels", "Could you tell me which day my parcel is due?"),
    ("parcels", "I would like to change the address of my parcel, please."),
    ("refunds", "How long does a refund to my card usually take?"),
    ("refunds", "Thank you, the refund arrived this morning."),
)
ANGRY = "This is the third time I ask for my refund and nobody cares. I am absolutely furious!"
MONDAY = datetime(2025, 3, 3, 9, tzinfo=UTC)


def conversation(number, day, topic, text):
    at = (MONDAY + timedelta(days=day, minutes=number % 600)).isoformat()
    turns = (Turn("customer", text, at), Turn("agent", "I am looking into it.", at))
    return Conversation(f"c-{number}", turns, meta={"topic": topic})


def week(days, angry_on=None):
    """Six conversations on parcels and six on refunds a day."""
    for day in range(days):
        for place in range(12):
            topic, text = CALM[place % 4]
            is_angry = day == angry_on and topic == "refunds"
            yield conversation(100 * day + place, day, topic, ANGRY if is_angry else text)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk.create(tmp_path_factory.mktemp("home"), "shop")
    with desk.writing(), desk.store() as store:
        import_logs(store, [SAMPLE / "returning.jsonl"], redact=True, rejects_dir=desk.rejects_path)
    return desk


@pytest.fixture
def make(desk):
    return lambda topic="topic": Monitor.of_desk(desk, timedelta(days=1), 0.01, topic)


def as_lines(path, conversations):
    with path.open("w") as file:
        for one in conversations:
            turns = [{"role": turn.role, "text": turn.text, "at": turn.at} for turn in one.turns]
            file.write(json.dumps({"id": one.id, "turns": turns, "meta": one.meta}) + "\n")
    return path


def alarms(periods):
    every = [one for statuses in periods for one in statuses]
    return {(one.began.date(), one.reading.series) for one in every if one.reading.is_alarm}


def test_a_burst_is_told_on_its_day_and_in_its_topic_alone(make):
    monitor = make()
    monitor.add(week(9, angry_on=7))
    assert alarms(monitor.close()) == {((MONDAY + timedelta(days=7)).date(), name) for name in ("refunds", ALL)}


def test_a_calm_log_raises_nothing_in_any_order(make):
    monitor = make()
    monitor.add(reversed(list(week(9))))
    assert alarms(monitor.close()) == set()


def test_without_a_topic_in_the_log_topics_come_from_the_past(make):
    monitor = make(None)
    monitor.add(week(9, angry_on=7))
    periods = list(monitor.close())
    found = {one.reading.series for statuses in periods for one in statuses}
    assert len(found) > 1 and ALL in found and "refunds" not in found
    assert ((MONDAY + timedelta(days=7)).date(), ALL) in alarms(periods)


def test_a_conversation_that_goes_on_counts_once_as_it_stands_last(make):
    monitor = make()
    monitor.add(conversation(1, 0, "refunds", CALM[0][1]) for _ in range(3))
    monitor.add([conversation(1, 0, "refunds", ANGRY)])
    whole = next(one for one in monitor.running() if one.reading.series == ALL)
    assert whole.reading.conversations == 1 and whole.reading.mood < -0.5
    assert whole.examples == (("c-1", ANGRY),)


def test_periods_that_run_are_not_closed_and_late_conversations_are_counted_as_such(make):
    monitor = make()
    monitor.add(week(2))
    closed = list(monitor.close(until=MONDAY + timedelta(days=1)))
    assert len(closed) == 1 and monitor.running()[0].began.day == 4
    monitor.add([conversation(999, 0, "refunds", ANGRY)])
    assert monitor.late == 1


def test_the_unhappiest_are_those_that_sound_worst_at_their_end_as_they_stand_last(desk):
    monitor = Monitor.of_desk(desk, timedelta(days=1), 0.01, "topic", unhappiest=2)
    calm, angry = Turn("customer", CALM[3][1]), Turn("customer", ANGRY)
    dated = replace(calm, at=MONDAY.isoformat())
    soothed = Conversation("soothed", (replace(angry, at=dated.at), calm, calm, calm), meta={"topic": "refunds"})
    worsened = Conversation("worsened", (dated, angry, angry, angry), meta={"topic": "refunds"})
    undated = Conversation("undated", (angry, angry), meta={"topic": "parcels"})
    monitor.add(Conversation(f"calm {number}", (dated,)) for number in range(100))
    monitor.add([soothed, replace(soothed, id="again", turns=(angry, angry)), worsened, undated])
    monitor.add([replace(soothed, id="again")])
    found = monitor.unhappy
    assert [one.conversation for one in found] == ["undated", "worsened"]
    assert [one.began and one.began.day for one in found] == [None, 3] and found[0].heard.worst == ANGRY
    assert monitor.undated == 1 and found[0].heard.whole < found[1].heard.whole < -0.5


def test_conversations_without_a_time_or_with_a_nonsense_one_are_left_out(make):
    monitor = make()
    monitor.add([Conversation("x", (Turn("customer", ANGRY),)), Conversation("y", (Turn("customer", "hi", "soon"),))])
    assert monitor.undated == 2 and monitor.running() == []


def test_a_conversation_is_counted_once_whatever_becomes_of_it(make):
    monitor = make()
    monitor.add(week(2))
    list(monitor.close(until=MONDAY + timedelta(days=1)))
    monitor.add(conversation(number, 0, "refunds", ANGRY) for number in (0, 0, 1, 999, 999))
    undated = Conversation("x", (Turn("customer", ANGRY),))
    monitor.add([undated, undated])
    assert (monitor.conversations, monitor.late, monitor.undated) == (26, 1, 1)


def test_a_time_that_cannot_be_read_or_lies_at_the_end_of_all_times_is_no_trouble(make):
    monitor = make()
    first, second = Turn("customer", ANGRY, "n/a"), Turn("customer", ANGRY, MONDAY.isoformat())
    monitor.add([Conversation("a", (first, second)), Conversation("b", (replace(first, at="9999-12-31T23:59:59Z"),))])
    assert monitor.undated == 0
    (closed,) = monitor.close(until=datetime.now(UTC))
    assert {one.began.year for one in closed} == {2025} and monitor.running()[0].began.year == 9999


def test_the_command_prints_a_json_line_for_each_alarm_and_a_summary(desk, tmp_path, capfd):
    log = as_lines(tmp_path / "log.jsonl", week(9, angry_on=7))
    with pytest.raises(SystemExit) as ended:
        options = ["--desk", "shop", "--home", str(desk.home), "--topic", "topic", "--json", "--unhappy", "3"]
        main(["monitor", str(log), *options])
    assert ended.value.code == 0
    *alarmed, first, second, third, summary = map(json.loads, capfd.readouterr().out.splitlines())
    for one in (first, second, third):
        assert (one["kind"], one["topic"], one["example"]) == ("unhappy", "refunds", ANGRY)
        assert one["period"][:10] == "2025-03-10" and one["mood"] < -0.5
    assert {one["topic"] for one in alarmed} == {ALL, "refunds"}
    assert all(one["kind"] == "alarm" and one["mood"] < one["usual_mood"] for one in alarmed)
    assert {one["topic"]: one["conversations"] for one in alarmed} == {ALL: 12, "refunds": 6}
    assert summary == {
        "kind": "summary",
        "conversations": 108,
        "undated": 0,
        "late": 0,
        "rejected": 0,
        "periods": 9,
        "alarms": 2,
        "false_alarms": 0.01,
    }


def test_customers_whom_nobody_answers_are_heard_and_what_cannot_be_read_is_told(desk, tmp_path, capfd):
    log = as_lines(tmp_path / "log.jsonl", week(8))
    furious = [conversation(900 + place, 8, "refunds", ANGRY) for place in range(8)]
    with as_lines(tmp_path / "tail.jsonl", [replace(one, turns=one.turns[:1]) for one in furious]).open("a") as file:
        file.write("this is no JSON\n")
    logs = [str(log), str(tmp_path / "tail.jsonl")]
    with pytest.raises(SystemExit):
        main(["monitor", *logs, "--desk", "shop", "--home", str(desk.home), "--topic", "topic", "--json"])
    out, err = capfd.readouterr()
    *alarmed, summary = map(json.loads, out.splitlines())
    assert {(one["topic"], one["conversations"]) for one in alarmed} == {(ALL, 8), ("refunds", 8)}
    assert (summary["conversations"], summary["rejected"]) == (104, 1)
    assert "tail.jsonl:9: broken JSON" in err


def test_a_followed_log_alarms_as_it_grows_and_ctrl_c_sums_up(desk, tmp_path):
    log = as_lines(tmp_path / "log.jsonl", week(8))
    command = [
        "monitor",
        str(log),
        "--desk",
        "shop",
        "--home",
        str(desk.home),
        "--topic",
        "topic",
        "--follow",
        "--json",
    ]
    # Where the tests themselves run in the background, Ctrl-C is ignored, and that would be inherited.
    start = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); import bot.cli; bot.cli.main()"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", start, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        with log.open("a") as file:
            file.write("this is no JSON\n")
            file.flush()
            assert "line 97" in started.stderr.readline(), "the bad line is named, and the rest goes on"
            for number in range(6):
                at = (MONDAY + timedelta(days=8, minutes=number)).isoformat()
                turn = {"role": "customer", "text": ANGRY, "at": at, "conversation": f"new-{number}"}
                file.write(json.dumps(turn) + "\n")
        alarm = json.loads(started.stdout.readline())
        assert (alarm["kind"], alarm["period"][:10], alarm["conversations"]) == ("alarm", "2025-03-11", 6)
        started.send_signal(signal.SIGINT)
        *_, summary = started.stdout.read().splitlines()
        assert json.loads(summary)["conversations"] == 102 and json.loads(summary)["rejected"] == 1
        assert started.wait(30) == 0
    finally:
        started.kill()
        started.communicate()


def test_a_log_in_which_something_comes_at_every_look_is_told_of_all_the_same(make, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("bot.watching.EVERY", 0.01)
    path = as_lines(tmp_path / "log.jsonl", week(60, angry_on=50))
    assert path.stat().st_size > 2 * AT_ONCE, "the past takes several looks"

    class Busy(WatchedLogs):
        looks = 0

        def poll(self):
            self.looks += 1
            if self.looks > 20:
                raise KeyboardInterrupt
            turn = {"role": "customer", "text": CALM[0][1], "at": datetime.now(UTC).isoformat()}
            with path.open("a") as file:
                file.write(json.dumps({"id": f"now-{self.looks}", "turns": [turn]}) + "\n")
            return super().poll()

    class Screen(MonitorScreen):
        running = ()

        def show(self, statuses):
            self.running = statuses

    monitor, screen = make(), Screen(as_json=True)
    watch(monitor, Busy([path], lambda one: one), screen)
    told = {(one["topic"], one["period"][:10]) for one in map(json.loads, capfd.readouterr().out.splitlines())}
    assert {("refunds", "2025-04-22"), (ALL, "2025-04-22")} <= told
    assert monitor.late == 0 and screen.running[0].reading.conversations > 10


def test_what_cannot_be_followed_is_refused(desk, tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["monitor", str(tmp_path), "--desk", "shop", "--home", str(desk.home), "--follow"])
    assert ended.value.code == 2 and "cannot be followed" in capfd.readouterr().err


@pytest.mark.parametrize("period", ["0d", "1w", "-1h", "day", "99999d"])
def test_a_period_that_is_none_is_refused_in_one_line(period, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["monitor", "log.jsonl", "--period", period])
    assert ended.value.code == 2
    assert "is no length of time" in capfd.readouterr().err
