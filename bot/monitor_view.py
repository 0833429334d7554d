"""How the monitoring of a desk looks: what alarmed, and how the latest period stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bot.control_chart import LEAST_BASELINE, LEAST_HEARD
from bot.monitoring import Monitor, Status, Unhappy
from bot.output import plain, print_json, remark, screen
from bot.present import excerpt, notice

_ROWS = 20


def alarm_view(status: Status) -> RenderableType:
    """One alarm: when, which topic, how it sounds against how it usually does, and the worst of what was said."""
    reading = status.reading
    moods = f"{reading.conversations} conversations sound {reading.mood:+.2f}, usually {reading.usual or 0.0:+.2f}"
    lines = [
        Text.assemble(
            ("! ", "bold red"), plain(moment(status.began), "bold"), "  ", plain(excerpt(reading.series, 120), "bold")
        ),
        plain(f"  {moods}; the chance of that is {reading.p_value or 0.0:.1g}", "red"),
    ]
    lines += [plain(f"  {conversation}: {text}", "dim") for conversation, text in status.examples]
    return Group(*lines)


def unhappy_view(one: Unhappy) -> RenderableType:
    """A conversation that sounds bad: which, when, on what, and the worst of it."""
    when = moment(one.began) if one.began else "at no known time"
    name, topic = (plain(excerpt(text, 60)) for text in (one.conversation, one.heard.topic))
    head = Text.assemble(f"{one.heard.whole:+.2f}  ", name, f", {when}, ", topic)
    return Group(head, Text.assemble("       ", plain(one.heard.worst, "dim")))


def period_view(statuses: Sequence[Status]) -> RenderableType:
    """All series of one period, most conversations first."""
    if not statuses:
        return plain("No conversation yet.")
    # The numbers are whole at any width; the topic has what they leave.
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    for name in ("conversations", "mood", "usual", "chance"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("topic", overflow="ellipsis", no_wrap=True, ratio=1)
    ordered = sorted(statuses, key=lambda one: -one.reading.conversations)
    for status in ordered[:_ROWS]:
        reading = status.reading
        chance = "-" if reading.p_value is None else f"{reading.p_value:.2g}"
        usual = "-" if reading.usual is None else f"{reading.usual:+.2f}"
        table.add_row(
            plain(reading.conversations),
            plain(f"{reading.mood:+.2f}"),
            plain(usual),
            plain(chance),
            plain(excerpt(reading.series)),
            style="bold red" if reading.is_alarm else "",
        )
    state = "over" if statuses[0].is_over else "running"
    return Group(plain(f"{moment(statuses[0].began)} ({state})", "bold"), table)


class MonitorScreen:
    """Where alarms are told: a terminal with the latest period below them, or lines of JSON."""

    def __init__(self, as_json: bool) -> None:
        """Makes the screen.

        Args:
            as_json: whether alarms are lines of JSON on stdout.
        """
        self._as_json = as_json
        self._console = screen(stderr=as_json)
        self._live: Live | None = None
        self._latest: Sequence[Status] = ()
        self._periods = self._tested = self._alarmed = self._alarms = 0

    @contextmanager
    def live(self) -> Iterator[None]:
        """Keeps the latest period on the screen meanwhile, where there is one."""
        if self._as_json or not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as self._live:
            yield
        self._live = None

    def close(self, statuses: Sequence[Status]) -> None:
        """Tells the alarms of a period that is over."""
        self._latest = statuses
        self._periods += 1
        self._tested += any(status.reading.p_value is not None for status in statuses)
        self._alarmed += any(status.reading.is_alarm for status in statuses)
        for status in statuses:
            if not status.reading.is_alarm:
                continue
            self._alarms += 1
            if self._as_json:
                print_json(status.as_json())
            else:
                self._console.print(alarm_view(status))

    def show(self, statuses: Sequence[Status]) -> None:
        """Shows how a period stands that runs; where none does, the last one that is over."""
        if self._live is not None:
            self._live.update(period_view(statuses or self._latest), refresh=True)

    def tell(self, text: str) -> None:
        """Says something to the person."""
        if self._live is None:
            remark(text)
        else:
            self._console.print(notice(text))

    def show_unhappy(self, unhappy: Sequence[Unhappy]) -> None:
        """Lists the conversations that sound worst."""
        for one in unhappy:
            if self._as_json:
                print_json(one.as_json())
            else:
                self._console.print(unhappy_view(one))

    def sum_up(self, monitor: Monitor, rejected: int) -> None:
        """Says what was read and how many alarms are to be expected by chance.

        Args:
            monitor: what was counted.
            rejected: pieces of the logs that could not be read; each, or the first, was told before.
        """
        if self._as_json:
            print_json(
                {
                    "kind": "summary",
                    "conversations": monitor.conversations,
                    "undated": monitor.undated,
                    "late": monitor.late,
                    "rejected": rejected,
                    "periods": self._periods,
                    "tested": self._tested,
                    "alarms": self._alarms,
                    "false_alarms": monitor.false_alarms,
                }
            )
            return
        self._console.print(period_view(monitor.running() or self._latest))
        expected = monitor.false_alarms * self._tested
        counts = f"Alarms in {self._alarmed} of {self._tested} periods that could be tested"
        self._console.print(
            notice(f"{counts}; where nothing has changed, {expected:.2g} or fewer are to be expected.")
        )
        if untested := self._periods - self._tested:
            needed = f"{LEAST_HEARD} conversations of a topic, and {LEAST_BASELINE} of it before"
            self._console.print(
                notice(f"{untested} others had too few: it takes {needed}. A longer --period gives each more.")
            )
        for count, why in ((monitor.undated, "have no time"), (monitor.late, "came after their period was tested")):
            if count:
                self._console.print(notice(f"{count} conversations {why} and were left out."))


def moment(began: datetime) -> str:
    """The beginning of a period and its zone; the day alone where it begins at midnight."""
    return f"{began:%Y-%m-%d %Z}" if (began.hour, began.minute) == (0, 0) else f"{began:%Y-%m-%d %H:%M %Z}"
