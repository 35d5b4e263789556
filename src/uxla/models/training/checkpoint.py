"""The checkpoint of a training: everything that its next step depends on. A kill costs at most some minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from uxla.files import atomic_file

Tensors = dict[str, torch.Tensor]
_FILE = "checkpoint.safetensors"
"""Change the name together with the content, so that no file of an older kind is read."""


@dataclass
class Checkpoints:
    """Where a training writes its state and how often, by `clock` in seconds. A thread writes while it goes on."""

    folder: Path
    minutes: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1), repr=False)
    _writing: Future[None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._last = self.clock()

    @property
    def due(self) -> bool:
        """Whether so many minutes have passed since the last checkpoint, or since the start."""
        return self.clock() - self._last >= 60 * self.minutes

    def save(self, tensors: Tensors, facts: dict[str, Any]) -> None:
        """Begin to write a state, of `on_host` tensors, in the place of the one before. Waits until that is written."""
        self.wait()
        self._last = self.clock()
        self._writing = self._writer.submit(self._write, tensors, json.dumps(facts))

    def wait(self) -> None:
        """Return when all that was saved is on the disk. WriteError where it cannot be written."""
        if self._writing is not None:
            written, self._writing = self._writing, None
            written.result()

    def load(self) -> tuple[Tensors, dict[str, Any]] | None:
        """The last state that was written completely, or None: a file that was cut by a bad disk is removed."""
        self.wait()
        path = self.folder / _FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                names = list(file.keys())
                return {name: file.get_tensor(name) for name in names}, json.loads(file.metadata()["facts"])
        except SafetensorError:
            path.unlink()
            return None

    def _write(self, tensors: Tensors, facts: str) -> None:
        with atomic_file(self.folder / _FILE) as file:
            save_file(tensors, file, {"facts": facts})


def on_host(tensors: Tensors) -> Tensors:
    """Copies that a training may leave behind; those from a GPU are made together, into page-locked memory."""
    copies = {
        name: torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda).copy_(tensor, non_blocking=True)
        for name, tensor in tensors.items()
    }
    for device in {tensor.device for tensor in tensors.values() if tensor.is_cuda}:
        torch.cuda.synchronize(device)
    return copies


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
