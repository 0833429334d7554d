"""The commands and keys of the chat, as /help and completion show them."""

COMMANDS = {
    "help": "this list",
    "why": "which words and turns carried the last answer",
    "alt": "other answers; then a number gives that one",
    "good": "keep the last answer as a good one",
    "bad": "keep it as a bad one, and show the next best if any is sure enough",
    "handoff": "a summary for the agent who takes over",
    "save": "save the dialogue: /save FILE.jsonl (a log), .svg or .html",
    "new": "begin a new dialogue",
    "forget": "remove this customer from the desk (with --customer)",
    "quit": "leave",
}

KEYS = {
    "F2, Alt-A": "other answers, as /alt",
    "Alt-Enter": "a new line in the message",
    "Up, Down": "what was written before",
    "Tab": "the rest of a command",
    "Ctrl-C": "clear the line; twice leaves",
    "Ctrl-D": "leave",
}

TOOLBAR = (
    "/help",
    "/why",
    "Ctrl-D leave",
    "F2 other answers",
    "/good",
    "/bad",
    "Ctrl-C clear",
    "Alt-Enter new line",
    "Tab completes",
    "Up/Down before",
    "Alt-A as F2",
)
"""The bottom bar, most useful first: as many of these as there is room for."""
