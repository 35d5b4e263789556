"""`uxla predict` reads whatever a run reads, from a file or from standard input, and says in one line what is wrong."""

import csv
import io
import json
import os
import re
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.models.mentions import Mention


def words_and_labels(stdout):
    blocks = stdout.removesuffix("\n").split("\n\n")
    return [[tuple(line.split("\t")) for line in block.split("\n")] for block in blocks]


MORNING = "Good morning\n" * 12


def found(stdout):
    return [
        (row["text"], [entity["text"] for entity in row["entities"]]) for row in map(json.loads, stdout.splitlines())
    ]


def test_lines_of_equally_many_words_on_standard_input_are_sentences(predict):
    assert found(predict("-", MORNING).stdout) == [("Good morning", ["Good"])] * 12


def test_a_file_that_could_be_conll_is_refused_until_its_format_is_said(predict):
    result = predict("in.txt", MORNING)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "every line has 2 columns; set --format conll, or --format text" in result.stderr
    assert predict("in.txt", MORNING, "--format", "text").stdout == predict("-", MORNING).stdout
    assert predict("in.txt", MORNING, "--format", "conll").stdout == "Good morning B-PER\n" * 12


def test_conll_on_standard_input_is_told_by_its_labels_or_asked_for(predict):
    conll = "Ana X O\nlee Y O\n\n" * 5
    assert predict("-", conll).stdout == conll.replace("X O", "X B-PER")
    assert predict("-", conll.replace(" ", "\t")).stdout == conll.replace("X O", "X B-PER").replace(" ", "\t")
    assert predict("-", "Ana\nlee\n", "--format", "conll").stdout == "Ana\tB-PER\nlee\tO\n"
    result = predict("-", "New\tYork\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "-: every line has 2 columns between TABs; set --format conll, or --format text" in result.stderr
    assert found(predict("-", "New\tYork\n", "--format", "text").stdout) == [("New\tYork", ["New", "York"])]


SENTENCES = [["Ana", "va\u00a0a", "Lima"], ["lee"]]
TAGS = [["B-PER", "O", "B-PER"], ["O"]]


def parquet(rows):
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


TABLES = {
    "in.jsonl": "".join(json.dumps({"id": i, "tokens": words}) + "\n" for i, words in enumerate(SENTENCES)),
    "in.csv": "id,tokens\r\n" + "".join(f"{i},{' '.join(words)}\r\n" for i, words in enumerate(SENTENCES)),
    "in.parquet": parquet([{"tokens": words, "ner_tags": [9] * len(words)} for words in SENTENCES]),
    "in.tsv": "".join(f"{' '.join(words)}\tx\n" for words in SENTENCES),
}
HOW = {"in.tsv": ("--columns", "tokens=0", "--no-header")}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_words_are_read_as_a_run_reads_them(name, predict, tmp_path):
    expected = [list(zip(*row, strict=True)) for row in zip(SENTENCES, TAGS, strict=True)]
    result = predict(name, TABLES[name], "--out", "out.conll", *HOW.get(name, ()))
    assert result.exit_code == 0, result.stderr
    assert words_and_labels((tmp_path / "out.conll").read_text("utf-8")) == expected
    alone = predict(name, TABLES[name], *HOW.get(name, ()))
    piped = predict("-", TABLES[name], "--format", name.removeprefix("in."), *HOW.get(name, ()))
    assert (piped.exit_code, piped.stdout) == (0, alone.stdout)


def test_the_suffix_of_out_asks_for_one_row_a_sentence(predict, tmp_path):
    conll = "\n\n".join(map("\n".join, SENTENCES))
    for suffix in ("jsonl", "csv", "parquet"):
        assert predict("in.conll", conll, "--out", f"out.{suffix}").exit_code == 0
    wanted = [{"tokens": words, "tags": tags} for words, tags in zip(SENTENCES, TAGS, strict=True)]
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()] == wanted
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == wanted
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [{key: cell.split(" ") for key, cell in row.items()} for row in rows] == wanted


