"""Answers that did not help: known by what the customer said next.

English only. Of the 24,358 messages with which customers of STAR's train and dev logs reply to a statement it takes
15 for "that did not help", a third of them rightly: these customers rarely try anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise

from conversations.model import Turn
from conversations.pairs import joined
from conversations.text import answer_key
from index.candidates import Candidate
from index.equality import says_any_of, words_of

_DID_NOT_HELP = re.compile(
    r"""
      (?<!if\s)\b(?:it|that|this|they|which|still|really|just|buttons?|reset|link|tip|advice|instructions?)\s
      (?:did|do|does|has|have|is|was|are|were)(?:n.?t|\snot)\s(?:\w+\s)?(?:help|work|fix|solve|change|do\sanything)
    | ^(?:(?:sorry|well|no|nope|unfortunately),?\s)*(?:did|does)(?:n.?t|\snot)\s(?:help|work|fix|solve|change)
    | \b(?:no|without)\s(?:any\s)?(?:luck|success|joy|effect|improvement)\b
    | \bno\s(?:difference|change)\b
    | ^(?:\W|\w+\W+){0,4}still\s(?:not|is|isn.?t|doesn.?t|can.?t|cannot|the\ssame|says|shows|an?)\b
    | \bstill\s(?:nothing|no|dark|dead|broken|stuck|not\sworking|does\snot\swork|doesn.?t\swork|won.?t)\b
    | \b(?:same|that)\s(?:old\s)?(?:problem|error|issue|fault|message)\s(?:again|as\sbefore|is\sback|came\sback)
    | \b(?:already|have)\s(?:tried|done)\s(?:that|this|it|all)\b
    | \btried\s(?:that|this|it|all\sof\s(?:that|it))\s(?:already|before|twice|again)
    | \bnothing\s(?:has\s)?(?:happens|happened|helped|works|worked)\b
    | \bmade\s(?:it|things)\sworse\b
    | \b(?:to\sno\savail|in\svain)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


TELLING = 6
"""Different words from which on an answer that stands in another one makes that one say the same: "Yes." and "You're
welcome." stand in many."""
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")


def failed_answers(turns: Sequence[Turn]) -> list[str]:
    r"""What agents said before the customer said that it did not help; what only asks something is left out.

    Turns of one side in a row are one message, as in a pair: each of them is given, and all of them joined.

    >>> turns = [Turn("agent", "Press the button. Did that help?"), Turn("customer", "No luck, still a red light.")]
    >>> failed_answers(turns)
    ['Press the button. Did that help?']
    >>> failed_answers([Turn("agent", "Hi."), Turn("agent", "Press it."), Turn("customer", "ok"), turns[1]])
    ['Hi.', 'Press it.', 'Hi.\nPress it.']
    """
    failed: list[str] = []
    runs = [list(run) for _, run in groupby(turns, key=lambda turn: turn.role)]
    for said, reply in pairwise(runs):
        if said[0].role == "agent" and any(_DID_NOT_HELP.search(turn.text) for turn in reply):
            tried = [turn.text for turn in said if not _only_asks(turn.text)]
            whole = [joined(said)] if tried and len(said) > 1 else []
            failed += tried + whole
    return failed


def still_wanted(
    candidates: Sequence[Candidate], turns: Sequence[Turn], rejected: Sequence[str]
) -> Sequence[Candidate]:
    """The candidates that say nothing that failed in these turns or was turned down, nor that with more around it.

    Args:
        candidates: as they were served.
        turns: earlier ones first.
        rejected: texts that the customer or an agent turned down.
    """
    unwanted = (*rejected, *failed_answers(turns))
    if not unwanted:
        return candidates
    telling = [text for text in unwanted if len(words_of(text)) >= TELLING and not _only_asks(text)]
    return [one for one in candidates if not (says_any_of(one.text, unwanted) or _holds_any_of(one.text, telling))]


def _holds_any_of(text: str, others: Sequence[str]) -> bool:
    """Whether one of some others stands in a text word for word."""
    words = words_of(text)
    # The words first: they are at hand, and rarely all there.
    held = [answer_key(other) for other in others if words_of(other) <= words]
    return bool(held) and any(f" {key} " in f" {answer_key(text)} " for key in held)


def _only_asks(text: str) -> bool:
    return all(sentence.endswith(("?", "？")) for sentence in _SENTENCE_END.split(text.strip()) if sentence)
