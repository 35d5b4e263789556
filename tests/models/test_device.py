"""What a device can compute in."""

import pytest
import torch

from uxla.errors import ModelError
from uxla.models.device import autocast, matmul_precision, pick_device
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
