"""The sections about trainings: warm-up, adaptation, and that of a masked LM."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, model_validator

from uxla.choices import Selection
from uxla.schema import Section, key, refusal


def _steps_or_share(value: object) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if whole or (isinstance(value, float) and 0 <= value <= 1):
        return value
    expected = "a whole number of steps (200) or a share of the training from 0.0 to 1.0 (0.1)"
    raise refusal("", f"got {value!r}, expected {expected}")


class Training(Section):
    """One training: optimiser, length, and which checkpoint is kept."""

    batch_size: int = key("sentences in one forward pass", paper="Table 8", ge=1)
    accumulation: int = key("forward passes in one optimizer step", 1, paper="Table 8", ge=1)
    learning_rate: float = key("AdamW's peak learning rate", paper="Table 8", gt=0)
    lr_warmup: Annotated[int | float, BeforeValidator(_steps_or_share)] = key(
        "linear learning-rate warm-up: optimizer steps (200) or a share of the training (0.1)",
        0.1,
        paper="Table 8",
    )
    weight_decay: float = key("AdamW's weight decay; never on biases and LayerNorm", 0.01, paper="Table 8", ge=0)
    adam_epsilon: float = key("AdamW's epsilon", 1e-8, paper="Table 8", gt=0)
    max_grad_norm: float = key("gradients are clipped to this norm", 1.0, paper="Table 8", gt=0)
    dropout: float = key("dropout before the classification layer and in the encoder", 0.1, paper="Table 8", ge=0, lt=1)
    epochs: float | None = key("passes over the training data; or give `max_steps`", None, paper="Table 8", gt=0)
    max_steps: int | None = key("optimizer steps; or give `epochs`", None, paper="Table 8", ge=1)
    evaluate_every: int = key(
        "optimizer steps between checkpoints, where `selection` compares or averages them",
        50,
        paper="Table 8",
        ge=1,
    )
    gradient_checkpointing: bool = key("compute activations twice instead of keeping them: less memory, slower", False)
    freeze_embeddings: bool = key("leave the piece embeddings as they are: faster, less memory", False)
    selection: Selection
    penalty: float

    @model_validator(mode="after")
    def _one_length(self) -> Training:
        if self.epochs is None and self.max_steps is None:
            raise refusal("epochs", "neither epochs nor max_steps is given, expected one of them; add epochs")
        if self.epochs is not None and self.max_steps is not None:
            both = f"epochs={self.epochs:g} and max_steps={self.max_steps} exclude each other"
            raise refusal("epochs", f"{both}; give one and set the other to null")
        return self


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
