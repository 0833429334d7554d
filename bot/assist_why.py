"""What `/why` explains in `attendant assist`: the best suggestion, or the one whose number stands behind it.

Where none is suggested, since the customer waits for nothing, it is the one that was sent last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.assist_commands import numbered
from bot.reports import why_json
from bot.why_view import why_view

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.answers import RankedAnswer
    from bot.assist import Assist
    from bot.pipeline import Pipeline


Explained = tuple["RenderableType", dict[str, object]]
"""An explanation for people and for programs."""


def to_explain(assist: Assist, rest: str, tell: Callable[[str], None]) -> Callable[[Pipeline], Explained] | None:
    """Makes the explanation when it is given the desk; None where there is nothing to explain, which is said.

    Args:
        assist: the dialogue with its suggestions, as they are now.
        rest: what was typed behind the command.
        tell: shows a line from the program itself.
    """
    dialogue = assist.dialogue
    found, which = dialogue.suggestions or dialogue.shown_last, numbered(rest)
    if found is None:
        tell("There is nothing to explain yet.")
        return None
    if rest and which is None:
        tell("Say which: /why 2 explains suggestion 2, /why alone the best.")
        return None
    about: RankedAnswer | None = None
    if which:
        chosen = assist.suggestion(which[0])
        if chosen is None:
            return None
        about = chosen.answer
    elif not assist.best:
        about = dialogue.sent

    def explained(pipeline: Pipeline) -> Explained:
        explanation = pipeline.explain(found.request, found.answer, about)
        turns = found.request.turns
        return why_view(turns, found.answer, explanation, pipeline), why_json(turns, explanation)

    return explained
