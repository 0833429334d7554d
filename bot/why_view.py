"""`/why`: which words carried an answer, what each turn did, and where the answer was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.output import plain
from bot.present import excerpt, in_words, per_cent, source_line
from bot.shading import shaded

if TYPE_CHECKING:
    from bot.answers import Answer, Explanation
    from bot.pipeline import Pipeline
    from conversations.model import Turn

_WORDS_SHOWN = 5
_LONGEST_SHADED = 600
"""Characters of a turn."""
_TURNS_AROUND = 3
"""Turns of the past conversation shown up to the answer itself."""


def why_view(turns: tuple[Turn, ...], answer: Answer, explanation: Explanation, pipeline: Pipeline) -> RenderableType:
    """Explains an answer, or why none was given: words, turns, signals and the past conversation."""
    parts: list[RenderableType] = [plain(f"Confidence: {in_words(answer.confidence)}.")]
    if answer.reason:
        parts.append(plain(answer.reason))
    parts += _words(turns, explanation)
    parts += _turns(turns, answer, explanation)
    parts += _signals(explanation)
    if answer.candidates:
        parts += _source(answer, pipeline)
    return Group(*parts)


def _words(turns: tuple[Turn, ...], explanation: Explanation) -> list[RenderableType]:
    """The dialogue shaded by attention; the shares of the turns and of what lies between them add up to all of it."""
    if not explanation.words:
        return []
    heaviest = max(weight for _, weight, _ in explanation.words)
    parts: list[RenderableType] = [_heading("What the answer looked at, darkest most")]
    for position, turn in enumerate(turns):
        own = [(word, weight) for word, weight, place in explanation.words if place == position]
        if own:
            share = per_cent(sum(weight for _, weight in own))
            text = shaded(excerpt(turn.text, _LONGEST_SHADED), own, heaviest)
            parts.append(Text.assemble((f"{share:>5} ", "cyan"), (f"{turn.role}: ", "bold"), text))
    before = sum(weight for _, weight, place in explanation.words if place < 0)
    if before:
        parts.append(plain(f"{per_cent(before):>5} earlier conversations with this customer", "cyan"))
    between = max(1.0 - sum(weight for _, weight, _ in explanation.words), 0.0)
    parts.append(plain(f"{per_cent(between):>5} marks between the turns", "dim"))
    words = sorted(explanation.words, key=lambda word: -word[1])[:_WORDS_SHOWN]
    listed = ", ".join(f"{excerpt(word, 24)} {per_cent(weight)}" for word, weight, _ in words)
    parts.append(plain(f"Most of it: {listed}.", "dim"))
    return parts


def _turns(turns: tuple[Turn, ...], answer: Answer, explanation: Explanation) -> list[RenderableType]:
    if not explanation.without_turn:
        return []
    table = _table()
    for position, confidence in explanation.without_turn:
        if 0 <= position < len(turns):
            change = plain(f"({per_cent(confidence - answer.confidence, '+')})", "cyan")
            said = plain(excerpt(turns[position].text, 40), "dim")
            table.add_row(plain(f"turn {position + 1}"), _share(confidence), change, said)
    return [_heading("Confidence without each turn"), table]


def _signals(explanation: Explanation) -> list[RenderableType]:
    table = _table()
    second = explanation.runner_up or {}
    table.add_row(Text(), plain("best"), plain("next" if second else ""))
    for name, value in explanation.signals.items():
        other = f"{second[name]:.3f}" if name in second else ""
        table.add_row(plain(name), plain(f"{value:.3f}"), plain(other, "dim"))
    return [_heading("Scores"), table] if explanation.signals else []


def _source(answer: Answer, pipeline: Pipeline) -> list[RenderableType]:
    best = answer.candidates[0]
    heading = "Said before" if answer.decision == "answer" else "Nearest past answer"
    parts: list[RenderableType] = [_heading(heading), plain(source_line(best, pipeline), "dim")]
    if not best.evidence:
        return parts
    first = best.evidence[0]
    conversation = pipeline.conversation(first.conversation)
    if conversation is None:
        return parts
    begin = max(first.turn - _TURNS_AROUND, 0)
    parts += [
        Text.assemble((f"  {turn.role}: ", "bold"), plain(excerpt(turn.text)))
        for turn in conversation.turns[begin : first.turn + 1]
    ]
    outcome = conversation.meta.get("outcome")
    if outcome:
        parts.append(plain(f"  outcome: {outcome}", "dim"))
    return parts


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _share(value: float) -> Text:
    return Text(per_cent(value), justify="right")


def _table() -> Table:
    return Table(show_header=False, box=None, padding=(0, 2, 0, 0), pad_edge=False)
