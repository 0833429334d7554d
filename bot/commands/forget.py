"""`attendant forget`: remove a person from a desk."""

from __future__ import annotations

import click

from bot.options import Session, common_options, customer_option, desk_option, example


@click.command(epilog=example("attendant forget --customer C-1042 --desk acme"))
@customer_option(required=True)
@desk_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--allow-again", is_flag=True, help="Remove nothing; let imports bring a forgotten customer again.")
@common_options
@click.pass_obj
def command(session: Session, customer: str, desk_name: str, yes: bool, allow_again: bool) -> None:
    """Remove a customer from a desk for good.

    Their conversations, the answers that only they were given, what they judged, their turns in stored replays, and
    the vectors and token states of all that are deleted. Models trained before stay as they are; the next training
    does without. Later imports leave the customer out.
    """
    desk = session.open_desk(desk_name)
    from bot.customer import allow_customer, forget_customer
    from bot.output import print_json, screen
    from bot.present import notice
    from bot.reports import show_report

    if allow_again:
        allow_customer(desk, customer)
        if session.as_json:
            print_json({"allowed": customer})
        else:
            screen().print(notice(f"Imports into desk {desk_name} may bring customer {customer} again."))
        return
    if not yes:
        click.confirm(f"Remove all that desk {desk_name} holds of customer {customer}?", abort=True, err=True)
    removed = forget_customer(desk, customer)
    if session.as_json:
        print_json(removed)
    else:
        show_report(screen(), removed, f"Removed from desk {desk_name}")
        screen().print(notice("Later imports leave this customer out; --allow-again lets them in."))
