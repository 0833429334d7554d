"""What conversations are about: as their metadata say, or topics found in a desk's own past by clustering
(spherical k-means).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import numpy.typing as npt

from conversations.model import Conversation, Json
from conversations.store import Store
from index.embedder import Embedder

MOST_TOPICS = 12
"""More of them share the stated rate of false alarms, and each hears less of what is said."""
LEAST_OF_A_TOPIC = 12
"""Past conversations to a topic, on average."""
MOST_READ = 4_000
"""Past conversations that are clustered, the first ones."""
OPENING = 3
"""Customer turns that tell what a conversation is about."""
FIELDS = ("topic", "topics", "category", "intent", "tasks", "domains")
"""Where a conversation's metadata may say what it is about; the first that is there."""
READ_FOR_LOGS = 1_000
"""Past conversations that the topics of logs are found in: some seconds of reading."""
TELLING_WORDS = 4
"""In the name of a found topic."""

Floats = npt.NDArray[np.float32]

_PLACEHOLDER = re.compile(r"<[A-Z_]+>")


@dataclass(frozen=True)
class Topics:
    """Topics by their middle, and the past opening nearest to it as their name."""

    names: tuple[str, ...]
    middles: Floats
    """(topics, dimension), each of length 1."""
    words: tuple[str, ...] = ()
    """Of each topic the words that tell it from the others, each of two conversations at least: no one's own text."""

    @classmethod
    def of_store(cls, store: Store, embedder: Embedder, most: int = MOST_READ) -> Self:
        """The topics of a desk's past conversations, the first `most`; the same desk gives the same ones."""
        from scipy.cluster.vq import kmeans2

        openings = [opening for one in islice(store.conversations(), most) if (opening := opening_of(one))]
        if not openings:
            return cls((), np.zeros((0, embedder.dimension), dtype=np.float32))
        vectors = embedder.encode(openings)
        wanted = min(max(len(openings) // LEAST_OF_A_TOPIC, 1), MOST_TOPICS)
        # Of unit vectors the nearest by distance is the nearest by cosine.
        middles, labels = kmeans2(vectors, wanted, minit="++", seed=13, missing="warn")
        kept, labels = np.unique(labels, return_inverse=True)
        middles = _unit(middles[kept])
        nearest = np.argmax(vectors @ middles.T, axis=0)
        names = tuple(" ".join(openings[row].split()) for row in nearest.tolist())
        return cls(names, middles, telling_words(openings, labels))

    def of(self, vectors: Floats) -> list[int]:
        """The topic of each opening, (openings, dimension) unit vectors."""
        return np.argmax(vectors @ self.middles.T, axis=1).tolist() if len(self.names) else [0] * len(vectors)


class TopicsOfLogs:
    """What logged conversations are about: as they say, or else the nearest of the desk's own topics."""

    def __init__(self, store: Store, embedder: Embedder) -> None:
        self._store, self._embedder = store, embedder
        self._found: Topics | None = None

    def of(self, conversations: Sequence[Conversation]) -> list[str | None]:
        """One topic each; None where it is not said and the desk has none, or the customer says nothing.

        The desk's topics are found when they are first needed. A conversation may stand in the list many times.
        """
        stated = [stated_topic(one.meta) for one in conversations]
        openings = ["" if topic else opening_of(one) for topic, one in zip(stated, conversations, strict=True)]
        if asked := sorted({opening for opening in openings if opening}):
            if self._found is None:
                self._found = Topics.of_store(self._store, self._embedder, READ_FOR_LOGS)
            words = self._found.words
            nearest = self._found.of(self._embedder.encode(asked)) if words else []
            found = {opening: words[topic] for opening, topic in zip(asked, nearest, strict=False)}
            return [topic or found.get(opening) for topic, opening in zip(stated, openings, strict=True)]
        return stated


def telling_words(texts: Sequence[str], labels: npt.NDArray[np.intp]) -> tuple[str, ...]:
    """For each label the few words that stand more often in its texts than in others.

    Class-based TF-IDF, Grootendorst 2022, "BERTopic": count in the label's texts * log(1 + words a label / count in
    all). Words of one text alone are left out; a label without any other has the name "topic N".

    Args:
        texts: with letters or without.
        labels: (texts,) from 0 without gaps.

    >>> telling_words(["late parcel", "parcel lost", "lamp broken", "broken lamp"], np.array([0, 0, 1, 1]))
    ('parcel', 'broken, lamp')
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(stop_words="english", token_pattern=r"[^\W\d_]{2,}", min_df=2)
    numbers = range(int(labels.max()) + 1)
    try:
        counts = counter.fit_transform(_PLACEHOLDER.sub(" ", text) for text in texts)
    except ValueError:
        # No word stands in two texts.
        return tuple(f"topic {number + 1}" for number in numbers)
    known = counter.get_feature_names_out()
    of_label = np.stack([np.asarray(counts[labels == number].sum(axis=0)).ravel() for number in numbers])
    weight = of_label * np.log(1.0 + of_label.sum() / len(of_label) / of_label.sum(axis=0))
    best = np.argsort(-weight, axis=1, kind="stable")[:, :TELLING_WORDS]
    return tuple(
        ", ".join(known[column] for column in row if weight[number, column] > 0) or f"topic {number + 1}"
        for number, row in enumerate(best)
    )


def stated_topic(meta: dict[str, Json]) -> str | None:
    """What a conversation is about, where its metadata say it.

    >>> stated_topic({"tasks": ["ride_change", "ride_book"]}), stated_topic({})
    ('ride_change, ride_book', None)
    """
    for name in FIELDS:
        said = meta.get(name)
        words = said if isinstance(said, list) else [said]
        if topic := ", ".join(word for word in words if isinstance(word, str) and word):
            return topic
    return None


def opening_of(conversation: Conversation) -> str:
    """What the customer says first, a few turns of it; empty where they say nothing."""
    said = (turn.text for turn in conversation.turns if turn.role == "customer" and turn.text.strip())
    return "\n".join(islice(said, OPENING))


def _unit(rows: Floats) -> Floats:
    lengths: Floats = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12).astype(np.float32)
    unit: Floats = (rows / lengths).astype(np.float32)
    return unit
