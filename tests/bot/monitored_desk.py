"""A small desk with the real encoder and mood head, and weeks of conversations to monitor."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conversations.desk import Desk
from conversations.importing import import_logs
from conversations.model import Conversation, Turn

SAMPLE = Path(__file__).resolve().parents[2] / "conversations" / "sample"
CALM = (
    ("parcels", "Could you tell me which day my parcel is due?"),
    ("parcels", "I would like to change the address of my parcel, please."),
    ("refunds", "How long does a refund to my card usually take?"),
    ("refunds", "Thank you, the refund arrived this morning."),
)
ANGRY = "This is the third time I ask for my refund and nobody cares. I am absolutely furious!"
MONDAY = datetime(2025, 3, 3, 9, tzinfo=UTC)


def conversation(number, day, topic, text):
    at = (MONDAY + timedelta(days=day, minutes=number % 600)).isoformat()
    turns = (Turn("customer", text, at), Turn("agent", "I am looking into it.", at))
    return Conversation(f"c-{number}", turns, meta={"topic": topic})


def week(days, angry_on=None):
    """Six conversations on parcels and six on refunds a day."""
    for day in range(days):
        for place in range(12):
            topic, text = CALM[place % 4]
            is_angry = day == angry_on and topic == "refunds"
            yield conversation(100 * day + place, day, topic, ANGRY if is_angry else text)


def monitored_desk(home):
    """A desk with a past, in which topics are found."""
    desk = Desk.create(home, "shop")
    with desk.writing(), desk.store() as store:
        import_logs(store, [SAMPLE / "returning.jsonl"], redact=True, rejects_dir=desk.rejects_path)
    return desk


def as_lines(path, conversations):
    with path.open("w") as file:
        for one in conversations:
            turns = [{"role": turn.role, "text": turn.text, "at": turn.at} for turn in one.turns]
            file.write(json.dumps({"id": one.id, "turns": turns, "meta": one.meta}) + "\n")
    return path
