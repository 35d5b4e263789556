"""What a command was told about the device reaches the models."""

from pathlib import Path

from uxla.config.compute import DeviceSettings
from uxla.models.ensemble import Ensemble
from uxla.predict.load import load_ensemble


def test_an_ensemble_is_loaded_where_and_as_exactly_as_the_command_was_told(monkeypatch):
    monkeypatch.setattr(Ensemble, "load", lambda run, **how: (run, how))
    found = load_ensemble(Path("run"), DeviceSettings(device="cpu", precision="bf16", trust_remote_code=True))
    assert found == (Path("run"), {"device": "cpu", "precision": "bf16", "trust_remote_code": True})
