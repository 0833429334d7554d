"""`attendant train`: retrain the reranker and its encoder."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.options import Session, common_options, example
from training.choices import LEAST, MORE_THAN, clash, out_of_range  # free of torch, as --help must be

if TYPE_CHECKING:
    from bot.progress import Meter
    from training.loop import OnProgress
    from training.settings import TrainReport


PEERS = {
    "linear-map": ("seed", "limit"),
    "cross-encoder": ("seed", "limit", "epochs", "learning_rate", "batch_size", "candidates", "pair_tokens"),
}
"""What is trained to compare the reranker with, and the options that it takes."""


@click.command(
    epilog=example(
        "attendant train --desk acme",
        "attendant train --dataset data/star --save models/star --encoder-epochs 2",
        "attendant train --mood labelled.jsonl --desk acme",
    )
)
@click.option("--desk", "desk_names", metavar="NAME", multiple=True, help="Train on this desk.  [default: default]")
@click.option("--dataset", type=click.Path(path_type=Path), help="Train on a data set's train split instead.")
@click.option(
    "--kind",
    type=click.Choice(["cross-attention", "linear-map", "cross-encoder"]),
    default="cross-attention",
    show_default=True,
    help="What to train on a data set: the reranker, or a linear map on frozen vectors or a full CrossEncoder to "
    "compare it with.",
)
@click.option(
    "--mood",
    "labelled",
    type=click.Path(path_type=Path),
    multiple=True,
    help='Train a mood head instead, on lines {"text": ..., "label": "negative", "neutral" or "positive"}.',
)
@click.option("--save", type=click.Path(path_type=Path), help="Write the model here, not into the desk.")
@click.option(
    "--encoder-epochs",
    type=click.IntRange(LEAST["encoder_epochs"]),
    help="Passes over the pairs for the sentence encoder; by default none for a desk, one for a data set.",
)
@click.option(
    "--epochs",
    type=click.IntRange(LEAST["epochs"]),
    help="Passes over the examples for the reranker; by default two, on a large desk one.",
)
@click.option(
    "--learning-rate",
    type=click.FloatRange(MORE_THAN["learning_rate"], min_open=True),
    help="Peak of the learning rate.",
)
@click.option("--batch-size", type=click.IntRange(LEAST["batch_size"]), help="Dialogues a step.")
@click.option(
    "--seed",
    type=int,
    help="Of all that is drawn: on the same machine, without a GPU, the same seed gives the same model.",
)
@click.option("--limit", type=click.IntRange(LEAST["limit"]), help="Train on so many dialogues only.")
@click.option(
    "--encoder",
    type=click.Path(path_type=Path),
    help="With --dataset, or --mood and --save: take this model's encoder as it is.",
)
@click.option("--cache", type=click.Path(path_type=Path), help="With --dataset: keep the encoded answers here.")
@click.option("--tensorboard", type=click.Path(path_type=Path), help="Write TensorBoard event files below this.")
@click.option("--start", type=click.Path(path_type=Path), help="Start from this model; a desk takes its encoder too.")
@click.option(
    "--teacher",
    metavar="RANKER",
    help="Learn from this ranker's scores as well: cross-encoder:PATH, or cross-attention:MODEL[,MODEL...].",
)
@click.option("--distillation", type=click.Choice(["kl", "margin-mse"]), help="How to learn from the teacher.")
@click.option("--loss", type=click.Choice(["listwise", "lambda"]), help="What the right answers are learned by.")
@click.option(
    "--listwise-heads",
    type=click.IntRange(LEAST["listwise_heads"]),
    help="Heads with which candidates look at each other.",
)
@click.option(
    "--perturbation",
    type=click.FloatRange(LEAST["perturbation"]),
    help="Train against disturbed dialogues: 0.1 is a tenth.",
)
@click.option("--refresh-negatives", is_flag=True, help="Choose the hardest wrong answers anew after every epoch.")
@click.option(
    "--layer-decay",
    type=click.FloatRange(MORE_THAN["layer_decay"], min_open=True),
    help="Factor on each lower encoder layer.",
)
@click.option(
    "--accumulate",
    type=click.IntRange(LEAST["accumulate"]),
    help="Work on a step of the reranker in so many parts, to save memory; an encoder needs a smaller --batch-size.",
)
@click.option("--candidates", type=click.IntRange(2), help="Of a cross-encoder: answers in each list.  [default: 8]")
@click.option("--pair-tokens", type=click.IntRange(8), help="Of a cross-encoder: read of a pair.  [default: 256]")
@click.option("--force", is_flag=True, help="Use the new model even if it is not better.")
@common_options
@click.pass_obj
def command(
    session: Session,
    /,
    desk_names: tuple[str, ...],
    dataset: Path | None,
    kind: str,
    labelled: tuple[Path, ...],
    save: Path | None,
    **options: float | bool | None,
) -> None:
    """Retrain on a desk, or on a data set.

    A desk's new model is used from then on only if it is better on conversations held out from training. The
    training of a reranker, encoder or cross-encoder that was stopped goes on where it was when the same command is
    given again.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if labelled:
        if dataset:
            raise click.UsageError("Use --mood or --dataset, not both.")
        _train_mood(session, labelled, desk_names, save, given)
        return
    if problem := clash(given, len(desk_names), dataset is not None, save is not None):
        raise click.UsageError(problem)
    for name, value in given.items():
        if problem := out_of_range(name, value):
            raise click.UsageError(f"--{name.replace('_', '-')}: {problem}.")
    if kind in PEERS:
        if not dataset or not save:
            raise click.UsageError(f"A {kind} is trained on a data set: --dataset DIR --save PATH.")
        given = {name: value for name, value in given.items() if value is not False}
        if unused := sorted(set(given) - set(PEERS[kind])):
            raise click.UsageError(f"A {kind} takes no --{unused[0].replace('_', '-')}.")
        _train_peer(session, kind, dataset, save, given)
        return
    report = _train(session, desk_names or ("default",), dataset, save, given)
    from bot.output import plain, print_json, screen
    from bot.present import notice
    from bot.reports import show_report, show_rows

    if session.as_json:
        print_json(report.as_json())
        return
    console = screen()
    facts = {name: getattr(report, name) for name in ("model", "promoted", "examples", "feedback", "rejections")}
    facts |= {"ece": report.decision.ece, "coverage_at_5_percent_risk": report.decision.careful_coverage}
    show_report(console, facts)
    rows = {"before": report.before, "after": report.after}
    show_rows(console, [{"held out": name, **asdict(row)} for name, row in rows.items() if row is not None])
    if report.contradictions:
        console.print(notice(f"Called good and bad for one question, and left out: {report.contradictions} answers."))
    console.print(plain(report.reason))


