"""What `compare --fail-if-worse` does not let pass though nothing is worse: evidence that proves nothing."""

from __future__ import annotations

import json

import pytest
from lamp_desk import REFUND, lamp_desk
from stored_runs import desk_with_answers, random_ranks, store_run, turn

from bot.cli import main
from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.errors import DeskError
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from training.calibration import NEVER

GUARD = ("--fail-if-worse", "recall@1", "--margin", "0.01")
COUNT = 100


@pytest.fixture
def desk(tmp_path):
    desk = desk_with_answers(tmp_path)
    store_run(desk, "champion", [turn(place, rank) for place, rank in enumerate(random_ranks(COUNT, 0.5))])
    return desk


def rerun(desk, name, ranks):
    return store_run(desk, name, [turn(place, rank) for place, rank in enumerate(ranks)])


def broken_off(desk, name, turns):
    """A run of that name that was killed."""
    with desk.replays() as replays:
        run = replays.begin(f"killed {name}", "2026-11-02T10:00:00.000", "retrieval", 0.5, [], {}, {}, name)
        replays.add(run.id, turns, 1.0, turns[-1].entry, 2)
    return run.id


def compare(desk, capsys, *arguments, command="compare"):
    with pytest.raises(SystemExit) as ended:
        main([command, *map(str, arguments), "--desk", "shop", "--home", str(desk.home)])
    return ended.value.code, *capsys.readouterr()


def test_a_name_means_the_newest_run_that_is_finished_and_a_newer_one_that_is_not_is_said(desk, capsys):
    rerun(desk, "challenger", [3] * COUNT)
    killed = broken_off(desk, "champion", [turn(0, 3)])
    code, out, err = compare(desk, capsys, "champion", "challenger", *GUARD, "--json")
    assert code == 1 and json.loads(out)["turns"] == COUNT and json.loads(out)["worse"] == ["recall@1"]
    assert f"Replay {killed} 'champion' is newer but not finished; replay 1 is used." in err
    code, out, err = compare(desk, capsys, "champion", "--json", command="runs")
    assert code == 0 and json.loads(out)["run"] == 1 and f"Replay {killed} 'champion' is newer" in err
    assert "is newer" not in compare(desk, capsys, "challenger", "1")[2]


def test_an_unfinished_run_is_not_compared(desk, capsys):
    killed = broken_off(desk, "challenger", [turn(place, 1) for place in range(COUNT)])
    for name in ("challenger", killed):
        code, out, err = compare(desk, capsys, "champion", name, *GUARD)
        assert code == 1 and f"Replay {killed} is not finished" in err and not out and "Traceback" not in err


def test_turns_that_the_second_run_lacks_are_no_proof_unless_that_is_allowed(desk, capsys):
    rerun(desk, "most", random_ranks(COUNT, 0.5)[:80])
    code, out, _ = compare(desk, capsys, "champion", "most", *GUARD, "--json")
    (said,) = json.loads(out)["unproven"]
    assert code == 1 and said.startswith("20 of A's 100 turns are missing in B") and "--allow-missing" in said
    code, out, _ = compare(desk, capsys, "champion", "most", *GUARD)
    assert code == 1 and "This proves nothing: 20 of A's 100 turns" in out
    assert compare(desk, capsys, "champion", "most", *GUARD, "--allow-missing")[0] == 0
    assert compare(desk, capsys, "champion", "most")[0] == 0, "only a guard needs proof"
    assert compare(desk, capsys, "most", "champion", *GUARD)[0] == 0, "what only B holds takes nothing from A"


def test_a_handful_of_conversations_is_no_proof(desk, capsys):
    rerun(desk, "few", random_ranks(COUNT, 0.5)[:38])
    code, out, _ = compare(desk, capsys, "champion", "few", *GUARD, "--allow-missing", "--json")
    assert code == 1 and json.loads(out)["unproven"] == ["19 conversations are too few for any test: it takes 20."]
    rerun(desk, "enough", random_ranks(COUNT, 0.5)[:40])
    assert compare(desk, capsys, "champion", "enough", *GUARD, "--allow-missing")[0] == 0
    # Without a guard it is said too: the intervals of so few are too narrow.
    assert "19 conversations are too few for any test" in compare(desk, capsys, "champion", "few")[1]


