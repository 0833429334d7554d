"""What an encoder was taught to read in front of a text, such as E5's "query: " and "passage: ".

sentence-transformers keeps it with the model, as `prompts`. The E5 models were published without; they are known by
their names (Wang et al. 2022, "Text Embeddings by Weakly-Supervised Contrastive Pre-training"). Their questions are
compared with questions and with answers, so whatever a customer or an agent asks is a query, and an answer a passage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_OF_ANSWERS = ("document", "passage", "corpus")
"""Names that models give it, in the order in which sentence-transformers looks for them."""
_E5 = re.compile(r"(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?", re.IGNORECASE)


class Prompts(NamedTuple):
    """What stands in front of texts; empty for nothing."""

    query: str = ""
    """In front of questions and dialogues."""
    answer: str = ""


NO_PROMPTS = Prompts()


def prompts_of(name: str, kept: Mapping[str, str | None], default: str | None) -> Prompts:
    """The prompts of an encoder.

    Args:
        name: directory or name on the Hub.
        kept: the prompts that came with it, by their names.
        default: the name of the one that stands in front of every text, where there is no other.

    >>> prompts_of("intfloat/multilingual-e5-small", {"query": "", "document": ""}, None)
    Prompts(query='query: ', answer='passage: ')
    >>> prompts_of("mine", {"query": "Q: ", "document": ""}, None)
    Prompts(query='Q: ', answer='')
    >>> prompts_of("mine", {"query": "", "document": "", "all": "Text: "}, "all")
    Prompts(query='Text: ', answer='Text: ')
    >>> prompts_of("all-MiniLM-L6-v2", {"query": "", "document": ""}, None)
    Prompts(query='', answer='')
    """
    answer = next((prompt for key in _OF_ANSWERS if (prompt := kept.get(key))), "")
    found = Prompts(kept.get("query") or "", answer)
    if not any(found):
        of_all = kept.get(default or "") or ""
        found = Prompts(of_all, of_all)
    if not any(found) and _E5.fullmatch(re.split(r"[/\\]", name.rstrip("/\\"))[-1]):
        return Prompts("query: ", "passage: ")
    return found
