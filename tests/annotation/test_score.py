"""Another tool's predictions beside a run's methods."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import uxla
from uxla.annotation.score import score_predictions
from uxla.cli.app import app
from uxla.errors import ConfigError, DataError
from uxla.metrics import span_f1
from uxla.records import IGNORED
from uxla.report.folder import RunFolder

NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
ROWS = [("Ana lives", (3, 0)), ("in Lima now", (0, 1, 0)), ("Bo Cy", (3, 4)), ("in Lima now", (0, 1, 0))]
THEIRS = [("B-PER", "O"), ("O", "O", "O"), ("B-PER", "O"), ("O", "B-MISC", "O")]


@pytest.fixture
def run(tmp_path):
    """A finished run of two methods: UXLA is right, zero-shot gives no label at all."""
    gold = [list(labels) for _, labels in ROWS]
    flat = pa.large_list(pa.int16())
    columns = {
        "id": [str(i) for i in range(len(ROWS))],
        "segments": [[text] for text, _ in ROWS],
        "gold": pa.array(gold, flat),
        "uxla": pa.array(gold, flat),
        "confidence": pa.array([[0.9] * len(row) for row in gold], pa.large_list(pa.float32())),
        "zero_shot": pa.array([[0] * len(row) for row in gold], flat),
    }
    (tmp_path / "run" / "predictions").mkdir(parents=True)
    table = pa.table(columns, metadata={"label_names": "\x00".join(NAMES), "final": "uxla"})
    pq.write_table(table, tmp_path / "run" / "predictions" / "far.parquet")
    one = {"mean": 50.0, "sd": 0.0, "models": [50.0], "strict_f1": 50.0}
    results = {"version": 2, "task": "ner", "metric": "f1", "selection": "last", "source": {"name": "en"}, "inputs": {}}
    results |= {"targets": {"far": {"zero_shot": one, "uxla": [one], "uxla_ensemble": one}}, "trainings": []}
    (tmp_path / "run" / "results.json").write_text(json.dumps(results | {"warnings": [], "estimates": {}}))
    return RunFolder.read(tmp_path / "run")


def conll(order=(0, 1, 2, 3), rows=ROWS, tags=THEIRS):
    words = [rows[i][0].split() for i in order]
    pairs = [zip(row, tags[i], strict=True) for row, i in zip(words, order, strict=True)]
    return "\n".join("".join(f"{word}\t{tag}\n" for word, tag in row) for row in pairs)


def test_the_score_is_the_metric_of_the_run_and_each_method_has_its_difference(run):
    found = score_predictions(run, [(text.split(), list(tags)) for (text, _), tags in zip(ROWS, THEIRS, strict=True)])
    gold = [[NAMES[label] for label in labels] for _, labels in ROWS]
    assert found.score == pytest.approx(span_f1(gold, THEIRS, mode="conlleval"))
    assert [*found.methods] == ["zero_shot", "uxla"], "in the order of tables"
    assert found.methods["uxla"].score == 100.0
    gain = found.methods["zero_shot"].difference
    assert gain.value == pytest.approx(found.score)
    assert gain.low <= gain.value <= gain.high


def test_the_order_of_sentences_makes_no_difference(run, tmp_path):
    (tmp_path / "a.conll").write_text(conll(), "utf-8")
    (tmp_path / "b.conll").write_text(conll([2, 0, 1, 3]), "utf-8")
    one, other = (score_predictions(run, tmp_path / name) for name in ("a.conll", "b.conll"))
    assert (one.score, one.methods) == (other.score, other.methods)


def test_spans_and_a_corpus_are_predictions_too(run, tmp_path):
    texts = [text for text, _ in ROWS]
    spans = [[[0, 3, "PER"]], [], [[0, 2, "PER"]], [[3, 7, "MISC"]]]
    lines = [json.dumps({"text": text, "label": own}) for text, own in zip(texts, spans, strict=True)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "a.conll").write_text(conll(), "utf-8")
    same = score_predictions(run, uxla.read(tmp_path / "a.conll"))
    assert score_predictions(run, tmp_path / "x.jsonl").score == same.score


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (conll(range(3)), r"sentence 4 of the test set is not here: 'in Lima now'; label each sentence"),
        (conll().replace("Ana\tB-PER", "An\tB-PER\na\tI-PER"), "sentence 1 of the test set has other words here"),
        (conll((0, 1, 2, 3, 3)), r"has 'in Lima now' more often than the test set; label each sentence"),
    ],
)
def test_a_sentence_that_is_missing_repeated_or_cut_otherwise_is_named(run, tmp_path, text, said):
    (tmp_path / "p.conll").write_text(text, "utf-8")
    with pytest.raises(DataError, match=said):
        score_predictions(run, tmp_path / "p.conll")


def test_words_without_a_predicted_label_are_refused(run, tmp_path):
    (tmp_path / "p.conll").write_text(conll(), "utf-8")
    whole = uxla.read(tmp_path / "p.conll")
    labels = whole.gold_labels.copy()
    labels[1] = IGNORED
    partial = whole.with_labels(labels, np.cumsum([0, *(len(example.words) for example in whole)]))
    with pytest.raises(DataError, match="some words have no label, expected the predicted ones; predict one for each"):
        score_predictions(run, partial)


def test_a_run_needs_the_target_and_its_test_set(run, tmp_path):
    (tmp_path / "p.conll").write_text(conll(), "utf-8")
    with pytest.raises(ConfigError, match=r"^target: got 'near'; expected one of far"):
        score_predictions(run, tmp_path / "p.conll", "near")
    (run.path / "predictions" / "far.parquet").unlink()
    with pytest.raises(ConfigError, match=r"the target far has no test set to score predictions on"):
        score_predictions(run, tmp_path / "p.conll")
    raw = uxla.read(["Ana lives"], task="ner")
    with pytest.raises(ConfigError, match="no test set"):
        score_predictions(run, raw)


@pytest.mark.parametrize(
    "option", [{"task": "nli"}, {"name": "theirs"}, {"labelled": False}], ids=lambda option: next(iter(option))
)
def test_what_the_run_decides_is_no_option(run, option):
    [name] = option
    with pytest.raises(ConfigError, match=f"^{name}: the run decides it .*; leave it out"):
        score_predictions(run, [(["Ana"], ["O"])], **option)


def test_the_command_prints_a_row_for_the_predictions_and_for_each_method(run, tmp_path):
    (tmp_path / "theirs.conll").write_text(conll(), "utf-8")
    shown = CliRunner().invoke(app, ["score", str(tmp_path / "theirs.conll"), "--against", str(run.path)])
    assert shown.exit_code == 0, shown.output
    rows = [line for line in shown.stdout.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0].strip("| ") for row in rows[2:]] == ["theirs.conll", "zero-shot", "UXLA"]
    assert np.isclose(float(rows[2].split("|")[2]), score_predictions(run, tmp_path / "theirs.conll").score, atol=0.01)
