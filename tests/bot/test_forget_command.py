"""`/forget` in a running dialogue: for the one who was named, and nothing is kept of them any more."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline, make_console
from lamp_desk import lamp_desk

from bot.assist_plain import PlainAssist
from bot.customer import Customer
from bot.following import FollowedLog
from bot.forgetting import Forgetting
from conversations.errors import DeskError

ANNA, BERT = Customer("anna", "a"), Customer("bert", "b")


def test_the_second_forget_is_for_the_customer_whom_the_first_one_named():
    told = []
    forgetting = Forgetting("begin with attendant assist --customer ID", told.append)

    def asked(customer):
        forgetting.hear("forget")
        return forgetting.is_confirmed(customer)

    # A followed log may begin another customer's dialogue between the two.
    assert [asked(ANNA), asked(BERT), asked(BERT)] == [False, False, True]
    assert "anna" in told[0] and "bert" in told[1] and len(told) == 2
    assert not asked(None) and "--customer ID" in told[-1]


FROM_LOG = 'It is not known who the customer is: the followed log has to name them ("customer": "ID").'


def test_where_a_log_is_followed_it_is_what_names_the_customer(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"role": "customer", "text": "it is dark"}\n')

    async def play(keyboard):
        await keyboard.sees("F1")
        await keyboard.type("/forget\r")
        await keyboard.sees(FROM_LOG)

    use_screen(play, log=FollowedLog(log), columns=80)
    stop, helped = threading.Event(), PlainAssist(FakePipeline(ANSWERS, PAST), make_console(), FakeBook())
    stop.set()
    helped.follow(FollowedLog(log), stop)
    helped.take("/forget")
    assert FROM_LOG in helped._console.file.getvalue()


def test_what_is_done_while_the_customer_is_being_removed_is_not_kept(tmp_path):
    desk = FakePipeline(ANSWERS, PAST)
    desk.desk = lamp_desk(tmp_path)

    async def play(keyboard):
        screen = keyboard.screen
        await keyboard.type("it is dark\r")
        await keyboard.settles()
        dialogue = replace(screen.assist.dialogue)
        screen.assist._keep(dialogue, [(7, "sent")], "")
        screen.on_desk(lambda: screen.forgetting.forget(desk.desk, Customer("c-8", "")))
        screen.assist._keep(dialogue, [(8, "good")], "Kept.")
        await keyboard.until(lambda: not screen.jobs.waiting)

    assert verdicts(use_screen(play, desk)) == [(7, "sent")]


def test_who_cannot_be_removed_can_still_be_answered(tmp_path):
    forgetting = Forgetting("begin anew", print)
    desk = lamp_desk(tmp_path)
    with pytest.raises(DeskError, match="knows no customer"):
        forgetting.forget(desk, Customer("nobody", ""))
    assert not forgetting.is_going_on
