"""Of a large table the optimiser has only the rows that were looked up; the training is the same."""

import pytest
import torch
from torch.nn import Embedding
from transformers import AutoConfig, AutoModelForTokenClassification

from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.embeddings import LookedUpRows
from uxla.models.training.loop import TrainingLoop, fit
from uxla.models.training.selection import CheckpointChoice
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

LABELS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
SETTINGS = TrainingSettings(
    batch_size=4, accumulation=2, learning_rate=1e-3, lr_warmup=0.2, dropout=0.2, weight_decay=0.0, max_grad_norm=1e9
)
PIECES = 70_000
"""So many rows that the table is large."""


def corpus(count, split="train"):
    examples = [
        Example(f"s{i}", "source", (" ".join(words),), tuple(LABELS.index(tag) for tag in tags))
        for i, (words, tags) in enumerate(World(0).sentences("source", split, count))
    ]
    return Corpus.from_examples("source", LABELS, examples)


MIX, DEV = corpus(48), corpus(10, "dev")


def opened(pieces=None, precision="fp32"):
    runtime = Runtime("cpu", 64, Budget(128), precision=precision)
    values = {"id2label": dict(enumerate(LABELS)), "dropout": 0.2}
    loaded = TaskModel.open(Tagging(), asset(), asset(), runtime, head_seed=1, **values)
    if pieces is not None:
        torch.manual_seed(0)
        loaded.module.resize_token_embeddings(pieces, mean_resizing=False)
    return loaded


def trained(loaded, settings=SETTINGS, checkpoints=None):
    dev = DEV if settings.selection == "source_dev" else None
    facts = fit(loaded, MIX, settings, seed=3, label="t", dev=dev, checkpoints=checkpoints)
    return loaded.module.state_dict(), facts


WORDS = "roberta.embeddings.word_embeddings.weight"


def compared(settings, precision="fp32"):
    """The weights of a training whose table is an ordinary parameter, and of one whose table is large, where they have
    the same rows; the rows of the second that nothing looked up; and the facts of both."""
    whole, facts = trained(opened(precision=precision), settings)
    rows, own_facts = trained(opened(PIECES, precision), settings)
    count = len(whole[WORDS])
    rest = rows[WORDS][count:]
    return whole, rows | {WORDS: rows[WORDS][:count]}, rest, facts, own_facts


@pytest.mark.parametrize(
    ("selection", "precision"), [("last", "fp32"), ("average", "fp32"), ("source_dev", "fp32"), ("last", "fp16")]
)
def test_without_decay_and_clipping_every_byte_is_the_same(selection, precision):
    settings = SETTINGS.model_copy(update={"selection": selection, "evaluate_every": 2})
    whole, rows, rest, facts, own_facts = compared(settings, precision)
    assert own_facts == facts
    assert all(torch.equal(whole[name], rows[name]) for name in whole)
    assert torch.allclose(
        rest, opened(PIECES).module.state_dict()[WORDS][-len(rest) :], rtol=1e-6
    )  # an average of equals


def test_with_decay_and_clipping_the_difference_is_rounding():
    settings = SETTINGS.model_copy(update={"weight_decay": 0.1, "max_grad_norm": 1.0, "evaluate_every": 2})
    whole, rows, rest, facts, own_facts = compared(settings)
    assert own_facts["loss"] == pytest.approx(facts["loss"], abs=1e-5)
    for name in whole:
        assert torch.allclose(whole[name], rows[name], rtol=0, atol=2e-5)
    left = 1.0
    for step in range(6):
        left *= 1 - 0.1 * settings.rate(step, 6)
    assert torch.allclose(rest, left * opened(PIECES).module.state_dict()[WORDS][-len(rest) :], rtol=1e-6)


