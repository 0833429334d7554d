"""Text that every terminal draws as wide as it is counted here, whatever it holds."""

from __future__ import annotations

import re

from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

from conversations.text import safe_text

_JOINERS = re.compile("[\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
# What is not seen, or drawn as one with its neighbour in some terminals.
_UNSTEADY = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)


class SteadyInput(Processor):
    """Shows a dot for what the line being written holds and terminals draw differently; the line itself keeps it.

    prompt_toolkit moves the cursor by steps from where it believes it is: were that wrong, all would be drawn amiss.
    """

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """One character for one, so that every position stays what it is."""
        fragments = transformation_input.fragments
        return Transformation([(part[0], _UNSTEADY.sub("·", part[1])) for part in fragments])


def unjoined(text: str) -> str:
    """Text that is safe already, as wide in every terminal as it is counted here.

    Terminals differ in whether they draw joined emoji as one: without the joiners all draw the parts side by side.
    """
    return _JOINERS.sub("", text).replace("\t", " ")


def steady(text: str) -> str:
    """Text as harmless as everywhere, and as wide in every terminal as it is counted here."""
    return unjoined(safe_text(text))
