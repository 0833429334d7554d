import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conversations.model import Conversation, Turn
from conversations.privacy import Redactor

REDACTOR = Redactor("salt")
PERSONAL = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            [
                "My name is ",
                "Margaret Hollis",
                "I'm ",
                "Dear ",
                "Mrs. Jones",
                " 07700 900123 ",
                "a.b@example.com",
                "order ",
                "LW-4821735",
                " #123456 ",
                "4111 1111 1111 1111",
                "12 Baker Street",
                "NW1 6XE",
                "<NAME>",
                "[电话x]",
                "我叫王小明",
                "13812345678",
                "张先生",
                "£4.95",
                "\n",
                ", ",
                ". ",
                " 2026-01-02 ",
                "GB82 WEST 1234 5698 7654 32",
                "code ",
                "will",
                "https://a:b@c.d/e",
                "10.0.0.1",
                " pin ",
                "0000",
                "地址北京市海淀区中关村大街1号",
            ]
        ),
    ),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Hi, I'm Margaret Hollis.", "Hi, I'm <NAME>."),
        ("my name is alexis and I wait", "my name is <NAME> and I wait"),
        ("my name is amanda white and I wait", "my name is <NAME> and I wait"),
        ("Dear Mrs. Jones, hello", "Dear <NAME>, hello"),
        ("Thanks, Priya.", "Thanks, <NAME>."),
        ("It is late.\nKind regards,\nMargaret", "It is late.\nKind regards,\n<NAME>"),
        ("Imogen Farrant, after four. Denise Aldous too", "<NAME>, after four. <NAME> too"),
        ("ring 07700 900123", "ring <PHONE>"),
        ("ring +44 20 7946 0958 or (555) 123-4567", "ring <PHONE> or <PHONE>"),
        ("write to a.b+c@example.co.uk.", "write to <EMAIL>."),
        ("write to jo0@example.org, not to a000@example.org.", "write to <EMAIL>, not to <EMAIL>."),
        ("john at gmail dot com", "<EMAIL>"),
        ("card 4111 1111 1111 1111", "card <CARD>"),
        ("GB82 WEST 1234 5698 7654 32", "<IBAN>"),
        ("sort code 20-00-00", "sort code <ACCOUNT>"),
        ("I live at 12 Baker Street, London NW1 6XE", "I live at <ADDRESS>, London <POSTCODE>"),
        ("D02 X285", "<POSTCODE>"),
        ("San Francisco, CA 94105", "San Francisco, CA <POSTCODE>"),
        ("SSN 078-05-1120", "SSN <ID>"),
        ("born on 12/03/1980", "born on <BIRTHDATE>"),
        ("see https://u:p@host/x", "see <URL>"),
        ("from 10.0.0.1", "from <IP>"),
        ("我叫王小明，电话13812345678", "我叫<NAME>，电话<PHONE>"),
        ("王先生您好，请问张小姐在吗", "<NAME>先生您好，请问<NAME>小姐在吗"),
        ("身份证110101199003074514", "身份证<ID>"),
        ("Order LW-4821735", "Order LW-0000000"),
        ("invoice INV-2026-00831 and T-55120", "invoice INV-0000-00000 and T-00000"),
        ("my order number is 4821735", "my order number is 0000000"),
        ("运单号 SF1234567890123", "运单号 SF0000000000000"),
        ("订单号123456789012", "订单号000000000000"),
    ],
)
def test_personal_data_go(text, left):
    redacted, count = REDACTOR.redact(text)
    assert redacted == left
    assert count >= 1


@pytest.mark.parametrize(
    "text",
    [
        "The Kestrel V8 costs £1,299.00, the 27Q and the 43 TV $45.99 each",
        "Small parcels take 2 to 3 working days and furniture 7 to 10 working days.",
        "Your <account_id> and [电话x] are fine",
        "RTX-4090, WH-1000XM5, error code 4042, V8 2nd hand",
        "We open on 12 March 2026 at 10:30, closed 2026-12-25 09:00",
        "I'm Sorry but this is Great. Hello Everyone. Thank you for waiting. I am Canadian",
        "24 hours by the way, 3 days on the road",
        "退款三个工作日到账，价格199元，2023-01-05 完成",
        "The Kestrel Brew 2, the Bramley Sofa and the Marden Bed. Station Approach, Leeds Store",
        "May I help? Will you come? Mark it as read.",
        "",
    ],
)
def test_what_makes_an_answer_useful_stays(text):
    assert REDACTOR.redact(text) == (text, 0)


