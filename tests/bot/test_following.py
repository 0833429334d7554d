"""A log that grows, stops in the middle of a line, is cut, replaced, and holds whatever it holds."""

from __future__ import annotations

import json
import os

import pytest
from chat_fakes import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue import LONGEST_MESSAGE
from bot.following import Began, FollowedLog, Met, Named, Said
from bot.growing_log import AT_ONCE, LONGEST_LINE, Trouble
from conversations.model import Turn


def line(role="customer", text="hello", **more):
    return json.dumps({"role": role, "text": text, **more}, ensure_ascii=False) + "\n"


def write(path, text, how="a"):
    with path.open(how, encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def texts(events):
    return [event.turn.text for event in events if isinstance(event, Said)]


def troubles(events):
    return [event.text for event in events if isinstance(event, Trouble)]


def test_turns_come_as_the_file_grows(path, log):
    write(path, line(text="one", at="2025-02-18T12:04:10Z") + line("agent", "two", agent="Maren"))
    assert log.poll() == [
        Said(Turn("customer", "one", "2025-02-18T12:04:10Z")),
        Said(Turn("agent", "two", None, "Maren")),
    ]
    assert log.poll() == []
    write(path, line(text="three"))
    assert texts(log.poll()) == ["three"]


def test_it_is_known_whether_the_log_named_a_customer(path, log):
    write(path, line() + line(text="mine", conversation="2"))
    log.poll()
    assert not log.has_named_customer
    write(path, line(customer="c-7") + line(text="another's", conversation="3"))
    log.poll()
    assert log.has_named_customer, "also when the next conversation is nobody's"


def test_a_file_that_is_not_there_yet_is_waited_for_and_said_once(path, log):
    assert troubles(log.poll()) == [f"{path} does not exist yet: waiting for it."]
    assert log.poll() == []
    write(path, line())
    assert texts(log.poll()) == ["hello"]


@pytest.mark.parametrize("whole", [True, False])
def test_half_a_line_waits_for_its_other_half(path, log, whole):
    row = line(text='a "quoted} word')
    write(path, row[:25])
    assert log.poll() == []
    write(path, row[25:].rstrip("\n") if whole else row[25:])
    assert texts(log.poll()) == ['a "quoted} word'], "a whole object counts even before its line ends"
    write(path, ("\n" if whole else "") + line(text="next") + "broken\n")
    events = log.poll()
    assert texts(events) == ["next"] and "line 3:" in troubles(events)[0]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("not json", "broken JSON"),
        ("[1]", "JSON list"),
        ('{"role": "wizard", "text": "a"}', "unknown role"),
        ('{"role": "agent", "text": 5}', "not text"),
        ('{"turns": [{"role": "customer", "text": 1}]}', "turn 1"),
        ('{"turns": 7}', "not a list"),
        ("\udcff\udcfe", "not UTF-8"),
        ("[" * 50_000, "broken JSON"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_read(path, log, bad, reason):
    write(path, line(text="before") + bad + "\n" + line(text="after"))
    events = [event for _ in range(3) for event in log.poll()]
    assert texts(events) == ["before", "after"]
    (said,) = troubles(events)
    assert "line 2:" in said and reason in said


def test_blank_lines_and_messages_of_nobody_say_nothing(path, log):
    write(path, "\n\r\n" + line("system", "Maren joined") + line(text=" \x00 ") + line(text="x"))
    assert texts(log.poll()) == ["x"]


def test_a_line_without_end_does_not_fill_the_memory(path, log):
    write(path, "x" * (3 * LONGEST_LINE) + "\n" + line(text="after"))
    events = [event for _ in range(2 + 3 * LONGEST_LINE // AT_ONCE) for event in log.poll()]
    assert texts(events) == ["after"] and "longer than" in troubles(events)[0]
    assert len(log._log._rest) <= LONGEST_LINE


@pytest.mark.parametrize("how", ["cut", "replaced"])
def test_a_file_cut_or_replaced_repeats_nothing_and_goes_on(path, log, how):
    write(path, line(text="one") + line(text="two"))
    log.poll()
    if how == "cut":
        write(path, line(text="one"), "w")
    else:
        other = path.with_name("other")
        write(other, line(text="one"))
        other.replace(path)
    assert "read from its beginning" in troubles(log.poll())[0]
    write(path, line(text="two") + line(text="three"))
    assert log.poll() == [Said(Turn("customer", "three"))]
    write(path, line(text="four") + line(text="four"))
    assert texts(log.poll()) == ["four", "four"], "what is new is no repetition"


def test_a_file_replaced_by_another_conversation_begins_a_new_dialogue(path, log):
    write(path, line(text="hello") + line(text="about my lamp") + line(text="it is dark"))
    log.poll()
    write(path, line(text="hello") + line(text="a sofa"), "w")
    events = log.poll()[1:]
    assert events == [Began(), Said(Turn("customer", "hello")), Said(Turn("customer", "a sofa"))]


@pytest.mark.parametrize("named", [{"conversation": "c1"}, {}])
def test_the_rest_of_a_rotated_file_is_read_first_and_its_conversation_goes_on(path, log, named):
    write(path, line(text="one", **named))
    log.poll()
    write(path, line(text="last of the old", **named))
    path.rename(path.with_suffix(".1"))
    write(path, line(text="first of the new", **named) + line(text="second", **named))
    events = [event for _ in range(3) for event in log.poll()]
    assert texts(events) == ["last of the old", "first of the new", "second"]
    begun = [event for event in events if isinstance(event, Began)]
    assert begun == ([] if named else [Began()]), "only without an id what is new looks like another conversation"


def test_a_whole_conversation_that_was_written_otherwise_is_told_once_as_it_is(path, log):
    write(path, json.dumps({"id": "x", "turns": [{"role": "customer", "text": "a"}]}) + "\n")
    log.poll()
    turns = [{"role": "customer", "text": "A!"}, {"role": "customer", "text": "b"}]
    write(path, 2 * (json.dumps({"id": "x", "turns": turns}) + "\n"))
    assert log.poll() == [Began("x"), Said(Turn("customer", "A!")), Said(Turn("customer", "b"))]


def test_a_file_removed_and_made_again_goes_on(path, log):
    write(path, line(text="one"))
    log.poll()
    path.unlink()
    assert log.poll() == []
    write(path, line(text="one") + line(text="two"))
    assert texts(log.poll() + log.poll()) == ["two"]


def test_another_conversation_or_customer_begins_a_new_dialogue(path, log):
    write(path, line(text="a", conversation="c1") + line(text="b", conversation="c2", customer="C-7"))
    assert log.poll() == [
        Named("c1"),
        Said(Turn("customer", "a")),
        Began("c2"),
        Met("C-7"),
        Said(Turn("customer", "b")),
    ]
    write(path, line(text="c", conversation="c2") + line(text="d", conversation="c3"))
    assert log.poll() == [Said(Turn("customer", "c")), Began("c3"), Said(Turn("customer", "d"))]


@pytest.mark.parametrize("named", [{"conversation": "c1"}, {}])
def test_a_customer_who_is_named_in_the_middle_is_met_and_the_dialogue_goes_on(path, log, named):
    write(path, line(text="my lamp is dark", **named) + line(text="order 4471", customer="C-7", **named))
    name = named.get("conversation")
    assert log.poll() == [
        *([Named(name)] if name else []),
        Said(Turn("customer", "my lamp is dark")),
        Met("C-7"),
        Said(Turn("customer", "order 4471")),
    ]
    assert log.has_named_customer
    write(path, line(text="well?", customer="C-7", **named) + line(text="hi", customer="C-8", **named))
    assert log.poll() == [Said(Turn("customer", "well?")), Began(name), Met("C-8"), Said(Turn("customer", "hi"))]


@pytest.mark.parametrize("again", [None, "C-7"])
def test_what_replaces_a_customers_conversation_is_theirs_only_where_it_says_so(path, log, again):
    write(path, line(text="hello", customer="C-7") + line(text="my lamp is dark"))
    log.poll()
    write(path, line(text="hello", customer=again) + line(text="a sofa"), "w")
    assert log.poll()[1:-2] == [Began(), *([Met(again)] if again else [])]


def test_lines_of_whole_conversations_add_what_is_new(path, log):
    turns = [{"role": "customer", "text": "a"}, {"role": "agent", "text": "b"}, {"role": "customer", "text": "c"}]
    for count in (1, 2, 3):
        write(path, json.dumps({"id": "x", "turns": turns[:count]}) + "\n")
    assert texts(log.poll()) == ["a", "b", "c"]
    write(path, json.dumps({"id": "y", "turns": turns[:1]}) + "\n")
    assert log.poll() == [Began("y"), Said(Turn("customer", "a"))]


def test_what_is_still_being_written_is_marked(path, log):
    write(path, line(text="wher", typing=True) + line(text="where is", typing=True) + line(text="where is it?"))
    assert [event.is_typing for event in log.poll()] == [True, True, False]


def test_a_message_is_cut_where_a_typed_one_is_and_that_is_said_once(path, log):
    row = {"id": "x", "turns": [{"role": "agent", "text": 2 * LONGEST_MESSAGE * "ä"}]}
    write(path, line(text=2 * LONGEST_MESSAGE * "x", typing=True) + line(text=LONGEST_MESSAGE * "y"))
    write(path, json.dumps(row) + "\n" + json.dumps(row) + "\n")
    events = [event for _ in range(8) for event in log.poll()]
    assert texts(events) == [LONGEST_MESSAGE * letter for letter in "xyä"]
    assert troubles(events) == ["Only the first 8,000 characters of this message are read."]


def test_hostile_text_is_made_harmless(path, log):
    write(path, line(text=HOSTILE.replace("\udc80", "")) + line(text="\x1b[2J"))
    (event,) = log.poll()
    assert "\x1b" not in event.turn.text and "[/refund]" in event.turn.text


def test_a_file_that_cannot_be_read_is_said_once(path, log):
    path.mkdir()
    (said,) = troubles(log.poll())
    assert "cannot be read" in said and log.poll() == []


def test_what_is_no_plain_file_is_not_waited_for(path, log):
    os.mkfifo(path)
    assert troubles(log.poll()) == [f"{path} cannot be read (it is no plain file)."] and log.poll() == []
    path.unlink()
    write(path, line())
    assert texts(log.poll()) == ["hello"]


@settings(max_examples=30)
@given(st.lists(st.text(min_size=1, max_size=8), max_size=6), st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_wherever_the_writer_pauses_the_same_is_read(tmp_path_factory, said, pauses):
    path = tmp_path_factory.mktemp("log") / "log"
    content = "".join(line(text=f"{place} {text}") for place, text in enumerate(said)).encode("utf-8", "replace")
    whole, pieces = FollowedLog(path), FollowedLog(path)
    path.write_bytes(b"")
    found = []
    for length in [*pauses, len(content)]:
        with path.open("ab") as file:
            file.write(content[:length])
        content = content[length:]
        found += pieces.poll()
    assert found == whole.poll() and not troubles(found)
    whole.close(), pieces.close()
