"""The monitor's table: its numbers are readable at every width."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from chat_fakes import HOSTILE, assert_harmless, make_console
from rich.cells import cell_len

from bot.control_chart import Reading
from bot.monitor_view import period_view, unhappy_view
from bot.monitoring import Heard, Status, Unhappy

READINGS = [
    Reading("all", 1_234_567, -0.213, -0.104, 900, 4.6e-05, is_alarm=True),
    Reading("where is my parcel, it was to be here on Monday, and nobody tells me anything", 40, 0.02, None, 0, None),
    Reading("我的包裹在哪里我的包裹在哪里我的包裹在哪里我的包裹在哪里", 8, -0.99, 0.01, 30, 0.5),
    Reading(HOSTILE, 7, -0.99, 0.01, 30, 0.5),
]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("terminal", [True, False])
def test_numbers_stay_whole_and_the_topic_has_the_rest(width, terminal):
    console = make_console(width, terminal)
    moment = datetime(2025, 3, 3, tzinfo=UTC)
    console.print(period_view([Status(moment, True, reading, ()) for reading in READINGS]))
    text = console.file.getvalue()
    assert_harmless(text)
    title, head, everything, parcel, chinese, _ = text.splitlines()
    assert title.rstrip() == "2025-03-03 UTC (over)"
    assert head.split() == ["conversations", "mood", "usual", "chance", "topic"]
    assert everything.split() == ["1234567", "-0.21", "-0.10", "4.6e-05", "all"]
    assert parcel.split()[:4] == ["40", "+0.02", "-", "-"]
    assert ("and nobody tells me anything" in parcel) == (width == 120)
    assert parcel.rstrip().endswith("…") == (width < 120) and (width < 120) == chinese.rstrip().endswith("…")
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert cell_len(parcel.rstrip()) == width or width == 120, "nothing is given away"


def test_an_unhappy_conversation_is_named_with_the_worst_of_it():
    console = make_console()
    heard = Heard("refunds", -0.4, -1.2, -0.9, "Nobody cares!", -0.52)
    console.print(unhappy_view(Unhappy("c-17", datetime(2025, 3, 3, tzinfo=UTC), heard)))
    console.print(unhappy_view(Unhappy(HOSTILE, None, Heard(HOSTILE, -0.4, -1.2, -0.9, HOSTILE, -0.52))))
    text = console.file.getvalue()
    assert text.startswith("-0.52  c-17, 2025-03-03 UTC, refunds\n       Nobody cares!\n")
    assert "at no known time" in " ".join(text.split())
    assert_harmless(text)
