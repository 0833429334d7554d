"""Gaps: what is asked and not covered, on a small real desk; and how they look."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.coverage import GUESS, covered_from
from bot.gaps import Gap, GapReport, find_gaps, group_alike
from bot.pipeline import Pipeline
from bot.present import gaps_view
from conversations.desk import Desk
from conversations.errors import LogError
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from index.twins import MOST_COPIES

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


def open_desk(folder, pairs):
    """A desk of questions and answers, each in a conversation of its own: past-0, past-1, ..."""
    past = [
        {"id": f"past-{n}", "turns": [{"role": "customer", "text": q}, {"role": "agent", "text": a}]}
        for n, (q, a) in enumerate(pairs)
    ]
    (folder / "past.jsonl").write_text("".join(json.dumps(row) + "\n" for row in past))
    desk = Desk.create(folder / "home", "lamps")
    with desk.writing(), desk.store() as store:
        import_logs(store, [folder / "past.jsonl"], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk


def log(path, rows):
    lines = []
    for number, (question, name) in enumerate(rows):
        turns = [{"role": "customer", "text": question}, {"role": "agent", "text": f"I will find out, {number}."}]
        lines.append(json.dumps({"id": name, "turns": turns}))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return open_desk(tmp_path_factory.mktemp("gaps"), KNOWN)


@pytest.fixture
def pipeline(desk):
    with Pipeline.open(desk) as pipeline:
        yield pipeline


def found(pipeline, path, **more):
    report, trouble = find_gaps(pipeline, [path], **more)
    assert not trouble
    return report


def test_what_is_not_covered_is_grouped_and_the_biggest_group_comes_first(pipeline, tmp_path):
    report = found(pipeline, log(tmp_path / "week.jsonl", ASKED))
    assert (report.turns, report.uncovered, report.grouped) == (5, 4, 4)
    norway, plastic = report.gaps
    assert norway.questions == norway.conversations == 3
    assert set(norway.examples) == {question for question, _ in ASKED[:3]}
    assert plastic.examples == ("Are your lamps made of recycled plastic?",)
    assert 0 < norway.nearness < report.covered_from == GUESS


def test_a_conversation_of_the_desk_does_not_cover_itself(pipeline, tmp_path):
    covered = found(pipeline, log(tmp_path / "a.jsonl", [(KNOWN[0][0], "another")]))
    itself = found(pipeline, log(tmp_path / "b.jsonl", [(KNOWN[0][0], "past-0")]))
    assert (covered.uncovered, itself.uncovered) == (0, 1)


def exchange(question, *more):
    said = (question, "It comes today.", *more)
    return {"turns": [{"role": ("customer", "agent")[place % 2], "text": text} for place, text in enumerate(said)]}


def uncovered(tmp_path, past, logged):
    """Of a desk of these conversations and others, how many messages of another are new."""
    desk = open_desk(tmp_path, KNOWN[1:])
    for name, lines in (("own", past), ("log", [logged])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with desk.writing(), desk.store() as store:
        import_logs(store, [tmp_path / "own.jsonl"], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    with Pipeline.open(desk) as pipeline:
        return found(pipeline, tmp_path / "log.jsonl").uncovered


def test_what_a_conversation_was_before_it_grew_does_not_cover_it(tmp_path):
    grown = exchange("where is my order?", "thanks", "you're welcome")
    assert uncovered(tmp_path, [exchange("where is my order?")], grown) == 1


def test_what_many_asked_in_the_same_words_is_covered(tmp_path):
    asked = exchange("Is tax included when I rent a piano?")
    many = [asked | {"id": f"a-{number}"} for number in range(MOST_COPIES + 1)]
    assert uncovered(tmp_path, many, asked | {"id": "b"}) == 0


def test_all_turns_covered_is_no_gap_and_no_turn_is_an_error(pipeline, tmp_path):
    assert found(pipeline, log(tmp_path / "known.jsonl", [("Where is my parcel?", "x")])).gaps == ()
    nobody = tmp_path / "nobody.jsonl"
    nobody.write_text('{"id": "1", "turns": [{"role": "agent", "text": "We are closed today."}]}\nno JSON\n')
    with pytest.raises(LogError, match=r"No customer turn.*nobody.jsonl:2: broken JSON"):
        find_gaps(pipeline, [nobody])


def test_questions_that_nobody_answered_count_and_those_after_an_answer(pipeline, tmp_path):
    turns = [
        {"role": "customer", "text": "Do you deliver"},
        {"role": "customer", "text": "to Norway?"},
        {"role": "agent", "text": "I will find out."},
        {"role": "customer", "text": "Are your lamps made of recycled plastic?"},
    ]
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"id": "a", "turns": turns}) + "\nno JSON\n")
    report, trouble = find_gaps(pipeline, [path])
    assert (report.turns, report.rejected) == (2, 1) and "log.jsonl:2" in trouble
    assert {gap.examples for gap in report.gaps} == {
        ("Do you deliver to Norway?",),
        ("Are your lamps made of recycled plastic?",),
    }


def test_courtesy_and_what_agents_asked_for_are_no_gaps(pipeline, tmp_path):
    said = ["Hello there!", "LW-4821735", "Sure: LW-4821735, Margaret Hollis, 020 7946 0958", "Thanks a lot, bye!"]
    turns = [{"role": role, "text": text} for text in said for role, text in (("customer", text), ("agent", "And?"))]
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"id": "a", "turns": turns}) + "\n")
    report = found(pipeline, path)
    assert (report.turns, report.asks_nothing, report.gaps) == (0, 4, ())


THINGS = [
    *("lamp", "desk", "chair", "sofa", "radio", "fridge", "kettle", "carpet"),
    *("mirror", "curtain", "printer", "phone", "oven", "bicycle", "piano", "tent"),
]
UNLIKE = [
    *("Can I pay by transfer?", "Where is my parcel?", "Is the glass safe for children?", "Who won the match?"),
    *("I forgot my password.", "Does the sofa fit through a narrow door?", "How warm does the oven get?"),
    *("May I bring my dog?", "When do you open on Sundays?", "Do you hire drivers?", "Which battery is it?"),
    *("What is your VAT number?", "The printer smells of smoke.", "Can a friend collect for me?", "Is it wool?"),
    *("How do I close my account?", "Do students get a discount?", "Are the beans vegan?", "Who fixes pianos?"),
    *("Why was I charged in dollars?", "Is there a loyalty card?", "My tent leaks in rain.", "The red light blinks."),
    *("How heavy is the mirror?", "Can I rent a bicycle?", "Is tax included?", "Will the concert be streamed?"),
    *("How long is the cable?", "I never ordered this kettle.", "Do you print on mugs?", "Can the visa be extended?"),
    *("Which airports do you fly to?", "Is the lake deep enough to swim?"),
]


@pytest.mark.parametrize(
    ("pairs", "least", "most"),
    [
        # Each asked in two ways and answered alike: nine in ten of the ways must count as known.
        ([(ask.format(one), f"The {one} comes on Monday.") for one in THINGS
          for ask in ("Where is my {}?", "When will the {} I ordered come?")], 0.4, 0.9),
        # Each asked once: what is no nearer than these are to one another is new.
        ([(question, f"Answer {place}: {question}") for place, question in enumerate(UNLIKE)], 0.25, 0.5),
    ],
)  # fmt: skip
def test_what_counts_as_known_is_chosen_on_the_desks_own_past(tmp_path, pairs, least, most):
    with Pipeline.open(open_desk(tmp_path, pairs)) as pipeline:
        assert least < covered_from(pipeline.store, pipeline.embedder, pipeline.retriever) < most
        new = [("Which vaccine does my cat need?", "new"), (pairs[3][0].lower(), "old")]
        report = found(pipeline, log(tmp_path / "week.jsonl", new))
    assert [gap.examples for gap in report.gaps] == [(new[0][0],)]


def test_a_limit_and_few_examples(pipeline, tmp_path):
    report = found(pipeline, log(tmp_path / "week.jsonl", ASKED), limit=2, examples=1)
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
    console.print(gaps_view(GapReport(5000, 70, 4500, 0.4, 4000, 0, gaps), 1))
    text = console.file.getvalue()
    assert "4,500 of 5,000 customer turns (90 %) are like nothing asked" in text
    assert "70 others ask nothing" in text
    assert "The first 4,000 of them" in text
    assert "1,200  Do you deliver to [bold]Norway?" in text
    assert "in 900 conversations, nearest past question 21 %" in text
    assert "made of what" not in text and "1 more groups with 3 turns" in text


def test_a_conversation_under_another_id_does_not_cover_itself(tmp_path):
    question = "Is your oak table treated with linseed oil or with some kind of varnish?"
    past = [*KNOWN, (question, "With linseed oil, twice a year.")]
    with Pipeline.open(open_desk(tmp_path, past)) as pipeline:
        turns = [{"role": "customer", "text": question}, {"role": "agent", "text": past[-1][1]}]
        own, copy = tmp_path / "own.jsonl", tmp_path / "copy.jsonl"
        own.write_text(json.dumps({"id": "past-3", "turns": turns}))
        copy.write_text(json.dumps({"id": "exported-3", "turns": turns}))
        assert found(pipeline, own).uncovered == found(pipeline, copy).uncovered == 1
