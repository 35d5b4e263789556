"""The token budget of a forward pass, halved when memory runs out; and memory errors that no budget can fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from uxla import progress
from uxla.errors import ModelError, assignment, out_of_memory_text

T = TypeVar("T")

_HALVINGS = 5


class Budget:
    """At most `tokens` padded pieces in one forward pass (or one row). All models of a run share it.

    It changes speed and dropout's draws, but nothing else.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self._left = _HALVINGS

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
