"""Nothing that a run computes is refused by a GPU under `deterministic: true`."""

import re

import pytest
import torch
from torch.nn import functional

from uxla import api
from uxla.config.run import load_config


def test_every_operation_that_torch_documents_as_refused_is_looked_for(only_deterministic):
    text = torch.use_deterministic_algorithms.__doc__
    listed = re.search(r"will throw a\s+:class:`RuntimeError` when ``mode=True``:(.*?)In addition", text, re.DOTALL)[1]
    assert set(re.findall(r"\* :\w+:`(torch\.[\w.]+)`", listed)) <= only_deterministic.refused.keys()


NUMBERS, PLACES, PLANE = torch.arange(4.0), torch.tensor([0, 1, 1, 3]), torch.zeros(1, 2, 3, 3)
REFUSED = {
    "cumsum": lambda: NUMBERS.cumsum(0),
    "cumsum_": lambda: NUMBERS.double().cumsum_(0),
    "histc": lambda: torch.histc(NUMBERS),
    "bincount": lambda: PLACES.bincount(NUMBERS),
    "median": lambda: NUMBERS.median(0),
    "put_": lambda: NUMBERS.clone().put_(PLACES, NUMBERS),
    "nll_loss2d_forward": lambda: functional.nll_loss(PLANE, torch.zeros(1, 3, 3).long()),
    "scatter_reduce": lambda: NUMBERS.scatter_reduce(0, PLACES, NUMBERS, "prod"),
    "reflection_pad2d_backward": lambda: functional.pad(
        PLANE.clone().requires_grad_(), (1, 1, 1, 1), "reflect"
    ).sum().backward(),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_gpu_refuses_is_found_on_a_cpu(name, only_deterministic):
    with pytest.raises(AssertionError, match=f"^{name} is not deterministic"), only_deterministic():
        REFUSED[name]()


def test_what_a_gpu_does_deterministically_is_no_refusal(only_deterministic):
    table = torch.nn.Embedding(5, 4)
    with only_deterministic():
        PLACES.cumsum(0)
        PLACES.bincount()
        NUMBERS.median()
        NUMBERS.scatter_reduce(0, PLACES, NUMBERS, "sum")
        rows = table(PLACES).index_add(0, PLACES, torch.ones(4, 4))
        functional.cross_entropy(rows[PLACES], PLACES).backward()


SMALL = ("testbed.train=32", "testbed.unlabelled=16", "testbed.dev=8", "testbed.test=8", "warmup.epochs=1")
SHORT = ("adaptation.max_steps=2", "adaptation.epochs=null", "mlm.max_steps=2", "mlm.epochs=null")
FLUENT = "schedule.0.select={kind: clustering, threshold: 0.5, features: [fluency]}"
LESS_MEMORY = ("warmup.gradient_checkpointing=true", "adaptation.freeze_embeddings=true")


@pytest.mark.parametrize(
    "settings",
    [
        ("methods=[penalty, mlm_tuned, three_heads, uxla]", "vicinity.top=5", "agree=none", FLUENT),
        ("methods=[uxla]", "precision=bf16", "vicinity.unit=piece", "adaptation.selection=average", *LESS_MEMORY),
        ("methods=[uxla]", "task=nli", "agree=union"),
    ],
)
def test_a_run_asks_a_gpu_for_nothing_that_it_refuses(settings, tmp_path, monkeypatch, only_deterministic):
    """Training with every loss, tuning of the masked LM, samples, fluency, labelling, averages of weights."""
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    with only_deterministic():
        results = api.run(load_config("testbed", [*SMALL, *SHORT, *settings]), tmp_path / "run")
    assert results["targets"]
