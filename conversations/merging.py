"""Near-identical answers become one answer, without ever joining two that say different things."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Set
from functools import lru_cache

from conversations.polarity import have_opposites, is_negation
from conversations.text import answer_key, key_tokens, word_set

SIMILARITY = 0.9
"""Share of words (Jaccard, of the sets) that two answers must have in common: about one word in twenty may
differ."""

_BUCKET = 32
"""Answers looked at for one shared word: keeps the work linear where thousands of answers begin alike."""

CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_GREETINGS = word_set(
    """
    hi hello hey dear good morning afternoon evening thanks thank you there sir madam ok okay
    hallo guten tag bonjour hola ciao olá здравствуйте привет добрый день
    """
)
_GREETED = frozenset({"<name>", "<agent>", "<customer>", "mr", "mrs", "ms", "miss", "sir", "madam", "there"})

# Words that change what is promised. Two answers that differ in one of them, or in a negation, stay apart.
_DECISIVE = word_set(
    """
    unfortunately yes only except unless but before after until since from within above below over under
    more less most least free all any each every both either first last next second third
    one two three four five six seven eight nine
    ten eleven twelve fifteen twenty thirty forty fifty sixty ninety hundred thousand half quarter
    double twice once minute minutes hour hours day days week weeks month months year years working
    business monday tuesday wednesday thursday friday saturday sunday weekend today tomorrow yesterday
    january february march april may june july august september october november december open opened
    closed can could must should may might will would on off in out up down
    零 一 二 两 三 四 五 六 七 八 九 十 百 千 万 半 前 后 内 外 上 下 多 少 只 仅 都 先 再
    兩 萬 後 內 僅 leider
    """
)

# Common words that English shares with no language around it: where some stand, the words above are known.
_ENGLISH = word_set(
    """
    the and you your yours are our this that these those with please it's we'll we're you'll you're they their
    them what when where which how if from have been would there here just about
    """
)
_LEAST_ENGLISH = 2
_ENGLISH_SHARE = 0.1
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_CHINESE_SHARE = 0.5


def words_said(text: str) -> list[str]:
    """Words without the greeting in front; every Chinese, Japanese or Korean character is a word."""
    tokens: list[str] = []
    for token in key_tokens(text):
        tokens.extend(token if CJK.search(token) and token[0] not in "<[" else (token,))
    start = 0
    if tokens and tokens[0] in _GREETINGS:
        while start < len(tokens) and (tokens[start] in _GREETINGS or tokens[start] in _GREETED):
            start += 1
    return tokens[start:] or tokens


@lru_cache(maxsize=1 << 16)
def _is_decisive(word: str) -> bool:
    return (
        word in _DECISIVE
        or word[0] in "<[$£€¥₹%+-"
        or is_negation(word)
        or any(character.isdigit() for character in word)
    )


def _keys(text: str, words: list[str]) -> list[str]:
    """What an answer is known under: its normal form, and that without the greeting."""
    return list(dict.fromkeys(key for key in (answer_key(text), " ".join(words)) if key))


def greetless_key(text: str) -> str:
    """The normal form of an answer without the greeting in front; two answers that share it are one.

    >>> greetless_key("Hello <NAME>, it takes 2 days!") == greetless_key("It takes 2 days.")
    True
    """
    return _keys(text, words_said(text))[-1]


def _is_understood(words: Set[str]) -> bool:
    """Whether an answer is in English or Chinese, of which it is known what turns a sentence round.

    A Chinese answer has neither kana nor hangul, though its characters are in Japanese and Korean ones too.
    """
    if len(words & _ENGLISH) >= max(_LEAST_ENGLISH, _ENGLISH_SHARE * len(words)):
        return True
    if any(CJK.match(word) and not _HAN.match(word) for word in words):
        return False
    return sum(bool(_HAN.match(word)) for word in words) >= _CHINESE_SHARE * len(words)


class AnswerMerger:
    """Finds the answer that a text is a copy of, among those added so far.

    Two answers are one where their normal form is equal, or, in English and Chinese, where nine tenths of their words
    are, those in the same order, and no number, negation, placeholder, date or condition differs. A greeting in front
    does not count.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, list[int]] = defaultdict(list)
        self._words: dict[int, list[str]] = {}
        self._sets: dict[int, frozenset[str]] = {}
        self._keys: dict[int, list[str]] = {}
        # (decisive words, number of words, one word) to the answers that have them. Words are in a fixed
        # order, longest first as the rarest and decisive ones last, as all in a bucket have them. Two sets
        # that share nine tenths then share one of their first tenth plus one.
        self._buckets: dict[tuple[tuple[str, ...], int, str], list[int]] = defaultdict(list)

    def find(self, text: str) -> int | None:
        """The id of the answer that this text is a copy of, or None."""
        words = words_said(text)
        for key in _keys(text, words):
            if known := self._by_key.get(key):
                return known[0]
        decisive, prefix, size = self._signature(words)
        mine = set(words)
        for other_size in range(math.ceil(SIMILARITY * size), math.floor(size / SIMILARITY) + 1):
            for word in prefix:
                for candidate in self._buckets.get((decisive, other_size, word), ())[:_BUCKET]:
                    if self._alike(words, mine, candidate):
                        return candidate
        return None

    def add(self, answer_id: int, text: str) -> None:
        """Makes an answer known under its id."""
        words = words_said(text)
        self._words[answer_id] = words
        self._sets[answer_id] = frozenset(words)
        self._keys[answer_id] = _keys(text, words)
        for key in self._keys[answer_id]:
            self._by_key[key].append(answer_id)
        for bucket in self._places(words):
            self._buckets[bucket].append(answer_id)

    def remove(self, answer_id: int) -> None:
        """Forgets an answer."""
        words = self._words.pop(answer_id, None)
        if words is None:
            return
        del self._sets[answer_id]
        for key in self._keys.pop(answer_id):
            self._by_key[key].remove(answer_id)
        for bucket in self._places(words):
            self._buckets[bucket].remove(answer_id)

    def _places(self, words: list[str]) -> list[tuple[tuple[str, ...], int, str]]:
        decisive, prefix, size = self._signature(words)
        return [(decisive, size, word) for word in prefix]

    @staticmethod
    def _signature(words: list[str]) -> tuple[tuple[str, ...], list[str], int]:
        """Decisive words, rare words and number of words; empty where only an equal answer is a copy."""
        if not _is_understood(frozenset(words)):
            return (), [], 0
        distinct = sorted(set(words), key=lambda word: (_is_decisive(word), -len(word), word))
        size = len(distinct)
        prefix = distinct[: size - math.ceil(SIMILARITY * size) + 1]
        return tuple(word for word in words if _is_decisive(word)), prefix, size

    def _alike(self, words: list[str], mine: set[str], candidate: int) -> bool:
        theirs = self._sets[candidate]
        common = mine & theirs
        if len(common) < SIMILARITY * (len(mine) + len(theirs) - len(common)):
            return False
        if have_opposites(mine - common, theirs - common):
            return False
        other = self._words[candidate]
        return [word for word in words if word in common] == [word for word in other if word in common]
