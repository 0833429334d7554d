from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.control_chart import LEAST_BASELINE, NEW_USUAL, ControlChart, Count


def alarms(chart, **counts):
    readings = chart.close({name: Count(*count) for name, count in counts.items()})
    return [reading.series for reading in readings if reading.is_alarm]


def with_baseline(**shares):
    chart = ControlChart(0.01)
    for _ in range(10):
        alarms(chart, **{name: (20, round(20 * share)) for name, share in shares.items()})
    return chart


def test_only_the_series_that_got_worse_alarms():
    chart = with_baseline(parcels=0.1, refunds=0.1)
    assert alarms(chart, parcels=(20, 11), refunds=(20, 3)) == ["parcels"]


def test_nothing_is_tested_before_there_is_a_baseline():
    chart = ControlChart(0.01)
    assert alarms(chart, parcels=(LEAST_BASELINE - 1, 0)) == []
    assert chart.read({"parcels": Count(50, 50)})[0].p_value is None
    alarms(chart, parcels=(1, 0))
    assert chart.read({"parcels": Count(50, 50)})[0].is_alarm


def test_what_alarmed_is_not_taken_as_usual_until_it_lasts():
    chart = with_baseline(parcels=0.1)
    for period in range(NEW_USUAL):
        assert alarms(chart, parcels=(20, 14)) == ["parcels"], period
    assert alarms(chart, parcels=(20, 14)) == []
    assert alarms(chart, parcels=(20, 20)) == ["parcels"]


def test_reading_a_running_period_changes_nothing():
    chart = with_baseline(parcels=0.1)
    before = chart.read({"parcels": Count(20, 9)})
    for _ in range(20):
        chart.read({"parcels": Count(200, 0)})
    assert chart.read({"parcels": Count(20, 9)}) == before


@pytest.mark.parametrize("baseline", [1, 5, 20])
def test_false_alarms_stay_within_what_is_stated(baseline):
    stated, generator = 0.05, np.random.default_rng(7)
    alarmed = periods = 0
    for _ in range(150):
        chart = ControlChart(stated)
        shares = generator.uniform(0.02, 0.6, size=6)
        for period in range(baseline + 3):
            sizes = generator.poisson(25, size=6)
            negative = generator.binomial(sizes, shares)
            counts = {str(n): Count(int(sizes[n]), int(negative[n])) for n in range(6)}
            readings = chart.close(counts)
            if period >= baseline:
                periods += 1
                alarmed += any(reading.is_alarm for reading in readings)
    # Three standard errors of 450 periods.
    assert alarmed / periods < stated + 3 * (stated * (1 - stated) / periods) ** 0.5


@given(st.integers(20, 300), st.data())
def test_one_negative_conversation_more_is_never_less_alarming(size, data):
    negative = data.draw(st.integers(0, size - 1))
    chart = ControlChart(0.01)
    chart.close({"parcels": Count(100, data.draw(st.integers(0, 100)))})
    less, more = (chart.read({"parcels": Count(size, count)})[0].p_value for count in (negative, negative + 1))
    assert 0.0 <= more <= less <= 1.0


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_rate_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        ControlChart(share)
