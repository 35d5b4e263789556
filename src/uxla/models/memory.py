"""The token budget of a forward pass, halved when memory runs out; and memory errors that no budget can fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import torch

from uxla import progress
from uxla.choices import Precision
from uxla.errors import ModelError, assignment, out_of_memory_text
from uxla.models.footprint import Footprint, free_memory

T = TypeVar("T")

_HALVINGS = 5
_ON_CPU = 8192


class Budget:
    """At most `tokens` padded pieces in one forward pass (or one row). All models of a run share it.

    It changes speed and dropout's draws, but nothing else. `auto` is found for each model on a GPU (`of`), and 8,192
    on a CPU.
    """

    def __init__(self, tokens: int | Literal["auto"] = "auto") -> None:
        self.auto = tokens == "auto"
        self.tokens = _ON_CPU if tokens == "auto" else tokens
        self._left = _HALVINGS
        self._found: dict[int, Budget] = {}

    def of(self, module: Any, device: torch.device, precision: Precision, *, jobs: int = 1) -> Budget:
        """The budget of a model, found by the memory that is free on a GPU for each of the `jobs` that share it."""
        if not self.auto or device.type != "cuda":
            return self
        free, whole = free_memory(device)
        own = min(free, whole // jobs)
        tokens = Footprint.of(module, precision).tokens(own)
        if tokens not in self._found:
            self._found[tokens] = Budget(tokens)
            shared = f" for each of {jobs} jobs" if jobs > 1 else ""
            progress.note(
                f"forward passes of at most {tokens:,} tokens: {own / 1e9:.1f} GB are free on {device}{shared}"
            )
        return self._found[tokens]

    def fit(self, work: Callable[[int], T], where: str) -> T:
        """`work(tokens)`, which must be safe to begin again.

        When memory runs out, the budget is halved for good and `work` begins again, in a run up to five times; then it
        is a ModelError.
        """
        try:
            return work(self.tokens)
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            if not self._left:
                found = f"out of memory with {self.tokens} pieces a forward pass"
                remedy = f"lower max_length, set {assignment('gradient_checkpointing', True)} for a training"
                raise ModelError(f"{where}: {found}; {remedy}, or take a smaller model") from None
        self._left, self.tokens = self._left - 1, max(1, self.tokens // 2)
        progress.note(f"{where}: out of memory; continuing with tokens_per_batch={self.tokens}")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return self.fit(work, where)


@contextmanager
def memory_errors(where: str) -> Iterator[None]:
    """Inside the block, running out of memory is a ModelError: smaller forward passes would not help."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        remedy = f"set {assignment('gradient_checkpointing', True)} for a training, or take a smaller model"
        raise ModelError(f"{where}: out of memory; {remedy}") from None


def _out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: torch's allocator on a GPU has an exception of its own, others have only a text."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or out_of_memory_text(str(error))
