"""A configuration becomes the arguments of `adapt`, and these the same configuration."""

import pytest

from uxla.algorithm.cotraining import Epoch
from uxla.algorithm.distil import MostConfident
from uxla.config.documents import preset_names
from uxla.config.run import load_config
from uxla.corpora import labelled_like, raw, read
from uxla.errors import ConfigError
from uxla.methods.method import Method
from uxla.methods.registry import METHODS
from uxla.report.verdict import warnings_of
from uxla.study.arguments import arguments_of, request_of
from uxla.study.fine_tuning import FineTuning
from uxla.study.inputs import Inputs
from uxla.study.settings import UXLA
from uxla.targets import Target

ROWS = {
    "ner": [(["Ana", "sen"], ["B-PER", "O"]), (["ko", "mira"], ["O", "O"])],
    "nli": [("koru", "mira", "ja"), ("sen", "tal", "ne")],
    "paraphrase": [("koru", "mira", "ja"), ("sen", "tal", "ne")],
    "classification": [("koru mira", "ja"), ("sen tal", "ne")],
}
PARTS = ("dev", "test", "labelled", "translated")


def corpora(config):
    """Two examples for each file that the configuration names."""
    task, source, files = config.task, config.source, config.target_data
    train = read(ROWS[task], task=task, name=source.name, lang=source.name)
    dev, test = (labelled_like(train, train, task, f"{source.name} {part}") for part in ("dev", "test"))
    given = (dev if source.dev else None, test if source.test else None)
    targets = []
    for name in config.target:
        labelled = {part: labelled_like(train, train, task, f"{name} {part}") for part in PARTS if getattr(files, part)}
        targets.append(Target(raw(train, train, task, name), **labelled, name=name))
    return Inputs(train, *given, tuple(targets))


@pytest.fixture
def files(tmp_path):
    """Overrides that name a file for each key that a preset leaves open, and more."""
    (tmp_path / "a.conll").write_text("Ana B-PER\nsen O\n", encoding="utf-8")
    keys = [*(f"source.{part}" for part in ("train", "dev", "test"))]
    keys += [f"target_data.{part}" for part in ("train", *PARTS)]
    return [f"{key}={tmp_path}/a.conll" for key in keys]


def same(config):
    """The configuration that the arguments of a configuration come to."""
    return request_of(**arguments_of(config, corpora(config))).config


@pytest.mark.parametrize("preset", preset_names())
def test_the_arguments_of_a_preset_come_to_the_preset(preset, files):
    config = load_config(preset, [*files, "target=es", "model=testbed"])
    assert same(config) == config
    assert same(config).to_yaml() == config.to_yaml()


@pytest.mark.parametrize(
    "overrides",
    [
        ("target=[near, far]", "methods=[supervised, uxla]", "keep=estimated", "trace=0"),
        ("schedule=[{data: [source, target], select: {kind: clustering, threshold: 0.5, features: [length]}}]",),
        ("schedule=[{data: [target_vicinity, target], select: {kind: confidence, share: 1.0}}]", "order=alone"),
        ("agree={kind: token, min_agreed: 0.25}", "alpha=0.3", "collapse_share=1", "vicinity={share: 0.5, copies: 2}"),
        ("agree=none", "warmup.epochs=null", "warmup.max_steps=7", "adaptation.selection=target_dev", "seed=3"),
        ("source.take=5", "target_data.share=0.5", "source.labels={PER: ORG}", "mlm.epochs=2", "tracking=[mlflow]"),
        ("schedule=[{data: [labelled, source], select: {kind: confidence, share: 1.0}}]", "labelled_share=0.2"),
        ("task=nli", "vicinity.copies=[2, 1]", "precision=bf16", "tokens_per_batch=4096", "max_length=64"),
    ],
)
def test_the_arguments_of_other_settings_come_to_them_too(overrides):
    config = load_config("testbed", overrides)
    assert same(config) == config


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"schedule": []}, r"schedule: no such argument; give method=uxla.UXLA\(epochs=…\)"),
        ({"warmup": {}}, r"warmup: no such argument; give method=uxla.UXLA\(warm_up="),
        ({"target_data": {}}, r"target_data: no such argument; give target=uxla.Target"),
        ({"warm_up": {}}, r"warm_up: no such argument; give method=uxla.UXLA\(warm_up="),
        ({"epochs": 1}, r"epochs: no such argument; give .*UXLA\(epochs=…\), or those of a training in uxla.WarmUp\("),
    ],
)
def test_a_key_that_is_another_argument_is_told_to_be_one(given, said):
    with pytest.raises(ConfigError, match=f"^{said}"):
        request_of(read(ROWS["ner"]), ["ko"], model="testbed", method=UXLA(), **given)


def test_an_unknown_argument_is_answered_with_arguments_that_there_are():
    with pytest.raises(ConfigError, match=r"^foo: no such argument; expected one of \w") as caught:
        request_of(read(ROWS["ner"]), ["ko"], model="testbed", method=UXLA(), foo=1)
    names = str(caught.value).partition("expected one of ")[2].split(", ")
    assert {"model", "method", "baselines", "keep"} <= set(names)
    assert not {"warmup", "schedule", "alpha", "target_data", "tracking"} & set(names)


def test_rows_without_a_label_are_counted():
    rows, says = [("ko mira", "ja"), ("sen", None), ("tal", "ne")], "1 of 3 rows have no label (nothing 1); they are"
    inputs = request_of(rows, ["ko"], model="testbed", method=UXLA()).inputs
    assert len(inputs.train) == 2
    [told] = inputs.left_out
    assert told.startswith(f"source: {says} left out")
    other = read([*rows[::-1]], name="x", label_names=["ne", "ja"])
    target = Target(other, test=other, labelled=rows, name="es")
    found = request_of(read(rows, name="en"), target, dev=other, model="testbed", method=UXLA()).inputs.left_out
    assert [one.partition(f": {says}")[0] for one in found] == ["en", "en dev", "es: train", "es: test", "es: labelled"]
    of_another = warnings_of({"targets": {"es": {}, "fr": {}}, "warnings": found}, "fr")
    assert list(of_another) == list(found[:2])


