"""From text to vectors: one sentence encoder, loaded once, giving sentence vectors and token states in one pass.

Decisions:
- Every text goes in as token ids with the turn each token belongs to. A plain text is a dialogue of one turn, so
  questions, answers and dialogues share one code path and one vector space.
- A dialogue is laid out newest turn first, so that cutting at the token limit loses the oldest words.
- Special tokens inside text ("[SEP]") are read as plain characters: a customer cannot forge a turn boundary.
- Letters of other scripts that pass for Latin ones are read as these (`conversations.text.plain_letters`).
- What an encoder was taught to read in front of questions and answers (`index.prompts`) is put there only while it
  reads: token ids and states are those of the text, and a text may be as long as without.
- bf16 where the processor has instructions for it (about three times the speed), float32 elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from conversations.model import Turn
from conversations.text import plain_letters
from index.encoder_loading import (
    BUNDLED,
    as_dtype,
    default_device,
    default_precision,
    fingerprint,
    load_encoder,
)
from index.prompts import prompts_of
from index.tokens import EARLIER, Tokens

if TYPE_CHECKING:
    import torch

MAX_TOKENS = 128
"""Token limit of one text, special tokens included; the bundled encoder was trained with 128."""
MAX_CHARACTERS = 4_000
"""Text past this many characters cannot reach the token limit's end and is not tokenised."""
TOGETHER = 64
"""Texts of one length that a CPU encodes in one pass at most."""
TOGETHER_ON_GPU = 512
"""Texts that a GPU encodes in one pass at most: the longest need under a gigabyte at width 384, with all layers kept.
Of a wider encoder it takes fewer."""

Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class Encoded:
    """A batch of texts after encoding."""

    vectors: Floats
    """(texts, dimension), each of length 1."""
    newest: Floats
    """(texts, dimension), each of length 1: the newest turn alone, its words read with the older ones in sight.

    Empty unless asked for.
    """
    states: list[torch.Tensor]
    """Per text (tokens, width): input of the encoder's last layers, float32 on the CPU. Empty unless asked for."""


