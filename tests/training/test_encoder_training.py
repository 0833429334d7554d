"""Fine-tuning the encoder, killed and resumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from conversations.model import Turn
from index.embedder import Embedder
from training.datasets import Query
from training.encoder_training import fine_tune_encoder
from training.loop import LoopSettings

ANSWERS = [f"The {thing} is in the shop." for thing in ("lamp", "kettle", "radio", "clock")]
QUERIES = [Query((Turn("customer", f"Where is it, number {row}?"),), frozenset({row}), str(row)) for row in range(4)]
SETTINGS = LoopSettings(epochs=2, learning_rate=1e-5, checkpoint_seconds=-1.0)


class Killed(Exception):
    """Stands for a kill: nothing of the run is left but its files."""


def test_it_goes_on_only_where_the_same_training_was_killed(tmp_path):
    embedder = Embedder(precision="float32")
    start = {name: value.clone() for name, value in embedder.model.state_dict().items()}

    def steps(settings):
        """Those that are done, the second being killed before it is kept."""
        embedder.model.load_state_dict(start)
        seen = []

        def kill(progress):
            seen.append(progress.step)
            if progress.step == 2:
                raise Killed

        with pytest.raises(Killed):
            fine_tune_encoder(embedder, QUERIES, ANSWERS, settings, 2, tmp_path / "kept", kill)
        return seen

    assert steps(SETTINGS) == [1, 2]
    assert steps(SETTINGS) == [2]
    assert steps(replace(SETTINGS, seed=14)) == [1, 2]


@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_each_layer_learns_at_the_rate_of_the_one_above_times_the_decay(decay):
    """Adam's first step is as long as the learning rate, whatever the gradient, but for the decay of the weights."""
    embedder = Embedder(precision="float32")
    start = {name: value.clone() for name, value in embedder.transformer.state_dict().items()}
    fine_tune_encoder(embedder, QUERIES, ANSWERS, LoopSettings(1, 1e-3), batch_size=4, layer_decay=decay)
    moved = {
        name: float((value - start[name]).abs().max()) / 1e-3
        for name, value in embedder.transformer.state_dict().items()
    }
    layers = [f"encoder.layer.{number}.output.dense.weight" for number in range(embedder.layers)]
    rates = [decay**depth for depth in range(embedder.layers, -1, -1)]
    assert [moved[name] for name in ("embeddings.word_embeddings.weight", *layers)] == pytest.approx(rates, rel=0.15)


ASKED = {
    "Press the green button for ten seconds.": ("my toaster stays dark", "nothing lights up any more"),
    "The parcel comes on Thursday.": ("when does it get here", "still waiting for my order"),
    "We have sent the money back.": ("you charged me twice", "there are two amounts on my statement"),
    "You can change it in your profile.": ("I moved house", "new surname since the wedding"),
}


def nearer(embedder: Embedder, dialogues: list[tuple[Turn, ...]]) -> float:
    """How much nearer what was asked last is to the other question with the same answer than to all others."""
    newest = embedder.encode_tokens(embedder.tokenize_dialogues(dialogues), newest_turns=True).newest
    past = embedder.encode([dialogue[-1].text for dialogue in dialogues])
    likeness = newest @ past.T
    same = np.eye(len(dialogues))[np.arange(len(dialogues)) ^ 1].astype(bool)
    others = ~same & ~np.eye(len(dialogues), dtype=bool)
    return float(likeness[same].mean() - likeness[others].mean())


def test_on_a_desk_questions_with_the_same_answer_come_near_each_other():
    dialogues = [
        (Turn("customer", "Hello."), Turn("agent", "Hi, how can I help?"), Turn("customer", question))
        for questions in ASKED.values()
        for question in questions
    ]
    queries = [Query(dialogue, frozenset({row // 2}), str(row)) for row, dialogue in enumerate(dialogues)]
    gains = []
    for with_questions in (False, True):
        embedder = Embedder(precision="float32")
        before = nearer(embedder, dialogues)
        settings = LoopSettings(epochs=10, learning_rate=3e-5)
        fine_tune_encoder(embedder, queries, list(ASKED), settings, batch_size=8, with_questions=with_questions)
        gains.append(nearer(embedder, dialogues) - before)
    assert gains[1] > gains[0] + 0.05, gains
