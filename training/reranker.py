"""The cross-attention reranker: candidates' precomputed token states attend to the dialogue.

Decisions:
- The family is MORES (Gao et al. 2020) and PreTTR (MacAvaney et al. 2020): the encoder's lower layers are computed
  once, at index time for past questions and answers and once per dialogue; only the last layers join the two.
- Candidate tokens are the queries. Keys and values are the candidate's own states followed by the dialogue's, whose
  projections are computed once for all candidates. That is the cheaper direction where dialogues are longer than
  answers.
- Blocks start as copies of the encoder's own last layers, so no attention is learned from nothing.
- The score is a residual on the retrieval score and the last layer starts at zero: an untrained reranker ranks
  exactly as retrieval does.
- While training, the retrieval score is dropped for some dialogues, so that the attention part cannot lean on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from conversations.errors import ModelError
from index.candidates import SIGNALS
from index.fusion import BARE_WEIGHTS, FUSION_WEIGHTS
from index.tokens import EARLIER
from training.attention import coverage, masked_mean
from training.attention_block import CrossAttentionBlock, ListwiseAttention
from training.choices import HIDDEN
from training.reranker_states import CandidateStates, DialogueStates, Judged, OwnDialogue, ReadStates

VERSION = 1
"""Of what the weights mean: a reranker of another version has other parts, or other ones under the same names."""
SIGNAL_SCALE = 20.0
"""Turns cosines into logits: the inverse temperature that sentence encoders are trained with."""
PARTS = (
    "answer mean",
    "question mean",
    "answer covers dialogue",
    "dialogue covers answer",
    "question covers dialogue",
    "dialogue covers question",
)
FEED_FORWARD_KEPT = 0.5
"""Share of the encoder's feed-forward units that a block takes over: half the work, and training makes up for it."""
MAX_RECENCY = 8
"""Turns longer ago than this share one recency embedding."""


@dataclass(frozen=True)
class RerankerConfig:
    """Shape of a reranker; written beside its weights as JSON."""

    encoder: str
    """Identity of the encoder whose states it reads; it works with no other."""
    width: int
    heads: int
    feed_forward: int
    layer_norm_epsilon: float = 1e-12
    blocks: int = 1
    hidden: int = HIDDEN
    """Width of the scoring layer."""
    listwise_heads: int = 0
    """Heads of the attention among the candidates; 0 for none, then each is scored by itself."""
    question_tokens: int = 24
    answer_tokens: int = 64
    signal_weights: tuple[float, ...] = FUSION_WEIGHTS
    """Retrieval's own weights of the signals: where the residual starts."""
    looks_back: bool = False
    """Whether it reads what the customer's earlier conversations were; otherwise that is left out."""
    needs_questions: bool = False
    """Whether it has only seen answers beside the past questions that they were given to, and can judge no others."""
    version: int = VERSION


