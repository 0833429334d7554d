"""The figures of a replay: how answers were ranked, and what was answered once it was decided whether to answer."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from lamp_desk import call, lamp_desk, visits, write_log
from stored_runs import desk_with_answers, random_ranks, store_run, turn

from bot.cli import main
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
    assert 0 < len(rightly) < report.decided.answered < report.turns
    assert report.decided.answered_right == pytest.approx(len(rightly) / 60)
    assert report.decided.answered_right == METRICS["answered_right"](columns).mean(), "as compare reckons it"
    page = write_page(tmp_path, desk, report).read_text("utf-8")
    own = [one for one in turns if one.topic == "lamp"]
    share = sum(one in rightly for one in own) / len(own)
    row = next(line for line in page.splitlines() if '<td class="name">lamp</td>' in line)
    assert row.endswith(f"<td>{100 * share:.1f} %</td></tr>")


def table(out):
    """The figures of a table by their names."""
    return dict(line.strip().rsplit(maxsplit=1) for line in out.splitlines()[1:] if line.strip())


def test_of_what_is_right_it_is_told_how_much_names_another_figure(tmp_path, capsys):
    desk = lamp_desk(tmp_path)
    other = json.loads(json.dumps(next(visits(1))).replace("ten seconds", "20 seconds")) | {"id": "other"}
    log = write_log(tmp_path / "new.jsonl", [*visits(4), other])
    code, out, _ = call(desk, capsys, "replay", log, "--report", tmp_path / "page", "--json")
    figures = json.loads(out)
    assert code == 0 and figures["recall@1"] == 0.5 and figures["recall@1_other_figure"] == pytest.approx(0.2)
    (page,) = (tmp_path / "page").glob("*.html")
    section = page.read_text("utf-8").partition("Right, but with another figure</h2>")[2].partition("</table>")[0]
    assert section.count("<tr>") == 2 and "for 20 seconds" in section and "for ten seconds" in section
    assert '<td class="text said">10</td>' in section
    _, out, _ = call(desk, capsys, "runs", "latest")
    assert table(out)["another figure, of ranking recall@1"] == "0.200"


def test_figures_are_of_what_was_answered_rightly_and_unknown_where_an_earlier_version_did_not_look(tmp_path, capsys):
    desk = desk_with_answers(tmp_path)
    # Right are the first eight of twelve; of these the desk answers the first, the fourth and the seventh.
    turns = [turn(place, 1 if place < 8 else 3, other_figures=place in (0, 1, 9)) for place in range(12)]
    store_run(desk, "run", turns)
    store_run(desk, "earlier", [replace(one, other_figures=None) for one in turns])
    with desk.replays() as replays:
        told, earlier = (report_of(replays, replays.run(name)) for name in ("run", "earlier"))
    assert (told.decided.answered_right_other_figure, told.other_figure_first) == (pytest.approx(1 / 3), 2 / 8)
    assert (earlier.decided.answered_right_other_figure, earlier.other_figure_first) == (None, None)
    pages = [write_page(tmp_path, desk, report).read_text("utf-8") for report in (told, earlier)]
    assert ["not looked for in this run" in page for page in pages] == [False, True]
    with pytest.raises(SystemExit):
        main(["runs", "earlier", "--desk", "shop", "--home", str(desk.home)])
    assert table(capsys.readouterr().out)["another figure, of answered right"] == "-"


@pytest.mark.parametrize("ranker", ["bm25", "cosine", "retrieval"])
def test_of_a_ranker_that_no_desk_answers_with_it_is_not_told_what_it_would_answer(tmp_path, capsys, ranker):
    desk = lamp_desk(tmp_path)
    log = write_log(tmp_path / "new.jsonl", visits(2))
    asked = ("replay", log, "--ranker", ranker, "--ranker", "cross-attention", "--report", tmp_path / "page")
    code, out, _ = call(desk, capsys, *asked)
    assert code == 0 and " ".join(out.split()).count("-: no desk answers with this ranker") == 1
    plain, own = json.loads(call(desk, capsys, *asked, "--json")[1])["rankers"]
    assert plain.keys() == own.keys() and own["coverage"] is not None and plain["mrr"] > 0
    told = ("coverage", "answered_right", "ece", "ece_p", "careful_coverage", "aurc", "accuracy_when_answered")
    assert {plain[name] for name in told} | set(plain["decisions"].values()) == {None}
    page, others = (path.read_text("utf-8") for path in sorted((tmp_path / "page").glob("*.html"))[:2])
    assert "it only orders the answers" in page and "Reliability" not in page and "Risk and coverage" not in page
    assert "it only orders the answers" not in others and "Reliability" in others
    assert (
        "it only orders" not in call(desk, capsys, "runs", "2")[1]
        and "-: no desk" in call(desk, capsys, "runs", "1")[1]
    )
