"""What the commands of `attendant assist` do on the screen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.assist_commands import COMMANDS, KEYS
from bot.assist_layout import Page
from bot.handover import handover_summary
from bot.output import screen
from bot.why_view import why_view
from conversations.text import safe_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.assist_screen import AssistScreen

_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+|$)")


def obey(on: AssistScreen, text: str) -> bool:
    """Obeys a line that begins with a slash; False where it is no command but a message."""
    called = _COMMAND.match(text)
    if called is None:
        return False
    name, rest = called[1].lower(), text[called.end() :].strip()
    if name not in COMMANDS and called.end() < len(text):
        return False
    match name:
        case "quit":
            on.leave()
        case "send" | "edit":
            _one_of_three(on, name, rest)
        case "say":
            if rest:
                on.say(rest)
        case "skip":
            on.skip()
        case "why":
            _explain(on)
        case "handoff":
            if on.assist.hand_over():
                on.page = Page(handover_summary(on.assist.dialogue))
        case "save":
            if rest:
                on.save(rest)
            else:
                on.tell("Say where: /save dialogue.jsonl, or .svg or .html for a picture.")
        case "new":
            on.begin_anew()
        case "help":
            on.page = Page(help_text())
        case _:
            on.tell(f"There is no command /{name}. /help lists all.")
    return True


def help_text() -> str:
    """Every command and key with its meaning."""
    lines = ["Keys", *(f"  {key:<13}{meaning}" for key, meaning in KEYS.items())]
    return "\n".join([*lines, "", "Commands", *(f"  /{name:<12}{meaning}" for name, meaning in COMMANDS.items())])


def _one_of_three(on: AssistScreen, name: str, rest: str) -> None:
    number, _, words = rest.partition(" ")
    if not number.isdecimal():
        on.tell(f"Say which: /{name} 1.")
    elif name == "send":
        on.send(int(number))
    elif not words.strip():
        on.edit(int(number))
    else:
        chosen = on.assist.suggestion(int(number))
        if chosen is not None:
            on.say(words.strip(), chosen)


def _explain(on: AssistScreen) -> None:
    found = on.assist.suggestions
    if found is None:
        on.tell("There is nothing to explain yet.")
        return
    pipeline, columns = on.pipeline, on.application.output.get_size().columns

    def explain() -> str:
        explanation = pipeline.explain(found.request, found.answer)
        return _drawn(why_view(found.request.turns, found.answer, explanation, pipeline), columns)

    def show(text: str) -> None:
        on.page = Page(text, is_drawn=True)

    on.on_desk(explain, show)


def _drawn(view: RenderableType, columns: int) -> str:
    """What rich draws in so many columns, with its colours where there may be any."""
    console = screen()
    console.width = columns
    with console.capture() as captured:
        console.print(view)
    return captured.get() if console.is_terminal else safe_text(captured.get())
