"""How answers look in the terminal. All text from data goes through `plain`; nothing is read as markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from bot.early_warning import WISH_GRANTED
from bot.output import plain

if TYPE_CHECKING:
    from bot.answers import Answer, RankedAnswer
    from bot.early_warning import EarlyWarning
    from bot.gaps import GapReport
    from bot.mood import MoodTrend
    from bot.pipeline import Pipeline
    from conversations.model import Turn

HAND_OVER = "I am not sure enough to answer this. A person takes over from here."
"""What the customer reads below the threshold."""

WISHED = "You asked for a person: one takes over from here."
"""What the customer reads who asked for that."""

WHICH = "I am not sure which of these helps you:"
"""What the customer reads where two answers are close."""

_WIDEST_PANEL = 96
"""Columns; longer lines are hard to read."""
_EXCERPT = 240
"""Characters of an alternative or of a past turn."""
_PSEUDONYM = re.compile(r"[0-9a-f]{16}")
_WORDS = ((0.9, "sure"), (0.7, "fairly sure"), (0.5, "rather unsure"))


def in_words(confidence: float) -> str:
    """A confidence in words and per cent.

    >>> in_words(0.72)
    'fairly sure, 72 %'
    """
    word = next((word for least, word in _WORDS if confidence >= least), "not sure")
    return f"{word}, {per_cent(confidence)}"


def per_cent(share: float, sign: str = "", digits: int = 0) -> str:
    """A share in per cent; with "+" as the sign, a change.

    >>> per_cent(0.123), per_cent(0.05, "+"), per_cent(0.123, digits=1)
    ('12 %', '+5 %', '12.3 %')
    """
    return f"{share:{sign}.{digits}%}".replace("%", " %")


def told_apart(share: float, other: float) -> tuple[str, str]:
    """Two shares in per cent, with as few digits behind the point as tell them apart, and at most four.

    >>> told_apart(0.57, 0.43), told_apart(0.571, 0.566)
    (('57 %', '43 %'), ('57.1 %', '56.6 %'))
    """
    digits = next((digits for digits in range(4) if f"{share:.{digits}%}" != f"{other:.{digits}%}"), 4)
    return per_cent(share, digits=digits), per_cent(other, digits=digits)


def excerpt(text: str, length: int = _EXCERPT) -> str:
    r"""The beginning of a text in one line.

    >>> excerpt("one\ntwo three", 9)
    'one two …'
    """
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def source_line(candidate: RankedAnswer, pipeline: Pipeline) -> str:
    """Where an answer comes from; turns are counted from 1.

    Such as "from conversation lw-2001, turn 4, 2025-02-18, said by Maren, and 3 more like it".
    """
    if not candidate.evidence:
        return "from no conversation that is still kept"
    first = candidate.evidence[0]
    parts = [f"from conversation {first.conversation}", f"turn {first.turn + 1}"]
    turn = past_turn(pipeline, first.conversation, first.turn)
    if turn is not None and turn.at:
        parts.append(turn.at[:10])
    if turn is not None and turn.agent:
        # A pseudonym's first digits are enough to see that it was the same person.
        name = f"agent {turn.agent[:6]}" if _PSEUDONYM.fullmatch(turn.agent) else turn.agent
        parts.append(f"said by {name}")
    if len(candidate.evidence) > 1:
        parts.append(f"and {len(candidate.evidence) - 1} more like it")
    return ", ".join(parts)


def past_turn(pipeline: Pipeline, conversation: str, position: int) -> Turn | None:
    """A turn of a past conversation, or None where it is gone."""
    found = pipeline.conversation(conversation)
    return found.turns[position] if found is not None and 0 <= position < len(found.turns) else None


def answer_view(answer: Answer, pipeline: Pipeline, console: Console) -> RenderableType:
    """The answer with confidence, source and time; the two it may be; or the hand-over with its reason."""
    time_taken = f"{answer.timings_ms.get('total', 0.0):.0f} ms"
    sureness = in_words(answer.confidence)
    if answer.decision == "answer" and answer.candidates:
        best = answer.candidates[0]
        foot = plain(f"{source_line(best, pipeline)} · {time_taken}", "dim")
        return _framed([plain(best.text, one_line=False), foot], sureness, "green", console)
    if answer.decision == "ask":
        choices = alternatives_view(answer.candidates[:2], answer, pipeline)
        return Group(plain(WHICH), choices)
    reason = plain(f"{answer.reason} ({sureness}, {time_taken})".strip(), "dim")
    said = WISHED if answer.reason == WISH_GRANTED else HAND_OVER
    return _framed([plain(said), reason], "handed over", "yellow", console)


def picked_view(candidate: RankedAnswer, pipeline: Pipeline, console: Console) -> RenderableType:
    """An answer that a person picked from the alternatives."""
    foot = plain(source_line(candidate, pipeline), "dim")
    return _framed([plain(candidate.text, one_line=False), foot], "your choice", "green", console)


def alternatives_view(choices: Sequence[RankedAnswer], answer: Answer, pipeline: Pipeline) -> RenderableType:
    """Some of an answer's candidates, numbered, each with how likely it is right and its source."""
    lines: list[Text] = []
    for number, choice in enumerate(choices, start=1):
        likely = (f"  {per_cent(answer.chance(choice))}", "cyan")
        lines.append(Text.assemble((f"{number:>2}. ", "bold"), plain(excerpt(choice.text)), likely))
        lines.append(plain(f"    {source_line(choice, pipeline)}", "dim"))
    return Group(*lines)


