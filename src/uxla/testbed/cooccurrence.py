"""First embeddings from counts: which pieces occur near each other (positive PMI, reduced by an eigendecomposition)."""

from __future__ import annotations

import torch

_WINDOW = 3
_SMOOTHING = 0.75  # context counts to this power, as in Levy et al. 2015: rare contexts weigh less
_SCALE = 0.05  # the standard deviation the embeddings are scaled to


def embed(rows: list[list[int]], pieces: int, size: int, *, pad: int) -> torch.Tensor:
    """Embeddings (pieces, size) float32 of `rows` of piece ids; the padding's is zero."""
    values, vectors = torch.linalg.eigh(_ppmi(_counts(rows, pieces)))
    largest = values.abs().argsort(descending=True, stable=True)[:size]
    table: torch.Tensor = vectors[:, largest] * values[largest].abs().sqrt()
    table = table / table.norm(dim=1, keepdim=True).clamp_min(1e-6) * size**0.5 * _SCALE
    table[pad] = 0.0
    return table.float()


def _counts(rows: list[list[int]], pieces: int) -> torch.Tensor:
    """How often two pieces (pieces, pieces) stand at most `_WINDOW` apart in a row, in either order."""
    ids = torch.tensor([piece for row in rows for piece in row])
    row_of = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor([len(row) for row in rows]))
    counts = torch.zeros(pieces * pieces, dtype=torch.float64)
    for distance in range(1, _WINDOW + 1):
        same = row_of[distance:] == row_of[:-distance]
        pairs = ids[distance:][same] * pieces + ids[:-distance][same]
        counts += torch.bincount(pairs, minlength=pieces * pieces)
    table = counts.reshape(pieces, pieces)
    return table + table.T


def _ppmi(counts: torch.Tensor) -> torch.Tensor:
    """The symmetric positive pointwise mutual information of `counts`."""
    share = counts.sum(dim=1) + 1e-12
    smooth = share**_SMOOTHING / (share**_SMOOTHING).sum()
    expected = torch.outer(share / share.sum(), smooth)
    expected = (expected + expected.T) / 2
    ratio: torch.Tensor = counts / counts.sum() / expected
    return ratio.clamp_min(1e-12).log().clamp_min(0.0)
