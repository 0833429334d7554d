"""What a person sees while something takes long."""

from __future__ import annotations

import io

from rich.console import Console

from bot import progress


def test_a_bar_shows_the_stage_and_the_share_done_and_no_markup(monkeypatch):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100, markup=False, color_system=None)
    monkeypatch.setattr(progress, "screen", lambda stderr, is_plain=False: console)
    with progress.Meter() as meter:
        meter.show("calibrating [the confidence]", 30, 120, "loss 0.5")
        meter._progress.refresh()
    shown = written.getvalue()
    assert "calibrating [the confidence]" in shown
    assert " 25%" in shown
    assert "loss 0.5" in shown
    assert "[progress" not in shown


def test_nothing_is_shown_where_nobody_watches(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(
        progress, "screen", lambda stderr, is_plain=False: Console(file=written, force_terminal=False)
    )
    with progress.Meter() as meter:
        meter.show("embedding", 1, 2)
    assert written.getvalue() == ""
