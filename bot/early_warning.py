"""Early warning: what in a dialogue says that a person should take over before it goes wrong.

A warning is raised when it becomes true, not again at every turn for which it stays true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.mood import MoodTrend
from bot.warning_words import telling_words

if TYPE_CHECKING:
    from bot.answers import Answer
    from conversations.store import Store

THRESHOLD = -0.6
"""The smoothed mood below which a desk warns that has chosen no other.

In STAR's train log that happens to 17 % of the annoyed customers and to 2 % of the others.
"""
THRESHOLD_SETTING = "mood_threshold"
BURST = 3
"""Negative turns within `BURST_WINDOW` turns that are a burst: there, 12 % of the annoyed and 1 % of the others."""
BURST_WINDOW = 4
NEGATIVE = -0.5
"""A turn whose score is at or below this counts as negative."""
SENTENCES = {
    "person": "asks for a person",
    "harm": "speaks of harm",
    "law": "speaks of law",
    "press": "speaks of the press or the public",
}
WISH_GRANTED = "The customer asks for a person."


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """Something that a person should know of this dialogue now."""

    kind: str
    """"mood", "burst", "person", "harm", "law" or "press"."""
    words: str
    """What it is about, as a sentence; it quotes the customer."""
    turn: int
    """The customer's turn that raised it, counted from 1."""

    def as_json(self) -> dict[str, str | int]:
        """Plain values."""
        return {"kind": self.kind, "words": self.words, "turn": self.turn}


def warnings_after(text: str, trend: MoodTrend, turn: int, threshold: float = THRESHOLD) -> tuple[EarlyWarning, ...]:
    """The warnings that the customer's newest turn raises.

    Args:
        text: what the customer said.
        trend: of the dialogue up to and with this turn; empty where no mood is known.
        turn: number of this turn of the customer, from 1.
        threshold: the smoothed mood below which the desk warns.
    """
    found = [
        EarlyWarning(kind, f'The customer {SENTENCES[kind]}: "{quoted}".', turn)
        for kind, quoted in telling_words(text)
    ]
    levels = (0.0, *trend.levels)
    if trend.scores and levels[-1] < threshold <= levels[-2]:
        found.append(EarlyWarning("mood", f"The mood fell to {levels[-1]:+.2f}.", turn))
    if _is_burst(trend.scores) and not _is_burst(trend.scores[:-1]):
        found.append(EarlyWarning("burst", f"{BURST} of the last {BURST_WINDOW} messages sound negative.", turn))
    return tuple(found)


def heeded(answer: Answer, warnings: tuple[EarlyWarning, ...]) -> Answer:
    """What is said in the light of the warnings: who asks for a person gets one, whatever the bot could answer."""
    if any(warning.kind == "person" for warning in warnings):
        return replace(answer, decision="handoff", answer=None, reason=WISH_GRANTED)
    return answer


def desk_threshold(store: Store) -> float:
    """The smoothed mood below which this desk warns."""
    return float(store.setting(THRESHOLD_SETTING, THRESHOLD))


def _is_burst(scores: tuple[float, ...]) -> bool:
    return sum(score <= NEGATIVE for score in scores[-BURST_WINDOW:]) >= BURST
