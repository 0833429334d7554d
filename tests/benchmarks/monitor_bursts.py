r"""How surely the monitor tells a burst of complaints, and how often it cries wolf.

    python tests/benchmarks/monitor_bursts.py DATA/star/train.jsonl.gz DATA/sentiment_airline_en WORK
    python tests/benchmarks/monitor_bursts.py conversations/sample/past.jsonl DATA/sentiment_airline_en \
        WORK 60 24 60

The first 1,000 conversations of a log (or as many as are said behind the files) are the desk's past. The next 2,400,
in random order, are a log of 24 days with 100 conversations each (or of other numbers of days and conversations;
where the log has not so many, each is drawn from those it has). In a burst, some of one topic's conversations of one
day have all customer turns but the first replaced by complaints to airlines (where there is only one turn, a
complaint follows it); in an outage all of them have, and as many again come in besides. What a short log has to give
more than once has other complaints each time. They keep their topic: a complaint about what the customer came for
would, one about airlines may not.
Each day is tested as `attendant monitor` tests it, in many orders. A burst is told by its topic's alarm or by another
on its day.
"""

from __future__ import annotations

import gzip
import random
import sys
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from bot.control_chart import ControlChart
from bot.monitoring import Heard, Monitor, by_series
from bot.periods import Periods
from conversations.desk import Desk
from conversations.importing import import_logs
from conversations.model import Conversation
from conversations.readers import read_log
from training.mood_data import read_labelled

ORDERS = 1_000
OUTAGE = 2.0


def complaining(conversation: Conversation, complaints: list[str], generator: random.Random) -> Conversation:
    """The conversation with all of its customer turns but the first replaced, or with one more."""
    own = [place for place, turn in enumerate(conversation.turns) if turn.role == "customer"]
    turns = list(conversation.turns)
    if len(own) == 1:
        turns.append(replace(turns[own[0]]))
        own.append(len(turns) - 1)
    for place in own[1:]:
        turns[place] = replace(turns[place], text=generator.choice(complaints))
    return replace(conversation, turns=tuple(turns))


def heard(monitor: Monitor, conversations: list[Conversation]) -> list[Heard]:
    """What each conversation says; in this log every customer says something."""
    found: list[Heard] = []
    for begin in range(0, len(conversations), 64):
        found += [one for one in monitor.hear(conversations[begin : begin + 64]) if one is not None]
    return found


def mean(conversations: list[Heard]) -> float:
    """How they sound."""
    return sum(one.mood for one in conversations) / len(conversations)


def main(
    source: str, airline: str, directory: str, before: str = "1000", days: str = "24", a_day: str = "100"
) -> None:
    """Prints how many bursts of each strength were told, and how often a day without one alarmed.

    In the first half of the days nothing is planted: they are the baseline.
    """
    count, last, size, work = int(before), int(days), int(a_day), Path(directory)
    generator = random.Random(13)
    desk = Desk.create(work, "monitored")
    past = work / "past.jsonl"
    with gzip.open(source) if source.endswith(".gz") else Path(source).open("rb") as lines, past.open("wb") as file:
        file.writelines(islice(lines, count))
    everything = (one for one in read_log(Path(source)) if isinstance(one, Conversation))
    log = list(islice(everything, count, count + last * size))
    with desk.writing(), desk.store() as store:
        import_logs(store, [past], redact=True, rejects_dir=desk.rejects_path)
    monitor = Monitor.of_desk(desk, Periods(timedelta(days=1)), 0.01)
    complaints = [one.text for one in read_labelled([Path(airline)]) if one.label == "negative"]
    calm, repeats = heard(monitor, log), -(-last * size // len(log))
    turned_ones = heard(monitor, [complaining(one, complaints, generator) for one in log for _ in range(repeats)])
    topics = [one.topic for one in calm]
    cross = [
        [replace(one, topic=topic) for one in turned_ones[row * repeats : (row + 1) * repeats]]
        for row, topic in enumerate(topics)
    ]
    print(f"{len(set(topics))} topics; mean mood {mean(calm):+.2f}, turned {mean(turned_ones):+.2f}")
    false_days = quiet_days = 0
    told: dict[float, list[tuple[bool, bool, int]]] = {0.4: [], 0.6: [], 0.8: [], 1.0: [], OUTAGE: []}
    for _ in range(ORDERS):
        drawn = generator.sample if len(log) == last * size else generator.choices
        order = drawn(range(len(log)), k=last * size)
        strength = generator.choice(list(told))
        burst_day = generator.randrange(last // 2, last)
        rows = order[burst_day * size : (burst_day + 1) * size]
        common = [topic for topic in set(topics) if sum(topics[row] == topic for row in rows) >= 8]
        topic = generator.choice(sorted(common))
        own = [row for row in rows if topics[row] == topic]
        turned = set(generator.sample(own, round(min(strength, 1.0) * len(own))))
        others = sorted(row for row in range(len(log)) if topics[row] == topic and row not in own)
        # A short log has too few others: some complain twice.
        pool = others if len(others) >= len(own) else own + others
        added = generator.sample(pool, len(own)) if strength == OUTAGE else []
        chart = ControlChart(0.01)
        for day in range(last):
            today = order[day * size : (day + 1) * size]
            said = [
                generator.choice(cross[row]) if day == burst_day and row in turned else calm[row] for row in today
            ]
            said += [generator.choice(cross[row]) for row in added if day == burst_day]
            alarmed = {one.series for one in chart.close(by_series(said)) if one.is_alarm}
            if day == burst_day:
                size_of_burst = sum(row in turned for row in today) + len(added)
                told[strength].append((topic in alarmed, bool(alarmed), size_of_burst))
            elif day > 0:
                quiet_days += 1
                false_days += bool(alarmed)
    for strength, found in told.items():
        what = "outages" if strength == OUTAGE else f"bursts in {strength:.0%} of a topic's 8 or more conversations"
        by_topic, by_any = sum(own for own, _, _ in found), sum(told_at_all for _, told_at_all, _ in found)
        missed = [complain for _, told_at_all, complain in found if not told_at_all]
        most = f"; of those missed the largest had {max(missed)} conversations that complain" if missed else ""
        print(f"{what}: {by_any} of {len(found)} told, {by_topic} by the topic's own alarm{most}")
    print(f"days without a burst that alarmed: {false_days} of {quiet_days}: {false_days / quiet_days:.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
