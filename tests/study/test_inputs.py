"""How much of each file a run reads."""

import pytest

from uxla.config.run import load_config
from uxla.errors import ConfigError, DataError
from uxla.store.store import Store
from uxla.study.arguments import arguments_of, request_of
from uxla.study.inputs import load_inputs


@pytest.fixture
def inputs(tmp_path):
    """Of settings, the corpora of a run on 20 labelled sentences and a target with 30 of each kind."""
    for name, count in (("source", 20), ("target", 30), ("translated", 30)):
        lines = "\n\n".join(f"{name}\tO\nAna{i}\tB-PER" for i in range(count))
        (tmp_path / f"{name}.conll").write_text(lines + "\n", encoding="utf-8")
    parts = {"train": "target", "labelled": "target", "translated": "translated", "test": "target"}
    files = [f"target_data.{part}={tmp_path / name}.conll" for part, name in parts.items()]
    training = [f"{section}.{value}" for section in ("warmup", "adaptation") for value in ("batch_size=4", "epochs=1")]
    rates = ["warmup.learning_rate=1e-3", "adaptation.learning_rate=1e-3", "warmup.selection=last"]
    (tmp_path / "run.yaml").write_text(f"source: {{train: {tmp_path / 'source.conll'}}}\n", encoding="utf-8")
    settings = [*files, *training, *rates, "target=xx", "model=m"]
    return lambda *more: load_inputs(load_config(str(tmp_path / "run.yaml"), [*settings, *more]), Store(tmp_path))


def sizes(found):
    [target] = found.targets
    return [len(corpus) for corpus in (found.train, target.train, target.labelled, target.translated, target.test)]


def test_take_is_of_everything_that_a_training_reads(inputs):
    assert sizes(inputs()) == [20, 30, 30, 30, 30]
    assert sizes(inputs("target_data.take=5")) == [20, 5, 5, 5, 30]
    assert sizes(inputs("source.take=3")) == [3, 30, 30, 30, 30]


def test_a_source_with_one_label_only_is_refused(inputs, tmp_path):
    (tmp_path / "source.conll").write_text("koru\tO\nmira\tO\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"source\.conll: the only label is O, expected two or more to tell apart; is it"
    ):
        inputs()
    (tmp_path / "one.tsv").write_text("text\tlabel\nkoru\tja\nmira\tja\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"one\.tsv: the only label is ja"):
        inputs("task=classification", f"source.train={tmp_path / 'one.tsv'}")


def test_labelled_sentences_can_be_another_number(inputs):
    found = inputs("target_data.take=5", "target_data.labelled_take=12")
    assert sizes(found) == [20, 5, 12, 12, 30]
    assert sizes(inputs("target_data.labelled_take=12")) == [20, 30, 12, 12, 30]
    [target] = found.targets
    raw, labelled = ({example.segments for example in corpus} for corpus in (target.train, target.labelled))
    assert raw < labelled  # the labels of the raw sentences are among them, for the report


def test_several_files_are_one_part_and_a_value_of_where_may_name_the_target(tmp_path):
    rows = [("koru mira", "ja", "es"), ("sen", "ne", "fr"), ("tal", "ja", "es"), ("dav", "ne", "fr")]
    table = "text\tlabel\tlanguage\n" + "".join("\t".join(row) + "\n" for row in rows)
    for name in ("a.tsv", "b.tsv"):
        (tmp_path / name).write_text(table)
    (tmp_path / "run.yaml").write_text(
        "task: classification\nmodel: some/model\ntarget: [es, fr]\n"
        "source: {name: en, train: [a.tsv, b.tsv], where: {label: [ja, ne]}}\n"
        'target_data: {train: [a.tsv, b.tsv], test: a.tsv, where: {language: "{target}"}}\n'
        "warmup: {batch_size: 2, learning_rate: 1e-3, epochs: 1, selection: last}\n"
        "adaptation: {batch_size: 2, learning_rate: 1e-3, epochs: 1}\n"
    )
    config = load_config(str(tmp_path / "run.yaml"))
    assert config.source.train == (str(tmp_path / "a.tsv"), str(tmp_path / "b.tsv"))
    inputs = load_inputs(config, Store(tmp_path))
    assert (len(inputs.train), inputs.train.label_names) == (8, ("ja", "ne"))
    texts = [[example.segments[0] for example in target.train] for target in inputs.targets]
    assert texts == [["koru mira", "tal"] * 2, ["sen", "dav"] * 2]
    assert [len(target.test) for target in inputs.targets] == [2, 2]
    (tmp_path / "again.yaml").write_text(config.to_yaml())
    assert load_config(str(tmp_path / "again.yaml")) == config
    (tmp_path / "b.tsv").unlink()
    with pytest.raises(ConfigError, match=r"run\.yaml:4: no such file: .*b\.tsv"):
        load_config(str(tmp_path / "run.yaml"))


def test_rows_of_files_without_a_label_are_told_in_the_results_of_a_run(tmp_path):
    (tmp_path / "a.tsv").write_text("text\tlabel\nkoru\tja\nmira\t-\nsen\tne\n")
    (tmp_path / "run.yaml").write_text(
        "task: classification\nmodel: testbed\ntarget: es\nsource: {name: en, train: a.tsv}\n"
        "target_data: {train: a.tsv, test: a.tsv}\n"
        "warmup: {batch_size: 2, learning_rate: 1e-3, epochs: 1, selection: last}\n"
        "adaptation: {batch_size: 2, learning_rate: 1e-3, epochs: 1}\n"
    )
    config = load_config(str(tmp_path / "run.yaml"))
    told = request_of(**arguments_of(config, load_inputs(config, Store(tmp_path)))).inputs.left_out
    what = "1 of 3 rows have no label ('-' 1); they are left out. If it is a label, map it to a name (labels)"
    assert told == (f"en: {what}", f"es: test: {what}")


def test_only_the_languages_of_the_testbed_that_a_run_reads_are_made(tmp_path):
    store, sizes = Store(tmp_path), [f"testbed.{part}=20" for part in ("train", "unlabelled", "dev", "test")]
    found = load_inputs(load_config("testbed", [*sizes, "target=far"]), store)
    assert [example.segments for example in found.train]
    made = {place.name for folder in (tmp_path / "world").iterdir() for place in folder.iterdir() if place.is_dir()}
    assert made == {"source", "far"}
    with pytest.raises(ConfigError, match=r"testbed:far/raw: no such file for task ner; its files are dev\.conll, "):
        load_inputs(load_config("testbed", [*sizes, "target_data.train=testbed:far/raw"]), store)
