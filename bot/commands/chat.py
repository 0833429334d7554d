"""`attendant chat`: ask a desk in a dialogue."""

from __future__ import annotations

import sys

import click

from bot.options import Session, common_options, customer_option, desk_option, example, feedback_option, ranker_option


@click.command(
    epilog=example(
        "attendant chat --desk acme",
        "attendant chat --desk acme --customer C-1042",
        "attendant chat --desk acme --json < questions.txt",
    )
)
@desk_option
@ranker_option
@customer_option()
@feedback_option
@click.option(
    "--mood-threshold",
    type=click.FloatRange(-1, 0),
    help="Warn where the smoothed mood falls below this; kept with the desk.  [default: what was kept, else -0.6]",
)
@click.option("--plain", "is_plain", is_flag=True, help="No frames, colours or toolbar: for screen readers.")
@common_options
@click.pass_obj
def command(
    session: Session,
    desk_name: str,
    ranker: str | None,
    customer: str | None,
    with_feedback: bool,
    mood_threshold: float | None,
    is_plain: bool,
) -> None:
    """Chat as a customer.

    With --customer, what this customer said and was told before counts, and an answer that did not help them then is
    not given again. A warning is shown where the customer's mood falls, or words call for a person. In the chat,
    /help lists what else can be done. Where stdin or stdout is not a terminal, each line of stdin is a
    message. With --json, each answer, picked answer, list of alternatives (/alt), explanation (/why) and hand-over,
    with its "summary", is a line of JSON on stdout.
    """
    desk = session.open_desk(desk_name)
    if mood_threshold is not None:
        from bot.early_warning import THRESHOLD_SETTING

        with desk.writing(), desk.store() as store:
            store.set_setting(THRESHOLD_SETTING, mood_threshold)
    from bot.chat import Chat
    from bot.feedback import FeedbackBook
    from bot.opening import customer_of, open_pipeline
    from bot.output import screen

    with open_pipeline(desk, ranker, is_plain, with_feedback=with_feedback) as pipeline:
        console = screen(stderr=session.as_json, is_plain=is_plain)
        is_typed = sys.stdin.isatty() and sys.stdout.isatty()
        known = customer_of(pipeline, customer, is_told=is_typed)
        book = FeedbackBook(pipeline, "chat", known.key if known else None)
        chat = Chat(pipeline, console, book, session.as_json, known)
        if not is_typed:
            from bot.chat_input import read_piped

            read_piped(chat, sys.stdin)
            return
        from prompt_toolkit.history import InMemoryHistory

        from bot.chat_input import open_history, talk

        counts = pipeline.counts
        chat.tell(f"Desk {desk_name}: {counts['answers']:,} answers from {counts['conversations']:,} conversations.")
        if known:
            chat.tell(known.summary)
        chat.tell("Type a message, or /help.")
        # What is typed for a known customer is kept nowhere: /forget would not find it.
        talk(chat, InMemoryHistory() if known else open_history(desk.path / "chat_history"), is_plain)
