"""How the choice of thresholds looks in a terminal: the trade between answering more and being wrong more often."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from bot.output import plain
from bot.tuning import Tuning
from training.calibration import NEVER
from training.risk_control import Trade

_WIDE = 30
"""Columns of a bar."""


def show_tuning(console: Console, found: Tuning, is_trial: bool) -> None:
    """Prints the curves, a threshold a line, and what was chosen or is missing."""
    console.print(plain(f"Replay {found.run}, {found.turns:,} turns, risk {found.risk:.0%}", "bold"))
    read_anew = f"; read anew {found.calibration_after}" if found.calibration_after != found.calibration else ""
    console.print(plain(f"Calibration error of the confidence: {found.calibration}{read_anew}"))
    if found.left_out:
        console.print(
            plain(
                f"Left out: {found.left_out:,} turns of conversations that the desk holds. Its model was trained on "
                "them and ranks them better than others."
            )
        )
    elif found.in_desk:
        console.print(
            plain(
                f"{found.in_desk:,} of these turns are of conversations that the desk holds: where its confidence "
                "was fitted on them, all below is too good. Better replay logs that were held back."
            )
        )
    _show_curve(console, "answers", found.curve, found.chosen)
    if found.chosen is None:
        console.print(plain(f"Not ready: {found.missing}"))
        _show_present(console, found)
        return
    _show_curve(console, "asks", found.asking_curve, found.asking)
    would, now = ("would ", "") if is_trial else ("now ", "s")
    before = "switched off" if found.before >= NEVER else f"{found.before:.3f}"
    console.print(plain(f"The desk {would}answer{now} from {found.chosen.threshold:.3f} on (so far {before})."))
    if found.asking is None:
        why = f"Which of two is meant it {would}ask{now} never"
        missing = "too few turns have two close answers" if not found.asking_curve else "neither is right too often"
        console.print(plain(f"{why}: {missing}; the rest is handed over."))
        return
    console.print(
        plain(
            f"Of the {round(found.asking.answered / found.asking.coverage):,} other turns with two close answers it "
            f"{would}ask{now} which is meant from {found.asking.threshold:.3f} on; the rest is handed over."
        )
    )


def _show_present(console: Console, found: Tuning) -> None:
    """How wrong the desk is as it stands, where turns are left to tell: it goes on so unless it is switched off."""
    if found.before >= NEVER:
        console.print(plain("It stays switched off."))
        return
    if not found.turns:
        return
    present = found.present
    wrong = f"; {present.wrong:,} of them wrongly" if present.answered else ""
    console.print(
        plain(
            f"Of this replay it answers {present.answered:,} of {found.turns:,} turns, from {present.threshold:.3f} "
            f"on{wrong}."
        )
    )
    if present.threshold != found.before:
        console.print(plain(f"Since then it was fitted anew; it answers from {found.before:.3f} on."))
    console.print(plain("It goes on answering like that; attendant tune --off stops it."))


def _show_curve(console: Console, what: str, curve: Sequence[Trade], chosen: Trade | None) -> None:
    if curve:
        console.print(plain(f"from   {what:>7}  wrong  at most"))
    largest = max((trade.bound for trade in curve), default=1.0)
    for trade in curve:
        mark = "<" if trade == chosen else ""
        bar = "█" * round(_WIDE * trade.risk / largest)
        line = f"{trade.threshold:.3f}  {trade.coverage:7.1%}  {trade.risk:5.1%}  {trade.bound:7.1%}  {bar} {mark}"
        console.print(plain(line.rstrip(), "bold" if mark else ""))
