"""Fine-tuning the sentence encoder on a desk's own pairs, with other answers as negatives.

Henderson et al. 2017, "Efficient Natural Language Response Suggestion for Smart Reply": each dialogue is drawn to its
own answer and pushed from the answers of the other dialogues in the batch. An answer that is right for a dialogue is
never its negative, however often it occurs in the batch.

Which answers are the negatives decides how much a step teaches:
- Where there are few different answers, the others of the batch are too few: more are drawn from all.
- In other data sets the dialogues of a batch come from few topics, so that their answers are hard to tell apart
  (Hofstaetter et al. 2021, "Efficiently Teaching an Effective Dense Retriever with Balanced Topic Aware Sampling").
  On a desk these would too often be right as well, in other words.

A desk finds answers also by the questions that they were given to. There what was asked last is drawn to the question
of another dialogue with the same answer as well; without that, tuning makes questions worse to find.

There is no dropout: roughened copies of the dialogues do its work (`training.augmentation`), a step takes half the
time without it, and several processes compute exactly what one would.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from conversations.errors import TrainingError
from index.embedder import Embedder
from index.encoder_loading import fast_arithmetic
from index.tokens import Tokens
from training.attention import masked_mean
from training.augmentation import augment
from training.batching import TOPICS, batches_of_few_topics, batches_of_like_length, step_generator
from training.datasets import Query
from training.distributed import gathered, own_share, part_of_mean, processes
from training.loop import LoopSettings, Progress, train_loop
from training.losses import listwise_softmax
from training.same_run import digest, digest_of_weights, keep_only_same_run

SCALE = 20.0
"""Inverse temperature of the cosines, the usual value for sentence encoders."""
BANK = 256
"""With at most so many different answers, more of them are drawn as negatives in every step."""
DRAWN = 96
"""How many different answers a step then has."""
LIKE_LENGTH = 32
"""Texts that a CPU encodes together, the shortest first: little is spent on padding. A GPU takes all at once."""


def fine_tune_encoder(
    embedder: Embedder,
    queries: Sequence[Query],
    answers: Sequence[str],
    settings: LoopSettings,
    batch_size: int = 64,
    checkpoint: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    layer_decay: float = 1.0,
    *,
    with_questions: bool = False,
) -> None:
    """Trains the embedder's encoder in place, in float32 with bf16 arithmetic where the device has it.

    Call `Embedder.serve` afterwards.

    Args:
        embedder: its precision must be float32.
        queries: dialogues with their right answers; those without one are left out.
        answers: all answers; `Query.right` counts their rows.
        settings: epochs, learning rate, seed.
        batch_size: dialogues a step; more is harder and better.
        checkpoint: directory of its own for resuming after a kill; what another training left there is deleted.
        on_progress: called after every step.
        layer_decay: factor on the learning rate from each layer to the one below (Howard and Ruder 2018, "Universal
            Language Model Fine-tuning for Text Classification"); 1 trains all alike.
        with_questions: whether answers are also found by past questions, as on a desk.
    """
    answered = [query for query in queries if query.right]
    if checkpoint is not None:
        run = {
            "settings": asdict(settings),
            "batch size": batch_size,
            "layer decay": layer_decay,
            "with questions": with_questions,
            "start": digest_of_weights(embedder.model),
            "queries": digest((one.group, one.dialogue, sorted(one.right)) for one in answered),
            "answers": digest(answers),
        }
        keep_only_same_run(checkpoint, run)
    dialogues = embedder.tokenize_dialogues([query.dialogue for query in answered])
    needed = sorted({row for query in answered for row in query.right})
    answer_tokens = dict(zip(needed, embedder.tokenize_answers([answers[row] for row in needed]), strict=True))
    is_bank = len(needed) <= BANK
    are_mixed = with_questions or is_bank or len(answered) < TOPICS * batch_size
    vectors = None if are_mixed else embedder.encode_tokens(dialogues).vectors
    lengths = [len(tokens.ids) for tokens in dialogues]
    alike = _Alike(embedder, answered) if with_questions and embedder.pools_mean else None

    def batches(generator: random.Random) -> list[list[int]]:
        if vectors is not None:
            made = batches_of_few_topics(vectors, batch_size, generator)
        else:
            order = list(range(len(lengths)))
            generator.shuffle(order)
            made = batches_of_like_length(order, lengths, batch_size)
            generator.shuffle(made)
        # Without those that have no negatives, or no row for some process.
        return [batch for batch in made if len(batch) >= max(2, processes())]

    def loss_of(rows: list[int]) -> Tensor:
        generator = step_generator()
        own = [generator.choice(sorted(answered[row].right)) for row in rows]
        columns = sorted({*own, *generator.sample(needed, min(DRAWN, len(needed)) if is_bank else 0)})
        rough = [augment(answered[row].dialogue, generator) for row in rows]
        asked, newest = _read(embedder, embedder.tokenize_dialogues(own_share(rough)), with_newest=alike is not None)
        said = gathered(_vectors(embedder, [answer_tokens[column] for column in own_share(columns)]), len(columns))
        right = torch.tensor(
            [[column in answered[row].right for column in columns] for row in own_share(rows)], device=asked.device
        )
        loss = listwise_softmax(SCALE * asked @ said.T, right)
        if alike is not None:
            loss = (loss + alike.loss(newest, rows, generator)) / 2
        return part_of_mean(loss, len(rows))

    with _training_mode(embedder):
        train_loop(
            "encoder",
            embedder.model,
            _groups(embedder, layer_decay),
            batches,
            loss_of,
            settings,
            checkpoint,
            on_progress,
        )


class _Alike:
    """Which dialogues were given the same answer, and how far apart their last questions are."""

    def __init__(self, embedder: Embedder, queries: Sequence[Query]) -> None:
        self._embedder, self._queries = embedder, queries
        self._given: dict[int, list[int]] = {}
        for row, query in enumerate(queries):
            for answer in query.right:
                self._given.setdefault(answer, []).append(row)

    def loss(self, newest: Tensor, rows: Sequence[int], generator: random.Random) -> Tensor:
        """Of what was asked last in each dialogue against the past questions of others, (own rows,).

        Args:
            newest: (own rows, dimension): the newest turn of each dialogue of this process, as it is read in it.
            rows: the dialogues of all processes.
            generator: draws the others.
        """
        others = [self._other(row, generator) for row in rows]
        questions = [self._queries[other].dialogue[-1].text for other in own_share(others)]
        past = gathered(_vectors(self._embedder, self._embedder.tokenize(questions)), len(others))
        given, of_others = ([self._queries[row].right for row in which] for which in (own_share(rows), others))
        same = torch.tensor([[not one.isdisjoint(other) for other in of_others] for one in given], device=past.device)
        return listwise_softmax(SCALE * newest @ past.T, same)

    def _other(self, row: int, generator: random.Random) -> int:
        """A dialogue of another conversation with the same answer; the dialogue itself where none was drawn."""
        other = generator.choice(self._given[generator.choice(sorted(self._queries[row].right))])
        return row if self._queries[other].group == self._queries[row].group else other


def _vectors(embedder: Embedder, batch: Sequence[Tokens]) -> Tensor:
    return _read(embedder, batch)[0]


def _read(embedder: Embedder, batch: Sequence[Tokens], *, with_newest: bool = False) -> tuple[Tensor, Tensor]:
    """Unit vectors of texts, and of the newest turn of each with the others in sight: (texts, dimension) both.

    Without the newest turns the second is the first.
    """
    if not batch:
        # With a gradient, so that this process takes part in `gathered` on the way back.
        nothing = torch.zeros(0, embedder.dimension, device=embedder.device, requires_grad=True)
        return nothing, nothing
    order = sorted(range(len(batch)), key=lambda row: len(batch[row].ids))
    together = LIKE_LENGTH if embedder.device == "cpu" else len(batch)
    parts, newest = [], []
    for begin in range(0, len(order), together):
        features = embedder.features([batch[row] for row in order[begin : begin + together]])
        with fast_arithmetic(embedder.device):
            output = embedder.model(features)
        parts.append(output["sentence_embedding"].float())
        if with_newest:
            tokens = output["token_embeddings"].float()
            ends = [batch[row].turns.count(0) + len(batch[row].prompt) for row in order[begin : begin + together]]
            said = torch.arange(tokens.shape[1])[None] < torch.tensor(ends)[:, None]
            newest.append(masked_mean(tokens, said.to(embedder.device)))
    back = torch.tensor(order, device=embedder.device).argsort()
    whole, last = (nn.functional.normalize(torch.cat(rows)[back], dim=-1) for rows in (parts, newest or parts))
    return whole, last


def _groups(embedder: Embedder, decay: float) -> list[tuple[list[nn.Parameter], float]]:
    """The encoder's parameters, layer by layer from the top, each with its factor on the learning rate."""
    layers: list[list[nn.Parameter]] = []
    if decay != 1:
        try:
            layers = [list(layer.parameters()) for layer in reversed(embedder.transformer.encoder.layer)]
        except AttributeError as error:
            raise TrainingError(
                f"The encoder {embedder.name} is not built as BERT is.", "Leave out --layer-decay."
            ) from error
    grouped = {id(parameter) for layer in layers for parameter in layer}
    below = [parameter for parameter in embedder.model.parameters() if id(parameter) not in grouped]
    return [(part, decay**depth) for depth, part in enumerate([*layers, below])]


@contextmanager
def _training_mode(embedder: Embedder) -> Iterator[None]:
    """Training mode without dropout; on a CPU with plain attention, whose gradient is faster than the fused one's."""
    dropouts = {module: module.p for module in embedder.model.modules() if isinstance(module, nn.Dropout)}
    attention = embedder.transformer.config._attn_implementation
    embedder.model.train()
    for module in dropouts:
        module.p = 0.0
    if embedder.device == "cpu":
        embedder.transformer.set_attn_implementation("eager")
    try:
        yield
    finally:
        embedder.transformer.set_attn_implementation(attention)
        for module, share in dropouts.items():
            module.p = share
        embedder.model.eval()
