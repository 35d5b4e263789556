"""The page about other tools: each finds the entities that uxla finds, or those of the stated difference."""

import re
from pathlib import Path

import numpy as np
import pytest
from transformers import pipeline

import uxla
from uxla.decoding import decode
from uxla.models.ensemble import Ensemble
from uxla.models.runtime import Runtime
from uxla.testbed.world import World

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "other-tools.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:Tokenizer does not"
)


@pytest.fixture(scope="module")
def words():
    return [found for found, _ in World(0).sentences("far", "test", 300)]


@pytest.fixture(scope="module")
def run(adapt, tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    return adapt(folder / "run", folder / "store", *tiny, "methods=[zero_shot]", "warmup.epochs=10").out


def ran(title, run, onnx="onnx"):
    """What the Python of a section leaves."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    code = re.findall(r"^```python\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE)[0]
    names = {"__name__": title}
    exec(code.replace('"runs/es"', repr(str(run))).replace('"onnx', f'"{onnx}'), names)
    return names


def entities(run, texts):
    return [{(e.start, e.end, e.label) for e in found} for found in uxla.load(run).ensemble.predict(texts)]


def test_spacy_finds_the_same_entities(run, words):
    texts = [" ".join(sentence) for sentence in words]
    expected = entities(run, texts)
    assert sum(map(len, expected)) > 100
    nlp = ran("spaCy", run)["nlp"]
    found = [{(e.start_char, e.end_char, e.label_) for e in doc.ents} for doc in nlp.pipe(texts)]
    assert found == expected
    assert {(e.start_char, e.end_char, e.label_) for e in nlp(texts[0]).ents} == expected[0]


def test_presidio_finds_the_same_entities(run, words):
    texts = [" ".join(sentence) for sentence in words]
    analyzer = ran("Presidio", run)["analyzer"]
    found = [{(e.start, e.end, e.entity_type) for e in analyzer.analyze(text, language="es")} for text in texts]
    assert found == entities(run, texts)


def test_onnxruntime_gives_the_same_probabilities(run, words, invoke, tmp_path):
    done = invoke("export", str(run), "--to", "onnx", "--out", str(tmp_path / "onnx"))
    assert done.exit_code == 0, done.output
    probabilities = ran("ONNX", run, tmp_path / "onnx")["probabilities"]
    expected = uxla.load(run).ensemble.probabilities(words)
    found = np.exp(np.concatenate([probabilities(sentence) for sentence in words]))
    assert np.abs(found - expected.probs).max() < 1e-4
    assert (found.argmax(1) == expected.pseudo_labels).all()
    again = invoke("export", str(run), "--to", "onnx", "--out", str(tmp_path / "onnx"))
    assert again.exit_code == 2
    assert "exists already; give the name of a new folder" in again.output


def test_a_pipeline_by_the_cards_call_differs_only_where_the_likeliest_labels_are_no_valid_sequence(run, words):
    """The model in the folder through `first` and `simple`, against the entities that uxla finds with it alone."""
    texts = [" ".join(sentence) for sentence in words]
    folder = uxla.load(run).ensemble
    alone = Ensemble.of("ner", folder.label_names, [run], run, Runtime("cpu", 64))
    found = alone.probabilities(words)
    decoded = np.split(decode(found, alone.label_names) == found.pseudo_labels, found.offsets[1:-1])
    valid = [bool(same.all()) for same in decoded]
    first = ran("transformers", run)["label"]
    card = (run / "README.md").read_text(encoding="utf-8")
    assert 'pipeline("token-classification", model=".", aggregation_strategy="first", stride=32)' in card
    same = same_as(alone, first, texts)
    assert all(same[i] for i, sure in enumerate(valid) if sure)
    assert sum(valid) > 100
    simple = pipeline("token-classification", model=str(run), aggregation_strategy="simple")
    assert sum(same_as(alone, simple, texts)) < sum(valid) / 2


def same_as(ensemble, label, texts):
    expected = [{(e.start, e.end, e.label) for e in found} for found in ensemble.predict(texts)]
    found = [{(e["start"], e["end"], e["entity_group"]) for e in each} for each in label(texts)]
    return [one == other for one, other in zip(found, expected, strict=True)]
