"""A replay tells the truth: a leak would be caught, and wrong labels score as chance does."""

from __future__ import annotations

import json
import random
from importlib import resources

import numpy as np
import pytest

import index.retriever
from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from index.equality import AnswerEquality
from index.twins import MOST_COPIES

QUESTION = "The dimmer of my Aurora lamp hums when I turn it down, what can I do about it?"
OWN = "Please swap the dimmer for model D4; the hum comes from the old one."
LATER = "A firmware update stops the humming: hold the knob for six seconds."
EARLIER = "Send us a video of the humming and we look into it."


def conversation(name, day, answer, question=QUESTION):
    at = f"2025-03-{day:02d}T09:00:00Z"
    turns = [{"role": "customer", "text": question, "at": at}, {"role": "agent", "text": answer, "at": at}]
    return {"id": name, "turns": turns}


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def desk_of(tmp_path, log):
    desk = Desk.create(tmp_path / "home", "lamps")
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    return desk


@pytest.fixture
def planted(tmp_path):
    """A desk that holds the replayed conversation itself, one before it and one after it."""
    past = [conversation("before", 1, EARLIER), conversation("mine", 10, OWN), conversation("after", 20, LATER)]
    return desk_of(tmp_path, write(tmp_path / "past.jsonl", past))


def ranks(desk, log, **settings):
    with Pipeline.open(desk, "retrieval") as pipeline:
        run = replay(pipeline, [log], **settings).run
    with desk.replays() as replays:
        return replays.numbers(run, ["rank", "is_known"])


@pytest.mark.parametrize(
    ("answer", "as_of", "is_found"),
    [
        (OWN, False, False),
        (OWN, True, False),
        (LATER, False, True),
        (LATER, True, False),
        (EARLIER, False, True),
        (EARLIER, True, True),
    ],
)
def test_an_answer_of_the_same_conversation_or_of_the_future_is_not_found(planted, tmp_path, answer, as_of, is_found):
    found = ranks(planted, write(tmp_path / "new.jsonl", [conversation("mine", 10, answer)]), as_of=as_of)
    assert (found["rank"] > 0).tolist() == (found["is_known"] > 0).tolist() == [is_found]


def talk(name, turns, *said):
    """So many turns of a conversation without times; without a name it is named after what is said."""
    parts = (QUESTION, EARLIER, "Here it is, Leanne filmed it.", OWN, *said)
    roles = ("customer", "agent", "customer", "agent", "customer", "agent")
    told = [{"role": role, "text": text} for role, text in zip(roles, parts, strict=False)][:turns]
    return ({"id": name} if name else {}) | {"turns": told}


def brief(count, said="where is my order?", **more):
    """So many turns of one that is named after what is said, with few words in it."""
    told = (said, OWN, "thanks", "you're welcome")
    turns = [{"role": role, "text": text} for role, text in zip(["customer", "agent"] * 2, told, strict=True)]
    return more | {"turns": turns[:count]}


def exported(conversation, *first, typographic=False):
    """The same as another program exports it: with what an agent says first, in other quotes, without full stops."""
    told = [{"role": "agent", "text": text} for text in first]
    for turn in conversation["turns"]:
        text = turn["text"]
        told.append(turn | {"text": f" {text.replace(chr(39), chr(8217)).rstrip('.!?')}" if typographic else text})
    return conversation | {"turns": told}


HELLO = "Hello, you are now connected with our support team."
MORE = ("Works, thanks! And does it suit the kitchen lamp?", LATER)


