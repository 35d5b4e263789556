"""What is said of half precision on a CPU."""

import time

import pytest
import torch

from uxla.models.gen_lm.half_precision import cast_on_cpu


class Head:
    """A head that works for some CPU seconds, by the type of its model's weights."""

    candidates = torch.tensor([3, 4])

    def __init__(self, model: torch.nn.Module, seconds: dict[torch.dtype, float]) -> None:
        self.model, self.seconds, self.shapes = model, seconds, []

    def __call__(self, ids: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(ids.shape))
        until = time.process_time() + self.seconds[self.model.weight.dtype]
        while time.process_time() < until:
            pass
        return torch.zeros(len(ids), 2)

    def best(self, features: torch.Tensor, top: int) -> torch.Tensor:
        return features.topk(top)


@pytest.mark.parametrize(("exact", "half", "told"), [(0.001, 0.02, True), (0.02, 0.001, False)])
def test_half_precision_is_doubted_where_it_is_slower(hearing, exact, half, told):
    model = torch.nn.Linear(2, 2)
    head = Head(model, {torch.float32: exact, torch.bfloat16: half})
    with hearing() as lines:
        cast_on_cpu(model, "a/model", "bf16", lambda: head, 19)
    assert model.weight.dtype == torch.bfloat16
    assert max(length for _, length in head.shapes) == 19
    assert [line.split(" is ")[0] for line in lines] == ["a/model: Gen-LM in bf16"] * told
    assert all(
        line.endswith("times slower than in fp32 on this CPU, and less exact; set precision='fp32'") for line in lines
    )


def test_a_clock_that_does_not_move_tells_nothing(hearing, monkeypatch):
    model = torch.nn.Linear(2, 2)
    head = Head(model, {torch.float32: 0.0, torch.bfloat16: 0.0})
    ticks = iter([1.0] * 9 + [2.0, 3.0, 4.0] * 9)  # three calls a pass, three passes; then a tick a call
    monkeypatch.setattr(time, "process_time", lambda: next(ticks))
    with hearing() as lines:
        cast_on_cpu(model, "a/model", "bf16", lambda: head, 19)
    assert (model.weight.dtype, lines) == (torch.bfloat16, [])
