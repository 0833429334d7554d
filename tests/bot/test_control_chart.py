from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from bot.control_chart import EXPANDED, LEAST_BASELINE, NEW_USUAL, ControlChart, Sound

CALM, ANGRY = [0.0, 0.1, -0.1, 0.2] * 5, [-0.8, -0.7, -0.9, -0.6] * 5
MOODS = st.floats(-1, 1, allow_nan=False)


def sounds(moods):
    """Conversations that are as calm as their moods are good."""
    return [Sound(mood, mood) for mood in moods]


def alarms(chart, **moods):
    readings = chart.close({series: sounds(own) for series, own in moods.items()})
    return [reading.series for reading in readings if reading.is_alarm]


def with_baseline(*names):
    chart = ControlChart(0.01)
    for _ in range(10):
        alarms(chart, **dict.fromkeys(names, CALM))
    return chart


def test_only_the_series_that_got_worse_alarms():
    chart = with_baseline("parcels", "refunds")
    assert alarms(chart, parcels=CALM[:10] + ANGRY[:10], refunds=CALM) == ["parcels"]


def test_a_series_that_got_better_does_not_alarm():
    assert alarms(with_baseline("parcels"), parcels=[0.9] * 20) == []


def test_nothing_is_tested_before_there_is_a_baseline():
    chart = ControlChart(0.01)
    assert alarms(chart, parcels=[0.0] * (LEAST_BASELINE - 1)) == []
    assert chart.read({"parcels": sounds(ANGRY)})[0].p_value is None
    alarms(chart, parcels=[0.1])
    assert chart.read({"parcels": sounds(ANGRY)})[0].is_alarm


def test_what_alarmed_is_not_taken_as_usual_until_it_lasts():
    chart = with_baseline("parcels")
    for period in range(NEW_USUAL):
        assert alarms(chart, parcels=ANGRY) == ["parcels"], period
    assert alarms(chart, parcels=ANGRY) == []
    assert alarms(chart, parcels=[-1.0] * 20) == ["parcels"]


def test_reading_a_running_period_changes_nothing():
    chart = with_baseline("parcels")
    before = chart.read({"parcels": sounds(ANGRY)})
    for _ in range(20):
        chart.read({"parcels": sounds(CALM)})
    assert chart.read({"parcels": sounds(ANGRY)}) == before


@pytest.mark.parametrize("baseline", [1, 5, 20])
@pytest.mark.parametrize("size", [4, 25])
def test_false_alarms_stay_within_what_is_stated(baseline, size):
    stated, generator = 0.05, np.random.default_rng(7)
    alarmed = periods = 0
    for _ in range(60):
        chart = ControlChart(stated)
        # Moods crowd at the ends, as those of a classifier do.
        usual = generator.uniform(0.1, 3, size=(6, 2))
        for period in range(baseline + 5):
            sizes = generator.poisson(size, size=6) + (20 if period == 0 else 0)
            moods = {str(n): (2 * generator.beta(*usual[n], int(sizes[n])) - 1).round(3).tolist() for n in range(6)}
            readings = chart.close({series: sounds(own) for series, own in moods.items()})
            if period >= baseline:
                periods += 1
                alarmed += any(reading.is_alarm for reading in readings)
    # Three standard errors of 300 periods.
    assert alarmed / periods < stated + 3 * (stated * (1 - stated) / periods) ** 0.5


@given(st.lists(MOODS, min_size=20, max_size=60), st.lists(MOODS, min_size=3, max_size=20), st.data())
def test_a_conversation_that_sounds_worse_is_never_less_alarming(usual, new, data):
    place = data.draw(st.integers(0, len(new) - 1))
    worse = [mood if other != place else -1.0 for other, mood in enumerate(new)]
    chart = ControlChart(0.01)
    chart.close({"parcels": sounds(usual)})
    before, after = (chart.read({"parcels": sounds(moods)})[0].p_value for moods in (new, worse))
    # The correction for ties moves the variance a little.
    assert 0.0 <= after <= before + 0.02 <= 1.02


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_rate_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        ControlChart(share)


def test_alarms_between_calm_periods_do_not_become_usual():
    chart = with_baseline("parcels")
    for _ in range(2 * NEW_USUAL):
        assert alarms(chart, parcels=ANGRY) == ["parcels"]
        assert alarms(chart, parcels=CALM) == []


def test_the_mood_is_shown_and_how_calm_they_are_is_tested():
    chart = ControlChart(0.01)
    chart.close({"parcels": [Sound(0.5, calm) for calm in CALM]})
    (reading,) = chart.read({"parcels": [Sound(0.4, calm) for calm in ANGRY]})
    assert reading.is_alarm and (reading.mood, reading.usual) == pytest.approx((0.4, 0.5))


@pytest.mark.parametrize("baseline", [20, 100, 400])
@pytest.mark.parametrize("size", [3, 4, 8, 12, 20])
def test_the_chance_of_few_conversations_is_nearly_the_exact_one(size, baseline):
    generator, usual, exact_ones = np.random.default_rng(size), np.arange(float(baseline)), []
    chart = ControlChart(0.01)
    chart.close({"parcels": sounds(usual)})
    for _ in range(300):
        new = generator.uniform(-1, baseline * generator.uniform(0.05, 0.6), size)
        exact = float(mannwhitneyu(new, usual, alternative="less", method="exact").pvalue)
        chance = chart.read({"parcels": sounds(new)})[0].p_value
        if EXPANDED < exact < 0.05:
            exact_ones.append(exact)
            assert 0.9 * exact < chance < (1.1 if size >= 8 else 8.0) * exact
        elif exact <= EXPANDED:
            assert chance >= exact, "no surer than it is"
    assert len(exact_ones) >= 30
