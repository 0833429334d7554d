"""Training dialogues as customers might also have typed them, so that a slip of the finger costs little later.

The character edits are those of `training.attacks`; dropping early turns teaches a model that the start of a dialogue
may be missing. Sentences are never made up: the words stay the customer's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from conversations.model import Turn
from training.attacks import capitals, deletion, no_punctuation, swap, typo

ROUGHENED = 0.4
"""Share of the dialogues whose customer turns are typed less carefully."""
SHORTENED = 0.1
"""Share of the dialogues that lose their early turns."""
_EDITS = (typo, typo, swap, deletion, no_punctuation, capitals)


def augment(dialogue: Sequence[Turn], generator: random.Random) -> tuple[Turn, ...]:
    """The dialogue, or a rougher copy of it; its last turn is always kept.

    Args:
        dialogue: oldest turn first.
        generator: decides what is changed; two random numbers at least are drawn.
    """
    turns = list(dialogue)
    if generator.random() < SHORTENED and len(turns) > 1:
        turns = turns[generator.randrange(1, len(turns)) :]
    if generator.random() < ROUGHENED:
        turns = [_rough(turn, generator) if turn.role == "customer" else turn for turn in turns]
    return tuple(turns)


def _rough(turn: Turn, generator: random.Random) -> Turn:
    return replace(turn, text=generator.choice(_EDITS)(turn.text, generator))
