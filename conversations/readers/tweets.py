"""The public layout "Customer Support on Twitter": single tweets, joined into conversations by whom they
reply to.

A conversation is one customer with the company: a tweet of another customer further down begins its own, and
so does every customer who answers an announcement of the company.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from conversations.model import Conversation
from conversations.moments import read_moment
from conversations.readers.log_file import KEPT_OF_A_LINE
from conversations.readers.rejected import Rejected, RowError
from conversations.readers.rows import conversation_of, turn_from
from conversations.readers.threads import Scratch

TWEET_COLUMNS = ("tweet_id", "author_id", "inbound", "created_at", "text", "in_response_to_tweet_id")

_TRUTH = {"true": 1, "1": 1, "false": 0, "0": 0}

# From the tweets that reply to nothing here, down to those that reply to them. UNION ALL is safe against
# circles: a circle has no tweet to begin with, and is reported as out of reach.
_JOIN = """
WITH RECURSIVE joined (id, thread, customer, depth) AS (
    SELECT id, id, CASE WHEN inbound THEN author END, 0 FROM tweets
    WHERE parent IS NULL OR parent NOT IN (SELECT id FROM tweets)
    UNION ALL
    SELECT reply.id,
           CASE WHEN reply.inbound AND reply.author IS NOT joined.customer THEN reply.id
                ELSE joined.thread END,
           CASE WHEN reply.inbound THEN reply.author ELSE joined.customer END,
           joined.depth + 1
    FROM joined JOIN tweets AS reply ON reply.parent = joined.id)
INSERT INTO places (tweet, thread, depth) SELECT id, thread, depth FROM joined"""


class Tweets(Scratch):
    """Tweets gathered on disk."""

    def __init__(self, file: str) -> None:
        super().__init__(
            """CREATE TABLE tweets (id TEXT PRIMARY KEY, line INTEGER, author TEXT, inbound INTEGER, at TEXT,
            text TEXT,
               parent TEXT) WITHOUT ROWID""",
            "CREATE TABLE places (tweet TEXT PRIMARY KEY, thread TEXT, depth INTEGER) WITHOUT ROWID",
        )
        self._file = file

    def add(self, line: int, row: dict[str, str]) -> None:
        """Adds one tweet.

        Raises:
            RowError: It has no id, is there already, or does not say whose it is.
        """
        tweet, parent = _number(row["tweet_id"]), _number(row["in_response_to_tweet_id"])
        inbound = _TRUTH.get(row["inbound"].strip().casefold())
        if not tweet:
            raise RowError("the tweet has no tweet_id")
        if inbound is None:
            raise RowError(f"inbound is {row['inbound'][:20]!r}; it must be True (customer) or False (agent)")
        added = self.run(
            "INSERT OR IGNORE INTO tweets VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                tweet, line, row["author_id"].strip(), inbound, _time(row["created_at"]), row["text"],
                parent if parent != tweet else None,
            ),
        )  # fmt: skip
        if not added.rowcount:
            raise RowError(f"tweet {tweet[:40]} is in the log twice")

    def join(self) -> int:
        """Joins what was added, and gives the number of conversations."""
        self.run("CREATE INDEX replies ON tweets (parent)")
        self.run(_JOIN)
        return int(self.run("SELECT count(DISTINCT thread) FROM places").fetchone()[0])

    def conversations(self) -> Iterator[Conversation | Rejected]:
        """The conversations, in the order of their first tweets in the log; to be joined before."""
        rows = self.run(
            """SELECT first.line, thread, tweets.line, tweets.author, tweets.inbound, tweets.at, tweets.text
               FROM places JOIN tweets ON tweets.id = places.tweet JOIN tweets AS first ON first.id =
               places.thread ORDER BY first.line, tweets.at IS NULL, tweets.at, places.depth, tweets.line"""
        )
        for (line, thread), group in groupby(rows, key=lambda row: (int(row[0]), str(row[1]))):
            said = [row[2:] for row in group]
            try:
                yield self._conversation(thread, said)
            except RowError as error:
                raw = "\n".join(str(tweet[4]) for tweet in said)[:KEPT_OF_A_LINE]
                yield Rejected(self._file, line, f"thread of tweet {thread}: {error}", raw)
        lost = self.run("SELECT line, id, text FROM tweets WHERE id NOT IN (SELECT tweet FROM places) ORDER BY line")
        for line, tweet, text in lost:
            yield Rejected(self._file, line, f"tweet {tweet} replies to itself in a circle", text[:KEPT_OF_A_LINE])

    @staticmethod
    def _conversation(thread: str, said: list[tuple[int, str, int, str | None, str]]) -> Conversation:
        turns = [
            turn_from("customer" if inbound else "agent", text, at, None if inbound else author)
            for _, author, inbound, at, text in said
        ]
        customer = next((author for _, author, inbound, _, _ in said if inbound), None)
        return conversation_of(f"tweet-{thread}", turns, source="Twitter", customer=customer)


def _number(text: str) -> str:
    """An id without the ".0" that spreadsheets add."""
    return text.strip().removesuffix(".0")


def _time(text: str) -> str | None:
    """Twitter's or ISO time as ISO 8601 in UTC, so that times can be sorted; None where it is neither."""
    try:
        text = datetime.strptime(text.strip(), "%a %b %d %H:%M:%S %z %Y").isoformat()
    except ValueError:
        text = text.strip()
    moment = read_moment(text)
    return moment.isoformat() if moment else None
