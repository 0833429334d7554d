"""The commands and keys of the chat, as /help and completion show them."""

COMMANDS = {
    "help": "this list",
    "why": "which words and turns carried the last answer",
    "alt": "other answers; then a number gives that one",
    "good": "keep the last answer as a good one",
    "bad": "keep it as a bad one, and show the next best",
    "handoff": "a summary for the agent who takes over",
    "save": "save the dialogue: /save FILE.jsonl (a log), .svg or .html",
    "new": "begin a new dialogue",
    "forget": "remove this customer from the desk (with --customer)",
    "quit": "leave",
}

KEYS = {
    "F2, Alt-A": "other answers, as /alt",
    "Alt-Enter": "a new line in the message",
    "Ctrl-C": "clear the line; twice leaves",
    "Ctrl-D": "leave",
}

TOOLBAR = "F2 other answers  /why  /good  /bad  /help  Ctrl-D leave"
"""At most 60 columns."""
_SHORTER = "/help  Ctrl-D leave"
"""With a mood before it at most 60 columns."""


def toolbar(mood: str, columns: int) -> str:
    """The line below the input: how the customer sounds, where that is known, and as many keys as there is room for.

    >>> toolbar("bad (-0.45), falling", 60)
    'mood bad (-0.45), falling  /help  Ctrl-D leave'
    """
    if not mood:
        return TOOLBAR
    whole = f"mood {mood}  {TOOLBAR}"
    return whole if len(whole) <= columns else f"mood {mood}  {_SHORTER}"