@pytest.mark.parametrize(
    ("past", "log", "own"),
    [
        (talk(None, 4), talk(None, 6, *MORE), 2),
        (talk(None, 2), talk(None, 6, *MORE), 1),
        (talk(None, 6, *MORE), talk(None, 4), 2),
        (talk("a-1", 4), talk("b-1", 4), 2),
        (talk("a-1", 6, "Works, my name is Leanne.", "Good-bye!"), talk("b-1", 4), 2),
        (conversation("a-1", 1, OWN), conversation("b-1", 1, OWN), 1),
        (talk("a-1", 4), exported(talk("b-1", 4), HELLO), 2),
        (exported(talk("a-1", 4), HELLO, "How can I help?"), talk("b-1", 4), 2),
        (talk("a-1", 4), exported(talk("b-1", 4), typographic=True), 2),
        (
            brief(4, "Where's the order that I've paid for?"),
            exported(brief(4, "Where's the order that I've paid for?", id="b"), HELLO, typographic=True),
            1,
        ),
        (brief(2), brief(4), 1),
        (brief(2, "I'm Jo Marsh, hello?"), brief(4, "I'm Jo Marsh, hello?"), 1),
    ],
    ids=[
        *("grown", "grown from one exchange", "cut", "other id", "a name said later", "other id, with times"),
        *("greeted", "greeted in the desk", "other punctuation", "greeted, other quotes"),
        *("grown from a few words", "grown from a name and a few words"),
    ],
)
def test_a_conversation_does_not_find_itself_under_another_id(tmp_path, past, log, own):
    desk = desk_of(
        tmp_path, write(tmp_path / "past.jsonl", [past, conversation("else", 2, LATER, "Is it dimmable?")])
    )
    with Pipeline.open(desk, "retrieval") as pipeline:
        report = replay(pipeline, [write(tmp_path / "new.jsonl", [log])])
    with desk.replays() as replays:
        assert not replays.numbers(report.run, ["rank"])["rank"][:own].any()
    assert (report.conversations, report.in_desk, report.under_other_ids) == (1, 1, 1)


@pytest.mark.parametrize(
    ("past", "log"),
    [
        (talk("a-1", 4), talk("b-1", 2) | {"turns": [*talk("", 2)["turns"][:1], {"role": "agent", "text": OWN}]}),
        (conversation("a-1", 1, OWN), conversation("b-1", 9, OWN)),
        (conversation("a-1", 1, OWN, "Hello"), conversation("b-1", 1, OWN, "hello")),
        (conversation("a-1", 1, OWN, "Hi, I am Jo Marsh"), conversation("b-1", 1, OWN, "Hi, I am Ann Bell")),
        (brief(2, customer="c-1"), brief(3, customer="c-2")),
    ],
    ids=["another answer", "a week later", "a greeting", "a name", "another customer"],
)
def test_strangers_who_open_alike_are_not_hidden(tmp_path, past, log):
    desk = desk_of(tmp_path, write(tmp_path / "past.jsonl", [past]))
    with Pipeline.open(desk, "retrieval") as pipeline:
        report = replay(pipeline, [write(tmp_path / "new.jsonl", [log])])
    assert (report.known, report.in_desk, report.under_other_ids) == (1.0, 0, 0)


def test_so_many_who_ask_one_thing_in_the_same_words_are_not_one(tmp_path):
    past = [talk(f"a-{number}", 2) for number in range(MOST_COPIES + 2)]
    desk = desk_of(tmp_path, write(tmp_path / "past.jsonl", past))
    with Pipeline.open(desk, "retrieval") as pipeline:
        report = replay(pipeline, [write(tmp_path / "new.jsonl", [talk("b-1", 2), talk("a-1", 2)])])
    assert (report.known, report.in_desk, report.under_other_ids) == (1.0, 1, 0)


def test_the_planted_answers_are_there_to_be_found_where_nothing_is_hidden(planted, tmp_path, monkeypatch):
    """What the test above would see of a leak."""
    monkeypatch.setattr(index.retriever.Retriever, "_links_seen", lambda retriever, own, moment: retriever._links)
    for answer in (OWN, LATER):
        log = write(tmp_path / "new.jsonl", [conversation("mine", 10, answer)])
        assert (ranks(planted, log, as_of=True)["rank"] > 0).all()


@pytest.mark.parametrize(("times", "is_found", "not_placed"), [("agent", False, 0), ("", True, 1)])
def test_as_of_its_day_is_as_of_the_first_turn_that_names_a_time(planted, tmp_path, times, is_found, not_placed):
    line = conversation("new", 10, LATER, "What stops the humming of my lamp when it is dimmed?")
    for turn in line["turns"]:
        turn["at"] = turn["at"] if turn["role"] == times else "some time"
    with Pipeline.open(planted, "retrieval") as pipeline:
        report = replay(pipeline, [write(tmp_path / "new.jsonl", [line])], as_of=True)
    assert (report.known, report.not_placed) == (is_found, not_placed)


ASKS = {"role": "customer", "text": QUESTION}
GETS = {"role": "agent", "text": LATER}


