"""`uxla predict`: row n answers row n, nothing that came is lost, and what it writes can be read again."""

import csv
import io
import json
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.checks.check import check
from uxla.data.load import load_corpus
from uxla.models.mentions import Mention

LABELS = ("O", "B-PER", "I-PER")


@pytest.fixture
def predicted(predict, tmp_path):
    """The bytes that `uxla predict` writes."""

    def run(name, content, *arguments, task="classification", out=None):
        result = predict(name, content, *arguments, *(("--out", out) if out else ()), task=task)
        assert result.exit_code == 0, result.stderr
        run.said = result.stderr
        return (tmp_path / out).read_bytes() if out else result.stdout_bytes

    return run


BESIDE = {
    "csv": (
        "x.csv",
        b'id,text\r\n7,"a, ""b"""\r\n\r\n08,"c\nd"',
        "single",
        b'id,text,label,confidence\r\n7,"a, ""b""",n2,0.5000\r\n\r\n08,"c\nd",n2,0.5000',
    ),
    "tsv": (
        "x.tsv",
        b'text\tid\na "b\t 1\n\nc\t2\n',
        "single",
        b'text\tid\tlabel\tconfidence\na "b\t 1\tn2\t0.5000\n\nc\t2\tn1\t0.5000\n',
    ),
    "bom": ("x.tsv", b"\xef\xbb\xbftext\nb\n", "single", b"\xef\xbb\xbftext\tlabel\tconfidence\nb\tn1\t0.5000\n"),
    "jsonl": (
        "x.jsonl",
        b'{"id":1.50, "text":"\\u00e9 b"}\n\n {"text": "c", "more": [1,  2]}',
        "single",
        b'{"id":1.50, "text":"\\u00e9 b", "label": "n2", "confidence": 0.5}\n\n'
        b' {"text": "c", "more": [1,  2], "label": "n1", "confidence": 0.5}',
    ),
    "json": (
        "x.json",
        b'[{"text": "a"},{"text": "b c"}]',
        "single",
        b'[{"text": "a", "label": "n1", "confidence": 0.5},{"text": "b c", "label": "n2", "confidence": 0.5}]',
    ),
    "words in csv": ("x.csv", b"id,tokens\n1,Ana va\n", "tagging", b"id,tokens,tags\n1,Ana va,B-PER O\n"),
    "words in jsonl": (
        "x.jsonl",
        b'{"tokens": ["Ana", "va"], "id": 3}\n',
        "tagging",
        b'{"tokens": ["Ana", "va"], "id": 3, "tags": ["B-PER", "O"]}\n',
    ),
}
RAW = {
    "text": ("x.txt", b"a b\n\n  \t\r\nc", "single", b"a b\tn2\t0.5000\n\n\r\nc\tn1\t0.5000"),
    "pairs": ("x.txt", b"a b\tc\n\nd\te\n", "pair", b"a b\tc\tn3\t0.5000\n\nd\te\tn2\t0.5000\n"),
}
TASKS = {"single": "classification", "pair": "nli", "tagging": "ner"}


@pytest.mark.parametrize("case", BESIDE)
def test_a_table_comes_back_byte_for_byte_with_the_answers_at_the_rows_ends(case, predicted):
    name, raw, shape, written = BESIDE[case]
    assert predicted(name, raw, task=TASKS[shape]) == written
    assert predicted(name, raw, task=TASKS[shape], out=name.replace("x.", "out.")) == written


@pytest.mark.parametrize("case", RAW)
def test_raw_text_is_written_as_tsv_where_that_is_asked_for(case, predicted):
    name, raw, shape, written = RAW[case]
    assert predicted(name, raw, task=TASKS[shape], out="out.tsv") == written