class Embedder:
    """A sentence encoder on the best device at hand."""

    def __init__(self, name: str = BUNDLED, device: str | None = None, precision: str | None = None) -> None:
        """Loads the encoder.

        Args:
            name: "all-MiniLM-L6-v2" (bundled), a directory, or any model name on the Hugging Face Hub.
            device: "cpu" or "cuda"; by default CUDA where there is one.
            precision: "float32" or "bfloat16"; by default what the device is fastest with.

        Raises:
            ModelError: the model cannot be found or loaded.
        """
        self.name = name
        self.device = device or default_device()
        self.precision = precision or default_precision(self.device)
        self.model = load_encoder(name, self.device)
        transformer = self.model[0]
        self.tokenizer: Any = transformer.tokenizer
        self.transformer: Any = transformer.auto_model
        self.transformer.config.output_hidden_states = True
        self.dimension = int(self.model.get_embedding_dimension() or 0)
        self.layers = int(self.transformer.config.num_hidden_layers)
        self.pools_mean = _pools_mean(self.model)
        self.prompts = prompts_of(name, self.model.prompts, self.model.default_prompt_name)
        # Saved with it: what is tuned on from an E5 model has another name.
        self.model.prompts |= {"query": self.prompts.query, "document": self.prompts.answer}
        self.identity = ""
        self.refresh_identity()
        self.model = self.model.to(as_dtype(self.precision))
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None:
            # The bundled tokenizer file fixes padding and truncation at 128; both are done here instead.
            backend.no_padding()
            backend.no_truncation()
        self._start = _first(self.tokenizer.cls_token_id, self.tokenizer.bos_token_id)
        self._separator = _first(self.tokenizer.sep_token_id, self.tokenizer.eos_token_id)
        self._pad = _first(self.tokenizer.pad_token_id, 0)
        self._query, self._answer = map(self._ids_of_prompt, self.prompts)
        room = int(getattr(self.model, "max_seq_length", None) or 2 * MAX_TOKENS)
        self.max_tokens = max(min(MAX_TOKENS, room - max(len(self._query), len(self._answer))), 16)

    def _ids_of_prompt(self, prompt: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(prompt.strip(), add_special_tokens=False)["input_ids"]) if prompt.strip() else ()

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids of what people asked or said, as plain texts, cut at the token limit."""
        return self.tokenize_dialogues([(Turn("customer", text),) for text in texts])

    def tokenize_answers(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids of answers, cut at the token limit."""
        return [replace(tokens, prompt=self._answer) for tokens in self.tokenize(texts)]

    def tokenize_dialogues(self, dialogues: Sequence[Sequence[Turn]]) -> list[Tokens]:
        """Token ids of dialogues (oldest turn first), laid out newest turn first and cut at the token limit."""
        pieces: list[str] = []
        spans: list[tuple[int, int]] = []
        recent: list[list[Turn]] = []
        for dialogue in dialogues:
            newest_first = [turn for turn in reversed(dialogue) if turn.text.strip()][: self.max_tokens // 4]
            begin = len(pieces)
            pieces += [plain_letters(turn.text[:MAX_CHARACTERS]) for turn in newest_first]
            spans.append((begin, len(pieces)))
            recent.append(newest_first)
        rows: list[list[int]] = []
        if pieces:
            rows = self.tokenizer(pieces, add_special_tokens=False, split_special_tokens=True, verbose=False)[
                "input_ids"
            ]
        out = []
        for turns, (begin, end) in zip(recent, spans, strict=True):
            tokens = Tokens([self._start], [0], [False], self._query)
            for ago, (turn, ids) in enumerate(zip(turns, rows[begin:end], strict=True)):
                room = self.max_tokens - 1 - len(tokens.ids)
                if room <= 0:
                    break
                kept = [*ids[:room], self._separator]
                tokens.ids += kept
                tokens.turns += [ago] * len(kept)
                tokens.agents += [turn.role == "agent"] * len(kept)
            if len(tokens.ids) == 1:
                tokens = Tokens([self._start, self._separator], [0, 0], [False, False], self._query)
            out.append(tokens)
        return out

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of what people asked or said, as plain texts: (texts, dimension) float32."""
        return self.encode_tokens(self.tokenize(texts)).vectors

    def encode_answers(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of answers: (texts, dimension) float32."""
        return self.encode_tokens(self.tokenize_answers(texts)).vectors

    def encode_dialogues(self, dialogues: Sequence[Sequence[Turn]]) -> Floats:
        """Unit vectors of dialogues: (dialogues, dimension) float32."""
        return self.encode_tokens(self.tokenize_dialogues(dialogues)).vectors

    def encode_tokens(self, batch: Sequence[Tokens], states_below: int = 0, *, newest_turns: bool = False) -> Encoded:
        """Encodes tokenised texts.

        Args:
            batch: what `tokenize` and the like returned.
            states_below: 0 for vectors only; n keeps each token's state as it enters the last n layers.
            newest_turns: also the vector of each newest turn; only of an encoder that pools by the mean.
        """
        import torch

        vectors = np.zeros((len(batch), self.dimension), dtype=np.float32)
        newest = np.zeros_like(vectors[: len(batch) if newest_turns else 0])
        states: list[torch.Tensor] = [torch.empty(0)] * (len(batch) if states_below else 0)
        with torch.inference_mode():
            for rows in self._read_together(batch):
                features = self.features([batch[i] for i in rows])
                output = self.model(features)
                vectors[rows] = output["sentence_embedding"].float().cpu().numpy()
                if newest_turns:
                    # Turns are laid out newest first. Off the device in one go: a GPU would wait for every row.
                    lengths = [batch[row].turns.count(0) + len(batch[row].prompt) for row in rows]
                    said = zip(output["token_embeddings"], lengths, strict=True)
                    means = [tokens[:length].float().mean(dim=0) for tokens, length in said]
                    newest[rows] = torch.stack(means).cpu().numpy()
                if states_below:
                    layer = output["all_layer_embeddings"][-1 - states_below].float().cpu()
                    for place, row in enumerate(rows):
                        states[row] = batch[row].without_prompt(layer[place])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        newest /= np.maximum(np.linalg.norm(newest, axis=1, keepdims=True), 1e-12)
        return Encoded(vectors, newest, states)

    def _read_together(self, batch: Sequence[Tokens]) -> Iterator[list[int]]:
        """Rows to read in one go, longest texts first: of like length, on a CPU of one length.

        Without padding a text's states are those that it has alone, and no time is spent on it. A GPU would rather
        have full batches.
        """
        lengths = [len(tokens.read) for tokens in batch]
        order = sorted(range(len(batch)), key=lambda row: -lengths[row])
        if self.device == "cpu":
            most, alike = TOGETHER, [list(rows) for _, rows in groupby(order, key=lambda row: lengths[row])]
        else:
            most, alike = max(TOGETHER_ON_GPU * 384 // self.dimension, 1), [order]
        for rows in alike:
            for begin in range(0, len(rows), most):
                yield rows[begin : begin + most]

    def features(self, batch: Sequence[Tokens]) -> dict[str, Any]:
        """The encoder's padded input for a batch, on its device."""
        import torch

        read = [tokens.read for tokens in batch]
        width = max(map(len, read))
        ids = np.full((len(batch), width), self._pad, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, own in enumerate(read):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        return {
            "input_ids": torch.from_numpy(ids).to(self.device),
            "attention_mask": torch.from_numpy(mask).to(self.device),
            "modality": "text",
        }

    def words(self, tokens: Tokens, weights: Sequence[float], turns: int) -> list[tuple[str, float, int]]:
        """Whole words with the summed weight of their pieces, in the order in which they were said.

        Args:
            tokens: a tokenised dialogue.
            weights: one per token.
            turns: turns of the dialogue.

        Returns:
            Word, weight, position of its turn from 0; -1 for what was said in an earlier conversation.
        """
        pieces = self.tokenizer.convert_ids_to_tokens(tokens.ids)
        special = set(self.tokenizer.all_special_ids)
        found: list[tuple[str, float, int]] = []
        inside = -1
        for piece, identifier, weight, ago in zip(pieces, tokens.ids, weights, tokens.turns, strict=True):
            position = turns - 1 - ago if ago < EARLIER else -1
            if identifier in special:
                inside = -1
            elif piece.startswith("##") and inside == position:
                word, so_far, _ = found[-1]
                found[-1] = (word + piece[2:], so_far + weight, position)
            else:
                found.append((piece.removeprefix("##").removeprefix("\u2581"), weight, position))
                inside = position
        return sorted(found, key=lambda entry: entry[2])

    def serve(self) -> None:
        """Ends training: weights rounded to bfloat16, as they are saved, and kept in the fastest precision."""
        self.model = self.model.to(as_dtype("bfloat16")).eval()
        self.refresh_identity()
        self.precision = default_precision(self.device)
        self.model = self.model.to(as_dtype(self.precision))

    def refresh_identity(self) -> None:
        """Names the encoder by its weights and prompts; to be called after they were trained."""
        shape = f"{self.transformer.config.model_type}-{self.layers}x{self.dimension}"
        self.identity = f"{shape}@{fingerprint(self.model, self.prompts)}"

    def save(self, path: Path) -> None:
        """Writes the encoder as a sentence-transformers directory: safetensors, bfloat16."""
        self.model.to(as_dtype("bfloat16")).save(str(path), create_model_card=False)
        self.model.to(as_dtype(self.precision))


def _pools_mean(model: Any) -> bool:  # noqa: ANN401
    """Whether a sentence vector is the mean of the token vectors, at most brought to length 1."""
    _, *rest = [type(module).__name__ for module in model]
    return rest in (["Pooling"], ["Pooling", "Normalize"]) and model[1].pooling_mode == "mean"


def _first(*values: int | None) -> int:
    return next((value for value in values if value is not None), 0)
