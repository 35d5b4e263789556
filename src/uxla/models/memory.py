"""How much fits a device: the token budget, halved once where it was too much; and what no budget can mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from uxla import progress
from uxla.errors import ModelError, out_of_memory_text

T = TypeVar("T")

_REMEDY = "lower tokens_per_batch, max_length or batch_size (and raise accumulation), or take a smaller model"
_OTHER_REMEDY = "set freeze_embeddings=true or gradient_checkpointing=true for a training, or take a smaller model"


class Budget:
    """At most `tokens` padded pieces in one forward pass (or one row). Shared by all models of a run.

    It decides how fast a result comes, never which: but for dropout's draws, no result depends on it.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self._halved = False

    def fit(self, work: Callable[[int], T], where: str) -> T:
        """`work(tokens)`; out of memory, once more with half the tokens from here on; then a ModelError.

        `work` must be safe to begin again.
        """
        try:
            return work(self.tokens)
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error):
                raise
            if self._halved:
                raise ModelError(
                    f"{where}: out of memory with {self.tokens} pieces a forward pass; {_REMEDY}"
                ) from None
        self._halved, self.tokens = True, max(1, self.tokens // 2)
        progress.note(f"{where}: out of memory; it goes on with tokens_per_batch={self.tokens}")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return self.fit(work, where)


@contextmanager
def memory_errors(where: str) -> Iterator[None]:
    """A block that needs what it needs, however little goes through at once: out of memory in it is a ModelError."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _out_of_memory(error):
            raise
        raise ModelError(f"{where}: out of memory; {_OTHER_REMEDY}") from None


def _out_of_memory(error: Exception) -> bool:
    """Whether it was memory: torch's allocator on a GPU has an exception of its own, others have only a text."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or out_of_memory_text(str(error))
