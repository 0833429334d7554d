"""A followed log on the screen of `attendant assist`: what it says, and what becomes of dialogues that it leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.assist_desk import read_moods
from bot.assist_pending import Pending
from bot.following import EVERY, MOST_KEPT, FollowedLog
from bot.left_dialogues import Returning

if TYPE_CHECKING:
    from bot.assist_screen import AssistScreen
    from bot.assisted_dialogue import AssistedDialogue


async def follow(on: AssistScreen, log: FollowedLog) -> None:
    """Takes what the log says until the screen is left."""
    loop, returning, left = asyncio.get_running_loop(), Returning(on.assist), Pending()
    while on.last_words is None:
        events = await loop.run_in_executor(None, log.poll)
        for event in (passed for one in events for passed in returning.pass_on(one)):
            before = on.assist.dialogue
            on.assist.follow(event)
            if on.assist.dialogue is not before:
                # What is being found for it must not stand beside the other one.
                on.live.want(None)
                left.add(before, MOST_KEPT)
            # A long message takes a while to be heard: keys come between two of them.
            await asyncio.sleep(0)
        if events:
            on.application.invalidate()
            continue
        # Only at the end of what there is: a log may begin with a long past.
        if not on.assist.is_live:
            left.leave_of_past(on.assist.dialogue)
            on.assist.is_live = True
        on.refresh()
        _look_at(on, left)
        await asyncio.sleep(EVERY)


def _look_at(on: AssistScreen, left: Pending) -> None:
    """Tells what was warned of in dialogues that were left and not answered, and reads how they sound, one by one.

    Of several that the log left in one go nobody has seen more than the last.
    """
    for dialogue in left.all():
        if dialogue is on.assist.dialogue or not dialogue.waiting() or dialogue.handed_over:
            left.remove(dialogue)
        else:
            _tell_warnings(on, dialogue)
    is_busy = on.live.is_looking or on.jobs.waiting
    if not is_busy and (oldest := left.oldest) is not None and not read_moods(on, oldest):
        left.remove(oldest)


def _tell_warnings(on: AssistScreen, dialogue: AssistedDialogue) -> None:
    new = [warning.words for warning in dialogue.warnings if warning not in dialogue.reported]
    dialogue.reported = dialogue.warnings
    if new:
        on.tell(f"Still without an answer: {dialogue.name}. {' '.join(new)}")