def test_of_a_handful_of_conversations_b_is_called_neither_better_nor_worse(desk, capsys):
    for name, count in (("few", 38), ("enough", 40)):
        rerun(desk, f"{name} right", [1] * count)
        rerun(desk, f"{name} wrong", [3] * count)
        for first, second, word in (("wrong", "right", "better"), ("right", "wrong", "worse")):
            pair = (f"{name} {first}", f"{name} {second}")
            found = json.loads(compare(desk, capsys, *pair, "--json")[1])
            (one,) = (one for one in found["differences"] if one["metric"] == "recall@1")
            assert one["p"] < 0.05 and one["verdict"] == (word if name == "enough" else "")
            _, out, _ = compare(desk, capsys, *pair, "--fail-if-worse", "recall@1")
            table = out.partition("of p .05")[0]
            assert (word in table) == (name == "enough")
            assert ("B is worse in recall@1" in out) == ((name, word) == ("enough", "worse"))
            assert ("This proves nothing: 19 conversations" in out) == (name == "few")


def test_one_conversation_has_no_interval(desk, capsys):
    rerun(desk, "one", random_ranks(COUNT, 0.5)[:2])
    _, out, _ = compare(desk, capsys, "champion", "one", "--json")
    assert all(one["low"] is None and one["high"] is None for one in json.loads(out)["differences"])
    code, out, _ = compare(desk, capsys, "champion", "one", *GUARD, "--allow-missing")
    assert code == 1 and "B is worse in recall@1" not in out and "inf" not in out


def test_runs_that_were_not_replayed_alike_say_so(desk, capsys):
    rows = [turn(place, rank) for place, rank in enumerate(random_ranks(COUNT, 0.5))]
    store_run(desk, "dated", rows, as_of=True)
    _, out, _ = compare(desk, capsys, "champion", "dated")
    assert "B was replayed --as-of, A was not: that alone makes a difference." in out
    _, out, _ = compare(desk, capsys, "dated", "champion", "--json")
    assert json.loads(out)["unlike"] == ["A was replayed --as-of, B was not: that alone makes a difference."]
    with desk.replays() as replays:
        run = replays.begin("grown", "2026-11-03T10:00:00.000", "retrieval", 0.5, [], {"pairs": 9}, {}, "grown")
        replays.add(run.id, rows, 1.0, rows[-1].entry, 2)
        replays.finish(run.id, "2026-11-03T11:00:00.000")
    _, out, _ = compare(desk, capsys, "champion", "grown")
    assert "The desk held 4 pairs for A and 9 for B: not only the ranker differs." in out
    rerun(desk, "again", random_ranks(COUNT, 0.5))
    assert json.loads(compare(desk, capsys, "champion", "again", "--json")[1])["unlike"] == []


def test_another_encoder_and_other_pairs_are_said_where_both_runs_tell(desk, capsys):
    rows = [turn(place, rank) for place, rank in enumerate(random_ranks(COUNT, 0.5))]
    store_run(desk, "one", rows, encoder="small@1", pairs="aa")
    store_run(desk, "two", rows, encoder="large@2", pairs="bb")
    assert json.loads(compare(desk, capsys, "one", "two", "--json")[1])["unlike"] == [
        "A was replayed with the encoder small@1, B with large@2.",
        "The desk was changed between A and B: more than the ranker may differ.",
    ]
    for first, second in (("one", "one"), ("champion", "two"), ("two", "champion")):
        assert json.loads(compare(desk, capsys, first, second, "--json")[1])["unlike"] == []


