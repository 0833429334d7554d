"""Rows, as people export them, into conversations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from conversations.model import Conversation, Json, Role, Turn
from conversations.moments import as_iso
from conversations.readers.rejected import RowError
from conversations.text import clean_text

_ROLES: dict[str, Role | None] = {
    **dict.fromkeys(
        ("customer", "user", "client", "visitor", "inbound", "human", "guest", "caller", "buyer"), "customer"
    ),
    **dict.fromkeys(
        ("agent", "assistant", "operator", "support", "bot", "advisor", "outbound", "seller", "staff"),
        "agent",
    ),
    **dict.fromkeys(("system", "event", "note"), None),  # messages of the chat software, said by nobody
}
_TURN_LISTS = ("turns", "messages", "dialogue", "dialog")
_ROLE_NAMES = ("role", "speaker", "sender", "from", "author")
_TEXT_NAMES = ("text", "content", "message", "utterance", "body")
TIME_NAMES = ("at", "timestamp", "created_at", "time")
NAMED_BY_CONTENT = "log-"
"""How the names begin of conversations that the log gives none."""
_FAQ = "FAQ"
_IN_FILE = ":"
_SHORT = 200
"""Characters kept of ids, names and labels."""
_DEEPEST = 50
"""Lists and objects within each other in a row's meta: Python gives up on some hundreds of them."""


def turn_from(
    role: object, text: object, at: object = None, agent: object = None, action: object = None
) -> Turn | None:
    """A turn with clean text, or None where nobody said anything: no text, or the chat software's own
    message.

    Raises:
        RowError: The role is unknown or the text is no text.
    """
    name = str(role).strip().casefold() if role is not None else ""
    if name not in _ROLES:
        raise RowError(f"unknown role {clean_text(name)[:40]!r}; use customer or agent")
    side = _ROLES[name]
    if text is not None and not isinstance(text, str):
        raise RowError(f"the text of a turn is {type(text).__name__}, not text")
    words = clean_text(text or "")
    if side is None or not words:
        return None
    named = short(at)
    when = (as_iso(named) or named) if named else None
    return Turn(side, words, when, short(agent) if side == "agent" else None, short(action))


def short(value: object) -> str | None:
    """A label as clean text on one line, or None where there is none."""
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    return clean_text(str(value)[: 4 * _SHORT]).replace("\n", " ")[:_SHORT] or None


def conversation_of(
    name: object,
    turns: Sequence[Turn | None],
    *,
    language: object = None,
    source: object = None,
    customer: object = None,
    meta: Mapping[str, Json] | None = None,
) -> Conversation:
    """A conversation of the turns that were said; without a name it is named after its content.

    The meta is clean already, as :func:`meta_of` gives it.

    Raises:
        RowError: No turn has text, or the metadata are nested too deeply.
    """
    said = tuple(turn for turn in turns if turn is not None)
    if not said:
        raise RowError("no turn has a text; nothing was said")
    own_name = short(name) or _names_by_content(said)[-1]
    return Conversation(own_name, said, short(language), short(source), short(customer), dict(meta or {}))


def earlier_names(conversation: Conversation) -> list[str]:
    """What a conversation that is named after its content was named when it had fewer turns, longest first; what a
    row of a FAQ was named without its file.
    """
    if conversation.source == _FAQ and _IN_FILE in conversation.id:
        return [conversation.id.rsplit(_IN_FILE, 1)[-1]]
    *earlier, name = _names_by_content(conversation.turns)
    return earlier[::-1] if name == conversation.id else []


def is_earlier_state(before: Conversation, grown: Conversation) -> bool:
    """Whether one that has an earlier name of a conversation is that conversation before it grew, and nobody else's
    that began in the same words: so far as the log tells, it was held at the same times and by the same customer.

    Args:
        before: found under one of the `earlier_names`.
        grown: as it is now, de-identified as the other is.
    """
    same_times = all(one.at == now.at for one, now in zip(before.turns, grown.turns, strict=False))
    # The old name of a row of a FAQ may be any conversation's.
    is_named_by_words = before.id.startswith(NAMED_BY_CONTENT) or before.turns == grown.turns
    return same_times and is_named_by_words and (before.source, before.customer) == (grown.source, grown.customer)


