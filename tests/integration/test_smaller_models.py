"""From a finished run to a smaller model, on the command line."""

import json
import re
import shutil

import pytest
from transformers import AutoTokenizer, pipeline
from typer.testing import CliRunner

import uxla
from uxla.cli.app import app
from uxla.compress.run import compress, teachers
from uxla.compress.trim import trim
from uxla.errors import ConfigError
from uxla.events import StageEnded
from uxla.records import Corpus, Example
from uxla.store.store import Store
from uxla.testbed import asset
from uxla.testbed.world import World


def test_a_trimmed_run_labels_its_text_as_the_one_model_of_the_run_does(synchronous, invoke, tmp_path):
    sentences = [words for words, _ in World(0).sentences("far", "test", 20)]
    (tmp_path / "far.txt").write_text("\n".join(map(" ".join, sentences)), encoding="utf-8")
    done = invoke("trim", synchronous.out, "far.txt", "--out", "small")
    assert done.exit_code == 0, done.output
    before, after = map(int, re.search(r"\| pieces \| (\d+) \| (\d+) \|", done.stdout.replace(",", "")).groups())
    assert after < before
    assert "Your text is read in the same pieces as before" in done.stdout
    answers = [pipeline("token-classification", model=str(folder)) for folder in (synchronous.out, tmp_path / "small")]
    text = " ".join(sentences[0])
    assert answers[0](text) == answers[1](text) != []
    labelled = invoke("predict", "small", "far.txt")
    assert labelled.exit_code == 0, labelled.output
    assert len(labelled.stdout.splitlines()) == len(sentences)
    again = invoke("trim", synchronous.out, "far.txt", "--out", "small")
    assert (again.exit_code, "small: exists already" in again.stderr) == (2, True)


def test_trimming_names_what_is_missing(invoke, tmp_path):
    (tmp_path / "far.txt").write_text("a b\n")
    assert "nowhere" in invoke("trim", "nowhere", "far.txt", "--out", "small").stderr
    assert "gone.txt" in invoke("trim", "nowhere", "gone.txt", "--out", "small").stderr


@pytest.fixture(scope="module")
def compressed(synchronous, tmp_path_factory):
    """A copy of a finished run, and its results after `uxla compress`."""
    folder = tmp_path_factory.mktemp("compressed") / "run"
    shutil.copytree(synchronous.out, folder)
    (folder / "report.html").write_text("tells of other results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UXLA_CACHE", str(synchronous.store))
        done = CliRunner().invoke(app, ["compress", str(folder)])
    assert done.exit_code == 0, done.output
    assert "| one model, compressed |" in done.stdout
    return folder


def test_a_compressed_run_has_another_model_of_its_own_and_a_row_for_it(synchronous, compressed):
    results = json.loads((compressed / "results.json").read_text(encoding="utf-8"))
    single = results["targets"]["far"]["single"]
    assert single["averaged"] == synchronous.results["targets"]["far"]["single"]["averaged"]
    assert single["cost"] == pytest.approx(1 / 3)
    assert "at a third of its cost" in (compressed / "table.md").read_text(encoding="utf-8").split("compressed:")[1]
    assert uxla.load(compressed).scores["far"]["compressed"].mean == single["compressed"]["mean"]
    assert not (compressed / "report.html").exists()
    weights = [(folder / "model.safetensors").read_bytes() for folder in (synchronous.out, compressed)]
    assert weights[0] != weights[1]
    assert isinstance(pipeline("token-classification", model=str(compressed))("ko mira sen"), list)
    for name in ("models/1/model.safetensors", "ensemble/ensemble.json", "config.yaml"):
        assert (compressed / name).read_bytes() == (synchronous.out / name).read_bytes()


def test_the_same_compression_is_found_in_the_store_and_gives_the_same_bytes(synchronous, compressed, tmp_path):
    begun = []
    store = Store(synchronous.store, emit=begun.append)
    taught_by = teachers(synchronous.out, store)
    scores = compress(taught_by, tmp_path / "alone")
    assert [event.hit for event in begun if isinstance(event, StageEnded) and event.stage == "student"] == [True]
    assert (
        scores["far"]["compressed"]
        == json.loads((compressed / "results.json").read_text())["targets"]["far"]["single"]["compressed"]
    )
    assert (tmp_path / "alone/model.safetensors").read_bytes() == (compressed / "model.safetensors").read_bytes()
    assert len(uxla.Ensemble.load(tmp_path / "alone").members) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UXLA_CACHE", str(tmp_path / "store"))
        uxla.load(synchronous.out).compress(tmp_path / "anew")
    assert (tmp_path / "anew/model.safetensors").read_bytes() == (compressed / "model.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="alone: exists already"):
        compress(taught_by, tmp_path / "alone")


def test_a_student_of_another_backbone_has_its_tokenizer_and_its_own_cost(synchronous, invoke, monkeypatch, tmp_path):
    monkeypatch.setenv("UXLA_CACHE", str(synchronous.store))
    texts = Corpus.from_examples("t", (), [Example("0", "", (" ".join(World(0).sentences("far", "test", 1)[0][0]),))])
    trim(asset(), texts, tmp_path / "backbone")
    done = invoke("compress", synchronous.out, "--backbone", "backbone", "--out", "small", "--epochs", "0.2")
    assert done.exit_code == 0, done.output
    sizes = [len(AutoTokenizer.from_pretrained(tmp_path / name)) for name in ("backbone", "small")]
    assert sizes[0] == sizes[1]
    assert uxla.Ensemble.load(tmp_path / "small").tag([["ko"]])


def test_what_cannot_be_compressed_is_said_before_any_training(synchronous, invoke, tmp_path):
    assert "nowhere: no such folder" in invoke("compress", "nowhere").stderr
    shutil.copytree(synchronous.out, tmp_path / "run")
    config = tmp_path / "run/config.yaml"
    config.write_text(config.read_text().replace("testbed:{target}/unlabelled", "(in memory) {target}"))
    assert "call compress on the result of uxla.adapt" in invoke("compress", "run").stderr
