"""Replay: what would have been answered at each agent turn of a log, and was it what the agent said?

Decisions:
- The answer counts as right when it is the agent's own or one that says the same (`index.equality`: by words, so that
  every ranker and encoder is judged alike).
- Every turn is stored as soon as its batch is done (`conversations.replays`). A run that was killed is gone on with
  by the same command, at the same batch, so that its numbers are those of a run that was not.
- A desk is read as it is now, its index as it was when it was opened: a run during which the desk changed would be of
  neither. It is ended and not kept; so is one during which a log changed.
- A replayed conversation that is in the desk is invisible while it is scored; as of its day, so is all that was said
  after it began. What was fitted on the desk as a whole is not undone: the model, its confidence, how rare words are.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from bot.answers import Answer
from bot.logged_turns import LoggedTurn, LoggedTurns
from bot.pipeline import Pipeline
from bot.replay_figures import ReplayReport, report_of
from bot.replay_lock import alone
from bot.replay_logs import UnchangedLogs
from bot.topics import TopicsOfLogs
from conversations.errors import DeskError, LogError
from conversations.model import Json
from conversations.moments import read_moment
from conversations.replay_tables import ReplayedTurn, ReplayRun
from conversations.replays import Replays
from index.equality import AnswerEquality
from index.named_figures import other_figures
from training.metrics import rank_of_right

TIMED_TURNS = 200
"""Turns, evenly spread over the logs, that are asked once more, one at a time, for the time that a person would wait.
"""

OnProgress = Callable[[int, int, str], None]


@dataclass(slots=True)
class Outcome:
    """One replayed turn."""

    answer: Answer
    rank: int
    is_known: bool

    @property
    def said(self) -> int | None:
        """The answer that stood first."""
        return self.answer.candidates[0].answer_id if self.answer.candidates else None


def replay(
    pipeline: Pipeline,
    paths: Sequence[Path],
    batch_size: int = 64,
    limit: int | None = None,
    as_of: bool = False,
    name: str | None = None,
    on_progress: OnProgress | None = None,
) -> ReplayReport:
    """Replays logs against a desk and stores the run; one that was broken off is gone on with.

    Args:
        pipeline: the desk, with the ranker to use.
        paths: logs in any format that import reads; read as a stream.
        batch_size: dialogues answered together.
        limit: at most so many turns.
        as_of: whether what the desk learned after a conversation began is invisible too; see `Retriever.visible`.
        name: to find the run by.
        on_progress: called with (done, of, a note): bytes of the logs, or turns where there is a limit.

    Raises:
        LogError: no agent turn could be read, or a log changed meanwhile.
        DeskError: the same replay is running, another command changed the desk, or the run was deleted meanwhile.
    """
    model = pipeline.model.as_served if pipeline.model else None
    settings: dict[str, Json] = {"batch_size": batch_size, "limit": limit, "as_of": as_of, "model": model}
    settings |= {"confidence": pipeline.decision.reading()}
    with pipeline.desk.replays() as replays:
        writing = pipeline.store.last_writing()
        if not pipeline.retriever.is_current():
            raise _changed()
        settings |= {"encoder": pipeline.embedder.identity, "pairs": writing}
        logs = UnchangedLogs(paths)
        key = _key(pipeline, logs.digests, settings)
        with alone(pipeline.desk, key):
            begin = partial(
                replays.begin,
                key,
                _now(),
                pipeline.ranker_name,
                pipeline.threshold,
                [str(path) for path in paths],
                pipeline.counts,
                settings,
                name,
            )
            going = _Replaying(pipeline, replays, begin, writing, logs, on_progress)
            logged = LoggedTurns(pipeline, paths, going.note_read, as_of)
            run = going.go_on(begin() if replays.unfinished(key) else None, logged, batch_size, limit)
            if run is None:
                raise LogError(
                    f"No agent turn could be replayed. {logged.trouble}".rstrip(),
                    "Check that the logs hold agents' answers to customers.",
                )
            return report_of(replays, run)


class _Replaying:
    """One run as it goes on."""

    def __init__(
        self,
        pipeline: Pipeline,
        replays: Replays,
        begin: Callable[[], ReplayRun],
        writing: str,
        logs: UnchangedLogs,
        on_progress: OnProgress | None,
    ) -> None:
        self._pipeline, self._replays, self._begin = pipeline, replays, begin
        self._writing, self._logs, self._on_progress = writing, logs, on_progress
        self._read = (0, 0)
        self._topics = TopicsOfLogs(pipeline.store, pipeline.embedder)

    def go_on(
        self, run: ReplayRun | None, logged: LoggedTurns, batch_size: int, limit: int | None
    ) -> ReplayRun | None:
        """Replays what is left and finishes the run; a new one begins with its first turns, None without any."""
        equality = AnswerEquality(self._pipeline.store.answers(), self._pipeline.retriever.withdrawn)
        begun_at = position = self._replays.next_position(run.id) if run else 0
        done = (run.entry, run.entry_turns) if run else (0, 0)
        started = time.perf_counter()
        left = None if limit is None else limit - position
        for batch in logged.batches(batch_size, left, done):
            began = time.perf_counter()
            outcomes = score_turns(self._pipeline, equality, batch)
            seconds = time.perf_counter() - began
            topics = self._topics.of([turn.logged for turn in batch])
            rows = [
                _row(place, turn, outcome, topic)
                for place, (turn, outcome, topic) in enumerate(zip(batch, outcomes, topics, strict=True), position)
            ]
            self._check_is_as_begun(run)
            with self._replays.transaction():
                run = run or self._begin()
                # Written first: from here on no other command can delete the run.
                self._replays.set_rejected(run.id, logged.rejected, logged.problems)
                self._check_is_there(run)
                self._replays.add(run.id, rows, seconds, batch[-1].entry, batch[-1].number)
            position += len(batch)
            if self._on_progress:
                rate = (position - begun_at) / (time.perf_counter() - started)
                done_now, total = self._read if limit is None else (position, limit)
                self._on_progress(done_now, total, f"{position:,} turns, {rate:.1f}/s")
        self._check_is_as_begun(run)
        if run is None:
            return None
        if left is None or left > 0:
            # What comes after the last turn. Otherwise nothing was read now: it was kept with the last turn.
            self._replays.set_rejected(run.id, logged.rejected, logged.problems)
        self._time_some(run, logged)
        self._check_is_there(run)
        return self._replays.finish(run.id, _now())

    def _check_is_as_begun(self, run: ReplayRun | None) -> None:
        """Does not keep a run of a desk or of logs that are no longer what they were."""
        is_same_desk = self._pipeline.store.last_writing() == self._writing
        change = self._logs.change() if is_same_desk else _changed()
        if change is not None:
            if run:
                self._replays.delete(run.id)
            raise change

    def _check_is_there(self, run: ReplayRun) -> None:
        try:
            self._replays.run(str(run.id))
        except DeskError as error:
            raise DeskError(
                f"Replay {run.id} was deleted while it ran.", "Give the same command again: it begins anew."
            ) from error

    def note_read(self, read: int, size: int) -> None:
        """Takes over how many bytes of how many were read."""
        self._read = (read, size)

    def _time_some(self, run: ReplayRun, logged: LoggedTurns) -> None:
        """Asks some turns alone; the same ones, however often the run was broken off."""
        position = self._replays.numbers(run.id, ("position",))["position"]
        spread = np.linspace(0, len(position) - 1, min(len(position), TIMED_TURNS)).astype(int)
        turns = self._replays.turns(run.id, position[spread].astype(int).tolist())
        wanted = {(turn.entry, turn.number): turn.position for turn in turns if turn.wait is None}
        for place, turn in enumerate(logged.some(wanted.keys()), 1):
            wait = self._pipeline.answer_many([turn.request])[0].timings_ms["total"]
            self._replays.set_wait(run.id, wanted[turn.entry, turn.number], wait)
            if self._on_progress:
                self._on_progress(place, len(wanted), f"{len(position):,} turns, some timed alone")


def _changed() -> DeskError:
    return DeskError(
        "Another command changed the desk, and this replay of what it was is not kept.",
        "Wait until nothing changes it. Give the same command again: it begins anew.",
    )


def _row(position: int, turn: LoggedTurn, outcome: Outcome, topic: str | None) -> ReplayedTurn:
    answer, logged = outcome.answer, turn.logged
    agent = logged.turns[turn.pair.turn]
    return ReplayedTurn(
        position=position,
        entry=turn.entry,
        conversation=logged.id,
        turn=turn.pair.turn,
        number=turn.number,
        key=_turn_key(turn),
        customer=logged.customer,
        language=logged.language,
        source=logged.source,
        topic=topic,
        at=agent.at,
        week=week_of(agent.at),
        action=agent.action,
        question=turn.question,
        agent_answer=turn.answer,
        said=outcome.said,
        rank=outcome.rank,
        is_known=outcome.is_known,
        is_right=outcome.rank == 1,
        decision=answer.decision,
        confidence=answer.confidence,
        milliseconds=answer.timings_ms["total"],
        wait=None,
        in_two=answer.in_two,
        copies=turn.copies,
        twins=len(turn.request.twins),
        is_placed=turn.is_placed,
        other_figures=bool(other_figures(answer.candidates[0].text, turn.answer)) if answer.candidates else None,
    )


def score_turns(pipeline: Pipeline, equality: AnswerEquality, turns: Sequence[LoggedTurn]) -> list[Outcome]:
    """What would be answered at some turns, and how right that is; answered as one batch."""
    answers = pipeline.answer_many([turn.request for turn in turns])
    equal = equality.equal([turn.answer for turn in turns])
    requests = [turn.request for turn in turns]
    seen = pipeline.retriever.visible([one.hidden for one in requests], [one.as_of for one in requests])
    return [
        Outcome(answer, _rank(answer, right), bool(links.sees_answers(np.array(sorted(right), np.int64)).any()))
        for answer, right, links in zip(answers, equal, seen, strict=True)
    ]


def week_of(at: str | None) -> str | None:
    """The ISO year and week of a moment in UTC, None where it is unknown.

    >>> week_of("2026-09-02T08:31:00Z"), week_of("yesterday")
    ('2026-W36', None)
    """
    moment = read_moment(at)
    return f"{moment:%G-W%V}" if moment else None


def _rank(answer: Answer, right: frozenset[int]) -> int:
    scores = np.array([candidate.score for candidate in answer.candidates])
    is_right = [candidate.answer_id in right for candidate in answer.candidates]
    return rank_of_right(scores, is_right) if is_right else 0


def _turn_key(turn: LoggedTurn) -> int:
    what = "\x1f".join((turn.new_id, str(turn.pair.turn), turn.question, turn.answer))
    return int.from_bytes(hashlib.sha256(what.encode("utf-8", "replace")).digest()[:8], "big") >> 12


def _key(pipeline: Pipeline, logs: Sequence[bytes], settings: dict[str, Json]) -> str:
    """Digest of all that the figures of a replay depend on."""
    digest = hashlib.sha256(b"".join(logs))
    for column in pipeline.store.pair_answers():
        digest.update(column.tobytes())
    facts = [pipeline.ranker_name, pipeline.embedder.identity, repr(pipeline.decision), settings]
    digest.update(json.dumps(facts).encode())
    return digest.hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
