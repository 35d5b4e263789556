"""What a learner's artifacts are kept under: all that changes their bytes, and the precision is among it; and what is
told of texts that were cut."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from uxla.algorithm.vicinity import Vicinity
from uxla.config.run import load_config
from uxla.errors import ModelError
from uxla.events import StageEnded, TextsCut
from uxla.models.hub import resolve
from uxla.models.runtime import Runtime
from uxla.models.tasks import SentenceTask, Tagging
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example, ModelHandle
from uxla.store.store import Store
from uxla.study import remembered as learner_module
from uxla.study.fine_tuning import FineTuning
from uxla.study.inputs import Inputs
from uxla.study.remembered import StoredLearner, StoredVicinity
from uxla.testbed import asset

MIX = Corpus.from_examples("mix", ("O",), [Example("1", "en", ("a b",), (0, 0))])
INPUTS = Inputs(MIX, None, None, ())
MODEL = ModelHandle(Path(tempfile.gettempdir()), "digest")
SETTINGS = TrainingSettings(batch_size=2, learning_rate=1e-3)


class _Keys:
    """A store that finds everything and remembers what it was asked for."""

    def __init__(self):
        self.asked = {}

    def folder(self, stage, inputs, make):
        self.asked[stage] = dict(inputs)
        if stage == "predict":
            raise LookupError
        return MODEL.path, {"weights": "w"}


def asked(runtime=Runtime(), settings=SETTINGS, model=MODEL, **more):  # noqa: B008
    store = _Keys()
    learner = StoredLearner("ner", Tagging(), MODEL, settings, runtime, store, "t", **more)
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
    plain, other = asked(), asked(settings=SETTINGS.model_copy(update={option: True}))
    assert plain["fit"]["settings"] | {option: True} == other["fit"]["settings"]
    assert plain["predict"] == other["predict"]


@pytest.mark.parametrize("option", [{"attention": "eager"}, {"compile": True}])
def test_speed_options_are_part_of_the_keys_only_where_they_are_not_the_default(option):
    plain, other = asked(), asked(Runtime(**option))
    for stage in ("fit", "predict"):
        assert not {"attention", "compile"} & set(plain[stage])
        assert plain[stage] | option == other[stage]


def test_how_many_devices_share_a_training_is_part_of_the_key_of_weights_if_it_is_not_one():
    plain, shared = asked(), asked(devices=2)
    assert "devices" not in plain["fit"]
    assert shared == plain | {"fit": plain["fit"] | {"devices": 2}}


def test_what_one_head_learned_and_said_is_kept_apart_from_another_head():
    plain, *heads = (asked(model=replace(MODEL, head=head)) for head in (None, 0, 1))
    for stage in ("fit", "predict"):
        assert [found[stage] for found in heads] == [plain[stage] | {"head": 0}, plain[stage] | {"head": 1}]


def test_a_runs_options_reach_the_learner(make_study):
    values = [
        "attention=eager",
        "compile=true",
        "precision=bf16",
        "adaptation.freeze_embeddings=true",
        "warmup.gradient_checkpointing=true",
    ]
    config = load_config("testbed", values)
    study = make_study(values, INPUTS)
    adaptation, warmup = study.learner(config.adaptation, None, "t"), study.learner(config.warmup, None, "t")
    runtime = adaptation.runtime
    assert (runtime.precision, runtime.attention, runtime.compile) == ("bf16", "eager", True)
    assert {"attention": "eager", "compile": True}.items() <= study.vicinity.stored.inputs.items()
    assert (adaptation.settings.freeze_embeddings, adaptation.settings.gradient_checkpointing) == (True, False)
    assert (warmup.settings.freeze_embeddings, warmup.settings.gradient_checkpointing) == (False, True)


def test_flash_attention_names_the_device_and_precision_that_it_cannot_have(make_study):
    study = make_study(["attention=flash_attention_2", "devices=cpu"], INPUTS)
    with pytest.raises(ModelError, match=r"^attention flash_attention_2 on cpu in fp32: .*; set attention='auto'"):
        study.vicinity.masked_lm()


# --- texts that were cut ------------------------------------------------------------------------------------------


@pytest.fixture
def opened_store(tmp_path):
    """A store of the test's own, and what happens in it."""
    events = []
    return Store(tmp_path / "store", events.append), events


def texts(name, *lengths):
    rows = [Example(str(i), "x", ("ko " * length + str(i),), (0,)) for i, length in enumerate(lengths)]
    return Corpus.from_examples(name, ("no", "yes"), rows)


def cutting(store, events):
    backbone = resolve(str(asset()))
    settings, runtime = SETTINGS.model_copy(update={"dropout": 0.0}), Runtime("cpu", 8)
    given = ("classification", SentenceTask(1), backbone, settings, runtime, store, "t")
    return StoredLearner(*given), backbone


def told_cut(events):
    return [event for event in events if isinstance(event, TextsCut)]


class _Upper:
    """A filler that replaces each text by itself in capitals."""

    def units(self, texts):
        return [[(0, len(text))] for text in texts]

    def fill(self, requests):
        return [request.text.upper() for request in requests]


def test_samples_made_for_a_corpus_of_another_name_have_the_name_of_the_one_asked_for(opened_store):
    store, _ = opened_store
    vicinity = StoredVicinity(lambda: Vicinity(_Upper(), 1.0, (1,), 0), {"lm": "x"}, store)
    corpus = Corpus.from_examples("aa", ("O",), [Example("x:0", "", ("abc",))])
    assert [vicinity(corpus.renamed(name), 1).name for name in ("aa", "bb")] == ["aa~", "bb~"]


@pytest.mark.parametrize(("method", "backbone"), [("mlm_tuned", "tuned 1"), ("penalty", "own")])
def test_the_one_model_of_a_method_is_as_far_from_what_it_began_with_as_the_three(make_study, method, backbone):
    study = make_study([f"methods=[{method}]"], INPUTS, model=replace(MODEL, digest="own"))
    study.averaged((MODEL, MODEL, MODEL))
    assert study.labelling.store.asked[-1] == ("average", {"models": ["digest"] * 3, "backbone": backbone})


def cuts(events, stage):
    return [event.details["cut"] for event in events if isinstance(event, StageEnded) and event.stage == stage]


def test_cut_texts_are_counted_part_by_part_and_told_for_a_data_set(opened_store, monkeypatch):
    monkeypatch.setattr(learner_module, "_LABELLED_TOGETHER", 2)
    store, events = opened_store
    learner, backbone = cutting(store, events)
    model = learner.fit(backbone, texts("mix", 30, 1, 1), seed=0)
    for _ in range(2):  # the second time everything is found
        learner.predict(model, texts("test", 30, 30, 1, 1, 30))
    assert cuts(events, "fit") == [1]
    assert cuts(events, "predict") == [2, 0, 1] * 2
    assert told_cut(events) == [TextsCut("mix", 1, 3, 8), TextsCut("test", 3, 5, 8)]


def test_the_listener_of_a_users_store_hears_of_texts_that_fine_tuning_cuts(opened_store):
    store, events = opened_store
    learner = FineTuning(asset(), task="classification", max_length=8, device="cpu", store=store)
    model = learner.fit(learner.start, texts("mix", 30, 1, 1), seed=0)
    learner.predict(model, texts("test", 30, 30, 1))
    assert told_cut(events) == [TextsCut("mix", 1, 3, 8), TextsCut("test", 2, 3, 8)]
