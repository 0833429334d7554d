"""`attendant forget`: remove a person from a desk."""

from __future__ import annotations

import click

from bot.options import Session, common_options, customer_option, desk_option, example


@click.command(epilog=example("attendant forget --customer C-1042 --desk acme"))
@customer_option(required=True)
@desk_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
@click.pass_obj
def command(session: Session, customer: str, desk_name: str, yes: bool) -> None:
    """Remove a customer from a desk for good.

    Their conversations, the answers that only they were given, what they judged, their turns in stored replays, and
    the vectors and token states of all that are deleted. Models trained before stay as they are; the next training
    does without.
    """
    desk = session.open_desk(desk_name)
    from bot.customer import forget_customer
    from bot.output import print_json, screen
    from bot.reports import show_report

    if not yes:
        click.confirm(f"Remove all that desk {desk_name} holds of customer {customer}?", abort=True, err=True)
    removed = forget_customer(desk, customer)
    if session.as_json:
        print_json(removed)
    else:
        show_report(screen(), removed, f"Removed from desk {desk_name}")
