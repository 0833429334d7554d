"""Runs `attendant` with a pipeline that needs no model: `python chat_in_terminal.py KIND ARGUMENTS`."""

from __future__ import annotations

import sys
import types

import chat_fakes

import bot.feedback
from bot.cli import main

if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    if kind == "hostile":
        made = chat_fakes.hostile_pipeline()
    else:
        made = chat_fakes.Listening(chat_fakes.ANSWERS, chat_fakes.PAST)
        made.failure = ZeroDivisionError("oh") if kind == "failing" else None

    def opened(desk, ranker=None, on_progress=None):
        made.store = desk.store()
        # What is answered here never was in the desk, and yet is not gone.
        made.store.answers = list
        return made

    pipeline = types.ModuleType("bot.pipeline")
    pipeline.Pipeline = types.SimpleNamespace(open=opened)
    sys.modules |= {"bot.pipeline": pipeline}
    bot.feedback.FeedbackBook = lambda pipeline, source, customer=None: chat_fakes.FakeBook()
    main(arguments)
