"""What the screen of `attendant assist` has done with the desk on its thread, and what then becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.feedback import keep_or_say

if TYPE_CHECKING:
    from bot.assist_screen import AssistScreen
    from bot.assisted_dialogue import AssistedDialogue
    from bot.customer import Customer
    from bot.feedback import Judgements


def keep(on: AssistScreen, dialogue: AssistedDialogue, judgements: Judgements, told: str) -> None:
    """Keeps judgements of a dialogue as it is now, and tells of them in the present one; see `bot.feedback.Keep`."""
    where, as_it_is = on.assist.dialogue, replace(dialogue)

    def kept() -> str:
        return "" if on.forgetting.is_going_on else keep_or_say(on.book, as_it_is, judgements) or told

    on.on_desk(kept, partial(_tell_in, on, where))


def meet(on: AssistScreen, name: str) -> None:
    """Looks up who the customer of the present dialogue is, by the id that a followed log has."""
    from bot.customer import known_customer

    dialogue = on.assist.dialogue

    def met(customer: Customer) -> None:
        dialogue.customer = customer
        _tell_in(on, dialogue, customer.summary)
        # After all that was judged while it was looked up.
        on.on_desk(partial(on.book.meet, dialogue))
        on.refresh()

    on.on_desk(lambda: known_customer(on.pipeline.store, name), met)


def read_moods(on: AssistScreen, dialogue: AssistedDialogue) -> bool:
    """Reads how the customer's next turns sound that were not read; whether there are any."""
    unread = dialogue.unread()
    if not unread.texts:
        return False
    on.on_desk(lambda: on.pipeline.read_moods(unread.texts), partial(on.assist.take_moods, unread))
    return True


def _tell_in(on: AssistScreen, dialogue: AssistedDialogue, text: str) -> None:
    """Shows a line from the program in the dialogue that it is about, which may stand there no longer."""
    if text and dialogue is on.assist.dialogue:
        on.tell(text)
    elif text:
        dialogue.note(text)


def before_next_key(on: AssistScreen, job: Callable[[], Any], then: Callable[[Any], bool]) -> None:
    """Does something, and then something with the result, before any key is obeyed that is pressed from now on.

    Args:
        on: the screen.
        job: done on the desk's thread.
        then: takes the result, and says whether it came to what was meant. Where it did not, or there is no result,
            only words are taken of what was pressed meanwhile: what the rest was to follow was not done.
    """
    was_done = False

    def take(result: object) -> None:
        nonlocal was_done
        was_done = then(result)

    def let_go() -> None:
        if not was_done:
            on.line.buffer.insert_text(on.held.take_words())
        on.held.let_go(on.application.key_processor)

    on.held.hold()
    on.jobs.start(job, take, let_go)
