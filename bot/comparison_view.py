"""How a comparison of two replays looks in a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console

from bot.comparison import OF_DECISIONS, TOPICS, Comparison, Difference, Example, Topic
from bot.output import plain
from bot.reports import show_rows

_FIGURES = ("A", "B", "B - A", "95 %", "p")
_LONGEST = 300
"""Characters shown of a text."""


def show_comparison(
    console: Console, found: Comparison, worse: Sequence[Difference] = (), unproven: Sequence[str] = ()
) -> None:
    """Prints figures, topics and examples, then what a guard found.

    Args:
        console: to print on.
        found: by comparing.
        worse: the guarded figures in which the second run is worse, or may be by more than the margin.
        unproven: why nothing could be shown, as sentences.
    """
    console.print(plain(f"A: run {found.first}", "bold"))
    console.print(plain(f"B: run {found.second}", "bold"))
    console.print(plain(f"{found.turns:,} turns of {found.conversations:,} conversations in both"))
    if found.only_first or found.only_second:
        console.print(
            plain(f"left out: {found.only_first:,} turns only in A, {found.only_second:,} only in B", "dim")
        )
    if found.repeated_first or found.repeated_second:
        repeated = f"{found.repeated_first:,} turns of A and {found.repeated_second:,} of B"
        console.print(plain(f"left out: {repeated} that their logs hold once more", "dim"))
    for sentence in found.unlike:
        console.print(plain(sentence))
    if found.too_few:
        console.print(plain(found.too_few))
    console.print()
    show_rows(
        console,
        [
            {
                "": one.metric,
                "A": one.first,
                "B": one.second,
                "B - A": f"{one.difference:+.3f}",
                "95 %": f"{one.low:+.3f} {one.high:+.3f}" if math.isfinite(one.low) else "-",
                "p": "<.001" if one.p < 0.001 else f"{one.p:.3f}",
                "B is": one.verdict,
            }
            for one in found.differences
        ]
        + [{"": name, **dict.fromkeys(_FIGURES, "-"), "B is": ""} for name in OF_DECISIONS if found.undecided],
    )
    if found.undecided:
        console.print(plain(f"-: {found.undecided}", "dim"))
    console.print(plain("of p .05 one in twenty is chance; answered_wrong and brier are better when lower", "dim"))
    console.print()
    shares = (f"{count:,} ({count / found.turns:.0%})" for count in (found.wins, found.ties, found.losses))
    console.print(plain("B ranks the right answer higher, alike, lower: " + ", ".join(shares)))
    if len(found.topics) > 1:
        gained = [topic for topic in found.topics if topic.wins > topic.losses][:TOPICS]
        lost = [topic for topic in reversed(found.topics) if topic.losses > topic.wins][:TOPICS]
        _show_topics(console, "Topics that gained, by recall@1", gained)
        _show_topics(console, "Topics that lost", lost)
    _show_examples(console, "Ranked higher by B", found.gained)
    _show_examples(console, "Ranked lower by B", found.lost)
    _show_guard(console, worse, unproven)


def _show_guard(console: Console, worse: Sequence[Difference], unproven: Sequence[str]) -> None:
    surely = [one.metric for one in worse if one.verdict == "worse"]
    maybe = [one.metric for one in worse if one.verdict != "worse"]
    said = [f"B is worse in {', '.join(surely)}."] if surely else []
    said += [f"That B is worse by more than the margin is not ruled out in {', '.join(maybe)}."] if maybe else []
    said += [f"This proves nothing: {why}" for why in unproven]
    if said:
        console.print()
    for sentence in said:
        console.print(plain(sentence, "bold"))


def _show_topics(console: Console, title: str, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    console.print()
    console.print(plain(title, "bold"))
    rows = [
        {"topic": one.topic, "turns": one.turns, "A": one.first, "B": one.second, "won": one.wins, "lost": one.losses}
        for one in topics
    ]
    show_rows(console, rows)


def _show_examples(console: Console, title: str, examples: Sequence[Example]) -> None:
    if not examples:
        return
    console.print()
    console.print(plain(title, "bold"))
    for one in examples:
        console.print(plain(f"{one.conversation}, turn {one.turn}: {_cut(one.question)}"))
        console.print(plain(f"  agent  {_cut(one.agent)}"))
        console.print(plain(f"  A      {_cut(one.first)}  (right one {_place(one.first_rank)})", "dim"))
        console.print(plain(f"  B      {_cut(one.second)}  (right one {_place(one.second_rank)})", "dim"))


def _cut(text: str) -> str:
    words = " ".join(text.split()) or "(nothing)"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _place(rank: int) -> str:
    return f"at {rank}" if rank else "not ranked"
