"""Two stored replays compared: only shared turns, by conversations, with a verdict that can guard a deployment."""

from __future__ import annotations

import json

import pytest
from stored_runs import ANSWERS, desk_with_answers, random_ranks, store_run, turn

from bot.cli import main
from bot.comparison import Difference

COUNT = 240


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    desk = desk_with_answers(home)
    plain = random_ranks(COUNT, 0.5)
    # Better in a fifth of all turns, all of them about parcels; worse in none.
    better = [1 if place % 6 < 2 else rank for place, rank in enumerate(plain)]
    wrong = [place for place, rank in enumerate(plain) if rank > 1]
    slightly = [1 if place in wrong[:2] else rank for place, rank in enumerate(plain)]
    hostile = {"question": "\x1b[31mred [bold]", "conversation": "c\u202e-0"}
    rows = [turn(place, rank, **(hostile if place < 2 else {})) for place, rank in enumerate(plain)]
    store_run(desk, "plain", rows)
    store_run(desk, "better", [turn(place, rank) for place, rank in enumerate(better)])
    store_run(desk, "slightly", [turn(place, rank) for place, rank in enumerate(slightly)])
    store_run(desk, "again", [turn(place, rank) for place, rank in enumerate(plain)])
    store_run(desk, "other", [turn(place, 1, key=place) for place in range(4)])
    store_run(desk, "part", [turn(place, rank) for place, rank in enumerate(plain[:100])] + [turn(100, 1, key=1_000)])
    return home


def call(home, capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--desk", "shop", "--home", str(home)])
    return ended.value.code, *capsys.readouterr()


def compared(home, capsys, *arguments):
    code, out, _ = call(home, capsys, "compare", *arguments, "--json")
    return code, json.loads(out)


def figure(found, metric):
    return next(one for one in found["differences"] if one["metric"] == metric)


def test_a_better_run_is_called_better_and_the_other_way_round_worse(home, capsys):
    code, found = compared(home, capsys, "plain", "better")
    one = figure(found, "recall@1")
    assert code == 0 and one["verdict"] == "better" and one["p"] < 0.001
    assert one["low"] < one["difference"] < one["high"] and one["low"] > 0
    assert one["difference"] == pytest.approx(one["second"] - one["first"])
    _, back = compared(home, capsys, "better", "plain")
    assert figure(back, "recall@1")["verdict"] == "worse"
    assert figure(back, "recall@1")["difference"] == pytest.approx(-one["difference"])
    assert (back["wins"], back["losses"]) == (found["losses"], found["wins"]) == (0, found["wins"])
    assert found["wins"] + found["ties"] == COUNT == found["turns"]


def test_a_run_is_neither_better_nor_worse_than_itself(home, capsys):
    code, found = compared(home, capsys, "plain", "again", "--fail-if-worse", "recall@1", "--margin", "0.001")
    assert code == 0 and found["ties"] == COUNT and not found["gained"] and not found["lost"]
    assert not found["unproven"]
    for one in found["differences"]:
        assert (one["difference"], one["low"], one["high"], one["p"], one["verdict"]) == (0, 0, 0, 1, "")


def test_the_topics_and_examples_that_changed(home, capsys):
    _, found = compared(home, capsys, "better", "plain")
    assert found["topics"][-1]["topic"] == "parcel" and found["topics"][-1]["losses"] == found["losses"]
    assert all(topic["wins"] == topic["losses"] == 0 for topic in found["topics"][:-1])
    assert len(found["lost"]) == 10 and not found["gained"]
    for one in found["lost"]:
        assert one["first"] in ANSWERS and one["first_rank"] == 1 and one["second_rank"] == 3


def test_the_guard_fails_only_where_worse(home, capsys):
    guard = ("--fail-if-worse", "recall@1")
    assert compared(home, capsys, "plain", "better", *guard)[0] == 0
    code, found = compared(home, capsys, "better", "plain", *guard)
    assert code == 1 and found["worse"] == ["recall@1"]
    # Two turns of 240 are no proof; they pass the test, but not the margin.
    assert compared(home, capsys, "slightly", "plain", *guard)[0] == 0
    assert compared(home, capsys, "slightly", "plain", *guard, "--margin", "0.001")[0] == 1
    assert compared(home, capsys, "slightly", "plain", *guard, "--margin", "0.05")[0] == 0
    # Where more answers are wrong, lower would have been better.
    assert compared(home, capsys, "better", "plain", "--fail-if-worse", "answered_wrong")[0] == 1
    assert compared(home, capsys, "plain", "better", "--fail-if-worse", "answered_wrong")[0] == 0


def test_only_shared_turns_are_compared_each_once(home, capsys):
    _, found = compared(home, capsys, "plain", "part")
    assert (found["turns"], found["only_first"], found["only_second"]) == (100, COUNT - 100, 0)
    assert found["ties"] == 100 and (found["repeated_first"], found["repeated_second"]) == (0, 1)
    _, out, _ = call(home, capsys, "compare", "plain", "part")
    assert "left out: 0 turns of A and 1 of B that their logs hold once more" in out
    code, _, err = call(home, capsys, "compare", "plain", "other")
    assert code == 1 and "no turn in common" in err and "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("plain", "nowhere"), 1, "There is no replay 'nowhere'"),
        (("latest", "latest~99"), 1, "There is no replay 'latest~99'"),
        (("plain", "better", "--fail-if-worse", "luck"), 2, "There is no figure 'luck'"),
        (("plain", "better", "--margin", "0.1"), 2, "--margin is for --fail-if-worse"),
        (("plain", "better", "--allow-missing"), 2, "--allow-missing is for --fail-if-worse"),
    ],
)
def test_what_cannot_be_compared_is_said(home, capsys, arguments, code, said):
    ended, _, err = call(home, capsys, "compare", *arguments)
    assert ended == code and said in err and "Traceback" not in err


def test_how_it_looks(home, capsys):
    code, out, _ = call(home, capsys, "compare", "1", "2", "--fail-if-worse", "recall@1")
    assert code == 0
    for part in ("A: run 1 retrieval", "B: run 2 retrieval", "240 turns of 120 conversations", "better", "parcel"):
        assert part in out
    _, out, _ = call(home, capsys, "compare", "2", "1", "--fail-if-worse", "recall@1")
    assert "B is worse in recall@1." in out and "Ranked lower by B" in out and "(right one at 3)" in out
    assert "\x1b" not in out and "\u202e" not in out


def test_the_margin_is_on_the_side_that_is_worse():
    rising = Difference("recall@1", 0.5, 0.6, 0.1, -0.02, 0.22, 0.2, 40)
    assert rising.is_worse(0.01) and not rising.is_worse(0.03) and not rising.is_worse(None)
    wrong = Difference("answered_wrong", 0.1, 0.12, 0.02, -0.01, 0.05, 0.2, 40)
    assert wrong.is_worse(0.04) and not wrong.is_worse(0.06)
