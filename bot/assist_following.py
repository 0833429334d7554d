"""A followed log on the screen of `attendant assist`: what it says, and what becomes of dialogues that it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.following import EVERY, Began, Event, FollowedLog, Said, WentOn
from bot.growing_log import Trouble
from conversations.model import Turn

if TYPE_CHECKING:
    from bot.assist import Assist
    from bot.assist_screen import AssistScreen
    from bot.assisted_dialogue import AssistedDialogue
    from bot.early_warning import EarlyWarning


async def follow(on: AssistScreen, log: FollowedLog) -> None:
    """Takes what the log says until the screen is left."""
    loop, returning = asyncio.get_running_loop(), _Returning(on.assist)
    told: dict[str, tuple[EarlyWarning, ...]] = {}
    while on.last_words is None:
        events = await loop.run_in_executor(None, log.poll)
        for event in (passed for one in events for passed in returning.pass_on(one)):
            before = on.assist.dialogue
            on.assist.follow(event)
            if on.assist.dialogue is not before:
                _leave(on, before, told)
            # A long message takes a while to be heard: keys come between two of them.
            await asyncio.sleep(0)
        if events:
            on.application.invalidate()
            continue
        # Only at the end of what there is: a log may begin with a long past.
        on.assist.is_live = True
        on.refresh()
        await asyncio.sleep(EVERY)


class _Returning:
    """Holds back that a left dialogue went on until something new is said there.

    What was sent there comes back in the log: for that the agent is not taken out of another dialogue.
    """

    def __init__(self, assist: Assist) -> None:
        self._assist = assist
        self._held: WentOn | None = None

    def pass_on(self, event: Event) -> Iterator[Event]:
        """What of the log's events is to be taken now."""
        held = self._held
        match event:
            case WentOn(conversation):
                self._held = event if conversation != self._assist.dialogue.conversation else None
                return
            case Said(Turn(role="agent", text=text), is_typing=False) if held is not None:
                if self._assist.left.is_echo(held.conversation, text):
                    return
        if held is not None and not isinstance(event, Trouble):
            self._held = None
            if not isinstance(event, Began):
                yield held
        yield event


def _leave(on: AssistScreen, dialogue: AssistedDialogue, told: dict[str, tuple[EarlyWarning, ...]]) -> None:
    """Another dialogue took the place of this one: what it was warned of there, and not answered, stays said.

    Args:
        on: the screen.
        dialogue: the one that was left.
        told: the warnings that were told so already, by key of the dialogue.
    """
    # What is being found for it must not stand beside the other one.
    on.live.want(None)
    if not dialogue.waiting() or dialogue.handed_over:
        return
    new = [warning.words for warning in dialogue.warnings if warning not in told.get(dialogue.key, ())]
    told[dialogue.key] = dialogue.warnings
    if new:
        on.tell(f"Still without an answer: {dialogue.name}. {' '.join(new)}")
