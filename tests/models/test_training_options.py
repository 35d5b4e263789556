"""Precision, gradient checkpointing, frozen embeddings: what each changes, and what none of them may."""

import numpy as np
import pytest
import torch

from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.errors import ModelError
from uxla.models.heads import ONE_HEAD, Heads
from uxla.models.lm.model import TrainableLM
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask, Tagging
from uxla.models.training.loop import TrainingLoop, fit
from uxla.models.training.objective import Objective
from uxla.models.training.optimiser import prepare
from uxla.models.training.selection import CheckpointChoice
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

LABELS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
PLAIN = TrainingSettings(batch_size=4, accumulation=2, learning_rate=1e-3, lr_warmup=0.2, dropout=0.2)
FREED = PLAIN.model_copy(update={"freeze_embeddings": True})
RECOMPUTED = PLAIN.model_copy(update={"gradient_checkpointing": True})


def corpus(count=24):
    rows = World(0).sentences("source", "train", count)
    examples = (
        Example(f"s{i}", "source", (" ".join(words),), tuple(LABELS.index(tag) for tag in tags))
        for i, (words, tags) in enumerate(rows)
    )
    return Corpus.from_examples("source", LABELS, examples)


MIX = corpus()


def opened(precision="fp32", dropout=0.2):
    names = dict(enumerate(LABELS))
    values = {"id2label": names, "label2id": {name: i for i, name in names.items()}, "dropout": dropout}
    runtime = Runtime("cpu", 64, Budget(2048), precision=precision)
    return TaskModel.open(Tagging(), asset(), asset(), runtime, head_seed=1, **values)


def trained(settings=PLAIN, precision="fp32", checkpoints=None):
    loaded = opened(precision, settings.dropout)
    facts = fit(loaded, MIX, settings, seed=3, label="t", checkpoints=checkpoints)
    return loaded, facts


def weights(loaded):
    return torch.cat([value.flatten() for value in loaded.module.state_dict().values()])


# --- precision -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_lower_precision_trains_to_other_weights_close_by_and_keeps_them_in_float32(precision):
    exact, facts = trained()
    lower, lower_facts = trained(precision=precision)
    assert {value.dtype for value in lower.module.parameters()} == {torch.float32}
    assert not torch.equal(weights(exact), weights(lower))
    assert lower_facts["loss"] == pytest.approx(facts["loss"], rel=0.02)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_lower_precision_labels_nearly_as_float32_does(precision):
    exact, lower = opened().predict(MIX, "t"), opened(precision).predict(MIX, "t")
    assert not np.array_equal(exact.probs, lower.probs)
    assert lower.probs.dtype == np.float32
    assert lower.probs == pytest.approx(exact.probs, abs=0.02)
    assert lower.probs.sum(1) == pytest.approx(np.ones(len(lower.probs)), abs=1e-5)


@pytest.mark.parametrize("task", [Tagging(), SentenceTask(1)], ids=["words", "sentences"])
@pytest.mark.parametrize("heads", [Heads(), Heads(only=1), ONE_HEAD], ids=["all heads", "one of them", "one head"])
def test_in_bf16_rows_that_would_tie_have_logits_of_their_own(task, heads):
    names = {i: f"{label}{i}" for i, label in enumerate(LABELS * (1 if heads is ONE_HEAD else 3))}
    runtime = Runtime("cpu", 64, Budget(2048), precision="bf16")
    loaded = TaskModel.open(task, asset(), asset(), runtime, heads, head_seed=1, id2label=names)
    loaded.module.eval()
    found = loaded.forward(loaded.encode(corpus(150)))
    assert found.dtype == torch.float32
    assert len(found.unique()) > 1.5 * len(found.bfloat16().unique())


def test_in_bf16_the_decoder_of_a_masked_lm_computes_in_bf16():
    lm = TrainableLM.open(asset(), Runtime("cpu", 64, Budget(2048), precision="bf16"), masked=0.15)
    assert lm.logits(lm.rows(corpus(4))[0]).dtype == torch.bfloat16


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("settings", [PLAIN, RECOMPUTED, FREED], ids=["plain", "recomputed", "frozen"])
def test_no_option_changes_which_examples_a_step_has(settings, precision):
    loaded, steps = opened(precision, settings.dropout), []
    own = Objective.of(loaded)
    watched = Objective(lambda rows: steps.append([e.id for e in rows]) or own.rows(rows), own.logits)
    fit(loaded, MIX, settings, seed=3, label="t", objective=watched)
    assert steps == [[f"s{i}" for i in range(start, start + 8)] for start in (0, 8, 16)]


def test_a_step_whose_scaled_gradients_are_infinite_moves_no_weight_and_halves_the_scale():
    loaded = opened("fp16")
    training = TrainingLoop(loaded, PLAIN, 3, "t", CheckpointChoice())
    training.step(MIX.part(0, 8))  # the first step's rate is 0
    before, scale = weights(loaded), training.scaler.get_scale()
    loaded.module.classifier.weight.register_hook(lambda gradient: gradient * torch.inf)
    training.step(MIX.part(8, 16))
    assert torch.equal(weights(loaded), before)
    assert training.scaler.get_scale() == scale / 2


