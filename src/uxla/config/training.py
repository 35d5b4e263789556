"""The sections about trainings: warm-up and adaptation."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from uxla.choices import Selection
from uxla.models.training.settings import TrainingSettings, draws
from uxla.schema import key, refusal


class Training(TrainingSettings):
    """A training of a run: its length is given as `epochs` or as `max_steps`."""

    @model_validator(mode="after")
    def _one_length(self) -> Training:
        if self.epochs is None and self.max_steps is None:
            raise refusal("epochs", "neither epochs nor max_steps is given, expected one of them; add epochs")
        if self.epochs is not None and self.max_steps is not None:
            both = f"epochs={self.epochs:g} and max_steps={self.max_steps} exclude each other"
            raise refusal("epochs", f"{both}; give one and set the other to null")
        return self

    def draws(self, examples: int) -> int:
        """How many of so many examples are drawn in the training, some of them repeatedly."""
        return draws(examples, self.step_size, epochs=self.epochs, max_steps=self.max_steps)


class WarmUp(Training):
    """The three task models' training on the labelled source (§2.1).

    >>> WarmUp(batch_size=16, learning_rate=3e-5, epochs=3).penalty
    1.0
    """

    selection: Literal["last", "source_dev", "average"] = key(
        "the checkpoint kept: `last`, the best on the source's dev set, or the `average` of all",
        "source_dev",
        paper="App. D",
    )
    penalty: float = key("weight of the confidence penalty; 0 turns it off", 1.0, paper="Eq. 1", ge=0)


class Adaptation(Training):
    """Each training inside Algorithm 1 (line 21).

    >>> Adaptation(batch_size=16, learning_rate=1e-5, max_steps=500).selection
    'last'
    """

    selection: Selection = key(
        "as in warm-up; `target_dev` uses target labels, as the paper does, and every report says so",
        "last",
        paper="App. D",
    )
    penalty: float = key("weight of the confidence penalty; 0 turns it off", 0.0, paper="Table 8", ge=0)
