"""`attendant train`: retrain the reranker and its encoder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.options import Session, common_options, example

if TYPE_CHECKING:
    from training.settings import TrainReport


@click.command(
    epilog=example(
        "attendant train --desk acme",
        "attendant train --dataset data/star --save models/star --encoder-epochs 2",
    )
)
@click.option("--desk", "desk_names", metavar="NAME", multiple=True, help="Train on this desk.  [default: default]")
@click.option("--dataset", type=click.Path(path_type=Path), help="Train on a data set's train split instead.")
@click.option(
    "--kind",
    type=click.Choice(["cross-attention", "linear-map"]),
    default="cross-attention",
    show_default=True,
    help="What to train on a data set: the reranker, or a linear map on frozen vectors to compare it with.",
)
@click.option("--save", type=click.Path(path_type=Path), help="Write the model here, not into the desk.")
@click.option("--encoder-epochs", type=click.IntRange(0), help="Passes over the pairs for the sentence encoder.")
@click.option("--epochs", type=click.IntRange(0), help="Passes over the examples for the reranker.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Peak of the learning rate.")
@click.option("--batch-size", type=click.IntRange(2), help="Dialogues a step.")
@click.option("--seed", type=int, help="Of the order of examples; the same seed gives the same model.")
@click.option("--limit", type=click.IntRange(1), help="Train on so many dialogues only.")
@click.option("--force", is_flag=True, help="Use the new model even if it is not better.")
@common_options
@click.pass_obj
def command(
    session: Session,
    /,
    desk_names: tuple[str, ...],
    dataset: Path | None,
    kind: str,
    save: Path | None,
    **options: float | bool | None,
) -> None:
    """Retrain on a desk, or on a data set.

    A desk's new model is used from then on only if it is better on conversations held out from training. A run that
    was stopped goes on where it was when the same command is given again.
    """
    if dataset and desk_names:
        raise click.UsageError("Use --desk or --dataset, not both.")
    if dataset and not save:
        raise click.UsageError("--dataset needs --save MODEL, the directory that the model is written to.")
    if len(desk_names) > 1 and not save:
        raise click.UsageError("Several desks train one model that belongs to none of them: add --save MODEL.")
    if save and options["force"]:
        raise click.UsageError("--force is for a desk's own model; with --save the model is always written.")
    given = {name: value for name, value in options.items() if value is not None}
    if kind == "linear-map":
        if not dataset or not save:
            raise click.UsageError("A linear map is trained on a data set: --dataset DIR --save FILE.")
        if unused := sorted(name for name in given if name not in ("seed", "limit", "force")):
            raise click.UsageError(f"A linear map takes no --{unused[0].replace('_', '-')}.")
        _train_linear_map(session, dataset, save, given)
        return
    report = _train(session, desk_names or ("default",), dataset, save, given)
    from bot.output import plain, print_json, screen
    from bot.reports import show_report, show_rows

    if session.as_json:
        print_json(report.as_json())
        return
    console = screen()
    show_report(console, {name: getattr(report, name) for name in ("model", "promoted", "examples", "held_out")})
    rows = {"before": report.before, "after": report.after}
    show_rows(console, [{"held out": name, **asdict(row)} for name, row in rows.items() if row is not None])
    console.print(plain(report.reason))


def _train(
    session: Session,
    desk_names: tuple[str, ...],
    dataset: Path | None,
    save: Path | None,
    given: dict[str, Any],
) -> TrainReport:
    """Runs the training with live progress; desks are locked against other writers meanwhile."""
    desks = [] if dataset else [session.open_desk(name) for name in dict.fromkeys(desk_names)]
    from bot.progress import Meter
    from training.dataset_training import train_dataset
    from training.desk_training import train_desk
    from training.loop import Progress
    from training.settings import TrainSettings

    settings = replace(TrainSettings(), **given)
    with ExitStack() as stack:
        meter = stack.enter_context(Meter())
        metric = "-"

        def show(progress: Progress) -> None:
            nonlocal metric
            if progress.metric is not None:
                metric = f"{progress.metric:.3f}"
            note = f"{progress.step}/{progress.steps}  loss {progress.loss:.3f}  held-out MRR {metric}"
            meter.show(progress.stage, progress.step, progress.steps, note)

        meter.show("reading")
        if dataset and save:
            return train_dataset(dataset, save, settings, show)
        for desk in desks:
            stack.enter_context(desk.writing())
        return train_desk(desks, settings, show, save)


def _train_linear_map(session: Session, dataset: Path, save: Path, given: dict[str, Any]) -> None:
    from bot.output import print_json, screen
    from bot.progress import Meter
    from bot.reports import show_report
    from training.linear_map import train_linear_map

    with Meter() as meter:
        report = train_linear_map(
            dataset,
            save,
            given.get("seed", 13),
            given.get("limit"),
            lambda now: meter.show(now.stage, now.step, now.steps, f"loss {now.loss:.3f}"),
        )
    if session.as_json:
        print_json(report)
    else:
        show_report(screen(), report, str(save))
