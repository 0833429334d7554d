"""Many dialogues at once: what is answered together, what is refused, cancelled, and what fails."""

from __future__ import annotations

import asyncio

import pytest
from async_fakes import FakePipeline, ask, customer, run, texts_of, until_begun

import bot.asynchronous
from bot.asynchronous import MOST_TOGETHER, TooManyWaiting
from bot.dialogue import Request
from conversations.errors import AttendantError, DeskError
from conversations.model import Turn


def test_what_arrives_while_a_batch_runs_becomes_the_next_batch():
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        first = ask(pipeline, "a")
        await until_begun(fake)
        later = [task for text in "bcd" for task in ask(pipeline, text)]
        await asyncio.sleep(0.01)
        assert fake.asked == [["a"]]
        fake.gate.set()
        assert await texts_of(first + later) == ["a", "b", "c", "d"]

    run(scenario, fake)
    assert fake.asked == [["a"], ["b", "c", "d"]]


def test_what_arrives_in_one_round_of_the_loop_is_one_batch_and_a_lone_request_needs_no_second():
    fake = FakePipeline()

    async def scenario(pipeline):
        assert await texts_of(ask(pipeline, "a", "b", "c")) == ["a", "b", "c"]
        assert (await pipeline.answer(customer("alone"))).answer == "alone"

    run(scenario, fake)
    assert fake.asked == [["a", "b", "c"], ["alone"]]


def test_a_batch_holds_at_most_so_many():
    fake = FakePipeline()
    texts = [str(number) for number in range(2 * MOST_TOGETHER + 3)]

    async def scenario(pipeline):
        assert await texts_of(ask(pipeline, *texts)) == texts

    run(scenario, fake)
    assert [len(batch) for batch in fake.asked] == [MOST_TOGETHER, MOST_TOGETHER, 3]


def test_each_request_brings_what_it_excludes_and_rejects_and_the_oldest_go_first(monkeypatch):
    monkeypatch.setattr(bot.asynchronous, "MOST_TOGETHER", 2)
    fake = FakePipeline()

    async def scenario(pipeline):
        tasks = ask(pipeline, "a") + ask(pipeline, "b", rejected=["no"]) + ask(pipeline, "c", exclude="past")
        assert await texts_of(tasks) == list("abc")

    run(scenario, fake)
    assert fake.batches == [
        [Request(tuple(customer("a"))), Request(tuple(customer("b")), rejected=("no",))],
        [Request(tuple(customer("c")), "past")],
    ]


def test_a_dialogue_that_grows_while_it_waits_is_answered_as_it_was():
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        first = ask(pipeline, "a")
        await until_begun(fake)
        turns = customer("b")
        second = asyncio.create_task(pipeline.answer(turns))
        await asyncio.sleep(0)
        turns.append(Turn("customer", "more"))
        fake.gate.set()
        assert await texts_of([*first, second]) == ["a", "b"]

    run(scenario, fake)


def test_past_the_bound_a_request_is_refused_and_later_ones_are_not(monkeypatch):
    monkeypatch.setattr(bot.asynchronous, "MOST_WAITING", 2)
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        running = ask(pipeline, "a")
        await until_begun(fake)
        waiting = ask(pipeline, "b", "c")
        await asyncio.sleep(0)
        with pytest.raises(TooManyWaiting, match="2 requests are waiting") as refusal:
            await pipeline.answer(customer("d"))
        assert isinstance(refusal.value, AttendantError)
        assert refusal.value.remedy
        waiting.pop().cancel()
        await asyncio.sleep(0)
        waiting += ask(pipeline, "e")
        await asyncio.sleep(0)
        fake.gate.set()
        assert await texts_of(running + waiting) == ["a", "b", "e"]

    run(scenario, fake)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_a_request_cancelled_while_it_waits_is_not_computed(rounds):
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        first = ask(pipeline, "a")
        await until_begun(fake)
        given_up, kept = ask(pipeline, "b", "c")
        await asyncio.sleep(0.01)
        fake.gate.set()
        given_up.cancel()
        for _ in range(rounds):
            await asyncio.sleep(0)
        assert await texts_of([*first, kept]) == ["a", "c"]
        assert given_up.cancelled()

    run(scenario, fake)
    assert fake.asked == [["a"], ["c"]]


def test_a_request_cancelled_in_the_very_round_in_which_its_batch_forms_is_not_computed():
    fake = FakePipeline()

    async def scenario(pipeline):
        given_up, kept = ask(pipeline, "a", "b")
        # Runs between the requests and the worker's task that they made.
        asyncio.get_running_loop().call_soon(given_up.cancel)
        assert await texts_of([kept]) == ["b"]
        with pytest.raises(asyncio.CancelledError):
            await given_up

    run(scenario, fake)
    assert fake.asked == [["b"]]


def test_a_request_cancelled_while_its_batch_runs_harms_no_other():
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        kept, given_up, other = ask(pipeline, "a", "b", "c")
        await until_begun(fake)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        fake.gate.set()
        assert await texts_of([kept, other]) == ["a", "c"]
        assert (await pipeline.answer(customer("d"))).answer == "d"

    run(scenario, fake)
    assert fake.asked == [["a", "b", "c"], ["d"]]


@pytest.mark.parametrize(
    ("failure", "told"), [(DeskError("The disk is full.", "Make room."), DeskError), (StopIteration(), RuntimeError)]
)
def test_a_failure_goes_to_its_whole_batch_and_the_next_batch_works(failure, told):
    fake = FakePipeline(is_open=False)
    fake.failure = failure

    async def scenario(pipeline):
        failing = ask(pipeline, "a", "b", "c")
        await until_begun(fake)
        failing.pop().cancel()
        later = ask(pipeline, "d")
        fake.gate.set()
        outcomes = await asyncio.gather(*failing, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [told, told]
        await until_begun(fake, 2)
        assert isinstance((await asyncio.gather(*later, return_exceptions=True))[0], told)
        fake.failure = None
        assert (await pipeline.answer(customer("e"))).answer == "e"

    run(scenario, fake)
