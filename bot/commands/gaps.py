"""`attendant gaps`: what do customers ask that no past answer covers?"""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    epilog=example("attendant gaps logs/this-week.jsonl --desk acme", "attendant gaps logs/ --most 50 --json")
)
@click.argument("logs", nargs=-1, required=True)
@desk_option
@click.option("--limit", type=click.IntRange(1), help="Look at only so many customer turns.")
@click.option("--most", type=click.IntRange(1), default=20, show_default=True, help="Gaps to list.")
@click.option("--examples", type=click.IntRange(1), default=3, show_default=True, help="Questions to show of each.")
@common_options
@click.pass_obj
def command(
    session: Session, logs: tuple[str, ...], desk_name: str, limit: int | None, most: int, examples: int
) -> None:
    """List what customers ask that no past answer covers.

    All that customers say in LOGS is looked at, answered or not; what is like nothing that the desk was asked before
    is grouped by what it is about, biggest group first. A conversation that is in the desk is left out while its own
    turns are looked at, so the desk's own logs can be looked through as well.
    """
    desk = session.open_desk(desk_name)
    from pathlib import Path

    from bot.gaps import find_gaps
    from bot.opening import open_pipeline
    from bot.output import print_json, remark, screen
    from bot.present import gaps_view
    from bot.progress import Meter
    from conversations.readers import log_files

    # Said before the model is loaded: a wrong path should not cost the wait.
    log_files(logs)
    with open_pipeline(desk) as pipeline, Meter() as meter:
        report, trouble = find_gaps(pipeline, [Path(log) for log in logs], limit, examples, meter.counter("reading"))
    if trouble:
        remark(trouble)
    if session.as_json:
        found = report.as_json()
        print_json(found | {"gaps": found["gaps"][:most]})
        return
    console = screen()
    console.print(gaps_view(report, most), soft_wrap=not console.is_terminal)