def talk(*texts, **more):
    roles = ("customer", "agent")
    return Conversation("c", tuple(Turn(roles[at % 2], text) for at, text in enumerate(texts)), **more)


def texts(conversation):
    return [turn.text for turn in conversation.turns]


def test_a_name_said_once_goes_from_every_turn():
    done, count = REDACTOR.redact_conversation(
        talk("I'm Margaret Hollis", "Thank you margaret, is Hollis with one l?", "Hollister? no")
    )
    assert texts(done) == ["I'm <NAME>", "Thank you <NAME>, is <NAME> with one l?", "Hollister? no"]
    assert count == 3


def test_a_given_name_from_one_turn_finds_the_family_name_in_another():
    done, _ = REDACTOR.redact_conversation(talk("It smokes! Zebedee Forde, 07700 900123", "Thank you, Zebedee."))
    assert texts(done) == ["It smokes! <NAME>, <PHONE>", "Thank you, <NAME>."]


def test_a_name_given_when_asked_for_it():
    done, _ = REDACTOR.redact_conversation(talk("I need a ride", "May I have your name, please?", "Han", "Hello Han"))
    assert texts(done)[2:] == ["<NAME>", "Hello <NAME>"]
    kept, _ = REDACTOR.redact_conversation(talk("Where?", "Which shelf?", "Corrin"))
    assert texts(kept)[2] == "Corrin"


def test_a_number_given_when_asked_for_it():
    done, _ = REDACTOR.redact_conversation(talk("Hi", "What is your account number?", "12345"))
    assert texts(done)[2] == "00000"


def test_agents_become_agents_and_pseudonyms():
    turns = (Turn("customer", "Thanks Aoife"), Turn("agent", "Aoife here, bye", agent="Aoife"))
    done, _ = REDACTOR.redact_conversation(Conversation("c", turns, customer="c-1", meta={"mail": ["x@y.com", 3]}))
    assert texts(done) == ["Thanks <AGENT>", "<AGENT> here, bye"]
    assert done.turns[1].agent == REDACTOR.pseudonym("Aoife") != Redactor("other").pseudonym("Aoife")
    assert len(done.customer) == 16
    assert done.meta == {"mail": ["<EMAIL>", 3]}


def test_what_stands_beside_the_turns_is_redacted_too():
    turns = (Turn("customer", "Hi"), Turn("agent", "Hello", action="reply to jo@acme.com"))
    meta = {"phone": 447700900123, "+44 7700 900123": 3, "a@b.com": {"c@d.com": 4.5}, "e@f.com": True, "topic": "tv"}
    done, count = REDACTOR.redact_conversation(Conversation("c", turns, source="WhatsApp +44 7700 900123", meta=meta))
    assert done.source == "WhatsApp <PHONE>"
    assert done.turns[1].action == "reply to <EMAIL>"
    assert done.meta == {
        "phone": "000000000000",
        "<PHONE>": 3,
        "<EMAIL>": {"<EMAIL>": 4.5},
        "<EMAIL> 2": True,
        "topic": "tv",
    }
    assert count == 7


@settings(deadline=None, max_examples=300)
@given(PERSONAL)
@example("1 Aa Street0.0.0.10.0.0.10.0.0.10.0.0.1MARGARET B")
def test_redacting_twice_changes_nothing(text):
    once, _ = REDACTOR.redact(text)
    assert REDACTOR.redact(once) == (once, 0)


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=300))
def test_no_text_brings_it_down(text):
    redacted, count = REDACTOR.redact(text)
    assert isinstance(redacted, str)
    assert count >= 0
    redacted.encode("utf-8")


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        " ",
        "1 ",
        "a.",
        "@",
        "a@",
        "王",
        "我叫王小明，",
        "Name ",
        "I'm Bob Smith ",
        "07700 900123 ",
        "(1",
        "1-",
        "<",
        "[",
        "A1-",
        "http://",
        "Hi A",
        "地址",
        "a@b.",
        "x at y dot ",
        "12 Old ",
        "[a] [07700 900123] ",
        "0 10 ",
        "AB12 ",
        "a.co/reset/",
    ],
)
@pytest.mark.timeout(60)
def test_time_grows_with_length_only(piece):
    REDACTOR.redact("warm up 我")
    # Where it grew with the square of the length, four times the text would take sixteen times as long.
    assert any(seconds(piece, 100_000) <= 8 * seconds(piece, 25_000) + 0.05 for _ in range(3))


def seconds(piece, length):
    """The processor's time that a text takes."""
    text = (piece * length)[:length]
    began = time.process_time()
    REDACTOR.redact(text)
    return time.process_time() - began
