"""What the words that an agent sent make of the suggestions that stood beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from conversations.model import Verdict
from conversations.text import answer_key
from index.equality import is_edit_of, says_the_same

if TYPE_CHECKING:
    from bot.answers import RankedAnswer
    from bot.suggestions import Suggestion


class SentWords(NamedTuple):
    """Words of an agent beside what was suggested."""

    answer: RankedAnswer | None
    """The suggestion that they are, as it was or in other words; None where they are none."""
    verdicts: list[tuple[RankedAnswer, Verdict]]
    """What they say of suggestions."""


def sent_words(
    text: str, best: Sequence[Suggestion], seen: Sequence[Suggestion], chosen: Suggestion | None = None
) -> SentWords:
    """Tells what was sent.

    Args:
        text: the agent's words.
        best: what is suggested.
        seen: those of them that could be seen: to pass over what nobody saw is no judgement.
        chosen: the suggestion that they began as; otherwise the one that says the same, if any.
    """
    verdicts: list[tuple[RankedAnswer, Verdict]] = []
    if chosen is not None and not is_edit_of(text, chosen.answer.text):
        if all(one.answer.answer_id != chosen.answer.answer_id for one in best):
            # Others have come since it was opened: it was passed over as well.
            verdicts.append((chosen.answer, "skipped"))
        chosen = None
    if chosen is None:
        chosen = next((one for one in best if says_the_same(text, one.answer.text)), None)
    if chosen is None:
        return SentWords(None, [*verdicts, *passed_over(seen)])
    is_same = answer_key(text) == answer_key(chosen.answer.text)
    return SentWords(chosen.answer, [*verdicts, (chosen.answer, "sent" if is_same else "edited")])


def passed_over(seen: Sequence[Suggestion]) -> list[tuple[RankedAnswer, Verdict]]:
    """The verdicts where none of the suggestions is what the agent would say."""
    return [(one.answer, "skipped") for one in seen]
