"""What the commands of `attendant assist` do on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bot.assist_commands import COMMANDS, KEYS, SAY_WHICH, numbered
from bot.assist_pages import Page
from bot.assist_why import to_explain
from bot.handover import handover_summary
from bot.transcript import SAY_WHERE, save_transcript
from conversations.desk import at_home

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.assist_screen import AssistScreen


def obey(on: AssistScreen, name: str, rest: str) -> None:
    """Obeys a command with what was typed behind it."""
    if name in _ACTIONS:
        _ACTIONS[name](on, rest)
    else:
        on.tell(f"There is no command /{name}. /help lists all.")


def help_text() -> str:
    """Every command and key with its meaning."""
    lines = ["Keys", *(f"  {key:<13}{meaning}" for key, meaning in KEYS.items())]
    return "\n".join([*lines, "", "Commands", *(f"  /{name:<12}{meaning}" for name, meaning in COMMANDS.items())])


def _send(on: AssistScreen, rest: str) -> None:
    which = numbered(rest)
    if which is None:
        on.tell("Say which: /send 1.")
    else:
        on.send(which[0])


def _edit(on: AssistScreen, rest: str) -> None:
    which = numbered(rest)
    if which is None:
        on.tell("Say which: /edit 1.")
    elif not which[1]:
        on.edit(which[0])
    elif (chosen := on.assist.suggestion(which[0])) is not None:
        on.say(which[1], chosen)


def _say(on: AssistScreen, rest: str) -> None:
    if rest:
        on.say(rest)
    else:
        on.tell("Say what: /say YOUR WORDS.")


def _judge(on: AssistScreen, rest: str, is_good: bool) -> None:
    which = numbered(rest)
    if which is None:
        if rest:
            on.tell(SAY_WHICH)
        else:
            on.assist.judge(is_good)
    elif on.assist.suggestion(which[0]) is not None and on.assist.is_settled(which[0]):
        on.assist.judge(is_good, which[0])


def _hand_over(on: AssistScreen, rest: str) -> None:
    if on.assist.hand_over():
        on.page = Page(handover_summary(on.assist.dialogue))


def _save(on: AssistScreen, rest: str) -> None:
    if not rest:
        on.tell(SAY_WHERE)
        return
    dialogue, path = replace(on.assist.dialogue), at_home(rest)
    on.on_desk(lambda: save_transcript(dialogue, path), lambda _: on.tell(f"Saved to {rest}."))


def _begin_anew(on: AssistScreen, rest: str) -> None:
    on.assist.begin(on.assist.dialogue.customer)
    on.notes = []
    on.tell("A new dialogue begins.")


def _forget(on: AssistScreen, rest: str) -> None:
    customer, desk = on.assist.dialogue.customer, on.pipeline.desk
    if on.forgetting.is_confirmed(customer):
        on.on_desk(lambda: on.forgetting.forget(desk, customer), lambda removed: _leave_without(on, removed))


def _leave_without(on: AssistScreen, removed: str) -> None:
    """Leaves nothing of the dialogue with the customer who was removed on the terminal."""
    on.assist.begin()
    on.last_words = removed
    on.leave()


def _help(on: AssistScreen, rest: str) -> None:
    on.page = Page(help_text())


def _explain(on: AssistScreen, rest: str) -> None:
    def show(view: RenderableType) -> None:
        on.page = Page(view)

    explain = to_explain(on.assist, rest, on.tell)
    if explain is not None:
        on.on_desk(lambda: explain(on.pipeline), show)


_ACTIONS: dict[str, Callable[[AssistScreen, str], None]] = {
    "send": _send,
    "edit": _edit,
    "say": _say,
    "skip": lambda on, rest: on.skip(),
    "good": partial(_judge, is_good=True),
    "bad": partial(_judge, is_good=False),
    "why": _explain,
    "handoff": _hand_over,
    "save": _save,
    "new": _begin_anew,
    "forget": _forget,
    "help": _help,
    "quit": lambda on, rest: on.leave(),
}
