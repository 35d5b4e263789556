"""What a learner's artifacts are kept under: all that changes their bytes, and the precision is among it."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from uxla.models.loaded import Runtime
from uxla.models.optimiser import Optimisation
from uxla.models.tasks import Tagging
from uxla.records import Corpus, Example, ModelHandle
from uxla.run.config import load_config
from uxla.run.learner import StoredLearner

MIX = Corpus.from_examples("mix", ("O",), [Example("1", "en", ("a b",), (0, 0))])
MODEL = ModelHandle(Path(tempfile.gettempdir()), "digest")
SETTINGS = Optimisation(2, 1, 1e-3, 0.1)


class _Keys:
    """A store that finds everything and remembers what it was asked for."""

    def __init__(self):
        self.asked = {}

    def folder(self, stage, inputs, make):
        self.asked[stage] = dict(inputs)
        if stage == "predict":
            raise LookupError
        return MODEL.path, {"weights": "w"}


def asked(runtime=Runtime(), settings=SETTINGS, model=MODEL):  # noqa: B008
    store = _Keys()
    learner = StoredLearner("ner", Tagging(), MODEL, settings, runtime, store, "t")
    learner.fit(model, MIX, seed=1)
    with pytest.raises(LookupError):
        learner.predict(model, MIX)
    return store.asked


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_the_precision_is_part_of_the_keys_of_weights_and_labels_but_not_of_the_mix(precision):
    exact, lower = asked(), asked(Runtime(precision=precision))
    for stage in ("fit", "predict"):
        assert exact[stage].pop("precision") == "fp32"
        assert lower[stage].pop("precision") == precision
    assert exact == lower
    assert exact["fit"]["mix"] == MIX.digest


@pytest.mark.parametrize("option", ["gradient_checkpointing", "freeze_embeddings"])
def test_training_options_are_part_of_the_key_of_weights_alone(option):
    plain, other = asked(), asked(settings=replace(SETTINGS, **{option: True}))
    assert plain["fit"]["settings"] | {option: True} == other["fit"]["settings"]
    assert plain["predict"] == other["predict"]


@pytest.mark.parametrize("option", [{"attention": "eager"}, {"compile": True}])
def test_speed_options_are_part_of_the_keys_only_where_they_are_not_the_default(option):
    plain, other = asked(), asked(Runtime(**option))
    for stage in ("fit", "predict"):
        assert not {"attention", "compile"} & set(plain[stage])
        assert plain[stage] | option == other[stage]


def test_what_one_head_learned_and_said_is_kept_apart_from_another_head():
    plain, *heads = (asked(model=replace(MODEL, head=head)) for head in (None, 0, 1))
    for stage in ("fit", "predict"):
        assert [found[stage] for found in heads] == [plain[stage] | {"head": 0}, plain[stage] | {"head": 1}]


def test_a_runs_options_reach_the_learner():
    from uxla.run.study import Study

    values = [
        "attention=eager",
        "compile=true",
        "precision=bf16",
        "adaptation.freeze_embeddings=true",
        "warmup.gradient_checkpointing=true",
    ]
    config = load_config("testbed", values)
    study = Study(config, Tagging(), None, MODEL, MODEL, _Keys(), None, None)
    adaptation, warmup = study.learner(config.adaptation, None, "t"), study.learner(config.warmup, None, "t")
    runtime = adaptation.runtime
    assert (runtime.precision, runtime.attention, runtime.compile) == ("bf16", "eager", True)
    assert {"attention": "eager", "compile": True}.items() <= study.vicinity().inputs.items()
    assert (adaptation.settings.freeze_embeddings, adaptation.settings.gradient_checkpointing) == (True, False)
    assert (warmup.settings.freeze_embeddings, warmup.settings.gradient_checkpointing) == (False, True)
