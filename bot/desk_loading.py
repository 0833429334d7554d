"""What a pipeline needs of a desk: its model, the encoder that goes with it, and its index, mended where needed."""

from __future__ import annotations

from pathlib import Path

from conversations.desk import Desk
from conversations.errors import DeskBusy, IndexDamaged, ModelError
from conversations.store import Store
from index.builder import OnProgress, index_directory, update_index
from index.embedder import Embedder
from index.encoder_loading import BUNDLED
from index.retriever import Retriever
from training.mood import MoodReader
from training.registry import Model, base_model_path, desk_embedder, desk_model, load_model
from training.trust import trusted


def load_desk_model(desk: Desk, store: Store) -> tuple[Model | None, Embedder, list[str]]:
    """The desk's model, the embedder that goes with it, and what a person should know.

    A desk whose own model or its encoder is lost or damaged is served by the base model, one that the base model does
    not fit by retrieval alone; either is said.

    Raises:
        ModelError: the encoder that the desk was imported with cannot be loaded.
    """
    notices: list[str] = []
    try:
        embedder = desk_embedder(desk.models_path, store)
        return trusted(store, desk_model(desk.models_path, embedder.identity)), embedder, notices
    except ModelError as error:
        notices.append(str(error))
    embedder = Embedder(str(store.setting("embedder", BUNDLED)))
    try:
        base = trusted(store, load_model(base_model_path(), embedder.identity))
    except ModelError:
        return None, embedder, [*notices, "Until then answers are ranked by retrieval alone."]
    return base, embedder, [*notices, "Until then the base model serves."]


def load_mood_reader(desk: Desk, embedder: Embedder) -> tuple[MoodReader | None, list[str]]:
    """What reads the customers' mood, None where no head fits the encoder; and what a person should know."""
    try:
        return MoodReader.for_encoder(embedder, desk.models_path), []
    except ModelError as error:
        return None, [f"{error} Until then no mood is read."]


def open_retriever(
    desk: Desk, store: Store, embedder: Embedder, on_progress: OnProgress | None = None
) -> tuple[Retriever, list[str]]:
    """The desk's retriever, its index mended first where that is needed; and what was mended.

    While another command writes to the desk, the index is taken as it is, behind the store.

    Raises:
        DeskBusy: another command writes, and there is no whole index yet.
    """
    directory = index_directory(desk.index_path, embedder.identity)
    try:
        return Retriever(directory, store, embedder.identity), []
    except IndexDamaged as damage:
        try:
            with desk.writing():
                update_index(desk.index_path, store, embedder, on_progress)
        except DeskBusy as busy:
            return _behind(directory, store, embedder, busy), [f"{busy.message} What it adds is not yet found."]
        return Retriever(directory, store, embedder.identity), [f"{damage.message} It was built from the store."]


def _behind(directory: Path, store: Store, embedder: Embedder, busy: DeskBusy) -> Retriever:
    try:
        return Retriever(directory, store, embedder.identity, may_lag=True)
    except IndexDamaged:
        raise busy from None
