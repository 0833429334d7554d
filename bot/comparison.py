"""Two stored replays, turn by turn: is the second better than the first, or was it only lucky?

Decisions:
- Only turns that both runs hold are compared, each once: the same words at the same place of the same conversation.
- Conversations, not turns, are drawn and exchanged (`training.significance`): the turns of one are not independent.
- A run is worse in a figure where the paired test says so; with a margin, wherever the interval does not rule out
  that it is worse by more than the margin. The one lets through what the data are too few to see, the other does not.
- A guard is there to be shown something: turns that the second run lacks, or too few conversations, do not pass it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.comparison_unlike import unlike
from conversations.errors import LogError
from conversations.replay_tables import ReplayedTurn, ReplayRun
from conversations.replays import Replays
from conversations.store import Store
from training.metrics import reciprocal_ranks
from training.significance import LEAST_CONVERSATIONS, SIGNIFICANT, bootstrap_intervals, paired_p_value

Numbers = dict[str, npt.NDArray[np.float64]]
Floats = npt.NDArray[np.float64]

EXAMPLES = 10
TOPICS = 8
"""Topics listed that gained, and that lost."""
_COLUMNS = ("rank", "is_right", "confidence", "decision = 'answer'", "position", "key")

METRICS: dict[str, Callable[[Numbers], Floats]] = {
    "recall@1": lambda turns: (turns["rank"] == 1).astype(np.float64),
    "recall@5": lambda turns: ((turns["rank"] > 0) & (turns["rank"] <= 5)).astype(np.float64),
    "recall@10": lambda turns: ((turns["rank"] > 0) & (turns["rank"] <= 10)).astype(np.float64),
    "mrr": lambda turns: np.array(reciprocal_ranks(turns["rank"])),
    "coverage": lambda turns: turns["decision = 'answer'"],
    "answered_right": lambda turns: turns["decision = 'answer'"] * turns["is_right"],
    "answered_wrong": lambda turns: turns["decision = 'answer'"] * (1 - turns["is_right"]),
    "brier": lambda turns: (turns["confidence"] - turns["is_right"]) ** 2,
}
"""Figures of one turn by their names; all are means over all turns."""
OF_DECISIONS = ("coverage", "answered_right", "answered_wrong", "brier")
"""Those that need a ranker which a desk answers with; see `ReplayRun.decides`."""
LOWER_IS_BETTER = frozenset({"answered_wrong", "brier"})


@dataclass(frozen=True)
class Difference:
    """One figure of both runs."""

    metric: str
    first: float
    second: float
    difference: float
    """The second less the first."""
    low: float
    high: float
    """Of the difference, with 95 % confidence; infinite where there is only one conversation."""
    p: float
    """How likely a difference as large is by chance alone."""
    conversations: int
    """That it was tested on."""

    def gain(self) -> tuple[float, float, float]:
        """Difference and bounds, turned so that more is better."""
        if self.metric in LOWER_IS_BETTER:
            return -self.difference, -self.high, -self.low
        return self.difference, self.low, self.high

    @property
    def verdict(self) -> str:
        """What the paired test says of the second run: "better" or "worse"; empty also where it can say nothing."""
        if self.conversations < LEAST_CONVERSATIONS or self.p >= SIGNIFICANT:
            return ""
        return "better" if self.gain()[0] > 0 else "worse"

    def is_worse(self, margin: float | None) -> bool:
        """Whether the second run is worse; see the module's docstring for the margin."""
        return self.verdict == "worse" if margin is None else self.gain()[1] < -margin


@dataclass(frozen=True)
class Topic:
    """How one topic changed."""

    topic: str
    turns: int
    first: float
    second: float
    """Recall at 1."""
    wins: int
    losses: int


@dataclass(frozen=True)
class Example:
    """One turn that was ranked otherwise."""

    conversation: str
    turn: int
    question: str
    agent: str
    first: str
    second: str
    """What stood first; empty where nothing did, or where the desk has forgotten it."""
    first_rank: int
    second_rank: int
    """Of the right answer; 0 where it was not ranked."""