def _names_by_content(turns: Sequence[Turn]) -> list[str]:
    """The name after its content of the first turn, of the first two, and so on."""
    names: list[str] = []
    content = hashlib.sha256()
    for turn in turns:
        separator = "\x1e" if names else ""
        content.update(f"{separator}{turn.role}\x1f{turn.text}".encode())
        names.append(f"{NAMED_BY_CONTENT}{content.hexdigest()[:16]}")
    return names


def faq_conversation(
    question: object, answer: object, name: object = None, language: object = None, file: str = ""
) -> Conversation:
    """A question and its answer as a conversation of two turns; its name is unique in its file only, since people
    number the rows of each.

    Raises:
        RowError: One of them is missing.
    """
    for what, value in (("question", question), ("answer", answer)):
        if not isinstance(value, str) or not clean_text(value):
            raise RowError(f"the row has no {what}")
    own_name = short(name)
    full_name = f"{file.removesuffix('.gz')}{_IN_FILE}{own_name}" if own_name and file else own_name
    turns = turn_from("customer", question), turn_from("agent", answer)
    return conversation_of(full_name, turns, language=language, source=_FAQ)


def conversation_from(row: object, file: str = "") -> Conversation:
    """A conversation from a row of JSON: one with turns, or a question with its answer.

    Args:
        row: as it was parsed.
        file: name of the log.

    Raises:
        RowError: It is neither.
    """
    if not isinstance(row, dict):
        raise RowError(f"the line is a JSON {type(row).__name__}, not an object with turns")
    turns = listed_turns(row)
    if turns is None:
        if "pool" in row:
            raise RowError("this is a row of an answer-selection set; use attendant evaluate or train --dataset")
        if "question" in row:
            return faq_conversation(row["question"], row.get("answer"), row.get("id"), row.get("language"), file)
        raise RowError('the line has no turns; it needs "turns", or "question" and "answer"')
    return conversation_of(
        row.get("id"),
        turns,
        language=row.get("language"),
        source=row.get("source"),
        customer=row.get("customer"),
        meta=meta_of(row),
    )


def meta_of(row: Mapping[str, Json]) -> dict[str, Json]:
    """What a row says of its conversation under `meta`, as clean text; empty where that is no object.

    Raises:
        RowError: It is nested too deeply.
    """
    meta = row.get("meta")
    clean: dict[str, Json] = _clean_meta(meta if isinstance(meta, dict) else {})
    return clean


def timed(conversation: Conversation, day_first: bool | None) -> Conversation:
    """A conversation with the times read that name day or month first, as its file tells; as it is where that tells
    neither.
    """
    if day_first is None:
        return conversation
    turns = tuple(replace(turn, at=as_iso(turn.at or "", day_first) or turn.at) for turn in conversation.turns)
    return replace(conversation, turns=turns)


def turn_of(item: object) -> Turn | None:
    """A turn from one object of JSON, or None where nobody said anything.

    Raises:
        RowError: It is no object, its role is unknown or its text is no text.
    """
    if not isinstance(item, dict):
        raise RowError("it is not an object with role and text")
    return turn_from(
        _first(item, _ROLE_NAMES),
        _first(item, _TEXT_NAMES),
        _first(item, TIME_NAMES),
        item.get("agent"),
        item.get("action"),
    )


def listed_turns(row: Mapping[str, Json]) -> list[Turn | None] | None:
    """The turns of a row that lists them, in their order; None for a row that does not.

    Raises:
        RowError: One of them cannot be read, or it is no list.
    """
    listed = _first(row, _TURN_LISTS)
    if listed is None:
        return None
    if not isinstance(listed, list):
        raise RowError('"turns" is not a list')
    return [_numbered(item, position) for position, item in enumerate(listed, 1)]


def _numbered(item: object, position: int) -> Turn | None:
    try:
        return turn_of(item)
    except RowError as error:
        raise RowError(f"turn {position}: {error}") from None


def _first(row: Mapping[str, Json], names: Sequence[str]) -> Json:
    """The value under the first of the names that the row has."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def _clean_meta(value: Json, depth: int = 0) -> Json:
    """The same JSON with clean strings."""
    if depth > _DEEPEST:
        raise RowError("its meta is nested too deeply")
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean_meta(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean_meta(item, depth + 1) for item in value]
    return value
