"""Eq. 1: cross-entropy with a confidence penalty."""

from __future__ import annotations

import torch
from torch.nn import functional

from uxla.models.device import sent
from uxla.records import IGNORED


def penalised_loss(logits: torch.Tensor, labels: torch.Tensor, *, penalty: float) -> torch.Tensor:
    """The sum over rows of cross-entropy + `penalty` · Σ_c p log p, in nats (§2.1, Eq. 1; scalar tensor).

    `logits` is (R, C), on any device; `labels` (R,), on the CPU, with IGNORED rows left out of both terms. The negative
    entropy is computed from the log-softmax, so a probability that underflows to zero contributes zero and not NaN.
    Divide by the number of labelled rows for the mean.
    """
    kept = (labels != IGNORED).nonzero().squeeze(1)  # indices, not a mask: a GPU's mask would be waited for
    log_probs = functional.log_softmax(logits[sent(kept, logits.device)].float(), dim=-1)  # (R', C)
    loss = functional.nll_loss(log_probs, sent(labels[kept], logits.device), reduction="sum")
    if penalty == 0.0:
        return loss
    return loss + penalty * (log_probs.exp() * log_probs).sum()
