"""`attendant assist`: suggestions for an agent while a conversation runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bot.options import Session, common_options, customer_option, desk_option, example, feedback_option, ranker_option


@click.command(
    epilog=example(
        "attendant assist --desk acme",
        "attendant assist --desk acme --follow running.jsonl",
        "attendant assist --desk acme --plain --json --follow running.jsonl < /dev/null",
    )
)
@desk_option
@ranker_option
@customer_option()
@feedback_option
@click.option(
    "--follow",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read the conversation from a log while it grows.",
)
@click.option("--plain", "is_plain", is_flag=True, help="Line by line: for screen readers, pipes and scripts.")
@common_options
@click.pass_obj
def command(
    session: Session,
    desk_name: str,
    ranker: str | None,
    customer: str | None,
    with_feedback: bool,
    follow: Path | None,
    is_plain: bool,
) -> None:
    """Help an agent: three suggestions beside the running dialogue.

    What the customer says is typed, pasted, or read from a log that grows. Suggestions come while it is being
    written; a key sends one or opens it for editing, and /help lists all keys. Where stdin or stdout is not a
    terminal, it works as with --plain: each line is what the customer says, or a command. With --follow, the numbers
    of suggestions go on there from list to list: none comes to mean another answer while it is typed, and each is
    sent in the dialogue that it was printed in.

    A followed log has one JSON object a line. {"role": "customer", "text": "...", "at": "2025-02-18T12:04:10Z"} is
    one turn; agents' turns have the role "agent". "conversation": "ID" tells conversations apart: another one begins
    a new dialogue, and one that comes back goes on where it was left; lines of several may come in turn. "customer":
    "ID" says whose it is, from the first line on or later; another customer begins a new dialogue, and where lines
    name no conversation, one who comes back goes on in theirs. "typing": true marks what the customer is still
    writing; each such line replaces the one before. Lines of whole conversations, as import reads them ({"id",
    "turns": [...]}), are read too; one that repeats the conversation adds only what is new.
    The file need not exist yet, and may be cut or replaced: what it then repeats is not said twice, and where it goes
    on with a conversation, the ID tells; without one a new dialogue begins.

    With --json, every line on stdout says whose dialogue it is about: "conversation" and "customer" as the log has
    them (null where it has none), and "dialogue", which is another one for every dialogue. A line with "suggestions"
    comes wherever a customer waits for an answer, also in a dialogue that was left for another one; a line with
    "warnings" alone where there are new ones and nobody waits; "sent", "summary" (/handoff) and "why" (/why) answer
    commands.
    """
    desk = session.open_desk(desk_name)
    is_typed = sys.stdin.isatty() and sys.stdout.isatty()
    is_plain = is_plain or session.as_json or not is_typed
    from bot.feedback import FeedbackBook
    from bot.opening import customer_of, open_pipeline
    from bot.output import plain, screen
    from bot.suggestions import DRAFT, suggest
    from bot.threads import TRIAL, use_fastest_threads

    with open_pipeline(desk, ranker, is_plain, with_feedback=with_feedback) as pipeline:
        known = customer_of(pipeline, customer)
        book = FeedbackBook(pipeline, "assist")
        log = None
        if follow is not None:
            from bot.following import FollowedLog

            log = FollowedLog(follow)
        from prompt_toolkit.history import InMemoryHistory

        from bot.chat_input import open_history

        # What is typed for a known customer is kept nowhere: `attendant forget` would not find it.
        path = desk.path / "assist_history"
        history = InMemoryHistory() if known else open_history(path, lambda: bool(log and log.has_named_customer))
        if is_plain:
            from bot.assist_lines import read_lines
            from bot.assist_plain import PlainAssist

            console = screen(stderr=session.as_json, is_plain=True)
            helped = PlainAssist(pipeline, console, book, known, session.as_json)
            read_lines(helped, history if is_typed and not session.as_json else None, log)
            return
        from bot.assist_screen import AssistScreen

        title = f"{desk_name}: {pipeline.counts['answers']:,} answers"
        shown = AssistScreen(pipeline, book, history, title, known, log)
        # What goes wrong here goes wrong again, and is said, when something is typed.
        shown.live.run(lambda: use_fastest_threads(lambda: list(suggest(pipeline, TRIAL, DRAFT))))
        shown.run()
        for turn in shown.assist.dialogue.turns:
            screen().print(plain(f"{turn.role}: {turn.text}", one_line=False))
        screen().print(plain(f"- {shown.last_words or 'Goodbye.'}", "dim"))
