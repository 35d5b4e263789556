"""The ensemble of a finished run, as a command was told to load it."""

from __future__ import annotations

from pathlib import Path

from uxla.config.compute import DeviceSettings
from uxla.models.ensemble import Ensemble


def load_ensemble(run: Path, device: DeviceSettings) -> Ensemble:
    """`Ensemble.load` of a run folder, where and how exactly `device` says."""
    trusts = device.trust_remote_code
    return Ensemble.load(run, device=device.device, precision=device.precision, trust_remote_code=trusts)
