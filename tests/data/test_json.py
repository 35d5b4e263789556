"""JSON in whatever dress: lines or an array, called .json or not; what is JSON is never read as words."""

import json
from pathlib import Path

import pytest

from uxla.data.checks.check import check
from uxla.data.discover import open_rewritable
from uxla.data.load import discover_labels, load_corpus, stream_format
from uxla.errors import DataError

WORDS = [{"tokens": ["koru", "mira"], "ner_tags": ["O", "B-PER"]}, {"tokens": ["sen"], "ner_tags": ["B-LOC"]}]
TEXTS = [{"text": "koru mira", "label": "ja"}, {"text": "sen", "label": "ne"}]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def load(path, shape="tagging", **how):
    return load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False, shape=shape, **how)


@pytest.mark.parametrize("dress", [lines, json.dumps, lambda rows: json.dumps(rows, indent=2)])
def test_a_file_called_json_has_lines_or_an_array(dress, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(dress(WORDS))
    assert [example.words for example in load(path)] == [["koru", "mira"], ["sen"]]
    assert discover_labels(path) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert check(path).words == 3
    assert [row.record for row in open_rewritable(path).rows()] == WORDS
    path.write_text(dress(TEXTS))
    assert [example.segments for example in load(path, "single")] == [("koru mira",), ("sen",)]
    assert open_rewritable(path).shape == "single"


def test_a_fault_in_an_array_is_named_with_the_line_its_object_begins_in(tmp_path):
    (tmp_path / "x.json").write_text('[\n{"text": "koru",\n "label": "ja"},\n{"text": 5}\n]')
    with pytest.raises(DataError, match=r"x\.json:4: 'text' has a JSON int"):
        load(tmp_path / "x.json", "single")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (json.dumps({"version": 1, "data": TEXTS}), "all rows within 'data'; write the list alone"),
        (
            '{"text": {"0": "koru"}, "label": {"0": "ja"}}',
            r"has a JSON dict.*one flat object a line \(pandas: to_json\(orient='records'",
        ),
        ('{"columns": ["text"], "index": [0], "data": [["koru"]]}', "all rows within 'data'"),
        ('{\n  "text": "koru"\n}\n', r"without a line break in it \(jq -c"),
        ('{"text": "koru"},\n{"text": "mira"}\n', "not JSON"),
    ],
)
def test_nested_and_broken_forms_are_named_with_the_remedy(content, says, tmp_path):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=says):
        load(tmp_path / "x.json", "single")


@pytest.mark.parametrize("name", ["x.txt", "x.conll", "x.data", "x"])
@pytest.mark.parametrize("content", [lines(WORDS), json.dumps(WORDS), "\n" + json.dumps(WORDS, indent=1)])
@pytest.mark.parametrize("format", ["auto", "text", "conll"])
def test_json_is_not_read_as_words(name, content, format, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    for read in (load, check, lambda path, format: open_rewritable(path, format=format).count()):
        with pytest.raises(DataError, match=r"JSON.*, not text; set format: jsonl"):
            read(path, format=format)
    with pytest.raises(DataError, match="set format: jsonl"):
        stream_format(content.encode(), path=Path("-"))


@pytest.mark.parametrize("content", ["{ koru }\n{ mira }\n", '{"koru"}\n', "[ koru ]\n", "[\nmira\n", "[{\nkoru\n"])
def test_brackets_alone_are_words(content, tmp_path):
    (tmp_path / "x.txt").write_text(content)
    assert len(load(tmp_path / "x.txt", format="text")) == content.count("\n")
