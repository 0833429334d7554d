"""Tables and JSON, whatever is in them."""

from __future__ import annotations

import json

import pytest
from chat_fakes import HOSTILE, assert_harmless, make_console

from bot.output import print_json
from bot.reports import rankers_json, show_rankers, show_report, show_rows

REPORTS = [
    {
        "ranker": name,
        "turns": 120,
        "recall@1": 0.5123,
        "recall@5": 0.7,
        "recall@10": 0.8,
        "mrr": 0.6,
        "coverage": 0.4,
        "accuracy_when_answered": 0.9,
        "ece": 0.03,
        "latency_ms": {"p50": 21.0, "p95": 30.5},
        "turns_per_second": 40.0,
    }
    for name in ("bm25", "cosine", "cross-attention:model-0001")
]


@pytest.mark.parametrize("width", [60, 120, 200])
def test_several_rankers_fit_one_table(width):
    console = make_console(width, terminal=True)
    show_rankers(console, REPORTS, "Replayed against desk acme")
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert text.count("0.512") == 3 and text.count("30.5") == 3
    assert "recall@10" in text


def test_rankers_json_keeps_the_keys_at_the_top():
    assert rankers_json(REPORTS[:1]) == REPORTS[0]
    several = rankers_json(REPORTS)
    assert several["recall@1"] == 0.5123 and several["ranker"] == "bm25"
    assert [row["ranker"] for row in several["rankers"]] == ["bm25", "cosine", "cross-attention:model-0001"]


def test_json_is_ascii_and_has_only_numbers_that_json_has(capsys):
    print_json({"text": HOSTILE, "bad": [float("nan"), float("inf")], "deep": {"x": (1, 2.5)}})
    out = capsys.readouterr().out
    assert out.isascii() and "\x1b" not in out
    assert json.loads(out) == {"text": HOSTILE, "bad": [None, None], "deep": {"x": [1, 2.5]}}


def test_hostile_names_and_values_are_harmless_in_tables():
    console = make_console(60, terminal=True)
    show_report(console, {HOSTILE: HOSTILE}, HOSTILE)
    show_rows(console, [{HOSTILE: HOSTILE}])
    show_rankers(console, [{HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}], HOSTILE)
    text = console.file.getvalue()
    assert_harmless(text)
    assert "[/refund]" in text