@pytest.mark.parametrize("case", [*BESIDE, *RAW])
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "tsv"])
def test_what_is_written_can_be_checked_and_read_again_in_every_format(case, form, predicted, tmp_path):
    name, raw, shape, _ = (BESIDE | RAW)[case]
    if form == "tsv" and (case == "csv" or shape == "tagging"):
        pytest.skip("a line break does not go into TSV; words go into CoNLL")
    if form == "parquet" and case in ("text", "pairs"):
        pytest.skip("Parquet has no blank rows")
    predicted(name, raw, task=TASKS[shape], out=f"out.{form}")
    how = {"header": not (form == "tsv" and name == "x.txt")}
    path = tmp_path / f"out.{form}"
    report = check(path, shape=shape, **how)
    if shape == "tagging":
        assert report.entities == {"PER": 1}
    else:
        assert sum(report.labels.values()) == report.sentences
    corpus = load_corpus(
        path, name="t", lang="x", label_names=tuple(report.labels) or LABELS, labelled=True, shape=shape, **how
    )
    source = {"header": True} | ({"format": "text"} if name == "x.txt" else {})
    before = load_corpus(tmp_path / name, name="t", lang="x", label_names=(), labelled=False, shape=shape, **source)
    assert [example.segments for example in corpus] == [example.segments for example in before]


@pytest.mark.parametrize(("form", "read"), [("csv", csv.DictReader), ("jsonl", lambda lines: map(json.loads, lines))])
@pytest.mark.parametrize(
    ("task", "text", "rows"),
    [
        ("classification", "a b\n\n  \nc\n", [("a b", "n2"), ("", None), ("", None), ("c", "n1")]),
        ("ner", "Ana va\n\nlee\n", [("Ana va", ["Ana"]), ("", []), ("lee", [])]),
    ],
)
def test_a_blank_line_of_raw_text_has_a_row_of_its_own(form, read, task, text, rows, predicted):
    lines = predicted("x.txt", text, task=task, out=f"o.{form}").decode().splitlines()

    def answer(row):
        if task == "classification":
            return row["label"] or None
        entities = json.loads(row["entities"]) if form == "csv" else row["entities"]
        return [entity["text"] for entity in entities]

    assert [(row["text"], answer(row)) for row in read(lines)] == rows


def test_words_of_raw_text_keep_a_block_a_line(predicted):
    assert predicted("x.txt", "Ana\n\nlee\n", task="ner", out="o.conll").decode() == "Ana\tB-PER\n\n\nlee\tO\n"


def test_a_single_text_is_text_and_a_pair_has_a_column_each(predicted):
    assert json.loads(predicted("x.txt", "a b\n", out="o.jsonl")) == {
        "id": 1,
        "text": "a b",
        "label": "n2",
        "confidence": 0.5,
    }
    written = predicted("x.txt", "a\tb\n", task="paraphrase", out="o.jsonl")
    assert json.loads(written) == {"id": 1, "first": "a", "second": "b", "label": "n2", "confidence": 0.5}


@pytest.mark.parametrize(
    ("name", "raw", "task", "answer"),
    [
        ("x.csv", "text,label\na,gold\n", "classification", "a,gold,n1,0.5000"),
        ("x.csv", "text,category\na,gold\n", "classification", "a,gold,n1,0.5000"),
        ("x.csv", "text,confidence\na,high\n", "classification", "a,high,n1,0.5000"),
        ("x.csv", "tokens,ner_tags\nAna,O\n", "ner", "Ana,O,B-PER"),
    ],
)
def test_labels_of_a_table_stay_and_the_answers_are_called_otherwise(name, raw, task, answer, predicted):
    header, row = predicted(name, raw, task=task).decode().splitlines()
    assert row == answer
    assert all(column.startswith("predicted_") for column in header.split(",")[2:])
    assert "the answers are called predicted_" in predicted.said
    again = predicted("y.csv", f"{header}\n{row}\n", task=task).decode().splitlines()[0]
    assert again.startswith(f"{header},predicted_predicted_")


