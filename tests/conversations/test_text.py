import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.text import answer_key, clean_text, plain_letters, safe_text

LAST_TWO = "".join(chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000))
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff"
    f"\ufdd0-\ufdef{LAST_TWO}]"
)
# Not st.text(...), which would give each of the characters that matter the weight of any other.
HOSTILE = st.lists(
    st.one_of(
        st.characters(codec=None),
        st.sampled_from(
            "\x1b[]PX^_\\\x07\x9b\x9c\x9d\x90;0m?\u200d\u200c\u202e\ud800\U000e0041\ufdd0\uffff\U0001fffe👩👧\r\n"
        ),
    )
).map("".join)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x1b[2Jb", "ab"),
        ("a\x1b[38;5;1mb\x1b[0m", "ab"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;cm0gLXJm\x1b\\b", "ab"),
        ("a\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\b", "aclickb"),
        ("a\x1b]0;never ended", "a"),
        ("a\x1b]0;never ended\nnext line", "a\nnext line"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("a\x1b_app\x1b\\b", "ab"),
        ("a\x1b^private\x1b\\b", "ab"),
        ("a\x1bXsos\x1b\\b", "ab"),
        ("a\x9b31mb", "ab"),
        ("a\x9d0;title\x9cb", "ab"),
        ("a\x90dcs\x9cb", "ab"),
        ("a\x1bcb", "ab"),
        ("a\x1b(0b", "ab"),
        ("a\x1b\x1b[0m[31mb", "a[31mb"),
        ("a\x00\x07\x08\x0b\x0c\x7fb", "ab"),
        ("a\u202eb\u2066c\u200fd", "abcd"),
        ("a\u200b\ufeff\u2060b", "ab"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("a\ufffe\uffffb\ufdd0c\U0001fffed\U0010ffff", "abcd"),
        ("a\ud800b", "a\ufffdb"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("[/refund] [bold]x[/]", "[/refund] [bold]x[/]"),
    ],
)
def test_sequences_go_as_units(hostile, shown):
    assert safe_text(hostile) == shown


@pytest.mark.parametrize("kept", ["👩‍👧‍👦", "می‌خواهم", "क्‍ष", "❤️‍🔥", "tab\there", "naïve 你好 £5"])
def test_what_belongs_to_a_script_stays(kept):
    assert safe_text(kept) == kept


def test_joiners_between_latin_letters_go():
    assert safe_text("pay\u200dpal\u200c") == "paypal"


@given(HOSTILE)
def test_nothing_that_a_terminal_obeys_is_left(text):
    assert not FORBIDDEN.search(safe_text(text))
    assert not FORBIDDEN.search(clean_text(text))
    assert "\n" not in safe_text(text, keep_newlines=False)
    assert "\t" not in safe_text(text, keep_newlines=False)


@given(HOSTILE)
def test_making_safe_twice_changes_nothing(text):
    assert safe_text(safe_text(text)) == safe_text(text)


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(text):
    once = clean_text(text)
    assert clean_text(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode("utf-8")


@pytest.mark.timeout(60)
def test_long_hostile_text_takes_no_time():
    for piece in ("\x1b]", "\x1b[", "\x9b", "\u200d", "\x1b[0;"):
        assert len(safe_text(piece * 50_000)) <= 150_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Please  wait 2 days!", "please wait 2 days.", True),
        ("It costs £5", "It costs $5", False),
        ("It costs 4.95", "It costs 495", False),
        ("Hi <NAME>", "Hi <ORDER>", False),
        ("Don’t worry", "don't worry", True),
        ("👍", "👎", False),
        ("Ｏｐｅｎ", "open", True),
    ],
)
def test_normal_form_of_answers(one, other, same):
    assert (answer_key(one) == answer_key(other)) is same


@pytest.mark.parametrize(
    "text",
    [
        "Где мой заказ LW-1001? А с доставкой сегодня?",
        "Πού είναι η παραγγελία μου; Kestrel V8",
        "naïve café, 20 °C",
        "你好 iPhone",
        "у о а",
    ],
)
def test_real_words_of_other_scripts_keep_their_letters(text):
    assert plain_letters(text) == text


def test_lookalikes_in_latin_text_are_read_as_latin():
    assert plain_letters("my раrcеl, роре аnd CОPΕ") == "my parcel, pope and COPE"


@given(st.text())
def test_lookalikes_are_told_once(text):
    once = plain_letters(text)
    assert len(once) == len(text)
    assert plain_letters(once) == once
