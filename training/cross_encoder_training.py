"""Training a full CrossEncoder on the bundled encoder: the peer that our reranker is measured against.

Decisions:
- It gets what makes the strongest peer of its size: the same backbone, all of its layers, the same training queries,
  sentence-transformers' own trainer, and negatives half the hardest and half from anywhere, as the reranker's.
- The loss is ListNet with all the mass on the right answer, which is the softmax cross-entropy that the reranker is
  trained with: with the usual labels 1 and 0 the wrong answers of a list of eight would be wanted at 10 % each.
- Its score is the logit itself in float32: a sigmoid or bfloat16 would make ties, and ties count against a ranker.
- The table of word vectors stays as it is: it is half of the weights, and a step without it is a tenth shorter.
- A whole data set takes hours on a processor, so the trainer's checkpoints are kept while it runs, and a killed
  training of the same lists and settings goes on from the newest whole one.
"""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conversations.errors import MissingPart, TrainingError
from index.encoder_loading import bundled_path, default_device, default_precision
from training.cross_encoder_lists import RankedList, make_lists
from training.datasets import load_task
from training.loop import OnProgress, Progress
from training.rankers.cross_encoder import PAIR_TOKENS, is_cross_encoder
from training.same_run import digest, keep_only_same_run
from training.saving import check_place, is_empty, replacing
from training.splits import split_queries

STAGE = "cross-encoder"
CERTAIN = 20.0
"""Label of the right answer, 0 being the others': their share of softmax(labels) is then nothing."""
LIKE_LENGTH = 4
"""Pairs that a CPU reads at once, neighbours in length: a quarter faster than a whole list, by less padding."""
STEPS_BETWEEN_CHECKPOINTS = 100
SCORE_LAYER = "0.model.classifier"
"""Computes in float32 whatever the precision of the layers below."""


@dataclass(frozen=True)
class CrossEncoderSettings:
    """How long and how hard to train."""

    epochs: int = 1
    learning_rate: float = 5e-5
    """Peak: rises over the first tenth of the steps, then falls linearly to zero."""
    batch_size: int = 8
    """Queries a step; each brings its own list."""
    candidates: int = 8
    """Answers in a list: one right, of the others half the nearest by cosine and half drawn from the pool."""
    pair_tokens: int = PAIR_TOKENS
    """Read of dialogue and answer together, when training as when ranking."""
    seed: int = 13
    limit: int | None = None
    """At most so many queries."""


