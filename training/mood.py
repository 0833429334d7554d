"""How a customer's message sounds: negative, neutral or positive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Self

from torch import Tensor

from conversations.errors import ModelError
from index.builder import Check
from index.candidates import ReadDialogue
from index.embedder import Embedder
from training.model_files import CONFIG, check_directory, read_config, read_weights, reading, write_model
from training.mood_head import CLASSES, MoodConfig, MoodHead

KIND = "attendant mood head"
SHAPE = "head"
"""What a head's shape is called among what its directory says of it."""
REMEDY = "Train it again: attendant train --mood LABELLED."
CHUNK = 1_024
"""Texts whose token states are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Mood:
    """How a message sounds, as three probabilities that sum to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def score(self) -> float:
        """From -1, surely negative, to 1, surely positive.

        >>> Mood(0.7, 0.2, 0.1).score
        -0.6
        """
        return round(self.positive - self.negative, 6)

    @property
    def label(self) -> str:
        """The likeliest of the three.

        >>> Mood(0.7, 0.2, 0.1).label
        'negative'
        """
        return max(CLASSES, key=lambda name: float(getattr(self, name)))


SILENT = Mood(0.0, 1.0, 0.0)
"""Of a message without words."""


class MoodReader:
    """A mood head with the encoder that it reads."""

    def __init__(self, embedder: Embedder, head: MoodHead) -> None:
        self.embedder = embedder
        self.head = head.eval()

    @classmethod
    def for_encoder(cls, embedder: Embedder, directory: Path | None = None) -> Self | None:
        """The head that fits an encoder: the desk's own, else the base head; None where neither does.

        Args:
            embedder: whose states it is to read.
            directory: the desk's models, or a model's own directory.

        Raises:
            ModelError: the head that would be used is damaged.
        """
        place = _fitting(embedder.identity, directory)
        return cls(embedder, load_mood(place, embedder.identity)) if place else None

    @property
    def states_below(self) -> int:
        """Layers of the encoder above the states that it reads."""
        return self.head.config.states_below

    def read(self, texts: Sequence[str]) -> list[Mood]:
        """How each of these messages sounds, each read by itself."""
        moods: list[Mood] = []
        for begin in range(0, len(texts), CHUNK):
            tokens = self.embedder.tokenize(texts[begin : begin + CHUNK])
            moods += self.read_states(self.embedder.encode_tokens(tokens, self.states_below).states)
        return [mood if text.strip() else SILENT for mood, text in zip(moods, texts, strict=True)]

    def read_newest(self, dialogues: Sequence[ReadDialogue], states_below: int) -> list[Mood]:
        """How the last turn of each dialogue sounds, from the states that are there where they are the right ones.

        Args:
            dialogues: as they were read for the ranker.
            states_below: with which that was done.
        """
        if states_below != self.states_below:
            return self.read([one.question for one in dialogues])
        moods = self.read_states(newest_states(dialogues))
        return [mood if one.question.strip() else SILENT for mood, one in zip(moods, dialogues, strict=True)]

    def read_states(self, states: Sequence[Tensor]) -> list[Mood]:
        """How messages sound whose token states, each (tokens, width), are there already."""
        return [Mood(*row) for row in self.head.probabilities(states).tolist()]


def newest_states(dialogues: Sequence[ReadDialogue]) -> list[Tensor]:
    """Per dialogue the states of its last turn, (tokens, width), of dialogues that were read with states."""
    return [one.states[: one.tokens.turns.count(0)] for one in dialogues if one.states is not None]


def base_path() -> Path:
    """Where the base head lies, beside the base reranker.

    Made by `attendant train --mood conversations/sample/mood.jsonl --save training/base`.
    """
    return Path(str(resources.files("training"))) / "base"


def mood_path(root: Path, encoder: str) -> Path:
    """Where the head for one encoder lies: a directory of models may hold heads for several.

    Args:
        root: the desk's models, or a model's own directory.
        encoder: identity of the encoder.
    """
    return root / "mood" / encoder.rsplit("@", 1)[-1]


def check_save(root: Path, encoder: str) -> None:
    """That a head for this encoder may be written there; to be asked before training.

    Raises:
        ModelError: something else is there.
    """
    check_directory(mood_path(root, encoder), KIND)


def save_mood(root: Path, head: MoodHead, notes: dict[str, Any]) -> Path:
    """Writes a head in half precision under its encoder's name, and returns the directory.

    Args:
        root: the desk's models, or a model's own directory.
        head: its config says which encoder it reads.
        notes: JSON-able facts about its training.
    """
    directory = mood_path(root, head.config.encoder)
    write_model(directory, KIND, head, SHAPE, {SHAPE: asdict(head.config), "notes": notes})
    return directory


def load_mood(directory: Path, encoder: str) -> MoodHead:
    """Reads and checks a head.

    Raises:
        ModelError: missing, damaged, of another version, shape or encoder.
    """
    with reading(directory, REMEDY):
        config = read_config(directory, KIND, REMEDY)
        shape = MoodConfig(**{**config[SHAPE], "seen": tuple(config[SHAPE]["seen"])})
        head = MoodHead(shape)
        head.load_state_dict(read_weights(directory, SHAPE, config, REMEDY))
    if shape.encoder != encoder:
        raise ModelError(
            f"The mood head in {directory} reads the states of {shape.encoder}, not of {encoder}.",
            "Train one for this encoder: attendant train --mood LABELLED.",
        )
    return head.eval()


def check_mood(directory: Path, encoder: str) -> list[Check]:
    """Whether the mood head that serves this encoder is whole."""
    place = _fitting(encoder, directory)
    if place is None:
        return [Check("mood", True, "no head fits this encoder: attendant train --mood LABELLED makes one")]
    try:
        load_mood(place, encoder)
    except ModelError as error:
        return [Check("mood", False, str(error))]
    return [Check("mood", True, "base head" if place.is_relative_to(base_path()) else "head of this desk")]


def _fitting(encoder: str, directory: Path | None) -> Path | None:
    roots = (root for root in (directory, base_path()) if root is not None)
    return next((place for root in roots if ((place := mood_path(root, encoder)) / CONFIG).is_file()), None)


def with_temperature(head: MoodHead, temperature: float) -> MoodHead:
    """The head with its logits divided by this much."""
    head.config = replace(head.config, temperature=temperature)
    return head
