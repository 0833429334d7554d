"""Gaps: what is asked and not covered, on a small real desk; and how they look."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.gaps import Gap, GapReport, find_gaps, group_alike
from bot.pipeline import Pipeline
from bot.present import gaps_view
from conversations.desk import Desk
from conversations.errors import LogError
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder

KNOWN = [
    ("Where is my parcel?", "Please send me the order number and I will look it up."),
    ("How do I send a lamp back?", "Print the free label in your account and drop the parcel at any shop."),
    ("I forgot my password.", "Use the link under 'forgot password'; it is valid for half an hour."),
]
ASKED = [
    ("Do you deliver to Norway?", "a"),
    ("Can you ship to Oslo in Norway?", "b"),
    ("Is shipping to Norway possible?", "c"),
    ("Where is my parcel?", "d"),
    ("Are your lamps made of recycled plastic?", "e"),
]


def log(path, rows):
    lines = []
    for number, (question, name) in enumerate(rows):
        turns = [{"role": "customer", "text": question}, {"role": "agent", "text": f"I will find out, {number}."}]
        lines.append(json.dumps({"id": name, "turns": turns}))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaps")
    past = [
        {"id": f"past-{n}", "turns": [{"role": "customer", "text": q}, {"role": "agent", "text": a}]}
        for n, (q, a) in enumerate(KNOWN)
    ]
    (folder / "past.jsonl").write_text("".join(json.dumps(row) + "\n" for row in past))
    desk = Desk.create(folder / "home", "lamps")
    with desk.writing(), desk.store() as store:
        import_logs(store, [folder / "past.jsonl"], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk


@pytest.fixture
def pipeline(desk):
    with Pipeline.open(desk) as pipeline:
        # Three answers cannot be calibrated: here it answers when a question is nearly one that was asked before.
        pipeline.decision = NearEnough()
        yield pipeline


class NearEnough:
    threshold = 0.8

    def confidence(self, ranked):
        return max(entry.candidate.signals[1] for entry in ranked)


def test_what_is_not_covered_is_grouped_and_the_biggest_group_comes_first(pipeline, tmp_path):
    report = find_gaps(pipeline, [log(tmp_path / "week.jsonl", ASKED)])
    assert (report.turns, report.uncovered, report.grouped) == (5, 4, 4)
    norway, plastic = report.gaps
    assert norway.questions == norway.conversations == 3
    assert set(norway.examples) == {question for question, _ in ASKED[:3]}
    assert plastic.examples == ("Are your lamps made of recycled plastic?",)
    assert 0 <= norway.confidence < NearEnough.threshold


def test_a_conversation_of_the_desk_does_not_cover_itself(pipeline, tmp_path):
    covered = find_gaps(pipeline, [log(tmp_path / "a.jsonl", [(KNOWN[0][0], "another")])])
    itself = find_gaps(pipeline, [log(tmp_path / "b.jsonl", [(KNOWN[0][0], "past-0")])])
    assert (covered.uncovered, itself.uncovered) == (0, 1)


def test_all_turns_covered_is_no_gap_and_no_turn_is_an_error(pipeline, tmp_path):
    assert find_gaps(pipeline, [log(tmp_path / "known.jsonl", [("Where is my parcel?", "x")])]).gaps == ()
    nobody = tmp_path / "nobody.jsonl"
    nobody.write_text('{"id": "1", "turns": [{"role": "customer", "text": "hello?"}]}\n')
    with pytest.raises(LogError, match="No customer turn"):
        find_gaps(pipeline, [nobody])


def test_a_limit_and_few_examples(pipeline, tmp_path):
    report = find_gaps(pipeline, [log(tmp_path / "week.jsonl", ASKED)], limit=2, examples=1)
    assert report.turns == 2
    assert [len(gap.examples) for gap in report.gaps] == [1]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 12), st.integers(0, 2**31))
def test_every_question_is_in_one_group(count, seed):
    vectors = np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = group_alike(vectors)
    assert sorted(row for group in groups for row in group) == list(range(count))


def test_the_command_in_json_and_with_a_wrong_path(desk, tmp_path, capsys):
    home = str(desk.path.parent.parent)

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["gaps", "--desk", "lamps", "--home", home, *map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    code, out, _ = call(log(tmp_path / "week.jsonl", ASKED), "--json", "--most", "1")
    report = json.loads(out)
    assert code == 0 and report["turns"] == 5 and len(report["gaps"]) <= 1
    code, _, err = call(tmp_path / "nowhere.jsonl")
    assert code == 1 and "nowhere.jsonl" in err


def test_how_gaps_look():
    from io import StringIO

    from rich.console import Console

    gaps = (Gap(1200, 900, 0.21, ("Do you deliver\nto [bold]Norway?", "Oslo?")), Gap(3, 3, 0.1, ("made of what",)))
    console = Console(file=StringIO(), width=60, color_system=None)
    console.print(gaps_view(GapReport(5000, 4500, 4000, gaps), 1))
    text = console.file.getvalue()
    assert "4,500 of 5,000 customer turns (90 %) would be handed over." in text
    assert "The first 4,000 of them" in text
    assert "1,200  Do you deliver to [bold]Norway?" in text
    assert "in 900 conversations, nearest past answer 21 %" in text
    assert "made of what" not in text and "1 more groups with 3 turns" in text
