"""What a followed log says of several conversations whose lines come in turn: each goes on where it was left."""

from __future__ import annotations

import json

import pytest

from bot import following
from bot.following import Began, LetGo, Met, Named, Said, WentOn
from bot.growing_log import Trouble
from conversations.model import Turn


def line(conversation, text="hello", role="customer", **more):
    return json.dumps({"conversation": conversation, "role": role, "text": text, **more}) + "\n"


def write(path, *lines, how="a"):
    with path.open(how) as file:
        file.write("".join(lines))


def said(text, role="customer"):
    return Said(Turn(role, text))


def test_a_conversation_that_comes_back_goes_on(path, log):
    write(path, line("a", "one", customer="C-7"), line("b", "two"), line("a", "three"), line("b", "four", "agent"))
    assert log.poll() == [
        Began("a"),
        Met("C-7"),
        said("one"),
        Began("b"),
        said("two"),
        WentOn(("a", None)),
        said("three"),
        WentOn(("b", None)),
        said("four", "agent"),
    ]


def test_the_first_conversation_goes_on_too(path, log):
    write(path, line("a", "one"), line("b", "two"), line("a", "three", typing=True))
    assert log.poll()[-2:] == [WentOn(("a", None)), Said(Turn("customer", "three"), is_typing=True)]


def test_what_says_nothing_makes_no_other_conversation_the_present_one(path, log):
    write(path, line("a", "one"), line("b", "two"))
    log.poll()
    write(path, line("a", "Ann left", "system", customer="C-7"), line("b", "three"))
    assert log.poll() == [said("three")] and log.has_named_customer
    write(path, line("a", "four"))
    assert log.poll() == [WentOn(("a", None)), Met("C-7"), said("four")]


def test_a_conversation_that_comes_back_as_another_customers_begins_anew(path, log):
    write(path, line("a", "one", customer="C-7"), line("b", "two"), line("a", "three", customer="C-8"))
    assert log.poll()[-3:] == [Began("a"), Met("C-8"), said("three")]


def test_another_customer_who_names_no_conversation_is_not_in_that_of_the_one_before(path, log):
    write(path, line("a", "one", customer="C-7"), json.dumps({"role": "customer", "text": "x", "customer": "C-8"}))
    assert log.poll()[-3:] == [Began(None), Met("C-8"), said("x")]
    write(path, "\n", line("a", "two"))
    assert log.poll() == [WentOn(("a", None)), said("two")]


@pytest.mark.parametrize("how", ["cut", "replaced"])
def test_a_file_cut_or_replaced_repeats_no_conversation(path, log, how):
    lines = [line("a", "one"), line("b", "two"), line("a", "three"), line("b", "four")]
    write(path, *lines)
    log.poll()
    if how == "cut":
        write(path, *lines[:3], how="w")
    else:
        other = path.with_name("other")
        write(other, *lines[:3])
        other.replace(path)
    (trouble,) = log.poll()
    assert isinstance(trouble, Trouble)
    write(path, lines[3], line("a", "five"))
    assert log.poll() == [WentOn(("a", None)), said("five")]


def test_after_a_rotation_each_conversation_goes_on(path, log):
    write(path, line("a", "one"), line("b", "two"))
    log.poll()
    path.rename(path.with_suffix(".1"))
    write(path, line("a", "three"), line("b", "four"))
    events = [event for _ in range(2) for event in log.poll() if not isinstance(event, Trouble)]
    assert events == [WentOn(("a", None)), said("three"), WentOn(("b", None)), said("four")]


def test_whole_conversations_in_turn_add_what_is_new(path, log):
    turns = [{"role": "customer", "text": text} for text in ("one", "two")]
    write(path, *(json.dumps({"id": name, "turns": turns[:n]}) + "\n" for n in (1, 2) for name in "ab"))
    assert log.poll() == [
        Named("a"),
        said("one"),
        Began("b"),
        said("one"),
        WentOn(("a", None)),
        said("two"),
        WentOn(("b", None)),
        said("two"),
    ]


