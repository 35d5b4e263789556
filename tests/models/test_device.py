"""What a device can compute in."""

import pytest
import torch

from uxla.config.compute import DeviceSettings
from uxla.errors import ModelError
from uxla.models.device import autocast, matmul_precision, pick_device, settled_precision
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.runtime import Runtime
from uxla.testbed import asset

CPU = torch.device("cpu")


def test_what_a_device_does_not_have_is_refused_in_one_line():
    with pytest.raises(ModelError, match=r"^precision tf32 on cpu: only CUDA GPUs .*; set precision='fp32'$"):
        pick_device("cpu", "tf32")
    with pytest.raises(ModelError, match="precision tf32 on cpu"):
        MaskedLM.load(str(asset()), Runtime("cpu", precision="tf32"))
    for precision in ("fp32", "bf16", "fp16"):
        assert pick_device("cpu", precision) == CPU


def test_tf32_is_for_the_block_alone():
    before = torch.get_float32_matmul_precision()
    for block in (matmul_precision("tf32"), autocast(CPU, "tf32")):
        with block:
            assert torch.get_float32_matmul_precision() == "high"
        assert torch.get_float32_matmul_precision() == before


def a_gpu(monkeypatch, bf16):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0) if bf16 else (7, 5))


def test_auto_is_exact_on_a_cpu_whatever_the_run_computed_in():
    for wanted in ("bf16", "fp16", "tf32", "fp32"):
        assert settled_precision("auto", "cpu", wanted) == "fp32"
        assert settled_precision(wanted, "cpu") == wanted


def test_auto_is_half_precision_on_a_gpu_that_has_it(monkeypatch):
    a_gpu(monkeypatch, bf16=True)
    assert settled_precision("auto", "auto") == settled_precision("auto", "cuda") == "bf16"
    assert settled_precision("auto", "cuda", "fp32") == settled_precision("fp32", "cuda") == "fp32"
    assert settled_precision("auto", "cuda", "tf32") == "tf32"
    assert settled_precision("auto", "cpu") == "fp32"


def test_auto_is_exact_on_a_gpu_that_would_imitate_bf16(monkeypatch):
    a_gpu(monkeypatch, bf16=False)
    assert settled_precision("auto", "cuda") == settled_precision("auto", "cuda", "tf32") == "fp32"
    assert settled_precision("auto", "cuda", "fp16") == "fp16"


def test_a_store_knows_auto_by_what_it_is_on_this_device(monkeypatch):
    assert DeviceSettings(precision="auto").runtime().inputs == DeviceSettings().runtime().inputs
    a_gpu(monkeypatch, bf16=True)
    assert DeviceSettings(precision="auto").runtime().inputs == DeviceSettings(precision="bf16").runtime().inputs


def test_where_bytes_must_be_the_same_free_memory_decides_nothing():
    assert DeviceSettings().runtime().budget.auto
    for settings, tokens in (({}, 8192), ({"tokens_per_batch": 512}, 512)):
        budget = DeviceSettings(deterministic=True, **settings).runtime().budget
        assert (budget.auto, budget.tokens) == (False, tokens)
