"""The summary for the agent who takes a dialogue over."""

from __future__ import annotations

from bot.dialogue import Dialogue
from bot.present import excerpt, in_words, per_cent

_CANDIDATES = 3


def handover_summary(dialogue: Dialogue) -> str:
    """What was said and turned down, how sure the bot was, and the nearest past answers, in plain lines to copy."""
    if not dialogue.turns:
        return "Nothing was asked yet."
    lines = [f"Hand-over of dialogue {dialogue.key}", "", "What was said:"]
    lines += [f"  {turn.role}: {excerpt(turn.text)}" for turn in dialogue.turns]
    if dialogue.rejected:
        lines += ["", f"Turned down: {len(dialogue.rejected)} suggested answer(s)"]
    if dialogue.answer is not None:
        lines += ["", f"Last suggestion: {in_words(dialogue.answer.confidence)}. {dialogue.answer.reason}".rstrip()]
        lines += ["", "Nearest past answers:"]
        lines += [
            f"  {per_cent(choice.weight)}  {excerpt(choice.text)}" for choice in dialogue.choices()[:_CANDIDATES]
        ] or ["  none"]
    return "\n".join(lines)
