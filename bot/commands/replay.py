"""`attendant replay`: what would Attendant have answered at each agent turn of a log?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bot.options import DESK_RANKERS, Session, common_options, desk_option, example, run_name


@click.command(
    epilog=example(
        "attendant replay logs/this-week.jsonl --desk acme",
        "attendant replay logs/this-week.jsonl --desk acme --ranker bm25 --ranker cosine --ranker cross-attention",
    )
)
@click.argument("logs", nargs=-1, required=True)
@desk_option
@click.option(
    "--ranker",
    "rankers",
    metavar="NAME",
    multiple=True,
    help=f"{DESK_RANKERS}; repeated, one table compares them.  [default: the desk's model]",
)
@click.option("--batch-size", type=click.IntRange(1), default=64, show_default=True, help="Dialogues at a time.")
@click.option("--limit", type=click.IntRange(1), help="Replay only so many agent turns.")
@click.option(
    "--as-of",
    is_flag=True,
    help="Hide from each conversation also what was said after it began, so that a desk's own log can be replayed "
    "as it was. Where the log or the desk has no times, the order of import decides; of how many conversations that "
    "does not tell is said.",
)
@click.option(
    "--name",
    callback=run_name,
    help="A name to find the stored run by, for attendant compare; of several rankers NAME-RANKER.",
)
@click.option(
    "--report",
    "report_directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write an HTML page with pictures and examples into this directory; it needs no network.",
)
@common_options
@click.pass_obj
def command(
    session: Session,
    logs: tuple[str, ...],
    desk_name: str,
    rankers: tuple[str, ...],
    batch_size: int,
    limit: int | None,
    as_of: bool,
    name: str | None,
    report_directory: Path | None,
) -> None:
    """Replay logs: what would have been answered?

    At every agent turn the desk is asked with the dialogue up to it, and its answers are compared with what the agent
    said. A conversation that is in the desk itself is left out while it is replayed.

    Recall and MRR are of the ranking, whatever was decided then. Of what was answered right of all turns, every
    question back and every hand-over is a miss. An answer is right that says what the agent said, mostly in the same
    words; how many of those name another figure than the agent did (a number, price, time, date, weekday, month or
    code) is told behind it.

    The run is stored with the desk (attendant runs lists them). One that was stopped goes on where it was when the
    same command is given again.
    """
    desk = session.open_desk(desk_name)
    from bot.opening import open_pipeline
    from bot.output import print_json, remark, screen
    from bot.progress import Meter
    from bot.replay import replay
    from bot.replay_page import prepare_directory, write_page
    from bot.reports import rankers_json, show_replays
    from conversations.errors import DeskError
    from conversations.readers import log_files

    # Said before the model is loaded: a wrong path should not cost the wait.
    log_files(logs)
    if report_directory is not None:
        prepare_directory(report_directory)
    paths = [Path(log) for log in logs]
    reports: list[dict[str, Any]] = []
    pages: list[Path] = []
    remarks: list[str] = []
    unwritten: list[DeskError] = []
    for ranker in rankers or (None,):
        with open_pipeline(desk, ranker) as pipeline, Meter() as meter:
            stage = f"replaying with {pipeline.ranker_name}"
            meter.show(stage)
            report = replay(
                pipeline,
                paths,
                batch_size=batch_size,
                limit=limit,
                as_of=as_of,
                name=f"{name}-{ranker}" if name and len(rankers) > 1 else name,
                on_progress=meter.noter(stage),
            )
            reports.append({"ranker": pipeline.ranker_name, **report.as_json()})
            if report_directory is not None:
                # The other rankers' replays, and the figures, are not lost with a page.
                try:
                    pages.append(write_page(report_directory, desk, report))
                except DeskError as error:
                    unwritten.append(error)
        remarks += report.remarks
    # Of the same logs: all rankers' replays have the same.
    for text in dict.fromkeys(remarks):
        remark(text)
    if session.as_json:
        print_json(rankers_json(reports))
    else:
        show_replays(screen(), desk_name, reports, pages)
    for problem in unwritten:
        remark(str(problem))
    if unwritten:
        raise click.exceptions.Exit(1)
