"""`attendant withdraw`: take answers out of service."""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    epilog=example(
        'attendant withdraw 17 --because "the price is from last year" --desk acme',
        "attendant withdraw 17 --restore --desk acme",
    )
)
@click.argument("answers", metavar="NUMBER...", nargs=-1, required=True, type=click.INT)
@desk_option
@click.option("--because", metavar="TEXT", help="Why; kept with it.")
@click.option("--restore", "is_restored", is_flag=True, help="Put withdrawn answers back into service.")
@common_options
@click.pass_obj
def command(
    session: Session, answers: tuple[int, ...], desk_name: str, because: str | None, is_restored: bool
) -> None:
    """Take answers out of service that are no longer true or turned out to be wrong.

    A withdrawn answer is not given, suggested or trained on any more, whatever is imported later; a chat that is open
    leaves it out from its next message on. The conversations stay. The NUMBER of an answer is in what `attendant
    answers`, `ask --json`, `/why` and the page of a replay show. Unless all are known, none is withdrawn.
    """
    if is_restored and because is not None:
        raise click.UsageError("--because says why answers are withdrawn; it does not go with --restore.")
    desk = session.open_desk(desk_name)
    from bot.answers_view import changes_view
    from bot.output import print_json, screen
    from bot.withdrawing import restore, withdraw

    changes = restore(desk, answers) if is_restored else withdraw(desk, answers, because)
    if session.as_json:
        print_json({"answers": [change.as_json() for change in changes]})
        return
    console = screen()
    console.print(changes_view(changes, desk_name, not is_restored), soft_wrap=not console.is_terminal)
