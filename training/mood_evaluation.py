"""`attendant evaluate --mood`: mood heads beside their peers on labelled messages.

Peers are VADER, a lexicon with rules (Hutto and Gilbert 2014), where it is installed, and a logistic regression on
the sentence embedding of the same encoder, its shrinkage and class weights chosen on messages held out of its
training split. Moods that the split never names are named by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from conversations.errors import ModelError, TrainingError
from index.embedder import Embedder
from training.metrics import f1_scores
from training.mood import Mood, MoodReader, base_path, load_mood, mood_path
from training.mood_data import labelled_file, read_labelled, split_labelled
from training.mood_head import CLASSES
from training.significance import paired_f1_p_value

BASE = "base"
PEERS = ("vader", "logistic regression")
VADER_NEUTRAL = 0.05
"""VADER's own bound: a compound score nearer to 0 than this is neutral."""

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MoodFigures:
    """How one reader of moods does on a split."""

    name: str
    found: tuple[str, ...]
    """Per message the mood it named; empty where the reader could not be used."""
    right: tuple[str, ...]
    note: str = ""
    """Why it could not be used."""
    p: float | None = None
    """How likely so large a difference in macro-F1 to the best of the table is by chance; None for the best."""

    @property
    def macro_f1(self) -> float:
        """Mean of the F1 of the moods that the split names; 0 where nothing was found."""
        return float(np.mean(list(f1_scores(self.found, self.right).values()))) if self.found else 0.0

    def as_json(self) -> dict[str, Any]:
        """Under the names that scripts rely on; figures are null where the reader could not be used."""
        names = [name for name in CLASSES if name in self.right]
        figures: dict[str, Any] = {"reader": self.name, "messages": len(self.right)}
        if not self.found:
            empty = dict.fromkeys(["macro_f1", "accuracy", *(f"f1 {name}" for name in names), "p"])
            return {**figures, **empty, "note": self.note}
        of_class = f1_scores(self.found, self.right)
        figures |= {
            "macro_f1": self.macro_f1,
            "accuracy": float(np.mean([one == other for one, other in zip(self.found, self.right, strict=True)])),
        }
        return {**figures, **{f"f1 {name}": of_class[name] for name in names}, "p": self.p, "note": self.note}


def evaluate_moods(
    directory: Path, split: str, heads: Sequence[str], encoder: str, on_progress: OnProgress | None = None
) -> list[MoodFigures]:
    """The figures of heads and peers on `SPLIT.jsonl` or `SPLIT.jsonl.gz` of a directory.

    Args:
        directory: holds labelled messages, see `training.mood_data`; the logistic regression learns from its `train`.
        split: which part of it.
        heads: "base", or directories that heads were saved to.
        encoder: what the heads read, a name as for `Embedder`.
        on_progress: called with (what is done, done, total).

    Raises:
        TrainingError: there is no such split, or too little to train the logistic regression on.
        ModelError: a head is missing, damaged, or of another encoder.
    """
    report = on_progress or (lambda *_: None)
    rows = read_labelled([labelled_file(directory, split)])
    texts, right = [row.text for row in rows], tuple(row.label for row in rows)
    embedder = Embedder(encoder)
    readers = [(name, MoodReader(embedder, load_mood(_place(name, embedder), embedder.identity))) for name in heads]
    found = []
    for name, reader in readers:
        report(f"mood by {name}", 0, 0)
        found.append(MoodFigures(name, tuple(_named(mood, right) for mood in reader.read(texts)), right))
    found.append(_vader(texts, right))
    found.append(_logistic_regression(embedder, directory, texts, right, report))
    best = max(found, key=lambda one: one.macro_f1)
    return [
        replace(one, p=paired_f1_p_value(best.found, one.found, right)) if one.found and one is not best else one
        for one in found
    ]


def _place(name: str, embedder: Embedder) -> Path:
    root = base_path() if name == BASE else Path(name)
    place = mood_path(root, embedder.identity)
    if not place.is_dir():
        raise ModelError(
            f"There is no mood head for the encoder {embedder.identity} in {root}.",
            "Train one with this --encoder: attendant train --mood LABELLED --save DIR.",
        )
    return place


def _named(mood: Mood, right: Sequence[str]) -> str:
    return max((name for name in CLASSES if name in right), key=lambda name: float(getattr(mood, name)))


def _nearest_named(mood: str, right: Sequence[str]) -> str:
    """The mood itself, or the one beside it that the split names."""
    place = CLASSES.index(mood)
    return min((name for name in CLASSES if name in right), key=lambda name: abs(CLASSES.index(name) - place))


def _vader(texts: Sequence[str], right: tuple[str, ...]) -> MoodFigures:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        return MoodFigures(PEERS[0], (), right, "not installed: pip install vaderSentiment")
    analyzer = SentimentIntensityAnalyzer()
    bound = VADER_NEUTRAL if "neutral" in right else 0.0
    scores = [float(analyzer.polarity_scores(text)["compound"]) for text in texts]
    named = ["positive" if s >= bound else "negative" if s <= -bound else "neutral" for s in scores]
    found = [_nearest_named(mood, right) for mood in named]
    return MoodFigures(PEERS[0], tuple(found), right)


def _logistic_regression(
    embedder: Embedder, directory: Path, texts: list[str], right: tuple[str, ...], report: OnProgress
) -> MoodFigures:
    from sklearn.linear_model import LogisticRegression

    try:
        rows = [row for row in read_labelled([labelled_file(directory, "train")]) if row.label in right]
    except TrainingError:
        return MoodFigures(PEERS[1], (), right, "there is no train split to learn from")
    train, held_out = split_labelled(rows)
    report("embedding the training messages", 0, 0)
    vectors = embedder.encode([row.text for row in [*train, *held_out]])
    labels = [row.label for row in [*train, *held_out]]

    def fitted(shrinkage: float, weights: str | None, count: int) -> LogisticRegression:
        model = LogisticRegression(C=shrinkage, class_weight=weights, max_iter=2_000)
        return model.fit(vectors[:count], labels[:count])

    def held_out_f1(shrinkage: float, weights: str | None) -> float:
        found = fitted(shrinkage, weights, len(train)).predict(vectors[len(train) :])
        return float(np.mean(list(f1_scores(found.tolist(), [row.label for row in held_out]).values())))

    choices = [(shrinkage, weights) for shrinkage in (0.1, 1.0, 10.0) for weights in (None, "balanced")]
    chosen = max(choices, key=lambda choice: held_out_f1(*choice))
    found = fitted(*chosen, len(labels)).predict(embedder.encode(texts))
    return MoodFigures(PEERS[1], tuple(found.tolist()), right)
