"""`attendant compare`: which of two replays was better, and is that more than luck?"""

from __future__ import annotations

import click

from bot.options import Session, common_options, desk_option, example


@click.command(
    epilog=example(
        "attendant compare latest~1 latest --desk acme",
        "attendant compare champion challenger --fail-if-worse recall@1 --fail-if-worse answered_wrong",
        "attendant compare 3 4 --fail-if-worse recall@1 --margin 0.01",
    )
)
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@desk_option
@click.option(
    "--fail-if-worse",
    "guarded",
    metavar="METRIC",
    multiple=True,
    help="Exit with status 1 where RUN_B is worse in this figure by the paired test (p < .05). Repeatable: recall@1, "
    "recall@5, recall@10, mrr, coverage, answered_right, answered_wrong, brier.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0),
    help="With --fail-if-worse: fail unless the interval rules out that RUN_B is worse by more than this.",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="With --fail-if-worse: do not fail because RUN_B lacks turns of RUN_A; those in both are compared.",
)
@common_options
@click.pass_obj
def command(
    session: Session,
    first: str,
    second: str,
    desk_name: str,
    guarded: tuple[str, ...],
    margin: float | None,
    allow_missing: bool,
) -> None:
    """Compare two stored replays of the same turns.

    RUN_A is what to compare with, RUN_B what is in question; each is the number of a run, its --name, or latest,
    latest~1 and so on; only finished runs are compared. Intervals and probabilities are over conversations.

    With --fail-if-worse the exit status is 1 also where nothing could be shown: RUN_B lacks turns of RUN_A, there are
    fewer than 20 conversations, or both are the same run.
    """
    if margin is not None and not guarded:
        raise click.UsageError("--margin is for --fail-if-worse.")
    if allow_missing and not guarded:
        raise click.UsageError("--allow-missing is for --fail-if-worse.")
    desk = session.open_desk(desk_name)
    from bot.comparison import METRICS, compare
    from bot.comparison_view import show_comparison
    from bot.named_run import named_run
    from bot.output import print_json, screen

    if unknown := sorted(set(guarded) - set(METRICS)):
        raise click.UsageError(f"There is no figure {unknown[0]!r}; there are: {', '.join(METRICS)}.")
    with desk.replays() as replays, desk.store() as store:
        found = compare(replays, store, named_run(replays, first), named_run(replays, second))
    worse = [one for one in found.differences if one.metric in guarded and one.is_worse(margin)]
    unproven = found.unproven(guarded, allow_missing) if guarded else []
    if session.as_json:
        print_json(found.as_json() | {"worse": [one.metric for one in worse], "unproven": unproven})
    else:
        show_comparison(screen(), found, worse, unproven)
    if worse or unproven:
        raise click.exceptions.Exit(1)
