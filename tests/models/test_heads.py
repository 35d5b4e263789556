"""Three classification layers on one encoder (App. A): taught together, then one at a time."""

from dataclasses import replace

import pytest
import torch

from uxla.models.heads import ONE_HEAD, Heads
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask, Tagging
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example

LABELS = ("O", "B-PER", "I-PER")
SETTINGS = TrainingSettings(batch_size=4, learning_rate=1e-2, weight_decay=0.1, evaluate_every=2)
TEXTS = [
    "a boat with red sails",
    "the old miller",
    "she counted the lamps",
    "una casa",
    "seven boats came",
    "it was dark",
]


def corpus(kind):
    if kind == "tagging":
        rows = [(text, tuple(i % 3 for i in range(len(text.split())))) for text in TEXTS]
    else:
        rows = [(text, (i % 3,)) for i, text in enumerate(TEXTS)]
    return Corpus.from_examples(
        "mix", LABELS, [Example(str(i), "", (text,), tags) for i, (text, tags) in enumerate(rows)]
    )


TASKS = {"tagging": Tagging(), "sentence": SentenceTask(1)}


@pytest.fixture(params=[("metaspace", "tagging"), ("metaspace", "sentence"), ("wordpiece", "sentence")], ids="-".join)
def case(request, folder_of):
    """The folder of a tiny encoder, a task, and labelled examples of it."""
    model, kind = request.param
    return folder_of(model), TASKS[kind], corpus(kind)


def opened(task, heads, folder, tokenizer=None, **values):
    return TaskModel.open(task, folder, tokenizer or folder, Runtime("cpu", 64, Budget(512)), heads, **values)


def begun(task, heads, folder):
    names = heads.columns(LABELS)
    values = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    return opened(task, heads, folder, head_seed=1, dropout=0.1, **values)


def state(loaded):
    return {name: value.clone() for name, value in loaded.module.state_dict().items()}


def layer(weights):
    """The classification layer by head: (H, C, …) of its weight and its bias."""
    [*_, weight, bias] = [value for name, value in weights.items() if "classifier" in name]
    return weight.view(3, len(LABELS), -1), bias.view(3, len(LABELS))


def test_the_heads_are_disjoint_columns_that_begin_differently(case):
    folder, task, mix = case
    loaded = begun(task, Heads(), folder)
    loaded.module.eval()
    windows = loaded.encode(mix)
    with torch.inference_mode():
        together = loaded.forward(windows)
        alone = [replace(loaded, heads=Heads(only=head)).forward(windows) for head in range(3)]
    assert together.shape[1:] == (3, len(LABELS))
    assert torch.equal(together, torch.stack(alone, 1))
    weight, _ = layer(state(loaded))
    assert not any(torch.equal(weight[a], weight[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_teaching_one_head_leaves_the_others_and_moves_the_encoder(case):
    folder, task, mix = case
    loaded = begun(task, Heads(only=1), folder)
    before = state(loaded)
    fit(loaded, mix, SETTINGS, seed=1, label="t")
    after = state(loaded)
    for old, new in zip(layer(before), layer(after), strict=True):
        assert [torch.equal(a, b) for a, b in zip(old, new, strict=True)] == [True, False, True]
    encoder = [name for name in before if "layer.0.output.dense.weight" in name]
    assert encoder
    assert not torch.equal(before[encoder[0]], after[encoder[0]])


def test_teaching_all_heads_moves_all_and_each_has_predictions_of_its_own(case, tmp_path):
    folder, task, mix = case
    loaded = begun(task, Heads(), folder)
    before = layer(state(loaded))[0]
    facts = fit(loaded, mix, SETTINGS, seed=1, label="t", dev=mix)
    assert not any(torch.equal(a, b) for a, b in zip(before, layer(state(loaded))[0], strict=True))
    assert facts["loss"] > 0
    loaded.module.save_pretrained(tmp_path)
    tables = [opened(task, Heads(only=head), tmp_path, folder).predict(mix, "t") for head in range(3)]
    assert tables[0].probs.shape == (task.rows(mix).sum(), len(LABELS))
    assert not (tables[0].probs == tables[1].probs).all()


def test_selection_looks_at_the_mean_score_of_the_heads(case):
    folder, task, mix = case
    loaded = begun(task, Heads(), folder)
    settings = TrainingSettings(batch_size=4, learning_rate=1e-2, evaluate_every=2, selection="source_dev")
    facts = fit(loaded, mix, settings, seed=1, label="t", dev=mix)
    tables = [replace(loaded, heads=Heads(only=head)).predict(mix, "t") for head in range(3)]
    scores = [next(iter(task.score(mix, found).values())) for found in tables]
    assert facts["dev"] == pytest.approx(sum(scores) / 3)


@pytest.mark.parametrize("only", [None, 0])
def test_a_single_head_is_the_plain_task_bit_for_bit(case, only):
    folder, task, mix = case
    plain, single = begun(task, ONE_HEAD, folder), begun(task, Heads(of=1, only=only), folder)
    settings = TrainingSettings(batch_size=4, learning_rate=1e-2, weight_decay=0.1, penalty=0.5)
    assert fit(plain, mix, settings, seed=1, label="t") == fit(single, mix, settings, seed=1, label="t")
    expected, found = state(plain), state(single)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_the_columns_are_named_by_label_and_head():
    assert ONE_HEAD.columns(LABELS) == LABELS
    assert Heads(of=2).columns(("O", "B-X")) == (
        "O (head 1)",
        "B-X (head 1)",
        "O (head 2)",
        "B-X (head 2)",
    )
