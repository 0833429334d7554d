"""`attendant answers`: what a desk can say, how often it was said, and what is withdrawn."""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    epilog=example(
        "attendant answers --desk acme",
        "attendant answers delivery free --desk acme",
        "attendant answers --withdrawn --desk acme",
    )
)
@click.argument("words", nargs=-1)
@desk_option
@click.option("--withdrawn", is_flag=True, help="Only what is withdrawn.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Answers to list.")
@common_options
@click.pass_obj
def command(session: Session, words: tuple[str, ...], desk_name: str, withdrawn: bool, limit: int) -> None:
    """List a desk's answers, those most often given first.

    With WORDS those that hold all of them, or words that begin so. By its number an answer can be withdrawn
    (attendant withdraw).
    """
    desk = session.open_desk(desk_name)
    from bot.output import print_json, screen
    from bot.present import notice

    with desk.store() as store:
        query = " ".join(words) if words else None
        records, total = store.service.records(words=query, withdrawn_only=withdrawn, limit=limit)
        remembered = store.service.remembered()
    if session.as_json:
        from bot.withdrawing import record_json

        print_json({"answers": list(map(record_json, records)), "total": total, "remembered": remembered})
        return
    console = screen()
    if records:
        from bot.answers_view import records_view

        console.print(records_view(records, total))
    else:
        console.print(notice(f"Desk {desk_name} has no such answer." if words or withdrawn else "There is none yet."))
    if withdrawn and remembered:
        known = f"{remembered:,} withdrawn texts that the desk does not hold now" if remembered > 1 else "1 such text"
        console.print(notice(f"{known} would be withdrawn again if imported."))