def test_objects_with_other_keys_than_the_first_are_no_reason_to_lose_one(predicted):
    rows = '{"text": "a"}\n{"text": "b", "label": 3}\n'
    written = [json.loads(line) for line in predicted("x.jsonl", rows).splitlines()]
    assert written == [
        {"text": "a", "predicted_label": "n1", "predicted_confidence": 0.5},
        {"text": "b", "label": 3, "predicted_label": "n1", "predicted_confidence": 0.5},
    ]
    assert predicted("x.jsonl", rows, out="o.csv").decode().splitlines()[1:] == ["a,,n1,0.5000", "b,3,n1,0.5000"]


def test_parquet_keeps_its_types(predicted, tmp_path):
    table = pa.table({"id": pa.array([1, None], pa.int16()), "text": ["a b", "c"], "at": pa.array([0, 1], pa.date32())})
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"made": "here"}), stream)
    written = pq.read_table(io.BytesIO(predicted("x.parquet", stream.getvalue(), out="o.parquet")))
    assert written.schema.names == ["id", "text", "at", "label", "confidence"]
    assert written.schema.metadata[b"made"] == b"here"
    assert written.select(["id", "text", "at"]).equals(table)
    assert written["label"].to_pylist() == ["n2", "n1"]
    first, _ = map(json.loads, predicted("x.parquet", stream.getvalue()).splitlines())
    assert first == {"id": 1, "text": "a b", "at": "1970-01-01", "label": "n2", "confidence": 0.5}
    assert predicted("x.parquet", stream.getvalue(), out="o.csv").startswith(b"id,text,at,label,confidence\r\n1,a b,")


def test_a_table_without_names_stays_one(predicted):
    assert predicted("x.csv", "a b,1\n", "--no-header") == b"a b,1,n2,0.5000\n"
    assert json.loads(predicted("x.csv", "1,a b\n", "--no-header", "--columns", "text=1", out="o.jsonl")) == {
        "0": "1",
        "text": "a b",
        "label": "n2",
        "confidence": 0.5,
    }


def test_the_encoding_of_a_table_is_kept(predicted):
    raw = "text\ncaf\u00e9\n".encode("latin-1")
    assert predicted("x.csv", raw, "--encoding", "latin-1") == "text,label,confidence\ncaf\u00e9,n1,0.5000\n".encode(
        "latin-1"
    )
    raw = "text\ncaf\u00e9\n".encode("utf-16")
    assert (
        predicted("x.csv", raw, "--encoding", "utf-16").decode("utf-16")
        == "text,label,confidence\ncaf\u00e9,n1,0.5000\n"
    )


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("x.csv", 'id,text\n1,a\n2,"b\nc"\n', "x.csv:3: the text 'b c' has a TAB or a line break"),
        ("x.jsonl", '{"text": "a"}\n\n{"text": "b\\tc"}\n', "x.jsonl:3: the text 'b c' has a TAB"),
        ("x.txt", "a\nb\tc\n", "x.txt:2: the text 'b c' has a TAB"),
    ],
)
def test_what_tsv_cannot_hold_is_refused_with_the_line_of_the_input(name, raw, said, predicted, invoke, tmp_path):
    (tmp_path / name).write_text(raw)
    predicted("y.txt", "a\n")  # a toy is in place
    result = invoke("predict", "run", name, "--out", "o.tsv")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "use --out FILE.csv" in result.stderr


