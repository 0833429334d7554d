"""A pipeline without models, and everything a hostile log could hold."""

from __future__ import annotations

import asyncio
import io
import re
import signal
import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
from rich.console import Console

import bot.answers
from bot.chat import Chat
from bot.dialogue import Request
from conversations.errors import DeskError
from conversations.model import Conversation, Turn
from training.mood import Mood

HOSTILE = (
    "clip \x1b]52;c;cm0gLXJmIC8=\x07 title \x1b]0;owned\x1b\\ link \x1b]8;;http://evil\x07x\x1b]8;;\x07 "
    "clear \x1b[2J\x1b[10A ask \x1b[6n reset \x1bc dcs \x1bP1$qm\x1b\\ eight \x9b2J \x9d52;c;AA\x9c bell \x07 "
    "bidi \u202eevil\u2066 hidden \u200b\U000e0041 markup [/refund] [bold red]x[/] [link=http://evil]y[/link] "
    ":smile: "
    "surrogate \udc80 end"
)
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ud800-\udfff\U000e0000-\U000e007f]"
)


def assert_harmless(text: str) -> None:
    """Nothing for the terminal to obey; what looks like markup is still there as text."""
    assert not FORBIDDEN.search(text), repr(FORBIDDEN.search(text))


@dataclass(frozen=True)
class Evidence:
    conversation: str
    turn: int


@dataclass(frozen=True)
class RankedAnswer:
    answer_id: int
    text: str
    weight: float
    score: float = 1.0
    retrieval_score: float = 0.5
    question: str = "where is it?"
    evidence: tuple[Evidence, ...] = (Evidence("lw-2001", 1),)
    feedback: float = 0.0
    signals: tuple[float, ...] = ()


@dataclass(frozen=True)
class Answer:
    decision: str
    answer: str | None
    confidence: float
    reason: str
    candidates: tuple[RankedAnswer, ...]
    timings_ms: dict = field(default_factory=lambda: {"embed": 5.0, "retrieve": 4.0, "rerank": 11.0, "total": 20.4})
    left_out: int = 0
    in_two: float | None = None
    openings: float = 0.0
    is_new_topic: bool = False
    mood: Mood | None = None
    prior: object = None

    chance = bot.answers.Answer.chance


@dataclass(frozen=True)
class Explanation:
    about: RankedAnswer | None
    confidence: float
    words: list
    without_turn: list
    signals: dict
    runner_up: dict | None
    gone: str = ""


class FakePipeline:
    """Answers with what it was given, leaving out what was rejected; below the threshold it hands over."""

    ranker_name = "fake"
    threshold = 0.5
    mood_threshold = -0.5
    notices = ()
    counts: ClassVar = {"conversations": 1, "turns": 4, "pairs": 3, "answers": 3}

    def __init__(self, candidates, conversation=None, confidence=0.72, reason=""):
        self.candidates = tuple(candidates)
        self.past = conversation
        self.confidence = confidence
        self.reason = reason
        self.calls = []
        self.counted = []
        self.wait = 0.0
        self.failure = None
        self.mood = None
        self._store = None
        self.withdrawn = set()
        self.retriever = SimpleNamespace(views={"answers": SimpleNamespace(vectors_of=lambda ids: np.eye(len(ids)))})

    @property
    def store(self):
        service = SimpleNamespace(withdrawn_among=lambda ids: self.withdrawn & {*ids})
        return self._store or SimpleNamespace(service=service, answers=list)

    @store.setter
    def store(self, store):
        self._store = store

    def answer(self, turns, exclude=None, rejected=(), earlier=()):
        return self.answer_many([Request(tuple(turns), exclude, tuple(rejected), tuple(earlier))])[0]

    def answer_many(self, requests):
        return [self._answer(request) for request in requests]

    def answer_in_steps(self, request, count=None):
        yield None
        time.sleep(self.wait)
        yield None
        self.counted.append(count)
        yield self._answer(request)

    def _answer(self, request):
        self.calls.append(request)
        if self.failure:
            raise self.failure
        left = tuple(one for one in self.candidates if one.text not in request.rejected)
        if not left or self.confidence < self.threshold:
            reason = self.reason or "No answer is sure enough."
            return Answer("handoff", None, self.confidence, reason, left, mood=self.mood)
        return Answer("answer", left[0].text, self.confidence, "", left, mood=self.mood)

    def read_moods(self, said):
        return [self.mood for _ in said] if self.mood else []

    def refresh_feedback(self):
        self.prior = True

    def explain(self, request, answer, given=None):
        turns = request.turns
        position = len(turns) - 1
        words = [(word, 0.5 / (place + 1), position) for place, word in enumerate(turns[-1].text.split())]
        without = [(place, 0.4) for place in range(len(turns) - 1)]
        about = given or next(iter(answer.candidates), None)
        signals = ({"answer": 0.61, "words": 0.2}, {"answer": 0.5, "words": 0.1})
        return Explanation(about, answer.confidence, words, without, *signals)

    def conversation(self, name):
        return self.past if self.past is not None and self.past.id == name else None

    def close(self):
        pass


