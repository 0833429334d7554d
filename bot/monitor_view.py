"""How the monitoring of a desk looks: what alarmed, and how the latest period stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.monitoring import Status
from bot.output import plain
from bot.present import excerpt, per_cent

_NAME = 60
"""Characters of a topic's name in the table."""
_ROWS = 20


def alarm_view(status: Status) -> RenderableType:
    """One alarm: when, which topic, how many against how many usually, and the worst of what was said."""
    reading = status.reading
    usual = reading.baseline.share * reading.count.conversations
    counts = f"{reading.count.negative} of {reading.count.conversations} negative, usually {usual:.1f}"
    lines = [
        Text.assemble(
            ("! ", "bold red"), plain(moment(status.began), "bold"), "  ", plain(excerpt(reading.series, 120), "bold")
        ),
        plain(f"  {counts}; the chance of that is {reading.p_value or 0.0:.1g}", "red"),
    ]
    lines += [plain(f"  {conversation}: {text}", "dim") for conversation, text in status.examples]
    return Group(*lines)


def period_view(statuses: Sequence[Status]) -> RenderableType:
    """All series of one period, most conversations first."""
    if not statuses:
        return plain("No conversation yet.")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("conversations", "negative", "usual", "chance"):
        table.add_column(name, justify="right")
    table.add_column("topic", overflow="ellipsis", no_wrap=True)
    ordered = sorted(statuses, key=lambda one: -one.reading.count.conversations)
    for status in ordered[:_ROWS]:
        reading = status.reading
        chance = "-" if reading.p_value is None else f"{reading.p_value:.2g}"
        usual = per_cent(reading.baseline.share) if reading.baseline.conversations else "-"
        table.add_row(
            plain(reading.count.conversations),
            plain(reading.count.negative),
            plain(usual),
            plain(chance),
            plain(excerpt(reading.series, _NAME)),
            style="bold red" if reading.is_alarm else "",
        )
    state = "over" if statuses[0].is_over else "running"
    return Group(plain(f"{moment(statuses[0].began)} ({state})", "bold"), table)


def moment(began: datetime) -> str:
    """The beginning of a period, in UTC; the day alone where it begins at midnight."""
    return f"{began:%Y-%m-%d}" if (began.hour, began.minute) == (0, 0) else f"{began:%Y-%m-%d %H:%M}"
