"""A training that was interrupted goes on to the same weights; what is damaged is not trusted."""

import math
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
import torch
from transformers import PreTrainedModel

from uxla import signals
from uxla.errors import ModelError, WriteError
from uxla.models import memory
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.checkpoint import Checkpoints, on_host
from uxla.models.training.loop import fit
from uxla.models.training.objective import Objective
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

LABELS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
SETTINGS = TrainingSettings(batch_size=4, learning_rate=1e-3, lr_warmup=0.2, evaluate_every=2)


def corpus(count, split="train"):
    examples = [
        Example(f"s{i}", "source", (" ".join(words),), tuple(LABELS.index(tag) for tag in tags))
        for i, (words, tags) in enumerate(World(0).sentences("source", split, count))
    ]
    return Corpus.from_examples("source", LABELS, examples)


MIX, DEV = corpus(28), corpus(6, "dev")


def opened(budget=None):
    names = dict(enumerate(LABELS))
    values = {"id2label": names, "label2id": {name: i for i, name in names.items()}, "dropout": 0.2}
    return TaskModel.open(
        Tagging(), asset(), asset(), Runtime("cpu", 64, budget or Budget(2048)), head_seed=1, **values
    )


def weights(loaded):
    return torch.cat([p.detach().flatten() for p in loaded.module.state_dict().values()])


def trained(checkpoints=None, settings=SETTINGS):
    loaded = opened()
    dev = DEV if settings.selection == "source_dev" else None
    facts = fit(loaded, MIX, settings, seed=3, label="t", dev=dev, checkpoints=checkpoints)
    return weights(loaded), facts


@pytest.mark.parametrize("selection", ["last", "source_dev", "average"])
@pytest.mark.parametrize("steps", [1, 3, 6])
def test_an_interrupted_training_gives_the_same_weights_and_facts(killed_after, checkpoints_after, selection, steps):
    settings = SETTINGS.model_copy(update={"selection": selection})
    whole, facts = trained(settings=settings)
    checkpoints = checkpoints_after(2)
    with killed_after(steps):
        trained(checkpoints, settings)
    again, facts_again = trained(checkpoints, settings)
    assert torch.equal(whole, again)
    assert facts == facts_again


def test_no_more_than_n_steps_are_done_twice(killed_after, steps_of, checkpoints_after):
    checkpoints = checkpoints_after(2)
    with killed_after(5):
        trained(checkpoints)
    with steps_of() as done:
        trained(checkpoints)
    assert done == [0, 4, 5, 6, 7]


def test_there_is_one_checkpoint_at_a_time_and_nothing_unfinished(killed_after, tmp_path, checkpoints_after):
    with killed_after(6):
        trained(checkpoints_after(1))
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.safetensors"]


def test_the_last_step_has_no_checkpoint(tmp_path, checkpoints_after):
    assert trained(checkpoints_after(7))[1]["steps"] == 7
    assert not list(tmp_path.iterdir())


