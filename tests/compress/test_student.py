"""What a student is trained by: the distance of its probabilities from the teachers'."""

import numpy as np
import pytest
import torch

from uxla.compress.run import Length
from uxla.errors import ConfigError
from uxla.models.training.losses import SoftLabels


def test_soft_labels_are_a_divergence_that_is_zero_where_the_model_says_what_the_teacher_says():
    teacher = torch.tensor([[0.5, 0.25, 0.25], [0.9, 0.05, 0.05], [0.0, 1.0, 0.0]])
    loss = SoftLabels(teacher)
    assert float(loss(teacher[:2].log(), torch.tensor([0, 1]), penalty=0.0)) == pytest.approx(0.0, abs=1e-6)
    uniform = torch.zeros(2, 3)
    by_hand = 0.5 * np.log(0.5 * 3) + 0.5 * np.log(0.25 * 3) + np.log(3)
    assert float(loss(uniform, torch.tensor([0, 2]), penalty=0.0)) == pytest.approx(by_hand)


def test_soft_labels_go_by_the_row_of_the_teacher_and_add_the_penalty():
    teacher = torch.tensor([[0.5, 0.5], [0.1, 0.9]])
    loss, logits = SoftLabels(teacher), torch.tensor([[0.0, 1.0]])
    first, second = (float(loss(logits, torch.tensor([row]), penalty=0.0)) for row in (0, 1))
    assert first > second
    p = torch.softmax(logits, -1)
    assert float(loss(logits, torch.tensor([0]), penalty=2.0)) == pytest.approx(first + 2 * float((p * p.log()).sum()))


@pytest.mark.parametrize("name", ["epochs", "learning_rate"])
@pytest.mark.parametrize("value", [0, -1, "2", float("nan")])
def test_a_length_of_nothing_is_refused(name, value):
    with pytest.raises(ConfigError, match=rf"^{name}: got {value!r}, expected a number above 0$"):
        Length(**{name: value})
