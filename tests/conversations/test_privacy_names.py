import pytest

from conversations.model import Conversation, Turn
from conversations.privacy import Redactor

REDACTOR = Redactor("salt")


def answered(text, agent, said="Hi"):
    """An agent's answer as it is stored."""
    turns = (Turn("customer", said), Turn("agent", text, agent=agent))
    return REDACTOR.redact_conversation(Conversation("c", turns))[0].turns[1].text


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("7", "Delivered within 7 days for £7.99"),
        ("A", "Have a look at plan A"),
        ("Billing Department", "Your billing address and the department stay"),
        ("Support", "Our support is there"),
        ("Customer Service Bot", "Customer service is no bot"),
        ("sales_desk", "The sales desk is closed"),
        ("客服", "请联系客服"),
    ],
)
def test_a_queue_or_a_number_is_no_agents_name(agent, text):
    assert answered(text, agent) == text


def test_an_agents_own_name_goes_and_the_name_of_the_team_stays():
    assert answered("sarah of billing here", "Sarah (Billing)") == "<AGENT> of billing here"
    assert answered("aoife here, customer support", "Aoife Brown - Support") == "<AGENT> here, customer support"
    assert answered("小王为您服务", "小王") == "<AGENT>为您服务"


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        ("I'm Sarah Brown", "The brown sofa, Ms Brown?", "The brown sofa, <NAME>?"),
        ("I'm Sarah Brown", "Brown is sold out, Sarah", "Brown is sold out, <NAME>"),
        ("I'm Peter Price", "The price is £5, is Price right?", "The price is £5, is <NAME> right?"),
        ("Ask Mr Brown", "Brown is sold out. It is Brown, Brown", "Brown is sold out. It is <NAME>, <NAME>"),
        ("Ask Mr Mark", "Mark . Mark it as read", "<NAME> . Mark it as read"),
        ("I'm Sarah May", "May I help? In May", "May I help? In May"),
        ("Regards,\nAmanda Baker", "Found it for Amanda Baker.\nRegards", "Found it for <NAME>.\nRegards"),
    ],
)
def test_a_surname_that_is_a_word_goes_only_where_it_is_written_as_a_name(said, text, left):
    assert answered(text, "Priya", said) == left