def test_of_too_many_the_one_that_was_silent_longest_begins_anew(path, log, monkeypatch):
    monkeypatch.setattr(following, "MOST_KEPT", 2)
    write(path, line("a"), line("b"), line("a"), line("c"))
    assert log.poll()[-3:] == [LetGo(("b", None)), Began("c"), said("hello")]
    write(path, line("a"), line("b"))
    assert log.poll() == [WentOn(("a", None)), said("hello"), LetGo(("c", None)), Began("b"), said("hello")]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_what_was_being_written_among_repeated_lines_is_not_written_again(path, log, is_replaced):
    draft = line("a", "my first ide", typing=True)
    write(path, draft, draft, line("a", "one"), line("a", "two"), line("b", "three"))
    log.poll()
    if is_replaced:
        path.unlink()
    write(path, draft, line("a", "one"), draft, line("a", "two"), how="w")
    events = log.poll()
    assert not [event for event in events if not isinstance(event, Trouble)]
    write(path, line("b", "three"), line("a", "now", typing=True))
    assert log.poll() == [WentOn(("a", None)), Said(Turn("customer", "now"), is_typing=True)]


def test_an_emptied_draft_is_written_no_longer_and_turns_nothing(path, log):
    empty = line("a", "", typing=True)
    write(path, empty, line("a", "my", typing=True), empty, empty)
    emptied = Said(Turn("customer", ""), is_typing=True)
    assert log.poll()[-2:] == [Said(Turn("customer", "my"), is_typing=True), emptied]
    write(path, line("a", "my", typing=True), line("b", "two"), empty)
    assert log.poll()[-1] == said("two")


def of(customer, text, role="customer", **more):
    return line(None, text, role, customer=customer, **more)


def test_where_no_conversation_is_named_customers_who_speak_in_turn_each_go_on(path, log):
    write(path, of("C-7", "one"), of("C-8", "two"), of(None, "three", "agent"), of("C-7", "four", typing=True))
    assert log.poll() == [
        Began(None),
        Met("C-7"),
        said("one"),
        Began(None),
        Met("C-8"),
        said("two"),
        said("three", "agent"),
        WentOn((None, "C-7")),
        Said(Turn("customer", "four"), is_typing=True),
    ]
    write(path, of("C-8", "five"), line("a", "six", customer="C-7"), of("C-8", "seven"), of("C-7", "eight"))
    assert log.poll() == [
        WentOn((None, "C-8")),
        said("five"),
        Began("a"),
        Met("C-7"),
        said("six"),
        WentOn((None, "C-8")),
        said("seven"),
        WentOn((None, "C-7")),
        said("eight"),
    ], "what has an id is another conversation"


def test_a_conversation_whose_customer_is_named_in_its_midst_goes_on_as_theirs(path, log):
    write(path, line(None, "one"), of("C-7", "two"), of("C-8", "three"), of("C-7", "four"))
    assert log.poll()[-2:] == [WentOn((None, "C-7")), said("four")]


def test_a_conversation_that_names_itself_is_no_longer_known_by_its_customer(path, log):
    write(
        path, of("C-7", "Ann left", "system"), line("a", "one", customer="C-7"), of("C-8", "two"), of("C-7", "three")
    )
    assert log.poll()[-3:] == [Began(None), Met("C-7"), said("three")]


def test_an_id_is_that_of_the_conversation_that_has_it_though_the_one_before_said_nothing(path, log):
    write(path, line("a", "one", customer="C-7"), of("C-8", "Ann left", "system"), line("a", "two"))
    assert log.poll() == [Began("a"), Met("C-7"), said("one"), said("two")]


def test_a_file_cut_or_replaced_repeats_nothing_of_customers_who_speak_in_turn(path, log):
    lines = [of("C-7", "one"), of("C-8", "two"), of("C-7", "three")]
    write(path, *lines)
    log.poll()
    write(path, *lines[:2], how="w")
    (trouble,) = log.poll()
    assert isinstance(trouble, Trouble)
    write(path, lines[2], of("C-8", "four"))
    assert log.poll() == [WentOn((None, "C-8")), said("four")]