def test_a_training_shorter_than_ten_minutes_has_no_checkpoint(killed_after, tmp_path):
    with killed_after(6):
        trained(Checkpoints(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_is_of_when_it_was_saved_and_is_written_behind_the_trainings_back(tmp_path):
    free, weight = threading.Event(), torch.zeros(3)
    with ThreadPoolExecutor(1) as writer:
        checkpoints = Checkpoints(tmp_path, _writer=writer)
        writer.submit(free.wait)  # a slow disk
        checkpoints.save(on_host({"weight": weight}), {"done": 1})
        weight += 1
        assert not list(tmp_path.iterdir())
        free.set()
        tensors, facts = checkpoints.load()
    assert (tensors["weight"].tolist(), facts) == ([0, 0, 0], {"done": 1})


def test_while_one_is_written_the_one_before_stays(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"weight": torch.zeros(3)}, {"done": 1})
    checkpoints.wait()
    left = tmp_path / ".checkpoint.safetensors.01234567.unfinished"  # what a kill leaves
    left.write_bytes(b"a part")
    os.utime(left, (0, 0))
    assert checkpoints.load()[1] == {"done": 1}
    checkpoints.save({"weight": torch.ones(3)}, {"done": 2})
    assert checkpoints.load()[1] == {"done": 2}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_checkpoint_that_cannot_be_written_ends_the_training_with_the_place(tmp_path):
    gone = tmp_path / "gone"
    with pytest.raises(WriteError, match=r"checkpoint\.safetensors.*no such folder"):
        trained(Checkpoints(gone, minutes=1e-9))


@pytest.mark.parametrize("damage", ["header", "short", "empty"])
def test_a_damaged_checkpoint_is_not_trusted(killed_after, tmp_path, damage, checkpoints_after):
    whole, _ = trained()
    checkpoints = checkpoints_after(2)
    with killed_after(3):
        trained(checkpoints)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes({"header": content[:9] + b"?" + content[10:], "short": content[:-5], "empty": b""}[damage])
    assert torch.equal(trained(checkpoints)[0], whole)


def test_a_training_begun_on_another_kind_of_device_starts_over_and_says_so(killed_after, checkpoints_after, hearing):
    whole, facts = trained()
    checkpoints = checkpoints_after(2)
    with killed_after(3):
        trained(checkpoints)
    tensors, told = checkpoints.load()
    assert told["device"] == "cpu"
    checkpoints.save(tensors, told | {"device": "cuda"})
    with hearing() as notes:
        again, facts_again = trained(checkpoints)
    assert notes == ["t starts over: it began on cuda and is now on cpu, where dropout draws other numbers"]
    assert torch.equal(again, whole)
    assert facts_again == facts


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, signals.Terminated),
        (signal.SIGUSR1, signals.Terminated),
        (signal.SIGUSR2, signals.Terminated),
    ],
)
def test_a_signal_ends_the_training_behind_a_checkpoint_of_its_last_step(steps_of, tmp_path, number, raised):
    whole, _ = trained()
    checkpoints = Checkpoints(tmp_path)

    def then(step):
        if step == 4:
            os.kill(os.getpid(), number)

    with signals.handling(), pytest.raises(raised), steps_of(then) as done:
        trained(checkpoints)
    assert done == [0, 0, 1, 2, 3, 4]
    assert checkpoints.load()[1]["done"] == 4
    assert torch.equal(trained(checkpoints)[0], whole)


def test_a_training_in_a_thread_that_a_signal_cuts_short_does_not_pass_for_a_finished_one(steps_of, monkeypatch):
    found = []

    def then(step):
        if step == 4:  # the main thread is in a block that postpones it
            monkeypatch.setattr(signals._State, "waiting", signal.SIGINT)

    def work():
        try:
            found.append(trained())
        except BaseException as error:
            found.append(error)

    with steps_of(then) as done:
        thread = threading.Thread(target=copy_context().run, args=(work,))
        thread.start()
        thread.join()
    assert done == [0, 1, 2, 3, 4]
    assert isinstance(found[0], signals.Terminated)


def test_a_loss_that_is_no_number_is_told_with_its_place_and_the_last_good_checkpoint_stays(checkpoints_after):
    checkpoints, loaded, steps = checkpoints_after(2), opened(), []
    own = Objective.of(loaded)
    lost = Objective(
        lambda examples: steps.append(1) or own.rows(examples),
        lambda windows: own.logits(windows) * (math.nan if len(steps) == 5 else 1.0),
    )
    with pytest.raises(
        ModelError, match=r"t, step 5: the loss is nan.*learning rate 0\.0005.*examples s16, s17, s18, s19"
    ):
        fit(loaded, MIX, SETTINGS, seed=3, label="t", checkpoints=checkpoints, objective=lost)
    assert checkpoints.load()[1]["done"] == 4


# --- memory ------------------------------------------------------------------------------------------------------


def small_memory(loaded, most):
    """A device on which a forward of more than `most` padded pieces fails."""

    def forward(_module, _, inputs):
        if inputs["input_ids"].numel() > most:
            raise torch.OutOfMemoryError("CUDA out of memory")

    loaded.module.register_forward_pre_hook(forward, with_kwargs=True)
    return loaded


