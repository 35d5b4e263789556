"""A run as a call: corpora in, models and scores out; nothing is trained twice, and no store need be there."""

from collections import Counter

import pytest

from uxla import api
from uxla.algorithm.events import Trains
from uxla.errors import ConfigError, DataError
from uxla.events import StageEnded


@pytest.fixture(scope="module")
def adapted(corpora):
    """A run without a store, and what happened in it."""
    seen, [target] = [], corpora.targets
    given = {"dev": corpora.dev, "model": "testbed", "baselines": ["zero_shot"], "threads": 1}
    return api.adapt(corpora.train, {"near": target}, test=corpora.test, on_event=seen.append, **given), seen


def test_each_method_has_its_models_and_scores(adapted):
    result, _ = adapted
    assert result.targets == ("near",)
    assert {method: len(epochs) for method, epochs in result.run.models["near"].items()} == {"zero_shot": 1, "uxla": 3}
    assert result.run.final["near"] == result.run.models["near"]["uxla"][-1]
    assert {"zero_shot", "uxla", "uxla_ensemble"} <= set(result.results["targets"]["near"])
    assert all((model.path / "model.safetensors").is_file() for model in result.run.final["near"])


def test_without_a_store_nothing_is_made_twice(adapted):
    _, seen = adapted
    made = Counter((event.stage, event.key) for event in seen if isinstance(event, StageEnded) and not event.hit)
    assert set(made.values()) == {1}
    adapted_models = sum(isinstance(event, Trains) for event in seen)
    assert sum(count for (stage, _), count in made.items() if stage == "fit") == 3 + 3 + adapted_models


def test_a_call_gives_what_a_run_of_the_same_settings_gives(adapted, configuration, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    result, _ = adapted
    run = api.run(configuration("methods=[zero_shot, uxla]"), tmp_path / "run")
    assert {**result.results, "inputs": None} == {**run, "inputs": None}
    result.save(tmp_path / "call")
    for name in ("models/1/model.safetensors", "models/3/model.safetensors", "predictions/near.conll"):
        assert (tmp_path / "call" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_raw_text_is_enough(corpora):
    texts = [example.segments[0] for example in corpora.targets[0].train]
    result = api.adapt(corpora.train, texts, model="testbed", threads=1)
    assert result.targets == ("target",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "one text"}, DataError),
        ({"precision": "fp8"}, ConfigError),
        ({"keep": "estimated"}, ConfigError),
    ],
)
def test_a_fault_of_an_argument_is_one_error_before_any_work(corpora, change, said):
    given = {"target": ["ko mira"], "model": "testbed"} | change
    with pytest.raises(said):
        api.adapt(corpora.train, **given)
