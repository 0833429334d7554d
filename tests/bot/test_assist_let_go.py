"""`attendant assist` beside a log of more dialogues than are kept: each is known to both of them, or to neither."""

from __future__ import annotations

import random

import pytest
from assist_beside import Beside

from bot import following, left_dialogues

MOST = 4


@pytest.fixture(autouse=True)
def _few_are_kept(monkeypatch):
    for module in (following, left_dialogues):
        monkeypatch.setattr(module, "MOST_KEPT", MOST)


@pytest.fixture
def beside(path, log):
    return Beside(path, log)


def test_a_silent_line_keeps_its_dialogue_on_both_sides(beside):
    for name in "abcd":
        beside.hears(f"I am {name}", conversation=name)
    beside.hears("Ann left", "system", conversation="a")
    for name in "efg":
        beside.hears(f"I am {name}", conversation=name)
    beside.hears("still there", conversation="a")
    assert beside.said == ["I am a", "still there"]
    beside.hears("me too", conversation="b")
    assert beside.said == ["me too"], "it was silent longest"


@pytest.mark.parametrize("seed", range(5))
def test_a_dialogue_goes_on_or_begins_anew_as_the_log_has_it(beside, seed):
    chance = random.Random(seed)
    silent, said = [], {}
    for number in range(300):
        name = chance.choice("abcdefgh")
        text, role = f"{number}", chance.choice(["customer", "system", "system"])
        # The log's order: the newest line last, whatever it says.
        silent = [one for one in silent if one != name]
        said[name] = said.get(name, [])
        if len(silent) == MOST:
            said.pop(silent.pop(0))
        silent.append(name)
        beside.hears(text, role, conversation=name)
        if role == "customer":
            said[name].append(text)
            assert beside.assist.dialogue.conversation == name and beside.said == said[name]