ANGRY, CALM = Mood(0.95, 0.04, 0.01), Mood(0.02, 0.93, 0.05)


class Listening(FakePipeline):
    """A pipeline that hears anger where something is shouted."""

    def read_moods(self, said):
        return [ANGRY if text.isupper() else CALM for text in said]

    def _answer(self, request):
        (mood,) = self.read_moods([request.turns[-1].text])
        return replace(super()._answer(request), mood=mood)


class Unsure(FakePipeline):
    """A pipeline that asks which of the two best is meant."""

    def _answer(self, request):
        return replace(super()._answer(request), decision="ask", answer=None, reason="Two are close.")


class FakeBook:
    def __init__(self):
        self.kept = []
        self.shown = []

    def check(self, answer_id, verdict):
        pass

    def add(self, dialogue, answer_id, verdict):
        self.kept.append((dialogue.key, dialogue.asked[-1].text, answer_id, verdict))
        self.shown.append([one.answer_id for one in dialogue.shown()])
        return True

    def meet(self, dialogue):
        pass


class FullBook(FakeBook):
    """A book on a disk that is full."""

    def add(self, dialogue, answer_id, verdict):
        raise DeskError("The store cannot be written.", "Make room.")


PAST = Conversation(
    "lw-2001",
    (
        Turn("customer", "too late to send it back?", "2025-02-18T12:04:10Z"),
        Turn("agent", "An opened box is no problem.", "2025-02-18T12:05:02Z", "Maren"),
    ),
    meta={"outcome": "resolved"},
)
ANSWERS = (
    RankedAnswer(7, "An opened box is no problem.", 0.7),
    RankedAnswer(8, "You can return it within 30 days.", 0.2),
    RankedAnswer(9, "Please send us a photo.", 0.1),
)


def make_console(width=100, terminal=False):
    return Console(
        file=io.StringIO(), record=True, width=width, markup=False, highlight=False, emoji=False,
        force_terminal=terminal, color_system=None,
    )  # fmt: skip


def make_chat(pipeline=None, width=100, terminal=False):
    chat = Chat(pipeline or FakePipeline(ANSWERS, PAST), make_console(width, terminal), FakeBook())
    chat.book = chat._book
    return chat


def shown(chat):
    """Everything on the chat's screen so far, as it was written to the terminal."""
    return chat.console.file.getvalue()


def timeless(turns):
    """Turns without their moments."""
    return tuple(replace(turn, at=None) for turn in turns)


def hostile_pipeline(confidence=0.72):
    conversation = Conversation(
        HOSTILE,
        (Turn("customer", HOSTILE), Turn("agent", HOSTILE, HOSTILE, HOSTILE)),
        meta={"outcome": HOSTILE},
    )
    evidence = (Evidence(HOSTILE, 1), Evidence("x", 1))
    answers = [
        replace(one, text=f"{one.answer_id} {HOSTILE}", question=HOSTILE, evidence=evidence) for one in ANSWERS
    ]
    return FakePipeline(answers, conversation, confidence, HOSTILE if confidence < 0.5 else "")


def interrupted_loops(moment):
    """Event loops that Ctrl-C strikes while they are "made" or "closed"."""

    class Loop(asyncio.SelectorEventLoop):
        def __init__(self):
            if moment == "made":
                signal.raise_signal(signal.SIGINT)
            super().__init__()

        def close(self):
            if moment == "closed" and not self.is_closed():
                signal.raise_signal(signal.SIGINT)
            super().close()

    return Loop
