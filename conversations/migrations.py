"""The tables of a desk, and of other files beside it, as a list of numbered steps that only ever grows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from conversations.word_forms import folded_form

APPLICATION_ID = 0x41545444
"""Marks an SQLite file as a desk ("ATTD"), so that another program's file is never written to."""


class Schema:
    """The tables of one kind of file."""

    def __init__(
        self, name: str, application_id: int, steps: Mapping[str, Callable[[Database], None]], repair: str
    ) -> None:
        """Names the steps.

        Args:
            name: of the list of steps, kept in the file.
            application_id: that the first step gives the file.
            steps: by name, in order.
            repair: what a person can do about a damaged file.
        """
        self.application_id = application_id
        self.repair = repair
        self.migrations = Migrations(name)
        self._known = frozenset(steps)
        for step, make in steps.items():
            self.migrations(name=step)(make)

    def unknown_steps(self, database: Database) -> list[str]:
        """Names of steps that were applied to this file but that this version does not know: a newer one made it."""
        return sorted({migration.name for migration in self.migrations.applied(database)} - self._known)


def _001_tables(database: Database) -> None:
    for statement in (
        "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        # AUTOINCREMENT everywhere: the index keys vectors by these ids, so an id must never mean something
        # else later
        """CREATE TABLE conversations (
            ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            language TEXT, source TEXT, customer TEXT,
            meta TEXT NOT NULL,
            digest TEXT NOT NULL)""",
        """CREATE TABLE turns (
            conversation INTEGER NOT NULL REFERENCES conversations(ordinal) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('customer', 'agent')),
            text TEXT NOT NULL,
            at TEXT, agent TEXT, action TEXT,
            PRIMARY KEY (conversation, position)) WITHOUT ROWID""",
        "CREATE TABLE answers (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)",
        """CREATE TABLE pairs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation INTEGER NOT NULL REFERENCES conversations(ordinal) ON DELETE CASCADE,
            answer INTEGER NOT NULL REFERENCES answers(id),
            turn INTEGER NOT NULL,
            question TEXT NOT NULL)""",
        "CREATE INDEX pairs_of_conversation ON pairs (conversation)",
        "CREATE INDEX pairs_of_answer ON pairs (answer)",
        """CREATE TABLE feedback (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            conversation_key TEXT NOT NULL,
            question TEXT NOT NULL,
            answer INTEGER NOT NULL REFERENCES answers(id) ON DELETE CASCADE,
            verdict TEXT NOT NULL CHECK (verdict IN ('good', 'bad')),
            source TEXT NOT NULL)""",
        "CREATE INDEX feedback_of_answer ON feedback (answer)",
    ):
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _002_words(database: Database) -> None:
    # Contentless: the texts are in `pairs` and `answers` already. Chinese, Japanese and Korean runs are split
    # into character pairs before they come here (see word_forms), so one table serves all scripts.
    database.execute(
        "CREATE VIRTUAL TABLE pair_words USING fts5"
        "(question, answer, content='', tokenize='unicode61 remove_diacritics 2')"
    )
    database.execute("CREATE VIRTUAL TABLE pair_vocabulary USING fts5vocab(pair_words, 'row')")


def _003_customers(database: Database) -> None:
    database.execute("CREATE INDEX conversations_of_customer ON conversations (customer)")


def _004_feedback_in_full(database: Database) -> None:
    # SQLite cannot change a CHECK: the table is made anew.
    for statement in (
        "ALTER TABLE feedback RENAME TO feedback_before",
        """CREATE TABLE feedback (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            conversation_key TEXT NOT NULL,
            question TEXT NOT NULL,
            answer INTEGER REFERENCES answers(id) ON DELETE CASCADE,
            verdict TEXT NOT NULL
                CHECK (verdict IN ('good', 'bad', 'picked', 'sent', 'edited', 'skipped', 'handed over')),
            source TEXT NOT NULL,
            who TEXT NOT NULL,
            customer TEXT,
            shown TEXT NOT NULL,
            vector BLOB,
            encoder TEXT)""",
        """INSERT INTO feedback (id, at, conversation_key, question, answer, verdict, source, who, shown)
           SELECT id, at, conversation_key, question, answer, verdict, source, conversation_key, '[]'
           FROM feedback_before""",
        "DROP TABLE feedback_before",
        "CREATE INDEX feedback_of_answer ON feedback (answer)",
        "CREATE INDEX feedback_of_customer ON feedback (customer)",
    ):
        database.execute(statement)


def _005_writings(database: Database) -> None:
    # A random token for every writing: an index that names one which is not here was built from a file that was
    # replaced by a copy since, and its ids may mean other texts.
    database.execute("CREATE TABLE writings (number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE)")


def _006_forgotten(database: Database) -> None:
    database.execute("CREATE TABLE forgotten (customer TEXT PRIMARY KEY)")


def _007_word_forms(database: Database) -> None:
    # The texts are folded before they come here (see word_forms): the tokenizer changes nothing more, and takes the
    # vowel signs of Indian scripts as parts of words.
    for statement in (
        "DROP TABLE pair_vocabulary",
        "DROP TABLE pair_words",
        """CREATE VIRTUAL TABLE pair_words USING fts5(question, answer, content='',
           tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'")""",
        "CREATE VIRTUAL TABLE pair_vocabulary USING fts5vocab(pair_words, 'row')",
    ):
        database.execute(statement)
    rows = database.execute("SELECT pairs.id, question, text FROM pairs JOIN answers ON answers.id = pairs.answer")
    for pair, question, answer in rows:
        database.execute(
            "INSERT INTO pair_words (rowid, question, answer) VALUES (?, ?, ?)",
            (pair, folded_form(question), folded_form(answer)),
        )


def _008_withdrawn(database: Database) -> None:
    # A row outlives its answer: by the key the same words are known again. See `conversations.service`.
    for statement in (
        """CREATE TABLE withdrawn (
            key TEXT NOT NULL,
            answer INTEGER REFERENCES answers(id) ON DELETE SET NULL,
            at TEXT NOT NULL,
            because TEXT)""",
        "CREATE INDEX withdrawn_by_key ON withdrawn (key)",
        "CREATE INDEX withdrawn_of_answer ON withdrawn (answer)",
    ):
        database.execute(statement)


DESK = Schema(
    "attendant",
    APPLICATION_ID,
    {
        "001_tables": _001_tables,
        "002_words": _002_words,
        "003_customers": _003_customers,
        "004_feedback_in_full": _004_feedback_in_full,
        "005_writings": _005_writings,
        "006_forgotten": _006_forgotten,
        "007_word_forms": _007_word_forms,
        "008_withdrawn": _008_withdrawn,
    },
    "Put back a copy of the file and delete those with -wal and -shm behind its name, or delete the desk's directory "
    "and import the logs again: the index and the models are rebuilt from it.",
)
