"""Attacks change what is written, not what a person reads; the evaluation measures what is left under each."""

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import evaluate as command
from conversations.text import clean_text
from training.attacks import ATTACKS, PLANTED, deletion, homoglyphs, invisible, neighbours, swap, typo

QUESTION = "Where is my parcel? It should have come on Monday."


def distance(one: str, other: str) -> int:
    """How many places differ between texts of one length."""
    assert len(one) == len(other)
    return sum(a != b for a, b in zip(one, other, strict=True))


@given(st.integers())
def test_one_edit_a_message(seed):
    mistyped = typo(QUESTION, random.Random(seed))
    assert distance(mistyped, QUESTION) == 1
    ((old, new),) = [(a, b) for a, b in zip(QUESTION, mistyped, strict=True) if a != b]
    assert new in neighbours(old)
    assert distance(swap(QUESTION, random.Random(seed)), QUESTION) in (0, 2)
    assert len(deletion(QUESTION, random.Random(seed))) == len(QUESTION) - 1


@given(st.text(max_size=80), st.sampled_from(sorted(ATTACKS)), st.integers())
def test_any_text_can_be_attacked_and_the_same_seed_does_the_same(text, name, seed):
    once = ATTACKS[name](text, random.Random(seed))
    assert once == ATTACKS[name](text, random.Random(seed))


def test_lookalikes_are_of_another_script():
    changed = homoglyphs(QUESTION * 4, random.Random(1))
    assert len(changed) == len(QUESTION * 4)
    foreign = {unicodedata.name(letter).split()[0] for letter in changed if letter.isalpha()}
    assert foreign == {"LATIN", "CYRILLIC"}


def test_what_nobody_sees_is_gone_after_cleaning():
    hidden = invisible(QUESTION * 4, random.Random(1))
    assert hidden != QUESTION * 4
    assert clean_text(hidden) == clean_text(QUESTION * 4)


def test_the_command_offers_every_attack():
    (option,) = [option for option in command.command.params if option.name == "attacks"]
    assert set(option.type.choices) == {*ATTACKS, *PLANTED}


@pytest.mark.parametrize("text", ["", "no", "🙂", "你好"])
def test_a_text_without_a_long_word_stays_as_it_is(text):
    for attack in (typo, swap, deletion):
        assert attack(text, random.Random(3)) == text
