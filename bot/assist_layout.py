"""Where everything stands on the screen of `attendant assist`, and which key does what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Container,
    Dimension,
    DynamicContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)
from prompt_toolkit.layout.processors import BeforeInput

from bot.assist_commands import BAR
from bot.assist_panes import Lines, Pane, dialogue_lines, status_line, suggestion_lines
from bot.chat_input import bottom_bar, editing_keys
from bot.steady import SteadyInput

if TYPE_CHECKING:
    from bot.assist_screen import AssistScreen

WIDE = 100
"""Columns from which on the suggestions stand beside the dialogue."""
TALL = 18
"""Rows from which on there is room for lines between the parts."""


def make_layout(on: AssistScreen) -> tuple[Layout, KeyBindings]:
    """The layout and the keys of the screen."""
    dialogue = Window(Pane(lambda width, height: _dialogue(on, width, height)))
    best = Window(Pane(lambda width, height: _suggestions(on, width, height)))
    page = Window(Pane(lambda width, height: _page(on, width, height)))
    is_tall = Condition(lambda: get_app().output.get_size().rows >= TALL)
    # Sizes are counted here: dividing by weights takes prompt_toolkit a part of every key's time.
    between = [Window(width=1), Window(width=1, char="│"), Window(width=1)]
    wide = VSplit([HSplit([dialogue], width=_left), *between, HSplit([best], width=_right)])
    narrow = HSplit([HSplit([dialogue], height=_upper), _line(), best])
    shown_with = [SteadyInput(), BeforeInput(lambda: _prompt(on), style="bold")]
    typed = Window(
        BufferControl(on.line.buffer, input_processors=shown_with),
        height=Dimension(min=1, max=6),
        wrap_lines=True,
        dont_extend_height=True,
    )

    def body() -> Container:
        if on.page is not None:
            return page
        return wide if get_app().output.get_size().columns >= WIDE else narrow

    status = Window(Pane(lambda width, _: status_line(_status(on), width)), height=1)
    bar = Window(
        FormattedTextControl(lambda: bottom_bar(BAR, get_app().output.get_size().columns)), height=1, style="reverse"
    )
    root = HSplit([status, DynamicContainer(body), ConditionalContainer(_line(), is_tall), typed, bar])
    return Layout(root, focused_element=typed), _keys(on)


def _line() -> Window:
    return Window(height=1, char="─")


def _left() -> Dimension:
    return Dimension.exact((get_app().output.get_size().columns - 3) // 2)


def _right() -> Dimension:
    return Dimension.exact((get_app().output.get_size().columns - 2) // 2)


def _upper() -> Dimension:
    # Of what the other parts leave, two fifths; the suggestions have the rest.
    return Dimension.exact(max(2 * (get_app().output.get_size().rows - 5) // 5, 1))


def _status(on: AssistScreen) -> list[str]:
    dialogue = on.assist.dialogue
    found = on.assist.dialogue.suggestions
    time_taken = f"{found.answer.timings_ms.get('total', 0.0):.0f} ms" if found else ""
    return [
        on.title,
        f"customer {dialogue.customer.name}" if dialogue.customer else "",
        f"mood {dialogue.mood.in_words}" if dialogue.mood.scores else "",
        f"{len(dialogue.warnings)} warned of" if dialogue.warnings else "",
        "looking" if on.live.is_looking else time_taken,
    ]


def _dialogue(on: AssistScreen, width: int, height: int) -> Lines:
    turns, notes = on.assist.dialogue.turns, on.notes
    lines = dialogue_lines(turns, notes, on.assist.dialogue.typing, width, height, on.scrolled)
    if len(lines) < height and on.scrolled:
        on.scrolled = 0
    return lines


def _page(on: AssistScreen, width: int, height: int) -> Lines:
    return on.page.lines(width, height, on.assist.dialogue) if on.page else []


def _suggestions(on: AssistScreen, width: int, height: int) -> Lines:
    if on.live.is_looking:
        otherwise = "Looking for suggestions."
    elif on.assist.dialogue.suggestions is not None:
        otherwise = "No past answer is left to suggest."
    else:
        otherwise = "Suggestions come as the customer writes."
    return suggestion_lines(on.assist.best, otherwise, width, height)


def _prompt(on: AssistScreen) -> str:
    if on.line.editing is not None:
        return "you, edited> "
    return "customer> " if on.line.writer == "customer" else "you> "


def _keys(on: AssistScreen) -> KeyBindings:
    keys = editing_keys()

    def numbered(number: int) -> None:
        @keys.add(f"f{number}")
        @keys.add("escape", str(number))
        def _(event: KeyPressEvent) -> None:
            on.send(number)

        @keys.add(f"f{number + 4}")
        def _(event: KeyPressEvent) -> None:
            on.edit(number)

    for number in (1, 2, 3):
        numbered(number)

    @keys.add("f4")
    def _(event: KeyPressEvent) -> None:
        on.skip()

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        on.line.write_as("agent" if on.line.writer == "customer" else "customer")

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if on.page is not None and not on.line.buffer.text:
            on.close_page()
        else:
            on.enter()

    @keys.add("c-c")
    @keys.add("<sigint>")
    def _(event: KeyPressEvent) -> None:
        on.interrupt()

    @keys.add("c-d")
    def _(event: KeyPressEvent) -> None:
        if on.line.buffer.text:
            on.line.buffer.delete()
        else:
            on.leave()

    @keys.add("pageup")
    def _(event: KeyPressEvent) -> None:
        _scroll(on, 5)

    @keys.add("pagedown")
    def _(event: KeyPressEvent) -> None:
        _scroll(on, -5)

    on.held.bind(keys)
    return keys


def _scroll(on: AssistScreen, lines: int) -> None:
    if on.page is not None:
        on.page.top -= lines
    else:
        on.scrolled = max(on.scrolled + lines, 0)
