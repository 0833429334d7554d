"""De-identification: personal data become placeholders before anything is stored, embedded or trained.

- Three sources of findings: patterns with checksums, names by what stands around them, and argus-redact.
- A name found in one turn goes from all turns of the conversation.
- Numbers of orders keep their shape; prices, dates and product names stay, for an answer is a pattern to use
  again.
- What is a placeholder already stays, so doing it twice changes nothing.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import argus_redact

from conversations.model import Conversation, Json, Turn
from conversations.privacy_ids import holds_person
from conversations.privacy_names import agent_names, full_names, name_pattern, names_in, titled_spans
from conversations.privacy_numbers import number_spans
from conversations.privacy_patterns import PLACEHOLDER, Span, pattern_spans
from conversations.privacy_phones import phone_spans

if TYPE_CHECKING:
    from conversations.store import Store

PRIVACY_VERSION = 2
"""Goes up when more is found than before, so that logs imported again are de-identified anew."""

_ARGUS: dict[str, dict[str, str]] = {
    "en": {"person": "<NAME>", "address": "<ADDRESS>", "email": "<EMAIL>", "credit_card": "<CARD>"},
    "zh": {
        "person": "<NAME>", "address": "<ADDRESS>", "email": "<EMAIL>",
        "phone": "<PHONE>", "phone_landline": "<PHONE>",
        "id_number": "<ID>", "hk_id": "<ID>", "tw_id": "<ID>", "macau_id": "<ID>", "bank_card": "<CARD>",
        "license_plate": "<ID>", "qq": "<ACCOUNT>", "wechat": "<ACCOUNT>",
    },
}  # fmt: skip
_CJK = re.compile(r"[\u3400-\u9fff]")
_LATIN_NAME = re.compile(r"[A-Z][a-z]|\d [A-Za-z]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MASKED = re.compile(r"(?:[^\d@]*0)+[^\d@]*")
"""Zeros only: the shape that is left of a number. An e-mail address is none, whatever its digits."""
_CHUNK = 4_000
_LABELS = 4096
"""Kept of what is the same in many conversations: sources, actions, keys."""
_MOST_PASSES = 30
"""Addresses that run into each other are found one a pass; only a hostile text has so many."""


class Redactor:
    """Replaces personal data by placeholders."""

    def __init__(self, salt: str = "") -> None:
        """Makes a redactor.

        Args:
            salt: The desk's own; pseudonyms of two desks cannot be compared.
        """
        self._salt = salt
        self._redact_label = lru_cache(maxsize=_LABELS)(self.redact)

    def redact(self, text: str) -> tuple[str, int]:
        """The text with placeholders, and how many were put in.

        Args:
            text: Any; surrogates that stand alone become U+FFFD.

        >>> Redactor().redact("I'm Margaret Hollis, 07700 900123, order LW-4821735")
        ("I'm <NAME>, <PHONE>, order LW-0000000", 3)
        """
        turns, count = self._redact_turns((Turn("customer", text),), ())
        return turns[0].text, count

    def redact_conversation(self, conversation: Conversation) -> tuple[Conversation, int]:
        """The conversation with placeholders in every turn and in what stands beside them (source, actions and
        metadata, its keys and numbers too), and how many were put in.

        Who the customer and the agents are becomes a pseudonym: the same person stays recognisable as the
        same. So does an id that holds personal data; others stay, for by it a conversation is found again.
        """
        agents = {turn.agent for turn in conversation.turns if turn.agent}
        turns, count = self._redact_turns(conversation.turns, agents)
        named: list[Turn] = []
        for turn in turns:
            action, in_action = self._redact_optional(turn.action)
            agent = self.pseudonym(turn.agent) if turn.agent else turn.agent
            named.append(replace(turn, agent=agent, action=action))
            count += in_action
        source, in_source = self._redact_optional(conversation.source)
        meta, in_meta = self._redact_meta(conversation.meta)
        customer = self.pseudonym(conversation.customer) if conversation.customer else None
        own = self.stored_id(conversation.id)
        told = replace(conversation, id=own, turns=tuple(named), source=source, customer=customer, meta=meta)
        return told, count + in_source + in_meta

    def pseudonym(self, name: str) -> str:
        """Sixteen hexadecimal digits that stand for a person, the same for the same name on one desk."""
        return hashlib.sha256(f"{self._salt}\x1f{name}".encode("utf-8", "replace")).hexdigest()[:16]

    def private_id(self, name: str) -> str:
        """The pseudonym of the id of a conversation."""
        return f"id-{self.pseudonym(name)}"

    def stored_id(self, name: str) -> str:
        """The id of a conversation as a desk that de-identifies stores it: a pseudonym where it holds personal data,
        otherwise as it is. That of what is such a pseudonym already is the same.

        >>> Redactor().stored_id("SNG01856"), Redactor("salt").stored_id("jane@example.com")
        ('SNG01856', 'id-f9ae94ad3ff550af')
        """
        return self.private_id(name) if holds_person(name) else name

    def _redact_turns(self, turns: tuple[Turn, ...], agents: Iterable[str]) -> tuple[tuple[Turn, ...], int]:
        """Passes until nothing more is found: what stands beside a new placeholder may only now be
        recognised.
        """
        total = 0
        agent_pattern = name_pattern(agent_names(agents))
        turns = tuple(replace(turn, text=_SURROGATE.sub("\ufffd", turn.text)) for turn in turns)
        for _ in range(_MOST_PASSES):
            texts = [turn.text for turn in turns]
            spans = _all_spans(turns, agent_pattern)
            done = [_replaced(text, found) for text, found in zip(texts, spans, strict=True)]
            count = sum(number for _, number in done)
            if count == 0:
                break
            total += count
            turns = tuple(replace(turn, text=text) for turn, (text, _) in zip(turns, done, strict=True))
        return turns, total

    def _redact_optional(self, label: str | None) -> tuple[str | None, int]:
        return self._redact_label(label) if label else (label, 0)

    def _redact_meta(self, value: Json) -> tuple[Json, int]:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            text, count = self.redact(str(value))
            return (text if count else value), count
        if isinstance(value, dict):
            return self._redact_items(value)
        if isinstance(value, list):
            parts = [self._redact_meta(item) for item in value]
            return [item for item, _ in parts], sum(count for _, count in parts)
        return value, 0

    def _redact_items(self, items: dict[str, Json]) -> tuple[dict[str, Json], int]:
        """Keys that have become the same are numbered."""
        done: dict[str, Json] = {}
        seen: Counter[str] = Counter()
        total = 0
        for key, item in items.items():
            name, in_key = self._redact_label(key)
            seen[name] += 1
            value, in_item = self._redact_meta(item)
            done[name if seen[name] == 1 else f"{name} {seen[name]}"] = value
            total += in_key + in_item
        return done, total


def redactor_of(store: Store) -> Redactor:
    """A desk's redactor, with its salt."""
    return Redactor(str(store.setting("salt", "")))