def test_the_optimiser_has_a_row_for_each_piece_that_was_looked_up():
    loaded = opened(PIECES)
    training = TrainingLoop(loaded, SETTINGS, 6, "t", CheckpointChoice())
    [table], seen, sizes = training.tables, set(), []
    for start in range(0, 48, 8):
        examples = MIX.part(start, start + 8)
        training.step(examples)
        seen |= set(loaded.encode(examples).ids.values.tolist())
        sizes.append(len(table.rows))
    assert set(table.place.nonzero()[0].tolist()) == seen | {loaded.tokenizer.pad}
    assert sizes[0] < sizes[-1] < 2 * (len(seen) + 2)
    assert all(state["exp_avg"].shape == weight.shape for weight, state in training.optimiser.state.items())
    assert sum(weight.numel() for weight in training.optimiser.state) < PIECES * 64 / 2


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_an_interrupted_training_gives_the_same_bytes(killed_after, checkpoints_after, steps):
    settings = SETTINGS.model_copy(update={"weight_decay": 0.1, "max_grad_norm": 1.0, "evaluate_every": 2})
    whole, facts = trained(opened(PIECES), settings)
    with killed_after(steps):
        trained(opened(PIECES), settings, checkpoints_after(1))
    again, facts_again = trained(opened(PIECES), settings, checkpoints_after(1))
    assert facts_again == facts
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_behind_a_training_the_table_is_an_ordinary_one_again():
    loaded = opened(PIECES)
    first, _ = trained(loaded)
    table = loaded.module.get_input_embeddings()
    assert table.weight.requires_grad
    assert torch.equal(table(torch.tensor([5])), first[WORDS][5:6])


def test_small_tables_and_frozen_ones_are_left_as_they_are():
    module = opened().module
    assert LookedUpRows.of(module) == []
    module.get_input_embeddings().weight.requires_grad_(False)
    assert LookedUpRows.of(module, large=1) == []


def test_no_other_table_is_taken_for_that_of_the_pieces():
    """A table of 8,194 positions of width 1,024 is large too."""
    module = opened().module
    [rows] = LookedUpRows.of(module, large=1)
    assert rows.table is module.get_input_embeddings()


@pytest.mark.parametrize("kind", ["t5", "mt5", "umt5"])
def test_a_table_that_a_second_module_looks_up_is_left_as_it_is(kind):
    """T5's encoder reads the table through a module of its own."""
    sizes = {"vocab_size": 300, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2}
    module = AutoModelForTokenClassification.from_config(AutoConfig.for_model(kind, **sizes))
    table = module.get_input_embeddings()
    hooked = []
    table.register_forward_hook(lambda *_: hooked.append(1))
    module(input_ids=torch.tensor([[5, 6, 7]]))
    assert (hooked, LookedUpRows.of(module, large=1)) == ([], [])


def test_where_memory_runs_out_the_optimiser_has_lost_nothing(monkeypatch):
    [rows] = LookedUpRows.of(opened().module, large=1)
    optimiser = torch.optim.AdamW([rows.rows])
    rows.begin([3], optimiser)
    rows.step.grad = torch.ones_like(rows.step)
    rows.end()
    optimiser.step()
    before = {name: value.clone() for name, value in optimiser.state[rows.rows].items()}
    calls = []

    def full_for_the_second(tensor, *size):
        calls.append(size)
        if len(calls) == 2:
            raise torch.OutOfMemoryError
        return tensor.new_empty(*size).zero_()

    monkeypatch.setattr(torch.Tensor, "new_zeros", full_for_the_second)
    with pytest.raises(torch.OutOfMemoryError):
        rows.begin(range(40), optimiser)
    assert all(torch.equal(optimiser.state[rows.rows][name], value) for name, value in before.items())


def test_padding_has_no_gradient_and_repeated_pieces_sum_theirs():
    table = Embedding(9, 4, padding_idx=1)
    expected = Embedding(9, 4, padding_idx=1)
    rows = LookedUpRows(table)
    optimiser = torch.optim.AdamW([rows.rows])
    rows.begin([3, 5, 8, 0], optimiser)
    for ids in (torch.tensor([[3, 3, 1], [5, 1, 1]]), torch.tensor([[3, 8, 0]])):
        for module in (table, expected):
            torch.autograd.backward((module(ids) * torch.arange(1.0, 4.0)[:, None]).sum())
    rows.end()
    assert table.weight.grad is None
    assert torch.equal(rows.rows.grad[rows.place], expected.weight.grad)
    assert expected.weight.grad[:, 0].tolist() == [3, 0, 0, 1 + 2 + 1, 0, 1, 0, 0, 2]


def test_a_gpu_that_must_be_deterministic_refuses_none_of_its_operations(only_deterministic):
    with only_deterministic():
        trained(opened(PIECES), SETTINGS.model_copy(update={"evaluate_every": 2}))
