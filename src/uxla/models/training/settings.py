"""The settings of a training (Table 8)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from uxla.choices import Selection
from uxla.schema import Section, key, refusal


def _steps_or_share(value: object) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if whole or (isinstance(value, float) and 0 <= value <= 1):
        return value
    expected = "a whole number of steps (200) or a share of the training from 0.0 to 1.0 (0.1)"
    raise refusal("", f"got {value!r}, expected {expected}")


def draws(examples: int, step_size: int, *, epochs: float | None, max_steps: int | None) -> int:
    """How many examples are drawn in a training: so many steps' worth, or so many passes over all."""
    if max_steps is not None:
        return max_steps * step_size
    assert epochs is not None
    return max(1, round(examples * epochs))


class TrainingSettings(Section):
    """One training: optimiser, length, and which checkpoint is kept."""

    batch_size: int = key(
        "sentences in one optimizer step, before `accumulation` multiplies them", paper="Table 8", ge=1
    )
    accumulation: int = key(
        "how many batches of `batch_size` sentences make one optimizer step", 1, paper="Table 8", ge=1
    )
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
    selection: Selection = key("the checkpoint kept", "last", paper="App. D")
    penalty: float = key("weight of the confidence penalty; 0 turns it off", 0.0, paper="Eq. 1", ge=0)

    @property
    def step_size(self) -> int:
        """Examples in one optimiser step."""
        return self.batch_size * self.accumulation

    def warmup_steps(self, steps: int) -> int:
        """How many of `steps` the learning rate rises."""
        return self.lr_warmup if isinstance(self.lr_warmup, int) else int(self.lr_warmup * steps)

    def rate(self, done: int, steps: int) -> float:
        """The learning rate of the step after `done` of `steps`: linear from 0 to its peak, then linear to 0."""
        warmup = self.warmup_steps(steps)
        return self.learning_rate * (done / warmup if done < warmup else (steps - done) / max(1, steps - warmup))
