"""`attendant monitor`: which topics turned negative?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from bot.options import Session, common_options, desk_option, example

if TYPE_CHECKING:
    from bot.monitoring import Status

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class _Period(click.ParamType[timedelta]):
    name = "period"

    def convert(
        self, value: str | timedelta, parameter: click.Parameter | None, context: click.Context | None
    ) -> timedelta:
        """A length of time such as 15m, 1h or 7d."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", value)
        if not found:
            self.fail(f"{value!r} is no length of time such as 15m, 1h or 1d.", parameter, context)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command(
    epilog=example(
        "attendant monitor logs/ --desk acme",
        "attendant monitor logs/today.jsonl --period 1h --follow --json",
        "attendant monitor logs/ --topic product --false-alarms 0.001",
    )
)
@click.argument("logs", nargs=-1, required=True)
@desk_option
@click.option(
    "--period", type=_Period(), default="1d", show_default=True, help="What is tested at a time: 15m, 1h, 1d."
)
@click.option(
    "--false-alarms",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    help="Of the periods in which nothing has changed, at most this share alarms.",
)
@click.option(
    "--topic",
    "topic_field",
    metavar="FIELD",
    help="The field of `meta` that is the topic.  [default: found by itself]",
)
@common_options
@click.pass_obj
def command(
    session: Session,
    logs: tuple[str, ...],
    desk_name: str,
    period: timedelta,
    false_alarms: float,
    topic_field: str | None,
) -> None:
    """Tell which topics turned negative.

    A conversation counts as negative where a customer turn of it sounds so. Each topic, and the desk as a whole, is
    tested in every period against what was usual for it in the periods before. With --json every alarm is a line, and
    the last line says what was read.
    """
    desk = session.open_desk(desk_name)
    from pathlib import Path

    from bot.logged_turns import read_conversations
    from bot.monitor_view import alarm_view, period_view
    from bot.monitoring import Monitor
    from bot.output import print_json, screen
    from bot.present import notice
    from bot.progress import Meter
    from conversations.readers import log_files

    # Said before the model is loaded: a wrong path should not cost the wait.
    log_files(logs)
    with Meter() as meter:
        meter.show("loading the model")
        monitor = Monitor.of_desk(desk, period, false_alarms, topic_field)
        with desk.store() as store:
            monitor.add(read_conversations(store, [Path(log) for log in logs], meter.counter("reading")))
    console = screen()
    alarms = periods = 0
    latest: list[Status] = []
    for latest in monitor.close():
        periods += 1
        for status in latest:
            if status.reading.is_alarm:
                alarms += 1
                if session.as_json:
                    print_json(status.as_json())
                else:
                    console.print(alarm_view(status))
    summary = {"kind": "summary", "conversations": monitor.conversations, "undated": monitor.undated}
    summary |= {"periods": periods, "alarms": alarms, "false_alarms": false_alarms}
    if session.as_json:
        print_json(summary)
        return
    console.print(period_view(latest))
    expected = f"at most {false_alarms * periods:.1g} alarms are expected where nothing has changed"
    console.print(notice(f"{alarms} alarms in {periods} periods; {expected}."))
    if monitor.undated:
        console.print(notice(f"{monitor.undated} conversations have no time and were left out."))