def test_another_threshold_and_another_reading_of_confidence_are_said(desk, capsys):
    rows = [turn(place, rank) for place, rank in enumerate(random_ranks(COUNT, 0.5))]
    read = {"temperature": 0.1, "coefficients": [1.0, 0.0, 0.0], "intercept": 0.0}
    anew = read | {"scale": [0.5, -1.0]}
    store_run(desk, "early", rows, threshold=0.57, confidence=read)
    store_run(desk, "same", rows, threshold=0.57, confidence=read | {"scale": [1.0, 0.0]})
    store_run(desk, "tuned", rows, threshold=0.7, confidence=anew)
    store_run(desk, "off", rows, threshold=NEVER, confidence=anew)
    store_run(desk, "untold", rows, threshold=0.57)
    store_run(desk, "other", rows, "cross-attention:other", threshold=0.57, confidence=anew)
    further = "that alone makes a difference in what is answered."
    reading = "A and B read the confidence of the same ranker in two ways: that alone makes a difference in brier."
    for first, second, said in (
        ("early", "tuned", [f"A answered from 0.570 on, B from 0.700: {further}", reading]),
        ("tuned", "off", [f"A answered from 0.700 on, B was switched off: {further}"]),
        ("off", "tuned", [f"A was switched off, B answered from 0.700 on: {further}"]),
        # Earlier versions kept no scale, before that no reading; two rankers have a reading each.
        ("early", "same", []),
        ("early", "untold", []),
        ("early", "other", []),
    ):
        assert json.loads(compare(desk, capsys, first, second, "--json")[1])["unlike"] == said


def test_a_conversation_that_was_corrected_between_two_replays_is_said(tmp_path, capsys):
    desk = lamp_desk(tmp_path)

    def replayed(name):
        with Pipeline.open(desk, "bm25") as pipeline:
            replay(pipeline, [tmp_path / "log.jsonl"], name=name)

    replayed("before")
    replayed("again")
    log = (tmp_path / "log.jsonl").read_text()
    (tmp_path / "corrected.jsonl").write_text(log.replace(REFUND, "Your refund takes five working days."))
    with desk.writing(), desk.store() as store:
        held = store.counts()
        import_logs(store, [tmp_path / "corrected.jsonl"], redact=True, rejects_dir=desk.rejects_path)
        assert store.counts() == held
        update_index(desk.index_path, store, Embedder())
    replayed("after")
    for name, unlike in (("again", []), ("after", ["The desk was changed between A and B"])):
        with pytest.raises(SystemExit):
            main(["compare", "before", name, "--json", "--desk", "lamps", "--home", str(desk.home)])
        said = json.loads(capsys.readouterr().out)["unlike"]
        assert [one.partition(":")[0] for one in said] == unlike


def test_a_run_compared_with_itself_is_no_proof(desk, capsys):
    code, out, _ = compare(desk, capsys, "champion", "latest", *GUARD, "--json")
    assert code == 1 and json.loads(out)["unproven"] == ["A and B are the same run."]


def test_a_run_whose_turns_were_forgotten_says_so(desk, capsys):
    with desk.replays() as replays:
        replays.forget([], lambda name: name.startswith("c-"))
        with pytest.raises(DeskError, match="Replay 1 has no turns left"):
            replays.finished_run("champion")
    for command in (("runs", "champion"), ("compare", "champion", "champion")):
        code, out, err = compare(desk, capsys, *command[1:], command=command[0])
        assert code == 1 and "has no turns left: those it held were forgotten" in err and not out


def test_a_run_of_a_ranker_that_decides_nothing_is_compared_by_its_ranking_alone(desk, capsys):
    rows = [turn(place, rank) for place, rank in enumerate(random_ranks(COUNT, 0.5))]
    store_run(desk, "plain", rows, "bm25", threshold=0.7)
    code, out, _ = compare(desk, capsys, "champion", "plain", "--fail-if-worse", "recall@1", "--json")
    found = json.loads(out)
    assert code == 0 and [one["metric"] for one in found["differences"]] == [
        "recall@1",
        "recall@5",
        "recall@10",
        "mrr",
    ]
    assert found["undecided"].startswith("B's ranker bm25 only orders answers") and found["unlike"] == []
    code, out, _ = compare(desk, capsys, "plain", "champion", *GUARD, "--fail-if-worse", "brier")
    words = " ".join(out.split())
    assert code == 1 and "coverage - - - - - " in words and "-: A's ranker bm25 only orders answers" in words
    assert "This proves nothing: A's ranker bm25" in words and "It has no brier." in words
    code, out, _ = compare(desk, capsys, "champion", "1", "--json")
    assert len(json.loads(out)["differences"]) == 8 and json.loads(out)["undecided"] == ""
