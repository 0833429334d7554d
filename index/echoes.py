"""Answers that only echo the question: a customer's words stored as an agent's, or words planted to be found.

No similarity can tell them from good answers, as nothing is nearer to a question than the question itself. What tells
them is that they say nothing new. Of the replies that agents gave, 21,325 in InsuranceQA and 629 in the sample, none
is taken for an echo; of 43,389 in STAR ten are, such as "Yes. The fee will be refunded." after "Will the fee be
refunded?".
"""

from __future__ import annotations

from conversations.merging import CJK
from index.equality import words_of

LEAST_WORDS = 5
"""Different words an echo has: "Thank you and goodbye" may be answered by itself."""
LEAST_PAIRS = 20
"""The same for Chinese, Japanese and Korean, in neighbouring characters: to say the question again is a usual yes."""
ECHOED = 0.8
"""Share of an answer's different words from which on it is an echo, if the question has them all."""


def is_echo(answer: str, asked: frozenset[str]) -> bool:
    """Whether an answer says next to nothing that the question has not said, in whatever order and however often.

    Args:
        answer: the text.
        asked: the words of the question, as `index.equality.words_of` gives them.

    >>> asked = words_of("Where is my parcel from last week?")
    >>> is_echo("week last parcel my is where from parcel parcel", asked)
    True
    >>> is_echo("Your parcel from last week is at the depot.", asked)
    False
    >>> is_echo("七天内可以无理由退货。", words_of("请问七天内可以无理由退货吗？"))
    False
    """
    own = words_of(answer)
    pairs = sum(CJK.search(word) is not None for word in own)
    is_long = len(own) - pairs >= LEAST_WORDS or pairs >= LEAST_PAIRS
    return is_long and len(own & asked) >= ECHOED * len(own)