DIALECTS = {
    "semicolons": ("x.csv", 'id;text\n1;"a; b"\n', (), 'id;text;label;confidence\n1;"a; b";n2;0.5000\n'),
    "a quote of its own": ("x.csv", "text\n'a, b'\n", ("--quote", "'"), "text,label,confidence\n'a, b',n2,0.5000\n"),
    "no quotes": ("x.csv", 'text\n"a\n', ("--quote", "none"), 'text,label,confidence\n"a,n1,0.5000\n'),
    "quoted TSV": ("x.tsv", 'text\tid\n"a ""b"""\t1\n', (), 'text\tid\tlabel\tconfidence\n"a ""b"""\t1\tn2\t0.5000\n'),
    "bars": ("x.csv", "id|text\n1|a\n", ("--delimiter", "|"), "id|text|label|confidence\n1|a|n1|0.5000\n"),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_table_comes_back_in_its_own_dialect(name, predicted):
    file, raw, options, written = DIALECTS[name]
    assert predicted(file, raw, *options).decode() == written


EMPTY = {
    "csv": (
        "x.csv",
        "id,text\n1,a\n2,\n3, \n",
        "classification",
        "id,text,label,confidence\n1,a,n1,0.5000\n2,,,\n3, ,,\n",
    ),
    "tsv": (
        "x.tsv",
        "text\tid\na\t1\n\t2\n",
        "classification",
        "text\tid\tlabel\tconfidence\na\t1\tn1\t0.5000\n\t2\t\t\n",
    ),
    "json": (
        "x.jsonl",
        '{"id": 2, "text": ""}\n',
        "classification",
        '{"id": 2, "text": "", "label": null, "confidence": null}\n',
    ),
    "running text": ("x.csv", "id,text\n1,\n2,a\n", "ner", "id,text,entities\n1,,[]\n2,a,[]\n"),
    "words": ("x.csv", "tokens,id\na Lu,1\n,2\n", "ner", 'tokens,id,tags\na Lu,1,O B-PER\n,2,""\n'),
    "lists": ("x.jsonl", '{"id": 1, "tokens": []}\n', "ner", '{"id": 1, "tokens": [], "tags": null}\n'),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_text_has_no_answer_and_stops_nothing(name, predicted):
    file, raw, task, written = EMPTY[name]
    assert predicted(file, raw, task=task).decode() == written


def test_a_pair_of_which_one_text_is_empty_has_no_label(predicted):
    raw = '{"first": "a", "second": "b"}\n{"first": "", "second": "b"}\n'
    first, second = map(json.loads, predicted("x.jsonl", raw, task="nli").splitlines())
    assert (first["label"], second["label"]) == ("n2", None)


def test_a_line_of_raw_text_of_which_one_part_is_empty_has_no_label(predicted):
    rows = list(map(json.loads, predicted("x.txt", "a b\tc\na\t\n\tb\n\t\n", task="nli").splitlines()))
    assert [(row["first"], row["second"], row["label"]) for row in rows] == [
        ("a b", "c", "n3"),
        ("a", "", None),
        ("", "b", None),
        ("", "", None),
    ]


def test_a_missing_text_of_parquet_is_an_empty_one(predicted):
    table, stream = pa.table({"id": [1, 2], "text": ["a b", None]}), io.BytesIO()
    pq.write_table(table, stream)
    out = predicted("x.parquet", stream.getvalue(), out="o.parquet")
    assert pq.read_table(io.BytesIO(out))["label"].to_pylist() == ["n2", None]


ROWS = [{"text": "a", "lang": "es"}, {"text": "b c", "lang": "de"}, {"text": "a", "lang": "es"}]
FILES = {
    "x.csv": "text,lang\n\n" + "".join(f"{row['text']},{row['lang']}\n" for row in ROWS),
    "x.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
    "x.json": json.dumps(ROWS),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("form", ["csv", "jsonl", None])
def test_only_rows_that_were_asked_for_come_back(name, form, predicted):
    out = f"o.{form}" if form else None
    for where, words in (("lang=de", ["b c"]), ("lang=es", ["a", "a"])):
        written = predicted(name, FILES[name], "--where", where, out=out).decode()
        if written.startswith("["):
            rows = json.loads(written)
        elif written.startswith("{"):
            rows = list(map(json.loads, written.splitlines()))
        else:
            rows = list(csv.DictReader(io.StringIO(written, newline="")))
        assert [(row["text"], row["label"]) for row in rows] == [(text, f"n{len(text.split())}") for text in words]


# columns of CoNLL that hold no labels


@pytest.mark.parametrize(
    ("raw", "options", "written"),
    [
        ("Koru NOUN\nlee VERB\n", (), "Koru NOUN B-PER\nlee VERB O\n"),
        (
            "Mira\tB-PER\tann\nlee\tO\tann\n",
            (),
            "Mira\tB-PER\tann\tB-PER\nlee\tO\tann\tO\n",
        ),
        ("Mira\tO\tann\n", ("--label-column", "1"), "Mira\tB-PER\tann\n"),
        ("Koru NOUN\n", ("--label-column", "-1"), "Koru B-PER\n"),
        ("Koru _\n", (), "Koru B-PER\n"),
        ("Koru -\nlee -\n", (), "Koru B-PER\nlee O\n"),
        ("Koru\nlee\n", (), "Koru\tB-PER\nlee\tO\n"),
        ("Koru x O\n", (), "Koru x B-PER\n"),
    ],
)
def test_only_a_column_of_labels_is_written_over(raw, options, written, predicted):
    assert predicted("x.conll", raw, *options, task="ner").decode() == written
    added = "a new one at the end" in predicted.said
    old, new = (len(text.split("\n")[0].split()) for text in (raw, written))
    assert added == (new > old > 1)


# text with character spans


def test_records_with_spans_come_back_with_those_that_were_found(predicted, tmp_path):
    raw = '{"id":1, "text":"koru Mira-Sen.", "label":[[0,4,"LOC"]]}\n{"text": " ", "label": []}\n'
    found = (
        '[{"start": 5, "end": 9, "text": "Mira", "label": "PER", "confidence": 0.75}, '
        '{"start": 10, "end": 13, "text": "Sen", "label": "PER", "confidence": 0.75}]'
    )
    written = predicted("x.jsonl", raw, task="ner").decode()
    assert written == raw.replace("]]}", f']], "predicted": {found}}}').replace("[]}", '[], "predicted": []}')
    (tmp_path / "y.jsonl").write_text(written)
    assert check(tmp_path / "y.jsonl").entities == {"LOC": 1}
    assert '"predicted_predicted": [{' in predicted("y.jsonl", written, task="ner").decode()


def test_text_that_nobody_labelled_comes_back_labelled(predicted, tmp_path):
    written = predicted("x.jsonl", '{"text": "koru Mira."}\n', "--format", "spans", task="ner")
    (tmp_path / "y.jsonl").write_bytes(written)
    report = check(tmp_path / "y.jsonl")
    assert (report.format, report.entities) == ("spans", {"PER": 1})


def test_label_studio_stays_one_array_and_brat_becomes_json_lines(predicted, tmp_path):
    raw = '[\n  {"data": {"text": "Mira"}, "annotations": []}\n]\n'
    written = predicted("x.json", raw, task="ner").decode()
    assert json.loads(written)[0]["predicted"] == [
        {"start": 0, "end": 4, "text": "Mira", "label": "PER", "confidence": 0.75}
    ]
    assert (
        written.replace(
            ', "predicted": [{"start": 0, "end": 4, "text": "Mira", "label": "PER", "confidence": 0.75}]', ""
        )
        == raw
    )
    written = json.loads(predicted("a.txt", "Mira\n", "--format", "spans", task="ner"))
    assert written == {
        "text": "Mira",
        "predicted": [{"start": 0, "end": 4, "text": "Mira", "label": "PER", "confidence": 0.75}],
    }
    (tmp_path / "b.ann").write_text("T1\tLOC 0 4\tkoru\n")
    lines = predicted("b.txt", "koru Sen\n\nMira\n", task="ner").decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "text": "koru Sen",
            "label": [[0, 4, "LOC"]],
            "predicted": [{"start": 5, "end": 8, "text": "Sen", "label": "PER", "confidence": 0.75}],
        },
        {"text": "", "label": [], "predicted": []},
        {
            "text": "Mira",
            "label": [],
            "predicted": [{"start": 0, "end": 4, "text": "Mira", "label": "PER", "confidence": 0.75}],
        },
    ]
    for suffix in ("conll", "tsv"):
        assert predicted("b.txt", "koru Sen\n", task="ner", out=f"o.{suffix}").decode() == "koru\tO\nSen\tB-PER\n"
    assert predicted("b.txt", "koru Sen\n", task="ner", out="o.csv") == b"tokens,tags\r\nkoru Sen,O B-PER\r\n"
    rows = pq.read_table(io.BytesIO(predicted("b.txt", "koru Sen\n", task="ner", out="o.parquet"))).to_pylist()
    assert rows == [{"tokens": ["koru", "Sen"], "tags": ["O", "B-PER"]}]


def test_columns_that_parquet_cannot_hold_are_named_and_keys_of_later_objects_kept(predicted, invoke, tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a", "more": [1]}\n{"text": "b", "more": "c"}\n')
    predicted("y.jsonl", '{"text": "a"}\n{"text": "b", "id": 3}\n', out="o.parquet")
    assert pq.read_table(tmp_path / "o.parquet")["id"].to_pylist() == [None, 3]
    result = invoke("predict", "run", "x.jsonl", "--out", "p.parquet")
    assert result.exit_code == 2
    assert "x.jsonl: column 'more' does not go into Parquet" in result.stderr


@pytest.mark.parametrize(
    ("text", "options", "task", "written"),
    [
        (
            '{"text": "Mira.", "label": []}\n',
            (),
            "ner",
            '"predicted": [{"start": 0, "end": 4, "text": "Mira", "label": "PER", "confidence": 0.75}]}\n',
        ),
        ('\n[\n {"text": "a b"}]', (), "classification", '[\n {"text": "a b", "label": "n2", "confidence": 0.5}]'),
        ('{"tokens": ["Mira"]}\n', (), "ner", '{"tokens": ["Mira"], "tags": ["B-PER"]}\n'),
        (
            "Mira-Sen.\n",
            ("--format", "spans"),
            "ner",
            '{"start": 5, "end": 8, "text": "Sen", "label": "PER", "confidence": 0.75}]}\n',
        ),
        ("[Mira] tal\n{x\n", (), "ner", '{"id": 2, "text": "{x", "entities": []}\n'),
        (
            "x [Mira]\n",
            (),
            "ner",
            '[{"start": 3, "end": 7, "text": "Mira", "label": "PER", "confidence": 0.75}]}\n',
        ),
        ("x [Mira]\n", ("--split", "spaces"), "ner", '"entities": []}\n'),
    ],
)
def test_json_on_standard_input_is_read_as_such_and_brackets_in_text_are_text(
    text, options, task, written, predicted, invoke
):
    predicted("y.txt", "a\n", task=task)  # a toy is in place
    result = invoke("predict", "run", "-", *options, input=text.encode())
    assert result.exit_code == 0, result.stderr
    assert result.stdout.endswith(written)


def test_a_note_about_standard_input_names_it_so(predicted, invoke):
    predicted("y.txt", "a\n", task="ner")  # a toy is in place
    result = invoke("predict", "run", "-", "--format", "conll", input=b"Koru NOUN\n")
    assert (result.stdout, result.stderr[:2]) == ("Koru NOUN B-PER\n", "-:")


def test_a_mark_before_records_with_spans_is_kept(predicted):
    raw = b'\xef\xbb\xbf{"text": "tal", "label": []}\n'
    assert predicted("x.jsonl", raw, task="ner") == raw.replace(b"[]}", b'[], "predicted": []}')


def test_a_folder_of_brat_is_labelled_as_one_file(predicted, invoke, tmp_path):
    predicted("x.txt", "koru\n", task="ner")
    (tmp_path / "notes").mkdir()
    for name, text in (("a", "Mira sen\n"), ("b", "tal\n")):
        (tmp_path / "notes" / f"{name}.txt").write_text(text)
        (tmp_path / "notes" / f"{name}.ann").touch()
    rows = [json.loads(line) for line in invoke("predict", "run", "notes").stdout.splitlines()]
    found = [{"start": 0, "end": 4, "text": "Mira", "label": "PER", "confidence": 0.75}]
    assert [(row["text"], row["predicted"]) for row in rows] == [("Mira sen", found), ("tal", [])]
    result = invoke("predict", "run", "run")
    assert (result.exit_code, "run: cannot be read (Is a directory)" in result.stderr) == (2, True)


@pytest.mark.parametrize("task", ["classification", "ner"])
def test_blank_lines_in_parquet_are_read_as_blank_lines(predicted, tmp_path, task):
    predicted("x.txt", "koru Mira\n\nsen\n", task=task, out="o.parquet")
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 3
    assert check(tmp_path / "o.parquet", shape="tagging" if task == "ner" else "single").sentences == 2


def test_blanks_in_an_empty_line_of_json_lines_do_not_count(predicted):
    answer = b', "label": "n1", "confidence": 0.5}'
    raw = b'{"text":"koru","n":1e3}\n \t\n\n{"text":"\\u006dira"}'
    assert predicted("x.jsonl", raw) == raw.replace(b"}", answer)


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_dates_of_parquet_have_no_quotes_in_a_text_table(form, predicted, tmp_path):
    table = pa.table({"text": ["koru"], "day": [datetime(2031, 5, 4, 3, 2)], "ok": [True], "n": [1.5]})
    pq.write_table(table, tmp_path / "koru.parquet")
    written = predicted("koru.parquet", (tmp_path / "koru.parquet").read_bytes(), out=f"o.{form}").decode()
    cut = {"csv": ",", "tsv": "\t"}[form]
    assert written.splitlines()[1] == cut.join(["koru", "2031-05-04 03:02:00", "true", "1.5", "n1", "0.5000"])


def test_json_lines_never_get_the_name_of_a_brat_file(predicted, invoke, tmp_path):
    predicted("x.txt", "koru\n", task="ner")
    (tmp_path / "x.ann").touch()
    result = invoke("predict", "run", "x.ann", "--out", "o.ann")
    assert (result.exit_code, (tmp_path / "o.ann").exists()) == (2, False)
    assert "--out o.ann: brat's .ann cannot be written; give FILE.jsonl" in result.stderr


PAIRS = {
    "x.txt": "a b\tc d\n",
    "x.csv": "first,second\na b,c d\n",
    "x.jsonl": '{"first": "a b", "second": "c d"}\n',
}


@pytest.mark.parametrize("name", PAIRS)
def test_only_second_best_labels_are_called_otherwise_beside_a_second_text(name, predict, tmp_path):
    answers = [[Mention(0, 0, "yes", 0.9, ("no", 0.1))]]
    result = predict(name, PAIRS[name], "--top", "2", "--out", "o.jsonl", task="nli", answers=lambda rows: answers)
    row = json.loads((tmp_path / "o.jsonl").read_text())
    names = ["first", "second", "label", "confidence", "predicted_second", "predicted_second_confidence"]
    assert [key for key in row if key != "id"] == names
    assert [row[key] for key in names] == ["a b", "c d", "yes", 0.9, "no", 0.1]
    assert f"{name}: there is a column 'second' already, which stays; the answers are called" in result.stderr
    assert predict(name, PAIRS[name], task="nli").stderr == ""


def test_why_answers_are_called_otherwise_is_said_as_it_is(predicted):
    predicted("x.csv", "text,confidence\na,high\n")
    assert "x.csv: there is a column 'confidence' already, which stays; the answers are called" in predicted.said
    predicted("x.csv", "text,label\na,gold\n")
    assert "x.csv: has labels, which stay; the answers are called predicted_label, pred" in predicted.said
