"""A desk that `tune` does not find ready: what is missing, how wrong it is as it stands, and how to switch it off."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from lamp_desk import lamp_desk
from stored_runs import store_run, turn

from bot.cli import main
from bot.pipeline import Pipeline
from conversations.model import Turn
from training.registry import base_model_path, promote

QUESTION = [Turn("customer", "my lamp does not light up at all")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = lamp_desk(tmp_path_factory.mktemp("refused"))
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served}
        own["confidence"] = pipeline.decision.reading()
        threshold = pipeline.threshold
    # The desk answers four turns, of which three are wrong.
    levels = [threshold + 0.05] * 4 + [threshold - 0.05] * 156
    unsure = [turn(place, 3 if place < 3 else 1, confidence=levels[place]) for place in range(160)]
    store_run(desk, "unsure", unsure, **own)
    # Of six turns three are wrong, of the others two thirds.
    store_run(desk, "hopeless", risky(120, lambda place: place < 3 or (place > 5 and place % 3 > 0)), **own)
    # One in twenty-five is wrong everywhere: a risk of 5 % could be promised with many more turns.
    store_run(desk, "promising", risky(200, lambda place: place % 25 == 12), **own)
    store_run(desk, "good", risky(400, lambda place: place > 200 and place % 2), **own)
    # Three turns to a conversation: all of it may count for less than 45 cases, though half is wrong everywhere.
    for name, is_wrong in (
        ("half wrong", lambda place: place % 2 > 0),
        ("surest right", lambda place: place > 30 and place % 2 > 0),
        ("some wrong", lambda place: place % 11 == 10),
    ):
        store_run(
            desk,
            name,
            [
                replace(one, conversation=f"c-{one.position // 3}", entry=one.position // 3)
                for one in risky(120, is_wrong)
            ],
            **own,
        )
    store_run(desk, "few wrong", risky(38, lambda place: True), **own)
    store_run(desk, "few", risky(12, lambda place: place > 5), **own)
    return desk


def risky(count, is_wrong):
    levels = np.linspace(0.99, 0.2, count)
    return [turn(place, 3 if is_wrong(place) else 1, confidence=float(levels[place])) for place in range(count)]


def call(desk, capsys, command, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([command, *arguments, "--desk", "lamps", "--home", str(desk.home)])
    out, err = capsys.readouterr()
    return ended.value.code, " ".join(out.split()), err


def test_how_wrong_the_desk_is_as_it_stands_is_said_with_counts(desk, capsys):
    code, out, _ = call(desk, capsys, "tune", "unsure")
    assert code == 1 and "Not ready:" in out
    with Pipeline.open(desk) as pipeline:
        threshold = pipeline.threshold
    assert f"Of this replay it answers 4 of 160 turns, from {threshold:.3f} on; 3 of them wrongly." in out
    assert "It goes on answering like that; attendant tune --off stops it." in out
    code, out, _ = call(desk, capsys, "tune", "unsure", "--json")
    found = json.loads(out)
    assert not found["ready"] and found["present"] == {"threshold": threshold, "answered": 4, "wrong": 3}


def test_more_logs_are_asked_for_only_where_they_can_help(desk, capsys):
    _, out, _ = call(desk, capsys, "tune", "hopeless", "--risk", "0.5", "--dry-run")
    assert "It must rank better before 50% can be promised" in out and "Replay more logs" not in out
    _, out, _ = call(desk, capsys, "tune", "promising", "--risk", "0.05", "--dry-run")
    assert "too few to promise 5%. Replay more logs" in out and "rank better" not in out
    assert "about" in out and int(out.split("about ")[1].split(" turns")[0].replace(",", "")) > 500
    _, out, _ = call(desk, capsys, "tune", "few", "--risk", "0.5", "--dry-run")
    assert "at least 4 turns of 20 conversations" in out and "12 turns of 6 conversations: replay more logs" in out


def test_more_logs_are_not_asked_for_where_half_is_wrong_though_no_number_of_right_ones_would_do_yet(desk, capsys):
    _, out, _ = call(desk, capsys, "tune", "half wrong", "--risk", "0.05", "--dry-run")
    assert "are wrong (50%), and more logs do not mend that. It must rank better before 5% can be promised" in out
    assert "eplay more logs" not in out
    assert "from answers wrong at most" in out and "100.0% 50.0%" in out, "it shows why"
    for run, drawn in (("few wrong", False), ("surest right", True)):
        found = json.loads(call(desk, capsys, "tune", run, "--risk", "0.05", "--dry-run", "--json")[1])
        assert (not found["ready"], len(found["curve"]) > 3) == (True, drawn)
        assert all(trade["answered"] >= 20 for trade in found["curve"])
    # What the surest turns, or a wrong share near the risk, leave open, and so does a handful of conversations.
    for run in ("surest right", "some wrong", "few wrong"):
        _, out, _ = call(desk, capsys, "tune", run, "--risk", "0.05", "--dry-run")
        assert "A risk of 5% needs at least 45 turns" in out and "replay more logs" in out, run


def test_a_desk_that_is_switched_off_answers_nothing_until_a_risk_is_chosen(desk, capsys):
    code, out, _ = call(desk, capsys, "tune", "--off")
    assert code == 0 and "The desk no longer answers by itself" in out
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer(QUESTION)
        assert (
            answer.decision == "handoff" and answer.reason == "This desk is switched off: it hands everything over."
        )
        assert answer.candidates and any("switched off" in notice for notice in pipeline.notices)
        assert pipeline.threshold > 1 < pipeline.decision.asking_from
    _, out, _ = call(desk, capsys, "models", "base", "--json")
    assert json.loads(out)["answering"].startswith("switched off") and json.loads(out)["decision"]["threshold"] > 1
    assert "switched off" in call(desk, capsys, "models")[1]
    assert json.loads(call(desk, capsys, "models", "--json")[1])["answering"].startswith("switched off")
    code, out, _ = call(desk, capsys, "doctor")
    assert "decisions" in out and "switched off: it hands everything over" in out
    code, out, _ = call(desk, capsys, "tune", "unsure")
    assert code == 1 and "It stays switched off." in out
    code, out, _ = call(desk, capsys, "tune", "good", "--risk", "0.2", "--dry-run")
    assert code == 0 and "would answer from" in out
    with Pipeline.open(desk) as pipeline:
        assert pipeline.threshold > 1, "--dry-run switches nothing on"
    code, out, _ = call(desk, capsys, "tune", "good", "--risk", "0.2")
    assert code == 0 and "now answers from" in out and "so far switched off" in out
    with Pipeline.open(desk) as pipeline:
        assert pipeline.threshold < 1 and not pipeline.notices
    assert "tuned for a risk of 20%" in json.loads(call(desk, capsys, "models", "base", "--json")[1])["answering"]


def test_how_wrong_it_is_stands_on_the_scale_that_it_reads_its_confidence_on_now(desk, capsys):
    """After a first tuning read the confidence anew, the same replay tells what that threshold answers."""
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served}
        reading = pipeline.decision.reading()
    drawn = np.random.default_rng(3).random(800)
    levels = np.linspace(0.99, 0.2, 800)
    is_right = drawn < levels**3
    boasting = [turn(place, 1 if is_right[place] else 2, confidence=levels[place]) for place in range(800)]
    store_run(desk, "boasting", boasting, confidence=reading, **own)
    code, out, _ = call(desk, capsys, "tune", "boasting", "--risk", "0.3", "--json")
    tuned = json.loads(out)
    assert code == 0 and tuned["ece_after"] < tuned["ece"]
    code, out, _ = call(desk, capsys, "tune", "boasting", "--risk", "0.01", "--json")
    found = json.loads(out)
    assert code == 1 and found["present"]["threshold"] == tuned["chosen"]["threshold"] == found["before"]
    for name in ("answered", "wrong"):
        assert found["present"][name] == tuned["chosen"][name]


def test_a_replay_of_what_the_desk_was_made_from_is_said(desk, capsys):
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served}
    seen = [turn(place, 1, conversation="past-0" if place < 30 else f"new-{place}") for place in range(100)]
    store_run(desk, "seen", seen, **own)
    _, out, _ = call(desk, capsys, "tune", "seen", "--risk", "0.3", "--dry-run")
    assert "30 of these turns are of conversations that the desk holds" in out
    assert json.loads(call(desk, capsys, "tune", "seen", "--risk", "0.3", "--dry-run", "--json")[1])["in_desk"] == 30
    assert "that the desk holds" not in call(desk, capsys, "tune", "good", "--dry-run")[1]
    twins = [turn(place, 1, copies=1, twins=1) if place < 20 else turn(place, 1) for place in range(100)]
    store_run(desk, "twins", twins, **own)
    assert json.loads(call(desk, capsys, "tune", "twins", "--dry-run", "--json")[1])["in_desk"] == 20
    store_run(desk, "dated", twins, as_of=True, **own)
    found = json.loads(call(desk, capsys, "tune", "dated", "--dry-run", "--json")[1])
    assert (found["in_desk"], found["left_out"], found["turns"]) == (20, 0, 100), "as of its day changes no model"


@pytest.mark.parametrize("as_of", [True, False])
def test_turns_that_the_model_was_trained_on_promise_nothing(tmp_path, capsys, as_of):
    desk = lamp_desk(tmp_path)
    shutil.copytree(base_model_path(), desk.models_path / "model-0001")
    promote(desk.models_path, "model-0001")
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served, "as_of": as_of}
    learned = [turn(place, 1, copies=1) for place in range(200)]
    store_run(desk, "learned", learned, **own)
    code, out, _ = call(desk, capsys, "tune", "learned", "--risk", "0.2")
    assert code == 1 and "Left out: 200 turns of conversations that the desk holds." in out
    assert "there are 0 turns of 0 conversations that the model was not trained on" in out
    assert "replay more logs, before they are imported." in out and "goes on answering like that" not in out
    # Of other conversations all surest turns are wrong, which those that it was trained on would hide.
    others = [turn(place, 3 if place < 280 else 1, confidence=1 - place / 1_000) for place in range(200, 400)]
    store_run(desk, "both", [*learned, *others], **own)
    code, out, _ = call(desk, capsys, "tune", "both", "--risk", "0.2", "--json")
    found = json.loads(out)
    assert code == 1 and not found["ready"]
    assert (found["turns"], found["in_desk"], found["left_out"]) == (200, 200, 200)


@pytest.mark.parametrize("further", [("good",), ("--risk", "0.1"), ("--dry-run",)])
def test_switching_off_takes_no_run_and_no_risk(desk, capsys, further):
    code, _, err = call(desk, capsys, "tune", "--off", *further)
    assert code == 2 and "--off goes alone" in err
