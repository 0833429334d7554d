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

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from index.fusion import FUSION_WEIGHTS, SIGNALS
from training.attention import attention_weights, coverage, masked_mean
from training.attention_block import CrossAttentionBlock

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
    hidden: int = 128
    """Width of the scoring layer."""
    question_tokens: int = 24
    answer_tokens: int = 64
    signal_weights: tuple[float, ...] = FUSION_WEIGHTS
    """Retrieval's own weights of the signals: where the residual starts."""
    version: int = 1


@dataclass(slots=True)
class DialogueStates:
    """One dialogue as the reranker reads it."""

    states: Tensor
    """(tokens, width): input of the encoder's last layers."""
    turns: Tensor
    """(tokens,): how many turns ago each token was said."""
    agents: Tensor
    """(tokens,) bool: said by an agent."""


@dataclass(slots=True)
class CandidateStates:
    """The candidates of one dialogue, each its answer and then its past question, padded to a common length."""

    states: Tensor
    """(candidates, tokens, width)"""
    mask: Tensor
    """(candidates, tokens) bool: real tokens."""
    is_answer: Tensor
    """(candidates, tokens) bool: tokens of the answer."""
    signals: Tensor
    """(candidates, len(SIGNALS))"""


@dataclass(slots=True)
class ReadStates:
    """A dialogue after its own pass through the blocks, shared by all its candidates."""

    states: Tensor
    """(tokens, width): as it came in, for comparing tokens."""
    vector: Tensor
    """(width,): mean of its last states."""
    memories: list[tuple[Tensor, Tensor]]
    """Per block the keys and values that candidates attend to, each (1, heads, tokens, width / heads)."""


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
        self.score_in = nn.Linear(4 * config.width + len(PARTS) + len(SIGNALS), config.hidden)
        self.score_out = nn.Linear(config.hidden, 1)
        self.part_weights = nn.Parameter(torch.zeros(len(PARTS)))
        for embedding in (self.recency, self.speaker, self.segment):
            nn.init.zeros_(embedding.weight)
        nn.init.zeros_(self.score_out.weight)
        nn.init.zeros_(self.score_out.bias)

    @classmethod
    def from_encoder(cls, transformer: Any, encoder: str, blocks: int = 1, **sizes: Any) -> Reranker:  # noqa: ANN401
        """A reranker whose blocks are copies of the last layers of a BERT-like encoder.

        Args:
            transformer: the encoder.
            encoder: its identity.
            blocks: layers copied.
            sizes: other fields of `RerankerConfig`.

        Raises:
            AttributeError: the encoder's layers are not laid out as BERT's are.
        """
        settings = transformer.config
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
        reranker = cls(config)
        for block, layer in zip(reranker.layers, transformer.encoder.layer[-blocks:], strict=True):
            block.copy_layer(layer)
        return reranker

    @property
    def is_untrained(self) -> bool:
        """Whether its score is still the retrieval score alone."""
        return not (self.score_out.weight.any() or self.score_out.bias.any() or self.part_weights.any())

    @property
    def layers(self) -> list[CrossAttentionBlock]:
        """The blocks in order."""
        return [block for block in self.blocks if isinstance(block, CrossAttentionBlock)]

    def forward(self, dialogue: DialogueStates, candidates: CandidateStates, keep_retrieval: bool = True) -> Tensor:
        """Scores, shape (candidates,): logits for one softmax over the candidates of this dialogue."""
        return self.score(self.read(dialogue), candidates, keep_retrieval)

    def read(self, dialogue: DialogueStates) -> ReadStates:
        """What all candidates of a dialogue share, computed once."""
        alone = (
            dialogue.states
            + self.recency(dialogue.turns.clamp(max=MAX_RECENCY))
            + self.speaker(dialogue.agents.long())
        )[None]
        everything = torch.ones(alone.shape[:2], dtype=torch.bool, device=alone.device)
        memories = []
        for block in self.layers:
            memories.append(block.keys_and_values(alone))
            alone = block(alone, everything)
        return ReadStates(dialogue.states, alone[0].mean(dim=0), memories)

    def score(self, read: ReadStates, candidates: CandidateStates, keep_retrieval: bool = True) -> Tensor:
        """Scores of candidates, (candidates,) float32; each depends on its own candidate and the dialogue alone."""
        tokens = self._attend(read, candidates, self.layers[:-1])
        answer_mask = candidates.mask & candidates.is_answer
        question_mask = candidates.mask & ~candidates.is_answer
        # Only the answer's tokens are read out, so only they go through the last block.
        longest = int(answer_mask.sum(dim=-1).max())
        said = torch.ones(1, read.states.shape[0], dtype=torch.bool, device=tokens.device)
        updated: Tensor = self.layers[-1](tokens, candidates.mask, read.memories[-1], said, only=longest)
        answer = masked_mean(updated, answer_mask[:, :longest])
        question = masked_mean(tokens, question_mask)
        parts = torch.stack(
            [
                nn.functional.cosine_similarity(answer, read.vector[None], dim=-1),
                nn.functional.cosine_similarity(question, read.states.mean(dim=0)[None], dim=-1),
                *self._coverage(candidates.states, read.states, answer_mask, question_mask),
            ],
            dim=-1,
        )
        signals = candidates.signals.to(parts.dtype)
        joint = torch.cat([answer, question, answer * read.vector, question * read.vector, parts, signals], dim=-1)
        score: Tensor = self.score_out(nn.functional.gelu(self.score_in(joint))).squeeze(-1)
        score = score.float() + (parts.float() @ self.part_weights.float()) * SIGNAL_SCALE
        if keep_retrieval:
            # In full precision: candidates that retrieval tells apart must not be rounded together.
            score = score + candidates.signals.float() @ self.signal_weights.float()
        return score

    def _attend(self, read: ReadStates, candidates: CandidateStates, layers: list[CrossAttentionBlock]) -> Tensor:
        """The candidates' tokens after some blocks, each attending to the dialogue."""
        tokens: Tensor = candidates.states + self.segment(candidates.is_answer.long())
        said = torch.ones(1, read.states.shape[0], dtype=torch.bool, device=tokens.device)
        for block, memory in zip(layers, read.memories, strict=False):
            tokens = block(tokens, candidates.mask, memory, said)
        return tokens

    @staticmethod
    def _coverage(tokens: Tensor, said: Tensor, *masks: Tensor) -> list[Tensor]:
        """For each mask how well its tokens cover the dialogue's, and the other way round, each (candidates,)."""
        similarity = nn.functional.normalize(tokens, dim=-1) @ nn.functional.normalize(said, dim=-1).T
        all_said = torch.ones(said.shape[0], dtype=torch.bool, device=said.device)
        found = []
        for mask in masks:
            found.append(coverage(similarity.transpose(-1, -2), all_said, mask))
            found.append(coverage(similarity, mask, all_said))
        return found

    @torch.no_grad()
    def attention_to_dialogue(self, dialogue: DialogueStates, candidates: CandidateStates, place: int) -> Tensor:
        """How much one candidate's answer looks at each dialogue token in the last block: (tokens,), sums to 1."""
        read = self.read(dialogue)
        tokens = self._attend(read, candidates, self.layers[:-1])
        last = self.layers[-1]
        answer = tokens[place][candidates.mask[place] & candidates.is_answer[place]]
        weights: Tensor = attention_weights(last.split(last.query(answer)), read.memories[-1][0][0])
        looked: Tensor = weights.float().mean(dim=(0, 1))
        share: Tensor = looked / looked.sum().clamp(min=1e-12)
        return share
