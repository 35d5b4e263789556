"""What holds for every test: no network, one thread (more of them only disturb each other), a store of its own."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is imported


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path_factory.getbasetemp() / "no-store" / os.urandom(8).hex()))
