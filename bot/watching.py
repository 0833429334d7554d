"""Logs of a whole desk, read as they grow: conversations, whole or turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.growing_log import GrowingLog, Trouble
from bot.punctuality import Punctuality
from conversations.model import Conversation, Json, Turn
from conversations.readers.rejected import RowError
from conversations.readers.rows import conversation_from, listed_turns, meta_of, short, turn_of

if TYPE_CHECKING:
    from bot.monitor_view import MonitorScreen
    from bot.monitoring import Monitor

MOST_OPEN = 10_000
"""Conversations that are still put together turn by turn; of more the one that was begun first is let go."""


GRACE = 0.25
"""Of a period, how long after its end it is tested: conversations are often logged when they are over."""
EVERY = 1.0
"""Seconds between two looks at the logs."""


class WatchedLogs:
    """Some JSON Lines logs as they grow, de-identified as the desk's own are."""

    def __init__(self, paths: Sequence[Path], redacted: Callable[[Conversation], Conversation]) -> None:
        """Begins at the beginning of each file, once it is there.

        Args:
            paths: of the logs.
            redacted: what de-identifies a conversation.
        """
        self._logs = [GrowingLog(path, partial(self._conversations, place)) for place, path in enumerate(paths)]
        self._open: dict[str, Conversation] = {}
        """Those that come turn by turn, from whichever of the logs."""
        self._repeated: dict[str, int] = {}
        """How many turns of each were said again by a log that was cut or replaced."""
        self._restarts = [0] * len(self._logs)
        self._redacted = redacted

    def poll(self) -> tuple[list[Conversation], list[str]]:
        """The conversations that are new or went on, each as it stands now, and what a person should know."""
        conversations: dict[str, Conversation] = {}
        troubles: list[str] = []
        for log in self._logs:
            for item in log.poll():
                if isinstance(item, Trouble):
                    troubles.append(item.text)
                else:
                    conversations[item.id] = item
        # What de-identification replaces depends on all that was said: only the latest state is looked at.
        return [self._redacted(one) for one in conversations.values()], troubles

    @property
    def is_at_end(self) -> bool:
        """Whether the last look at each of them came to its end."""
        return all(log.is_at_end for log in self._logs)

    @property
    def rejected(self) -> int:
        """Lines that could not be read so far."""
        return sum(log.rejected for log in self._logs)

    def close(self) -> None:
        """Closes the files."""
        for log in self._logs:
            log.close()

    def _conversations(self, place: int, row: dict[str, Json]) -> Iterator[Conversation]:
        """What a line of one of the logs says."""
        restarts = self._logs[place].restarts
        if self._restarts[place] != restarts:
            # It is read from its beginning once more: what it repeats is not said twice.
            self._restarts[place] = restarts
            self._repeated = dict.fromkeys(self._open, 0)
        if listed_turns(row) is not None:
            yield conversation_from(row)
            return
        name, turn, meta = short(row.get("conversation")), turn_of(row), meta_of(row)
        if name is None:
            raise RowError('a turn needs the id of its conversation, such as "conversation": "c-17"')
        if row.get("typing") is True:
            return
        known = self._open.pop(name, Conversation(name, ()))
        known = replace(known, source=known.source or short(row.get("source")), meta={**known.meta, **meta})
        known = self._with(known, turn)
        # The newest stands last, so that the first is the one that was silent longest.
        self._open[name] = known
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        if known.turns:
            yield known

    def _with(self, known: Conversation, turn: Turn | None) -> Conversation:
        """A conversation and a turn of it, unless its log only repeats that one."""
        if turn is None:
            return known
        repeated = self._repeated.pop(known.id, None)
        if repeated is not None and known.turns[repeated : repeated + 1] == (turn,):
            self._repeated[known.id] = repeated + 1
            return known
        return replace(known, turns=(*known.turns, turn))


def watch(monitor: Monitor, logs: WatchedLogs, screen: MonitorScreen) -> None:
    """Counts what comes and tells the alarms of every period once it is over, until Ctrl-C."""
    punctuality = Punctuality(monitor.periods)
    has_caught_up = False
    shown = -EVERY
    try:
        while True:
            conversations, troubles = logs.poll()
            for text in troubles:
                screen.tell(text)
            monitor.add(conversations)
            if has_caught_up:
                for text in punctuality.notices(conversations, monitor.late, datetime.now(UTC)):
                    screen.tell(text)
            # A log may begin with a long past, whose periods are whole only at its end; from then on the clock tells.
            has_caught_up = has_caught_up or (logs.is_at_end and monitor.conversations > 0)
            if time.monotonic() - shown >= EVERY:
                if has_caught_up:
                    for statuses in monitor.close(until=datetime.now(UTC) - GRACE * monitor.periods.length):
                        screen.close(statuses)
                screen.show(monitor.running())
                shown = time.monotonic()
            if logs.is_at_end:
                time.sleep(EVERY)
    except KeyboardInterrupt:
        pass
    finally:
        logs.close()
