"""The rolling checkpoint of a training: everything that its next step depends on. A kill costs at most N steps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from uxla import signals
from uxla.files import atomic_file, file_digest

Tensors = dict[str, torch.Tensor]
_STEM, _SUFFIX, _DIGITS = "training", ".safetensors", 32
"""Change the stem together with the content, so that no file of an older kind is read."""


@dataclass(frozen=True)
class Checkpoints:
    """Where a training writes its state, and after how many steps."""

    folder: Path
    every: int

    def save(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Replace the checkpoint; the one before it is removed when the new one is on the disk."""
        whole = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
        new = self.folder / f"new{_SUFFIX}"
        with signals.postponed():
            with atomic_file(new) as file:
                save_file(whole, file, {"facts": json.dumps(facts)})
            named = new.rename(self.folder / self._name(new))
        for path in self._all():
            if path != named:
                path.unlink()

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The last state that `save` wrote completely, or None."""
        for path in self._all():
            if path.name == self._name(path):
                with safe_open(path, framework="pt") as file:
                    names = list(file.keys())
                    return {name: file.get_tensor(name) for name in names}, json.loads(file.metadata()["facts"])
            path.unlink()
        return None

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob(f"{_STEM}-*{_SUFFIX}"))

    @staticmethod
    def _name(file: Path) -> str:
        """A checkpoint's name has the digest of its bytes, so that damage is seen."""
        return f"{_STEM}-{file_digest(file)[:_DIGITS]}{_SUFFIX}"


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Tensors:
    """AdamW's moments and step counts by `PARAMETER.NAME`."""
    state: dict[int, Tensors] = optimiser.state_dict()["state"]
    return {f"{number}.{name}": value for number, values in state.items() for name, value in values.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Put back what `optimiser_tensors` gave."""
    state: dict[int, Tensors] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def generator_tensors(device: torch.device) -> Tensors:
    """The state of the generators that dropout draws from."""
    states = {"cpu": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def restore_generators(device: torch.device, tensors: Tensors) -> None:
    """Put back what `generator_tensors` gave."""
    torch.set_rng_state(tensors["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(tensors["cuda"], device)


def prefixed(**groups: Tensors) -> Tensors:
    """One dictionary of several, each key behind its group's name; `under` takes a group out again."""
    return {f"{group}/{name}": value for group, tensors in groups.items() for name, value in tensors.items()}


def under(group: str, tensors: Tensors) -> Tensors:
    """The tensors of one group of `prefixed`."""
    return {key.removeprefix(f"{group}/"): value for key, value in tensors.items() if key.startswith(f"{group}/")}
