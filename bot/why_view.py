"""`/why`: which words carried an answer, what each turn did, and where the answer was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.output import plain
from bot.present import excerpt, in_words, per_cent, source_line

if TYPE_CHECKING:
    from bot.answers import Answer, Explanation
    from bot.pipeline import Pipeline
    from conversations.model import Turn

_WORDS_SHOWN = 8
_BAR = 12
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
    heaviest = sorted(explanation.words, key=lambda word: -word[1])[:_WORDS_SHOWN]
    if not heaviest:
        return []
    table = _table()
    most = max(weight for _, weight, _ in heaviest) or 1.0
    for word, weight, position in heaviest:
        bar = "█" * max(round(_BAR * weight / most), 0)
        said = f"turn {position + 1}, {turns[position].role}" if position >= 0 else "an earlier conversation"
        table.add_row(plain(excerpt(word, 24)), _share(weight), plain(bar, "cyan"), plain(said, "dim"))
    return [_heading("Words that carried it"), table]


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
