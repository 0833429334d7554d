"""Texts and dialogues as an encoder reads them, before it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

EARLIER = 1_000
"""Stands for how many turns ago something was said where that was in an earlier conversation."""


@dataclass(slots=True)
class Tokens:
    """One text or dialogue as the encoder reads it."""

    ids: list[int]
    turns: list[int]
    """For each token how many turns ago it was said: 0 is the newest turn; `EARLIER` in an earlier conversation."""
    agents: list[bool]
    """For each token whether an agent said it."""
    prompt: tuple[int, ...] = ()
    """Read behind the first token, and by the encoder alone."""

    @property
    def read(self) -> list[int]:
        """The ids that the encoder reads."""
        return [self.ids[0], *self.prompt, *self.ids[1:]] if self.prompt else self.ids

    def without_prompt(self, states: torch.Tensor) -> torch.Tensor:
        """(tokens, width): of the states of a padded text, (at least tokens read, width), those of its own tokens."""
        import torch

        states = states[: len(self.read)]
        return torch.cat([states[:1], states[1 + len(self.prompt) :]]) if self.prompt else states
