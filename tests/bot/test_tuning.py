"""Choosing a threshold on a stored replay: the risk is kept, and a desk that cannot is told what is missing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamp_desk import lamp_desk
from stored_runs import store_run, turn

from bot.cli import main
from bot.pipeline import Pipeline
from index.embedder import Embedder
from training.calibration import Decision, Scale
from training.desk_calibration import check_decision, keep_decision
from training.risk_control import DOUBT, kept, trades


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = lamp_desk(tmp_path_factory.mktemp("tuning"))
    with Pipeline.open(desk) as pipeline:
        own = {"ranker": pipeline.ranker_name, "model": pipeline.model.as_served}
        reading = pipeline.decision.reading()
    store_run(desk, "good", turns(400, lambda confidence: confidence), **own)
    store_run(desk, "bad", turns(400, lambda confidence: 0.5), **own)
    store_run(desk, "two", with_two_close(turns(600, lambda confidence: confidence)), **own)
    store_run(desk, "overconfident", turns(800, lambda confidence: confidence**3), confidence=reading, **own)
    store_run(desk, "short", turns(20, lambda confidence: 1.0), **own)
    store_run(desk, "older", turns(400, lambda confidence: 1.0), ranker=own["ranker"], model="another")
    return desk


def turns(count, right, seed=3):
    """Turns of falling confidence, right as often as a function of it says."""
    drawn = np.random.default_rng(seed).random(count)
    levels = np.linspace(1.0, 0.2, count)
    return [
        turn(place, 1 if drawn[place] < right(levels[place]) else 2, confidence=float(levels[place]))
        for place in range(count)
    ]


def with_two_close(some):
    """Every other turn below .6 has two close answers, of which one is always right from .5 on."""
    return [
        replace(one, in_two=one.confidence + 0.3, rank=one.rank if one.confidence > 0.5 else 5)
        if one.confidence < 0.6 and one.position % 2
        else one
        for one in some
    ]


def call(desk, capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["tune", "--desk", "lamps", "--home", str(desk.path.parent.parent), *arguments])
    return ended.value.code, *capsys.readouterr()


def threshold(desk):
    with Pipeline.open(desk) as pipeline:
        return pipeline.threshold


def test_the_threshold_is_chosen_kept_with_the_model_and_used(desk, capsys):
    before = threshold(desk)
    code, out, _ = call(desk, capsys, "good", "--risk", "0.2", "--json", "--dry-run")
    chosen = json.loads(out)["chosen"]
    assert code == 0 and chosen["bound"] <= 0.2 and 0.1 < chosen["coverage"] < 0.9
    assert threshold(desk) == before, "--dry-run changes nothing"
    code, out, _ = call(desk, capsys, "good", "--risk", "0.2")
    assert code == 0 and "The desk now answers from" in out and "<" in out
    assert threshold(desk) == chosen["threshold"]
    with pytest.raises(SystemExit):
        main(["models", "base", "--desk", "lamps", "--home", str(desk.path.parent.parent), "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["decision"]["threshold"] == chosen["threshold"]
    with desk.store() as store:
        (said,) = check_decision(desk, store, Embedder().identity)
        keep_decision(store, "another model", Decision(threshold=0.1))
    assert said.ok and f"answers from {chosen['threshold']:.2f}, never asks; tuned for a risk of 20%" in said.detail
    assert threshold(desk) == chosen["threshold"], "each model has a decision of its own"


def test_it_asks_where_one_of_two_is_right_by_the_same_promise(desk, capsys):
    assert call(desk, capsys, "good", "--risk", "0.2")[0] == 0
    with Pipeline.open(desk) as pipeline:
        assert pipeline.decision.asking_from > 1, "no turn of this replay had two close answers"
    code, out, _ = call(desk, capsys, "two", "--risk", "0.2", "--json")
    found = json.loads(out)
    asking = found["asking"]
    assert code == 0 and asking["bound"] <= 0.2 and asking["threshold"] < found["chosen"]["threshold"] + 0.3
    with Pipeline.open(desk) as pipeline:
        assert pipeline.decision.asking_from == asking["threshold"]
    _, out, _ = call(desk, capsys, "two", "--risk", "0.2")
    assert "it now asks which is meant from" in " ".join(out.split())


def test_a_confidence_that_is_off_on_these_logs_is_read_anew(desk, capsys):
    with Pipeline.open(desk) as pipeline:
        before = pipeline.decision
    code, out, _ = call(desk, capsys, "overconfident", "--risk", "0.3", "--json")
    found = json.loads(out)
    assert code == 0 and found["ece_after"] < 0.05 < 0.15 < found["ece"]
    assert found["ece_p"] < 0.01 < 0.1 < found["ece_excess"] and found["ece_after_excess"] < 0.03
    with Pipeline.open(desk) as pipeline:
        after = pipeline.decision
    assert after.ece == found["ece_after"] and after.coefficients == before.coefficients
    assert Scale()(np.array([0.7])) == 0.7
    assert before.scale == Scale() and 0.6 < after.scale(np.array([0.9])) < 0.8, ".9 was right in .73"
    assert call(desk, capsys, "overconfident", "--risk", "0.3")[0] == 0
    with Pipeline.open(desk) as pipeline:
        assert pipeline.decision == after, "tuning twice is tuning once"
    assert call(desk, capsys, "good", "--risk", "0.2")[0] == 0
    with Pipeline.open(desk) as pipeline:
        assert pipeline.decision.scale == after.scale, "of this run it is not known how it read"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("bad", "It must rank better before 5% can be promised"),
        (
            "short",
            "needs at least 45 turns of 20 conversations, all answered rightly, and more where some conversations "
            "hold many of them; there are 20 turns of 10",
        ),
    ],
)
def test_a_desk_that_is_not_ready_is_told_what_is_missing_and_stays_as_it_is(desk, capsys, run, said):
    before = threshold(desk)
    code, out, _ = call(desk, capsys, run, "--risk", "0.05")
    assert code == 1 and "Not ready:" in out and said in " ".join(out.split())
    assert threshold(desk) == before


def test_a_replay_of_another_model_is_refused(desk, capsys):
    code, _, err = call(desk, capsys, "older")
    assert code == 1 and "not with the desk's present model" in err and "Traceback" not in err
    assert call(desk, capsys, "nowhere")[0] == 1
    with desk.replays() as replays:
        replays.begin("half", "2026-11-01T10:00:00.000", "retrieval", 0.5, [], {}, {}, "half")
    for command in ("tune", "runs"):
        with pytest.raises(SystemExit) as ended:
            main([command, "half", "--desk", "lamps", "--home", str(desk.path.parent.parent)])
        assert ended.value.code == 1 and "is not finished" in capsys.readouterr().err
    assert call(desk, capsys, "good", "--risk", "1.5")[0] == 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 90)), max_size=300),
    st.sampled_from([0.05, 0.1, 0.3]),
)
def test_whatever_the_cases_no_more_than_the_risk_was_wrong_among_those_answered(cases, risk):
    confidence = np.array([one for one, _, _ in cases])
    right = np.array([is_right for _, is_right, _ in cases], bool)
    chosen = kept(trades(confidence, right, np.array([group for _, _, group in cases]), risk), risk)
    if chosen is not None:
        told = confidence >= chosen.threshold
        assert (~right[told]).mean() <= risk
        assert (chosen.answered, chosen.wrong) == (told.sum(), (~right[told]).sum())


def test_the_promise_holds_on_new_cases_nine_times_in_ten():
    """Right with a chance that is the confidence: above t, (1 - t) / 2 of the answers are wrong."""
    generator = np.random.default_rng(1)
    broken = 0
    for _ in range(300):
        confidence = generator.random(600)
        chosen = kept(trades(confidence, generator.random(600) < confidence, np.arange(600), 0.15), 0.15)
        broken += chosen is not None and (1 - chosen.threshold) / 2 > 0.15
    assert broken / 300 <= DOUBT + 0.05
