"""A stored replay as a person names it on the command line."""

from __future__ import annotations

from bot.output import remark
from conversations.replay_tables import ReplayRun
from conversations.replays import Replays


def named_run(replays: Replays, name: str) -> ReplayRun:
    """The finished run of this name or number; where a newer one of the name was broken off, that is said.

    Raises:
        DeskError: there is no such run, it is not finished, or all its turns were forgotten.
    """
    run = replays.finished_run(name)
    newer = replays.newer_unfinished(run) if name == run.name else None
    if newer is not None:
        remark(f"Replay {newer.id} {name!r} is newer but not finished; replay {run.id} is used.")
    return run
