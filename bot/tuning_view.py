"""How the choice of a threshold looks in a terminal: the trade between answering more and being wrong more often."""

from __future__ import annotations

from rich.console import Console

from bot.output import plain
from bot.tuning import Tuning

_WIDE = 30
"""Columns of a bar."""


def show_tuning(console: Console, found: Tuning, is_trial: bool) -> None:
    """Prints the curve, a threshold a line, and what was chosen or is missing."""
    console.print(plain(f"Replay {found.run}, {found.turns:,} turns, risk {found.risk:.0%}", "bold"))
    if found.curve:
        console.print(plain("from   answers  wrong  at most"))
    largest = max((trade.bound for trade in found.curve), default=1.0)
    for trade in found.curve:
        mark = "<" if trade == found.chosen else ""
        bar = "█" * round(_WIDE * trade.risk / largest)
        line = f"{trade.threshold:.3f}  {trade.coverage:7.1%}  {trade.risk:5.1%}  {trade.bound:7.1%}  {bar} {mark}"
        console.print(plain(line.rstrip(), "bold" if mark else ""))
    if found.chosen is None:
        console.print(plain(f"Not ready: {found.missing}"))
        console.print(plain(f"The desk still answers from {found.before:.3f} on."))
        return
    verb = "would answer" if is_trial else "now answers"
    console.print(plain(f"The desk {verb} from {found.chosen.threshold:.3f} on (so far {found.before:.3f})."))
