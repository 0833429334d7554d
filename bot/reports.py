"""What commands report: the JSON that scripts rely on, and tables that fit 60 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from bot.output import plain

if TYPE_CHECKING:
    from bot.answers import Answer, Explanation, RankedAnswer
    from bot.early_warning import EarlyWarning
    from conversations.model import Turn

_HEADINGS = {
    "accuracy_when_answered": "accuracy",
    "answered_right": "answered right",
    "answered_right_other_figure": "another figure, of answered right",
    "decisions answer": "answered",
    "decisions ask": "asked back",
    "decisions handoff": "handed over",
    "latency_ms p50": "p50 ms",
    "latency_ms p95": "p95 ms",
    "turns_per_second": "turns/s",
    "in_scope_accuracy": "in scope",
    "out_of_scope_recall": "out of scope",
    "ece_noise": "ece noise",
    "ece_excess": "ece excess",
    "ece_p": "ece p",
    "careful_coverage": "cov. at 5 %",
    "in_desk": "in the desk",
    "under_other_ids": "under other ids",
    "not_placed": "not placed",
    "sure": "80 % sure",
    "right_when_sure": "then right",
}
"""Shorter names for tables. Accuracy is that of the turns that were answered, answered right the share of all turns;
`careful_coverage` the share that could be answered with 5 % of the answers wrong; the noise the ECE that a perfect
confidence would show on as many, the excess what the ECE is beyond that, and its p how likely a perfect confidence
shows at least this ECE.
"""
_RANKING = {name: f"ranking {name}" for name in ("recall@1", "recall@5", "recall@10", "mrr")}
_RANKING["recall@1_other_figure"] = "another figure, of ranking recall@1"
"""Of a replay, which also tells what was answered: these tell how the answers were ranked, whatever was decided."""
_ANY_WIDTH = 10_000
UNDECIDED = "-: no desk answers with this ranker, and no confidence was fitted to it: it only orders the answers."


def answer_json(answer: Answer, warnings: Sequence[EarlyWarning] = ()) -> dict[str, Any]:
    """An answer as `ask --json` prints it; turns of conversations are counted from 0.

    Args:
        answer: with the mood of the customer's last turn.
        warnings: that this turn raised.
    """
    return {
        "answer": answer.answer,
        "decision": answer.decision,
        "confidence": answer.confidence,
        "reason": answer.reason,
        "candidates": [candidate_json(candidate, answer.chance(candidate)) for candidate in answer.candidates],
        "new_topic": answer.is_new_topic,
        "mood": None if answer.mood is None else {**asdict(answer.mood), "score": answer.mood.score},
        "warnings": [warning.as_json() for warning in warnings],
        "timings_ms": answer.timings_ms,
    }


def candidate_json(candidate: RankedAnswer, chance: float) -> dict[str, Any]:
    """A ranked answer; turns of conversations are counted from 0.

    Args:
        candidate: the answer.
        chance: that it is right; see `bot.answers.Answer.chance`.
    """
    return {
        "answer_id": candidate.answer_id,
        "text": candidate.text,
        "weight": candidate.weight,
        "chance": chance,
        "retrieval_score": candidate.retrieval_score,
        "evidence": [{"conversation": one.conversation, "turn": one.turn} for one in candidate.evidence],
    }


def why_json(turns: Sequence[Turn], explanation: Explanation) -> dict[str, Any]:
    """An explanation; its fields are those of `bot.answers.Explanation`.

    Args:
        turns: what was explained an answer to; "turn" counts them from 0, and is -1 for what the customer said and
            was told in earlier conversations; "said" is one of several things that the customer asked in a row.
        explanation: of one candidate.
    """
    about = explanation.about
    return {
        "why": {
            "turns": [{"role": turn.role, "text": turn.text} for turn in turns],
            "about": None if about is None else candidate_json(about, explanation.confidence),
            "confidence": explanation.confidence,
            **({"gone": explanation.gone} if explanation.gone else {}),
            "words": [{"word": word, "share": share, "turn": turn} for word, share, turn in explanation.words],
            "without_turn": [
                {"said" if isinstance(left, str) else "turn": left, "confidence": chance}
                for left, chance in explanation.without_turn
            ],
            "signals": explanation.signals,
            "runner_up": explanation.runner_up,
        }
    }


def rankers_json(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The report of one ranker; of several, the first one's with all of them under "rankers"."""
    first = dict(reports[0])
    return first if len(reports) == 1 else first | {"rankers": [dict(report) for report in reports]}


def flat(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report with its nested measures named in full.

    >>> flat({"mrr": 0.5, "latency_ms": {"p50": 9.0}})
    {'mrr': 0.5, 'latency_ms p50': 9.0}
    """
    found: dict[str, Any] = {}
    for name, value in report.items():
        if isinstance(value, Mapping):
            found |= {f"{name} {inner}": item for inner, item in flat(value).items()}
        elif not isinstance(value, list | tuple):
            found[name] = value
    return found


def figure(value: object) -> str:
    """A number or word for a table.

    >>> figure(0.98765), figure(1234.5), figure(0.0003), figure(120_000), figure(None)
    ('0.988', '1234.5', '0.0003', '120000', '-')
    """
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if 0 < abs(value) < 0.0005:
            return f"{value:.1g}"
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def show_report(console: Console, report: Mapping[str, Any], title: str = "") -> None:
    """Prints one report, a measure a line."""
    _show_title(console, title)
    table = _table()
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in flat(report).items():
        table.add_row(plain(name), plain(figure(value)))
    table.show_header = False
    console.print(table)


def show_rankers(console: Console, reports: Sequence[Mapping[str, Any]], title: str = "") -> None:
    """Prints several rankers in one table: a row each where the terminal is wide enough, otherwise a column each."""
    rows = [{_HEADINGS.get(name, name): value for name, value in flat(report).items()} for report in reports]
    if len(rows) == 1:
        show_report(console, rows[0], title)
        return
    _show_title(console, title)
    # In the order of the fullest row: what only some have, such as an attack, then stands where it belongs.
    names = list(dict.fromkeys(name for row in sorted(rows, key=len, reverse=True) for name in row))
    lines = [names, *([figure(row.get(name)) for name in names] for row in rows)]
    table = _grid(lines)
    if console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum > console.width:
        table = _grid([list(column) for column in zip(*lines, strict=True)])
    console.print(table)


def show_replays(
    console: Console, desk_name: str, reports: Sequence[Mapping[str, Any]], pages: Sequence[Path]
) -> None:
    """Prints the figures of replays, and where their pages were written."""
    named = [{_RANKING.get(name, name): value for name, value in report.items()} for report in reports]
    show_rankers(console, named, f"Replayed against desk {desk_name}")
    if any(report["coverage"] is None for report in reports):
        console.print(plain(UNDECIDED, "dim"))
    for page in pages:
        console.print(plain(f"Report: {page}"), soft_wrap=True)


def show_rows(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Prints rows under their common column names."""
    table = _table()
    for name in rows[0] if rows else ():
        table.add_column(plain(name), overflow="fold")
    for row in rows:
        table.add_row(*(plain(figure(value)) for value in row.values()))
    console.print(table)


def _grid(lines: Sequence[Sequence[str]]) -> Table:
    """A table whose first line is its heading."""
    table = _table()
    for place, name in enumerate(lines[0]):
        table.add_column(plain(name), justify="left" if place == 0 else "right", overflow="fold")
    for line in lines[1:]:
        table.add_row(*(plain(cell) for cell in line))
    return table


def _show_title(console: Console, title: str) -> None:
    if title:
        console.print(plain(title, "bold"))


def _table() -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
