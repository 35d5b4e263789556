"""Bad input through the command line: one line that says what, where, expected and remedy; exit 2; nothing written."""

import json
import shutil
from pathlib import Path

import pytest

import uxla.testbed
from uxla.testbed.world import write


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write(folder, train=20, unlabelled=10, dev=5, test=5)
    return folder


@pytest.fixture
def files(world, tmp_path):
    """A world's files in the working directory, to be spoilt."""
    shutil.copytree(world / "source", tmp_path / "en")
    shutil.copytree(world / "far", tmp_path / "es")
    return tmp_path


@pytest.fixture
def adapt_files(files, tiny, invoke):
    """`uxla run` on the files, up to where the first training would begin."""

    def run(*overrides):
        named = ("source.train=en/train.conll", "source.dev=en/dev.conll", "source.test=null", "testbed=null")
        named += ("target=es", "target_data.train=es/train.txt", "target_data.test=es/test.conll")
        named += ("target_data.dev=null", "target_data.labelled=null", "methods=[uxla]")
        options = [text for text in tiny if not text.startswith("testbed.")]
        return invoke("run", "testbed", *options, *named, *overrides, "--out", "out")

    return run


def refused(result, out, *said):
    """The one line on stderr, beside a bar that a busy machine has time to show, once all about it is checked."""
    assert result.exit_code == 2, (result.exit_code, result.exception, result.output)
    *bars, line = result.stderr.splitlines()
    assert line.startswith("uxla: error: ")
    assert all(bar.startswith("all 12 trainings: 0/12") for bar in bars), bars
    assert "Traceback" not in result.output
    assert result.stdout == ""
    for text in said:
        assert text in line, f"{text!r} is not in {line!r}"
    assert not Path(out).exists()
    return line


BAD_OVERRIDES = {
    "missing file": (
        ["source.train=en/trian.conll"],
        ["source.train", "no such file", "trian.conll", "check the path"],
    ),
    "folder for a file": (["target_data.train=es"], ["target_data.train", "is a folder", "expected a data file"]),
    "unknown key": (["warmup.epoch=2"], ["no key warmup.epoch", "did you mean warmup.epochs?"]),
    "batch that cannot fit": (["tokens_per_batch=32"], ["tokens_per_batch", "got 32", "max_length=64", "raise it or"]),
    "no room for a word": (["max_length=2"], ["max_length", "got 2", "8"]),
    "raw text as source": (["source.train=es/train.txt"], ["train.txt", "raw text has no labels", "a labelled file"]),
    "model folder missing": (["model=./nowhere"], ["nowhere", "no such folder", "save_pretrained"]),
    "hub unreachable": (
        ["model=nobody/no-such-model"],
        ["nobody/no-such-model", "Hub cannot be reached", "give a folder"],
    ),
    "hub id misspelt": (["model=no such model"], ["'no such model'", "give a folder"]),
    "source name as target": (["source.name=es"], ["target", "'es' is also the source's name", "another one"]),
    "label map onto nothing": (
        ["source.labels={PER: null}", "target_data.labels={PER: HUMAN}"],
        ["PER -> HUMAN", "LOC"],
    ),
    "share of nothing": (["source.share=0.001"], ["share 0.001 of 20 sentences is less than one", "raise the share"]),
}


@pytest.mark.parametrize(("overrides", "said"), BAD_OVERRIDES.values(), ids=BAD_OVERRIDES)
def test_a_setting_that_cannot_work_is_refused(overrides, said, adapt_files):
    refused(adapt_files(*overrides), "out", *said)


def replace_line(file, number, text):
    lines = file.read_text(encoding="utf-8").split("\n")
    lines[number - 1] = text
    file.write_text("\n".join(lines), encoding="utf-8")


BAD_FILES = {
    "wrong columns": (
        lambda en, es: replace_line(en / "train.conll", 3, "word\tX\tO\tO"),
        ["train.conll:3:", "4 columns", "expected 2"],
    ),
    "broken scheme in the source": (
        lambda en, es: replace_line(en / "train.conll", 3, "word\tQ-PER"),
        ["train.conll:3:", "Q-PER", "data check"],
    ),
    "unknown label in the test": (
        lambda en, es: replace_line(es / "test.conll", 2, "word\tB-DRUG"),
        ["test.conll:2:", "unknown type DRUG", "expected one of LOC, MISC, ORG, PER", "null"],
    ),
    "empty file": (
        lambda en, es: (en / "train.conll").write_text(""),
        ["train.conll", "empty", "expected at least one"],
    ),
    "blank lines only": (lambda en, es: (en / "dev.conll").write_text("\n \n\n"), ["dev.conll", "expected"]),
    "target without sentences": (
        lambda en, es: (es / "train.txt").write_text("\n\n"),
        ["train.txt", "no line has a word"],
    ),
    "latin-1": (
        lambda en, es: (es / "train.txt").write_bytes("uno dos\nmañana\n".encode("latin-1")),
        ["train.txt:2:", "0xf1", "not utf-8", "encoding: latin-1"],
    ),
    "binary": (
        lambda en, es: (es / "train.txt").write_bytes(b"PK\x03\x04\xff\xfe\x00"),
        ["train.txt: zip, not text", "unpack it"],
    ),
    "source without labels": (
        lambda en, es: (en / "train.conll").write_text("word\nword\n\n"),
        ["train.conll:1:", "no column of labels"],
    ),
}


