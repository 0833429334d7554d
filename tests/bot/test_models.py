"""Models of a desk: listed, shown, promoted, and rolled back to the one before."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace

import pytest

from bot.cli import main
from conversations.desk import Desk
from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from training.calibration import Decision
from training.desk_calibration import keep_decision
from training.promotion import Evidence
from training.registry import base_model_path, current_model_path, load_model

EVIDENCE = Evidence(400, 100, 0.05, 0.02, 0.08, 0.001, 100, 100)


@pytest.fixture
def desk(tmp_path):
    desk = Desk.create(tmp_path, "shop")
    with desk.store() as store:
        one = Conversation("c", (Turn("customer", "hello?"), Turn("agent", "Hello!")))
        store.add_conversation(one, "c", extract_pairs(one))
    for name in ("model-0001", "model-0002"):
        shutil.copytree(base_model_path(), desk.models_path / name, ignore=shutil.ignore_patterns("*.py", "__py*"))
    return desk


@pytest.fixture
def call(desk, capsys):
    def ended(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["models", "--desk", "shop", "--home", str(desk.home), *arguments])
        return end.value.code, *capsys.readouterr()

    return ended


def states(call):
    return {row["model"]: row["state"] for row in json.loads(call("--json")[1])["models"]}


def test_the_model_before_is_always_kept_and_gone_back_to(call, desk):
    assert states(call) == {"base": "in use", "model-0001": "", "model-0002": ""}
    for name in ("model-0001", "model-0002"):
        assert call("--promote", name)[0] == 0
    assert states(call) == {"base": "", "model-0001": "before", "model-0002": "in use"}
    code, out, _ = call("--rollback")
    assert code == 0 and "served by model-0001 (before: model-0002)" in out
    assert current_model_path(desk.models_path).name == "model-0001"
    assert call("--rollback")[0] == 0
    assert current_model_path(desk.models_path).name == "model-0002"
    assert call("--promote", "base")[0] == 0
    assert current_model_path(desk.models_path) is None
    assert states(call)["model-0002"] == "before"


def test_promoting_what_is_in_use_does_not_lose_the_one_before(call):
    for name in ("model-0001", "model-0002", "model-0002"):
        call("--promote", name)
    assert states(call)["model-0001"] == "before"


def test_what_is_damaged_or_not_there_is_not_taken_into_use(call, desk):
    call("--promote", "model-0001")
    (desk.models_path / "model-0002" / "model.safetensors").write_bytes(b"torn")
    for name, said in (("model-0002", "damaged"), ("model-0009", "has no model"), ("../x\x1b[2J", "has no model")):
        code, _, err = call("--promote", name)
        assert code == 1 and said in err and "Traceback" not in err and "\x1b" not in err
    assert states(call) == {"base": "before", "model-0001": "in use", "model-0002": "damaged"}


def test_nothing_to_roll_back_to_is_said(call):
    code, _, err = call("--rollback")
    assert code == 1 and "No other model was in use before" in err


def test_one_model_in_full(call):
    code, out, _ = call("model-0001", "--json")
    shown = json.loads(out)
    assert code == 0 and shown["decision"]["threshold"] > 0 and shown["held_out"]["turns"] > 0
    code, out, _ = call("model-0001")
    assert code == 0 and "held_out mrr" in out
    assert call("model-0001", "--rollback")[0] == 2


def promoted(desk, name, **evidence):
    """Gives a model the notes of a promotion."""
    path = desk.models_path / name / "config.json"
    config = json.loads(path.read_text())
    config["notes"]["promotion"] = {"promoted": True, "reason": "", **asdict(replace(EVIDENCE, **evidence))}
    path.write_text(json.dumps(config))


def test_the_list_tells_what_was_measured_on_this_desk_and_nothing_else(call, desk):
    own, base = [json.loads(call("--json")[1])["models"][place] for place in (1, 0)]
    assert own["mrr"] > 0 and own["turns"] > 0 and own["ece"] > 0
    assert {base[name] for name in ("mrr", "turns", "ece", "gain", "p", "forced")} == {None}
    with desk.store() as store:
        keep_decision(store, load_model(base_model_path()).fingerprint, Decision(cases=300, ece=0.07))
    base = json.loads(call("--json")[1])["models"][0]
    assert base["ece"] == 0.07 and base["mrr"] is None


def test_the_list_tells_which_model_took_over_by_force(call, desk):
    assert [row["forced"] for row in json.loads(call("--json")[1])["models"]] == [None] * 3, "not known of these"
    promoted(desk, "model-0001", difference=0.05, p=0.001)
    promoted(desk, "model-0002", difference=-0.01, p=0.6)
    assert [row["forced"] for row in json.loads(call("--json")[1])["models"]] == [None, False, True]
    promoted(desk, "model-0002", conversations=3, p=0.001)
    lines = [line.split() for line in call()[1].splitlines()]
    place = lines[0].index("forced")
    # An empty state is told by a dash.
    assert [line[place - len(lines[0])] for line in lines[2:4]] == ["no", "yes"]