def test_the_encoding_is_the_one_asked_for(predict):
    raw = "Ñ O\nó O\n".encode("latin-1")
    assert predict("in.conll", raw, "--encoding", "latin-1").stdout_bytes == "Ñ B-PER\nó O\n".encode("latin-1")
    text = predict("-", raw, "--encoding", "latin-1", "--format", "text")
    assert found(text.stdout) == [("Ñ O", ["Ñ", "O"]), ("ó O", ["O"])]


@pytest.mark.parametrize(
    ("content", "options", "task"),
    [
        ("id,review\n7,a b c\n", ("--format", "csv", "--columns", "text=review"), "classification"),
        ("a b\tc\n", ("--format", "tsv", "--no-header"), "paraphrase"),
        ('{"premise": "a b", "hypothesis": "c"}\n', ("--format", "jsonl"), "nli"),
    ],
)
def test_tables_of_texts_are_read_from_standard_input_too(content, options, task, predict):
    result = predict("-", content, *options, task=task)
    assert result.exit_code == 0, result.stderr
    assert re.search(r"\bn3\b.*\b0\.5", result.stdout)
    assert predict("in.data", content, *options, task=task).stdout == result.stdout


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("Ana lee\n", ("--columns", "tokens=0"), "columns: - has no columns by name"),
        ("Ana lee\n", ("--columns", "tokens"), "--columns: got 'tokens', expected ROLE=COLUMN"),
        (b"\xff\n", (), "-:1: byte 0xff is not utf-8"),
    ],
)
def test_what_is_wrong_on_standard_input_is_said_of_it_in_one_line(content, options, said, predict):
    result = predict("-", content, *options)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr


def test_what_cannot_be_written_is_said_so_where_the_input_comes_from_standard_input(predict, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "file" / "store"))
    (tmp_path / "file").write_text("")
    result = predict("-", "Ana lee\n", "--out", "out.jsonl")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("out", "left"),
    [
        (("--out", "out.conll"), "what was labelled is in the store; repeat the command to resume"),
        (("--out", "-"), "repeat the command to start again"),
        ((), "repeat the command to start again"),
    ],
)
def test_a_signal_leaves_no_half_of_a_file_and_is_told_as_what_it_is(out, left, predict, tmp_path):
    def ended(rows):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not reached")

    result = predict("in.conll", "Ana O\n", *out, answers=ended)
    assert (result.exit_code, result.stdout) == (75, "")
    assert result.stderr.startswith(f"uxla: terminated; {left}")
    assert not (tmp_path / "out.conll").exists()


def test_a_folder_is_no_file_to_write_and_that_is_said_before_any_work(predict):
    def never(rows):
        raise AssertionError("no sentence is labelled")

    for out in (".", "run", ".."):
        result = predict("in.conll", "Ana O\n", "--out", out, answers=never)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert f"{out}: cannot be written (it is a folder); give the name of a file" in result.stderr


@pytest.mark.parametrize("out", ["in.conll", "./deep/../in.conll", "link.conll"])
def test_the_file_that_is_read_is_never_written_over(out, predict, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "link.conll").symlink_to("in.conll")
    result = predict("in.conll", "Ana O\n", "--out", out)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "it is the input file" in result.stderr
    assert (tmp_path / "in.conll").read_text() == "Ana O\n"


@pytest.mark.parametrize("task", ["ner", "classification"])
@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_the_answer_to_nothing_is_nothing(content, task, predict, tmp_path):
    for name in ("in.txt", "in.jsonl", "in.conll", "-"):
        if name == "in.conll" and task == "classification":
            continue
        result = predict(name, content, task=task)
        assert (result.exit_code, result.stdout_bytes.strip(b"\xef\xbb\xbf"), result.stderr) == (0, b"", "")
    assert predict("in.txt", content, "--out", "o.jsonl", task=task).exit_code == 0
    assert (tmp_path / "o.jsonl").read_bytes() == b""
    assert predict("in.txt", content, "--out", "o.parquet", task=task).exit_code == 0
    assert pq.read_table(tmp_path / "o.parquet").num_rows == 0


