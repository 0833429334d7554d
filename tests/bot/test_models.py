"""Models of a desk: listed, shown, promoted, and rolled back to the one before."""

from __future__ import annotations

import json
import shutil

import pytest

from bot.cli import main
from conversations.desk import Desk
from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from training.registry import base_model_path, current_model_path


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
