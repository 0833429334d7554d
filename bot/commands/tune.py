"""`attendant tune`: from which confidence on may the desk answer, or ask back, by itself?"""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    epilog=example(
        "attendant replay logs/held-back.jsonl --desk acme",
        "attendant tune --desk acme --risk 0.05",
        "attendant tune champion --desk acme --risk 0.1 --dry-run",
    )
)
@click.argument("run_name", metavar="[RUN]", default="latest")
@desk_option
@click.option(
    "--risk",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Share of wrong answers among those given that is allowed.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be chosen and change nothing.")
@common_options
@click.pass_obj
def command(session: Session, run_name: str, desk_name: str, risk: float, dry_run: bool) -> None:
    """Choose from which confidence on the desk answers, and from which on it asks back.

    RUN is a stored replay, by default the latest, of logs that are not in the desk. The lowest threshold is taken
    with which the share of wrong answers stays below the risk, at nine in ten odds over conversations like these at
    large, and kept with the model; turns of one conversation go wrong together and count as fewer cases. Of the
    turns below it whose best two answers are close, those are asked back where one of the two is right by the same
    promise; the rest is handed over. Where no threshold can promise the risk, the desk is not ready: what is missing
    is said, nothing is changed, and the exit status is 1.
    """
    desk = session.open_desk(desk_name)
    from bot.named_run import named_run
    from bot.opening import open_pipeline
    from bot.output import print_json, screen
    from bot.tuning import tune
    from bot.tuning_view import show_tuning

    with desk.replays() as replays:
        run = named_run(replays, run_name)
        with open_pipeline(desk, is_plain=session.as_json) as pipeline:
            found = tune(pipeline, replays, run, risk, dry_run)
    if session.as_json:
        print_json(found.as_json())
    else:
        show_tuning(screen(), found, dry_run)
    if found.chosen is None:
        raise click.exceptions.Exit(1)