@pytest.mark.parametrize(("name", "content"), [("x.csv", b"id,text\n"), ("x.tsv", b"id\ttext\n"), ("x.jsonl", b"\n\n")])
def test_a_table_without_rows_comes_back_with_the_names_of_the_answers(name, content, predict):
    result = predict(name, content, task="classification")
    cut = {"x.csv": b",", "x.tsv": b"\t"}.get(name)
    added = b"" if cut is None else cut + b"label" + cut + b"confidence"
    assert (result.exit_code, result.stdout_bytes) == (0, content.removesuffix(b"\n") + added + b"\n")


def test_lines_without_a_word_are_answered_too(predict):
    rows = [json.loads(line) for line in predict("-", "\n \t\n\u200b\n").stdout.splitlines()]
    assert [row["entities"] for row in rows] == [[], [], []]
    assert predict("x.conll", "\n\n").stdout == "\n\n"


COLUMNS = {
    "a column called text is text": ("x.csv", "id,text\n1,Mira-Sen.\n", (), "text", "entities"),
    "one that is named as text": (
        "x.csv",
        "id,review\n1,Mira-Sen.\n",
        ("--columns", "text=review"),
        "review",
        "entities",
    ),
    "one called tokens has words": ("x.csv", "id,tokens\n1,Mira-Sen.\n", (), "tokens", "tags"),
    "one that is named as tokens": ("x.csv", "id,text\n1,Mira-Sen.\n", ("--columns", "tokens=text"), "text", "tags"),
    "a list has words": ("x.jsonl", '{"id": 1, "text": ["Mira-Sen."]}\n', (), "text", "tags"),
    "a list that is written as text, too": ("x.csv", "id,text\n1,\"['Mira-Sen.']\"\n", (), "text", "tags"),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_a_column_has_running_text_or_words(case, predict, tmp_path):
    name, content, options, column, new = COLUMNS[case]
    result = predict(name, content, *options, "--out", "o.jsonl")
    assert result.exit_code == 0, result.stderr
    [row] = map(json.loads, (tmp_path / "o.jsonl").read_text().splitlines())
    assert list(row) == ["id", column, new]
    if new == "entities":
        assert [(found["start"], found["text"]) for found in row[new]] == [(0, "Mira-Sen")]


def test_text_is_cut_as_the_source_of_the_models_was_unless_the_user_says_otherwise(predict):
    text = "Ana-Li's 3.5\n"
    assert found(predict("-", text).stdout) == [(text[:-1], ["Ana-Li"])]
    assert found(predict("a.txt", text).stdout) == [(text[:-1], ["Ana-Li"])]
    assert found(predict("-", text, "--together", "apostrophes").stdout) == [(text[:-1], ["Ana", "Li's"])]
    assert found(predict("-", text, "--split", "spaces").stdout) == [(text[:-1], ["Ana-Li's"])]


def test_offsets_are_code_points_in_random_texts(predict, random_texts, tmp_path):
    texts = [text for text in random_texts(10_000) if text and not text.isspace()]
    content = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts))

    def every_other(rows):
        return [
            [Mention(i, i + 1 + (i % 3 == 0 and i + 1 < len(row)), "PER", 0.5) for i in range(0, len(row), 2)]
            for row in rows
        ]

    result = predict("x.jsonl", content, "--columns", "text=text", "--out", "o.jsonl", answers=every_other)
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == texts
    found = [(row["text"], entity) for row in rows for entity in row["entities"]]
    assert len(found) > 10_000
    assert all(text[entity["start"] : entity["end"]] == entity["text"] != "" for text, entity in found)


SURE = [Mention(0, 1, "PER", 0.9, ("O", 0.1)), Mention(2, 3, "LOC", 0.4, ("ORG", 0.3))]


