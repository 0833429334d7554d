"""The monitor over a small desk: real encoder, real mood head, the command as its user types it."""

from __future__ import annotations

import json
import sys
import zoneinfo
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from monitored_desk import ANGRY, CALM, MONDAY, as_lines, conversation, monitored_desk, week

from bot.cli import main
from bot.monitoring import ALL, Monitor
from bot.periods import Periods
from conversations.model import Conversation, Turn


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return monitored_desk(tmp_path_factory.mktemp("home"))


@pytest.fixture
def make(desk):
    return lambda topic="topic": Monitor.of_desk(desk, Periods(timedelta(days=1)), 0.01, topic)


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
    monitor = Monitor.of_desk(desk, Periods(timedelta(days=1)), 0.01, "topic", unhappiest=2)
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
    assert monitor.running()[0].began.year == 2025, "what lies in the future does not run yet"
    (closed,) = monitor.close(until=datetime.now(UTC))
    assert {one.began.year for one in closed} == {2025} and monitor.running() == []
    ((last, *_),) = monitor.close()
    assert last.began.year == 9999 and last.reading.conversations == 1


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
        "tested": 7,
        "alarms": 2,
        "false_alarms": 0.01,
    }


def test_periods_that_could_not_be_tested_are_told_and_not_taken_for_quiet(desk, tmp_path, capfd):
    log = as_lines(tmp_path / "log.jsonl", week(9, angry_on=7))
    with pytest.raises(SystemExit) as ended:
        main(["monitor", str(log), "--desk", "shop", "--home", str(desk.home), "--topic", "topic"])
    assert ended.value.code == 0
    told = " ".join(capfd.readouterr().out.split())
    assert "Alarms in 1 of 7 periods that could be tested; where nothing has changed, 0.07 or fewer" in told
    assert "2 others had too few: it takes 3 conversations of a topic, and 20 of it before." in told


def test_days_are_those_of_the_time_zone_and_so_are_times_that_name_none(desk, tmp_path, capfd):
    evening = [
        replace(one, turns=tuple(replace(turn, at=f"{turn.at[:10]}T23:0{place % 10}:00") for turn in one.turns))
        for place, one in enumerate(week(9, angry_on=7))
    ]
    log = as_lines(tmp_path / "log.jsonl", evening)
    options = ["--topic", "topic", "--json", "--time-zone", "America/New_York", "--unhappy", "1"]
    with pytest.raises(SystemExit):
        main(["monitor", str(log), "--desk", "shop", "--home", str(desk.home), *options])
    *alarmed, unhappy, summary = map(json.loads, capfd.readouterr().out.splitlines())
    # The clocks were set forward the day before.
    assert {one["period"] for one in (*alarmed, unhappy)} == {"2025-03-10T00:00:00-04:00"}
    assert len(alarmed) == 2 and summary["periods"] == 9


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


@pytest.mark.parametrize("written", ['{"id": "a", "turns": [\n', '{"id": "a", "turns": []}\n'])
def test_logs_in_which_nothing_can_be_read_are_an_error(desk, tmp_path, capfd, written):
    (tmp_path / "log.jsonl").write_text(written)
    with pytest.raises(SystemExit) as ended:
        main(["monitor", str(tmp_path / "log.jsonl"), "--desk", "shop", "--home", str(desk.home), "--json"])
    out, err = capfd.readouterr()
    assert ended.value.code == 1
    assert json.loads(out)["error"] == "No conversation could be read." and "log.jsonl:1: " in err


def test_a_topic_field_that_no_conversation_has_is_told(desk, tmp_path, capfd):
    log = as_lines(tmp_path / "log.jsonl", week(1))
    for field, told in (("nope", 1), ("topic", 0)):
        with pytest.raises(SystemExit):
            main(["monitor", str(log), "--desk", "shop", "--home", str(desk.home), "--topic", field])
        said = " ".join("".join(capfd.readouterr()).split())
        assert said.count("No conversation has the field nope: all are one topic, (none).") == told


@pytest.mark.parametrize("period", ["0d", "1w", "-1h", "day", "99999d"])
def test_a_period_that_is_none_is_refused_in_one_line(period, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["monitor", "log.jsonl", "--period", period])
    assert ended.value.code == 2
    assert "is no length of time" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["new york", "", "America", "../UTC", "America/New_Yorck", "x" * 300])
def test_a_time_zone_that_is_none_is_refused_in_one_line(name, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["monitor", "log.jsonl", "--time-zone", name])
    assert ended.value.code == 2
    assert "is no time zone such as America/New_York" in capfd.readouterr().err.splitlines()[-1]


def test_where_there_is_no_database_of_time_zones_it_is_said_how_to_get_one(desk, monkeypatch, capfd):
    for name in ("tzdata", "tzdata.zoneinfo"):
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath(to=())
    try:
        for name, said in (("Antarctica/Troll", "pip install tzdata"), ("UTC", "none.jsonl does not exist")):
            with pytest.raises(SystemExit) as ended:
                main(["monitor", "none.jsonl", "--desk", "shop", "--home", str(desk.home), "--time-zone", name])
            (line,) = capfd.readouterr().err.splitlines()
            assert ended.value.code == 1 and said in line
    finally:
        zoneinfo.reset_tzpath()
