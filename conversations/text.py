"""Text that other people wrote, made harmless to show, tidy to store and possible to compare."""

from __future__ import annotations

import re
import unicodedata

# Letters of scripts in which the zero-width joiner and non-joiner change the spelling (Arabic to Sinhala,
# Khmer, Mongolian), and the symbols that a joiner may bind into one emoji.
_JOINED = "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1820-\u18af"
_EMOJI = "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"

# What Unicode says are no characters; a file of XML, such as a picture, with U+FFFE or U+FFFF cannot be read.
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)
)

# One pass over the text: what is removed can then not join its neighbours into a new sequence, because every
# character that could begin one is itself in this pattern.
_UNSAFE = re.compile(
    # OSC, DCS, SOS, PM and APC strings; one that is not terminated ends with its line, so that the text after
    # it stays
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\r\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # all other escapes
    r"|\r\n?|[\u2028\u2029]"  # line ends
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"  # C0 but tab and newline, DEL, C1
    "|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # direction marks and overrides
    "|[\u00ad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb]"  # invisible
    "|[\U000e0000-\U000e0fff]"  # tags and supplementary variation selectors, used to hide text
    f"|[{_NONCHARACTERS}]"
    f"|\u200c(?!(?<=[{_JOINED}]\u200c)[{_JOINED}])"
    f"|\u200d(?!(?<=[{_JOINED}]\u200d)[{_JOINED}])(?!(?<=[{_EMOJI}]\u200d)[{_EMOJI}])"
    "|[\ud800-\udfff]"  # lone surrogates
)
_LINE_ENDS = frozenset({"\r", "\r\n", "\u2028", "\u2029"})
_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")

_KEY_TOKEN = re.compile(
    r"<[^<>\s]{1,40}>|\[[^\[\]\s]{1,20}\]"  # placeholders
    r"|(?:(?<!\S)-)?\d+(?:[.,:/]\d+)*"  # numbers with their sign and separators
    r"|[^\W\d_]+(?:['’][^\W\d_]+)*"  # words, "don't" being one
    r"|[$£€¥₹%+]"  # 5 dollars are not 5 pounds
)

# Letters of the Cyrillic and Greek alphabets that look like Latin ones in most typefaces: the single-letter rows
# of Unicode's confusables.txt (UTS 39) that are letters in everyday use.
_LATIN_LETTERS = "aceiopsxyhjABCEHIKMOPTXSJYZNovABEHIKMNOPTXYZ"
_OTHER_LETTERS = (
    "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443\u04bb\u0458"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425\u0405\u0408\u04ae"
    "\u0396\u039d\u03bf\u03bd"
    "\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7\u03a5\u0396"
)
_LOOKALIKES = str.maketrans(_OTHER_LETTERS, _LATIN_LETTERS)
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LOOKALIKE_WORD = re.compile(f"(?<!\\w)[A-Za-z\u00c0-\u024f{_OTHER_LETTERS}]+(?!\\w)")


def _replacement(match: re.Match[str]) -> str:
    found = match.group()
    if found in _LINE_ENDS:
        return "\n"
    return "\ufffd" if "\ud800" <= found[0] <= "\udfff" else ""


def safe_text(text: str, keep_newlines: bool = True) -> str:
    r"""The text without anything that a terminal would obey or that a reader would not see.

    Escape sequences go as units (CSI, OSC, DCS, APC, PM, SOS in their 7-bit and 8-bit forms, terminated or
    not), then every other control character but newline and tab, direction overrides, zero-width and tag
    characters, and code points that are no characters. Lone surrogates become U+FFFD. Every place that shows text
    uses this.

    Args:
        text: Any string.
        keep_newlines: Whether newlines and tabs stay; otherwise each run of them becomes one space.

    >>> safe_text("ok \x1b]52;c;cm0gLXJm\x07\x1b[2J[/refund] \u202eevil")
    'ok [/refund] evil'
    """
    if not (text.isascii() and text.isprintable()):
        text = _UNSAFE.sub(_replacement, text)
    return text if keep_newlines else re.sub(r"[\n\t]+", " ", text)


def clean_text(text: str) -> str:
    r"""The text as it is stored: safe, in Unicode NFC, without needless blanks.

    >>> clean_text("  Hello\x00   there \r\n\r\n\r\n\r\nbye ")
    'Hello there\n\nbye'
    """
    text = unicodedata.normalize("NFC", safe_text(text))
    text = _BLANKS.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n")
    return _EMPTY_LINES.sub("\n\n", text).strip()


def plain_letters(text: str) -> str:
    """The text with letters of other scripts that pass for Latin ones turned into these, where they do.

    Whoever writes "pаrcel" with a Cyrillic letter wants to be read by people and missed by a machine. A word is
    changed only if it consists of Latin letters and such lookalikes and the text has Latin letters at all, and a word
    of lookalikes alone only from three letters on: real Russian and Greek stay as they are.

    >>> plain_letters("where is my pаrcel"), plain_letters("где мой заказ")
    ('where is my parcel', 'где мой заказ')
    """
    if text.isascii() or not _LATIN.search(text):
        return text
    return _LOOKALIKE_WORD.sub(_latin_word, text)


def _latin_word(match: re.Match[str]) -> str:
    word = match.group()
    return word.translate(_LOOKALIKES) if len(word) >= 3 or _LATIN.search(word) else word


def key_tokens(text: str) -> list[str]:
    """The words, numbers, currency signs and placeholders of a text in their normal form, in order.

    >>> key_tokens("Hi <NAME>, that's £4.95!")
    ['hi', '<name>', "that's", '£', '4.95']
    """
    folded = unicodedata.normalize("NFKC", clean_text(text)).casefold().replace("’", "'")
    return _KEY_TOKEN.findall(folded)


def answer_key(text: str) -> str:
    """The normal form by which two answers are the same: case, punctuation and blanks do not count.

    A text without words, such as an emoji, is its own key.

    >>> answer_key("Please  wait 2 days!") == answer_key("please wait 2 days.")
    True
    """
    return " ".join(key_tokens(text)) or clean_text(text).casefold()


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as running text."""
    return frozenset(text.split())
