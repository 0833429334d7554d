"""Periods by a place's clock, also where it is set, and conversations that come late or by another clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.periods import Periods
from bot.punctuality import LOOKS, Punctuality
from conversations.model import Conversation, Turn

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
LENGTHS = [timedelta(minutes=15), HOUR, 2 * HOUR, 7 * HOUR, 24 * HOUR, 36 * HOUR, 7 * 24 * HOUR]
ZONES = ["UTC", "America/New_York", "America/Havana", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Beirut"]


@given(st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 31)), st.sampled_from(LENGTHS), st.sampled_from(ZONES))
@example(datetime(2025, 11, 2, 4, 30), 6 * HOUR, "America/Havana")
@example(datetime(2025, 11, 2, 5, 30), 6 * HOUR, "America/Havana")
@example(datetime(2025, 4, 5, 15, 15), HOUR, "Australia/Lord_Howe")
def test_every_moment_lies_in_its_period(moment, length, zone):
    periods, moment = Periods(length, ZoneInfo(zone)), moment.replace(tzinfo=UTC)
    began = periods.of(moment.isoformat())
    assert began <= moment < periods.end(began)
    assert periods.of(began.isoformat()) == began, "whichever of its moments it is asked for"


def test_a_day_is_as_long_as_the_clock_makes_it_and_an_hour_that_comes_twice_is_two():
    days, hours = Periods(24 * HOUR, NEW_YORK), Periods(HOUR, NEW_YORK)
    lasting = []
    for day in ("2025-03-08", "2025-03-09", "2025-11-02"):
        began = days.of(day)
        assert days.shown(began).hour == 0
        lasting.append((days.end(began) - began) / HOUR)
    assert lasting == [24, 23, 25]
    assert hours.of("2025-11-02T05:30:00Z") + HOUR == hours.of("2025-11-02T06:30:00Z")


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59", "0001-01-01"]
)
def test_at_the_ends_of_all_times_there_is_a_period_or_none(zone, time):
    for length in LENGTHS:
        periods = Periods(length, ZoneInfo(zone))
        began = periods.of(time)
        assert began is None or began < periods.end(began)


def said(*times):
    return [
        Conversation(f"c-{time}", (Turn("customer", "hello", "2025-01-01"), Turn("agent", "hi", time)))
        for time in times
    ]


NOW = datetime(2026, 11, 26, 15, 2, tzinfo=UTC)


def test_late_conversations_are_told_at_once_and_then_once_a_period():
    punctuality = Punctuality(Periods(HOUR))
    told = [
        bool(punctuality.notices([], late, NOW + minutes * HOUR / 60))
        for minutes, late in ((0, 0), (1, 2), (2, 3), (60, 4), (61, 9), (130, 9), (300, 9))
    ]
    assert told == [False, True, False, False, True, False, False]


@pytest.mark.parametrize(
    ("time", "what"),
    [
        ("2026-11-26T10:02:10", "about 5 hours behind"),
        ("2026-11-26T20:31:00", "about 5.5 hours ahead of"),
        ("2026-11-26T15:01:00", None),
        ("2026-11-26T14:32:00", None),
        ("2026-11-26T10:12:00", None),
        ("2026-11-26T10:02:10Z", None),
        ("2026-11-25T10:02:10", None),
        ("2026-11-26", None),
        (None, None),
    ],
)
def test_times_that_are_whole_hours_off_are_told_once(time, what):
    punctuality = Punctuality(Periods(HOUR))
    told = [text for _ in range(3 * LOOKS) for text in punctuality.notices(said(time), 0, NOW)]
    assert len(told) == (what is not None) and all(what in text for text in told)


def test_a_batch_of_past_conversations_is_no_other_clock():
    punctuality = Punctuality(Periods(HOUR))
    for look in range(3 * LOOKS):
        hours = range(look % 3, 13)
        batch = said(*((NOW - hour * HOUR).replace(tzinfo=None).isoformat() for hour in hours))
        assert not punctuality.notices(batch, 0, NOW)
