"""The sample's past log as a desk: real store, index and encoder, made once in a process and then copied."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder

SAMPLE = Path(__file__).resolve().parents[1] / "conversations" / "sample"


def sample_desk(home: Path, conversations: int | None = None) -> Desk:
    """The log imported, de-identified, and indexed with the real encoder, as the desk "shop".

    Args:
        home: where it is copied to.
        conversations: the first so many of the log; by default all.
    """
    shutil.copytree(_made_once(conversations), home, dirs_exist_ok=True)
    return Desk.open(home, "shop")


def desk_of(home: Path, name: str, log: Path) -> Desk:
    """A desk of one log, embedded anew."""
    desk = Desk.create(home, name)
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk


def small_desk(home: Path, name: str) -> Desk:
    """The first conversations of the log, embedded anew in seconds."""
    log = home / f"{name}.jsonl"
    log.write_text("".join((SAMPLE / "past.jsonl").open(encoding="utf-8").readlines()[:24]), encoding="utf-8")
    return desk_of(home, name, log)


@cache
def _made_once(conversations: int | None) -> Path:
    """The home that is copied; of the whole log it takes half a minute to make."""
    home = Path(tempfile.mkdtemp(prefix="attendant-sample-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    desk_of(home, "shop", _first(home, conversations))
    return home


def _first(home: Path, conversations: int | None) -> Path:
    """A log of the first conversations, in this directory."""
    log = home / "past.jsonl"
    lines = (SAMPLE / "past.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join(lines[:conversations]), encoding="utf-8")
    return log