def test_out_of_memory_halves_the_budget_until_it_fits_says_so_and_goes_on(hearing):
    loaded = small_memory(opened(Budget(128)), most=32)
    with hearing() as told:
        fit(loaded, MIX, SETTINGS.model_copy(update={"dropout": 0.0}), seed=3, label="warm-up", dev=None)
        loaded.predict(DEV, "label")
    assert loaded.budget.tokens == 32
    assert told == [f"warm-up, step 1: out of memory; continuing with tokens_per_batch={n}" for n in (64, 32)]


def test_a_step_done_again_with_half_the_memory_counts_no_gradient_twice(monkeypatch):
    clipped = []
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda weights, _: clipped.append(gradient(weights)))
    settings = SETTINGS.model_copy(update={"dropout": 0.0})
    for budget, most in ((4096, 4096), (80, 40)):
        loaded = small_memory(opened(Budget(budget)), most)
        loaded.module.eval()
        loaded.module.train = lambda: None
        fit(loaded, corpus(4), settings, seed=3, label="t")
    assert torch.allclose(*clipped, atol=1e-6)


def gradient(parameters):
    return torch.cat([parameter.grad.flatten().clone() for parameter in parameters])


def test_out_of_memory_ends_with_the_remedy_when_the_budget_was_halved_five_times():
    with pytest.raises(
        ModelError, match=r"step 1: out of memory with 2 pieces a forward pass; lower max_length, set gradient_check"
    ):
        fit(small_memory(opened(Budget(64)), most=1), MIX, SETTINGS, seed=3, label="t")


def test_only_a_lack_of_memory_is_tried_again():
    def broken(tokens):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        memory.Budget(8).fit(broken, "t")
    tried = []

    def starved(tokens):
        tried.append(tokens)
        if len(tried) == 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return "done"

    assert memory.Budget(8).fit(starved, "t") == "done"
    assert tried == [8, 4]


CUBLAS = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
ENDS = r"out of memory; set gradient_checkpointing=True for a training, or take a smaller model$"


def test_what_cublas_and_cuda_say_of_memory_is_known():
    for text in (CUBLAS, "CUDA error: out of memory"):
        tried = []

        def starved(tokens, text=text, tried=tried):
            tried.append(tokens)
            if len(tried) == 1:
                raise RuntimeError(text)

        memory.Budget(8).fit(starved, "t")
        assert tried == [8, 4]


@pytest.mark.parametrize("fault", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError(CUBLAS), MemoryError()])
def test_no_memory_for_the_optimisers_state_ends_with_the_remedy_and_the_step(monkeypatch, fault):
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *_, **__: raised(fault))
    with pytest.raises(ModelError, match=rf"^t, step 1: {ENDS}"):
        fit(opened(), MIX, SETTINGS, seed=3, label="t")


def test_no_memory_for_a_restored_optimiser_ends_with_the_remedy_and_the_checkpoint_stays(
    killed_after, monkeypatch, checkpoints_after
):
    checkpoints = checkpoints_after(2)
    with killed_after(3):
        trained(checkpoints)
    fault = torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(torch.optim.AdamW, "load_state_dict", lambda *_, **__: raised(fault))
    with pytest.raises(ModelError, match=rf"^t: {ENDS}"):
        trained(checkpoints)
    assert checkpoints.load()[1]["done"] == 2


@pytest.mark.parametrize("load", [opened, lambda: MaskedLM.load(str(asset()), Runtime(device="cpu"))])
def test_a_model_that_does_not_fit_the_device_is_refused_in_one_line(monkeypatch, load):
    fault = torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(PreTrainedModel, "to", lambda *_, **__: raised(fault))
    with pytest.raises(ModelError, match=rf" on cpu: {ENDS}"):
        load()


def test_another_fault_of_a_step_is_not_taken_for_a_lack_of_memory(monkeypatch):
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *_, **__: raised(RuntimeError("shapes")))
    with pytest.raises(RuntimeError, match="shapes"):
        fit(opened(), MIX, SETTINGS, seed=3, label="t")


def raised(fault):
    raise fault
