"""A desk of any size for load tests: real store, real index files and real encoder for questions.

Past texts are drawn from the vocabulary of the sample log with its lengths, and their vectors and token states are
random: what is measured is time and memory, not quality, and embedding 50,000 dialogues would take most of the time.
"""

from __future__ import annotations

import json
import random
from importlib import resources
from pathlib import Path

import numpy as np
import torch

from conversations.desk import Desk
from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from index.builder import update_index
from index.embedder import Embedder, Encoded


class RandomEncoder(Embedder):
    """Tokenises as the real encoder does and makes up the rest."""

    def encode_tokens(self, batch, states_below=0, *, newest_turns=False):
        generator = np.random.default_rng(len(batch))
        vectors = generator.normal(size=(len(batch), self.dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        states = [torch.randn(len(text.ids), self.dimension) for text in batch] if states_below else []
        return Encoded(vectors, vectors[:0], states)


def sample_turns(name: str) -> list[list[dict[str, str]]]:
    """The turns of the conversations of one sample log."""
    text = (resources.files("conversations.sample") / name).read_text(encoding="utf-8")
    return [json.loads(line)["turns"] for line in text.splitlines()]


def load_desk(home: Path, pairs: int) -> Desk:
    """Makes a desk with so many pairs, every answer another text."""
    generator = random.Random(7)
    shapes = [[(turn["role"], len(turn["text"].split())) for turn in turns] for turns in sample_turns("past.jsonl")]
    words = [word for turns in sample_turns("past.jsonl") for turn in turns for word in turn["text"].split()]
    desk = Desk.create(home, "load")
    store = desk.store()
    made = 0
    while made < pairs:
        with store.transaction():
            for _ in range(500):
                shape = generator.choice(shapes)
                turns = tuple(Turn(role, " ".join(generator.choices(words, k=length))) for role, length in shape)
                one = Conversation(f"load-{made}", turns)
                made += store.add_conversation(one, one.id, extract_pairs(one))
                if made >= pairs:
                    break
    update_index(desk.index_path, store, RandomEncoder())
    store.close()
    return desk
