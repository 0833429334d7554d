"""`attendant runs`: the replays that are stored with a desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.options import Session, common_options, desk_option, example

if TYPE_CHECKING:
    from conversations.desk import Desk
    from conversations.replay_tables import ReplayRun
    from conversations.replays import Replays


@click.command(
    epilog=example(
        "attendant runs --desk acme",
        "attendant runs champion challenger --report pages --desk acme",
        "attendant runs --desk acme --delete latest~3",
    )
)
@click.argument("names", metavar="[RUN]...", nargs=-1)
@desk_option
@click.option(
    "--report",
    "report_directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the HTML pages of the runs that were named into this directory.",
)
@click.option("--delete", "unwanted", metavar="RUN", multiple=True, help="Delete this run: its number or name.")
@common_options
@click.pass_obj
def command(
    session: Session,
    names: tuple[str, ...],
    desk_name: str,
    report_directory: Path | None,
    unwanted: tuple[str, ...],
) -> None:
    """List the stored replays of a desk, or show the figures of some.

    A run is called by its number, by the name it was given, or latest, latest~1 and so on.
    """
    if report_directory is not None and not names:
        raise click.UsageError("--report needs the runs to report: attendant runs latest --report DIR.")
    if unwanted and names:
        raise click.UsageError("Show runs or delete them, not both.")
    desk = session.open_desk(desk_name)
    from bot.named_run import named_run

    with desk.replays() as replays:
        for run in [replays.run(name) for name in unwanted]:
            replays.delete(run.id)
        if names:
            _show(session, desk, replays, [named_run(replays, name) for name in names], report_directory)
        else:
            _list(session, desk_name, replays)


def _show(
    session: Session, desk: Desk, replays: Replays, runs: list[ReplayRun], report_directory: Path | None
) -> None:
    from bot.output import print_json, remark, screen
    from bot.replay_figures import report_of
    from bot.replay_page import prepare_directory, write_page
    from bot.reports import rankers_json, show_replays

    if report_directory is not None:
        prepare_directory(report_directory)
    figures = [report_of(replays, run) for run in runs]
    for text in dict.fromkeys(text for one in figures for text in one.remarks):
        remark(text)
    reports = [{"ranker": run.ranker, **one.as_json()} for run, one in zip(runs, figures, strict=True)]
    pages = [write_page(report_directory, desk, one) for one in figures] if report_directory is not None else []
    if session.as_json:
        print_json(rankers_json(reports))
        return
    show_replays(screen(), desk.name, reports, pages)


def _list(session: Session, desk_name: str, replays: Replays) -> None:
    from bot.output import plain, print_json, screen
    from bot.reports import show_rows

    runs = replays.runs()
    overtaken = {run.id: later.id for run in runs if (later := replays.overtaking(run)) is not None}
    rows = [
        {
            "run": run.id,
            "name": run.name,
            "started": run.started[:16].replace("T", " "),
            "finished": run.finished is not None,
            "ranker": run.ranker,
            "turns": replays.count(run.id),
            "logs": " ".join(run.logs),
        }
        for run in runs
    ]
    if session.as_json:
        print_json(
            {"runs": [row | {"overtaken_by": overtaken.get(run.id)} for row, run in zip(rows, runs, strict=True)]}
        )
    elif rows:
        show_rows(screen(), [row | ({"finished": "overtaken"} if row["run"] in overtaken else {}) for row in rows])
        for old, new in overtaken.items():
            remedy = f"attendant runs --delete {old} --desk {desk_name}"
            said = f"Replay {new} has overtaken replay {old}, which cannot be finished: {remedy}"
            screen().print(plain(said), soft_wrap=True)
    else:
        screen().print("Nothing was replayed on this desk yet: attendant replay LOGS.")
