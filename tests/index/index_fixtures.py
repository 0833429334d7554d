"""A small real desk for tests: real encoder, real FAISS, real SQLite."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from conversations.store import Store
from index.builder import index_directory, update_index
from index.embedder import Embedder
from index.retriever import Retriever

LOG = (
    ("parcel", "Where is my parcel? It was due on Monday.", "Please send me the order number and I will look it up."),
    ("label", "How do I send a lamp back?", "Print the free label in your account and drop the parcel at any shop."),
    ("refund", "When will I get my money?", "Refunds arrive five working days after the return reaches us."),
    ("password", "I can't log in any more.", "Use the link under 'forgot password'; it is valid for half an hour."),
    ("invoice", "I need a bill for my tax office.", "The invoice is in your account a day after dispatch."),
    ("broken", "The glass of my lamp is cracked.", "I am sorry. Please send two photos and we replace it."),
)


@cache
def embedder() -> Embedder:
    """The bundled encoder, loaded once for all tests."""
    return Embedder()


def conversation(name: str, question: str, answer: str, before: tuple[Turn, ...] = ()) -> Conversation:
    return Conversation(name, (*before, Turn("customer", question), Turn("agent", answer)))


def add(store: Store, *conversations: Conversation) -> None:
    for one in conversations:
        store.add_conversation(one, f"digest of {one}", extract_pairs(one))


def small_store(path: Path) -> Store:
    store = Store(path / "desk.sqlite")
    add(store, *(conversation(*row) for row in LOG))
    return store


def opened(path: Path, store: Store) -> Retriever:
    return Retriever(index_directory(path / "index", embedder().identity), store, embedder().identity)


def built(path: Path) -> tuple[Store, Retriever]:
    store = small_store(path)
    update_index(path / "index", store, embedder())
    return store, opened(path, store)