def test_entities_below_the_threshold_are_dropped_and_second_labels_come_where_asked(predict):
    [row] = map(
        json.loads, predict("-", "Ana a Lima\n", "--threshold", "0.5", answers=lambda rows: [SURE]).stdout.splitlines()
    )
    assert row["entities"] == [{"start": 0, "end": 3, "text": "Ana", "label": "PER", "confidence": 0.9}]
    [row] = map(json.loads, predict("-", "Ana a Lima\n", "--top", "2", answers=lambda rows: [SURE]).stdout.splitlines())
    assert [entity["second"] for entity in row["entities"]] == [
        {"label": "O", "confidence": 0.1},
        {"label": "ORG", "confidence": 0.3},
    ]
    conll = predict("x.conll", "Ana O\na O\nLima O\n", "--threshold", "0.5", answers=lambda rows: [SURE])
    assert conll.stdout == "Ana B-PER\na O\nLima O\n"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "tsv"])
def test_a_text_without_a_sure_label_has_none_and_second_labels_have_columns(form, predict, tmp_path):
    def answers(rows):
        return [[Mention(0, 0, "yes", 0.9 if row[0] == "a" else 0.6, ("no", 0.1))] for row in rows]

    options = ("--threshold", "0.7", "--top", "2", "--out", f"o.{form}")
    result = predict("x.csv", "text\na\nb\n", *options, task="classification", answers=answers)
    assert result.exit_code == 0, result.stderr
    file = tmp_path / f"o.{form}"
    if form in ("csv", "tsv"):
        rows = list(csv.DictReader(file.read_text().splitlines(), delimiter="," if form == "csv" else "\t"))
    else:
        rows = (
            pq.read_table(file).to_pylist()
            if form == "parquet"
            else list(map(json.loads, file.read_text().splitlines()))
        )
    assert [(row["text"], row["label"] or None, float(row["confidence"])) for row in rows] == [
        ("a", "yes", 0.9),
        ("b", None, 0.6),
    ]
    assert [(row["second"], float(row["second_confidence"])) for row in rows] == [("no", 0.1)] * 2


def test_second_labels_of_entities_go_into_parquet(predict, tmp_path):
    assert (
        predict("x.txt", "Ana a Lima\n", "--top", "2", "--out", "o.parquet", answers=lambda rows: [SURE]).exit_code == 0
    )
    [row] = pq.read_table(tmp_path / "o.parquet").to_pylist()
    assert row["entities"][1]["second"] == {"label": "ORG", "confidence": 0.3}


def test_confidences_that_are_not_calibrated_are_said_to_be_so(predict, monkeypatch):
    said = "confidences are not calibrated"
    assert said not in predict("-", "Ana\n").stderr
    why = "a run whose source has a dev set with at least 20 answers calibrates them"
    assert f"{said}; {why}" in predict("-", "Ana\n", scaling=None).stderr
    assert f"{said}; this is one model in place of three" in predict("-", "Ana\n", scaling=None, members=1).stderr


@pytest.mark.parametrize(
    ("name", "out", "said"),
    [
        (
            "x.txt",
            "o.xlsx",
            "--out o.xlsx: no format known by the suffix '.xlsx'; give one of .tsv, .csv, .jsonl, .parquet",
        ),
        ("x.txt", "o.json", "--out o.json: a JSON array is written only of one that is read; give FILE.jsonl"),
    ],
)
def test_a_suffix_that_asks_for_no_format_is_refused(name, out, said, predict, tmp_path):
    result = predict(name, "Ana lee\n", "--out", out)
    assert (result.exit_code, said in result.stderr, (tmp_path / out).exists()) == (2, True, False)


def test_the_suffix_of_the_input_and_a_name_without_one_ask_for_its_own_format(predict, tmp_path):
    for out in ("o.data", "o"):
        assert predict("x.data", "Ana\tO\n\n", "--format", "conll", "--out", out).exit_code == 0
        assert (tmp_path / out).read_text() == "Ana\tB-PER\n\n"
