"""A dialogue in front of an agent beside a log that is followed line by line."""

from __future__ import annotations

import json

from bot.assist import Assist
from bot.left_dialogues import Returning


class Beside:
    """Hears each line as the screen and `--plain` do."""

    def __init__(self, path, log):
        self._path, self._log, self.told, self.met = path, log, [], []
        self.assist = Assist(lambda *_: None, self.told.append, self._meet)
        self._returning = Returning(self.assist)

    def _meet(self, customer):
        self.met.append((self.assist.dialogue, customer))

    def hears(self, text, role="customer", **names):
        with self._path.open("a") as file:
            file.write(json.dumps({"role": role, "text": text, **names}) + "\n")
        for event in self._log.poll():
            for passed in self._returning.pass_on(event):
                self.assist.follow(passed)

    @property
    def said(self):
        """What was said in the present dialogue."""
        return [turn.text for turn in self.assist.dialogue.turns]
