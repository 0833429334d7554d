"""What a person may choose about training: ranges, and what excludes what; free of torch, as `--help` must be."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

HIDDEN = 128
"""Units of the reranker's scoring layer, which the heads of `listwise_heads` share evenly."""
LEAST = {
    "encoder_epochs": 0,
    "epochs": 0,
    "batch_size": 2,
    "limit": 1,
    "listwise_heads": 0,
    "perturbation": 0,
    "accumulate": 1,
}
"""The least value of fields of `training.settings.TrainSettings`."""
MORE_THAN = {"learning_rate": 0, "layer_decay": 0}
"""What fields must exceed."""
TEACHER_OF_A_TUNED_ENCODER = "--teacher cross-attention reads the encoder's states as they are, and this tunes it."
TEACHER_REMEDY = "Add --encoder-epochs 0, or with --dataset --encoder MODEL."


def out_of_range(name: str, value: float) -> str | None:
    """What is wrong with a field's value, in words; None if nothing is.

    >>> out_of_range("epochs", -1)
    '-1 is not at least 0'
    >>> out_of_range("learning_rate", 0.1)
    """
    for limits, is_inside, words in ((LEAST, operator.ge, "at least"), (MORE_THAN, operator.gt, "more than")):
        if name in limits and not is_inside(value, limits[name]):
            return f"{value} is not {words} {limits[name]}"
    if name == "listwise_heads" and value and HIDDEN % value:
        heads = ", ".join(str(count) for count in range(1, HIDDEN + 1) if HIDDEN % count == 0)
        return f"{value} does not divide the {HIDDEN} hidden units evenly; take one of {heads}"
    return None


def clash(given: Mapping[str, Any], desks: int, has_dataset: bool, has_save: bool) -> str | None:
    """What excludes each other, in words; None if nothing does.

    Args:
        given: fields of `training.settings.TrainSettings` that were chosen.
        desks: how many were named.
        has_dataset: whether a data set was.
        has_save: whether a place for the model was.

    >>> clash({}, 0, True, False)
    '--dataset needs --save MODEL, the directory that the model is written to.'
    """
    rules = (
        (has_dataset and desks, "Use --desk or --dataset, not both."),
        (has_dataset and not has_save, "--dataset needs --save MODEL, the directory that the model is written to."),
        (desks > 1 and not has_save, "Several desks train one model that belongs to none of them: add --save MODEL."),
        (
            has_save and given.get("force"),
            "--force is for a desk's own model; with --save the model is always written.",
        ),
        (
            given.get("encoder") and not has_dataset,
            "--encoder is for --dataset; a desk keeps the encoder that it is embedded with.",
        ),
        (given.get("cache") and not has_dataset, "--cache is for --dataset; a desk keeps what it has encoded."),
        (
            given.get("start") and given.get("listwise_heads"),
            "--listwise-heads is for a reranker that starts anew; with --start it has the heads of that model.",
        ),
        (
            _has_such_teacher(given) and _is_encoder_tuned(given, has_dataset),
            f"{TEACHER_OF_A_TUNED_ENCODER} {TEACHER_REMEDY}",
        ),
    )
    return next((words for is_broken, words in rules if is_broken), None)


def _has_such_teacher(given: Mapping[str, Any]) -> bool:
    """Whether the teacher reads the states of an encoder."""
    return str(given.get("teacher", "")).partition(":")[0] == "cross-attention"


def _is_encoder_tuned(given: Mapping[str, Any], has_dataset: bool) -> bool:
    """Whether the encoder is fine-tuned first, by choice or by default."""
    epochs = given.get("encoder_epochs")
    return bool(epochs) or (epochs is None and has_dataset and not given.get("encoder"))
