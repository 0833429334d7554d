"""Desks of the sample's past log to train on: real store, index and encoder."""

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

SAMPLE = Path(__file__).resolve().parents[2] / "conversations" / "sample" / "past.jsonl"


def whole_desk(home: Path) -> Desk:
    """All of the log, as the desk "shop"."""
    shutil.copytree(_made_once(), home, dirs_exist_ok=True)
    return Desk.open(home, "shop")


def small_desk(home: Path, name: str) -> Desk:
    """The first conversations, embedded anew in seconds."""
    log = home / f"{name}.jsonl"
    log.write_text("".join(SAMPLE.open(encoding="utf-8").readlines()[:24]), encoding="utf-8")
    return _made(home, name, log)


@cache
def _made_once() -> Path:
    """The home that is copied; it takes half a minute to make."""
    home = Path(tempfile.mkdtemp(prefix="attendant-training-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    _made(home, "shop", SAMPLE)
    return home


def _made(home: Path, name: str, log: Path) -> Desk:
    desk = Desk.create(home, name)
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk
