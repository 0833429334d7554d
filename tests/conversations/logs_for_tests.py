"""Logs made up on the spot."""

import json
from pathlib import Path


def conversation_row(name, *texts, **more):
    """A row of a log: the customer begins, then the sides take turns."""
    roles = ("customer", "agent")
    turns = [{"role": roles[at % 2], "text": text} for at, text in enumerate(texts)]
    return {"id": name, "turns": turns, **more}


def write_jsonl(path: Path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
