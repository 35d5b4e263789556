"""Several ranks take the steps that one takes; here they are threads of one process, without torch.distributed."""

import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from uxla import signals
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import TrainingLoop
from uxla.models.training.ranks import ALONE, Ranks
from uxla.models.training.selection import CheckpointChoice
from uxla.models.training.settings import TrainingSettings
from uxla.records import IGNORED, Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

LABELS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
SETTINGS = TrainingSettings(batch_size=4, learning_rate=1e-3, lr_warmup=0.2, dropout=0.0, weight_decay=0.1)
PIECES = 70_000
"""So many rows that the table of embeddings is large."""


def corpus(count):
    examples = [
        Example(f"s{i}", "source", (" ".join(words),), tuple(LABELS.index(tag) for tag in tags))
        for i, (words, tags) in enumerate(World(0).sentences("source", "train", count))
    ]
    return Corpus.from_examples("source", LABELS, examples)


MIX = corpus(17)
"""Five steps, the last of one sentence."""


@dataclass
class Board:
    count: int
    values: dict[int, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self):
        self.barrier = threading.Barrier(self.count, timeout=60)


@dataclass(frozen=True)
class Threads(Ranks):
    board: Board | None = None

    def _sum(self, tensor):
        self.board.values[self.rank] = tensor.clone()
        self.board.barrier.wait()
        total = sum(self.board.values[rank] for rank in range(self.count))
        self.board.barrier.wait()
        tensor.copy_(total)


@dataclass(frozen=True)
class Beside(Ranks):
    """A rank beside one that has heard of so many signals."""

    signals: int = 0

    def _sum(self, tensor):
        tensor.add_(self.signals)


def test_a_signal_that_another_rank_has_heard_ends_this_one_too():
    with signals.handling(), signals.postponed():
        assert not Beside(0, 2, signals=0).ends()
        assert not signals.pending()
    with pytest.raises(signals.Terminated), signals.handling(), signals.postponed():
        assert Beside(0, 2, signals=1).ends()
        assert signals.pending()


def training(pieces, ranks, precision):
    values = {"id2label": dict(enumerate(LABELS)), "dropout": 0.0}
    runtime = Runtime("cpu", 64, Budget(128), precision=precision)
    loaded = TaskModel.open(Tagging(), asset(), asset(), runtime, head_seed=1, **values)
    if pieces is not None:
        torch.manual_seed(0)
        loaded.module.resize_token_embeddings(pieces, mean_resizing=False)
    return TrainingLoop(loaded, SETTINGS, 5, "t", CheckpointChoice(), ranks=ranks)


def after_all_steps(loop):
    for first in range(0, len(MIX), 4):
        loop.step(MIX.part(first, first + 4))
    facts = loop.finish()
    return loop.losses, loop.model.module.state_dict(), facts


def flat(state):
    return torch.cat([value.flatten() for value in state.values()])


@pytest.mark.parametrize(
    ("count", "pieces", "precision"), [(2, None, "fp32"), (3, PIECES, "fp32"), (2, PIECES, "fp16")]
)
def test_several_ranks_take_the_steps_of_one(count, pieces, precision):
    losses, weights, facts = after_all_steps(training(pieces, ALONE, precision))
    board, loops, found = Board(count), [], {}
    for rank in range(count):
        loops.append(training(pieces, Threads(rank, count, board), precision))
    threads = [
        threading.Thread(target=lambda rank=rank: found.update({rank: after_all_steps(loops[rank])}))
        for rank in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rank in range(1, count):
        assert found[rank][0] == found[0][0]
        assert all(torch.equal(found[rank][1][name], value) for name, value in found[0][1].items())
    if precision == "fp32":
        assert found[0][0] == pytest.approx(losses, rel=1e-5)
        start = flat(training(pieces, ALONE, precision).model.module.state_dict())
        moved, apart = flat(weights) - start, flat(weights) - flat(found[0][1])
        assert apart.norm() < 2e-3 * moved.norm(), "AdamW's first steps are signs of gradients, also of those near zero"
    assert found[0][2]["cut"] == facts["cut"]


def test_each_window_of_a_step_is_read_by_one_rank_and_long_ones_are_dealt_out():
    loaded = training(None, ALONE, "fp32").model
    windows = loaded.encode(MIX)
    windows = windows.take(np.argsort(windows.lengths, kind="stable"))
    labels = np.concatenate([example.labels for example in MIX])
    parts = [Ranks(rank, 3).part(windows, labels)[0] for rank in range(3)]
    assert sorted(np.concatenate([part.rows for part in parts]).tolist()) == list(range(len(labels)))
    assert max(part.lengths.max() for part in parts) == windows.lengths[-1]
    assert min(part.lengths.max() for part in parts) >= windows.lengths[-3]
    assert Ranks().part(windows, labels) == (windows, labels)


def test_a_rank_for_which_no_window_is_left_teaches_nothing():
    loaded = training(None, ALONE, "fp32").model
    windows = loaded.encode(MIX.part(0, 2))
    labels = np.zeros(sum(len(example.labels) for example in MIX.part(0, 2)), dtype=np.int64)
    part, hidden = Ranks(2, 3).part(windows, labels)
    assert len(part) == 1
    assert set(hidden.tolist()) == {IGNORED}


def test_tensors_of_several_types_and_sizes_are_summed_in_their_places(monkeypatch):
    monkeypatch.setattr("uxla.models.training.ranks._TOGETHER", 10)
    sizes, doubled = [], Threads(0, 2)

    def twice(self, tensor):
        sizes.append(tensor.numel())
        tensor.mul_(2)

    monkeypatch.setattr(Threads, "_sum", twice)
    tensors = [
        torch.tensor(1.5, dtype=torch.float64),
        torch.arange(6.0).view(2, 3),
        torch.arange(4.0),
        torch.ones(3),
        torch.ones(30),
    ]
    expected = [2 * tensor for tensor in tensors]
    doubled.add_up(tensors)
    assert sizes == [1, 10, 3, 30]
    assert all(torch.equal(tensor, value) for tensor, value in zip(tensors, expected, strict=True))


def test_a_rank_has_zeros_for_a_gradient_that_another_one_has_alone():
    one, other, neither = (torch.zeros(2, requires_grad=True) for _ in range(3))
    one.grad = torch.ones(2)

    class WithOther(Ranks):
        def _sum(self, tensor):
            tensor.add_(torch.tensor([0.0, 1.0, 0.0]))

    found = WithOther(0, 2).gradients([one, other, neither])
    assert [gradient.tolist() for gradient in found] == [[1.0, 1.0], [0.0, 0.0]]
    assert neither.grad is None
