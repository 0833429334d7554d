"""Monitoring of a whole desk: which topics turned negative in an hour or day, against what was usual for them?

A conversation sounds as its customer turns do on average. It belongs to the period in which it began, to one topic,
and to the desk as a whole; each of these is a series of the control chart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Self

import numpy as np

from bot.control_chart import ControlChart, Reading, Sound
from bot.desk_loading import load_desk_model
from bot.mood import MoodTrend, calmness
from bot.periods import Periods
from bot.present import excerpt
from bot.topics import Topics, opening_of
from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.model import Conversation
from conversations.moments import first_moment
from conversations.text import safe_text
from index.embedder import Embedder
from training.mood import MoodReader

ALL = "all topics"
"""The series of the whole desk."""
NO_TOPIC = "(none)"
"""That of conversations without the field which names it."""
BATCH = 64
SPARE = 20
"""Times as many unhappy conversations are kept as are to be listed: one that goes on may get better."""
_EXAMPLES = 3
"""Of what was said, kept for each series and period."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a whole conversation sounds."""

    topic: str
    mood: float
    """Mean of its customer turns, from -1 to 1: what is shown; tested is `calm`."""
    calm: float
    lowest: float
    """Of the turn that sounds worst."""
    worst: str
    """That turn, its beginning."""
    whole: float
    """The mood of the whole, its end counting more; see `bot.mood.MoodTrend`."""


