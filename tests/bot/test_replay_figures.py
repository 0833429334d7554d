"""The figures of a replay: how answers were ranked, and what was answered once it was decided whether to answer."""

from __future__ import annotations

import json

import pytest
from lamp_desk import call, lamp_desk, visits, write_log
from stored_runs import desk_with_answers, random_ranks, store_run, turn

from bot.comparison import METRICS
from bot.replay_figures import report_of
from bot.replay_page import write_page


def test_on_a_desk_that_hands_everything_over_only_the_ranking_is_right(tmp_path, capsys):
    desk = lamp_desk(tmp_path)
    log = write_log(tmp_path / "new.jsonl", visits(3))
    assert call(desk, capsys, "tune", "--off")[0] == 0
    code, out, _ = call(desk, capsys, "replay", log, "--report", tmp_path / "page", "--json")
    figures = json.loads(out)
    assert code == 0 and figures["decisions"] == {"answer": 0, "ask": 0, "handoff": 6}
    assert figures["recall@1"] == 0.5
    assert figures["coverage"] == figures["answered_right"] == 0
    (page,) = (tmp_path / "page").glob("*.html")
    words = " ".join(page.read_text("utf-8").split())
    assert "<strong>0.0 %</strong> answered right, of all turns" in words
    assert "<strong>50.0 %</strong> ranked first (recall@1), answered or not" in words


def test_a_table_names_the_ranking_apart_from_what_was_answered(tmp_path, capsys):
    desk = lamp_desk(tmp_path)
    code, out, _ = call(desk, capsys, "replay", write_log(tmp_path / "new.jsonl", visits(1)))
    rows = [line.strip() for line in out.splitlines()]
    assert code == 0 and not any(row.startswith("recall@") for row in rows)
    place = next(place for place, row in enumerate(rows) if row.startswith("coverage"))
    assert rows[place + 1].startswith("answered right") and any(row.startswith("ranking recall@1") for row in rows)


def test_hand_overs_and_questions_back_are_misses_of_what_was_answered_right_overall_and_by_topic(tmp_path):
    desk = desk_with_answers(tmp_path)
    turns = [turn(place, rank) for place, rank in enumerate(random_ranks(60, 0.6))]
    run = store_run(desk, "run", turns)
    with desk.replays() as replays:
        report = report_of(replays, replays.run(str(run)))
        columns = replays.numbers(run, ("decision = 'answer'", "is_right"))
    rightly = [one for one in turns if one.decision == "answer" and one.is_right]
    assert 0 < len(rightly) < report.answered < report.turns
    assert report.answered_right == pytest.approx(len(rightly) / 60)
    assert report.answered_right == METRICS["answered_right"](columns).mean(), "as compare reckons it"
    page = write_page(tmp_path, desk, report).read_text("utf-8")
    own = [one for one in turns if one.topic == "lamp"]
    share = sum(one in rightly for one in own) / len(own)
    row = next(line for line in page.splitlines() if '<td class="name">lamp</td>' in line)
    assert row.endswith(f"<td>{100 * share:.1f} %</td></tr>")
