"""`attendant chat`: ask a desk in a dialogue."""

from __future__ import annotations

import sys

import click

from bot.options import Session, common_options, desk_option, example, ranker_option


@click.command(epilog=example("attendant chat --desk acme", "attendant chat --desk acme --json < questions.txt"))
@desk_option
@ranker_option
@common_options
@click.pass_obj
def command(session: Session, desk_name: str, ranker: str | None) -> None:
    """Chat as a customer.

    In the chat, /help lists what else can be done. Where stdin is not a terminal, each of its lines is a message.
    """
    desk = session.open_desk(desk_name)
    from bot.chat import Chat
    from bot.feedback import FeedbackBook
    from bot.opening import open_pipeline
    from bot.output import screen

    with open_pipeline(desk, ranker) as pipeline, desk.store() as store:
        console = screen(stderr=session.as_json)
        chat = Chat(pipeline, console, FeedbackBook(store, "chat"), session.as_json)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            from bot.chat_input import read_piped

            read_piped(chat, sys.stdin)
            return
        from bot.chat_input import open_history, talk

        counts = store.counts()
        chat.tell(f"Desk {desk_name}: {counts['answers']:,} answers from {counts['conversations']:,} conversations.")
        chat.tell("Type a message, or /help.")
        talk(chat, open_history(desk.path / "chat_history"))