@pytest.mark.parametrize(
    ("name", "turns", "not_placed"),
    [
        ("mine", [ASKS, GETS], 0),
        ("copy", [ASKS, GETS | {"text": OWN}, ASKS | {"text": "That did nothing, what else?"}, GETS], 0),
        ("new", [ASKS, GETS], 1),
    ],
)
def test_on_a_desk_without_times_what_it_got_after_the_conversation_itself_is_hidden(
    tmp_path, name, turns, not_placed
):
    table = ["conversation_id,role,text", f'mine,customer,"{QUESTION}"', f'mine,agent,"{OWN}"']
    table += ["after,customer,Is the kitchen lamp dimmable?", f'after,agent,"{LATER}"']
    (tmp_path / "past.csv").write_text("\n".join(table))
    desk = desk_of(tmp_path, tmp_path / "past.csv")
    line = {"id": name, "turns": [turn | {"at": "2025-03-10T09:00:00Z"} for turn in turns]}
    with Pipeline.open(desk, "retrieval") as pipeline:
        report = replay(pipeline, [write(tmp_path / "new.jsonl", [line])], as_of=True)
    with desk.replays() as replays:
        *_, last = replays.turns(report.run, range(report.turns))
    assert last.is_known == (last.rank > 0) == (report.not_placed == 1) == bool(not_placed)
    assert any("1 of 1 conversations are not in the desk" in one for one in report.remarks) == bool(not_placed)


def test_the_customer_is_not_known_by_what_they_said_later(planted, tmp_path):
    """Neither in a later conversation nor in a later part of an earlier one."""
    seen = []
    at = ["2025-03-09T09:00:00Z", "2025-03-09T09:01:00Z", "2025-03-10T04:30:00-05:00", "2025-03-10T04:31:00-05:00"]
    said = zip(("customer", "agent", "customer", "agent"), ("one", "two", "three", "four"), at, strict=True)
    early = {"id": "early", "turns": [{"role": role, "text": text, "at": when} for role, text, when in said]}
    late = conversation("late", 15, "five", "six")
    with planted.writing(), planted.store() as store:
        log = write(tmp_path / "visits.jsonl", [one | {"customer": "c-1"} for one in (early, late)])
        import_logs(store, [log], redact=True, rejects_dir=planted.rejects_path)
        update_index(planted.index_path, store, Embedder())
    with Pipeline.open(planted, "retrieval") as pipeline:
        answer_many = pipeline.answer_many
        pipeline.answer_many = lambda requests: (seen.extend(requests), answer_many(requests))[1]
        replay(
            pipeline, [write(tmp_path / "n.jsonl", [conversation("n", 10, OWN) | {"customer": "c-1"}])], as_of=True
        )
    assert {tuple(turn.text for turn in request.earlier) for request in seen} == {("one", "two")}


@pytest.mark.slow
def test_shuffled_answers_score_at_chance(tmp_path):
    """Chance: how often what was said would equal the answer of any other turn."""
    sample = resources.files("conversations.sample")
    desk = desk_of(tmp_path, sample.joinpath("past.jsonl"))
    lines = [json.loads(line) for line in sample.joinpath("replay.jsonl").read_text(encoding="utf-8").splitlines()]
    agents = [turn for line in lines for turn in line["turns"] if turn["role"] == "agent"]
    texts = [turn["text"] for turn in agents]
    random.Random(5).shuffle(texts)
    for turn, text in zip(agents, texts, strict=True):
        turn["text"] = text
    with Pipeline.open(desk, "retrieval") as pipeline:
        right = replay(pipeline, [sample.joinpath("replay.jsonl")])
        wrong = replay(pipeline, [write(tmp_path / "shuffled.jsonl", lines)])
        equality = AnswerEquality(pipeline.store.answers())
    with desk.replays() as replays:
        turns = replays.turns(wrong.run, range(wrong.turns))
    equal = equality.equal([turn.agent_answer for turn in turns])
    hits = np.array([[turn.said in right_ones for right_ones in equal] for turn in turns])
    chance = hits.mean()
    error = np.sqrt(chance * (1 - chance) / wrong.turns)
    assert abs(wrong.recall_at_1 - chance) < 4 * error
    assert right.recall_at_1 > chance + 4 * error
