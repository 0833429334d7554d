"""The answers of a desk: near copies share one, and its text is always one that somebody there still says."""

from __future__ import annotations

from collections.abc import Iterable

from conversations import store_reading as reading
from conversations.database import DeskFile
from conversations.merging import AnswerMerger
from conversations.service import withdraw_joined, withdraw_known
from conversations.word_search import WordSearch


class AnswerTexts:
    """The table of answers, being written to."""

    def __init__(self, file: DeskFile, words: WordSearch) -> None:
        self._file = file
        self._words = words
        self._known: AnswerMerger | None = None
        self._version = 0

    def id_of(self, text: str) -> int:
        """The id of the answer that a text is a copy of; of a new one where it is of none."""
        merger = self._merger()
        answer = merger.find(text)
        if answer is None:
            answer = self._file.run("INSERT INTO answers (text) VALUES (?)", (text,))
            merger.add(answer, text)
            withdraw_known(self._file, answer, text)
        return answer

    def text_of(self, answer: int) -> str:
        """The text of an answer that is there."""
        return str(self._file.rows("SELECT text FROM answers WHERE id = ?", (answer,))[0][0])

    def settle(self, answers: Iterable[int]) -> None:
        """To be called for answers that lost evidence: removes those for which none is left, and gives the others new
        words where their own were only in what is gone, for these may be a customer's who was forgotten.
        """
        for answer in sorted(set(answers)):
            said = reading.first_said(self._file, answer)
            if said is None:
                self._remove(answer)
            elif not reading.is_said(self._file, answer, self.text_of(answer)):
                self._say_anew(answer, said)

    def forget_known(self) -> None:
        """To be called after a rollback: answers may be known here that are gone."""
        self._known = None

    def _say_anew(self, answer: int, said: str) -> None:
        """Moves an answer's evidence and judgements to the answer that another text is, under that one's id: an index
        keys texts by their ids.
        """
        pairs = self._file.rows("SELECT id, question FROM pairs WHERE answer = ?", (answer,))
        old = self.text_of(answer)
        self._words.remove([(pair, question, old) for pair, question in pairs])
        self._merger().remove(answer)
        other = self.id_of(said)
        withdraw_joined(self._file, answer, other, said)
        for table in ("pairs", "feedback"):
            self._file.run(f"UPDATE {table} SET answer = ? WHERE answer = ?", (other, answer))
        text = self.text_of(other)
        self._words.add([(pair, question, text) for pair, question in pairs])
        self._remove(answer)

    def _remove(self, answer: int) -> None:
        self._file.run("DELETE FROM answers WHERE id = ?", (answer,))
        if self._known is not None:
            self._known.remove(answer)

    def _merger(self) -> AnswerMerger:
        version = self._file.version()
        if self._known is None or version != self._version:
            self._known = AnswerMerger()
            for answer in reading.answers(self._file, None):
                self._known.add(answer.id, answer.text)
            self._version = version
        return self._known
