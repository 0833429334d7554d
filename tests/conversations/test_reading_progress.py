"""How far a log has been read is told while its conversations are worked on, not only before or after."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from conversations.readers import Rejected, read_logs

COUNT = 40
DRAWN = random.Random(1)
TEXTS = [DRAWN.randbytes(40 + number % 20).hex() for number in range(COUNT)]


def conversation(name, text):
    return {"id": name, "turns": [{"role": "customer", "text": text}, {"role": "agent", "text": "yes"}]}


ROWS = [json.dumps(conversation(str(number), text)) for number, text in enumerate(TEXTS)]
ASKED = [f"{number},customer,{text}" for number, text in enumerate(TEXTS)]
ANSWERED = [f"{number},agent,yes" for number in range(COUNT)]
TWEETS = [f"{number},c{number},True,,{text},," for number, text in enumerate(TEXTS)]
REPLIES = [f"{number + COUNT},shop,False,,yes,,{number}" for number in range(COUNT)]
LOGS = {
    "lines": ROWS,
    "list": ["[", ",\n".join(ROWS), "]"],
    "faq": ["question,answer", *(f"{text},yes" for text in TEXTS)],
    "table": ["conversation_id,role,text", *ASKED, *ANSWERED],
    "tweets": [
        "tweet_id,author_id,inbound,created_at,text,response_tweet_id,in_response_to_tweet_id", *TWEETS, *REPLIES,
    ],
}  # fmt: skip


def told_at_each(path):
    """What was told last when each conversation was handed over, and what was told in the end."""
    told = [0]
    found = []
    for one in read_logs([path], told.append):
        assert not isinstance(one, Rejected)
        found.append(told[-1])
    assert told == sorted(told)
    return found, told


@pytest.mark.parametrize("layout", LOGS)
def test_a_small_log_shows_how_far_it_is_at_each_conversation(tmp_path, layout):
    path = tmp_path / "log"
    path.write_text("\n".join(LOGS[layout]))
    size = path.stat().st_size
    found, told = told_at_each(path)
    assert len(found) == COUNT and told[-1] == size
    for place, position in enumerate(found):
        assert position / size == pytest.approx(place / COUNT, abs=0.15)


def test_a_packed_log_shows_how_far_it_is_as_near_as_its_blocks_allow(tmp_path):
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress("\n".join(conversation_of_noise(number) for number in range(4_000)).encode()))
    size = path.stat().st_size
    found, told = told_at_each(path)
    assert told[-1] == size > 300_000
    assert found[len(found) // 2] / size == pytest.approx(0.5, abs=0.3)


def conversation_of_noise(number):
    return json.dumps(conversation(str(number), DRAWN.randbytes(100).hex()))


def test_a_long_log_is_not_told_of_at_every_line(tmp_path):
    path = tmp_path / "log"
    path.write_text("\n".join(ROWS * 100))
    _, told = told_at_each(path)
    assert 100 < len(told) < 500
