"""What a person may choose about training, and what training reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training.calibration import Decision
from training.judging import Figures
from training.loop import LoopSettings
from training.reranker_training import RerankerSettings


@dataclass(frozen=True)
class TrainSettings:
    """What a person may choose."""

    encoder_epochs: int | None = None
    """Passes over the pairs for the encoder; by default none for a desk and one for a data set."""
    epochs: int = 2
    """Passes over the examples for the reranker."""
    learning_rate: float = 3e-4
    """Peak for the reranker; the encoder takes a third of it."""
    batch_size: int = 16
    """Dialogues a step for the reranker; the encoder takes twice as many, they are each other's negatives."""
    seed: int = 13
    limit: int | None = None
    """At most so many dialogues to train on."""
    force: bool = False
    """Use the new model even if it is not better."""

    def for_encoder(self, epochs: int) -> LoopSettings:
        """The loop settings of the encoder."""
        return LoopSettings(epochs, self.learning_rate / 3, seed=self.seed)

    @property
    def encoder_batch_size(self) -> int:
        """Dialogues a step for the encoder."""
        return 2 * self.batch_size

    def for_reranker(self) -> RerankerSettings:
        """The settings of the reranker."""
        return RerankerSettings(
            epochs=self.epochs, learning_rate=self.learning_rate, batch_size=self.batch_size, seed=self.seed
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class TrainReport:
    """What training did."""

    model: str
    """Where the model was written."""
    promoted: bool
    """Whether the desk uses it from now on."""
    reason: str
    examples: int
    """Dialogues the reranker trained on."""
    before: Figures
    """The ranker in use before (for a data set: cosine of the encoder), on the held-out turns."""
    after: Figures
    decision: Decision

    def as_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        return asdict(self)
