"""What one command has seen of its store."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from uxla.store.artifacts import Manifest
from uxla.store.locks import Uses


@dataclass(frozen=True)
class Seen:
    """The artifacts that one command has verified or made; they stay for as long as this lives.

    Jobs in other processes look again, and go by the time of an artifact: what is younger than `since` was made for the
    command, or at the same time.
    """

    manifests: dict[Path, Manifest] = field(default_factory=dict)
    uses: Uses = field(default_factory=Uses)
    needed: set[Path] = field(default_factory=set)
    """Artifacts whose weights were gone when they were needed: they are made again, and stay."""
    damaged: set[Path] = field(default_factory=set)
    """Artifacts that a shared store has, but not as they were written: they are made again, and replaced there."""
    since: float = field(default_factory=time.time)

    def __reduce__(self) -> tuple[type[Seen], tuple[dict[Path, Manifest], Uses, set[Path], set[Path], float]]:
        return Seen, ({}, self.uses, self.needed, self.damaged, self.since)


class WeightsGoneError(Exception):
    """Weights are needed that are gone. Their artifact is among those `needed`: ask for it again to have it made."""

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.place = place
