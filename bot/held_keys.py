"""Keys that are pressed before what an earlier one does is done: they wait, and act on what comes of it."""

from __future__ import annotations

from itertools import takewhile

from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyProcessor
from prompt_toolkit.keys import Keys


class HeldKeys:
    """Holds back all keys from one moment to another."""

    def __init__(self) -> None:
        """Holds none back."""
        self._is_holding = False
        self._held: list[KeyPress] = []

    def bind(self, keys: KeyBindings) -> None:
        """Comes before all that these keys and others do, while it holds them back."""

        @keys.add(Keys.Any, filter=Condition(lambda: self._is_holding), eager=True)
        def _(event: KeyPressEvent) -> None:
            self._held += event.key_sequence

    def hold(self) -> None:
        """Holds back what is pressed from now on."""
        self._is_holding = True

    def take_words(self) -> str:
        """The words that were typed, up to the first key that does something; nothing is held back of the rest."""
        held, self._held = self._held, []
        typed = "".join(key.data for key in takewhile(_is_typed, held))
        return typed.replace("\r\n", "\n").replace("\r", "\n")

    def let_go(self, processor: KeyProcessor) -> None:
        """Holds back nothing more; what was held back is pressed now."""
        held, self._held, self._is_holding = self._held, [], False
        processor.feed_multiple(held)
        processor.process_keys()


def _is_typed(key: KeyPress) -> bool:
    return key.key == Keys.BracketedPaste or not isinstance(key.key, Keys)
