"""One replay of a kind at a time, and nothing left behind by those that were killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from conversations.desk import Desk
from conversations.errors import DeskError


@contextmanager
def alone(desk: Desk, key: str) -> Iterator[None]:
    """Keeps the same replay from running twice at a time.

    Args:
        desk: that is asked.
        key: the same for the same replay.

    Raises:
        DeskError: it runs already.
    """
    _clear_locks(desk)
    lock = FileLock(desk.path / f"replay-{key[:16]}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DeskError("The same replay is running.", "Wait until it is done, or stop it.") from None
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _clear_locks(desk: Desk) -> None:
    """Removes what replays that were killed have left."""
    for path in desk.path.glob("replay-*.lock"):
        with suppress(Timeout), FileLock(path, timeout=0):
            path.unlink(missing_ok=True)