@dataclass(frozen=True)
class Comparison:
    """Two replays of the same turns."""

    first: str
    second: str
    """The runs, with their rankers."""
    unlike: tuple[str, ...]
    """What else than the ranker differs between them, as sentences."""
    turns: int
    conversations: int
    only_first: int
    only_second: int
    """Turns that only one of them holds, which are left out."""
    repeated_first: int
    repeated_second: int
    """Turns that a run's logs hold once more, which are compared once."""
    differences: tuple[Difference, ...]
    """Without those `OF_DECISIONS` where a run decides nothing."""
    undecided: str
    """Which run decides nothing, as a sentence; empty where both decide."""
    wins: int
    ties: int
    losses: int
    """Turns whose right answer the second run ranked higher, alike, or lower."""
    topics: tuple[Topic, ...]
    """All of them, those that gained most first."""
    gained: tuple[Example, ...]
    lost: tuple[Example, ...]

    @property
    def too_few(self) -> str:
        """That the conversations are too few for any test, as a sentence; empty where they are not."""
        if self.conversations >= LEAST_CONVERSATIONS:
            return ""
        return f"{_counted(self.conversations)} too few for any test: it takes {LEAST_CONVERSATIONS}."

    def unproven(self, guarded: Sequence[str], allow_missing: bool = False) -> list[str]:
        """Why nothing could be shown against the second run, as sentences; empty where it could.

        Args:
            guarded: the figures in which it must not be worse.
            allow_missing: whether the second run may lack turns of the first.
        """
        found = [self.too_few] if self.too_few else []
        if untold := [name for name in guarded if self.undecided and name in OF_DECISIONS]:
            found.append(f"{self.undecided} It has no {' and no '.join(untold)}.")
        if self.first == self.second:
            found.append("A and B are the same run.")
        if self.only_first and not allow_missing:
            found.append(
                f"{self.only_first:,} of A's {self.turns + self.only_first:,} turns are missing in B: replay the "
                "same logs for both, or let it pass with --allow-missing."
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        found = asdict(self)
        for plain, one in zip(found["differences"], self.differences, strict=True):
            plain["verdict"] = one.verdict
        return found


def compare(replays: Replays, store: Store, first: ReplayRun, second: ReplayRun) -> Comparison:
    """Compares two stored replays.

    Args:
        replays: that hold them.
        store: of the desk, for the texts of answers.
        first: the run to compare with, such as that of the model in use.
        second: the run in question.

    Raises:
        LogError: they have no turn in common.
    """
    ours, theirs = replays.numbers(first.id, _COLUMNS), replays.numbers(second.id, _COLUMNS)
    _, here, there = np.intersect1d(ours["key"], theirs["key"], assume_unique=True, return_indices=True)
    if not len(here):
        raise LogError("The two replays have no turn in common.", "Replay the same logs for both.")
    here, there = here[(order := np.argsort(here))], there[order]
    groups = replays.groups(first.id)[here]
    a, b = ({name: column[rows] for name, column in run.items()} for run, rows in ((ours, here), (theirs, there)))
    gain = METRICS["mrr"](b) - METRICS["mrr"](a)
    picked = [_most(gain), _most(-gain)]
    topics = replays.labels(first.id, "topic")
    if len(topics[1]) < 2:
        topics = replays.labels(first.id, "source")
    undecided = _undecided(first, second)
    return Comparison(
        first=f"{first.id} {first.ranker}",
        second=f"{second.id} {second.ranker}",
        unlike=tuple(unlike(first, second)),
        turns=len(here),
        conversations=len(np.unique(groups)),
        only_first=len(ours["key"]) - len(here),
        only_second=len(theirs["key"]) - len(here),
        repeated_first=replays.repeats(first.id),
        repeated_second=replays.repeats(second.id),
        differences=_differences(a, b, groups, METRICS.keys() - (OF_DECISIONS if undecided else ())),
        undecided=undecided,
        wins=int((gain > 0).sum()),
        ties=int((gain == 0).sum()),
        losses=int((gain < 0).sum()),
        topics=_topics(a, b, topics[0][here], topics[1]),
        gained=_examples(replays, store, (first.id, a), (second.id, b), picked[0]),
        lost=_examples(replays, store, (first.id, a), (second.id, b), picked[1]),
    )


def _undecided(first: ReplayRun, second: ReplayRun) -> str:
    names = [f"{name}'s ranker {run.ranker}" for name, run in (("A", first), ("B", second)) if not run.decides]
    only = "only orders" if len(names) == 1 else "only order"
    return f"{' and '.join(names)} {only} answers: no desk answers so, and no confidence was fitted." if names else ""


def _counted(conversations: int) -> str:
    return "1 conversation is" if conversations == 1 else f"{conversations} conversations are"


def _differences(a: Numbers, b: Numbers, groups: npt.NDArray[np.int64], wanted: Set[str]) -> tuple[Difference, ...]:
    names = [name for name in METRICS if name in wanted]
    figures = [(METRICS[name](a), METRICS[name](b)) for name in names]
    bounds = bootstrap_intervals(np.stack([theirs - ours for ours, theirs in figures], axis=1), groups)
    return tuple(
        Difference(
            metric=name,
            first=float(ours.mean()),
            second=float(theirs.mean()),
            difference=float((theirs - ours).mean()),
            low=float(low),
            high=float(high),
            p=paired_p_value(theirs, ours, groups),
            conversations=len(np.unique(groups)),
        )
        for name, (ours, theirs), (low, high) in zip(names, figures, bounds, strict=True)
    )


def _topics(a: Numbers, b: Numbers, numbers: npt.NDArray[np.int64], words: Sequence[str]) -> tuple[Topic, ...]:
    ours, theirs = METRICS["recall@1"](a), METRICS["recall@1"](b)
    found = []
    for number in np.unique(numbers):
        own = numbers == number
        wins, losses = int((theirs[own] > ours[own]).sum()), int((theirs[own] < ours[own]).sum())
        word = words[number] or "(none)"
        found.append(Topic(word, int(own.sum()), float(ours[own].mean()), float(theirs[own].mean()), wins, losses))
    return tuple(sorted(found, key=lambda topic: (topic.losses - topic.wins, topic.topic)))


def _most(gain: Floats) -> npt.NDArray[np.int64]:
    """The turns that gained most."""
    first = np.argsort(-gain, kind="stable")[:EXAMPLES]
    return np.asarray(first[gain[first] > 0])


def _examples(
    replays: Replays,
    store: Store,
    first: tuple[int, Numbers],
    second: tuple[int, Numbers],
    rows: npt.NDArray[np.int64],
) -> tuple[Example, ...]:
    (ours, a), (theirs, b) = first, second
    before = replays.turns(ours, a["position"][rows].astype(int).tolist())
    after = replays.turns(theirs, b["position"][rows].astype(int).tolist())
    said = {turn.said for turn in (*before, *after) if turn.said is not None}
    texts = {answer.id: answer.text for answer in store.answers(said)}

    def text(turn: ReplayedTurn) -> str:
        return texts.get(turn.said, "") if turn.said is not None else ""

    return tuple(
        Example(
            conversation=one.conversation,
            turn=one.turn,
            question=one.question,
            agent=one.agent_answer,
            first=text(one),
            second=text(other),
            first_rank=one.rank,
            second_rank=other.rank,
        )
        for one, other in zip(before, after, strict=True)
    )
