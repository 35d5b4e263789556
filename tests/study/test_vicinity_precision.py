"""The masked LM's precision, from the configuration to the model and the store's key."""

import pytest

from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.study.inputs import Inputs


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_masked_lm_is_opened_in_the_precision_that_was_asked_for_and_that_keys_what_it_makes(
    precision, make_study, monkeypatch
):
    asked = []
    monkeypatch.setattr(MaskedLM, "load", lambda folder, runtime, **given: asked.append(runtime.precision))
    vicinity = make_study([f"precision={precision}"], Inputs(None, None, None, ())).vicinity.stored
    vicinity.open_vicinity()
    assert asked == [precision] == [vicinity.inputs["precision"]]