class Reranker(nn.Module):
    """Scores candidates against a dialogue; see the module's docstring."""

    def __init__(self, config: RerankerConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(
            CrossAttentionBlock(config.width, config.heads, config.feed_forward, config.layer_norm_epsilon)
            for _ in range(config.blocks)
        )
        self.recency = nn.Embedding(MAX_RECENCY + 1, config.width)
        self.speaker = nn.Embedding(2, config.width)
        self.segment = nn.Embedding(2, config.width)
        self.signal_weights = nn.Parameter(torch.tensor(config.signal_weights) * SIGNAL_SCALE)
        self.earlier = nn.Parameter(torch.zeros(config.width)) if config.looks_back else None
        self.score_in = nn.Linear(4 * config.width + len(PARTS) + len(SIGNALS), config.hidden)
        self.score_out = nn.Linear(config.hidden, 1)
        self.listwise = ListwiseAttention(config.hidden, config.listwise_heads) if config.listwise_heads else None
        self.part_weights = nn.Parameter(torch.zeros(len(PARTS)))
        for embedding in (self.recency, self.speaker, self.segment):
            nn.init.zeros_(embedding.weight)
        nn.init.zeros_(self.score_out.weight)
        nn.init.zeros_(self.score_out.bias)

    @classmethod
    def from_encoder(
        cls,
        transformer: Any,  # noqa: ANN401
        encoder: str,
        blocks: int = 1,
        seed: int = 13,
        **sizes: Any,  # noqa: ANN401
    ) -> Reranker:
        """A reranker whose blocks are copies of the last layers of a BERT-like encoder.

        Args:
            transformer: the encoder.
            encoder: its identity.
            blocks: layers copied.
            seed: of the weights that no layer gives; torch's generator goes on from it.
            sizes: other fields of `RerankerConfig`.

        Raises:
            ModelError: the encoder's layers are not laid out as BERT's are.
        """
        settings = transformer.config
        try:
            config = RerankerConfig(
                **{
                    "encoder": encoder,
                    "width": settings.hidden_size,
                    "heads": settings.num_attention_heads,
                    "feed_forward": int(settings.intermediate_size * FEED_FORWARD_KEPT),
                    "layer_norm_epsilon": settings.layer_norm_eps,
                    "blocks": blocks,
                    **sizes,
                }
            )
            torch.manual_seed(seed)
            reranker = cls(config)
            for block, layer in zip(reranker.layers, transformer.encoder.layer[-blocks:], strict=True):
                block.copy_layer(layer)
        except AttributeError as error:
            raise ModelError(
                f"The encoder {encoder} is not built as BERT is, so no reranker can begin as a copy of its layers.",
                "Import with another --embedder, such as intfloat/multilingual-e5-small.",
            ) from error
        return reranker

    def for_bare_answers(self, answer_tokens: int) -> Reranker:
        """This reranker about to be trained where answers have no past questions: more is read of each answer."""
        self.config = replace(
            self.config, needs_questions=False, answer_tokens=answer_tokens, signal_weights=BARE_WEIGHTS
        )
        with torch.no_grad():
            self.signal_weights.copy_(torch.tensor(BARE_WEIGHTS) * SIGNAL_SCALE)
        return self

    def reading(self, encoder: str) -> Reranker:
        """This reranker about to be trained on the states of its encoder tuned further: its identity changes."""
        self.config = replace(self.config, encoder=encoder)
        return self

    @property
    def is_untrained(self) -> bool:
        """Whether its score is still the retrieval score alone."""
        return not (self.score_out.weight.any() or self.score_out.bias.any() or self.part_weights.any())

    @property
    def device(self) -> str:
        """Where its weights are."""
        return str(self.signal_weights.device)

    @property
    def layers(self) -> list[CrossAttentionBlock]:
        """The blocks in order."""
        return [block for block in self.blocks if isinstance(block, CrossAttentionBlock)]

    def forward(
        self, dialogues: DialogueStates, candidates: CandidateStates, keep_retrieval: bool | Tensor = True
    ) -> Tensor:
        """Scores, shape (candidates,): logits for one softmax over the candidates of each dialogue."""
        judged = self.judge(self.read(dialogues), candidates, keep_retrieval)
        return self.weigh(judged, candidates.dialogues)

    def read(self, dialogues: DialogueStates) -> ReadStates:
        """What all candidates of a dialogue share, computed once."""
        alone = self._told_apart(dialogues)
        now = dialogues.mask & (dialogues.turns != EARLIER)
        # What is looked back on is there to be attended to; what is asked stands in the dialogue itself.
        read = now if self.earlier is None else dialogues.mask
        memories = []
        for block in self.layers:
            memories.append(block.keys_and_values(alone))
            alone = block(alone, read)
        return ReadStates(
            directions=nn.functional.normalize(dialogues.states, dim=-1),
            mean=masked_mean(dialogues.states, now),
            mask=read,
            now=now,
            vector=masked_mean(alone, now),
            memories=memories,
        )

    def _told_apart(self, dialogues: DialogueStates) -> Tensor:
        """The dialogues' tokens with who said them and when, (dialogues, tokens, width)."""
        tokens: Tensor = (
            dialogues.states
            + self.recency(dialogues.turns.clamp(max=MAX_RECENCY))
            + self.speaker(dialogues.agents.long())
        )
        return tokens if self.earlier is None else tokens + (dialogues.turns == EARLIER)[..., None] * self.earlier

    def judge(self, read: ReadStates, candidates: CandidateStates, keep_retrieval: bool | Tensor = True) -> Judged:
        """Reads candidates against their dialogues; each by itself, so they may come in any parts.

        Args:
            read: the dialogues.
            candidates: of these dialogues.
            keep_retrieval: whether retrieval's score counts; or (candidates,) one number from 0 to 1 for each.
        """
        own = OwnDialogue(read, candidates)
        tokens = self._attend(own, candidates, self.layers[:-1])
        in_answer = candidates.in_answer
        # Only the answer's tokens are read out, so only they go through the last block.
        longest = candidates.longest_answer
        if longest is None:
            longest = int(in_answer.sum(dim=-1).max())
        updated: Tensor = self.layers[-1](tokens, candidates.mask, own.memory(-1), own.mask, only=longest)
        answer = masked_mean(updated, in_answer[:, :longest])
        question = masked_mean(tokens, candidates.in_question)
        return self._judged(own, candidates, (own.vector, answer, question), keep_retrieval)

    def _judged(
        self,
        own: OwnDialogue,
        candidates: CandidateStates,
        told: tuple[Tensor, Tensor, Tensor],
        keep_retrieval: bool | Tensor,
    ) -> Judged:
        """What is made of candidates by the vectors of dialogue, answer and question, each (candidates, width)."""
        vector, answer, question = told
        parts = torch.stack(
            [
                nn.functional.cosine_similarity(answer, vector, dim=-1),
                nn.functional.cosine_similarity(question, own.mean, dim=-1),
                *self._coverage(candidates.states, own, candidates.in_answer, candidates.in_question),
            ],
            dim=-1,
        )
        signals = candidates.signals.to(parts.dtype)
        joint = torch.cat([answer, question, answer * vector, question * vector, parts, signals], dim=-1)
        # In full precision, and not as matrix products, which autocast would round to bfloat16: candidates that
        # retrieval tells apart must not become ties.
        direct = (parts.float() * self.part_weights.float()).sum(dim=-1) * SIGNAL_SCALE
        retrieved = (candidates.signals.float() * self.signal_weights.float()).sum(dim=-1)
        direct = direct + retrieved * keep_retrieval
        return Judged(nn.functional.gelu(self.score_in(joint)), direct)

    def weigh(self, judged: Judged, dialogues: Tensor) -> Tensor:
        """Scores of candidates, (candidates,) float32, where they look at each other if the model was made so.

        Args:
            judged: all candidates of their dialogues.
            dialogues: (candidates,): the row of the dialogue that each is a candidate for.
        """
        hidden = judged.hidden
        if self.listwise is not None:
            hidden = self.listwise(hidden, dialogues)
        score: Tensor = self.score_out(hidden).squeeze(-1).float() + judged.direct
        return score

    def _attend(self, own: OwnDialogue, candidates: CandidateStates, layers: list[CrossAttentionBlock]) -> Tensor:
        """The candidates' tokens after some blocks, each attending to the dialogue."""
        tokens: Tensor = candidates.states + self.segment(candidates.is_answer.long())
        for number, block in enumerate(layers):
            tokens = block(tokens, candidates.mask, own.memory(number), own.mask)
        return tokens

    @staticmethod
    def _coverage(tokens: Tensor, own: OwnDialogue, *masks: Tensor) -> list[Tensor]:
        """For each mask how well its tokens cover the dialogue's, and the other way round, each (candidates,)."""
        similarity = nn.functional.normalize(tokens, dim=-1) @ own.directions.transpose(-1, -2)
        found = []
        for mask in masks:
            found.append(coverage(similarity.transpose(-1, -2), own.now, mask))
            found.append(coverage(similarity, mask, own.now))
        return found

    @torch.no_grad()
    def attention_to_dialogue(self, dialogue: DialogueStates, candidates: CandidateStates, place: int) -> Tensor:
        """How much one candidate's answer looks at each token of one dialogue in the last block.

        As the block itself attends: a token that looks mostly at its own candidate counts little.

        Returns:
            (tokens,), sums to 1: shares of what falls on the dialogue.
        """
        own = OwnDialogue(self.read(dialogue), candidates)
        tokens = self._attend(own, candidates, self.layers[:-1])
        weights = self.layers[-1].weights(tokens, candidates.mask, own.memory(-1), own.mask)[place]
        answer = candidates.in_answer[place]
        looked = weights[:, answer, tokens.shape[1] :].float().sum(dim=(0, 1))
        share: Tensor = looked / looked.sum().clamp(min=1e-12)
        return share