@pytest.mark.parametrize("method", ["few_shot", UXLA(epochs=[Epoch(MostConfident(1.0), source=True, labelled=True)])])
def test_labelled_text_must_be_there_for_each_target_that_learns_from_it(method):
    train, few = read(ROWS["ner"], name="a"), Target(["ko"], labelled=ROWS["ner"], name="x")
    assert request_of(train, few, model="testbed", method=method).config.target_data.labelled
    with pytest.raises(ConfigError, match=r"needs labelled text of the target y; give uxla.Target\(raw, labelled=…\)"):
        request_of(train, {"x": few, "y": Target(["ko"])}, model="testbed", method=method)


def test_methods_are_run_in_the_order_that_is_asked_for():
    train = read(ROWS["ner"], name="a")
    target = Target(["ko mira"], test=ROWS["ner"], labelled=ROWS["ner"])
    names = ["supervised", "uxla", "zero_shot"]
    found = request_of(train, target, model="testbed", method=UXLA(), methods=names)
    assert [one.name for one in found.methods] == names
    in_order = request_of(train, target, model="testbed", method=METHODS["penalty"], baselines=["zero_shot"])
    assert [one.name for one in in_order.methods] == ["zero_shot", "penalty"]


@pytest.mark.parametrize(
    ("methods", "settings", "said"),
    [
        ([Method("uxla", "my own")], {}, "methods: 'uxla' is the name of another method .*; rename it"),
        (["zero_shot", Method("penalty", "my own")], {}, "methods: 'penalty' is the name of another method"),
        ([Method("x", "one"), Method("x", "two")], {}, "methods: two are named 'x'"),
        (
            [Method("x", "one", rank=None)],
            {},
            "method: x has rank None, so a run cannot deliver its models; give another",
        ),
        (
            ["uxla", Method("x", "one", rank=200)],
            {"keep": "estimated"},
            "keep: .* models are those of x; give keep='last' or method='uxla'",
        ),
        ([], {}, "methods: got .*, expected at least one entry"),
    ],
)
def test_a_method_of_ones_own_that_cannot_be_run_as_asked_is_one_error(methods, settings, said):
    train, target = read(ROWS["ner"], name="a"), Target(["ko mira"], test=ROWS["ner"])
    given = {"dev": read(ROWS["ner"], name="dev"), "methods": methods, **settings}
    with pytest.raises(ConfigError, match=f"^{said}"):
        request_of(train, target, model="testbed", method=UXLA(), **given)


def test_a_method_of_ones_own_may_stand_beside_one_that_no_run_is_for():
    train, target = read(ROWS["ner"], name="a"), Target(["ko mira"], test=ROWS["ner"])
    found = request_of(train, target, model="testbed", method=Method("x", "one"), baselines=["weight_mean"])
    assert found.config.methods == ("weight_mean", "x")


def test_the_splits_of_a_data_set_are_no_languages():
    import datasets

    rows = datasets.Dataset.from_dict({"text": ["ko mira"]})
    for target in (datasets.DatasetDict(train=rows, test=rows), {"train": ["ko mira"]}):
        with pytest.raises(ConfigError, match=f"^target: holds {', '.join(target)}; give one of them"):
            request_of(read(ROWS["classification"]), target, model="testbed", method=UXLA())


def test_a_mapping_of_columns_is_one_target_whose_labels_are_not_read():
    columns = {"text": ["ko mira", "sen"], "label": ["ja", "ne"]}
    [target] = request_of(read(ROWS["classification"]), columns, model="testbed", method=UXLA()).inputs.targets
    assert [(example.segments, example.labels) for example in target.train] == [(("ko mira",), None), (("sen",), None)]


@pytest.mark.parametrize(
    ("task", "meant"), [("text-classification", "classification"), ("token-classification", "ner"), ("tagging", None)]
)
def test_a_task_of_another_name_is_refused_with_ours(task, meant):
    said = f"task: got '{task}', expected one of ner, nli, paraphrase, classification" + (
        f"; did you mean {meant}?" if meant else ""
    )
    with pytest.raises(ConfigError) as caught:
        request_of(read(ROWS["ner"]), ["ko"], model="testbed", method=UXLA(), task=task)
    with pytest.raises(ConfigError) as of_learner:
        FineTuning("testbed", task=task)
    assert str(caught.value) == str(of_learner.value) == said


def test_data_in_memory_is_called_by_its_name_and_no_configuration_that_runs_again(tmp_path):
    train = read(ROWS["ner"], name="en")
    config = request_of(train, {"far": ["ko"]}, dev=ROWS["ner"], model="testbed", method=UXLA()).config
    assert (config.source.train, config.source.dev) == ("(in memory) en", "(in memory) en dev")
    text = config.to_yaml()
    assert "resolved; its data or its model was given in memory" in text.splitlines()[0]
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"config.yaml:\d+: \(in memory\) en: was given in memory; call uxla"):
        load_config(str(tmp_path / "config.yaml"))


def test_two_methods_of_one_name_are_refused():
    own = [Method("half", "A"), Method("half", "B")]
    with pytest.raises(ConfigError, match="methods: two are named 'half', expected a name each; rename one"):
        request_of(read(ROWS["ner"]), Target(["ko mira"]), model="testbed", method=UXLA(), methods=own)