def gaps_view(report: GapReport, most: int) -> RenderableType:
    """What is asked and not known: how often, in how many conversations, and in which words."""
    share = per_cent(report.uncovered / max(report.turns, 1))
    new = f"{report.uncovered:,} of {report.turns:,} customer turns ({share})"
    lines = [plain(f"{new} are like nothing asked before.")]
    if report.asks_nothing:
        rest = f"{report.asks_nothing:,} others ask nothing: courtesy, and what agents asked for."
        lines.append(plain(rest, "dim"))
    if report.grouped < report.uncovered:
        lines.append(plain(f"The first {report.grouped:,} of them are grouped.", "dim"))
    for gap in report.gaps[:most]:
        count = f"{gap.questions:>5,}  "
        first, *others = gap.examples
        lines.append(Text.assemble((count, "bold"), plain(excerpt(first, 160))))
        lines += [plain(f"       {excerpt(other, 160)}", "dim") for other in others]
        plural = "" if gap.conversations == 1 else "s"
        where = f"in {gap.conversations:,} conversation{plural}, nearest past question {per_cent(gap.nearness)} alike"
        lines.append(plain(f"       {where}", "cyan"))
    if len(report.gaps) > most:
        left = sum(gap.questions for gap in report.gaps[most:])
        lines.append(plain(f"{len(report.gaps) - most:,} more groups with {left:,} turns: --most shows more.", "dim"))
    return Group(*lines)


def warning_view(warning: EarlyWarning) -> Text:
    """An early warning, to be seen among notices."""
    return plain(f"! {warning.words}", "bold yellow")


def mood_view(mood: MoodTrend) -> Text:
    """How the customer sounds, in a line."""
    return notice(f"Mood: {mood.in_words}.")


def notice(text: str) -> Text:
    """A line from the program itself."""
    return plain(f"- {text}", "dim")


def _framed(lines: list[Text], title: str, style: str, console: Console) -> RenderableType:
    """A panel on a terminal; elsewhere plain lines, which can be searched and copied."""
    if not console.is_terminal:
        return Group(*lines[:-1], plain(f"[{title}] {lines[-1].plain}"), Text())
    return Panel(
        Group(*lines),
        title=plain(title, f"bold {style}"),
        title_align="left",
        border_style=style,
        width=min(console.width, _WIDEST_PANEL),
    )