@pytest.mark.parametrize(("spoil", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(spoil, said, files, adapt_files):
    spoil(files / "en", files / "es")
    refused(adapt_files(), "out", *said)


def _without(name):
    return lambda folder: (folder / name).unlink()


def _needs_code(folder):
    """A model of a kind that only the Python file beside it knows; the file ends the process."""
    (folder / "evil.py").write_text("import os\nos._exit(3)\n")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    autos = ("AutoConfig", "AutoModelForTokenClassification", "AutoModelForMaskedLM")
    config |= {"model_type": "evil", "auto_map": dict.fromkeys(autos, "evil.Evil")}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


BAD_MODELS = {
    "pickled weights": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        ["only safetensors", "pytorch_model.bin is a pickle", "allow_pickle_weights=true"],
    ),
    "code of its own": (_needs_code, ["Python code that comes with it", "trust_remote_code=true"]),
    "no weights": (_without("model.safetensors"), ["no *.safetensors file", "only safetensors"]),
    "no configuration": (_without("config.json"), ["config.json", "save_pretrained"]),
    "no tokenizer": (_without("tokenizer.json"), ["tokenizer"]),
    "damaged configuration": (lambda folder: (folder / "config.json").write_text("{"), ["model"]),
    "damaged weights": (lambda folder: (folder / "model.safetensors").write_bytes(b"not weights"), ["model"]),
    "model of too short a memory": (
        lambda folder: (folder / "config.json").write_text(
            (folder / "config.json").read_text().replace('"vocab_size": ', '"vocab_size": 9')
        ),
        ["model"],
    ),
}


@pytest.mark.parametrize(("spoil", "said"), BAD_MODELS.values(), ids=BAD_MODELS)
@pytest.mark.parametrize("key", ["model", "vicinity.model"])
def test_a_model_folder_that_cannot_be_used_is_refused(key, spoil, said, files, adapt_files):
    shutil.copytree(uxla.testbed.asset(), files / "model")
    spoil(files / "model")
    refused(adapt_files(f"{key}=model"), "out", *said)


def test_a_language_the_synthetic_world_lacks_is_refused_with_those_it_has(tiny, invoke):
    for language, remedy in (("fra", "did you mean far?"), ("xyz", "expected one of source, near, far, low, joined")):
        result = invoke("run", "testbed", *tiny, f"target={language}", "--out", "out")
        refused(result, "out", f"the testbed has no language '{language}'; {remedy}")


def test_a_synthetic_world_with_a_wrong_model_leaves_no_folder_either(tiny, invoke):
    refused(invoke("run", "testbed", *tiny, "model=./nowhere", "--out", "out"), "out", "nowhere")


CARDS = {
    "not JSON": "{",
    "a list": "[]",
    "no members": '{"version": 1, "task": "ner", "label_names": ["O"], "max_length": 64}',
    "a model elsewhere": '{"version": 1, "task": "ner", "members": ["../../x"], "label_names": ["O"], "max_length": 9}',
    "unknown task": '{"version": 1, "task": "chess", "members": [], "label_names": ["O"], "max_length": 64}',
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_a_damaged_ensemble_is_refused(card, invoke, tmp_path):
    (tmp_path / "run/ensemble").mkdir(parents=True)
    (tmp_path / "run/ensemble/ensemble.json").write_text(card)
    refused(invoke("predict", "run", "-", input=b"a b\n"), "out", "ensemble.json: damaged", "run the same `uxla run`")


def test_a_folder_without_a_run_is_refused(invoke, tmp_path):
    refused(
        invoke("predict", tmp_path, "-", input=b"a b\n"),
        "out",
        "no ensemble.json",
        "expected the folder of a finished run",
    )


def test_an_ensemble_whose_model_is_gone_is_refused(synchronous, invoke, tmp_path):
    shutil.copytree(synchronous.out, tmp_path / "run")
    shutil.rmtree(tmp_path / "run/models/2")
    refused(invoke("predict", "run", "-", input=b"a b\n"), "out", "models/2")
    card = json.loads((tmp_path / "run/ensemble/ensemble.json").read_text(encoding="utf-8"))
    assert card["members"][1].endswith("2")
