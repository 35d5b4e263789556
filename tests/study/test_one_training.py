"""A training that two processes share: the steps of one, whatever ends one of the two."""

import os
import signal
from dataclasses import replace
from itertools import count

import pytest
import torch
from safetensors.torch import load_file

from uxla import progress
from uxla.errors import ModelError
from uxla.executors.devices import on_devices
from uxla.executors.executor import executing
from uxla.models.hub import resolve
from uxla.models.runtime import Runtime
from uxla.models.tasks import TASKS
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example
from uxla.store.store import Store
from uxla.study.labelling import Labelling
from uxla.study.remembered import fitted
from uxla.testbed import asset
from uxla.testbed.pairs import NLI
from uxla.testbed.world import World

TAGS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
SETTINGS = TrainingSettings(batch_size=8, learning_rate=1e-3, lr_warmup=0.2, dropout=0.0, evaluate_every=3)


def sentences(split, size):
    rows = enumerate(World(0).sentences("source", split, size))
    examples = [Example(str(i), "en", (" ".join(words),), tuple(map(TAGS.index, tags))) for i, (words, tags) in rows]
    return Corpus.from_examples("en", TAGS, examples)


def pairs(split, size):
    rows = enumerate(World(0).examples("source", "nli", split, size))
    examples = [Example(str(i), "en", texts, (NLI.index(label),)) for i, (texts, label) in rows]
    return Corpus.from_examples("en", NLI, examples)


MIX = sentences("train", 57)
"""Eight steps, the last of one sentence."""
LONG = sentences("train", 800)
"""100 steps, which go on where a busy machine hears of the third one late."""


@pytest.fixture
def two():
    """Two processes."""
    with on_devices(["cpu", "cpu"]) as made, executing(made):
        yield made


def trained(store, *, devices, settings=SETTINGS, task="ner", mix=MIX, dev=None, minutes=10.0, on_step=None):
    """The weights of a training, the loss of each of its steps, and its figures."""
    labelling = Labelling(task, TASKS[task](), resolve(str(asset())), Runtime("cpu", 64), store)
    labelling = replace(labelling, devices_per_training=devices)
    learner = replace(labelling.learner(settings, "t"), dev=dev, checkpoint_minutes=minutes)
    losses, steps = [], count(1)

    def measured(label, values):
        losses.append(values["loss"])
        if on_step is not None:
            on_step(next(steps))

    with progress.measuring(measured):
        [model] = labelling.trainings(fitted, [(learner, labelling.backbone, mix, 5)])
    weights = torch.cat([value.flatten() for value in load_file(model.path / "model.safetensors").values()])
    return weights, losses, store.facts(model.path)


def test_two_devices_give_the_losses_and_the_weights_of_one(two, tmp_path):
    cases = [
        ({"task": "ner"}, SETTINGS),
        ({"task": "ner", "dev": sentences("dev", 12)}, SETTINGS.model_copy(update={"selection": "source_dev"})),
        ({"task": "nli", "mix": pairs("train", 40)}, SETTINGS.model_copy(update={"selection": "average"})),
    ]
    for number, (given, settings) in enumerate(cases):
        weights, losses, facts = trained(Store(tmp_path / "1"), devices=1, settings=settings, **given)
        shared, losses_of_two, facts_of_two = trained(Store(tmp_path / "2"), devices=2, settings=settings, **given)
        still, *_ = trained(Store(tmp_path / f"{number}"), devices=1, settings=nothing_learned(settings), **given)
        assert len(losses) >= 5
        assert losses_of_two == pytest.approx(losses, rel=1e-5)
        assert (shared - weights).norm() < 3e-3 * (weights - still).norm()
        assert figures(facts_of_two) == pytest.approx(figures(facts), rel=1e-5)


def figures(facts):
    return {name: value for name, value in facts.items() if name not in ("weights", "hashed")}


def nothing_learned(settings):
    return settings.model_copy(update={"learning_rate": 1e-30, "weight_decay": 0.0, "selection": "last"})


def test_what_several_devices_make_is_kept_apart_from_what_one_makes(two, tmp_path):
    store, quick = Store(tmp_path), SETTINGS.model_copy(update={"batch_size": 57})
    trained(store, devices=1, settings=quick)
    trained(store, devices=2, settings=quick)
    assert len(list(tmp_path.glob("fit/*"))) == 2


@pytest.mark.parametrize(
    ("rank", "number"), [(0, signal.SIGKILL), (1, signal.SIGKILL), (1, signal.SIGTERM)], ids=["0", "1", "told"]
)
def test_where_a_rank_is_ended_all_end_and_go_on_from_the_checkpoint(two, tmp_path, hearing, rank, number):
    """Dropout draws the same numbers as without the interruption. Where a rank is told, rank 0 saves first."""
    settings = SETTINGS.model_copy(update={"dropout": 0.2})
    whole, losses, _ = trained(Store(tmp_path / "whole"), devices=2, settings=settings, mix=LONG)

    def end(step):
        if step == 3:
            [worker] = [one for one in two._workers._workers if one.leads is (rank == 0)]
            os.kill(worker.pid, number)

    given = {"settings": settings, "mix": LONG, "minutes": 10.0 if number == signal.SIGTERM else 1e-9, "on_step": end}
    with hearing() as lines:
        again, losses_again, _ = trained(Store(tmp_path / "ended"), devices=2, **given)
    assert torch.equal(whole, again)
    assert losses_again[-2:] == losses[-2:]
    assert lines[0] == "a process for cpu died (killed, or out of memory); its work is done again"
    assert lines[1].startswith("resuming t at step ")


def test_a_signal_to_the_command_ends_all_ranks_after_one_step_and_nothing_is_lost(tmp_path, hearing):
    store = Store(tmp_path)

    def interrupt(step):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), on_devices(["cpu", "cpu"]) as devices, executing(devices):
        trained(store, devices=2, mix=LONG, on_step=interrupt)
    with hearing() as lines, on_devices(["cpu", "cpu"]) as devices, executing(devices):
        again, *_ = trained(store, devices=2, mix=LONG)
        whole, *_ = trained(Store(tmp_path / "whole"), devices=2, mix=LONG)
    assert torch.equal(whole, again)
    assert lines[0].startswith("resuming t at step ")


def test_a_loss_that_is_no_number_ends_all_ranks_with_one_line_and_others_can_train(two, tmp_path):
    wild = SETTINGS.model_copy(update={"learning_rate": 1e30, "max_grad_norm": 1e30})
    with pytest.raises(ModelError, match=r"^t, step \d: the loss is nan, expected a number"):
        trained(Store(tmp_path), devices=2, settings=wild)
    assert trained(Store(tmp_path), devices=2)[2]["steps"] == 8
