"""Questions and answers out of a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile

from conversations.model import Conversation, Pair, Turn

ONE_MESSAGE = 120
"""Bytes of UTF-8 up to which a customer's turns in a row are asked as one question; measured by
`tests/benchmarks/unanswered_turns.py`."""
WITH_BOT = "Conversations with the bot: {:,}. What it said there is no agent's answer: it teaches nothing."


def extract_pairs(conversation: Conversation) -> Iterator[Pair]:
    r"""Every agent turn that follows a customer's, with the dialogue before it.

    Turns of one side in a row are one message, joined by newlines. Greetings and goodbyes are pairs too:
    whether they fit is for the ranking to say. A message without text makes no pair, and neither does what the bot
    answered: its own words, mistakes among them, would speak for themselves.

    >>> asked = (Turn("customer", "Hi"), Turn("customer", "Open today?"))
    >>> turns = (*asked, Turn("agent", "Yes."), Turn("agent", "Till 6."))
    >>> [(pair.question, pair.answer, pair.turn) for pair in extract_pairs(Conversation("c", turns))]
    [('Hi\nOpen today?', 'Yes.\nTill 6.', 2)]
    """
    if conversation.is_with_bot:
        return
    # One at a time: each holds all of the dialogue before it.
    messages = _messages(conversation.turns)
    for (asked_at, asked), (answered_at, answered) in pairwise(messages):
        if asked[0].role != "customer":
            continue
        question, answer = joined(asked), joined(answered)
        if question and answer:
            context = conversation.turns[:asked_at]
            yield Pair(context, question, answer, conversation.id, answered_at)


def messages_in(conversation: Conversation) -> Iterator[tuple[Turn, ...]]:
    r"""Every message of the customer with the dialogue before it, answered or not; it is the last turn.

    >>> asked = (Turn("customer", "Hi"), Turn("customer", "Open today?"))
    >>> [dialogue[-1].text for dialogue in messages_in(Conversation("c", (*asked, Turn("agent", "Yes."), *asked)))]
    ['Hi\nOpen today?', 'Hi\nOpen today?']
    """
    for begin, turns in _messages(conversation.turns):
        if turns[0].role == "customer" and (text := joined(turns)):
            yield (*conversation.turns[:begin], Turn("customer", text))


def as_asked(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    r"""A dialogue with the short turns in which the customer asks last as one, as pairs have them.

    A question in pieces is one question. But what nobody answered may also be something else, or a story: joined with
    that, the newest words are a small part of what is read, and past the encoder's limit they are not read at all. So
    older turns are a part only while all have `ONE_MESSAGE` bytes; the others were said before it.

    >>> said = Turn("agent", "Hi"), Turn("customer", "A lamp."), Turn("customer", "Green.")
    >>> [turn.text for turn in as_asked(said)]
    ['Hi', 'A lamp.\nGreen.']
    """
    first = len(turns) - 1
    while first > 0 and turns[first - 1].role == "customer":
        if joined(turns[first:]) and len(joined(turns[first - 1 :]).encode()) > ONE_MESSAGE:
            break
        first -= 1
    question = joined(turns[max(first, 0) :]) if turns and turns[-1].role == "customer" else ""
    return (*turns[:first], Turn("customer", question)) if question else turns


def question_before(turns: tuple[Turn, ...], position: int) -> tuple[tuple[Turn, ...], str]:
    """The dialogue before, and the text of, the customer's message that ends at ``position``."""
    start = position
    while start > 0 and turns[start - 1].role == "customer":
        start -= 1
    return turns[:start], joined(turns[start:position])


def answer_at(turns: tuple[Turn, ...], position: int) -> str:
    """The text of the agent's message that begins at ``position``."""
    return joined(takewhile(lambda turn: turn.role == "agent", turns[position:]))


def _messages(turns: tuple[Turn, ...]) -> list[tuple[int, tuple[Turn, ...]]]:
    """Runs of turns by the same side, each with the position where it begins."""
    starts = [at for at, turn in enumerate(turns) if at == 0 or turns[at - 1].role != turn.role]
    return [(start, turns[start:end]) for start, end in pairwise([*starts, len(turns)])]


def joined(turns: Iterable[Turn]) -> str:
    """The turns of one message as one text."""
    return "\n".join(turn.text.strip() for turn in turns if turn.text.strip())
