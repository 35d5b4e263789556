"""What the methods of a run ask for: of each training its penalty and its checkpoints, of the store its keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from uxla.algorithm.cotraining import Epoch
from uxla.algorithm.distil import MostConfident
from uxla.errors import ModelError
from uxla.events import TrainingEnded
from uxla.methods.method import Method
from uxla.methods.registry import METHODS, method
from uxla.models.hub import resolve
from uxla.models.lm.training import texts_of
from uxla.records import Corpus, Example, ModelHandle
from uxla.store.store import Store
from uxla.study.check_models import check_models
from uxla.study.inputs import Inputs
from uxla.targets import Target
from uxla.testbed import model_name


def corpus(name, *, labelled=True):
    return Corpus.from_examples(name, ("O",), [Example("0", "x", (name,), (0,) if labelled else None)])


PARTS = {part: corpus(f"es {part}") for part in ("dev", "test", "labelled", "translated")}
TARGET = Target(corpus("raw", labelled=False), **PARTS, name="es")
MODEL = ModelHandle(Path("m"), "digest")
INPUTS = Inputs(corpus("train"), corpus("dev"), corpus("test"), (TARGET,))


@pytest.fixture
def asked(make_study, no_work, train):
    """From a method's name and overrides to the trainings that it asks for."""

    def found(name, *overrides, inputs=INPUTS):
        store = no_work()
        train(make_study(overrides, inputs, store=store), [method(name)])
        return [given for stage, given in store.asked if stage == "fit"]

    return found


@pytest.mark.parametrize(
    ("name", "penalty"),
    [
        ("penalty", 0.5),
        *((name, 0.0) for name in ("zero_shot", "snapshots", "weight_mean", "translate_train", "supervised")),
    ],
)
def test_the_confidence_penalty_is_the_warm_ups_alone(name, penalty, asked):
    assert [given["settings"]["penalty"] for given in asked(name, "warmup.penalty=0.5")] == [penalty] * 3


@pytest.mark.parametrize(
    ("name", "dev"),
    [("penalty", "dev"), ("zero_shot", "dev"), ("translate_train", "dev"), ("supervised", "es dev")],
)
def test_checkpoints_of_a_method_are_chosen_in_the_language_it_has_labels_of(name, dev, asked):
    assert [given["dev"] for given in asked(name, "warmup.selection=source_dev")] == [corpus(dev).digest] * 3


def test_snapshots_are_zero_shots_trainings_with_their_checkpoints_averaged(asked):
    plain, averaged = (asked(name, "warmup.selection=last") for name in ("zero_shot", "snapshots"))
    assert averaged == [{**one, "settings": one["settings"] | {"selection": "average"}} for one in plain]


def test_models_that_are_to_be_averaged_begin_with_the_first_ones_layer_which_is_zero_shots(asked):
    plain, same = asked("zero_shot"), asked("weight_mean")
    first = plain[0]["seed"]
    assert same == [plain[0], *({**one, "layer": first} for one in plain[1:])]


def test_the_upper_bound_without_a_dev_set_of_its_own_keeps_its_last_weights(asked):
    inputs = replace(INPUTS, targets=(replace(TARGET, dev=None),))
    found = asked("supervised", "warmup.selection=source_dev", inputs=inputs)
    assert [(given["dev"], given["settings"]["selection"]) for given in found] == [(None, "last")] * 3


def test_models_that_learned_target_labels_are_not_scored_on_the_sources_dev_set(make_study, train):
    told = []
    study = make_study((), INPUTS, emit=told.append)
    train(study, [METHODS["supervised"], METHODS["translate_train"]])
    dev = {event.method: event.dev for event in told if isinstance(event, TrainingEnded)}
    assert dev == {"supervised": None, "translate_train": 50.0}


@pytest.mark.parametrize(
    ("selection", "dev"), [("last", None), ("average", None), ("source_dev", "dev"), ("target_dev", "es dev")]
)
def test_target_labels_choose_a_checkpoint_only_where_that_is_asked_for(selection, dev, make_study, no_work):
    store = no_work()
    study = make_study([f"adaptation.selection={selection}"], INPUTS, store=store)
    study.cotrain("uxla", TARGET, (MODEL,) * 3, [Epoch(MostConfident(1.0), source=True)])
    assert [given["dev"] for _, given in store.asked] == [dev and corpus(dev).digest] * 3


def test_the_masked_lm_is_tuned_on_the_training_sentences_alone_and_is_the_backbone_then(make_study, no_work):
    store = no_work()
    study = make_study((), INPUTS, store=store)
    tuned = study.tuned()
    [(stage, given)] = store.asked
    assert (stage, given["texts"]) == ("mlm", texts_of([INPUTS.train, TARGET.train]).digest)
    assert tuned.labelling.backbone.digest == "tuned 1"
    assert tuned.vicinity == study.vicinity


