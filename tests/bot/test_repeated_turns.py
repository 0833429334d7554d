"""Logs that hold turns more than once, such as daily exports of conversations that go on: each turn counts once."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from lamp_desk import lamp_desk
from stored_runs import random_ranks, store_run, turn

from bot.cli import main
from bot.pipeline import Pipeline
from bot.replay_figures import report_of
from bot.replay_page import write_page

COUNT = 240


def exported_again(turns):
    """The same log with another behind it, that holds of each conversation all its turns once more."""
    entries = turns[-1].entry + 1
    later = [replace(one, position=one.position + len(turns), entry=one.entry + entries) for one in turns]
    return [*turns, *later]


def exported_in_parts(turns):
    """The same turns, of each conversation the first in one file and the second in another."""
    entries = turns[-1].entry + 1
    ordered = [one for one in turns if one.number == 1], [one for one in turns if one.number == 2]
    later = [replace(one, entry=one.entry + entries) for one in ordered[1]]
    return [replace(one, position=place) for place, one in enumerate([*ordered[0], *later])]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = lamp_desk(tmp_path_factory.mktemp("repeated"))
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served}
    levels = np.linspace(0.99, 0.2, COUNT)
    wrong = np.repeat(np.random.default_rng(3).random(COUNT // 2) > levels[::2] ** 0.3, 2)
    once = [turn(place, 3 if wrong[place] else 1, confidence=float(levels[place])) for place in range(COUNT)]
    other = [replace(one, rank=rank) for one, rank in zip(once, random_ranks(COUNT, 0.5), strict=True)]
    for name, turns in (("once", once), ("other", other)):
        store_run(desk, name, turns, **own)
        store_run(desk, f"{name} again", exported_again(turns), **own)
        store_run(desk, f"{name} in parts", exported_in_parts(turns), **own)
    return desk


def call(desk, capsys, *arguments):
    with pytest.raises(SystemExit):
        main([*arguments, "--desk", "lamps", "--home", str(desk.home)])
    return capsys.readouterr().out


@pytest.mark.parametrize("how", ["again", "in parts"])
def test_tuning_counts_each_turn_once_and_the_turns_of_a_conversation_together(desk, capsys, how):
    once, more = (
        json.loads(call(desk, capsys, "tune", name, "--risk", "0.3", "--dry-run", "--json"))
        for name in ("once", f"once {how}")
    )
    assert once["chosen"]["conversations"] > 20
    del once["run"], more["run"]
    assert more == once


@pytest.mark.parametrize("how", ["again", "in parts"])
def test_a_comparison_takes_the_turns_of_a_conversation_together(desk, capsys, how):
    once, more = (
        json.loads(call(desk, capsys, "compare", f"once{kind}", f"other{kind}", "--json")) for kind in ("", f" {how}")
    )
    assert once["conversations"] == more["conversations"] == COUNT // 2
    for one, other in zip(once["differences"], more["differences"], strict=True):
        # The draws meet the conversations in another order.
        assert (other["difference"], other["p"]) == pytest.approx((one["difference"], one["p"]), abs=0.02)
        assert (other["low"], other["high"]) == pytest.approx((one["low"], one["high"]), abs=0.02)
    assert more["repeated_first"] == (COUNT if how == "again" else 0)


def test_the_figures_and_the_page_count_each_turn_once_and_say_so(desk, tmp_path, capsys):
    with desk.replays() as replays:
        once, again, parts = (
            report_of(replays, replays.finished_run(f"once{kind}")) for kind in ("", " again", " in parts")
        )
    for report in (again, parts):
        assert (report.turns, report.conversations) == (COUNT, COUNT // 2)
        assert (report.recall_at_1, report.mrr) == (once.recall_at_1, pytest.approx(once.mrr))
        assert report.decided == once.decided
    assert (once.repeated, again.repeated, parts.repeated) == (0, COUNT, 0) and not once.remarks
    said = f"{COUNT} turns that the logs hold once more are left out."
    assert again.remarks == [said] and again.as_json()["repeated"] == COUNT
    pages = [write_page(tmp_path, desk, report).read_text(encoding="utf-8") for report in (once, again)]
    assert said in pages[1] and said not in pages[0]
    assert {run["turns"] for run in json.loads(call(desk, capsys, "runs", "--json"))["runs"]} == {COUNT}


def test_the_parts_that_a_page_counts_are_those_of_its_figures(desk):
    with desk.replays() as replays:
        once, again = (replays.finished_run(name).id for name in ("once", "once again"))
        for by in ("topic", "number", "language", "week", "source"):
            assert replays.breakdown(again, by) == replays.breakdown(once, by)
        for is_right in (True, False):
            assert replays.answers(again, 9, is_right) == replays.answers(once, 9, is_right)
        misses = [[one.key for one in replays.most_confident(run, 30, "misses")] for run in (once, again)]
        assert misses[0] == misses[1]
        assert replays.labels(again, "topic")[0].tolist() == replays.labels(once, "topic")[0].tolist()
        assert replays.conversations(again) == replays.conversations(once)
