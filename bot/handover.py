"""The summary for the agent who takes a dialogue over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.present import excerpt, in_words, per_cent

if TYPE_CHECKING:
    from bot.dialogue import Dialogue

NEAREST = 3
"""Other answers that the summary lists."""
ASKED_FOR = "A hand-over was asked for."
"""The reason where somebody asked for it with /handoff."""


def handover_summary(dialogue: Dialogue) -> str:
    """What was asked and tried, how the customer sounds, what was warned of, and the nearest past answers.

    Plain lines to copy.
    """
    if not dialogue.turns:
        return "Nothing was asked yet."
    lines = [f"Hand-over of dialogue {dialogue.key}", "", "What was said:"]
    lines += [f"  {turn.role}: {excerpt(turn.text)}" for turn in dialogue.turns]
    tried = [f"  shown: {excerpt(turn.text)}" for turn in dialogue.turns if turn.role == "agent"]
    tried += [f"  turned down: {excerpt(answer.text)}" for answer in dialogue.rejected]
    if tried:
        lines += ["", "What was tried:", *tried]
    if dialogue.mood.scores:
        lines += ["", f"Mood: {dialogue.mood.in_words}; whole dialogue {dialogue.mood.whole:+.2f}"]
        lines += [f"  per message: {_scores(dialogue)}"]
    if dialogue.warnings:
        lines += ["", "Warnings:"]
        lines += [f"  message {warning.turn}: {excerpt(warning.words)}" for warning in dialogue.warnings]
    answer = dialogue.answer
    if answer is not None:
        lines += ["", f"Last suggestion: {in_words(answer.confidence)}. {answer.reason}".rstrip()]
        lines += ["", "Nearest past answers:"]
        lines += [
            f"  {per_cent(answer.chance(choice))}  {excerpt(choice.text)}" for choice in dialogue.choices()[:NEAREST]
        ] or ["  none"]
    return "\n".join(lines)


def _scores(dialogue: Dialogue) -> str:
    # Rounded first, and 0.0 added: a hair below zero is not to read as -0.0.
    return " ".join(f"{round(score, 1) + 0.0:+.1f}" for score in dialogue.mood.scores[-10:])