def _all_spans(turns: tuple[Turn, ...], agent_pattern: re.Pattern[str] | None) -> list[list[Span]]:
    """For each turn what is to be replaced, the surest finding first."""
    spans: list[list[Span]] = []
    names: set[str] = set()
    before = ""
    for turn in turns:
        text = turn.text
        spans.append([*pattern_spans(text), *number_spans(text, before), *phone_spans(text), *titled_spans(text)])
        names.update(names_in(text, before))
        before = text if turn.role == "agent" else ""
    for place, span in _argus_spans([turn.text for turn in turns]):
        if span.replacement == "<NAME>":
            names.add(turns[place].text[span.start : span.end])
        spans[place].append(span)
    given = frozenset(names)
    for turn in turns:
        names.update(full_names(turn.text, given))
    named = name_pattern(names)
    for pattern, placeholder in ((agent_pattern, "<AGENT>"), (named, "<NAME>")):
        if pattern is not None:
            for turn, found in zip(turns, spans, strict=True):
                found.extend(Span(*match.span(), placeholder) for match in pattern.finditer(turn.text))
    return spans


def _argus_spans(texts: list[str]) -> Iterator[tuple[int, Span]]:
    """What argus-redact finds, by the number of the text. It is asked about many texts at once, which is
    quicker.
    """
    for tongue, placeholders in _ARGUS.items():
        signs = _CJK if tongue == "zh" else _LATIN_NAME
        chunk: list[tuple[int, int, str]] = []
        length = 0
        pieces = (
            (place, start, text[start : start + _CHUNK])
            for place, text in enumerate(texts)
            if signs.search(text)
            for start in range(0, len(text), _CHUNK)
        )
        for piece in pieces:
            if length + len(piece[2]) > _CHUNK:
                yield from _ask_argus(chunk, tongue, placeholders)
                chunk, length = [], 0
            chunk.append(piece)
            length += len(piece[2]) + 1
        yield from _ask_argus(chunk, tongue, placeholders)


def _ask_argus(
    chunk: list[tuple[int, int, str]], tongue: str, placeholders: dict[str, str]
) -> Iterator[tuple[int, Span]]:
    if not chunk:
        return
    joined = "\n".join(piece for _, _, piece in chunk)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", argus_redact.SecurityWarning)  # it tells how it merged its findings
        _, _, details = argus_redact.redact(joined, lang=tongue, types=list(placeholders), detailed=True)
    ends: list[int] = []
    for _, _, piece in chunk:
        ends.append((ends[-1] + 1 if ends else 0) + len(piece))
    for entity in details["entities"]:
        start, end = entity["start"], entity["end"]
        if joined[start:end] != entity["original"] or entity["type"] not in placeholders:
            continue
        number = next(at for at, limit in enumerate(ends) if start < limit + 1)
        if end > ends[number]:
            continue  # it reaches into another turn
        place, offset, piece = chunk[number]
        shift = offset - (ends[number] - len(piece))
        yield place, Span(start + shift, end + shift, placeholders[entity["type"]])


def _replaced(text: str, spans: list[Span]) -> tuple[str, int]:
    """The text with the spans replaced; of two that overlap, the one named first."""
    if not spans:
        return text, 0
    marked = bytearray(len(text))
    for start, end in _placeholders(text, spans):
        marked[start:end] = b"\x01" * (end - start)
    chosen: list[Span] = []
    for span in spans:
        found = text[span.start : span.end]
        if any(marked[span.start : span.end]) or found == span.replacement or _MASKED.fullmatch(found):
            continue
        marked[span.start : span.end] = b"\x01" * (span.end - span.start)
        chosen.append(span)
    parts: list[str] = []
    at = 0
    for span in sorted(chosen):
        parts.extend((text[at : span.start], span.replacement))
        at = span.end
    return "".join((*parts, text[at:])), len(chosen)


def _placeholders(text: str, spans: list[Span]) -> Iterator[tuple[int, int]]:
    """Where the text has placeholders already. A bracket is none where something is found in it."""
    ends: dict[int, int] = {}
    for span in spans:
        ends[span.start] = min(span.end, ends.get(span.start, len(text)))
    for match in PLACEHOLDER.finditer(text):
        start, end = match.span()
        if text[start] == "<" or not any(ends.get(at, end) < end for at in range(start + 1, end)):
            yield start, end