@dataclass(frozen=True, slots=True)
class Unhappy:
    """A conversation that sounds worse than most."""

    conversation: str
    began: datetime | None
    """The beginning of its period, by the periods' clock; None where the log has no time."""
    heard: Heard

    def as_json(self) -> dict[str, Any]:
        """A line for a program."""
        return {
            "kind": "unhappy",
            "conversation": self.conversation,
            "period": self.began.isoformat() if self.began else None,
            "topic": self.heard.topic,
            "mood": self.heard.whole,
            "example": self.heard.worst,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """One series in one period, as it is shown and reported."""

    began: datetime
    """Of the period, by the periods' clock."""
    is_over: bool
    reading: Reading
    examples: tuple[tuple[str, str], ...]
    """The most negative turns: conversation and text."""

    def as_json(self) -> dict[str, Any]:
        """A line for an alerting system."""
        reading = self.reading
        return {
            "kind": "alarm" if reading.is_alarm else "status",
            "period": self.began.isoformat(),
            "topic": reading.series,
            "conversations": reading.conversations,
            "mood": reading.mood,
            "usual_mood": reading.usual,
            "baseline_conversations": reading.baseline,
            "p_value": reading.p_value,
            "examples": [{"conversation": name, "text": text} for name, text in self.examples],
        }


class Monitor:
    """Counts conversations by period and topic, and tests each period once it is over."""

    def __init__(
        self,
        embedder: Embedder,
        mood: MoodReader,
        topics: Topics,
        periods: Periods,
        false_alarms: float,
        topic_field: str | None = None,
        unhappiest: int = 0,
    ) -> None:
        """Makes a monitor that has seen nothing.

        Args:
            embedder: of the desk.
            mood: reads its states.
            topics: of the desk.
            periods: what is tested at a time.
            false_alarms: as for `ControlChart`.
            topic_field: a field of the logs' `meta` that names the topic instead.
            unhappiest: how many of the conversations that sound worst are kept.
        """
        self._embedder, self._mood, self._topics = embedder, mood, topics
        self.periods = periods
        """What is tested at a time."""
        self.topic_field = topic_field
        """The field of `meta` that names the topic; None where topics are found."""
        self.has_topics = topic_field is None
        """Whether a conversation had that field so far, where there is one."""
        self._chart = ControlChart(false_alarms)
        self._heard: dict[datetime, dict[str, Heard]] = {}
        """By beginning, UTC, and conversation."""
        self._closed: datetime | None = None
        self._seen: set[str] = set()
        self._unhappiest = unhappiest
        self._unhappy: dict[str, Unhappy] = {}
        self.conversations = 0
        self._undated: set[str] = set()
        self.late = 0
        """Conversations of a period that was over before they came: they count nowhere."""

    @classmethod
    def of_desk(
        cls,
        desk: Desk,
        periods: Periods,
        false_alarms: float,
        topic_field: str | None = None,
        unhappiest: int = 0,
    ) -> Self:
        """A monitor with a desk's encoder, mood head and topics; the arguments are those of the constructor.

        Raises:
            DeskError: the desk's store cannot be opened.
            ModelError: no mood head fits the desk's encoder.
        """
        with desk.store() as store:
            _, embedder, _ = load_desk_model(desk, store)
            mood = MoodReader.for_encoder(embedder, desk.models_path)
            if mood is None:
                raise ModelError(
                    f"No mood head reads the encoder of desk {desk.name}.",
                    f"Train one: attendant train --mood LABELLED --desk {desk.name}.",
                )
            topics = Topics((), embedder.encode([])) if topic_field else Topics.of_store(store, embedder)
        return cls(embedder, mood, topics, periods, false_alarms, topic_field, unhappiest)

    def add(self, conversations: Iterable[Conversation]) -> None:
        """Counts conversations, in any order; nothing is tested yet."""
        stream = iter(conversations)
        while batch := list(islice(stream, BATCH)):
            self._add(batch)

    @property
    def false_alarms(self) -> float:
        """The stated share; see `ControlChart`."""
        return self._chart.false_alarms

    @property
    def undated(self) -> int:
        """Conversations without a time: they belong to no period."""
        return len(self._undated)

    @property
    def unhappy(self) -> list[Unhappy]:
        """The conversations that sound worst as a whole, the worst first."""
        return sorted(self._unhappy.values(), key=_by_mood)[: self._unhappiest]

    def hear(self, conversations: Sequence[Conversation]) -> list[Heard | None]:
        """How each conversation sounds; None where its customer says nothing. Nothing is counted."""
        said = [[turn.text for turn in one.turns if turn.role == "customer"] for one in conversations]
        said = [[text for text in texts if text.strip()] for texts in said]
        moods = iter(self._mood.read([text for texts in said for text in texts]))
        heard: list[Heard | None] = []
        for topic, texts in zip(self._topic_names(conversations), said, strict=True):
            own = list(islice(moods, len(texts)))
            if not own:
                heard.append(None)
                continue
            scores = tuple(mood.score for mood in own)
            worst = int(np.argmin(scores))
            said_worst, mean = excerpt(safe_text(texts[worst])), float(np.mean(scores))
            heard.append(Heard(topic, mean, calmness(own), scores[worst], said_worst, MoodTrend(scores).whole))
        return heard

    def close(self, until: datetime | None = None) -> Iterator[list[Status]]:
        """Tests the periods that are over, the oldest first, one list of all series for each.

        Args:
            until: periods that end by then are over; by default all are.
        """
        for began in sorted(self._heard):
            if until is not None and self.periods.end(began) > until:
                return
            self._closed, heard = began, self._heard.pop(began)
            readings = self._chart.close(by_series(heard.values()))
            yield _statuses(self.periods.shown(began), heard, readings, is_over=True)

    def running(self) -> list[Status]:
        """How the newest period that has begun and is not over stands; empty where there is none."""
        now = datetime.now(UTC)
        began = max((one for one in self._heard if one <= now), default=None)
        if began is None:
            return []
        heard = self._heard[began]
        return _statuses(self.periods.shown(began), heard, self._chart.read(by_series(heard.values())), is_over=False)

    def _add(self, batch: Sequence[Conversation]) -> None:
        for one, heard in zip(batch, self.hear(batch), strict=True):
            began = self.periods.of(first_moment(one.turns))
            is_new = one.id not in self._seen
            self._seen.add(one.id)
            self.conversations += is_new
            if heard is not None and self._unhappiest:
                self._unhappy[one.id] = Unhappy(one.id, began and self.periods.shown(began), heard)
            if began is None:
                self._undated.add(one.id)
                continue
            self._undated.discard(one.id)
            if heard is None:
                continue
            if self._closed is not None and began <= self._closed:
                self.late += is_new
                continue
            # A conversation that went on is in the log once more: only its latest state counts.
            self._heard.setdefault(began, {})[one.id] = heard
        if len(self._unhappy) > 2 * SPARE * self._unhappiest:
            kept = sorted(self._unhappy.values(), key=_by_mood)[: SPARE * self._unhappiest]
            self._unhappy = {one.conversation: one for one in kept}

    def _topic_names(self, conversations: Sequence[Conversation]) -> list[str]:
        if self.topic_field is not None:
            names = [_field(one, self.topic_field) for one in conversations]
            self.has_topics = self.has_topics or any(name != NO_TOPIC for name in names)
            return names
        if not self._topics.names or not conversations:
            return [ALL] * len(conversations)
        found = self._topics.of(self._embedder.encode([opening_of(one) for one in conversations]))
        return [self._topics.names[topic] for topic in found]


def _by_mood(one: Unhappy) -> tuple[float, str]:
    return one.heard.whole, one.conversation


def by_series(period: Iterable[Heard]) -> dict[str, list[Sound]]:
    """What the control chart reads of a period's conversations: by series, the whole desk first."""
    sounds: dict[str, list[Sound]] = {ALL: []}
    for heard in period:
        for series in dict.fromkeys((ALL, heard.topic)):
            sounds.setdefault(series, []).append(Sound(heard.mood, heard.calm))
    return sounds


def _statuses(began: datetime, period: dict[str, Heard], readings: Sequence[Reading], is_over: bool) -> list[Status]:
    worst = sorted((one.lowest, name, one) for name, one in period.items())
    return [
        Status(
            began,
            is_over,
            reading,
            tuple((name, one.worst) for _, name, one in worst if reading.series in (ALL, one.topic))[:_EXAMPLES],
        )
        for reading in readings
    ]


def _field(conversation: Conversation, name: str) -> str:
    """A field of the log's meta as a topic's name."""
    value = conversation.meta.get(name, conversation.source if name == "source" else None)
    if isinstance(value, list):
        value = ", ".join(str(one) for one in value)
    return safe_text(str(value), keep_newlines=False) if value not in (None, "") else NO_TOPIC
