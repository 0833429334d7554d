"""Slips of the finger are mended towards the desk's words, and nothing else is touched."""

from __future__ import annotations

import random

import pytest
from index_fixtures import add, conversation, embedder, small_store

from conversations.model import Turn
from index.candidates import read_dialogues
from index.spelling import Spelling, desk_spelling, edits, encoder_words
from training.attacks import deletion, swap, typo

DESK = {"parcel": 40, "invoice": 12, "charger": 9, "receipt": 3, "recieved": 2, "received": 200, "lamp": 9}


@pytest.fixture
def spelling():
    general = {"where", "clamp", "damp", "is", "my", "the", "form", "from"}
    return Spelling(lambda words: {word: DESK[word] for word in words if word in DESK}, general)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("where is my parcle", "where is my parcel"),
        ("the Invoixe", "the Invoice"),
        ("CHARGR!", "CHARGER!"),
        ("recieved", "received"),  # a slip that stands in the log itself
        ("the clamp", "the clamp"),  # the encoder knows it
        ("form", "form"),
        ("my Zorblax", "my Zorblax"),  # nothing near
        ("the LAMPE order", "the LAMPE order"),  # written in capitals among others: a name or a code
        ("pracel 1234-parcl", "parcel 1234-parcel"),
        ("", ""),
        ("\U0001f600 :)", "\U0001f600 :)"),
    ],
)
def test_only_strange_words_near_the_desks_are_mended(spelling, typed, read):
    assert spelling.mended(typed) == read


def test_a_message_in_another_language_is_left_alone(spelling):
    text = "parcle invoixe chargr recept lampp parcell invoce"
    assert spelling.mended(text) == text


@pytest.mark.parametrize("attack", [typo, swap, deletion])
def test_every_slip_that_the_attacks_make_is_one_edit(attack):
    for seed in range(50):
        typed = attack("charger", random.Random(seed))
        assert typed == "charger" or "charger" in edits(typed)


def test_a_hostile_message_costs_little(spelling):
    looked_up = []
    counting = Spelling(lambda words: looked_up.extend(words) or {}, set())
    counting.mended("x" * 100_000 + " " + "abcde " * 20_000)
    assert len(looked_up) < 1_000


def test_whole_words_of_the_encoder_are_known():
    words = encoder_words(embedder().tokenizer)
    assert {"where", "insurance"} <= words
    assert "##ing" not in words
    assert len(words) > 10_000


def test_on_a_desk_only_the_customers_words_are_mended(tmp_path):
    store = small_store(tmp_path)
    add(store, *(conversation(f"t{n}", "My thermostat blinks.", "Hold the thermostat's button.") for n in range(2)))
    asked = [[Turn("customer", "the thermostst blinks"), Turn("agent", "thermostst?"), Turn("customer", "yes")]]
    (read,) = read_dialogues(embedder(), asked, spelling=desk_spelling(store, embedder()))
    assert [turn.text for turn in read.turns] == ["the thermostat blinks", "thermostst?", "yes"]
    plain = read_dialogues(embedder(), [[Turn("customer", "the thermostat blinks"), *asked[0][1:]]])[0]
    assert float(read.dialogue_vector @ plain.dialogue_vector) > 0.999
    store.close()


def test_a_word_with_an_umlaut_is_no_slip_of_another(tmp_path):
    store = small_store(tmp_path)
    add(store, *(conversation(f"b{n}", f"Wo ist mein Becher {n}?", f"Der Becher {n} kommt.") for n in range(40)))
    add(store, *(conversation(f"u{n}", f"Haben Sie B\u00fccher {n}?", f"Ja, {n} B\u00fccher.") for n in range(3)))
    assert store.word_frequencies(["b\u00fccher", "becher", "bcher"]) == {"b\u00fccher": 3, "becher": 40}
    spelling = desk_spelling(store, embedder())
    assert spelling.mended("Haben Sie B\u00fccher?") == "Haben Sie B\u00fccher?"
    store.close()
