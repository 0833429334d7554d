"""The monitor of logs that grow: what alarms, and what is said of conversations that can alarm nobody."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from monitored_desk import ANGRY, CALM, MONDAY, as_lines, monitored_desk, week

from bot.cli import main
from bot.growing_log import AT_ONCE
from bot.monitor_view import MonitorScreen
from bot.monitoring import ALL, Monitor
from bot.periods import Periods
from bot.watching import WatchedLogs, watch


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return monitored_desk(tmp_path_factory.mktemp("home"))


@pytest.fixture
def make(desk):
    return lambda length=timedelta(days=1), zone=UTC: Monitor.of_desk(desk, Periods(length, zone), 0.01, "topic")


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
                turn["meta"] = {"topic": "refunds"}
                file.write(json.dumps(turn) + "\n")
        for topic in (ALL, "refunds"):
            alarm = json.loads(started.stdout.readline())
            assert (alarm["kind"], alarm["topic"]) == ("alarm", topic)
            assert (alarm["period"][:10], alarm["conversations"]) == ("2025-03-11", 6)
        started.send_signal(signal.SIGINT)
        *_, summary = started.stdout.read().splitlines()
        assert json.loads(summary)["conversations"] == 102 and json.loads(summary)["rejected"] == 1
        assert started.wait(30) == 0
    finally:
        started.kill()
        started.communicate()


class Busy(WatchedLogs):
    """Logs in which a conversation comes at every look."""

    def __init__(self, path, now):
        super().__init__([path], lambda one: one)
        self.path, self.now, self.looks = path, now, 0

    def poll(self):
        self.looks += 1
        if self.looks > 20:
            raise KeyboardInterrupt
        turn = {"role": "customer", "text": CALM[0][1], "at": self.now().isoformat()}
        with self.path.open("a") as file:
            file.write(json.dumps({"id": f"now-{self.looks}", "turns": [turn]}) + "\n")
        return super().poll()


class Screen(MonitorScreen):
    """Keeps what it shows."""

    def __init__(self):
        super().__init__(as_json=True)
        self.running, self.told = (), []

    def show(self, statuses):
        self.running = statuses

    def tell(self, text):
        self.told.append(text)


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch):
    monkeypatch.setattr("bot.watching.EVERY", 0.01)


def test_a_log_in_which_something_comes_at_every_look_is_told_of_all_the_same(make, tmp_path, capfd):
    path = as_lines(tmp_path / "log.jsonl", week(60, angry_on=50))
    assert path.stat().st_size > 2 * AT_ONCE, "the past takes several looks"
    monitor, screen = make(), Screen()
    watch(monitor, Busy(path, lambda: datetime.now(UTC)), screen)
    told = {(one["topic"], one["period"][:10]) for one in map(json.loads, capfd.readouterr().out.splitlines())}
    assert {("refunds", "2025-04-22"), (ALL, "2025-04-22")} <= told
    assert monitor.late == 0 and screen.running[0].reading.conversations > 10 and not screen.told


NEW_YORK = ZoneInfo("America/New_York")


def new_york_now():
    """What clocks show there; the name of the zone is not in the log."""
    return datetime.now(NEW_YORK).replace(tzinfo=None)


def test_what_is_logged_by_a_clock_west_of_the_time_zone_is_left_out_and_that_is_told_with_the_remedy(make, tmp_path):
    monitor, screen = make(timedelta(hours=1)), Screen()
    watch(monitor, Busy(tmp_path / "log.jsonl", new_york_now), screen)
    assert monitor.late >= 18, "all but the first of an hour"
    late, clock = screen.told
    assert "left out, 1 so far" in late and "read in UTC (--time-zone)" in late
    assert re.search("are about [45] hours behind this machine's clock", clock) and "--time-zone" in clock


def test_with_its_time_zone_named_all_of_it_counts(make, tmp_path):
    monitor, screen = make(timedelta(hours=1), NEW_YORK), Screen()
    watch(monitor, Busy(tmp_path / "log.jsonl", new_york_now), screen)
    assert monitor.late == 0 and not screen.told
    began = screen.running[0].began
    assert began.tzinfo is NEW_YORK and timedelta() <= datetime.now(UTC) - began < timedelta(hours=2)


def test_what_cannot_be_followed_is_refused(desk, tmp_path, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["monitor", str(tmp_path), "--desk", "shop", "--home", str(desk.home), "--follow"])
    assert ended.value.code == 2 and "cannot be followed" in capfd.readouterr().err
