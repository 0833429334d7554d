"""What a model of one desk is worth to a new desk with 200 conversations.

    python tests/benchmarks/transfer.py STAR WORK

STAR's log is cut by domain: seven of them are an old desk, on whose first 1,000 conversations a model with an encoder
of its own is trained; the other six are a new desk with 200 conversations. The new desk trains from nothing (blocks
copied from the bundled encoder), from nothing with an encoder of its own, and from the old desk's model; then 1,500
turns of its dev log are replayed. Prints recall@1, MRR and the probability that a difference to the last is chance
(paired randomisation over conversations). Takes about half an hour.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from bot.logged_turns import LoggedTurns
from bot.pipeline import Pipeline
from bot.replay import score_turns
from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from index.equality import AnswerEquality
from training.calibration import Decision
from training.desk_training import train_desk
from training.metrics import mean_reciprocal_rank, recall_at, reciprocal_ranks
from training.registry import save_model
from training.reranker import Reranker
from training.settings import TrainSettings
from training.significance import paired_p_value

OLD = {"doctor", "ride", "apartment", "trip", "plane", "weather", "meeting"}
TURNS = 1_500


def rows(path: Path, is_old: bool) -> Iterator[str]:
    """Lines of a log whose conversations are all of the old desk's domains, or none of them."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            domains = set(json.loads(line)["meta"]["domains"])
            if domains <= OLD if is_old else not domains & OLD:
                yield line


def desk_of(work: Path, name: str, lines: Iterator[str]) -> Desk:
    """A desk with these conversations, embedded with the bundled encoder."""
    log = work / f"{name}.jsonl"
    log.write_text("".join(lines), encoding="utf-8")
    desk = Desk.create(work, name)
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk


def replayed(desk: Desk, log: Path) -> tuple[list[int], list[str]]:
    """The rank of the agent's own answer at each turn, and the turns' conversations."""
    with Pipeline.open(desk) as pipeline:
        equality = AnswerEquality(pipeline.store.answers())
        ranks, groups = [], []
        for batch in LoggedTurns(pipeline, [log]).batches(32, TURNS):
            ranks += [outcome.rank for outcome in score_turns(pipeline, equality, batch)]
            groups += [turn.conversation for turn in batch]
    return ranks, groups


def main(star: Path, work: Path) -> None:
    """Trains and compares."""
    work.mkdir(parents=True)
    tuning = {"encoder_epochs": 2, "learning_rate": 4e-4}
    old = desk_of(work, "old", islice(rows(star / "train.jsonl.gz", is_old=True), 1_000))
    with old.writing():
        train_desk([old], TrainSettings(epochs=1, **tuning), save=work / "old-model")
    encoder = Embedder()
    untrained = Reranker.from_encoder(encoder.transformer, encoder.identity, needs_questions=True, looks_back=True)
    save_model(work / "untrained", untrained, Decision(), {"trained_on": []})
    new = desk_of(work, "new", islice(rows(star / "train.jsonl.gz", is_old=False), 200))
    log = work / "dev.jsonl"
    log.write_text("".join(rows(star / "dev.jsonl.gz", is_old=False)), encoding="utf-8")
    ways = {
        "from nothing": TrainSettings(start=work / "untrained", force=True),
        "from nothing, encoder tuned": TrainSettings(force=True, **tuning),
        "from the old desk's model": TrainSettings(start=work / "old-model", force=True),
    }
    found = {}
    for number, (name, settings) in enumerate(ways.items()):
        desk = Desk(work, f"new-{number}")
        shutil.copytree(new.path, desk.path)
        with desk.writing():
            train_desk([desk], settings)
        found[name] = replayed(desk, log)
        ranks = found[name][0]
        print(f"{name:32} recall@1 {recall_at(ranks, 1):.3f}  MRR {mean_reciprocal_rank(ranks):.3f}", flush=True)
    last, groups = found["from the old desk's model"]
    for name, (ranks, _) in found.items():
        if ranks is not last:
            p = paired_p_value(reciprocal_ranks(last), reciprocal_ranks(ranks), groups)
            print(f"against {name}: p {p:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
