"""`uxla predict`: rows in which nothing stands, and texts that are null, have a row without an answer of their own."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def predicted(predict, tmp_path):
    """The rows that `uxla predict` writes in a format; empty cells are None."""

    def run(name, content, form, *arguments, task="classification"):
        result = predict(name, content, "--out", f"o.{form}", *arguments, task=task)
        assert result.exit_code == 0, result.stderr
        path = tmp_path / f"o.{form}"
        if form == "parquet":
            return pq.read_table(path).to_pylist()
        if form == "jsonl":
            return [json.loads(line) for line in path.read_text().splitlines() if line]
        rows = csv.DictReader(path.read_text().splitlines(), delimiter="," if form == "csv" else "\t")
        return [{key: cell or None for key, cell in row.items()} for row in rows]

    return run


def parquet(columns):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


EMPTY_IN_BETWEEN = {
    "x.jsonl": '{"text": "", "k": null}\n\n{"text": "b", "k": "1"}\n{"text": null}\n{}\n',
    "x.json": '[{"text": "", "k": null},\n{"text": "b", "k": "1"}, {"text": null},{}]',
    "x.csv": 'text,k\n\n"",\nb,1\n,\n"",""\n',
    "x.parquet": parquet({"text": ["", "b", None, ""], "k": pa.array([None, "1", None, None])}),
}


@pytest.mark.parametrize("name", EMPTY_IN_BETWEEN)
@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet"])
def test_rows_in_which_nothing_stands_stay_rows_in_every_format(name, form, predicted):
    rows = predicted(name, EMPTY_IN_BETWEEN[name], form)
    assert [(row.get("text") or None, row.get("k") or None, row["label"]) for row in rows] == [
        (None, None, None),
        ("b", "1", "n1"),
        (None, None, None),
        (None, None, None),
    ]


@pytest.mark.parametrize("name", EMPTY_IN_BETWEEN)
def test_running_text_in_which_nothing_stands_has_no_entities(name, predicted):
    rows = predicted(name, EMPTY_IN_BETWEEN[name], "parquet", task="ner")
    assert [row["entities"] for row in rows] == [[], [], [], []]


def test_cells_without_text_keep_what_they_are(predicted):
    rows = '{"text": "", "more": []}\n{"text": "b"}\n{"text": null}\n'
    nothing = {"label": None, "confidence": None}
    assert predicted("x.json", f"[{rows.strip().replace('}', '},')[:-1]}]", "jsonl") == [
        {"text": "", "more": [], **nothing},
        {"text": "b", "label": "n1", "confidence": 0.5},
        {"text": None, **nothing},
    ]
    words = {"tokens": [["Ana"], [], None], "by": ["x", "", None]}
    written = [
        {"tokens": ["Ana"], "by": "x", "tags": ["B-PER"]},
        {"tokens": [], "by": "", "tags": None},
        {"tokens": None, "by": None, "tags": None},
    ]
    for form in ("jsonl", "parquet"):
        assert predicted("x.parquet", parquet(words), form, task="ner") == written


def test_empty_rows_of_a_table_with_a_row_a_word_stay_between_its_words(predicted):
    raw = "Sentence #,Word\n1,Ana\n,\n1,va\n2,Lima\n,\n"
    rows = predicted("x.csv", raw, "jsonl", task="ner")
    assert [(row["Word"], row["tags"]) for row in rows] == [
        ("Ana", "B-PER"),
        ("", None),
        ("va", "O"),
        ("Lima", "B-PER"),
        ("", None),
    ]


def test_empty_rows_of_csv_have_as_many_cells_as_the_others(predict):
    result = predict("x.csv", 'text,k\na,1\n"",\n\nb,2', task="classification")
    assert result.stdout == 'text,k,label,confidence\na,1,n1,0.5000\n"",,,\n\nb,2,n1,0.5000'


def test_an_object_in_which_nothing_stands_gets_the_keys_of_the_answer(predict):
    raw = '{"text": "a"}\n\n{"text": ""}\n{ }\n{"text": "b"}\n'
    wanted = (
        '{"text": "a", "label": "n1", "confidence": 0.5}\n\n{"text": "", "label": null, "confidence": null}\n'
        '{"label": null, "confidence": null }\n{"text": "b", "label": "n1", "confidence": 0.5}\n'
    )
    for name in ("x.jsonl", "-"):
        assert predict(name, raw, task="classification").stdout == wanted


def test_a_sentence_without_words_is_a_block_without_lines(predict, tmp_path):
    for name, raw in (
        ("x.jsonl", '{"tokens": ["Ana"]}\n{"tokens": []}\n{"tokens": ["lee"]}\n'),
        ("x.parquet", parquet({"tokens": [["Ana"], [], ["lee"]]})),
        ("x.csv", 'tokens\nAna\n""\nlee\n'),
    ):
        assert predict(name, raw, "--out", "o.conll").exit_code == 0
        assert (tmp_path / "o.conll").read_text() == "Ana\tB-PER\n\n\nlee\tO\n"


@pytest.mark.parametrize("name", EMPTY_IN_BETWEEN)
def test_rows_in_which_nothing_stands_are_not_among_those_that_are_asked_for(name, predicted):
    for form in ("csv", "jsonl", "parquet"):
        [row] = predicted(name, EMPTY_IN_BETWEEN[name], form, "--where", "k=1")
        assert (row["text"], row["label"]) == ("b", "n1")


@pytest.mark.parametrize(
    ("rows", "task", "answers"),
    [
        (
            [{"text": "a", "k": 1}, {"text": None, "k": 2}, {"text": "b c", "k": 3}],
            "classification",
            ["n1", None, "n2"],
        ),
        ([{"text": None, "k": 1}, {"text": "Ana", "k": 2}], "ner", [0, 1]),
        ([{"tokens": None, "k": 1}, {"tokens": ["Ana"], "k": 2}], "ner", [None, ["B-PER"]]),
        ([{"tokens": None, "k": 1}, {"tokens": "Ana va", "k": 2}], "ner", [None, ["B-PER", "O"]]),
        ([{"first": "a", "second": None}, {"first": "a", "second": "b"}], "nli", [None, "n2"]),
    ],
)
def test_a_text_that_is_null_in_an_object_has_no_answer_and_stops_nothing(rows, task, answers, predicted):
    def answer(row):
        return len(row["entities"]) if "entities" in row else row.get("tags", row.get("label"))

    written = predicted("x.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows), "jsonl", task=task)
    assert list(map(answer, written)) == answers
    assert [{key: row[key] for key in old} for row, old in zip(written, rows, strict=True)] == rows


def test_a_text_that_an_object_does_not_have_is_still_an_error(predict):
    result = predict("x.jsonl", '{"text": "a"}\n{"k": 2}\n', task="classification")
    assert (result.exit_code, "x.jsonl:2: no value for 'text'; every object needs" in result.stderr) == (2, True)
