"""From a dialogue to the 50 answers most worth weighing: vectors and words, searched together and fused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from conversations.closing import Closing
from conversations.errors import IndexDamaged
from conversations.store import Store
from index.candidates import SIGNALS, Candidate, Evidence, ReadDialogue, first_pairs
from index.echoes import is_echo
from index.equality import words_of
from index.fusion import fuse, votes
from index.manifest import verify_state
from index.opened import open_index
from index.visibility import Links, Mask, Times, moment_of

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Hits = list[tuple[int, int, float]]
"""Pair, answer and BM25 score, best first."""
Hidden = tuple[str, ...]
"""Ids of conversations that must not be seen."""

CANDIDATES = 50
"""Answers handed to the ranker."""
SEARCHED = 100
"""Past pairs looked up by each vector search."""
SPARE = 50
"""Looked up beyond that, so that a hidden conversation seldom makes a second search necessary."""
SEARCHED_WORDS = 50
SEARCHED_ANSWERS = 50


@dataclass(slots=True)
class _Found:
    """Everything the searches brought for one dialogue, scored."""

    pairs: Ids
    """Store ids of past pairs."""
    question: Floats
    dialogue: Floats
    vote: Floats
    words: Floats
    """One number a pair: cosines, share of the vote, BM25 relative to the best."""


class Retriever(Closing):
    """A desk's index opened for reading. It keeps seeing the index it opened, whatever a writer does meanwhile."""

    def __init__(self, directory: Path, store: Store, encoder: str, may_lag: bool = False) -> None:
        """Opens and verifies the index.

        Args:
            directory: of the index.
            store: what the index was built from.
            encoder: identity of the encoder.
            may_lag: whether an index that is whole but out of step will do: what both hold is then served.

        Raises:
            IndexDamaged: there is none, it is damaged, of another encoder, or out of step with the store.
        """
        self.store = store
        opened = open_index(directory)
        if opened.encoder != encoder:
            raise IndexDamaged("The index was built by another encoder.", "It is rebuilt from the store.")
        verify_state(opened.writing, store)
        self.views = opened.views
        self.question_states, self.answer_states = opened.question_states, opened.answer_states
        pairs, answers, ordinals = self.store.pair_answers()
        links, here = Links(pairs, answers, ordinals), self.views
        self._held = links.without(~np.isin(pairs, here["questions"].ids) | ~np.isin(answers, here["answers"].ids))
        self.withdrawn = self.store.service.withdrawn()
        """Ids of the answers that were withdrawn then."""
        self._links = self._held.without(np.isin(self._held.answers, list(self.withdrawn)))
        self._beside = ThreadPoolExecutor(1, "words")
        held, given = len(here["questions"]), len(here["answers"])
        is_in_step = len(self._held) == len(pairs) == held and links.different_answers == given
        if not is_in_step and not (may_lag and len(self._held)):
            raise IndexDamaged("The index is out of step with the store.", "It is brought in step.")

    def is_current(self) -> bool:
        """Whether the store still holds just the pairs that are served and those that were withdrawn, no others."""
        ours = (self._held.pairs, self._held.answers, self._held.ordinals)
        is_same = all(map(np.array_equal, ours, self.store.pair_answers()))
        return is_same and self.withdrawn == self.store.service.withdrawn()

    def look_up_words(self, questions: Sequence[str]) -> list[Future[Hits]]:
        """Begins the searches by words, which need no vectors, on another thread: what `retrieve` takes as `words`.

        On a large desk one takes as long as the encoder takes for a dialogue.
        """
        return [self._beside.submit(self.store.search_words, question, SEARCHED_WORDS) for question in questions]

    def retrieve(
        self,
        dialogues: Sequence[ReadDialogue],
        exclude: Sequence[Hidden] | None = None,
        count: int = CANDIDATES,
        as_of: Sequence[str | None] | None = None,
        words: Sequence[Future[Hits]] | None = None,
    ) -> list[list[Candidate]]:
        """The candidates of each dialogue, best retrieval score first; the dialogues get to know their `openings`.

        Args:
            dialogues: as the encoder read them.
            exclude: per dialogue the conversations that must stay invisible, with all that only they know.
            count: candidates per dialogue.
            as_of: per dialogue the moment from which on nothing is visible, as for `visible`.
            words: what `look_up_words` began for the last turns of these dialogues.
        """
        if not dialogues:
            return []
        words = words or self.look_up_words([dialogue.question for dialogue in dialogues])
        seen = self.visible(exclude or [()] * len(dialogues), as_of or [None] * len(dialogues))
        questions = np.stack([dialogue.question_vector for dialogue in dialogues])
        wholes = np.stack([dialogue.dialogue_vector for dialogue in dialogues])
        pairs_seen, answers_seen = [links.sees for links in seen], [links.sees_answers for links in seen]
        by_question = self._search("questions", questions, SEARCHED, pairs_seen)
        for dialogue, near in zip(dialogues, by_question, strict=True):
            dialogue.openings = self._held.openings_among(near)
        by_dialogue = self._search("dialogues", wholes, SEARCHED, pairs_seen)
        by_answer = self._search("answers", wholes, SEARCHED_ANSWERS, answers_seen)
        return [
            self._candidates(
                dialogue, seen[row], by_question[row], by_dialogue[row], by_answer[row], words[row].result(), count
            )
            for row, dialogue in enumerate(dialogues)
        ]

    def nearness(self, questions: Floats, exclude: Sequence[Hidden]) -> Floats:
        """How near each question is to the nearest past one that it may see: cosine, (questions,); -1 for none.

        Args:
            questions: (questions, dimension), each of length 1.
            exclude: as for `retrieve`.
        """
        seen = [links.sees for links in self.visible(exclude, [None] * len(exclude))]
        near = np.full(len(questions), -1.0, np.float32)
        for row, ids in enumerate(self._search("questions", questions, 1, seen)):
            if len(ids):
                near[row] = self.views["questions"].vectors_of(ids)[0] @ questions[row]
        return near

    def visible(self, exclude: Sequence[Hidden], as_of: Sequence[str | None]) -> list[Links]:
        """What each of some dialogues may see.

        Args:
            exclude: per dialogue the conversations that it must not see, by their ids.
            as_of: per dialogue the moment when it began, in ISO 8601, or None. Pairs said then or later are hidden.
                Where a pair has no time, or the moment is empty or cannot be read, the order of import decides: what
                came into the desk after the first of the excluded conversations is hidden; see `Times.came_later`
                for where none of them is in the desk.
        """
        wanted = list(zip(self._ordinals_of(exclude), as_of, strict=True))
        views = {one: self._links_seen(*one) for one in dict.fromkeys(wanted)}
        return [views[one] for one in wanted]

    def is_placed(self, exclude: Hidden, as_of: str) -> bool:
        """Whether it is known of all that a dialogue may see that it came before; the arguments as for `visible`."""
        (own,) = self._ordinals_of([exclude])
        return self._times.is_placed(own, moment_of(as_of))

    def _ordinals_of(self, exclude: Sequence[Hidden]) -> list[tuple[int, ...]]:
        """The ordinals of those of some conversations that are in the desk, rising."""
        known = self.store.conversation_ordinals({name for names in exclude for name in names})
        return [tuple(sorted(known[name] for name in names if name in known)) for names in exclude]

    def _links_seen(self, own: tuple[int, ...], moment: str | None) -> Links:
        hidden = np.isin(self._links.ordinals, own)
        if moment is not None:
            hidden |= self._times.came_later(own, moment_of(moment))
        return self._links.without(hidden)

    @cached_property
    def _times(self) -> Times:
        return Times(self._links, self.store.pair_times())

    def _search(self, view: str, queries: Floats, count: int, seen: Sequence[Callable[[Ids], Mask]]) -> list[Ids]:
        """The nearest that each query may see.

        Searched wider for those that found too few, until there are enough or no more: what one query may not see
        changes nothing for another.
        """
        found: list[Ids] = [np.empty(0, np.int64)] * len(queries)
        left, wide = list(range(len(queries))), count + SPARE
        while left:
            ids = self.views[view].search(queries[left], wide)[1]
            for row, place in enumerate(left):
                found[place] = ids[row][seen[place](ids[row])][:count]
            left = [place for place in left if len(found[place]) < count] if wide < len(self.views[view]) else []
            wide *= 4
        return found

    def _candidates(
        self,
        dialogue: ReadDialogue,
        links: Links,
        by_question: Ids,
        by_dialogue: Ids,
        by_answer: Ids,
        hits: Hits,
        count: int,
    ) -> list[Candidate]:
        words = self._words(dialogue.question, links, hits)
        by_words = np.fromiter(words, np.int64, len(words))
        pairs = np.unique(np.concatenate([by_question, by_dialogue, by_words, links.evidence(by_answer)]))
        if len(pairs) == 0:
            return []
        found = self._score_pairs(dialogue, pairs, words, by_dialogue)
        answer_ids = links.answers_of(pairs)
        signals, best_pairs, answers = self._signals(dialogue, found, answer_ids, links)
        scores = fuse(signals)
        order = np.argsort(-scores, kind="stable")
        nearest = np.argsort(-(found.question + found.dialogue), kind="stable")
        asked = words_of(dialogue.question)

        def made(top: Ids) -> Iterator[Candidate]:
            named = answers[top].tolist()
            gone = self.store.service.withdrawn_among(named)
            texts = {answer.id: answer.text for answer in self.store.answers(named) if answer.id not in gone}
            evidence = first_pairs(found.pairs[nearest], answer_ids[nearest], named)
            moments = self.store.pair_moments({pair for pairs in evidence.values() for pair in pairs})
            for place in top:
                answer, best = int(answers[place]), int(best_pairs[place])
                # A writer may have deleted or withdrawn an answer since the index was opened.
                if answer in texts and best in moments and not is_echo(texts[answer], asked):
                    yield Candidate(
                        answer_id=answer,
                        text=texts[answer],
                        signals=tuple(float(value) for value in signals[place]),
                        retrieval_score=float(scores[place]),
                        question_id=best,
                        question=moments[best][2],
                        evidence=tuple(Evidence(*moments[pair][:2]) for pair in evidence[answer] if pair in moments),
                    )

        # The next ones are only looked at where echoes, or what was deleted, leave room for them.
        parts = (made(order[begin : begin + count]) for begin in range(0, len(order), count))
        return list(islice(chain.from_iterable(parts), count))

    def _score_pairs(self, dialogue: ReadDialogue, pairs: Ids, words: dict[int, float], by_dialogue: Ids) -> _Found:
        question = self.views["questions"].vectors_of(pairs) @ dialogue.question_vector
        whole = self.views["dialogues"].vectors_of(pairs) @ dialogue.dialogue_vector
        voting = np.isin(pairs, by_dialogue)
        vote = np.zeros(len(pairs), np.float32)
        vote[voting] = votes(whole[voting])
        best = max(words.values(), default=1.0) or 1.0
        relative = np.array([words.get(int(pair), 0.0) / best for pair in pairs], np.float32)
        return _Found(pairs, question, whole, vote, relative)

    def _signals(
        self, dialogue: ReadDialogue, found: _Found, answer_ids: Ids, links: Links
    ) -> tuple[Floats, Ids, Ids]:
        """Signals (answers, len(SIGNALS)), the nearest past pair of each answer, and the answers' ids."""
        answers, place = np.unique(answer_ids, return_inverse=True)
        signals = np.zeros((len(answers), len(SIGNALS)), np.float32)
        signals[:, 0] = self.views["answers"].vectors_of(answers) @ dialogue.dialogue_vector
        signals[:, 1:4] = -1.0
        np.maximum.at(signals[:, 1], place, found.question)
        np.maximum.at(signals[:, 2], place, found.dialogue)
        np.maximum.at(signals[:, 3], place, found.words)
        np.add.at(signals[:, 4], place, found.vote)
        signals[:, 5] = np.log10(1.0 + links.given(answers)) / 4.0
        nearness = found.question + found.dialogue
        by_nearness = np.argsort(nearness, kind="stable")
        best = np.zeros(len(answers), np.int64)
        best[place[by_nearness]] = found.pairs[by_nearness]
        return signals, best, answers

    def _words(self, question: str, links: Links, hits: Hits) -> dict[int, float]:
        """The pairs that share words with a question, as many as can be seen, with their BM25 scores.

        Args:
            question: searched for again, and wider, where too few can be seen.
            links: what can be seen.
            hits: the first `SEARCHED_WORDS`.
        """
        wide = SEARCHED_WORDS
        while True:
            # The words may also name pairs that were stored after this index was opened.
            seen = links.sees(np.array([pair for pair, _, _ in hits], np.int64))
            found = {pair: score for (pair, _, score), is_seen in zip(hits, seen, strict=True) if is_seen}
            if len(found) >= SEARCHED_WORDS or len(hits) < wide:
                return dict(list(found.items())[:SEARCHED_WORDS])
            wide *= 4
            # On the thread of the others: the store counts the words it has met, which two must not do at once.
            hits = self._beside.submit(self.store.search_words, question, wide).result()

    def close(self) -> None:
        """Waits for searches that were begun; to be called before the store is closed."""
        self._beside.shutdown(cancel_futures=True)
