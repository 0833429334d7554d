"""A small real desk with customers who come back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder

RESET = "Hold the two buttons on the back for ten seconds; the light blinks and the lamp restarts."
SWAP = "Then the controller is faulty. I am sending a new lamp today, please keep the old one for the courier."
REFUND = "Your refund was sent this morning and takes three working days to reach your account."
LOG = [
    ("c-7", "2025-03-01", "my lamp does not light up at all", RESET),
    ("c-7", "2025-03-02", "did that twice and no luck, still dark", "I am sorry to hear that. Which colour is it?"),
    ("c-8", "2025-03-04", "lamp does not light up any more, tried the buttons already", SWAP),
    ("c-8", "2025-03-09", "When do I get my money back?", REFUND),
    ("c-9", "2025-04-01", "lamp will not come on", RESET),
]


def rows() -> Iterator[dict[str, object]]:
    for number, (customer, day, question, answer) in enumerate(LOG):
        at = f"{day}T09:0{number}:00Z"
        turns = [{"role": "customer", "text": question, "at": at}, {"role": "agent", "text": answer, "at": at}]
        yield {"id": f"past-{number}", "customer": customer, "turns": turns}


def lamp_desk(tmp_path: Path, *extra: Path) -> Desk:
    """The log and others imported, de-identified, and indexed with the real encoder."""
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    desk = Desk.create(tmp_path / "home", "lamps")
    with desk.writing(), desk.store() as store:
        import_logs(store, [tmp_path / "log.jsonl", *extra], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk


def write_log(path: Path, lines: Iterable[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def visits(count: int, customer: str = "c-77") -> Iterator[dict[str, object]]:
    """New conversations of two questions each."""
    for number in range(count):
        at = f"2025-05-{1 + number % 28:02d}T10:00:00Z"
        said = [("customer", f"my lamp number {number} is dark"), ("agent", RESET)]
        said += [("customer", "thanks, reach me at jo.marsh@example.org"), ("agent", "Good, have a nice day!")]
        turns = [{"role": role, "text": text, "at": at} for role, text in said]
        yield {
            "id": f"new-{number}",
            "customer": customer,
            "language": "en",
            "turns": turns,
            "meta": {"topic": "dark"},
        }


def call(desk: Desk, capsys: pytest.CaptureFixture[str], command: str, *arguments: object) -> tuple[Any, str, str]:
    """The exit status of a command for this desk, what it prints and what it says on stderr."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--desk", "lamps", "--home", str(desk.path.parent.parent), *map(str, arguments)])
    return ended.value.code, *capsys.readouterr()
