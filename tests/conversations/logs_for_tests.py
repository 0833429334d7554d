"""Logs made up on the spot."""

import json
from pathlib import Path

from conversations.model import Conversation
from conversations.readers import Rejected, read_log


def conversation_row(name, *texts, **more):
    """A row of a log: the customer begins, then the sides take turns."""
    roles = ("customer", "agent")
    turns = [{"role": roles[at % 2], "text": text} for at, text in enumerate(texts)]
    return {"id": name, "turns": turns, **more}


def write_jsonl(path: Path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path):
    """What a log holds, and what of it could not be read."""
    items = list(read_log(path))
    return [item for item in items if isinstance(item, Conversation)], [
        item for item in items if isinstance(item, Rejected)
    ]


def said(conversation):
    return [(turn.role, turn.text) for turn in conversation.turns]
