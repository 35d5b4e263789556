"""`uxla init`: the files at hand become a configuration that runs."""

import pytest
from typer.testing import CliRunner

from uxla.cli.app import app
from uxla.config.run import load_config

TAGGED = "Ana\tB-PER\nlee\tO\n\nLima\tB-LOC\n\n"


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["init", *arguments])


def put(**files):
    from pathlib import Path

    for name, text in files.items():
        path = Path(name.replace("__", "/").replace("_dot_", "."))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_languages_and_uses_are_read_from_names_and_the_task_from_content(invoke, tmp_path):
    put(
        en__train_dot_conll=TAGGED * 3,
        en__dev_dot_conll=TAGGED,
        es__train_dot_txt="Ana lee\n",
        es__test_dot_conll=TAGGED,
    )
    done = invoke("es/test.conll", "en/train.conll", "es/train.txt", "en/dev.conll", "--model", "testbed")
    assert (done.exit_code, done.stdout) == (0, "")
    config = load_config("my.yaml")
    assert (config.task, config.model, config.source.name, config.target) == ("ner", "testbed", "en", ("es",))
    files = (config.source.train, config.source.dev, config.target_data.train, config.target_data.test)
    assert files == tuple(
        str(tmp_path / name) for name in ("en/train.conll", "en/dev.conll", "es/train.txt", "es/test.conll")
    )
    text = (tmp_path / "my.yaml").read_text(encoding="utf-8")
    assert "# 6 examples, labels LOC, PER" in text
    assert "# labelled: FILE" in text


@pytest.mark.parametrize(
    ("file", "language"),
    [
        ("en/wikiann-train.conll", "en"),
        ("ner/conll-2003-en.conll", "en"),
        ("swahili/train.conll", "swahili"),
        ("deu_Latn/train.conll", "deu"),
        ("x/tr ain.conll", "source"),
        ("tr ain/train.conll", "source"),
    ],
)
def test_a_language_is_named_only_where_one_word_can_be_meant(file, language, invoke, tmp_path):
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(TAGGED * 3, encoding="utf-8")
    put(es__train_dot_txt="Ana lee\n")
    assert invoke(file, "es/train.txt", "--model", "testbed").exit_code == 0
    assert (load_config("my.yaml").source.name, load_config("my.yaml").target) == (language, ("es",))


def test_a_model_with_signs_of_yaml_is_quoted(invoke):
    put(en__train_dot_conll=TAGGED, en__dev_dot_conll=TAGGED, es__train_dot_txt="Ana lee\n")
    assert invoke("en/train.conll", "en/dev.conll", "es/train.txt", "--model", "a: b # c").exit_code == 0
    assert load_config("my.yaml").model == "a: b # c"


def test_without_a_dev_set_the_last_checkpoint_is_taken_and_labels_of_a_target_are_offered(invoke):
    put(
        a__en_train_dot_tsv="text\tlabel\n" + "good\tja\nbad\tne\n" * 3,
        a__de_train_dot_tsv="text\tlabel\ngut\tja\nschlecht\tne\n",
    )
    assert invoke("a/en_train.tsv", "a/de_train.tsv", "--out", "a/de.yaml", "--task", "classification").exit_code == 0
    config = load_config("a/de.yaml")
    assert (config.task, config.source.name, config.target, config.methods) == (
        "classification",
        "en",
        ("de",),
        ("uxla",),
    )
    assert config.warmup.selection == "last"
    assert config.target_data.labelled == config.target_data.train


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["es/train.txt"], "es/train.txt: no labelled training file; give one, as en/train.conll"),
        (["en/train.conll"], "no training file of another language than en/train.conll"),
        (["nowhere.conll"], "nowhere.conll: no such file; check the path"),
        (["en/train.conll", "--out", "x.txt"], "x.txt"),
        (["en/train.conll", "--out", "there.yaml"], "--out there.yaml: exists already"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_written(files, said, invoke, tmp_path):
    put(en__train_dot_conll=TAGGED, es__train_dot_txt="Ana lee\n")
    (tmp_path / "there.yaml").write_text("")
    done = invoke(*files)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert not (tmp_path / "my.yaml").exists()