# --- what an interruption costs --------------------------------------------------------------------------------------

OPTIONS = {
    "bf16": (PLAIN, "bf16"),
    "fp16": (PLAIN, "fp16"),
    "recomputed": (RECOMPUTED, "fp32"),
    "frozen": (FREED, "fp32"),
    "all": (
        FREED.model_copy(update={"gradient_checkpointing": True, "selection": "average", "evaluate_every": 1}),
        "fp16",
    ),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_under_every_option_an_interrupted_training_gives_the_same_bytes(killed_after, checkpoints_after, option):
    settings, precision = OPTIONS[option]
    whole, facts = trained(settings, precision)
    with killed_after(2):
        trained(settings, precision, checkpoints_after(1))
    again, facts_again = trained(settings, precision, checkpoints_after(1))
    assert torch.equal(weights(again), weights(whole))
    assert facts_again == facts


def test_the_scale_of_fp16_is_part_of_the_checkpoint(checkpoints_after):
    checkpoints = checkpoints_after(1)
    training = TrainingLoop(opened("fp16"), PLAIN, 3, "t", CheckpointChoice())
    training.scaler.load_state_dict({**training.scaler.state_dict(), "scale": 512.0, "_growth_tracker": 7})
    training.save(checkpoints)
    resumed = TrainingLoop(opened("fp16"), PLAIN, 3, "t", CheckpointChoice())
    resumed.resume(checkpoints)
    assert resumed.scaler.state_dict() == training.scaler.state_dict()
    assert resumed.scaler.get_scale() == 512.0


# --- memory ----------------------------------------------------------------------------------------------------------


def test_gradient_checkpointing_computes_each_layer_twice_and_gives_the_same_weights():
    calls = []

    def counted(settings):
        loaded = opened()
        layer = loaded.module.base_model.encoder.layer[0].attention
        layer.register_forward_hook(lambda *_: calls.append(settings.gradient_checkpointing))
        fit(loaded, MIX, settings, seed=3, label="t")
        return weights(loaded)

    assert torch.equal(counted(PLAIN), counted(RECOMPUTED))
    assert calls.count(True) == 2 * calls.count(False) > 0


def test_an_architecture_without_gradient_checkpointing_is_refused_with_the_remedy():
    module = opened().module
    module.supports_gradient_checkpointing = False
    with pytest.raises(ModelError, match="no gradient checkpointing; set gradient_checkpointing=False"):
        prepare(module, RECOMPUTED)


def test_frozen_embeddings_stay_and_the_rest_moves():
    before, (after, _) = opened().module.state_dict(), trained(FREED.model_copy(update={"weight_decay": 0.1}))
    moved = {name for name, value in after.module.state_dict().items() if not torch.equal(value, before[name])}
    words = {name for name in before if name.endswith("word_embeddings.weight")}
    assert len(words) == 1
    assert not words & moved
    assert {"classifier.weight", next(name for name in before if "position_embeddings" in name)} <= moved


# --- speed that changes nothing --------------------------------------------------------------------------------------


def test_labels_confidence_and_loss_take_one_forward_a_window():
    loaded, windows = opened(), []
    loaded.module.register_forward_hook(
        lambda _, __, inputs, ___: windows.extend(inputs["input_ids"]), with_kwargs=True
    )
    found = loaded.predict(MIX, "t")
    assert len(found.pseudo_labels) == len(found.best) == sum(len(example.words) for example in MIX)
    assert MostConfident(0.5)(found, MIX).sum() == 12
    CleanCluster(0.5)(found, MIX)
    assert len(windows) == len(MIX)


def test_a_loss_looked_at_late_is_told_with_its_own_step_before_any_checkpoint(checkpoints_after):
    loaded = opened()
    own, checkpoints = Objective.of(loaded), checkpoints_after(2)
    lost = Objective(own.rows, lambda windows: own.logits(windows) * (torch.nan if training.done == 1 else 1.0))
    training = TrainingLoop(loaded, PLAIN, 3, "t", CheckpointChoice(), lost)
    training.checked_together = 16
    for start in (0, 8):
        training.step(MIX.part(start, start + 8))
    with pytest.raises(ModelError, match=r"t, step 2: the loss is nan.*examples s8, s9"):
        training.save(checkpoints)
    assert checkpoints.load() is None


def test_losses_looked_at_late_are_the_same():
    facts = []
    for together in (1, 16):
        torch.manual_seed(3)
        training = TrainingLoop(opened(), PLAIN, 3, "t", CheckpointChoice())
        training.checked_together = together
        for start in (0, 8, 16):
            training.step(MIX.part(start, start + 8))
        facts.append(training.finish())
    assert facts[0] == facts[1]
