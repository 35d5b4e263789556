"""Devices: the precision of their products, and transfers that do not block a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from uxla.choices import AskedPrecision, Attention, Precision
from uxla.devices import check_one
from uxla.errors import ModelError, assignment
from uxla.phrases import counted

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""The types of half precision."""


def pick_device(name: str, precision: Precision = "fp32") -> torch.device:
    """The device `cpu`, `cuda` or `cuda:1`; `auto` is CUDA where there is one, else the CPU.

    ModelError where there is no such device, or it cannot compute in `precision`.
    """
    here, (kind, _, number) = torch.cuda.is_available(), name.partition(":")
    if kind == "cuda" and not here:
        raise ModelError(f"device {name}: this machine has no CUDA device that torch can use; take cpu")
    if number and int(number) >= (found := torch.cuda.device_count()):
        raise ModelError(f"device {name}: torch can use {counted(found, 'CUDA device')}, the last is cuda:{found - 1}")
    if name == "auto":
        name = "cuda" if here else "cpu"
    _check_precision(torch.device(name), precision)
    return torch.device(name)


def settled_precision(asked: AskedPrecision, device: str, wanted: Precision = "bf16") -> Precision:
    """The precision that is asked for; for `auto` the `wanted` one on a GPU that has it, fp32 elsewhere.

    ConfigError for a device that there is not.
    """
    check_one(device)
    if asked != "auto":
        return asked
    found = pick_device(device)
    return wanted if found.type == "cuda" and not _lacks(found, wanted) else "fp32"


def _check_precision(device: torch.device, precision: Precision) -> None:
    """ModelError where the device cannot compute in `precision`."""
    if lacks := _lacks(device, precision):
        raise ModelError(f"precision {precision} on {device.type}: {lacks}; set {assignment('precision', 'fp32')}")


def _lacks(device: torch.device, precision: Precision) -> str:
    """Why the device cannot compute in `precision`, or nothing."""
    cuda = device.type == "cuda"
    if precision == "tf32" and not (cuda and torch.cuda.get_device_capability(device) >= (8, 0)):
        return "only CUDA GPUs from the Ampere generation on (A100, RTX 30) have it"
    if precision == "bf16" and cuda and not multiplies_in_bf16(device):
        return "this GPU does not have it"
    return ""


def multiplies_in_bf16(device: torch.device) -> bool:
    """Whether the device has products in bf16, and does not imitate them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """A context in which models compute in `precision`."""
    dtype = HALF.get(precision)
    return matmul_precision(precision) if dtype is None else torch.autocast(device.type, dtype)


@contextmanager
def matmul_precision(precision: Precision) -> Iterator[None]:
    """Inside the block, float32 products use TF32 if `precision` is `tf32`, else they are exact."""
    before, wanted = torch.get_float32_matmul_precision(), "high" if precision == "tf32" else "highest"
    if before == wanted:
        yield
        return
    torch.set_float32_matmul_precision(wanted)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def attention_values(attention: Attention, device: torch.device, precision: Precision) -> dict[str, str]:
    """The arguments of `from_pretrained`. ModelError where flash-attn cannot run: it takes a GPU and half precision."""
    if attention == "flash_attention_2" and (device.type != "cuda" or precision not in HALF):
        raise ModelError(
            f"attention flash_attention_2 on {device.type} in {precision}: it needs a CUDA device and bf16 or fp16; "
            f"set {assignment('attention', 'auto')}"
        )
    return {} if attention == "auto" else {"attn_implementation": attention}


def to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A CPU tensor on `device`; copies to a GPU come from page-locked memory and do not block."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)
