"""Rankers that read candidates, by the names that people type: trained rerankers, alone or several, and peers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conversations.errors import ModelError
from index.embedder import Embedder
from index.states import TokenStates
from training.choices import TEACHER_OF_A_TUNED_ENCODER, TEACHER_REMEDY
from training.rankers.base import Ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.rankers.ensemble import EnsembleRanker
from training.registry import Model, base_model_path, load_model

NAMES = "cross-attention[:MODEL[,MODEL...]], max-sim[:PATH] or cross-encoder:PATH"


def named_ranker(
    name: str, embedder: Embedder, answers: TokenStates | None, questions: TokenStates | None = None
) -> Ranker:
    """One of `NAMES`; without MODEL the base reranker.

    Args:
        name: what to open.
        embedder: whose states a reranker is to read.
        answers: token states by answer id; None where there are none.
        questions: token states by past pair id; None where answers have no past questions.

    Raises:
        ModelError: the ranker is unknown, cannot be loaded, or reads another encoder.
    """
    kind, _, path = name.partition(":")
    if kind == "cross-attention":
        return ranker_of(load_models(path, embedder.identity), embedder, answers, questions)
    if kind == "max-sim":
        from training.rankers.max_sim import MaxSimRanker

        return MaxSimRanker(path)
    if kind == "cross-encoder" and path:
        from training.rankers.cross_encoder import CrossEncoderRanker

        return CrossEncoderRanker(path)
    raise ModelError(f"There is no ranker {name!r}.", f"Choose one of: {NAMES}.")


def check_teacher(name: str | None, embedder: Embedder, is_to_be_tuned: bool) -> None:
    """That a ranker can teach under an encoder; to be asked before anything takes long.

    Args:
        name: one of `NAMES`; None for no teacher.
        embedder: whose states it would read.
        is_to_be_tuned: whether the training changes this encoder before anything is taught.

    Raises:
        ModelError: the ranker is unknown, cannot be loaded, or reads another encoder.
    """
    if name is None:
        return
    kind, _, paths = name.partition(":")
    if kind != "cross-attention":
        named_ranker(name, embedder, None)
        return
    if is_to_be_tuned:
        raise ModelError(TEACHER_OF_A_TUNED_ENCODER, TEACHER_REMEDY)
    load_models(paths, embedder.identity)


def ranker_of(
    models: Sequence[Model], embedder: Embedder, answers: TokenStates | None, questions: TokenStates | None = None
) -> Ranker:
    """Loaded models as one ranker, an ensemble if they are several; other arguments as for `named_ranker`.

    Raises:
        ModelError: the answers have no token states.
    """
    if answers is None:
        raise ModelError("The answers have no token states.", "Name a ranker that needs none, such as cosine.")
    rankers = [CrossAttentionRanker(one.reranker, answers, questions, embedder.device) for one in models]
    return rankers[0] if len(rankers) == 1 else EnsembleRanker(rankers)


def load_models(paths: str, encoder: str) -> list[Model]:
    """The models at some paths, joined by commas; the base reranker for none.

    Raises:
        ModelError: one is not named or cannot be loaded.
    """
    named = [Path(path) for path in paths.split(",") if path]
    if paths and len(named) <= paths.count(","):
        raise ModelError(f"Between the commas of {paths!r} a model is missing.", "Name each model, or none.")
    return [load_model(path, encoder) for path in named or [base_model_path()]]
