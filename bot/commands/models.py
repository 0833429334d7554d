"""`attendant models`: the models of a desk; which one serves, and which one did before."""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    epilog=example(
        "attendant models --desk acme",
        "attendant models model-0002 --desk acme",
        "attendant models --promote model-0002 --desk acme",
        "attendant models --rollback --desk acme",
    )
)
@click.argument("name", required=False)
@desk_option
@click.option("--promote", "promoted", metavar="NAME", help="Serve with this model; base is the one that ships.")
@click.option("--rollback", is_flag=True, help="Serve with the model that was in use before; twice is back again.")
@common_options
@click.pass_obj
def command(session: Session, name: str | None, desk_name: str, promoted: str | None, rollback: bool) -> None:
    """List a desk's models, show one, or change which one serves.

    No model is ever deleted, and none that is damaged is taken into use.
    """
    if sum((name is not None, promoted is not None, rollback)) > 1:
        raise click.UsageError("Give one of NAME, --promote and --rollback.")
    desk = session.open_desk(desk_name)
    from bot.models import desk_answering, list_models, serve, show_model
    from bot.output import plain, print_json, screen
    from bot.reports import show_report, show_rows

    if promoted is not None or rollback:
        report = serve(desk, promoted)
        if session.as_json:
            print_json(report)
        else:
            screen().print(
                plain(f"Desk {desk_name} is served by {report['current']} (before: {report['previous']}).")
            )
    elif name is not None:
        shown = show_model(desk, name)
        if session.as_json:
            print_json(shown)
        else:
            show_report(screen(), shown, name)
    else:
        rows = list_models(desk)
        answering = desk_answering(desk)
        if session.as_json:
            print_json({"models": rows, "answering": answering})
        else:
            show_rows(screen(), rows)
            if answering:
                screen().print(plain(f"In use: {answering}"))
