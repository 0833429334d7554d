"""`attendant tune`: from which confidence on may the desk answer, or ask back, by itself?"""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example

RISK = 0.05
"""Where none is said."""


@click.command(
    epilog=example(
        "attendant replay logs/held-back.jsonl --desk acme",
        "attendant tune --desk acme --risk 0.05",
        "attendant tune champion --desk acme --risk 0.1 --dry-run",
        "attendant tune --desk acme --off",
    )
)
@click.argument("run_name", metavar="[RUN]", required=False)
@desk_option
@click.option(
    "--risk",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help=f"Share of wrong answers among those given that is allowed.  [default: {RISK}]",
)
@click.option("--dry-run", is_flag=True, help="Show what would be chosen and change nothing.")
@click.option(
    "--off", "is_off", is_flag=True, help="Hand everything over until attendant tune finds the desk ready for a risk."
)
@common_options
@click.pass_obj
def command(
    session: Session, run_name: str | None, desk_name: str, risk: float | None, dry_run: bool, is_off: bool
) -> None:
    """Choose from which confidence on the desk answers, and from which on it asks back.

    RUN is a stored replay, by default the latest, of logs that are not in the desk. The lowest threshold is taken
    with which the share of wrong answers stays below the risk, at nine in ten odds over conversations like these at
    large, and kept with the model; turns of one conversation go wrong together and count as fewer cases, and turns
    that the desk's model was trained on, which are those of conversations that the desk holds, are left out. Of the
    turns below it whose best two answers are close, those are asked back where one of the two is right by the same
    promise; the rest is handed over. Where no threshold can promise the risk, the desk is not ready: what is missing
    is said, nothing is changed, and the exit status is 1. With --off it answers nothing, whichever model serves it,
    until a risk is chosen that can be promised.
    """
    if is_off:
        if run_name is not None or risk is not None or dry_run:
            raise click.UsageError("--off goes alone: it needs no replay and no risk.")
        _switch_off(session, desk_name)
        return
    desk = session.open_desk(desk_name)
    from bot.named_run import named_run
    from bot.opening import open_pipeline
    from bot.output import print_json, screen
    from bot.tuning import tune
    from bot.tuning_view import show_tuning

    with desk.replays() as replays:
        run = named_run(replays, run_name or "latest")
        with open_pipeline(desk, is_plain=session.as_json) as pipeline:
            found = tune(pipeline, replays, run, risk or RISK, dry_run)
    if session.as_json:
        print_json(found.as_json())
    else:
        show_tuning(screen(), found, dry_run)
    if found.chosen is None:
        raise click.exceptions.Exit(1)


def _switch_off(session: Session, desk_name: str) -> None:
    desk = session.open_desk(desk_name)
    from bot.output import plain, print_json, screen
    from bot.tuning import switch_off

    switch_off(desk)
    if session.as_json:
        print_json({"answering": False})
    else:
        screen().print(plain("The desk no longer answers by itself; attendant tune --risk R can switch it on."))
