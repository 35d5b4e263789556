"""How a masked LM is trained, and the shape of a new one."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import model_validator

from uxla.models.training.settings import draws
from uxla.schema import Section, key, refusal

FEWEST = 200
"""Pieces of the smallest vocabulary: half of them are ASCII's 94 characters, `▁`, and the five special tokens."""


class Recipe(Section):
    """How a masked LM is trained. The defaults are for going on with a large one (Devlin et al. 2019, Liu et al. 2019).

    Without `epochs` and `max_steps` a training is one pass long.
    """

    batch_size: int = key("sentences in one optimizer step, before `accumulation` multiplies them", 16, ge=1)
    accumulation: int = key("how many batches of `batch_size` sentences make one optimizer step", 1, ge=1)
    learning_rate: float = key("AdamW's peak: linear to it in 6 % of the steps, then to 0", 5e-5, gt=0)
    epochs: float | None = key("passes over the sentences; or give `max_steps`; neither: one pass", None, gt=0)
    max_steps: int | None = key("optimizer steps; or give `epochs`", None, ge=1)
    masked: float = key("share of the pieces that are masked, 80/10/10; 15 % is 0.15", 0.15, gt=0, lt=1)
    held_out: float = key("share of the distinct sentences, up to 1,000, that are only scored", 0.05, ge=0, lt=1)
    evaluate_every: int = key("optimizer steps between two looks at the held-out sentences", 500, ge=1)

    length: ClassVar[dict[str, Any]] = {"epochs": 1.0}
    """What is taken where neither length is given."""

    @model_validator(mode="before")
    @classmethod
    def _some_length(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("epochs") is None and values.get("max_steps") is None:
            return {**values, **cls.length}
        return values

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if self.epochs is not None and self.max_steps is not None:
            both = f"epochs={self.epochs:g} and max_steps={self.max_steps} exclude each other"
            raise refusal("epochs", f"{both}; give one of them")
        return self

    @property
    def step_size(self) -> int:
        """Sentences in one optimizer step."""
        return self.batch_size * self.accumulation

    def draws(self, sentences: int) -> int:
        """How many sentences are learned from, one by one, if there are so many different ones."""
        return draws(sentences, self.step_size, epochs=self.epochs, max_steps=self.max_steps)


class NewModelRecipe(Recipe):
    """The same for a small model that begins with random weights: without a length, 10,000 steps."""

    batch_size: int = key("sentences in one optimizer step, before `accumulation` multiplies them", 64, ge=1)
    learning_rate: float = key("AdamW's peak: linear to it in 6 % of the steps, then to 0", 1e-3, gt=0)
    epochs: float | None = key("passes over the sentences; or give `max_steps`; neither: 10,000 steps", None, gt=0)

    length: ClassVar[dict[str, Any]] = {"max_steps": 10_000}


class LMShape(Section):
    """The shape of an XLM-R-like masked LM, feed-forward layers four times as wide as `hidden`."""

    pieces: int = key("pieces of the vocabulary, which is made from the text", 8000, ge=FEWEST)
    hidden: int = key("width of the layers", 128, ge=1)
    layers: int = key("layers of the encoder", 4, ge=1)
    heads: int = key("attention heads of each layer", 4, ge=1)
    max_length: int = key("pieces of a text seen at once; longer ones are read in windows", 128, ge=3)
    dropout: float = key("dropout in the encoder", 0.1, ge=0, le=0.9)

    @model_validator(mode="after")
    def _whole_heads(self) -> LMShape:
        if self.hidden % self.heads:
            raise refusal("hidden", f"got {self.hidden}, expected a multiple of heads = {self.heads}")
        return self
