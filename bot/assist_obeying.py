"""What the commands of `attendant assist` do, on the screen and line by line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bot.assist_commands import SAY_WHICH, numbered
from bot.assist_why import Explained, to_explain
from bot.handover import ASKED_FOR, handover_summary
from bot.suggestions import heard_json
from bot.transcript import SAY_WHERE, save_transcript
from conversations.desk import at_home

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.assist import Assist
    from bot.assisted_dialogue import SoFar
    from bot.forgetting import Forgetting
    from bot.pipeline import Pipeline
    from bot.suggestions import Suggestion


class Place(Protocol):
    """Where commands are typed; each shows in its own way what comes of them."""

    assist: Assist
    pipeline: Pipeline
    forgetting: Forgetting
    help_text: str
    """What can be typed here, with its meaning."""

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        ...

    def show(
        self, what: RenderableType, data: Mapping[str, object] | None = None, since: SoFar | None = None
    ) -> None:
        """Shows something longer; to a program the same as data, where there are any.

        Args:
            what: for people.
            data: for programs.
            since: how far the dialogue had come when it was asked for, where that was before.
        """
        ...

    def meant(self, number: int) -> Suggestion | None:
        """The suggestion that a number means, to be sent or judged; says so where there is none."""
        ...

    def say(self, text: str, chosen: Suggestion | None = None) -> None:
        """Sends the agent's words; see `Assist.agent_says`."""
        ...

    def edit(self, number: int) -> None:
        """Lets the agent put a suggestion into other words."""
        ...

    def skip(self) -> None:
        """Passes over what is suggested, for others."""
        ...

    def refresh(self) -> None:
        """Looks for suggestions for what is said by now."""
        ...

    def on_desk(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Does something with the desk, and then something with the result."""
        ...

    def at_once(self, job: Callable[[], Any], then: Callable[[Any], bool]) -> None:
        """Does something with the desk, and then something with the result, before anything else is obeyed.

        Args:
            job: done with the desk.
            then: takes the result; whether that came to what was meant, and what comes next can build on it.
        """
        ...

    def leave(self, last_words: str = "") -> None:
        """Ends; last words are said where there is more to say than goodbye."""
        ...


def obey(on: Place, name: str, rest: str) -> None:
    """Obeys a command with what was typed behind it."""
    if name in _ACTIONS:
        _ACTIONS[name](on, rest)
    else:
        on.tell(f"There is no command /{name}. /help lists all.")


def unless_withdrawn(on: Place, chosen: Suggestion, then: Callable[[bool], None]) -> None:
    """Looks up whether a suggestion may still be given, and finds others where it was withdrawn meanwhile.

    Args:
        on: where it is suggested.
        chosen: the suggestion.
        then: called with whether it may be given, unless something was said meanwhile.
    """
    dialogue = on.assist.dialogue
    said = len(dialogue.turns)

    def looked_up(withdrawn: frozenset[int]) -> bool:
        if on.assist.dialogue is not dialogue or len(dialogue.turns) != said:
            on.tell("Something was said meanwhile: look again.")
            return False
        if withdrawn:
            on.tell("This answer was withdrawn meanwhile.")
            on.assist.drop(chosen)
        then(not withdrawn)
        if withdrawn:
            on.refresh()
        return not withdrawn

    on.at_once(lambda: on.pipeline.store.service.withdrawn_among([chosen.answer.answer_id]), looked_up)


def _say_as(on: Place, chosen: Suggestion, text: str) -> None:
    """Sends a suggestion in these words."""
    unless_withdrawn(on, chosen, lambda may_be: on.say(text, chosen) if may_be else None)


def _send(on: Place, rest: str) -> None:
    which = numbered(rest)
    if which is None:
        on.tell("Say which: /send 1.")
    elif (chosen := on.meant(which[0])) is not None:
        _say_as(on, chosen, chosen.answer.text)


def _edit(on: Place, rest: str) -> None:
    which = numbered(rest)
    if which is None:
        on.tell("Say which, and how: /edit 1 YOUR WORDS.")
    elif not which[1]:
        on.edit(which[0])
    elif (chosen := on.assist.suggestion(which[0])) is not None:
        _say_as(on, chosen, which[1])


def _say(on: Place, rest: str) -> None:
    if rest:
        on.say(rest)
    else:
        on.tell("Say what: /say YOUR WORDS.")


def _skip(on: Place, rest: str) -> None:
    on.skip()


def _judge(on: Place, rest: str, is_good: bool) -> None:
    which = numbered(rest)
    if rest and which is None:
        on.tell(SAY_WHICH)
    elif which is None or on.meant(which[0]) is not None:
        on.assist.judge(is_good, which[0] if which else None)
        if not is_good:
            on.refresh()


def _explain(on: Place, rest: str) -> None:
    explain = to_explain(on.assist, rest, on.tell)
    if explain is None:
        return
    dialogue = on.assist.dialogue
    since = dialogue.so_far

    def show(explained: Explained) -> None:
        if on.assist.dialogue is dialogue:
            on.show(*explained, since)
        else:
            on.tell(f"The dialogue changed meanwhile: what explains {dialogue.name} is not shown.")

    on.on_desk(lambda: explain(on.pipeline), show)


def _hand_over(on: Place, rest: str) -> None:
    if on.assist.hand_over():
        dialogue = on.assist.dialogue
        summary = handover_summary(dialogue)
        on.show(summary, {"decision": "handoff", "reason": ASKED_FOR, "summary": summary, **heard_json(dialogue)})


def _save(on: Place, rest: str) -> None:
    if not rest:
        on.tell(SAY_WHERE)
        return
    dialogue, path = replace(on.assist.dialogue), at_home(rest)
    on.on_desk(lambda: save_transcript(dialogue, path), lambda _: on.tell(f"Saved to {rest}."))


def _begin_anew(on: Place, rest: str) -> None:
    on.assist.begin_anew()
    on.tell("A new dialogue begins.")


def _forget(on: Place, rest: str) -> None:
    customer = on.assist.dialogue.customer
    if on.forgetting.is_confirmed(customer):
        forget = partial(on.forgetting.forget, on.pipeline.desk, customer)
        on.on_desk(forget, lambda removed: _leave_without(on, removed))


def _leave_without(on: Place, removed: str) -> None:
    """Leaves nothing of the dialogue with the customer who was removed; what a followed log says then is lost."""
    on.assist.begin()
    on.leave(removed)


_ACTIONS: dict[str, Callable[[Place, str], None]] = {
    "send": _send,
    "edit": _edit,
    "say": _say,
    "skip": _skip,
    "good": partial(_judge, is_good=True),
    "bad": partial(_judge, is_good=False),
    "why": _explain,
    "handoff": _hand_over,
    "save": _save,
    "new": _begin_anew,
    "forget": _forget,
    "help": lambda on, rest: on.show(on.help_text),
    "quit": lambda on, rest: on.leave(),
}
