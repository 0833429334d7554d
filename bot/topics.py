"""What conversations are about: topics found in a desk's own past by clustering (spherical k-means)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np
import numpy.typing as npt

from conversations.model import Conversation
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

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Topics:
    """Topics by their middle, and the past opening nearest to it as their name."""

    names: tuple[str, ...]
    middles: Floats
    """(topics, dimension), each of length 1."""

    @classmethod
    def of_store(cls, store: Store, embedder: Embedder) -> Self:
        """The topics of a desk's past conversations; the same desk gives the same ones."""
        from scipy.cluster.vq import kmeans2

        openings = [opening for one in islice(store.conversations(), MOST_READ) if (opening := opening_of(one))]
        if not openings:
            return cls((), np.zeros((0, embedder.dimension), dtype=np.float32))
        vectors = embedder.encode(openings)
        wanted = min(max(len(openings) // LEAST_OF_A_TOPIC, 1), MOST_TOPICS)
        # Of unit vectors the nearest by distance is the nearest by cosine.
        middles, labels = kmeans2(vectors, wanted, minit="++", seed=13, missing="warn")
        middles = _unit(middles[np.unique(labels)])
        nearest = np.argmax(vectors @ middles.T, axis=0)
        names = tuple(" ".join(openings[row].split()) for row in nearest.tolist())
        return cls(names, middles)

    def of(self, vectors: Floats) -> list[int]:
        """The topic of each opening, (openings, dimension) unit vectors."""
        return np.argmax(vectors @ self.middles.T, axis=1).tolist() if len(self.names) else [0] * len(vectors)


def opening_of(conversation: Conversation) -> str:
    """What the customer says first, a few turns of it; empty where they say nothing."""
    said = (turn.text for turn in conversation.turns if turn.role == "customer" and turn.text.strip())
    return "\n".join(islice(said, OPENING))


def _unit(rows: Floats) -> Floats:
    lengths: Floats = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12).astype(np.float32)
    unit: Floats = (rows / lengths).astype(np.float32)
    return unit
