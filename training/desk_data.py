"""A desk as training sees it: its past turns split by conversation, each with what retrieval would serve for it.

A turn's own conversation, also a copy under another id, is invisible when its candidates are served, so nothing is
learned that serving cannot use. Copies are one conversation also where it is split: all of them are on one side.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from conversations.desk import Desk
from conversations.errors import IndexDamaged, ModelError
from conversations.model import StoredAnswer, StoredPair
from conversations.readers.rows import earlier_names
from conversations.store import Store
from index.builder import STATES_BELOW, index_directory, update_index
from index.candidates import Candidate, ReadDialogue, read_dialogues
from index.embedder import Embedder
from index.equality import AnswerEquality
from index.fusion import FUSION_WEIGHTS
from index.retriever import Retriever
from index.spelling import desk_spelling
from index.states import ExtraStates
from index.twins import OwnIds
from training.cases import served_cases
from training.datasets import Query
from training.distributed import is_first, wait
from training.examples import Case, Example, Source, examples_from
from training.feedback_queries import FeedbackQueries, feedback_queries
from training.loop import OnProgress, Progress, counter
from training.own_encoder import embedder_to_train_under
from training.planting import Planter
from training.rankers import Ranker, retrieval_ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.rankers.named import named_ranker
from training.registry import desk_model, load_model
from training.reranker import Reranker
from training.settings import TrainSettings
from training.splits import share_of
from training.trust import trusted

HELD_OUT_SHARE = 0.15
ENCODER_SHARE = 0.75
"""Share of the training conversations that the encoder is fine-tuned on; the rest are the reranker's."""
MOST_TRAINED = 10_000
"""Turns trained on where a person sets no limit."""
MOST_HELD_OUT = 800
"""Turns that a model is judged and its confidence is fitted on."""


