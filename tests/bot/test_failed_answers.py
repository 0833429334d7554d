"""Which answers are not offered again once one of them was turned down or did not help."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bot.failed_answers import still_wanted
from conversations.model import Turn

BOX = "An opened box is no problem as long as everything is complete and clean."
MORE = "The order number is on the delivery note and begins with LW."
WHICH = "Can I have your order number, please?"


def is_wanted(text, *rejected, turns=()):
    return bool(still_wanted([SimpleNamespace(text=text)], turns, rejected))


@pytest.mark.parametrize("text", [f"{BOX} {MORE}", f"{MORE} {BOX}", f"Hi Jo, {BOX.lower()[:-1]}; {MORE.lower()}"])
def test_what_holds_a_rejected_answer_whole_says_it_again(text):
    assert not is_wanted(text, "Thanks.", BOX) and is_wanted(MORE, BOX)


def test_what_did_not_help_is_not_said_again_with_more_behind_it():
    turns = [Turn("agent", BOX), Turn("customer", "that did not help")]
    assert not is_wanted(f"{BOX} {MORE}", turns=turns) and is_wanted(f"{BOX} {MORE}", turns=turns[:1])


@pytest.mark.parametrize(
    ("text", "rejected"),
    [
        (f"Yes. {BOX}", "Yes."),
        (f"You're welcome, have a nice day. {BOX}", "You're welcome."),
        (f"{BOX} {MORE} {WHICH}", WHICH),
        (BOX, f"{BOX} {MORE} It takes a few days until the money is back."),
        (f"Clean and complete is everything as long as no box is opened, and an old problem is none. {MORE}", BOX),
    ],
)
def test_a_few_words_a_question_or_the_same_words_in_another_order_reject_nothing_that_holds_them(text, rejected):
    assert is_wanted(text, rejected)


def test_of_a_language_without_blanks_sentences_count_as_well():
    rejected = "打开过的盒子没有问题。"
    assert not is_wanted(f"{rejected}订单号码在送货单上，以字母开头，请把它发给我们。", rejected)
