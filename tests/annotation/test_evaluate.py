"""A run's ensemble on a labelled file: the scores are those of its labels."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import uxla
from uxla import progress
from uxla.annotation.evaluate import _interval, evaluate, table_of
from uxla.cli.app import app
from uxla.errors import ConfigError, DataError
from uxla.metrics import span_scores
from uxla.records import IGNORED, Corpus, Example, Predictions

NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
ROWS = [(["Ana", "Cy", "lee"], ["B-PER", "I-PER", "O"]), (["en", "Lima"], ["O", "B-LOC"]), (["Bo"], ["B-MISC"])]


class Fixed:
    """An ensemble that gives these labels to any rows."""

    def __init__(self, labels, task="ner", names=NAMES):
        self.task, self.label_names, self.labels = task, names, labels

    def probabilities(self, corpus):
        flat = [self.label_names.index(label) for row in self.labels for label in row]
        offsets = np.cumsum([0, *map(len, self.labels)])
        return Predictions(np.eye(len(self.label_names), dtype=np.float32)[flat] * 0.9 + 0.02, offsets)


class Notes:
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_the_scores_are_those_of_the_labels_in_all_and_by_class():
    labels = [["B-PER", "O", "O"], ["O", "B-LOC"], ["B-PER"]]
    found = evaluate(Fixed(labels), ROWS)
    expected = span_scores([tags for _, tags in ROWS], labels, mode="conlleval")
    for got, want in (
        (found.total, expected.total),
        *((found.classes[t], expected.by_type[t]) for t in ("LOC", "PER")),
    ):
        assert (got.precision, got.recall) == pytest.approx((want.precision, want.recall))
        assert got.f1 == pytest.approx(want.f1)
        assert got.low <= got.f1 <= got.high
        assert got.gold == want.gold
    assert (found.classes["MISC"].gold, found.classes["MISC"].f1) == (1, 0.0), "the models have no such label"
    assert table_of(found).markdown().splitlines()[2].startswith("| all | 33.3 | 33.3 | 33.3 | ")


def test_of_whole_texts_the_total_is_accuracy():
    names = ("ja", "ne")
    rows = [("a b", "ja"), ("c d", "ne"), ("e f", "ne"), ("g h", "ja")]
    found = evaluate(Fixed([["ja"], ["ne"], ["ja"], ["ja"]], "classification", names), rows)
    assert (found.total.f1, found.total.precision, found.examples) == (75.0, 75.0, 4)
    assert [*found.classes] == ["ja", "ne"]


def test_what_has_no_gold_label_is_not_scored():
    partial = Corpus.from_examples("x", NAMES, [Example("x", "es", ("Ana Cy",), (IGNORED, 3))])
    found = evaluate(Fixed([["B-PER", "B-LOC"]]), partial)
    assert (found.total.f1, found.total.gold, [*found.classes]) == (100.0, 1, ["LOC"])
    texts = [Example("x", "es", ("a",), (0,)), Example("y", "es", ("b",), (IGNORED,))]
    found = evaluate(Fixed([["ja"], ["ja"]], "classification", ("ja",)), Corpus.from_examples("x", ("ja",), texts))
    assert (found.total.f1, [*found.classes]) == (100.0, ["ja"])


def test_the_interval_is_that_of_a_share():
    hits = np.zeros((400, 3), dtype=np.int64)
    hits[:, :2], hits[:100, 2] = 1, 1
    low, high = _interval(hits)
    assert low == pytest.approx(25 - 1.96 * 100 * (0.25 * 0.75 / 400) ** 0.5, abs=0.6)
    assert high == pytest.approx(25 + 1.96 * 100 * (0.25 * 0.75 / 400) ** 0.5, abs=0.6)


def test_text_without_labels_is_refused():
    with pytest.raises(DataError, match="has no labels"):
        evaluate(Fixed([["O"]]), uxla.read([["a"]], name="x").unlabelled())


def test_a_label_that_the_models_do_not_have_is_told_or_renamed():
    told = Notes()
    with progress.listening(told):
        evaluate(Fixed([["B-PER", "I-PER", "O"], ["O", "B-LOC"], ["B-PER"]]), ROWS, labels={"MISC": "PER"})
        assert told.notes == []
        evaluate(Fixed([["B-PER", "I-PER", "O"], ["O", "B-LOC"], ["B-PER"]]), ROWS)
        found = evaluate(Fixed([["ja"]], "classification", ("ja", "ne")), [("a b", "jo")])
    assert found.unknown == found.as_dict()["unknown"] == {"jo": 1}
    said = "counted as missed; if it has another name, set labels={'OLD': 'NEW'}"
    assert told.notes == [f"gold: the models have no {label}; {said}" for label in ("MISC (1 gold)", "jo (1 gold)")]


def test_the_task_is_that_of_the_models():
    with pytest.raises(ConfigError, match=r"^task: the run decides it \(ner\); leave it out"):
        evaluate(Fixed([["O"]]), ROWS, task="nli")


def test_the_command_renames_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("uxla.models.ensemble.Ensemble.load", lambda *_, **__: Fixed([["B-PER"], ["O"]]))
    gold = tmp_path / "gold.conll"
    gold.write_text("Ana\tB-PERSON\n\nlee\tO\n\n", encoding="utf-8")
    missed = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(gold)])
    assert (
        "the models have no PERSON (1 gold); counted as missed; if it has another name, set --labels OLD=NEW"
        in missed.stderr
    )
    renamed = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(gold), "--labels", "PERSON=PER"])
    assert "| PER | 100.0 | 100.0 | 100.0 |" in renamed.stdout
    none = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(gold), "--labels", "PERSON=null"])
    assert "| PER | 0.0 | 0.0 | 0.0 |" in none.stdout
    assert "the models have no" not in none.stderr
    wrong = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(gold), "--labels", "PERSON"])
    assert "--labels: got 'PERSON', expected OLD=NEW" in wrong.stderr


def test_the_command_prints_a_table_or_json(tmp_path, monkeypatch):
    monkeypatch.setattr("uxla.models.ensemble.Ensemble.load", lambda *_, **__: Fixed([["B-PER"], ["O"]]))
    gold = tmp_path / "gold.conll"
    gold.write_text("Ana\tB-PER\n\nlee\tO\n\n", encoding="utf-8")
    shown = CliRunner().invoke(app, ["evaluate", str(tmp_path), str(gold)])
    assert "| PER | 100.0 | 100.0 | 100.0 |" in shown.stdout
    found = json.loads(CliRunner().invoke(app, ["evaluate", str(tmp_path), str(gold), "--json"]).stdout)
    assert (found["total"]["f1"], found["classes"]["PER"]["gold"], found["examples"]) == (100.0, 1, 2)
    missing = CliRunner().invoke(app, ["evaluate", "nowhere", str(gold)])
    assert missing.stderr.startswith("uxla: error: nowhere: no such folder, expected one written by `uxla run`; check")
