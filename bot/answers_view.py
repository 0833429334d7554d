"""How a desk's answers, and what was done to them, look in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.output import plain
from bot.present import excerpt, notice

if TYPE_CHECKING:
    from bot.withdrawing import Change
    from conversations.service import AnswerRecord

_LONGEST = 400
"""Characters of an answer; the terminal cuts it where it ends."""
_MOST_ALIKE = 10


def records_view(records: Sequence[AnswerRecord], total: int) -> RenderableType:
    """Answers with their numbers, a line each, cut where the terminal ends.

    Args:
        records: those to show.
        total: how many there are.
    """
    rows = [
        (
            plain(one.id),
            plain(f"{one.given:,}"),
            plain((one.last or "-")[:10]),
            plain("withdrawn", "yellow") if one.withdrawal else plain("yes", "green"),
        )
        for one in records
    ]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for place, name in enumerate(("number", "given", "last", "in service")):
        table.add_column(plain(name), justify="right" if place <= 1 else "left", no_wrap=True)
    table.add_column(plain("answer"))
    for one, row in zip(records, rows, strict=True):
        # The text, not its column: that one alone is to give way where the terminal is narrow.
        text = plain(excerpt(one.text, _LONGEST))
        text.no_wrap, text.overflow = True, "ellipsis"
        table.add_row(*row, text)
    more = [notice(f"{total - len(records):,} more: --limit shows them.")] if total > len(records) else []
    return Group(table, *more)


def changes_view(changes: Sequence[Change], desk_name: str, is_withdrawal: bool) -> RenderableType:
    """What was withdrawn or restored, and which others say nearly the same."""
    lines: list[Text] = []
    for change in changes:
        one = change.answer
        lines.append(Text.assemble(plain(f"Answer {one.id} {_became(change, is_withdrawal)}. ", "bold"), _given(one)))
        lines.append(plain(f"  {excerpt(one.text)}", "dim"))
        if one.withdrawal and one.withdrawal.because:
            lines.append(plain(f"  because: {one.withdrawal.because}", "dim"))
    alike = sorted({answer for change in changes for answer in change.alike})
    if alike:
        others = " ".join(map(str, alike[:_MOST_ALIKE]))
        say, these = ("says", "It is") if len(alike) == 1 else ("say", "They are")
        count = "1 other answer" if len(alike) == 1 else f"{len(alike):,} other answers"
        lines.append(notice(f"{count} in service {say} nearly the same. {these} withdrawn by:"))
        lines.append(plain(f"  attendant withdraw {others} --desk {desk_name}"))
    return Group(*lines)


def _became(change: Change, is_withdrawal: bool) -> str:
    if not is_withdrawal:
        return "is in service again" if change.is_new else "was in service already"
    if change.is_new or change.answer.withdrawal is None:
        return "is withdrawn"
    return f"was withdrawn already, {change.answer.withdrawal.at[:10]}"


def _given(one: AnswerRecord) -> Text:
    plural = "" if one.conversations == 1 else "s"
    return plain(f"It was given in {one.conversations:,} conversation{plural}.")
