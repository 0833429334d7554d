"""The answering pipeline: read the dialogue once, retrieve, rerank, decide.

One pipeline serves chat, `ask` and replay. It keeps the index it opened: what is imported meanwhile is found by the
next pipeline; what people judge meanwhile, also elsewhere, counts at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

from bot.answers import Answer, Explanation, RankedAnswer, named_scores
from bot.deciding import answer_of
from bot.desk_loading import load_desk_model, load_mood_reader, open_retriever
from bot.desk_rankers import desk_ranker
from bot.dialogue import Request
from bot.early_warning import desk_threshold
from bot.failed_answers import still_wanted
from bot.feedback_prior import FeedbackPrior, LivePrior
from bot.new_topic import alone, by_itself, surer
from bot.withdrawing import why_gone
from conversations.closing import Closing
from conversations.desk import Desk
from conversations.errors import DeskError
from conversations.model import Conversation, Turn
from conversations.pairs import as_asked
from conversations.store import Store
from index.builder import OnProgress
from index.candidates import Candidate, ReadDialogue, read_dialogues
from index.embedder import Embedder
from index.retriever import CANDIDATES, Hits, Retriever
from index.spelling import desk_spelling
from training.desk_calibration import desk_decision, is_switched_off
from training.mood import Mood, MoodReader
from training.rankers.cross_attention import CrossAttentionRanker
from training.registry import Model

if TYPE_CHECKING:
    from conversations.known_ids import KnownIds

SWITCHED_OFF = "This desk is switched off and hands everything over; attendant tune --risk R can let it answer."


class Pipeline(Closing):
    """A desk, opened for answering."""

    def __init__(
        self, desk: Desk, store: Store, embedder: Embedder, retriever: Retriever, model: Model | None
    ) -> None:
        self.desk = desk
        self.store = store
        self.embedder = embedder
        self.retriever = retriever
        self.spelling = desk_spelling(store, embedder)
        self.model = model
        self.notices: list[str] = []
        self.ranker = desk_ranker("cross-attention" if model else "retrieval", model, retriever, embedder.device)
        self.decision = desk_decision(store, model)
        self.prior: FeedbackPrior | None = None
        self._judged = LivePrior(store, embedder.identity)
        self.mood_threshold = desk_threshold(store)
        self.moods: MoodReader | None = None

    @classmethod
    def open(cls, desk: Desk, ranker: str | None = None, on_progress: OnProgress | None = None) -> Self:
        """Opens a desk; an index that is damaged or out of step is mended first, which `notices` tells.

        Args:
            desk: an existing desk.
            ranker: as for `desk_ranker`; by default the desk's model, else the base model, else retrieval.
            on_progress: called with (what is done, done, total) while something takes long.

        Raises:
            DeskError: the desk holds no pairs, or its store cannot be opened.
            ModelError: the ranker is not known, or the desk's encoder cannot be loaded.
        """
        store = desk.store()
        try:
            if not store.counts()["pairs"]:
                raise DeskError(f"The desk {desk.name} has no answers yet.", "Import logs: attendant import LOGS.")
            model, embedder, notices = load_desk_model(desk, store)
            retriever, mended = open_retriever(desk, store, embedder, on_progress)
            pipeline = cls(desk, store, embedder, retriever, model)
            pipeline.moods, unread = load_mood_reader(desk, embedder)
            if ranker is not None:
                pipeline.ranker = desk_ranker(ranker, model, retriever, embedder.device)
                if ranker != "cross-attention":
                    # What was calibrated for the reranker's scores says nothing of another ranker's.
                    pipeline.decision = desk_decision(store, None)
        except BaseException:
            store.close()
            raise
        pipeline.notices = notices + mended + unread + ([SWITCHED_OFF] if is_switched_off(store) else [])
        return pipeline

    def refresh_feedback(self) -> None:
        """Takes up what people said of answers and did with them; from then on before each answer, too."""
        self.prior = self._judged.latest()

    @property
    def ranker_name(self) -> str:
        """Name of the ranker, with its model where it has one."""
        is_model = self.model is not None and self.ranker.name == "cross-attention"
        return f"{self.ranker.name}:{self.model.name}" if is_model and self.model else self.ranker.name

    @property
    def threshold(self) -> float:
        """The confidence from which on it answers."""
        return self.decision.threshold

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of conversations, turns, pairs and answers."""
        return self.store.counts()

    @cached_property
    def _ids(self) -> KnownIds:
        from conversations.known_ids import KnownIds  # Only who names a conversation waits for what makes pseudonyms.

        return KnownIds(self.store)

    def conversation(self, conversation_id: str) -> Conversation | None:
        """A past conversation, by its id in the desk or in its log, de-identified as it is stored."""
        return self.store.conversation(self._ids.of(conversation_id))

    def answer(
        self,
        turns: Sequence[Turn],
        exclude: str | None = None,
        rejected: Sequence[str] = (),
        earlier: Sequence[Turn] = (),
    ) -> Answer:
        """What to say after these turns; the arguments are the fields of `Request`."""
        return self.answer_many([Request(as_asked(tuple(turns)), exclude, tuple(rejected), tuple(earlier))])[0]

    def answer_many(self, requests: Sequence[Request]) -> list[Answer]:
        """What to say in each of many dialogues; the same as one at a time, but faster."""
        answers = self.answer_whole(requests)
        again = {
            place: shorter
            for place, (request, answer) in enumerate(zip(requests, answers, strict=True))
            if (shorter := alone(request, answer))
        }
        if again:
            for place, last in zip(again, self.answer_whole(list(again.values())), strict=True):
                answers[place] = surer(answers[place], last)
        return answers

    def answer_whole(self, requests: Sequence[Request]) -> list[Answer]:
        """What to say in each of many dialogues as a whole."""
        started = time.perf_counter()
        contexts, words = self._read(requests)
        moods = self._moods_of(contexts)
        embedded = time.perf_counter()
        served = self._retrieve(contexts, requests, words)
        retrieved = time.perf_counter()
        count = max(len(requests), 1)
        timings = {"embed": 1000 * (embedded - started) / count, "retrieve": 1000 * (retrieved - embedded) / count}
        return self._rank(requests, contexts, served, timings, moods)

    def answer_in_steps(self, request: Request, count: int | None = None) -> Iterator[Answer | None]:
        """The answer to one request in steps, between which whoever no longer wants it may stop.

        Args:
            request: the dialogue.
            count: how many candidates are weighed; by default as many as for any answer.

        Yields:
            None when the dialogue was read and when candidates were found; then the answer; and where the customer
            begins something new, the same once more with the answer to that.
        """
        for answer in self._in_steps(request, count):
            yield answer
            if answer is not None and (shorter := alone(request, answer)):
                for last in self._in_steps(shorter, count):
                    yield last and surer(answer, last)

    def _in_steps(self, request: Request, count: int | None) -> Iterator[Answer | None]:
        started = time.perf_counter()
        contexts, words = self._read([request])
        moods = self._moods_of(contexts)
        embedded = time.perf_counter()
        yield None
        begun = time.perf_counter()
        served = self._retrieve(contexts, [request], words, count)
        timings = {"embed": 1000 * (embedded - started), "retrieve": 1000 * (time.perf_counter() - begun)}
        yield None
        yield from self._rank([request], contexts, served, timings, moods)

    def _rank(
        self,
        requests: Sequence[Request],
        contexts: Sequence[ReadDialogue],
        served: Sequence[Sequence[Candidate]],
        timings: dict[str, float],
        moods: Sequence[Mood | None],
    ) -> list[Answer]:
        """Weighs what was retrieved and decides; `timings` are those of the stages before, of one request."""
        begun = time.perf_counter()
        self.prior = self.prior and self._judged.latest()
        wanted = [
            still_wanted(found, [*request.earlier, *request.turns], request.rejected)
            for request, found in zip(requests, served, strict=True)
        ]
        ranked = self.ranker.rank_many(contexts, wanted)
        answers = []
        rows = zip(requests, contexts, served, wanted, ranked, moods, strict=True)
        for request, context, found, kept, weighed, mood in rows:
            answer = answer_of(self.decision, context, weighed, request.prior or self.prior)
            answers.append(replace(answer, left_out=len(found) - len(kept), mood=mood))
        timings = {**timings, "rerank": 1000 * (time.perf_counter() - begun) / max(len(requests), 1)}
        return [replace(answer, timings_ms=timings | {"total": sum(timings.values())}) for answer in answers]

    def _moods_of(self, contexts: Sequence[ReadDialogue]) -> Sequence[Mood | None]:
        """How the last turn of each dialogue sounds; None where no head reads the desk's encoder."""
        return self.moods.read_newest(contexts, self._states_below) if self.moods else [None] * len(contexts)

    def _read(self, requests: Sequence[Request]) -> tuple[list[ReadDialogue], list[Future[Hits]]]:
        """The dialogues as the encoder reads them, and the searches by words that run meanwhile."""
        dialogues = [self.spelling.mended_dialogue(request.turns) for request in requests]
        words = self.retriever.look_up_words([turns[-1].text if turns else "" for turns in dialogues])
        earlier = [request.earlier for request in requests]
        return read_dialogues(self.embedder, dialogues, self._states_below, earlier=earlier), words

    @property
    def _states_below(self) -> int:
        """Which token states are read: those of the reranker, which the mood head shares, or of the head alone."""
        return self.ranker.states_below or (self.moods.states_below if self.moods else 0)

    def read_moods(self, said: Sequence[str]) -> list[Mood]:
        """How each of these messages sounds by itself; empty where no head reads the desk's encoder."""
        return self.moods.read(said) if self.moods else []

    def _retrieve(
        self,
        contexts: Sequence[ReadDialogue],
        requests: Sequence[Request],
        words: Sequence[Future[Hits]],
        count: int | None = None,
    ) -> list[list[Candidate]]:
        hidden = [tuple(one for name in request.hidden for one in self._ids.both(name)) for request in requests]
        moments = [request.as_of for request in requests]
        return self.retriever.retrieve(contexts, hidden, count or CANDIDATES, moments, words)

    def explain(self, request: Request, answer: Answer, given: RankedAnswer | None = None) -> Explanation:
        """Where a candidate's weight comes from: words, turns and signals.

        Args:
            request: what was asked.
            answer: what was said to it.
            given: the candidate that was given; by default the best.
        """
        if not answer.candidates:
            return Explanation(None, answer.confidence, [], [], {}, None)
        if answer.is_new_topic:
            last = by_itself(request)
            return self.explain(last, replace(answer, is_new_topic=False), given).moved(len(request.turns) - 1)
        about = given or answer.candidates[0]
        if gone := why_gone(self.store, about.answer_id):
            return Explanation(about, answer.chance(about), [], [], {}, None, gone)
        # As people had judged by then, in all that is compared: being given, or sent, is a judgement itself.
        request = replace(request, prior=answer.prior)
        shorter = request.without_each()
        now, *rest = self.answer_whole([request, *shorter.values()])
        about = next((one for one in now.candidates if one.answer_id == about.answer_id), about)
        other = next((one for one in now.candidates if one.answer_id != about.answer_id), None)
        return Explanation(
            about=about,
            confidence=now.chance_of(about.answer_id),
            words=self.attention(request, about),
            without_turn=[(place, one.chance_of(about.answer_id)) for place, one in zip(shorter, rest, strict=True)],
            signals=named_scores(about),
            runner_up=named_scores(other) if other else None,
        )

    def attention(self, request: Request, best: RankedAnswer) -> list[tuple[str, float, int]]:
        """The dialogue's words, each with its share of a candidate's attention and the position of its turn.

        The rest of the attention falls on the marks between turns. Empty where the ranker has no attention.
        """
        if not isinstance(self.ranker, CrossAttentionRanker):
            return []
        contexts, words = self._read([request])
        (context,), (served,) = contexts, self._retrieve(contexts, [request], words)
        chosen = [candidate for candidate in served if candidate.answer_id == best.answer_id]
        if not chosen:
            return []
        weights = self.ranker.reranker.attention_to_dialogue(
            self.ranker.dialogue(context), self.ranker.candidates(chosen), 0
        ).tolist()
        return self.embedder.words(context.tokens, weights, len(request.turns))

    def close(self) -> None:
        """Closes the store."""
        self.retriever.close()
        self.store.close()
