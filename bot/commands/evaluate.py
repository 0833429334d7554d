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
) -> None:
    """Rank a data set with known right answers.

    Reports how often the right answer comes first, and how fast; with several rankers also how likely each one's
    distance to the best is by chance (a paired test); with --attack how much of it is left when customers mistype,
    somebody hides what they write, or plants answers.
    """
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
