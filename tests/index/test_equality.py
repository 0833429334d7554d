"""Which answers count as the same when a ranking is judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.merging import AnswerMerger
from conversations.model import StoredAnswer
from conversations.text import clean_text, key_tokens
from index.equality import AnswerEquality, says_the_same

KNOWN = (
    "Your return has arrived and the refund left us today. Banks usually need another one to three days to show it.",
    "The password link is valid for 30 minutes. Please request a new one and check the spam folder too.",
    "Can I have your order number, please?",
    "Refunds arrive within 5 working days after the return reaches our warehouse, on the payment method you used.",
)


@pytest.fixture(scope="module")
def equality():
    return AnswerEquality([StoredAnswer(number, text) for number, text in enumerate(KNOWN, 1)])


@pytest.mark.parametrize(
    ("said", "same"),
    [
        (KNOWN[0], {1}),
        ("Nobody lost it, <NAME>. " + KNOWN[0], {1}),
        ("Good morning. " + KNOWN[1], {2}),
        ("No weeks, I promise. " + KNOWN[3], {4}),
        ("I can add the company name within 30 days. What should be on the invoice? " + KNOWN[2], set()),
        ("The refund is a matter for your bank.", set()),
        ("", set()),
        ("你好", set()),
    ],
)
def test_a_sentence_more_or_less_is_the_same_answer(equality, said, same):
    assert equality.equal([said]) == [frozenset(same)]


OPPOSITES = (
    (
        "Yes, you can return sale items within 30 days if they are unopened.",
        "No, you cannot return sale items within 30 days if they are unopened.",
    ),
    ("Yes, it ships to Norway within five days.", "No, it ships to Norway within five days."),
    ("I am able to change the address of the parcel for you.", "I am unable to change the address of the parcel."),
    ("We take back lamps that were opened, at any shop.", "We take back lamps that were unopened, at any shop."),
    ("Thanks. The chair isnt covered by the warranty.", "The chair is covered by the warranty. Thanks!"),
    ("Returns come with a label, free of charge.", "Returns come without a label, free of charge."),
    ("您的订单可以在三十天内退货", "您的订单在三十天内不可以退货"),
)
PARAPHRASES = (
    ("Could you provide your date of birth, please?", "No problem, could you provide your date of birth, please?"),
    ("Frames are covered for five years.", "Not at all. Frames are covered for five years."),
    ("Sorry, that time is not available on Monday.", "Sorry, that time is unavailable on Monday."),
    ("You can pay by card, you cannot pay by cheque.", "You can pay by card, Ann, you cannot pay by cheque."),
    ("I will put the five pounds into your account today.", "I will put the five pounds to your account today."),
    ("非常抱歉，您的订单可以在三十天内退货", "抱歉，您的订单可以在三十天内退货"),
    ("您看这个订单能不能在三十天内退货", "您看这个订单能在三十天内退货"),
)


@pytest.mark.parametrize(
    ("one", "other", "same"), [(*pair, False) for pair in OPPOSITES] + [(*pair, True) for pair in PARAPHRASES]
)
def test_an_answer_is_not_the_same_as_its_opposite(one, other, same):
    found = AnswerEquality([StoredAnswer(1, one), StoredAnswer(2, other)]).equal([one, other])
    assert found == ([{1, 2}, {1, 2}] if same else [{1}, {2}])


WORDS = "you we can cannot not can't no yes return opened unopened into to lamps . , ? 不 可以 退 非常 能"
sentences = st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join)


def desk_of(texts):
    """Answers as a store holds them: copies are one."""
    merger, answers = AnswerMerger(), []
    for number, text in enumerate(texts):
        if clean_text(text) and merger.find(text) is None:
            merger.add(number, text)
            answers.append(StoredAnswer(number, text))
    return answers


@given(st.lists(st.one_of(sentences, st.text(max_size=20)), max_size=6))
def test_of_many_those_are_the_same_that_are_it_by_themselves(texts):
    answers = desk_of(texts)
    found = AnswerEquality(answers).equal([answer.text for answer in answers])
    assert found == [
        {own.id} | {other.id for other in answers if says_the_same(own.text, other.text)} for own in answers
    ]


@pytest.mark.parametrize("said", ["Hello there, thank you. Yes.", "Good morning <NAME>, yes!", "\N{THUMBS UP SIGN}"])
def test_what_would_be_merged_with_an_answer_is_that_answer(said):
    equality = AnswerEquality(desk_of(["No.", "Yes.", "Yes, that is so.", "\N{THUMBS UP SIGN}"]))
    (found,) = equality.equal([said])
    assert found in equality.like([frozenset({1}), frozenset({3})])


def test_many_at_once_are_judged_as_one_by_one(equality):
    said = [*KNOWN, "Hello.", ""]
    assert equality.equal(said) == [equality.equal([one])[0] for one in said]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_every_answer_with_words_equals_itself(texts):
    found = AnswerEquality(StoredAnswer(number, text) for number, text in enumerate(texts)).equal(texts)
    for number, text in enumerate(texts):
        if key_tokens(text):
            assert number in found[number]


def test_what_is_like_one_of_several_is_like_them():
    said = {7: KNOWN[0], 3: "Good morning. " + KNOWN[0], 5: KNOWN[1], 9: "?", 8: KNOWN[2], 2: KNOWN[1] + " Thanks."}
    equality = AnswerEquality(StoredAnswer(number, text) for number, text in said.items())
    given = [frozenset({7}), frozenset({3, 5}), frozenset({9}), frozenset()]
    assert equality.like(given) == [frozenset({3, 7}), frozenset({2, 3, 5, 7}), frozenset({9}), frozenset()]
    assert equality.like(given, 1.0) == given


def test_a_desk_without_answers_knows_none():
    assert AnswerEquality([]).equal(["Hello."]) == [frozenset()]


def test_nothing_is_equal_to_a_copy_of_what_is_withdrawn():
    texts = ["It takes five days.", "Yes, it takes five days."]
    answers = [StoredAnswer(number, text) for number, text in enumerate(texts, 1)]
    assert AnswerEquality(answers).equal([texts[0], texts[1].upper()]) == [{1, 2}, {1, 2}]
    withdrawn, other = AnswerEquality(answers, [1]).equal([texts[0].upper(), texts[1]])
    assert withdrawn == frozenset() and 2 in other
