"""One model of several: the mean of their weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from uxla.models.model_safety import weight_files


def average_weights(models: Sequence[Path], into: Path) -> None:
    """Write the mean of the models' weights to the folder `into`, in files of the same names.

    The models are folders of one architecture. Means are taken in float64; what is not a floating-point number, as a
    table of positions, is the first model's. Every tensor is read on its own, so that no two models are in memory.
    """
    for file in weight_files(models[0]):
        with safe_open(file, framework="pt") as first:
            names = list(first.keys())
        means = {name: _mean([model / file.name for model in models], name) for name in names}
        save_file(means, into / file.name, {"format": "pt"})


def _mean(files: Sequence[Path], name: str) -> torch.Tensor:
    total: torch.Tensor | None = None
    for path in files:
        with safe_open(path, framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        if not tensor.is_floating_point():
            return tensor
        total = tensor.double() if total is None else total.add_(tensor)
    assert total is not None, "at least one model"
    return (total / len(files)).to(tensor.dtype)
