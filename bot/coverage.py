"""What a desk's past covers: whether a message asks anything, and whether anything like it was asked before.

A question is covered where its nearest past question, in another conversation, is at least as near (cosine) as past
questions are to one another. Confidence does not tell: it says how sure the desk is of one answer among many.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from conversations.model import Turn
from conversations.store import Store
from conversations.text import key_tokens, word_set
from index.embedder import Embedder
from index.retriever import Retriever

Floats = npt.NDArray[np.float32]

STRAY = 0.1
"""Share of the desk's own past questions that is called uncovered, to find those that are. Over a desk of 140 of
CLINC150's intents it calls 14 % of 300 requests with these intents uncovered, and 58 % of 200 with ten others; .05
gives 7 and 36 %."""
SAMPLE = 500
"""Past questions that the limit is chosen on."""
LEAST = 30
"""Fewer prove nothing."""
GUESS = 0.5
_COURTESY = word_set(
    """a afternoon alright and appreciate appreciated brilliant bye certainly cheers course day dear email evening
    fine for good goodbye great have hello help here hey hi hiya i i'm is it it's its lot lovely many morning much my
    name nice no nope number of ok okay one order perfect please postcode reference right so sorry sure ta thank
    thanks that that's the there this too very wonderful yeah yep yes you your"""
)
"""English. Another language's is known as courtesy where the desk's past has it."""
_PARTICULAR = re.compile(r"<[A-Z_]+>|(?<![A-Za-z])[A-Za-z]{0,3}[-#]?\d+(?:[.,:/-]\d+)*(?:[A-Za-z]{1,2}(?![A-Za-z]))?")
"""A placeholder, or a number with what belongs to it: what agents ask for."""


def asks_something(dialogue: Sequence[Turn]) -> bool:
    """Whether the last turn may ask anything; not where it is courtesy or numbers, or a reply that is mostly numbers.

    >>> customer, agent = (lambda text: Turn("customer", text)), Turn("agent", "Your order number, please?")
    >>> asks_something([customer("Thanks, bye!")]), asks_something([customer("Cancel LW-0000000")])
    (False, True)
    >>> asks_something([agent, customer("Sure: LW-0000000, Bea at <ADDRESS>")])
    False
    """
    said, particulars = _PARTICULAR.subn(" ", dialogue[-1].text)
    words = sum(token[0].isalpha() and token not in _COURTESY for token in key_tokens(said))
    is_reply = any(turn.role == "agent" for turn in dialogue[:-1])
    return words > (particulars if is_reply else 0)


def covered_from(store: Store, embedder: Embedder, retriever: Retriever) -> float:
    """The nearness from which on a question is covered, chosen on the desk's past; each in other conversations.

    Nine in ten of the past questions whose answer was given in another conversation too are at least so near to
    another question. Where hardly any answer was given twice, past questions are about different things: then what is
    nearer than nine in ten of them is covered.
    """
    ids, answers, _ = store.pair_answers()
    ids = ids[~np.isin(answers, list(retriever.withdrawn))]
    sample = np.random.default_rng(13).permutation(ids)[:SAMPLE]
    pairs = [pair for pair in store.pairs(ids=sample.tolist()) if asks_something(pair.dialogue)]
    if not pairs:
        return GUESS
    vectors = embedder.encode([pair.question for pair in pairs])
    near = retriever.nearness(vectors, [(pair.conversation,) for pair in pairs])
    repeated = np.isin([pair.answer_id for pair in pairs], _given_twice(store))
    for known, share in ((near[repeated], STRAY), (near, 1 - STRAY)):
        if len(known) >= LEAST:
            return float(np.quantile(known, share))
    return GUESS


def _given_twice(store: Store) -> npt.NDArray[np.int64]:
    """Answers that were given in more than one conversation."""
    _, answers, conversations = store.pair_answers()
    places = np.unique(np.stack([answers, conversations], axis=1), axis=0)
    given, times = np.unique(places[:, 0], return_counts=True)
    return np.asarray(given[times > 1], dtype=np.int64)
