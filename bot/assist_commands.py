"""The commands and keys of `attendant assist`, as /help and the bottom bar show them."""

from __future__ import annotations

import re

COMMANDS = {
    "send": "send a suggestion: /send 2",
    "edit": "send it in other words: /edit 2; /edit 2 YOUR WORDS at once",
    "say": "send your own words: /say YOUR WORDS",
    "skip": "none of these: suggest others",
    "good": "keep the suggestion that was sent last as a good answer; /good 2: suggestion 2",
    "bad": "keep it as a bad one, not suggested again in this dialogue; /bad 2: suggestion 2",
    "why": "why the best suggestion is the best, or the one just sent; /why 2: where suggestion 2 stands",
    "handoff": "hand the dialogue over: a summary to copy",
    "save": "save the dialogue: /save FILE.jsonl (a log), .svg or .html",
    "new": "begin a new dialogue",
    "forget": "remove this customer from the desk, and leave (where the customer is known)",
    "help": "this list",
    "quit": "leave",
}

KEYS = {
    "F1, F2, F3": "send suggestion 1, 2, 3; also Alt-1, Alt-2, Alt-3",
    "F4": "skip: none of these, suggest others",
    "F5, F6, F7": "edit suggestion 1, 2, 3 before it is sent",
    "Tab": "you write, or the customer (typed or pasted by you)",
    "Enter": "take the line; Alt-Enter makes a new line in it",
    "Up, Down": "what was written before",
    "PgUp, PgDn": "scroll the dialogue, or this page",
    "Ctrl-C": "back: closes a page, drops an edit, clears; twice leaves",
    "Ctrl-D": "leave",
}

BAR = (
    "F1-3 send",
    "F5-7 edit",
    "F4 skip",
    "Tab who",
    "/help",
    "Ctrl-D leave",
    "Ctrl-C back",
    "/why",
    "PgUp/PgDn scroll",
    "Alt-Enter new line",
    "Up/Down before",
    "Alt-1-3 send",
    "Enter take",
)
"""The bottom bar, most useful first: as many of these as there is room for."""

SAY_WHICH = "Say which: /good 1 and /bad 1 judge a suggestion, without a number the one that was sent last."
"""Where /good or /bad stands before something else."""

PUT_ASIDE = "What was being written is put aside: Up brings it back."
"""Where another dialogue begins in the midst of it."""

BY_NUMBER = frozenset({"send", "edit", "good", "bad", "why"})
"""Commands that may stand before the number of a suggestion."""

_CALL = re.compile(r"/([A-Za-z]+)(?:\s+|$)")


def help_text() -> str:
    """Every command and key with its meaning."""
    lines = ["Keys", *(f"  {key:<13}{meaning}" for key, meaning in KEYS.items())]
    return "\n".join([*lines, "", "Commands", *(f"  /{name:<12}{meaning}" for name, meaning in COMMANDS.items())])


def called(text: str) -> tuple[str, str] | None:
    """The command that a line calls and what stands behind it; None where the line is a message.

    >>> called("/edit 2 as you like"), called("/etc/hosts is what I see")
    (('edit', '2 as you like'), None)
    """
    call = _CALL.match(text)
    if call is None or (call[1].lower() not in COMMANDS and call.end() < len(text)):
        return None
    return call[1].lower(), text[call.end() :].strip()


def numbered(rest: str) -> tuple[int, str] | None:
    """The number of a suggestion and the words behind it; None where there is no number.

    >>> numbered("2 as you like"), numbered("as you like")
    ((2, 'as you like'), None)
    """
    number, _, words = rest.partition(" ")
    return (int(number), words.strip()) if number.isdecimal() and len(number) < 10 else None
