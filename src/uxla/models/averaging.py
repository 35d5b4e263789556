"""One model of several that began as one: the mean of their weights, as far from the beginning as each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from uxla.models.classifier import layer_tensors
from uxla.models.loading import read_model
from uxla.models.model_safety import ModelSafety, weight_files
from uxla.process_settings import seeded


def pretrained_weights(auto_class: Any, folder: Path, safety: ModelSafety) -> dict[str, torch.Tensor]:
    """The weights of a backbone by the names that they have in models trained from it, without those of layers that a
    training draws anew."""
    with seeded(0):  # a layer that the folder lacks is drawn
        model, info = read_model(auto_class, folder, safety)
    drawn = {*info["missing_keys"], *(name for name, *_ in info["mismatched_keys"]), *layer_tensors(model)}
    return {name: tensor for name, tensor in model.state_dict().items() if name not in drawn}


def average_weights(models: Sequence[Path], start: Mapping[str, torch.Tensor], into: Path) -> None:
    """Write the mean of the models' weights to the folder `into`, in files of the same names.

    The models are folders of one architecture, trained from the weights `start`. What they learned apart partly cancels
    in the mean, which is therefore too near to the start: its change of each tensor is stretched to the length that
    the models' own changes have, as a root mean square, but at most by √n for n models, which is what independent
    changes need. A tensor without a start, as the classification layer, is the mean; what is not a floating-point
    number, as a table of positions, is the first model's. Computed in float64, tensor by tensor.
    """
    for file in weight_files(models[0]):
        with safe_open(file, framework="pt") as first:
            names = list(first.keys())
        means = {name: _mean([model / file.name for model in models], name, start.get(name)) for name in names}
        save_file(means, into / file.name, {"format": "pt"})


def _mean(files: Sequence[Path], name: str, start: torch.Tensor | None) -> torch.Tensor:
    total, squares = torch.zeros(()), 0.0
    for path in files:
        with safe_open(path, framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        if not tensor.is_floating_point():
            return tensor
        change = tensor.double() if start is None else tensor.double() - start
        squares += float(change.square().sum())
        total = total + change
    mean, count = total / len(files), len(files)
    if start is not None:
        length = float(mean.square().sum())
        mean = start + mean * min(math.sqrt(squares / count / length), math.sqrt(count)) if length else start.double()
    return mean.to(tensor.dtype)
