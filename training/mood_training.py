"""Training a mood head on labelled messages: their token states are computed once, the encoder stays as it is.

In a chat the head reads a turn's states with the dialogue before it in sight, which colours them: a head that was
trained on messages alone has a macro-F1 of .89 on held-out ones, and of .69 on the same ones behind an agent's turn.
So it learns from both; then it is .85 and .85.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from conversations.errors import ModelError
from conversations.model import Conversation, Turn
from conversations.readers import read_log
from index.candidates import read_dialogues
from index.embedder import Embedder
from training.batching import stacked
from training.calibration import fit_temperature
from training.loop import LoopSettings, OnProgress, Progress, learning_rate_at
from training.metrics import f1_scores
from training.mood import CHUNK, MoodReader, check_save, newest_states, save_mood, with_temperature
from training.mood_data import Labelled, base_labelled, split_labelled
from training.mood_head import CLASSES, MoodConfig, MoodHead

STATES_BELOW = 1
"""The states that the index keeps of past questions, and that the base reranker reads."""
EPOCHS = 4
LEAST_STEPS = 120
"""With few messages there are more passes, so that there are at least so many steps."""
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
MOST_IN_DIALOGUE = 1_000
"""Messages that are also read behind an agent's turn, which takes longer than reading them alone; a fifth as many of
the held-out ones."""


@dataclass(frozen=True)
class MoodReport:
    """What training a head did."""

    model: str
    """Where it was written."""
    messages: int
    """Messages it was trained on."""
    held_out: int
    macro_f1: float
    """On the held-out messages read alone; its best epoch was chosen on these, alone and behind an agent's turn."""
    accuracy: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def train_mood(
    embedder: Embedder, rows: Sequence[Labelled], root: Path, on_progress: OnProgress | None = None, seed: int = 13
) -> MoodReport:
    """Trains a head on labelled messages and writes it.

    Args:
        embedder: the encoder whose states it reads.
        rows: labelled messages; some are held out.
        root: the desk's models, or a model's own directory.
        on_progress: called after every step.
        seed: of first weights and order.

    Raises:
        TrainingError: too few messages, or all of one mood.
        ModelError: something else is where the head is to be written.
    """
    check_save(root, embedder.identity)
    train, held_out = split_labelled(rows)
    report = on_progress or (lambda _: None)
    # Drawn: a file may be sorted by mood.
    trained_behind = _drawn(train, MOST_IN_DIALOGUE, seed)
    held_out_behind = _drawn(held_out, MOST_IN_DIALOGUE // 5, seed)
    behind, cut = [*trained_behind, *held_out_behind], len(trained_behind)
    alone = token_states(embedder, [[Turn("customer", row.text)] for row in [*train, *held_out]], report)
    later = token_states(embedder, _behind_agents([row.text for row in behind], seed), report)
    states = [*alone[: len(train)], *later[:cut], *alone[len(train) :], *later[cut:]]
    head = _fitted(embedder, train + trained_behind, held_out + held_out_behind, states, report, seed)
    f1, accuracy = _figures(head, alone[len(train) :], held_out)
    figures = {"messages": len(train), "held_out": len(held_out), "macro_f1": f1, "accuracy": accuracy}
    directory = save_mood(root, head, {**figures, "seed": seed})
    return MoodReport(str(directory), len(train), len(held_out), f1, accuracy)


def _drawn(rows: Sequence[Labelled], most: int, seed: int) -> list[Labelled]:
    """At most so many of the rows, in their order."""
    chosen = random.Random(seed).sample(range(len(rows)), min(most, len(rows)))
    return [rows[place] for place in sorted(chosen)]


def fit_to_encoder(embedder: Embedder, root: Path, on_progress: OnProgress | None = None) -> None:
    """Gives an encoder that no head fits one of its own, trained on the messages that ship; it takes seconds.

    Args:
        embedder: such as one that was tuned on a desk's log.
        root: the desk's models, or a model's own directory.
        on_progress: called after every step.
    """
    try:
        there = MoodReader.for_encoder(embedder, root)
    except ModelError:
        there = None
    if there is None:
        train_mood(embedder, base_labelled(), root, on_progress)


def token_states(embedder: Embedder, dialogues: Sequence[Sequence[Turn]], report: OnProgress) -> list[Tensor]:
    """Per dialogue the states of its last turn, (tokens, width) in half precision: input of the last layers."""
    states: list[Tensor] = []
    for begin in range(0, len(dialogues), CHUNK):
        read = read_dialogues(embedder, dialogues[begin : begin + CHUNK], STATES_BELOW)
        states += [one.half() for one in newest_states(read)]
        report(Progress("reading the messages", len(states), len(dialogues)))
    return states


def _behind_agents(texts: Sequence[str], seed: int) -> list[list[Turn]]:
    """Each message behind turns of some conversation of the sample, the last of them an agent's."""
    sample = Path(str(resources.files("conversations.sample"))) / "past.jsonl"
    before = [
        one.turns[max(place - 2, 0) : place + 1]
        for one in read_log(sample)
        if isinstance(one, Conversation)
        for place, turn in enumerate(one.turns)
        if turn.role == "agent"
    ]
    generator = random.Random(seed)
    return [[*generator.choice(before), Turn("customer", text)] for text in texts]


def _fitted(
    embedder: Embedder,
    train: list[Labelled],
    held_out: list[Labelled],
    states: list[Tensor],
    report: OnProgress,
    seed: int,
) -> MoodHead:
    """The head of the epoch with the best macro-F1 on the held-out messages, its temperature fitted there."""
    labels = torch.tensor([CLASSES.index(row.label) for row in [*train, *held_out]])
    counts = Counter(row.label for row in train)
    # The root evens the classes out halfway: rare moods count, and the common one is still known to be common.
    weights = torch.tensor([(len(train) / (len(counts) * counts.get(name, 1))) ** 0.5 for name in CLASSES])
    torch.manual_seed(seed)
    seen = tuple(name for name in CLASSES if name in counts)
    head = MoodHead(MoodConfig(embedder.identity, states[0].shape[1], STATES_BELOW, seen=seen))
    best: tuple[float, dict[str, Tensor]] = (-1.0, {})
    later = list(range(len(train), len(labels)))

    def batches(generator: random.Random) -> list[list[int]]:
        order = list(range(len(train)))
        generator.shuffle(order)
        # Texts of like length together: little of a batch is padding.
        order.sort(key=lambda row: len(states[row]) // 8)
        parts = [order[begin : begin + BATCH_SIZE] for begin in range(0, len(order), BATCH_SIZE)]
        generator.shuffle(parts)
        return parts

    epochs = max(EPOCHS, -(-LEAST_STEPS * BATCH_SIZE // len(train)))
    settings = LoopSettings(epochs, LEARNING_RATE, seed=seed)
    steps = epochs * -(-len(train) // BATCH_SIZE)
    # Not the loop of the reranker: of several processes the first one trains the head, and the others are not asked.
    optimizer = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=settings.weight_decay)
    step = 0
    for epoch in range(epochs):
        head.train()
        for rows in batches(random.Random(f"{seed}-{epoch}")):
            optimizer.param_groups[0]["lr"] = learning_rate_at(step, steps, settings)
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(
                head(*stacked([states[row] for row in rows])), labels[rows], weight=weights
            )
            loss.backward()
            optimizer.step()
            step += 1
            report(Progress("mood", step, steps, loss.item()))
        f1 = _figures(head.eval(), [states[row] for row in later], held_out)[0]
        report(Progress("mood", step, steps, loss.item(), f1))
        if f1 >= best[0]:
            best = (f1, {name: value.detach().clone() for name, value in head.state_dict().items()})
    head.load_state_dict(best[1])
    return _calibrated(head.eval(), [states[row] for row in later], labels[later])


def _figures(head: MoodHead, states: list[Tensor], rows: list[Labelled]) -> tuple[float, float]:
    """Macro-F1 and accuracy."""
    found = [CLASSES[column] for column in head.probabilities(states).argmax(dim=1).tolist()]
    right = [row.label for row in rows]
    f1 = float(np.mean(list(f1_scores(found, right).values())))
    return f1, float(np.mean([one == other for one, other in zip(found, right, strict=True)]))


def _calibrated(head: MoodHead, states: list[Tensor], labels: Tensor) -> MoodHead:
    """The head at the temperature at which the right classes have the most likelihood."""
    logits = head.probabilities(states).log().clamp(min=-50.0).double().numpy()
    rows = [(row, np.arange(len(CLASSES)) == label) for row, label in zip(logits, labels.tolist(), strict=True)]
    return with_temperature(head, fit_temperature(rows))
