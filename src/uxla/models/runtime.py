"""Where, how large and how exact a model computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from uxla.choices import Attention, Precision, check_choice
from uxla.devices import check_one
from uxla.models.memory import Budget
from uxla.models.model_safety import SAFE, ModelSafety


@dataclass(frozen=True)
class Runtime:
    """Where, how large and how exact a model computes.

    `max_length` (pieces of one input with its special tokens; None, and at most: what the model takes) and `precision`
    change results. `device`, `attention` and `compile` (see `compile_layers`) change rounding; dropout draws other
    numbers on a GPU than on a CPU, and compiled than plain: of the same seed always the same. `budget` decides only how
    fast, but for dropout's draws. ConfigError for a device or a precision that there is not.
    """

    device: str = "auto"
    max_length: int | None = None
    budget: Budget = field(default_factory=Budget)
    safety: ModelSafety = SAFE
    precision: Precision = "fp32"
    attention: Attention = "auto"
    compile: bool = False
    jobs: int = 1
    """How many jobs share the device's memory."""

    def __post_init__(self) -> None:
        check_one(self.device)
        check_choice("precision", self.precision, Precision)

    def budget_of(self, module: Any, device: torch.device) -> Budget:
        """The budget of a model that is about to be put on the device."""
        return self.budget.of(module, device, self.precision, jobs=self.jobs)

    @property
    def inputs(self) -> dict[str, Any]:
        """What can change a result, for cache keys.

        `attention` and `compile` are included only if they are not the default. `device` is left out: finished work is
        found again on another device; an unfinished training starts over there.
        """
        attention = {} if self.attention == "auto" else {"attention": self.attention}
        compiled = {"compile": True} if self.compile else {}
        return {"max_length": self.max_length, "precision": self.precision, **attention, **compiled}
