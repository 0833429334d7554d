"""`/forget` in a running dialogue: for the one who was named, and nothing is kept of them any more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANSWERS, PAST, FakePipeline
from lamp_desk import lamp_desk

from bot.customer import Customer
from bot.forgetting import Forgetting
from conversations.errors import DeskError

ANNA, BERT = Customer("anna", "a"), Customer("bert", "b")


def test_the_second_forget_is_for_the_customer_whom_the_first_one_named():
    told = []
    forgetting = Forgetting("attendant assist", told.append)

    def asked(customer):
        forgetting.hear("forget")
        return forgetting.is_confirmed(customer)

    # A followed log may begin another customer's dialogue between the two.
    assert [asked(ANNA), asked(BERT), asked(BERT)] == [False, False, True]
    assert "anna" in told[0] and "bert" in told[1] and len(told) == 2
    assert not asked(None) and "--customer ID" in told[-1]


def test_what_is_done_while_the_customer_is_being_removed_is_not_kept(tmp_path):
    desk = FakePipeline(ANSWERS, PAST)
    desk.desk = lamp_desk(tmp_path)

    async def play(keyboard):
        screen = keyboard.screen
        await keyboard.type("it is dark\r")
        await keyboard.settles()
        dialogue = replace(screen.assist.dialogue)
        screen._keep(dialogue, 7, "sent")
        screen.on_desk(lambda: screen.forgetting.forget(desk.desk, Customer("c-8", "")))
        screen._keep(dialogue, 8, "good")
        await keyboard.until(lambda: not screen.jobs.waiting)

    assert verdicts(use_screen(play, desk)) == [(7, "sent")]


def test_who_cannot_be_removed_can_still_be_answered(tmp_path):
    forgetting = Forgetting("attendant chat", print)
    desk = lamp_desk(tmp_path)
    with pytest.raises(DeskError, match="knows no customer"):
        forgetting.forget(desk, Customer("nobody", ""))
    assert not forgetting.is_going_on
