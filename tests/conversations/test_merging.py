import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.merging import AnswerMerger
from conversations.text import clean_text

BASE = (
    "Your refund reaches the account that you paid with about 5 working days after the parcel has arrived "
    "at our warehouse and we have looked at it"
)


def found(known, text):
    merger = AnswerMerger()
    merger.add(7, known)
    return merger.find(text) == 7


@pytest.mark.parametrize(
    "variant",
    [
        BASE,
        BASE.upper() + "!!",
        "Hello, " + BASE,
        "Hi <NAME>, " + BASE,
        "Good morning <NAME>! " + BASE,
        BASE.replace("warehouse", "depot"),
        "Margaret, " + BASE,
    ],
)
def test_copies_are_one_answer(variant):
    assert found(BASE, variant)


@pytest.mark.parametrize(
    "variant",
    [
        BASE.replace("5", "3"),
        BASE.replace("5 working", "five working"),
        BASE.replace("5 working days", "5 days"),
        BASE.replace("reaches", "does not reach"),
        BASE.replace("has arrived", "hasn't arrived"),
        BASE.replace("after", "before"),
        BASE + " <PHONE>",
        BASE + " in £",
        "Something else entirely.",
    ],
)
def test_what_changes_the_meaning_keeps_answers_apart(variant):
    assert not found(BASE, variant)


def test_opposite_words_keep_answers_apart():
    text = "We gladly take back every single parcel that is {} when it comes to our warehouse with its label and box"
    assert not found(text.format("opened"), text.format("unopened"))


def test_the_same_words_in_another_order_are_another_answer():
    one = "please send the small parcel to the shop and the large one to our warehouse near the station"
    other = "please send the large parcel to the shop and the small one to our warehouse near the station"
    assert not found(one, other)


def test_chinese_copies_and_numbers():
    one = "亲，您的退款会原路退回到您的支付账户，请您耐心等待一下，到账时间是三个工作日哦"
    assert found(one, one + "！")
    assert not found(one, one.replace("三", "五"))
    assert not found(one, one.replace("会原路", "不会原路"))


@pytest.mark.parametrize(
    ("text", "negation"),
    [
        ("Sie können die Ware innerhalb von vierzehn Tagen {} an uns senden und erhalten den Kaufpreis", "nicht"),
        ("Vous pouvez {} nous renvoyer votre commande dans son carton sous quatorze jours ouvrables", "pas"),
        ("Su pedido {} se puede devolver durante los catorce días que siguen al envío", "no"),
        ("U kunt het artikel binnen veertien dagen {} naar ons magazijn terugsturen met bon", "niet"),
        ("Вы можете {} вернуть этот товар нам на склад в течение четырнадцати дней после покупки", "не"),
        ("Możecie Państwo {} zwrócić ten towar do naszego magazynu przez czternaście dni", "jednakże"),
        ("お客様の商品は発送後でも返品することが{}できますのでご安心ください", "絶対には"),
        ("이 상품은 수령 후 십사 일 이내에 언제든지 무료로 반품이 {}가능합니다", "불"),
    ],
)
def test_in_a_language_whose_words_are_not_known_only_equal_answers_are_one(text, negation):
    assert not found(text.format(""), text.format(negation))
    assert found(text.format(""), text.format("").upper() + "!")


@pytest.mark.parametrize(
    ("greeted", "text"),
    [
        ("Guten Tag <NAME>, Ihr Paket ist unterwegs.", "Ihr Paket ist unterwegs"),
        ("Bonjour ! Votre colis est parti.", "Votre colis est parti"),
        ("Здравствуйте, посылка в пути", "Посылка в пути."),
    ],
)
def test_a_greeting_does_not_count_in_other_languages_either(greeted, text):
    assert found(text, greeted)


def test_a_traditional_negation_keeps_answers_apart():
    text = "親，您的退款{}會原路退回到您的支付賬戶，請您耐心等待一下，到賬時間是三個工作日哦"
    assert not found(text.format(""), text.format("沒"))


words = st.lists(
    st.sampled_from(
        ["refund", "parcel", "label", "warehouse", "account", "delivery", "sofa", "lamp", "window", "email"]
    ),
    min_size=8,
    max_size=30,
)


@given(words, st.integers(0, 9_999), st.integers(0, 9_999), st.data())
def test_answers_that_differ_in_a_number_are_never_merged(tokens, one, other, data):
    place = data.draw(st.integers(0, len(tokens)))

    def text(number):
        return " ".join([*tokens[:place], str(number), *tokens[place:]])

    assert found(text(one), text(other)) is (one == other)


@given(
    words,
    st.sampled_from(["not", "never", "no", "cannot", "don't", "cant", "without", "<PHONE>", "<EMAIL>", "不"]),
    st.data(),
)
def test_answers_that_differ_in_a_negation_or_placeholder_are_never_merged(tokens, extra, data):
    place = data.draw(st.integers(0, len(tokens)))
    assert not found(" ".join(tokens), " ".join([*tokens[:place], extra, *tokens[place:]]))


@given(st.text(max_size=200).filter(clean_text))
def test_every_text_is_its_own_copy(text):
    assert found(text, text)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_a_forgotten_answer_is_not_found(texts):
    merger = AnswerMerger()
    for number, text in enumerate(texts):
        merger.add(number, text)
    for number in range(len(texts)):
        merger.remove(number)
    assert all(merger.find(text) is None for text in texts)


def test_an_answer_that_shared_its_key_is_found_when_the_first_is_forgotten():
    merger = AnswerMerger()
    merger.add(1, "Hello there")
    merger.add(2, "hello there!")
    merger.remove(1)
    assert merger.find("Hello there") == 2


@pytest.mark.timeout(100)
def test_many_alike_answers_stay_quick():
    dice = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(dice.choices(letters, k=6)) for _ in range(400)]
    merger = AnswerMerger()
    for number in range(5_000):
        text = "unfortunately your parcel and the lamp with " + " ".join(dice.choices(vocabulary, k=25))
        if merger.find(text) is None:
            merger.add(number, text)
    assert merger.find(text) is not None
