"""`attendant assist` beside a log of more dialogues than are kept: each is known to both of them, or to neither."""

from __future__ import annotations

import json
import random

import pytest

from bot import following, left_dialogues
from bot.assist import Assist
from bot.left_dialogues import Returning

MOST = 4


@pytest.fixture(autouse=True)
def _few_are_kept(monkeypatch):
    for module in (following, left_dialogues):
        monkeypatch.setattr(module, "MOST_KEPT", MOST)


class Beside:
    """An assist beside a log."""

    def __init__(self, path, log):
        self._path, self._log, self.told = path, log, []
        self.assist = Assist(lambda *_: None, self.told.append, self.told.append)
        self._returning = Returning(self.assist)

    def hears(self, conversation, text, role="customer", **more):
        with self._path.open("a") as file:
            file.write(json.dumps({"conversation": conversation, "role": role, "text": text, **more}) + "\n")
        for event in self._log.poll():
            for passed in self._returning.pass_on(event):
                self.assist.follow(passed)

    @property
    def said(self):
        return [turn.text for turn in self.assist.dialogue.turns]


@pytest.fixture
def beside(path, log):
    return Beside(path, log)


def test_a_silent_line_keeps_its_dialogue_on_both_sides(beside):
    for name in "abcd":
        beside.hears(name, f"I am {name}")
    beside.hears("a", "Ann left", "system")
    for name in "efg":
        beside.hears(name, f"I am {name}")
    beside.hears("a", "still there")
    assert beside.said == ["I am a", "still there"]
    beside.hears("b", "me too")
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
        beside.hears(name, text, role)
        if role == "customer":
            said[name].append(text)
            assert beside.assist.dialogue.conversation == name and beside.said == said[name]
