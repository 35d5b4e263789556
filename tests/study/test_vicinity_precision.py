"""The masked LM's precision, from the configuration to the model and the store's key."""

from pathlib import Path

import pytest

from uxla.config.run import load_config
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.model_safety import SAFE
from uxla.models.tasks import Tagging
from uxla.records import ModelHandle
from uxla.study.study import Study

MODEL = ModelHandle(Path("nowhere"), "0" * 64)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_masked_lm_is_opened_in_the_precision_that_was_asked_for_and_that_keys_what_it_makes(
    precision, monkeypatch
):
    asked = []
    monkeypatch.setattr(MaskedLM, "load", lambda *_, **given: asked.append(given["precision"]))
    config = load_config("testbed", [f"precision={precision}"])
    vicinity = Study(config, Tagging(), None, MODEL, MODEL, None, None, SAFE).vicinity()
    vicinity.open_vicinity()
    assert asked == [precision] == [vicinity.inputs["precision"]]
