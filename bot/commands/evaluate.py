"""`attendant evaluate`: rank a data set with known right answers."""

from __future__ import annotations

from pathlib import Path

import click

from bot.options import Session, common_options, example
from training.attacks import ATTACKS, PLANTED  # free of torch, as --help must be


@click.command(
    epilog=example(
        "attendant evaluate data/insuranceqa --split dev --ranker cosine --protocol pool",
        "attendant evaluate data/star --split dev --ranker bm25 --ranker cross-attention:MODEL",
        "attendant evaluate data/star --split dev --ranker cosine --attack typo --attack homoglyphs",
        "attendant evaluate data/airline --split dev --mood base --mood models/airline",
    )
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--split", default="dev", show_default=True, help="Which part of the data set.")
@click.option(
    "--ranker",
    "rankers",
    metavar="NAME",
    multiple=True,
    default=("cross-attention",),
    show_default=True,
    help="bm25, cosine[:MODEL], retrieval[:MODEL], linear-map:FILE, max-sim[:PATH], cross-encoder:PATH or "
    "cross-attention[:MODEL[,MODEL...]] (several are an ensemble); repeated, one table compares and tests them.",
)
@click.option(
    "--protocol",
    type=click.Choice(["pool", "corpus", "bank", "intents"]),
    help="Rank each question's pool, all answers, a reply bank, or intents.  [default: what the data set has]",
)
@click.option("--depth", type=click.IntRange(1), default=100, show_default=True, help="Answers to rerank.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many queries.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep the encoded answers here for the next time.")
@click.option(
    "--candidates-by",
    metavar="MODEL",
    default="",
    help="max-sim and cross-encoder reorder what this model retrieves.  [default: the bundled encoder]",
)
@click.option(
    "--attack",
    "attacks",
    type=click.Choice([*ATTACKS, *PLANTED]),
    multiple=True,
    help="Do this to every question, or plant this among its candidates, and compare; may be repeated.",
)
@click.option(
    "--mood",
    "heads",
    metavar="HEAD",
    multiple=True,
    help="Evaluate mood heads on labelled messages instead, beside their peers: base, or what train --mood saved.",
)
@click.option("--encoder", metavar="NAME", help="With --mood: the encoder that the heads read.  [default: bundled]")
@common_options
@click.pass_obj
def command(
    session: Session,
    directory: Path,
    split: str,
    rankers: tuple[str, ...],
    protocol: str | None,
    depth: int,
    limit: int | None,
    attacks: tuple[str, ...],
    cache: Path | None,
    candidates_by: str,
    heads: tuple[str, ...],
    encoder: str | None,
) -> None:
    """Rank a data set with known right answers, or name the mood of labelled messages (--mood).

    Reports how often the right answer comes first, and how fast; with several rankers also how likely each one's
    distance to the best is by chance (a paired test); with --attack how much of it is left when customers mistype,
    somebody hides what they write, or plants answers.
    """
    if encoder and not heads:
        raise click.UsageError("--encoder is for --mood; a ranker brings its own.")
    if heads:
        _evaluate_moods(session, directory, split, heads, encoder)
        return
    from bot.output import print_json, screen
    from bot.progress import Meter
    from bot.reports import rankers_json, show_rankers
    from training.evaluation import evaluate

    with Meter() as meter:
        found = evaluate(directory, split, rankers, attacks, protocol, depth, limit, cache, candidates_by, meter.show)
    reports = [report.as_json() for report in found]
    if session.as_json:
        print_json(rankers_json(reports))
    else:
        show_rankers(screen(), reports, f"{directory.name}, {split}")


def _evaluate_moods(
    session: Session, directory: Path, split: str, heads: tuple[str, ...], encoder: str | None
) -> None:
    from bot.output import print_json, screen
    from bot.progress import Meter
    from bot.reports import show_rows
    from index.encoder_loading import BUNDLED
    from training.mood_evaluation import evaluate_moods

    with Meter() as meter:
        found = evaluate_moods(directory, split, heads, encoder or BUNDLED, meter.show)
    rows = [one.as_json() for one in found]
    if session.as_json:
        print_json({"readers": rows})
        return
    if not any(row["note"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "note"} for row in rows]
    show_rows(screen(), rows)