def _train(
    session: Session,
    desk_names: tuple[str, ...],
    dataset: Path | None,
    save: Path | None,
    given: dict[str, Any],
) -> TrainReport:
    """Runs the training with live progress; desks are locked against other writers meanwhile."""
    if own := {"candidates", "pair_tokens"} & set(given):
        raise click.UsageError(f"--{min(own).replace('_', '-')} is for --kind cross-encoder only.")
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
            note = f"{progress.step}/{progress.steps}"
            if progress.loss is not None:
                note += f"  loss {progress.loss:.3f}  held-out MRR {metric}"
            meter.show(progress.stage, progress.step, progress.steps, note)

        meter.show("reading")
        if dataset and save:
            return train_dataset(dataset, save, settings, show)
        for desk in desks:
            stack.enter_context(desk.writing())
        return train_desk(desks, settings, show, save)


def _showing(meter: Meter) -> OnProgress:
    """Shows stages and losses."""
    return lambda now: meter.show(now.stage, now.step, now.steps, "" if now.loss is None else f"loss {now.loss:.3f}")


def _train_peer(session: Session, kind: str, dataset: Path, save: Path, given: dict[str, Any]) -> None:
    from bot.output import print_json, screen
    from bot.progress import Meter
    from bot.reports import show_report
    from training.cross_encoder_training import CrossEncoderSettings, train_cross_encoder
    from training.linear_map import train_linear_map

    with Meter() as meter:
        show = _showing(meter)
        if kind == "linear-map":
            report = train_linear_map(dataset, save, on_progress=show, **given)
        else:
            report = train_cross_encoder(dataset, save, CrossEncoderSettings(**given), show)
    if session.as_json:
        print_json(report)
    else:
        show_report(screen(), report, str(save))


def _train_mood(
    session: Session,
    labelled: tuple[Path, ...],
    desk_names: tuple[str, ...],
    save: Path | None,
    given: dict[str, Any],
) -> None:
    """Trains a head for a desk's encoder, or for the one that was named."""
    if len(desk_names) + bool(save) != 1:
        raise click.UsageError("--mood trains one head: add --desk NAME or --save DIR.")
    given = {name: value for name, value in given.items() if value is not False}
    if unused := sorted(set(given) - ({"seed", "encoder"} if save else {"seed"})):
        raise click.UsageError(f"--mood takes no --{unused[0].replace('_', '-')} here.")
    desks = [session.open_desk(name) for name in desk_names]
    from bot.output import print_json, screen
    from bot.progress import Meter
    from bot.reports import show_report
    from index.embedder import Embedder
    from index.encoder_loading import BUNDLED
    from training.model_files import ENCODER
    from training.mood_data import read_labelled
    from training.mood_training import train_mood
    from training.registry import encoder_name

    rows = read_labelled(labelled)
    named = given.pop("encoder", None)
    own = named / ENCODER if named and (named / ENCODER).is_dir() else named
    with ExitStack() as stack:
        meter = stack.enter_context(Meter())

        show = _showing(meter)
        for desk in desks:
            stack.enter_context(desk.writing())
            own = encoder_name(desk.models_path, stack.enter_context(desk.store()))
        root = save or desks[0].models_path
        report = train_mood(Embedder(str(own or BUNDLED)), rows, root, show, **given)
    if session.as_json:
        print_json(report.as_json())
    else:
        show_report(screen(), report.as_json(), "mood head")
