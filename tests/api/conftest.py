"""Corpora of the shipped model's world, small enough to adapt on in seconds."""

import pytest

from uxla.config.run import load_config
from uxla.store.journal import Journal
from uxla.store.store import Store
from uxla.study.inputs import load_inputs

SIZES = ("testbed.train=60", "testbed.unlabelled=20", "testbed.dev=10", "testbed.test=10", "target=near")


@pytest.fixture(scope="session")
def configuration():
    """The configuration of a run on the corpora, with further settings."""
    return lambda *more: load_config("testbed", [*SIZES, *more])


@pytest.fixture(scope="session")
def corpora(configuration, tmp_path_factory):
    """The source's train, dev and test set, and one target with all of its own."""
    folder = tmp_path_factory.mktemp("corpora")
    return load_inputs(configuration(), Store(folder / "store", Journal(folder / "journal")))
