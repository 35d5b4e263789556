from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from uxla.models.training.losses import penalised_loss
from uxla.records import IGNORED

LOGITS = arrays.arrays(np.float32, (5, 4), elements=st.floats(-20, 20, width=32))


def test_equation_one_equals_a_value_worked_out_by_hand():
    """p = (1/2, 1/4, 1/4), y = 0: CE = ln 2, Σ p ln p = -(½ ln 2 + ½ ln 4) = -1.5 ln 2; sum -0.5 ln 2 (Eq. 1)."""
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    loss = penalised_loss(logits, torch.tensor([0]), penalty=1.0)
    assert float(loss) == pytest.approx(-0.5 * math.log(2), abs=1e-6)


def test_without_penalty_it_is_cross_entropy():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]])
    labels = torch.tensor([2, 1])
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    assert float(penalised_loss(logits, labels, penalty=0.0)) == pytest.approx(float(expected))


@given(LOGITS, st.floats(0, 2))
def test_the_penalty_is_the_negative_entropy_times_its_weight(raw, weight):
    logits, labels = torch.from_numpy(raw), torch.zeros(5, dtype=torch.long)
    plain = float(penalised_loss(logits, labels, penalty=0.0))
    entropy = float(torch.distributions.Categorical(logits=logits.double()).entropy().sum())
    assert float(penalised_loss(logits, labels, penalty=weight)) == pytest.approx(plain - weight * entropy, abs=1e-3)


def test_a_probability_that_underflows_gives_no_nan_and_a_finite_gradient():
    logits = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
    loss = penalised_loss(logits, torch.tensor([0]), penalty=1.0)
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@given(LOGITS)
def test_ignored_rows_change_neither_loss_nor_gradient(raw):
    logits = torch.from_numpy(raw.copy()).requires_grad_()
    labels = torch.tensor([1, IGNORED, 0, IGNORED, 3])
    loss = penalised_loss(logits, labels, penalty=1.0)
    torch.autograd.backward(loss)
    kept = labels != IGNORED
    alone = penalised_loss(logits[kept].detach(), labels[kept], penalty=1.0)
    assert loss.item() == pytest.approx(alone.item(), rel=1e-6, abs=1e-6)
    assert (logits.grad[~kept] == 0).all()
