"""The sample's past log as a desk: real store, index, encoder and base reranker."""

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

SAMPLE = Path(__file__).resolve().parents[2] / "conversations" / "sample"


def sample_desk(home: Path) -> Desk:
    """The log imported, de-identified, and indexed with the real encoder, as the desk "shop"."""
    shutil.copytree(_made_once(), home, dirs_exist_ok=True)
    return Desk.open(home, "shop")


@cache
def _made_once() -> Path:
    """The home that is copied; it takes half a minute to make."""
    home = Path(tempfile.mkdtemp(prefix="attendant-sample-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    desk = Desk.create(home, "shop")
    with desk.writing(), desk.store() as store:
        import_logs(store, [SAMPLE / "past.jsonl"], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return home
