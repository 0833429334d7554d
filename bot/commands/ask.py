"""`attendant ask`: one question, one answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.options import Session, common_options, customer_option, desk_option, example, feedback_option, ranker_option

if TYPE_CHECKING:
    from conversations.model import Turn


@click.command(
    epilog=example(
        'attendant ask "where is my parcel?" --desk acme',
        'echo "and if it is already open?" | attendant ask - --context dialogue.jsonl --desk acme --json',
    )
)
@click.argument("question")
@desk_option
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    help="A log whose last conversation is the dialogue before the question.",
)
@ranker_option
@customer_option()
@feedback_option
@common_options
@click.pass_obj
def command(
    session: Session,
    question: str,
    desk_name: str,
    context: Path | None,
    ranker: str | None,
    customer: str | None,
    with_feedback: bool,
) -> None:
    """Answer one question.

    Prints the best past answer to QUESTION, or which of two answers may be meant, or why a person should answer it.
    With -, reads the question from stdin.
    """
    from bot.dialogue import LONGEST_MESSAGE, Dialogue, read_message

    raw = sys.stdin.read(LONGEST_MESSAGE + 1) if question == "-" else question
    text, was_cut = read_message(raw)
    if not text:
        raise click.UsageError("The question is empty.")
    desk = session.open_desk(desk_name)
    from bot.opening import customer_of, open_pipeline
    from bot.output import print_json, remark, screen
    from bot.present import answer_view, warning_view
    from bot.reports import answer_json
    from conversations.model import Turn

    turns = (*(_dialogue(context) if context else ()), Turn("customer", text))
    if was_cut:
        remark(f"Only the first {LONGEST_MESSAGE:,} characters of the question are read.")
    with open_pipeline(desk, ranker, with_feedback=with_feedback) as pipeline:
        known = customer_of(pipeline, customer)
        before = pipeline.read_moods([turn.text for turn in turns[:-1] if turn.role == "customer"])
        dialogue = Dialogue(customer=known, moods=dict(enumerate(before, start=1)), threshold=pipeline.mood_threshold)
        answer = dialogue.record(turns, dialogue.ask(pipeline, turns))
        if session.as_json:
            print_json(answer_json(answer, dialogue.raised))
            return
        console = screen()
        for view in (answer_view(answer, pipeline, console), *map(warning_view, dialogue.raised)):
            console.print(view, soft_wrap=not console.is_terminal)


def _dialogue(log: Path) -> tuple[Turn, ...]:
    """The turns of a log's last conversation."""
    from conversations.errors import LogError
    from conversations.model import Conversation
    from conversations.readers import read_log

    turns: tuple[Turn, ...] = ()
    for item in read_log(log):
        if isinstance(item, Conversation):
            turns = item.turns
    if not turns:
        raise LogError(f"{log} holds no conversation.", 'It needs a row {"id": ..., "turns": [...]}.')
    return turns
