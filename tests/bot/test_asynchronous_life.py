"""From opening to closing an async pipeline: a fake one for threads and giving up, the real one for sameness."""

from __future__ import annotations

import asyncio
import threading

import pytest
from async_fakes import PATIENCE, FakePipeline, ask, customer, run, texts_of, until_begun
from made_once import sample_desk

import index.embedder
import training.rankers.cross_attention
from bot.asynchronous import AsyncPipeline
from bot.pipeline import Pipeline
from conversations.errors import DeskError, ModelError
from conversations.model import Turn

QUESTIONS = (
    "Will it also come on a Saturday?",
    "where is my parcel",
    "How do I get the invoice?",
    "Can I still cancel my order?",
    "I forgot my password",
    "Do you ship to Ireland?",
    "The shelf came with a broken board.",
    "My card was refused at the checkout, although the bank sees nothing wrong with it",
    "How long do I have to send something back?",
    "When do I get my money back?",
    "Do you sell bananas?",
)


def test_closing_answers_what_waits_refuses_what_comes_and_closes_once():
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        tasks = ask(pipeline, "a")
        await until_begun(fake)
        tasks += ask(pipeline, "b") + ask(pipeline, "c")
        await asyncio.sleep(0)
        closing = [asyncio.create_task(pipeline.close()) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(DeskError, match="closed"):
            await pipeline.answer(customer("late"))
        assert not fake.closings
        assert not closing[1].done()
        fake.gate.set()
        await asyncio.gather(*closing)
        assert fake.closings == 1
        assert await texts_of(tasks) == ["a", "b", "c"]

    run(scenario, fake)
    assert fake.asked == [["a"], ["b", "c"]]
    assert fake.closings == 1


def test_whoever_gives_up_waiting_for_the_end_does_not_keep_it_from_coming():
    fake = FakePipeline(is_open=False)

    async def scenario(pipeline):
        tasks = ask(pipeline, "a")
        await until_begun(fake)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pipeline.close(), 0.01)
        fake.gate.set()
        assert await texts_of(tasks) == ["a"]
        while not fake.closings:
            await asyncio.sleep(0.001)

    run(scenario, fake)


def test_one_thread_opens_asks_and_closes(monkeypatch):
    fake = FakePipeline()

    def opening(desk, ranker):
        fake.threads.add(threading.current_thread())
        assert (desk, ranker) == ("desk", "bm25")
        return fake

    monkeypatch.setattr(Pipeline, "open", opening)

    async def main():
        async with await AsyncPipeline.open("desk", "bm25") as pipeline:
            assert pipeline.notices == ("mended",)
            for text in "abc":
                await asyncio.gather(*ask(pipeline, text, text))

    asyncio.run(main())
    assert fake.closings == 1
    (thread,) = fake.threads
    assert thread is not threading.current_thread()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_pipeline_that_opens_after_its_caller_gave_up_is_closed(monkeypatch):
    fake = FakePipeline(is_open=False)

    def opening(desk, ranker):
        fake.threads.add(threading.current_thread())
        assert fake.gate.wait(PATIENCE)
        return fake

    monkeypatch.setattr(Pipeline, "open", opening)

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(AsyncPipeline.open("desk"), 0.05)
        fake.gate.set()

    asyncio.run(main())
    for thread in list(fake.threads):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert fake.closings == 1


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return sample_desk(tmp_path_factory.mktemp("home"))


def test_twelve_at_once_give_what_one_at_a_time_gives(desk, monkeypatch):
    # In bfloat16 the neighbours in a batch move a confidence by some thousandths, which would hide small faults.
    for module in (index.embedder, training.rankers.cross_attention):
        monkeypatch.setattr(module, "default_precision", lambda device: "float32")
    dialogues = [
        *(customer(question) for question in QUESTIONS),
        [*customer("my lamp is broken"), Turn("agent", "Please send two photos."), *customer("and then?")],
    ]
    with Pipeline.open(desk) as pipeline:
        refused = [candidate.text for candidate in pipeline.answer(dialogues[0]).candidates]
        hidden = pipeline.answer(dialogues[1]).candidates[0].evidence[0].conversation
        special = {0: {"rejected": refused}, 1: {"exclude": hidden}, 5: {"rejected": refused}}
        options = [special.get(place, {}) for place in range(len(dialogues))]
        alone = [pipeline.answer(turns, **chosen) for turns, chosen in zip(dialogues, options, strict=True)]
    assert len({answer.answer for answer in alone}) > 3
    assert {answer.decision for answer in alone} == {"answer", "handoff"}

    sizes = []
    answer_many = Pipeline.answer_many

    def counted(self, requests):
        sizes.append(len(requests))
        return answer_many(self, requests)

    monkeypatch.setattr(Pipeline, "answer_many", counted)

    async def at_once(order):
        async with await AsyncPipeline.open(desk) as pipeline:
            tasks = {place: pipeline.answer(dialogues[place], **options[place]) for place in order}
            return dict(zip(tasks, await asyncio.gather(*tasks.values()), strict=True))

    for order in (range(12), reversed(range(12))):
        together = asyncio.run(at_once(order))
        for place, expected in enumerate(alone):
            found = together[place]
            assert (found.decision, found.answer) == (expected.decision, expected.answer)
            assert [entry.answer_id for entry in found.candidates[:1]] == [
                entry.answer_id for entry in expected.candidates[:1]
            ]
            assert found.confidence == pytest.approx(expected.confidence, abs=1e-4)
    assert sizes == [12, 12]


def test_an_error_of_opening_is_told(desk):
    with pytest.raises(ModelError, match="cross-attention, retrieval"):
        asyncio.run(AsyncPipeline.open(desk, "magic"))
