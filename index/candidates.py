"""What retrieval hands to a ranker: a dialogue read once, and candidates with what retrieval says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from conversations.model import Turn
from index.embedder import Embedder
from index.spelling import Spelling
from index.tokens import EARLIER, Tokens

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]

Ids = npt.NDArray[np.int64]
EVIDENCE_SHOWN = 20
"""Past moments listed for one candidate."""
SIGNALS = ("answer", "question", "dialogue", "words", "votes", "evidence")
"""The signals of a candidate, in the order of `Candidate.signals`:

- answer: cosine between the dialogue and the answer;
- question: best cosine between the question and a past question that the answer was given to;
- dialogue: best cosine between the dialogue and such a past dialogue;
- words: BM25 of the question against past question and answer, over the best of this dialogue's candidates;
- votes: share of the nearest past dialogues that were given this answer, nearer ones counting more;
- evidence: log10(1 + how often the answer was given) / 4.
"""


EARLIER_TOKENS = 64
"""Read of what the customer said and was told in earlier conversations, the latest of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A past moment in which the answer was given."""

    conversation: str
    turn: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer that may be given."""

    answer_id: int
    text: str
    signals: tuple[float, ...]
    """One number per name in `SIGNALS`."""
    retrieval_score: float
    """The fused signals; see `index.fusion`."""
    question_id: int = -1
    """The past pair whose question is nearest to the customer's; -1 where there is none."""
    question: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(slots=True)
class ReadDialogue:
    """A dialogue after the encoder has read it once, for retrieval and reranking alike."""

    turns: tuple[Turn, ...]
    tokens: Tokens
    """Of the dialogue; behind it, where there are states, those of the customer's earlier conversations."""
    question_vector: Floats
    """(dimension,): the last turn, the customer's."""
    dialogue_vector: Floats
    """(dimension,): the dialogue."""
    states: Tensor | None
    """(tokens, width): input of the encoder's last layers; None where no ranker needs it."""
    openings: float = 0.0
    """Share of the past questions nearest to the last turn that began their conversations; retrieval tells it."""

    @property
    def question(self) -> str:
        """The text of the last turn."""
        return self.turns[-1].text if self.turns else ""

    def look_back(self, tokens: Tokens, states: Tensor) -> None:
        """Adds what the customer's earlier conversations were, as tokens with their states (tokens, width)."""
        import torch

        own = self.tokens
        self.tokens = Tokens(own.ids + tokens.ids, own.turns + tokens.turns, own.agents + tokens.agents, own.prompt)
        if self.states is not None:
            self.states = torch.cat([self.states, states])


def read_dialogues(
    embedder: Embedder,
    dialogues: Sequence[Sequence[Turn]],
    states_below: int = 0,
    spelling: Spelling | None = None,
    earlier: Sequence[Sequence[Turn]] | None = None,
) -> list[ReadDialogue]:
    """Encodes dialogues, and apart from them what their customers said before: only a reranker reads that.

    An encoder that pools by the mean gives the vector of the last turn in the same pass; any other reads it again.

    Args:
        embedder: the encoder.
        dialogues: each oldest turn first.
        states_below: as for `Embedder.encode_tokens`.
        spelling: mends the customer's slips first, where given.
        earlier: per dialogue the turns of the same customer's earlier conversations, oldest first.
    """
    if spelling is not None:
        dialogues = [spelling.mended_dialogue(dialogue) for dialogue in dialogues]
    whole = embedder.tokenize_dialogues(dialogues)
    before = _earlier_tokens(embedder, earlier) if earlier and states_below else {}
    if embedder.pools_mean:
        encoded = embedder.encode_tokens([*whole, *before.values()], states_below, newest_turns=True)
        question_vectors = encoded.newest
    else:
        longer = [place for place, turns in enumerate(dialogues) if len(turns) > 1]
        questions = embedder.tokenize([dialogues[place][-1].text for place in longer])
        encoded = embedder.encode_tokens([*whole, *before.values(), *questions], states_below)
        question_vectors = encoded.vectors[: len(whole)].copy()
        question_vectors[longer] = encoded.vectors[len(whole) + len(before) :]
    read = [
        ReadDialogue(
            turns=tuple(dialogue),
            tokens=whole[place],
            question_vector=question_vectors[place],
            dialogue_vector=encoded.vectors[place],
            states=encoded.states[place] if states_below else None,
        )
        for place, dialogue in enumerate(dialogues)
    ]
    for number, (place, tokens) in enumerate(before.items()):
        read[place].look_back(tokens, encoded.states[len(whole) + number])
    return read


def _earlier_tokens(embedder: Embedder, earlier: Sequence[Sequence[Turn]]) -> dict[int, Tokens]:
    """Tokens of earlier conversations, the newest words kept, by the place of the dialogue that they belong to."""
    places = [place for place, turns in enumerate(earlier) if turns]
    # A turn has a token at least, so that older ones would not be read.
    latest = [earlier[place][-EARLIER_TOKENS:] for place in places]
    return {
        place: Tokens(
            tokens.ids[:EARLIER_TOKENS],
            [EARLIER] * len(tokens.ids[:EARLIER_TOKENS]),
            tokens.agents[:EARLIER_TOKENS],
            tokens.prompt,
        )
        for place, tokens in zip(places, embedder.tokenize_dialogues(latest), strict=True)
    }


def first_pairs(pairs: Ids, answers: Ids, wanted: Sequence[int]) -> dict[int, list[int]]:
    """Of each wanted answer the first past pairs in which it was given, at most `EVIDENCE_SHOWN`.

    Args:
        pairs: (pairs,) ids in the order that counts.
        answers: (pairs,) the answer of each.
        wanted: ids of answers.

    >>> first_pairs(np.array([7, 5, 6]), np.array([1, 2, 1]), [1])
    {1: [7, 6]}
    """
    pairs_of: dict[int, list[int]] = {answer: [] for answer in wanted}
    for pair, answer in zip(pairs.tolist(), answers.tolist(), strict=True):
        own = pairs_of.get(answer)
        if own is not None and len(own) < EVIDENCE_SHOWN:
            own.append(pair)
    return pairs_of