@dataclass
class OpenDesk:
    """A desk opened for training."""

    desk: Desk
    store: Store
    embedder: Embedder
    retriever: Retriever
    tuned_on: frozenset[str] = frozenset()
    """What the encoder was fine-tuned on: names of desks or data sets; empty where it belongs to no model."""

    @classmethod
    def open(cls, desk: Desk) -> Self:
        """Opens a desk under its present encoder; the caller holds its write lock."""
        store = desk.store()
        embedder, tuned_on = embedder_to_train_under(desk, store)
        return cls(desk, store, embedder, _in_step(desk, store, embedder, lambda _: None), tuned_on)

    def under(self, embedder: Embedder, tuned_on: frozenset[str], on_progress: OnProgress) -> OpenDesk:
        """The same desk under another, tuned encoder, its index made beside the one in use; in the place of this."""
        retriever = _in_step(self.desk, self.store, embedder, on_progress)
        self.retriever.close()
        return OpenDesk(self.desk, self.store, embedder, retriever, tuned_on)

    @property
    def is_tuned_here(self) -> bool:
        """Whether the encoder was fine-tuned on a part of this desk's conversations."""
        return self.desk.name in self.tuned_on

    @property
    def source(self) -> Source:
        """Where its candidates have their token states."""
        return Source(self.retriever.answer_states, self.retriever.question_states)

    def held_out_cases(self, on_progress: OnProgress) -> list[Case]:
        """The held-out turns as they would be served: the same, however little is trained on."""
        pairs = _sample(self._pairs_of(_is_held_out), MOST_HELD_OUT)
        return list(self._cases(list(map(_query, pairs)), "held-out turns", on_progress))

    def all_cases(self, limit: int, on_progress: OnProgress) -> list[Case]:
        """Turns from the whole log as they would be served."""
        queries = list(map(_query, _sample(self._pairs_of(lambda _: True), limit)))
        return list(self._cases(queries, "calibrating", on_progress))

    def train_examples(self, settings: TrainSettings, on_progress: OnProgress) -> list[Example]:
        """Training examples for the reranker: turns whose right answer was served, some roughened, and feedback."""
        queries = self._of_reranker(settings.limit, self.is_tuned_here)
        states = ExtraStates(self.retriever.answer_states)
        source = Source(states, self.retriever.question_states)
        planter = Planter(self.embedder, states, STATES_BELOW, FUSION_WEIGHTS, settings.seed)
        teacher = named_ranker(settings.teacher, self.embedder, *source) if settings.teacher else None
        cases = self._cases(queries, "training turns", on_progress, random.Random(settings.seed))
        return examples_from(cases, source, planter, teacher)

    def dialogues(self, limit: int | None, is_tuned_here: bool) -> tuple[int, int, int]:
        """How many there are for the reranker, held out, and for the encoder alone, at most.

        Args:
            limit: to be trained on by each.
            is_tuned_here: whether the encoder will have been tuned on this desk.
        """
        held_out = sum(1 for _ in self._pairs_of(_is_held_out))
        of_encoder = sum(1 for _ in self._pairs_of(_is_encoders_alone)) if is_tuned_here else 0
        return len(self._of_reranker(limit, is_tuned_here)), held_out, min(of_encoder, limit or of_encoder)

    def _of_reranker(self, limit: int | None, is_tuned_here: bool) -> list[Query]:
        """Turns that the reranker may train on, and feedback: the newest of it, where it is more than half of all."""
        most = limit or MOST_TRAINED
        judged = self.feedback().queries[-max(most // 2, 1) :]
        pairs = _sample(
            self._pairs_of(lambda one: not (_is_held_out(one) or (is_tuned_here and _is_of_encoder(one)))),
            most - len(judged),
        )
        return [*map(_query, pairs), *judged]

    def feedback(self) -> FeedbackQueries:
        """What people made of suggested answers."""
        return feedback_queries(one for one in self.store.feedback() if one.answer_id not in self._withdrawn)

    def encoder_queries(self, limit: int | None) -> tuple[list[Query], list[str]]:
        """What the encoder is fine-tuned on: dialogues with the rows of the answers that are right, and the answers.

        Every answer that says the same as the one given is right: other agents' wordings are no negatives.
        """
        answers = self._answers()
        rows = {answer.id: row for row, answer in enumerate(answers)}
        pairs = _sample(self._pairs_of(_is_encoders_alone), limit or 2 * MOST_TRAINED)
        right = AnswerEquality(answers).like([frozenset({pair.answer_id}) for pair in pairs])
        queries = [
            Query(pair.dialogue, frozenset(rows[one] for one in same), self._known_as(pair.conversation))
            for pair, same in zip(pairs, right, strict=True)
        ]
        return queries, [answer.text for answer in answers]

    def ranker_in_use(self) -> Ranker:
        """What the desk ranks with at present.

        What the base model's parts count was fitted on the held-out turns as well: it may look a little better there
        than it is, never a model that is to take its place.
        """
        try:
            model = trusted(self.store, desk_model(self.desk.models_path, self.embedder.identity))
        except ModelError:
            return retrieval_ranker()
        return self.ranker(model.reranker)

    def ranker(self, reranker: Reranker) -> CrossAttentionRanker:
        """A reranker over this desk's token states."""
        return CrossAttentionRanker(
            reranker, self.retriever.answer_states, self.retriever.question_states, self.embedder.device
        )

    def starting_point(self, is_own: bool, settings: TrainSettings) -> Reranker:
        """The model in use where it reads the same encoder, otherwise copies of the encoder's last layers.

        Args:
            is_own: whether the model to train is for this desk alone; what is for several starts anew.
            settings: may name a model to start from, or ask for another shape.

        Raises:
            ModelError: the model to start from cannot be used.
        """
        if settings.start is not None:
            # The encoder may just have been tuned further than the model knows it.
            return load_model(settings.start).reranker.float().reading(self.embedder.identity)
        if is_own and not settings.listwise_heads:
            try:
                return desk_model(self.desk.models_path, self.embedder.identity).reranker.float()
            except ModelError:
                pass
        return Reranker.from_encoder(
            self.embedder.transformer,
            self.embedder.identity,
            seed=settings.seed,
            listwise_heads=settings.listwise_heads,
            needs_questions=True,
            looks_back=True,
        )

    def close(self) -> None:
        """Closes what retrieves, then the store."""
        self.retriever.close()
        self.store.close()

    def _cases(
        self,
        queries: Sequence[Query],
        stage: str,
        on_progress: OnProgress,
        roughening: random.Random | None = None,
    ) -> Iterator[Case]:
        """Each turn as it would be served, its own conversation invisible; some roughened, where asked for."""
        spelling = desk_spelling(self.store, self.embedder)
        hidden = self._hidden({query.group for query in queries})

        def serve(batch: Sequence[Query]) -> list[tuple[ReadDialogue, list[Candidate]]]:
            earlier = [self.store.history_before(query.group, hidden.get(query.group, ())) for query in batch]
            dialogues = [query.dialogue for query in batch]
            contexts = read_dialogues(self.embedder, dialogues, STATES_BELOW, spelling, earlier)
            served = self.retriever.retrieve(contexts, [hidden.get(query.group, ()) for query in batch])
            return list(zip(contexts, served, strict=True))

        equality, report = AnswerEquality(self._answers()), counter(stage, on_progress)
        for case in served_cases(queries, serve, equality, report, roughening, equal_is_right=True):
            case.group = self._known_as(case.group)
            yield case

    def _hidden(self, conversations: Set[str]) -> dict[str, tuple[str, ...]]:
        """What must not be seen when a turn of each is served: the conversation itself, under all of its ids."""
        read = self.store.conversations(conversations)
        return {one.id: self._own_ids.of(one, earlier_names(one)) for one in read}

    def _pairs_of(self, is_wanted: Callable[[str], bool]) -> Iterator[StoredPair]:
        """The pairs of those conversations whose first copy is wanted; without those whose answer is withdrawn."""
        pairs = (pair for pair in self.store.pairs() if pair.answer_id not in self._withdrawn)
        return (pair for pair in pairs if is_wanted(self._known_as(pair.conversation)))

    def _answers(self) -> list[StoredAnswer]:
        """All answers that are in service."""
        return [answer for answer in self.store.answers() if answer.id not in self._withdrawn]

    @property
    def _withdrawn(self) -> frozenset[int]:
        """As they were when the index was opened: what is restored meanwhile is not served either."""
        return self.retriever.withdrawn

    def _known_as(self, conversation: str) -> str:
        """The id of the first copy of a conversation, mostly its own: what it is split, counted and grouped by."""
        return self._firsts.get(conversation, conversation)

    @cached_property
    def _own_ids(self) -> OwnIds:
        return OwnIds(self.store)

    @cached_property
    def _firsts(self) -> dict[str, str]:
        return self._own_ids.firsts()


def _is_held_out(conversation: str) -> bool:
    return share_of(conversation, "held out") < HELD_OUT_SHARE


def _is_of_encoder(conversation: str) -> bool:
    return share_of(conversation, "encoder") < ENCODER_SHARE


def _is_encoders_alone(conversation: str) -> bool:
    return _is_of_encoder(conversation) and not _is_held_out(conversation)


def _query(pair: StoredPair) -> Query:
    return Query(pair.dialogue, frozenset({pair.answer_id}), pair.conversation)


def _in_step(desk: Desk, store: Store, embedder: Embedder, on_progress: OnProgress) -> Retriever:
    """The desk's index under an encoder; the first process makes it where it is not in step."""

    def embedding(stage: str, done: int, total: int) -> None:
        on_progress(Progress(stage, done, total))

    directory = index_directory(desk.index_path, embedder.identity)
    retriever = None
    if is_first():
        try:
            retriever = Retriever(directory, store, embedder.identity)
        except IndexDamaged:
            update_index(desk.index_path, store, embedder, embedding)
    # Every process comes here, whether it would have found the index in step or not: one may be late.
    wait()
    return retriever or Retriever(directory, store, embedder.identity)


def _sample(pairs: Iterable[StoredPair], size: int) -> list[StoredPair]:
    """At most so many pairs, evenly from all conversations (reservoir sampling, Vitter 1985), seeded."""
    generator = random.Random(13)
    kept: list[StoredPair] = []
    for seen, pair in enumerate(pairs):
        if seen < size:
            kept.append(pair)
        elif (place := generator.randrange(seen + 1)) < size:
            kept[place] = pair
    return sorted(kept, key=lambda pair: pair.id)