def train_cross_encoder(
    directory: Path,
    save: Path,
    settings: CrossEncoderSettings | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Trains on the `train` split and writes a directory that the ranker `cross-encoder:SAVE` reads.

    Args:
        directory: a data set, see `training.datasets.load_task`.
        save: directory of the model; an old model there is replaced. While this runs `SAVE.checkpoints` lies
            beside it.
        settings: see `CrossEncoderSettings`.
        on_progress: called after every block of answers embedded and after every step.

    Returns:
        `examples`, `steps`, and the mean loss of the first and of the last tenth of the steps, `first_loss` and
        `last_loss`.

    Raises:
        MissingPart: the packages that sentence-transformers trains with are not installed.
        ModelError: something else than a CrossEncoder is in `save`.
        TrainingError: nothing to train on, or the loss is not a number.
    """
    _require_packages()
    check_place(save, "CrossEncoder", lambda path: is_empty(path) or is_cross_encoder(path))
    settings = settings or CrossEncoderSettings()
    report = on_progress or (lambda _: None)
    task = load_task(directory, "train")
    queries, _ = split_queries(task.queries, settings.seed, settings.limit)
    lists = make_lists(task, queries, settings.candidates, settings.seed, report)
    if not lists:
        raise TrainingError(f"{directory} has no query with a right and a wrong answer.", "Use a larger data set.")
    runs = save.with_name(save.name + ".checkpoints")
    keep_only_same_run(runs, {"settings": asdict(settings), "lists": digest(lists)})
    _drop_half_written(runs)
    model = _fresh_model(settings)
    losses = _fit(model, lists, settings, runs, report)
    with replacing(save) as beside:
        # No model card: it would quote the training data.
        model.save_pretrained(str(beside), create_model_card=False)
    shutil.rmtree(runs)
    few = max(len(losses) // 10, 1)
    return {
        "examples": len(lists),
        "steps": len(losses),
        "first_loss": float(np.mean(losses[:few])),
        "last_loss": float(np.mean(losses[-few:])),
    }


def _require_packages() -> None:
    """Raises where the trainer's packages are missing."""
    try:
        import accelerate  # noqa: F401
        import datasets  # noqa: F401
    except ImportError as error:
        raise MissingPart(
            f"Training a cross-encoder needs the package {error.name or 'datasets'}.",
            "Run: pip install -c constraints.txt -e '.[peers]'",
        ) from error


def _fresh_model(settings: CrossEncoderSettings) -> Any:  # noqa: ANN401 - sentence-transformers is imported late
    """The bundled encoder with a new score layer."""
    import torch
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as transformers_logging

    device = default_device()
    # The score layer is drawn while loading. Both packages say that it was missing: that is meant.
    torch.manual_seed(settings.seed)
    logger = logging.getLogger("sentence_transformers")
    levels = transformers_logging.get_verbosity(), logger.level
    transformers_logging.set_verbosity_error()
    logger.setLevel(logging.ERROR)
    try:
        model = CrossEncoder(
            str(bundled_path()),
            device=device,
            num_labels=1,
            max_length=settings.pair_tokens,
            activation_fn=torch.nn.Identity(),
            keep_in_fp32_modules=[SCORE_LAYER],
            local_files_only=True,
            # No dropout, as in our encoder; on a CPU plain attention, as the gradient of the fused one is slow there.
            config_kwargs={"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0},
            model_kwargs={"attn_implementation": "eager"} if device == "cpu" else None,
        )
    finally:
        transformers_logging.set_verbosity(levels[0])
        logger.setLevel(levels[1])
    model.model.get_input_embeddings().weight.requires_grad_(False)
    return model


def _drop_half_written(directory: Path) -> None:
    """Deletes checkpoints that a kill left half written: the trainer writes its state last."""
    for checkpoint in directory.glob("checkpoint-*"):
        if not (checkpoint / "trainer_state.json").is_file():
            shutil.rmtree(checkpoint)


def _fit(
    model: Any,  # noqa: ANN401
    lists: Sequence[RankedList],
    settings: CrossEncoderSettings,
    directory: Path,
    report: OnProgress,
) -> list[float]:
    """Trains the model in place, from the newest checkpoint if there is one; returns the loss of every step.

    Args:
        model: a CrossEncoder.
        lists: what to train on.
        settings: see `CrossEncoderSettings`.
        directory: of the checkpoints.
        report: called after every step.
    """
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import ListNetLoss
    from transformers import PrinterCallback, TrainerCallback
    from transformers.trainer_utils import get_last_checkpoint

    class Forward(TrainerCallback):  # type: ignore[misc]
        """Hands every step's loss on."""

        def on_log(
            self,
            args: Any,  # noqa: ANN401
            state: Any,  # noqa: ANN401
            control: Any,  # noqa: ANN401
            logs: dict[str, float] | None = None,
            **_: Any,  # noqa: ANN401
        ) -> None:
            if not logs or "loss" not in logs:
                return
            if not math.isfinite(logs["loss"]):
                raise TrainingError(
                    f"The loss became {logs['loss']} in step {state.global_step}.", "Lower the learning rate."
                )
            recent = _losses(state.log_history[-50:])
            report(Progress(STAGE, state.global_step, state.max_steps, sum(recent) / len(recent)))

    device = default_device()
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(directory),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        warmup_steps=0.1,
        weight_decay=0.01,
        bf16=default_precision(device) == "bfloat16",
        use_cpu=device == "cpu",
        dataloader_pin_memory=device != "cpu",
        seed=settings.seed,
        save_strategy="steps",
        save_steps=STEPS_BETWEEN_CHECKPOINTS,
        save_total_limit=1,
        report_to="none",
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
    )
    rows = Dataset.from_dict(
        {
            "query": [entry.dialogue for entry in lists],
            "docs": [entry.answers for entry in lists],
            "labels": [
                [CERTAIN if place == entry.right else 0.0 for place in range(len(entry.answers))] for entry in lists
            ],
        }
    )
    loss = ListNetLoss(model, mini_batch_size=LIKE_LENGTH if device == "cpu" else -1)
    trainer = CrossEncoderTrainer(model, arguments, train_dataset=rows, loss=loss, callbacks=[Forward()])
    # It would print every step's loss.
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(directory)))
    model.eval()
    return _losses(trainer.state.log_history)


def _losses(history: Sequence[dict[str, float]]) -> list[float]:
    """The loss of every step in a trainer's history, which holds also the steps before a kill."""
    return [entry["loss"] for entry in history if "loss" in entry]
