"""From a dialogue to the 50 answers most worth weighing: vectors and words, searched together and fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from conversations.errors import IndexDamaged
from conversations.store import Store
from index.candidates import SIGNALS, Candidate, Evidence, ReadDialogue
from index.fusion import fuse, votes
from index.manifest import Manifest, read_manifest, verify_files
from index.states import TokenStates
from index.vectors import VectorIndex

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

CANDIDATES = 50
"""Answers handed to the ranker."""
SEARCHED = 100
"""Past pairs looked up by each vector search."""
SEARCHED_WORDS = 50
SEARCHED_ANSWERS = 50
EVIDENCE_TRIED = 4
"""Past pairs looked at for an answer that no pair search found."""
EVIDENCE_SHOWN = 20
"""Past moments listed for one candidate."""


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


class Retriever:
    """A desk's index opened for reading. It keeps seeing the index it opened, whatever a writer does meanwhile."""

    def __init__(self, directory: Path, store: Store, encoder: str) -> None:
        """Opens and verifies the index.

        Raises:
            IndexDamaged: there is none, it is damaged, of another encoder, or out of step with the store.
        """
        self.store = store
        manifest = _stable_manifest(directory)
        if manifest.encoder != encoder:
            raise IndexDamaged("The index was built by another encoder.", "It is rebuilt from the store.")
        self.views = {
            view: VectorIndex.load(directory / name, manifest.dimension) for view, name in manifest.vectors.items()
        }
        self.question_states = TokenStates(directory, manifest.segments["questions"])
        self.answer_states = TokenStates(directory, manifest.segments["answers"])
        self._read_links()
        if not np.array_equal(np.sort(self.views["questions"].ids), self._pair_ids) or not np.array_equal(
            np.sort(self.views["answers"].ids), np.unique(self._answer_of_pair)
        ):
            raise IndexDamaged("The index is out of step with the store.", "It is brought in step.")

    def _read_links(self) -> None:
        pairs, answers, ordinals = self.store.pair_answers()
        order = np.argsort(pairs)
        self._pair_ids, self._answer_of_pair, self._ordinal_of_pair = (
            pairs[order],
            answers[order],
            ordinals[order],
        )
        self._rows_by_answer = np.argsort(self._answer_of_pair, kind="stable")
        self._sorted_answers = self._answer_of_pair[self._rows_by_answer]

    def retrieve(
        self,
        dialogues: Sequence[ReadDialogue],
        exclude: Sequence[str | None] | None = None,
        count: int = CANDIDATES,
    ) -> list[list[Candidate]]:
        """The candidates of each dialogue, best retrieval score first.

        Args:
            dialogues: as the encoder read them.
            exclude: per dialogue a conversation that must stay invisible, with all that only it knows.
            count: candidates per dialogue.
        """
        if not dialogues or len(self._pair_ids) == 0:
            return [[] for _ in dialogues]
        hidden_names = exclude or [None] * len(dialogues)
        known = self.store.conversation_ordinals({name for name in hidden_names if name})
        hidden = [known.get(name, -1) if name else -1 for name in hidden_names]
        # Over-fetching by the hidden conversation's own pairs keeps the search exact after they are left out; each
        # dialogue by its own, so that the others of a batch change nothing.
        own = {ordinal: int((self._ordinal_of_pair == ordinal).sum()) for ordinal in set(hidden) if ordinal >= 0}
        spares = [own.get(ordinal, 0) for ordinal in hidden]
        spare = max(spares, default=0)
        questions = np.stack([dialogue.question_vector for dialogue in dialogues])
        wholes = np.stack([dialogue.dialogue_vector for dialogue in dialogues])
        by_question = self.views["questions"].search(questions, SEARCHED + spare)[1]
        by_dialogue = self.views["dialogues"].search(wholes, SEARCHED + spare)[1]
        by_answer = self.views["answers"].search(wholes, SEARCHED_ANSWERS + spare)[1]
        return [
            self._candidates(
                dialogue,
                hidden[row],
                by_question[row][: SEARCHED + spares[row]],
                by_dialogue[row][: SEARCHED + spares[row]],
                by_answer[row][: SEARCHED_ANSWERS + spares[row]],
                count,
            )
            for row, dialogue in enumerate(dialogues)
        ]

    def _candidates(
        self,
        dialogue: ReadDialogue,
        hidden: int,
        by_question: Ids,
        by_dialogue: Ids,
        by_answer: Ids,
        count: int,
    ) -> list[Candidate]:
        words = {pair: score for pair, _, score in self.store.search_words(dialogue.question, SEARCHED_WORDS)}
        by_words = np.fromiter(words, np.int64, len(words))
        # The words may name pairs that were stored after this index was opened.
        by_words = by_words[np.isin(by_words, self._pair_ids)]
        pairs = np.unique(np.concatenate([by_question, by_dialogue, by_words, self._evidence(by_answer)]))
        rows = np.searchsorted(self._pair_ids, pairs)
        visible = self._ordinal_of_pair[rows] != hidden
        pairs, rows = pairs[visible], rows[visible]
        if len(pairs) == 0:
            return []
        found = self._score_pairs(dialogue, pairs, words, by_dialogue)
        answer_ids = self._answer_of_pair[rows]
        signals, best_pairs, answers = self._signals(dialogue, found, answer_ids, hidden)
        scores = fuse(signals)
        top = np.argsort(-scores, kind="stable")[:count]
        texts = {answer.id: answer.text for answer in self.store.answers(answers[top].tolist())}
        evidence = _nearest_pairs(found, answer_ids, set(answers[top].tolist()))
        moments = self.store.pair_moments({pair for pairs in evidence.values() for pair in pairs})
        candidates = []
        for place in top:
            answer, best = int(answers[place]), int(best_pairs[place])
            # A writer may have deleted an answer since the index was opened.
            if answer in texts and best in moments:
                candidates.append(
                    Candidate(
                        answer_id=answer,
                        text=texts[answer],
                        signals=tuple(float(value) for value in signals[place]),
                        retrieval_score=float(scores[place]),
                        question_id=best,
                        question=moments[best][2],
                        evidence=tuple(Evidence(*moments[pair][:2]) for pair in evidence[answer] if pair in moments),
                    )
                )
        return candidates

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
        self, dialogue: ReadDialogue, found: _Found, answer_ids: Ids, hidden: int
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
        given = np.searchsorted(self._sorted_answers, answers, "right") - np.searchsorted(
            self._sorted_answers, answers
        )
        if hidden >= 0:
            mine = self._answer_of_pair[self._ordinal_of_pair == hidden]
            given = given - np.array([(mine == answer).sum() for answer in answers])
        signals[:, 5] = np.log10(1.0 + given) / 4.0
        nearness = found.question + found.dialogue
        by_nearness = np.argsort(nearness, kind="stable")
        best = np.zeros(len(answers), np.int64)
        best[place[by_nearness]] = found.pairs[by_nearness]
        return signals, best, answers

    def _evidence(self, answers: Ids) -> Ids:
        """A few past pairs of each answer."""
        begins = np.searchsorted(self._sorted_answers, answers)
        places = begins[:, None] + np.arange(EVIDENCE_TRIED)[None, :]
        places = np.minimum(places, len(self._sorted_answers) - 1)
        own = self._sorted_answers[places] == answers[:, None]
        return np.asarray(self._pair_ids[self._rows_by_answer[places[own]]], dtype=np.int64)

    def known_outside(self, answers: frozenset[int], conversation: str) -> bool:
        """Whether any of these answers was given in another conversation than this one."""
        ordinal = self.store.conversation_ordinals({conversation}).get(conversation, -1)
        begins = np.searchsorted(self._sorted_answers, list(answers), "left")
        ends = np.searchsorted(self._sorted_answers, list(answers), "right")
        return any(
            (self._ordinal_of_pair[self._rows_by_answer[begin:end]] != ordinal).any()
            for begin, end in zip(begins, ends, strict=True)
        )


def _nearest_pairs(found: _Found, answer_ids: Ids, wanted: set[int]) -> dict[int, list[int]]:
    """The past pairs of the wanted answers, nearest first, at most EVIDENCE_SHOWN each."""
    pairs_of: dict[int, list[int]] = {answer: [] for answer in wanted}
    for row in np.argsort(-(found.question + found.dialogue), kind="stable"):
        pairs = pairs_of.get(int(answer_ids[row]))
        if pairs is not None and len(pairs) < EVIDENCE_SHOWN:
            pairs.append(int(found.pairs[row]))
    return pairs_of


def _stable_manifest(directory: Path) -> Manifest:
    """The manifest with all its files verified; read again if a writer swapped it meanwhile."""
    for _ in range(3):
        manifest = read_manifest(directory)
        if manifest is None:
            raise IndexDamaged("There is no index yet.", "It is built from the store.")
        try:
            verify_files(directory, manifest)
        except IndexDamaged:
            newer = read_manifest(directory)
            if newer is not None and newer.serial != manifest.serial:
                continue
            raise
        return manifest
    raise IndexDamaged("The index keeps changing while it is read.", "Try again in a moment.")
