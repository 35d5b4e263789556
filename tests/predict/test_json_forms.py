"""`uxla predict`: `.jsonl` has one object a line and `.json` an array, whatever of the two is read."""

import json

import pytest

ARRAY = '[\n {"text": "a",\n  "k": [1, 2]},\n {"text": "b c", "k": "\\ud800"}\n]\n'
ANSWERS = [
    {"text": "a", "k": [1, 2], "label": "n1", "confidence": 0.5},
    {"text": "b c", "k": "\ud800", "label": "n2", "confidence": 0.5},
]


@pytest.mark.parametrize(("name", "out"), [("x.json", "o.jsonl"), ("x.json", "o.ndjson"), ("x.jsonl", "o.jsonl")])
def test_an_array_becomes_json_lines_where_that_is_asked_for(name, out, predict, tmp_path):
    result = predict(name, ARRAY, "--out", out, task="classification")
    assert result.exit_code == 0, result.stderr
    assert list(map(json.loads, (tmp_path / out).read_text().splitlines())) == ANSWERS


@pytest.mark.parametrize(("name", "out"), [("x.json", "o.json"), ("x.json", "o"), ("x.jsonl", "o"), ("x.json", None)])
def test_an_array_stays_as_it_is_where_json_or_nothing_else_is_asked_for(name, out, predict, tmp_path):
    result = predict(name, ARRAY, *(("--out", out) if out else ()), task="classification")
    written = (tmp_path / out).read_text() if out else result.stdout
    assert json.loads(written) == ANSWERS
    for answer in ANSWERS:
        written = written.replace(f', "label": "{answer["label"]}", "confidence": 0.5', "")
    assert written == ARRAY


def test_an_array_of_records_with_spans_becomes_json_lines_too(predict, tmp_path):
    records = [{"text": "ko\nMira", "label": []}, {"text": "tal", "label": [[0, 3, "LOC"]]}]
    found = {"start": 3, "end": 7, "text": "Mira", "label": "PER", "confidence": 0.75}
    wanted = [{**records[0], "predicted": [found]}, {**records[1], "predicted": []}]
    raw = json.dumps(records, indent=1)
    assert predict("x.json", raw, "--out", "o.jsonl").exit_code == 0
    assert list(map(json.loads, (tmp_path / "o.jsonl").read_text().splitlines())) == wanted
    assert predict("x.json", raw, "--out", "o.json").exit_code == 0
    assert json.loads((tmp_path / "o.json").read_text()) == wanted
    assert json.loads(predict("x.json", raw).stdout) == wanted
    assert predict("x.json", raw, "--out", "o.csv").exit_code == 0
    assert (tmp_path / "o.csv").read_text().splitlines()[0] == "tokens,tags"


def test_json_lines_called_json_are_not_written_into_json(predict, tmp_path):
    result = predict("x.json", '{"text": "a"}\n', "--out", "o.json", task="classification")
    assert (result.exit_code, (tmp_path / "o.json").exists()) == (2, False)
    assert "a JSON array is written only of one that is read; give FILE.jsonl" in result.stderr
