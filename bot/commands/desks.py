"""`attendant desks`: which desks there are."""

from __future__ import annotations

import click

from bot.options import Session, common_options, example


@click.command(epilog=example("attendant desks"))
@common_options
@click.pass_obj
def command(session: Session) -> None:
    """List the desks and what they hold."""
    from bot.output import print_json, remark, screen
    from bot.present import notice
    from bot.reports import show_rows
    from conversations.desk import Desk, list_desks
    from conversations.errors import DeskError

    home = session.home_path()
    rows: list[dict[str, object]] = []
    problems: list[str] = []
    for name in list_desks(home):
        try:
            with Desk(home, name).store() as store:
                rows.append({"name": name, **store.counts()})
        except DeskError as error:
            # One damaged desk must not hide the others.
            rows.append({"name": name, "conversations": None, "turns": None, "pairs": None, "answers": None})
            problems.append(str(error))
    if session.as_json:
        print_json({"home": str(home), "desks": rows})
    elif rows:
        show_rows(screen(), rows)
    else:
        screen().print(notice(f"No desk in {home} yet. Make one: attendant import LOGS --desk NAME"))
    for problem in problems:
        remark(problem)
