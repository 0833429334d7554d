"""What a person may choose about training, and what training reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.calibration import Decision
from training.judging import Figures
from training.loop import LoopSettings
from training.promotion import Evidence
from training.reranker_training import RerankerSettings

EPOCHS = 2
MANY = 5_000
"""Examples of a desk from which on there is one pass: 10,000 dialogues are then learned in a quarter of an hour."""


@dataclass(frozen=True)
class TrainSettings:
    """What a person may choose; what is not said here is said at `RerankerSettings`."""

    encoder_epochs: int | None = None
    """Passes over the pairs for the encoder; by default none for a desk and one for a data set."""
    epochs: int | None = None
    """Passes over the examples for the reranker; by default two, on a desk one from `MANY` examples on."""
    learning_rate: float = 3e-4
    """Peak for the reranker; the encoder takes a third of it."""
    batch_size: int = 16
    """Dialogues a step for the reranker; the encoder takes twice as many, they are each other's negatives."""
    seed: int = 13
    limit: int | None = None
    """At most so many dialogues to train on."""
    force: bool = False
    """Use the new model even if it is not better."""
    encoder: Path | None = None
    """A data set's model takes the encoder of this model as it is, and trains none."""
    cache: Path | None = None
    """Keeps a data set's encoded answers for the next training or evaluation."""
    tensorboard: Path | None = None
    """TensorBoard event files are written below this directory."""
    start: Path | None = None
    """The reranker starts from this model, and a desk takes over its encoder; by default the reranker starts from the
    model in use, or from the encoder's last layers."""
    layer_decay: float = 1.0
    """Factor on the encoder's learning rate from each layer to the one below."""
    listwise_heads: int = 0
    """Heads of the attention among the candidates; 0 for none."""
    teacher: str | None = None
    """A ranker whose scores are learned as well, one of `training.rankers.named.NAMES`."""
    loss: str = "listwise"
    distillation: str = "kl"
    perturbation: float = 0.0
    refresh_negatives: bool = False
    accumulate: int = 1
    """Of the reranker: the answers of the encoder's batch are each other's negatives, so that it cannot be parted."""

    def for_encoder(self, epochs: int) -> LoopSettings:
        """The loop settings of the encoder."""
        return LoopSettings(epochs, self.learning_rate / 3, seed=self.seed)

    @property
    def encoder_batch_size(self) -> int:
        """Dialogues a step for the encoder."""
        return 2 * self.batch_size

    def for_reranker(self, epochs: int = EPOCHS) -> RerankerSettings:
        """The settings of the reranker.

        Args:
            epochs: where none were chosen.
        """
        return RerankerSettings(
            epochs=epochs if self.epochs is None else self.epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            seed=self.seed,
            loss=self.loss,
            distillation=self.distillation,
            perturbation=self.perturbation,
            refresh_negatives=self.refresh_negatives,
            accumulate=self.accumulate,
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


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
    feedback: int
    """Answers that people found right, offered to the training; those that were served are among its examples."""
    rejections: int
    """Answers that people turned down, offered to the training in the same way."""
    contradictions: int
    """Answers that people called good and bad for one question: left out."""
    before: Figures
    """The ranker in use before (for a data set: cosine of the encoder), on the held-out turns."""
    after: Figures
    decision: Decision
    evidence: Evidence | None = None
    """That the desk's new model is better than the one before, or not; None for a data set."""
    best_epoch: int | None = None
    """The epoch of the reranker that was kept, counted from 1; 0 where none was better than the start."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        return asdict(self)
