"""`attendant runs`: the replays that are stored with a desk."""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(epilog=example("attendant runs --desk acme", "attendant runs --desk acme --delete latest~3"))
@desk_option
@click.option("--delete", "unwanted", metavar="RUN", multiple=True, help="Delete this run: its number or name.")
@common_options
@click.pass_obj
def command(session: Session, desk_name: str, unwanted: tuple[str, ...]) -> None:
    """List the stored replays of a desk.

    A run is called by its number, by the name it was given, or latest, latest~1 and so on.
    """
    desk = session.open_desk(desk_name)
    from bot.output import print_json, screen
    from bot.reports import show_rows

    with desk.replays() as replays:
        for run in [replays.run(name) for name in unwanted]:
            replays.delete(run.id)
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
            for run in replays.runs()
        ]
    if session.as_json:
        print_json({"runs": rows})
    elif rows:
        show_rows(screen(), rows)
    else:
        screen().print("Nothing was replayed on this desk yet: attendant replay LOGS.")
