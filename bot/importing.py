"""Logs into a desk and its index, with progress; a first import that brings nothing leaves no desk behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.progress import Meter
from conversations.desk import Desk, at_home
from conversations.errors import DeskError
from conversations.forgotten import LEFT_OUT
from conversations.importing import ImportReport, import_logs
from conversations.pairs import WITH_BOT
from conversations.readers import log_files
from conversations.store import Store
from training.registry import desk_embedder, encoder_name

if TYPE_CHECKING:
    from index.embedder import Embedder


def import_into_desk(
    home: Path,
    name: str,
    logs: Sequence[str],
    with_sample: bool = False,
    embedder_name: str | None = None,
    redact: bool = True,
) -> tuple[dict[str, Any], list[str]]:
    """Imports logs and brings the index in step; makes the desk if it is not there.

    Args:
        home: where desks are kept.
        name: of the desk.
        logs: files and directories.
        with_sample: whether the conversations shipped with the project are imported as well.
        embedder_name: the encoder that this desk uses from now on; None leaves it as it is.
        redact: whether personal data are replaced first.

    Returns:
        The report, and what a person should know about it.

    Raises:
        AttendantError: a log cannot be read, nothing in it could be used, or the desk cannot be written.
    """
    with resources.as_file(resources.files("conversations.sample").joinpath("past.jsonl")) as sample:
        paths: list[Path | str] = [*logs, *([sample] if with_sample else [])]
        size = sum(path.stat().st_size for path in log_files(paths))
        desk = Desk.create(home, name)
        with desk.writing(), _nothing_left_if_empty(desk), desk.store() as store, Meter() as meter:
            # Beforehand: a wrong name should not be noticed after hours of reading.
            named = _named_encoder(desk, store, embedder_name, meter) if embedder_name else None
            report = import_logs(
                store, paths, redact, lambda read: meter.show("reading logs", read, size), desk.rejects_path
            )
            notices = [*_notices(report), *_bring_index_in_step(desk, store, named, meter)]
    return asdict(report), notices


def _notices(report: ImportReport) -> list[str]:
    """What a person should know about an import."""
    told = (
        (
            report.unanswered,
            "Conversations in which no agent answers: {:,}. They are kept; there is nothing to learn from them.",
        ),
        (report.with_bot, f"{WITH_BOT} The conversations are kept as history."),
        (
            report.replaced,
            "Conversations with other words than the desk held under their ids: {:,}. They took their places; if the"
            " logs give one id to several conversations, make the ids unique.",
        ),
        (
            report.unread_times,
            "Times that were not understood: {:,}. What goes by days leaves them out; write them like"
            " 2026-09-02T08:31:00Z.",
        ),
        (report.forgotten, LEFT_OUT),
    )
    return [*filter(None, [report.warning]), *(text.format(count) for count, text in told if count)]


def _named_encoder(desk: Desk, store: Store, name: str, meter: Meter) -> Embedder:
    """The encoder that the desk is to use from now on, loaded."""
    own = Path(encoder_name(desk.models_path, store))
    if own.is_relative_to(desk.models_path):
        raise DeskError(
            f"Desk {desk.name} reads with the encoder of its own model {own.parent.name}: another would not be used.",
            f"Serve with the model that ships first: attendant models --promote base --desk {desk.name}.",
        )
    meter.show("loading the encoder")
    from index.embedder import Embedder

    directory = at_home(name)
    return Embedder(str(directory.resolve()) if directory.is_dir() else name)


def _bring_index_in_step(desk: Desk, store: Store, named: Embedder | None, meter: Meter) -> list[str]:
    meter.show("loading the encoder")
    from index.builder import update_index
    from training.desk_calibration import calibrate_desk

    if named is not None:
        store.set_setting("embedder", named.name)
    embedder = named or desk_embedder(desk.models_path, store)
    mended = update_index(desk.index_path, store, embedder, meter.show)
    calibrate_desk(desk, store, embedder, meter.show)
    return mended


@contextmanager
def _nothing_left_if_empty(desk: Desk) -> Iterator[None]:
    """Removes a desk that was made for an import which brought nothing; its rejects file stays."""
    if desk.exists():
        yield
        return
    try:
        yield
    except BaseException:
        if _is_empty(desk):
            for path in desk.path.glob(f"{desk.database.name}*"):
                path.unlink()
            shutil.rmtree(desk.index_path, ignore_errors=True)
            shutil.rmtree(desk.models_path, ignore_errors=True)
            if not any(desk.rejects_path.iterdir()):
                shutil.rmtree(desk.path, ignore_errors=True)
        raise


def _is_empty(desk: Desk) -> bool:
    if not desk.exists():
        return True
    try:
        with desk.store() as store:
            return store.counts()["conversations"] == 0
    except DeskError:
        return False
