"""Eq. 1: cross-entropy with a confidence penalty, or with soft labels; and a check that a loss is a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from uxla.errors import ModelError
from uxla.models.device import to_device
from uxla.records import IGNORED


def penalised_loss(logits: torch.Tensor, labels: torch.Tensor, *, penalty: float) -> torch.Tensor:
    """The sum over rows of cross-entropy + `penalty` · Σ_c p log p, in nats (§2.1, Eq. 1; scalar tensor).

    `logits` is (R, C), on any device; `labels` (R,), on the CPU, with IGNORED rows left out of both terms. The negative
    entropy is computed from the log-softmax, so a probability that underflows to zero contributes zero and not NaN.
    Divide by the number of labelled rows for the mean. Of several heads (R, H, C) it is the mean of their losses.
    """
    if logits.ndim == 3:
        heads = logits.shape[1]
        return penalised_loss(logits.flatten(0, 1), labels.repeat_interleave(heads), penalty=penalty) / heads
    labelled = (labels != IGNORED).nonzero().squeeze(1)  # indices, not a mask: a GPU's mask would be waited for
    log_probs = functional.log_softmax(logits[to_device(labelled, logits.device)].float(), dim=-1)  # (R', C)
    loss = functional.nll_loss(log_probs, to_device(labels[labelled], logits.device), reduction="sum")
    if penalty == 0.0:
        return loss
    return loss + penalty * (log_probs.exp() * log_probs).sum()


@dataclass(frozen=True)
class SoftLabels:
    """The divergence from a teacher's class probabilities (N, C), in place of `penalised_loss`.

    The label of a row is its number among the teacher's rows.
    """

    probs: torch.Tensor

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, *, penalty: float) -> torch.Tensor:
        """The sum over rows of KL(teacher ‖ model), in nats (scalar tensor), and the penalty as for hard labels."""
        log_probs = functional.log_softmax(logits.float(), dim=-1)
        teacher = to_device(self.probs[labels], logits.device)
        loss = functional.kl_div(log_probs, teacher, reduction="sum")
        return loss + penalty * (log_probs.exp() * log_probs).sum() if penalty else loss


@dataclass(frozen=True)
class PendingLoss:
    """The loss of a step that has not been read yet: on a GPU, reading it means waiting."""

    where: str
    rate: float
    ids: Sequence[str]
    """The ids of its examples."""
    loss: torch.Tensor

    def checked(self) -> float:
        """The loss; ModelError if it is not a number."""
        loss = float(self.loss)
        if math.isfinite(loss):
            return loss
        ids = ", ".join(self.ids[:8]) + (", …" if len(self.ids) > 8 else "")
        raise ModelError(
            f"{self.where}: the loss is {loss}, expected a number; learning rate {self.rate:.3g}, examples {ids}; "
            "lower learning_rate or max_grad_norm"
        )
