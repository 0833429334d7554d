"""`attendant monitor`: which topics turned negative?"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import click

from bot.options import Session, common_options, desk_option, example
from conversations.errors import MissingPart

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


class _TimeZone(click.ParamType[tzinfo]):
    name = "zone"

    def convert(
        self, value: str | tzinfo, parameter: click.Parameter | None, context: click.Context | None
    ) -> tzinfo:
        """A zone by its name in the IANA database, such as Europe/Berlin; UTC also where there is no database."""
        if isinstance(value, tzinfo):
            return value
        if value == "UTC":
            return UTC
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            if not available_timezones():
                raise MissingPart(
                    "There is no database of time zones on this machine.",
                    "Install one: pip install tzdata. Without it --time-zone can only be UTC.",
                ) from None
            self.fail(f"{value!r} is no time zone such as America/New_York or Asia/Shanghai.", parameter, context)


@click.command(
    epilog=example(
        "attendant monitor logs/ --desk acme",
        "attendant monitor logs/last-month.jsonl logs/today.jsonl --period 1h --follow --json",
        "attendant monitor logs/ --topic product --false-alarms 0.001",
        "attendant monitor logs/yesterday.jsonl --unhappy 20 --time-zone America/New_York",
    )
)
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@desk_option
@click.option("--period", type=_Period(), default="1d", show_default=True, help="What is tested at a time: 15m, 1h.")
@click.option(
    "--time-zone",
    "zone",
    metavar="NAME",
    type=_TimeZone(),
    default="UTC",
    show_default=True,
    help="Where days begin at midnight, and whose times are those that name no zone: Europe/Berlin.",
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
    help="The field of the logs' `meta` that is the topic, or `source`.  [default: found]",
)
@click.option(
    "--follow", is_flag=True, help="Go on as the logs grow, until Ctrl-C. They must be JSON Lines, unzipped."
)
@click.option(
    "--unhappy",
    "unhappiest",
    metavar="N",
    type=click.IntRange(min=1),
    default=None,
    help="At the end list the N conversations that sound worst, their last turns counting most.",
)
@common_options
@click.pass_obj
def command(
    session: Session,
    logs: tuple[Path, ...],
    desk_name: str,
    period: timedelta,
    zone: tzinfo,
    false_alarms: float,
    topic_field: str | None,
    follow: bool,
    unhappiest: int | None,
) -> None:
    """Tell which topics turned negative.

    Conversations are sorted by topic. How those of a period sound is tested against how they sounded in the periods
    before, for each topic and for the desk as a whole. With --json every alarm is a line, and every
    conversation that --unhappy lists; the last line says what was read.

    With --follow a line is a conversation, as it stands by now, or one turn with the id of its "conversation"; what
    its lines have as `meta` is put together. A period is tested when a quarter of the next one has passed; what comes
    later counts nowhere, which is told.
    """
    desk = session.open_desk(desk_name)
    from bot.logged_turns import LoggedConversations, redaction_of
    from bot.monitor_view import MonitorScreen
    from bot.monitoring import NO_TOPIC, Monitor
    from bot.periods import Periods
    from bot.progress import Meter
    from bot.watching import WatchedLogs, watch
    from conversations.errors import LogError
    from conversations.readers import log_files

    if not follow:
        # Said before the model is loaded: a wrong path should not cost the wait.
        log_files(logs)
    elif unfit := next((log for log in logs if log.is_dir() or log.suffix == ".gz"), None):
        raise click.UsageError(f"{unfit} cannot be followed: name JSON Lines files, unzipped.")
    screen = MonitorScreen(session.as_json)
    with desk.store() as store:
        with Meter() as meter:
            meter.show("loading the model")
            monitor = Monitor.of_desk(desk, Periods(period, zone), false_alarms, topic_field, unhappiest or 0)
            if not follow:
                logged = LoggedConversations(store, logs, meter.counter("reading"))
                monitor.add(logged.read())
        if follow:
            watched = WatchedLogs(logs, redaction_of(store))
            with screen.live():
                watch(monitor, watched, screen)
            rejected = watched.rejected
        else:
            rejected = logged.rejected
            if not monitor.conversations:
                raise LogError("No conversation could be read.", logged.trouble or "Check that the logs hold any.")
            if logged.trouble:
                screen.tell(logged.trouble)
            for statuses in monitor.close():
                screen.close(statuses)
    if monitor.conversations and not monitor.has_topics:
        screen.tell(f"No conversation has the field {monitor.topic_field}: all are one topic, {NO_TOPIC}.")
    screen.show_unhappy(monitor.unhappy)
    screen.sum_up(monitor, rejected)