def test_when_one_head_is_trained_the_others_follow_its_encoder(make_study, no_work):
    store = no_work()
    heads = tuple(replace(MODEL, head=head) for head in range(3))
    study = make_study((), INPUTS, store=store)
    [found] = study.cotrain("three_heads", TARGET, heads, [Epoch(MostConfident(1.0), source=True)])
    assert [model.head for model in found] == [0, 1, 2]
    assert {model.digest for model in found} == {"weights 3"}
    assert [(given["model"], given["head"]) for _, given in store.asked] == [
        ("digest", 2),
        ("weights 1", 0),
        ("weights 2", 1),
    ]


def test_the_warm_up_is_trained_once_whatever_begins_with_it(make_study, no_work, train):
    store, two = no_work(), (TARGET, replace(TARGET, name="de"))
    begun = []
    steps = lambda lab, target, models: begun.append(models) or [models]  # noqa: E731
    methods = [METHODS["penalty"], Method("one", "one", steps=steps), Method("two", "two", steps=steps)]
    starts, trained = train(make_study((), replace(INPUTS, targets=two), store=store), methods)
    assert len([stage for stage, _ in store.asked if stage == "fit"]) == 3
    assert begun == [starts["penalty"]] * 4
    assert trained["es"] == trained["de"] == {name: [starts["penalty"]] for name in ("penalty", "one", "two")}


def test_warm_ups_come_in_the_order_of_the_methods(make_study, train):
    told = []
    train(make_study((), INPUTS, emit=told.append), [METHODS["ensemble"], METHODS["penalty"], METHODS["zero_shot"]])
    assert [event.method for event in told] == ["zero_shot"] * 3 + ["penalty"] * 3


def test_a_model_with_three_heads_is_a_training_of_its_own_with_the_first_warm_ups_sentences(make_study, no_work):
    store = no_work()
    study = make_study(["warmup.selection=last"], INPUTS, store=store)
    study.warm_up("penalty")
    heads = study.three_heads()
    first, last = store.asked[0][1], store.asked[-1][1]
    assert {name for name in first if first[name] != last[name]} == {"task"}
    assert [model.head for model in heads] == [0, 1, 2]


def test_the_default_number_of_samples_written_out_is_the_same_work(make_study):
    plain, three, four = (make_study(more, INPUTS) for more in ((), ("vicinity.copies=3",), ("vicinity.copies=4",)))
    assert plain.vicinity.stored.inputs == three.vicinity.stored.inputs
    assert plain.vicinity.stored.inputs != four.vicinity.stored.inputs


def test_fluency_is_selected_by_the_vicinity_model_and_its_precision(make_study):
    plain, lower = make_study((), INPUTS), make_study(["precision=bf16"], INPUTS)
    other = make_study((), INPUTS, vicinity_model=ModelHandle(Path("m"), "another"))
    kept = plain.vicinity.fluency.inputs
    assert lower.vicinity.fluency.inputs == kept | {"precision": "bf16"}
    assert other.vicinity.fluency.inputs == kept | {"lm": "another"}


def test_every_run_looks_at_the_models_that_it_needs_before_the_warm_up(make_study, tmp_path):
    """What one run found is nothing that a later one, of another library or machine, may rely on."""
    study = make_study((), INPUTS, model=ModelHandle(tmp_path, "no model"))
    for _ in range(2):
        with pytest.raises(ModelError):
            check_models(study, [METHODS["penalty"]], "here", generates=False)


def test_models_from_one_layer_have_it_before_their_first_step_and_their_mean_is_what_is_scored(make_study, tmp_path):
    words = [("Mika", "sings", "in", "Oslo")] * 4
    examples = [Example(str(i), "x", (" ".join(one),), (1, 0, 0, 2)) for i, one in enumerate(words)]
    source = Corpus.from_examples("train", ("O", "B-PER", "B-LOC"), examples)
    still = ["warmup.epochs=null", "warmup.max_steps=1", "warmup.lr_warmup=1", "warmup.selection=last"]
    model = resolve(model_name("testbed"))
    inputs = Inputs(source, None, None, (replace(TARGET, test=None, dev=None),))
    study = make_study([*still, "methods=[zero_shot,weight_mean]"], inputs, store=Store(tmp_path), model=model)
    layers = {name: [_layer(one) for one in METHODS[name].start.make(study)] for name in ("zero_shot", "weight_mean")}
    own, same = layers["zero_shot"], layers["weight_mean"]
    assert all(torch.equal(one, own[0]) for one in same), "nothing was learned in one step at the rate 0"
    assert not torch.equal(own[0], own[1])
    [mean] = study.as_one("weight_mean", METHODS["weight_mean"].start.make(study))
    assert torch.equal(_layer(mean), own[0])


def _layer(model):
    return load_file(model.path / "model.safetensors")["classifier.weight"]
