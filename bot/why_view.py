"""`/why`: which words carried an answer, what each turn did, and where the answer was said before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.dialogue import EARLIER_TURNS
from bot.output import plain
from bot.present import excerpt, in_words, per_cent, source_line
from bot.shading import shaded

if TYPE_CHECKING:
    from bot.answers import Answer, Explanation, RankedAnswer
    from bot.pipeline import Pipeline
    from conversations.model import Turn

_WORDS_SHOWN = 5
_LONGEST_SHADED = 600
"""Characters of a turn."""
_TURNS_AROUND = 3
"""Turns of the past conversation shown up to the answer itself."""


def why_view(turns: tuple[Turn, ...], answer: Answer, explanation: Explanation, pipeline: Pipeline) -> RenderableType:
    """Explains an answer, or why none was given: words, turns, signals and the past conversation."""
    about = explanation.about
    is_best = about is None or about.answer_id == answer.candidates[0].answer_id
    parts: list[RenderableType] = [plain(f"Confidence: {in_words(explanation.confidence)}.")]
    if explanation.gone:
        return Group(*parts, plain(explanation.gone))
    if not is_best:
        parts.append(plain("Another answer was ranked first."))
    elif answer.reason:
        parts.append(plain(answer.reason))
    if answer.is_new_topic:
        parts.append(plain("The last message began something new and was read by itself."))
    parts += _words(turns, explanation)
    parts += _turns(turns, explanation)
    parts += _signals(explanation, ("best", "next") if is_best else ("this one", "first"))
    if about is not None:
        was_given = answer.decision == "answer" or not is_best
        parts += _source(about, "Said before" if was_given else "Nearest past answer", pipeline)
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
    before = sum(weight for _, weight, place in explanation.words if place == EARLIER_TURNS)
    if before:
        parts.append(plain(f"{per_cent(before):>5} earlier conversations with this customer", "cyan"))
    between = max(1.0 - sum(weight for _, weight, _ in explanation.words), 0.0)
    parts.append(plain(f"{per_cent(between):>5} marks between the turns", "dim"))
    words = sorted(explanation.words, key=lambda word: -word[1])[:_WORDS_SHOWN]
    listed = ", ".join(f"{excerpt(word, 24)} {per_cent(weight)}" for word, weight, _ in words)
    parts.append(plain(f"Most of it: {listed}.", "dim"))
    return parts


def _turns(turns: tuple[Turn, ...], explanation: Explanation) -> list[RenderableType]:
    if not explanation.without_turn:
        return []
    table = _table()
    for position, confidence in explanation.without_turn:
        change = plain(f"({per_cent(confidence - explanation.confidence, '+')})", "cyan")
        if isinstance(position, str):
            name, said = f"of turn {len(turns)}", position
        elif position == EARLIER_TURNS:
            name, said = "before", "earlier conversations with this customer"
        else:
            name, said = f"turn {position + 1}", turns[position].text
        table.add_row(plain(name), _share(confidence), change, plain(excerpt(said, 40), "dim"))
    parts: list[RenderableType] = [_heading("Confidence without each turn"), table]
    return [*parts, plain(f"Without turn {len(turns)} nothing would be asked.", "dim")]


def _signals(explanation: Explanation, names: tuple[str, str]) -> list[RenderableType]:
    table = _table()
    second = explanation.runner_up or {}
    table.add_row(Text(), plain(names[0]), plain(names[1] if second else ""))
    for name, value in explanation.signals.items():
        other = f"{second[name]:.3f}" if name in second else ""
        table.add_row(plain(name), plain(f"{value:.3f}"), plain(other, "dim"))
    return [_heading("Scores"), table] if explanation.signals else []


def _source(about: RankedAnswer, heading: str, pipeline: Pipeline) -> list[RenderableType]:
    source = f"answer {about.answer_id}, {source_line(about, pipeline)}"
    parts: list[RenderableType] = [_heading(heading), plain(source, "dim")]
    if not about.evidence:
        return parts
    first = about.evidence[0]
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
