"""Retrieval over a data set's answers: cosine and BM25, with token states for the reranker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from conversations.model import StoredAnswer
from index.candidates import SIGNALS, Candidate, ReadDialogue
from index.echoes import is_echo
from index.embedder import Embedder
from index.equality import AnswerEquality, words_of
from index.fusion import BARE_WEIGHTS, fuse
from index.spelling import Spelling, encoder_words, words_in
from index.states import JoinedStates, TokenStates
from training.datasets import RankingTask
from training.encoded_answers import encoded_answers
from training.word_scores import WordScores

Floats = npt.NDArray[np.float32]
_ANSWER, _WORDS = SIGNALS.index("answer"), SIGNALS.index("words")


class TaskIndex:
    """The answers of a ranking task, ready to be ranked."""

    def __init__(
        self,
        task: RankingTask,
        embedder: Embedder | None,
        states_below: int,
        directory: Path,
        on_progress: Callable[[int, int], None] | None = None,
        planted: Sequence[str] = (),
    ) -> None:
        """Indexes the words of all answers and encodes them.

        Args:
            task: the answers and queries.
            embedder: encodes them; None where only words are searched.
            states_below: token states that the ranker needs; 0 for none.
            directory: keeps what is encoded, for this and later calls.
            on_progress: called with (answers done, answers in all).
            planted: further answers, as rows after those of the task; they change nothing for the others.
        """
        self.task = task
        self.texts = (*task.answers, *planted)
        self.states: TokenStates | None = None
        self._embedder = embedder
        self._words = WordScores(task.answers, planted)
        self.vectors = np.zeros((len(self.texts), 0), np.float32)
        if embedder is not None:
            parts = [
                encoded_answers(texts, embedder, states_below, directory, on_progress)
                for texts in (task.answers, planted)
                if texts
            ]
            self.vectors = np.concatenate([part.vectors for part in parts])
            states = [part.states for part in parts if part.states is not None]
            self.states = JoinedStates(states) if len(states) > 1 else next(iter(states), None)

    @cached_property
    def spelling(self) -> Spelling | None:
        """Mends towards the words of the answers and of the data set's own customers; None without an embedder.

        Counted when first asked for: rankers that are measured as they are mend nothing.
        """
        if self._embedder is None:
            return None
        counted = Counter(word for text in (*self.task.answers, *self.task.log) for word in set(words_in(text)))
        return Spelling(
            lambda words: {word: counted[word] for word in words if word in counted},
            encoder_words(self._embedder.tokenizer),
        )

    @cached_property
    def equality(self) -> AnswerEquality | None:
        """Which answers say nearly the same; None where the answers are a closed list of replies or intents.

        Those differ by as little as a word, "credit limit" from "credit limit change", and mean different things.
        """
        if self.task.kind != "answer selection":
            return None
        return AnswerEquality(StoredAnswer(row, text) for row, text in enumerate(self.task.answers))

    def vectors_of(self, rows: npt.NDArray[np.int64] | None) -> Floats:
        """The vectors of some answers, or of all, which are not copied then."""
        count = len(self.task.answers)
        if rows is None or np.array_equal(rows, np.arange(count)):
            return self.vectors[:count]
        return self.vectors[rows]

    def candidates(
        self,
        context: ReadDialogue,
        rows: npt.NDArray[np.int64] | None,
        depth: int,
        weights: Sequence[float] = BARE_WEIGHTS,
    ) -> tuple[list[Candidate], Floats]:
        """What a ranker is given for one dialogue.

        Args:
            context: the dialogue.
            rows: the answers that may be ranked; None for all of the task.
            depth: candidates to make of the best by retrieval score.
            weights: of the signals in the retrieval score.

        Returns:
            The candidates, and the retrieval scores of all allowed rows in their order; what echoes the question and
            would have been a candidate scores below all others.
        """
        allowed = np.arange(len(self.task.answers)) if rows is None else rows
        signals = np.zeros((len(allowed), len(SIGNALS)), np.float32)
        signals[:, _ANSWER] = self.vectors_of(rows) @ context.dialogue_vector
        words = self.word_scores(context.question, allowed)
        signals[:, _WORDS] = words / max(float(words.max(initial=0.0)), 1e-6)
        scores = fuse(signals, weights)
        top = self._best(allowed, scores, depth, words_of(context.question))
        made = [
            Candidate(
                answer_id=int(allowed[place]),
                text=self.texts[int(allowed[place])],
                signals=tuple(signals[place].tolist()),
                retrieval_score=float(scores[place]),
            )
            for place in top
        ]
        return made, scores

    def _best(self, allowed: npt.NDArray[np.int64], scores: Floats, depth: int, asked: frozenset[str]) -> list[int]:
        """The places of the best rows by falling score, without echoes, whose scores are lowered."""
        best: list[int] = []
        lowest = float(scores.min(initial=0.0)) - 1.0
        for place in np.argsort(-scores, kind="stable").tolist():
            if is_echo(self.texts[int(allowed[place])], asked):
                scores[place] = lowest
                continue
            best.append(place)
            if len(best) == depth:
                break
        return best

    def word_scores(self, question: str, rows: npt.NDArray[np.int64]) -> Floats:
        """BM25 of a question against some answers: (rows,)."""
        return self._words.of(question, rows)
