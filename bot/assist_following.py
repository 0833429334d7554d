"""A followed log on the screen of `attendant assist`: what it says, and what becomes of dialogues that it leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.following import EVERY, FollowedLog
from bot.left_dialogues import Returning

if TYPE_CHECKING:
    from bot.assist_screen import AssistScreen
    from bot.assisted_dialogue import AssistedDialogue
    from bot.early_warning import EarlyWarning


async def follow(on: AssistScreen, log: FollowedLog) -> None:
    """Takes what the log says until the screen is left."""
    loop, returning = asyncio.get_running_loop(), Returning(on.assist)
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
