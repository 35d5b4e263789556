"""`uxla predict`: whatever a run reads comes back labelled; what was not asked to change does not."""

import csv
import io
import json
import os
import re
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.testbed.world import World


@pytest.fixture(scope="module")
def sentences():
    return [words for words, _ in World(0).sentences("far", "test", 3)]


def test_raw_text_from_standard_input_comes_back_as_words_and_labels(synchronous, sentences, invoke):
    text = "".join(" ".join(words) + "\n" for words in sentences)
    result = invoke("predict", synchronous.out, "-", input=text.encode())
    assert result.exit_code == 0, result.stderr
    blocks = [block.split("\n") for block in result.stdout.strip("\n").split("\n\n")]
    assert [[line.split("\t")[0] for line in block] for block in blocks] == sentences
    assert {line.split("\t")[1][:2] for block in blocks for line in block} <= {"O", "B-", "I-"}


def test_a_file_and_standard_input_are_labelled_alike(synchronous, sentences, invoke, tmp_path):
    text = "\n".join(" ".join(words) for words in sentences)
    (tmp_path / "in.txt").write_text(text, encoding="utf-8")
    piped = invoke("predict", synchronous.out, "-", input=text.encode())
    assert invoke("predict", synchronous.out, "in.txt").stdout == piped.stdout
    assert invoke("predict", synchronous.out, "in.txt", "--out", "out.conll").stdout == ""
    assert (tmp_path / "out.conll").read_text(encoding="utf-8") == piped.stdout


def test_only_the_label_column_of_a_conll_file_changes(synchronous, sentences, invoke, tmp_path):
    lines = ["-DOCSTART- -X- O O", ""]
    for words in sentences:
        lines += [f"{word}  N\u00a0{i} x{i} B-ODD" for i, word in enumerate(words)] + ["  "]
    before = ("\ufeff" + "\r\n".join(lines)).encode()
    (tmp_path / "in.conll").write_bytes(before)
    result = invoke("predict", synchronous.out, "in.conll", "--out", "out.conll")
    assert result.exit_code == 0, result.stderr
    after = (tmp_path / "out.conll").read_bytes()
    rows = list(zip(before.decode().split("\r\n"), after.decode().split("\r\n"), strict=True))
    words = [(old, new) for old, new in rows if "B-ODD" in old]
    assert len(words) == sum(map(len, sentences))
    assert all(new.rpartition(" ")[0] == old.rpartition(" ")[0] for old, new in words)
    assert "B-ODD" not in after.decode()
    assert all(old == new for old, new in rows if "B-ODD" not in old)


def test_words_no_tokenizer_piece_stands_for_get_a_label_too(synchronous, invoke):
    odd = "\u200b \ufe0f 日本語 नमस्ते <mask> </s> " + "x" * 300
    result = invoke("predict", synchronous.out, "-", input=f"{odd}\n".encode())
    assert result.exit_code == 0, result.stderr
    assert [line.split("\t")[0] for line in result.stdout.strip("\n").split("\n")] == odd.split(" ")


def test_a_sentence_longer_than_the_model_gets_one_label_a_word(synchronous, sentences, invoke):
    words = [word for sentence in sentences for word in sentence] * 20
    result = invoke("predict", synchronous.out, "-", input=" ".join(words).encode())
    assert [line.split("\t")[0] for line in result.stdout.strip("\n").split("\n")] == words


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_input_is_a_one_line_error(content, synchronous, invoke, tmp_path):
    (tmp_path / "in.txt").write_bytes(content)
    for result in (
        invoke("predict", synchronous.out, "-", input=content),
        invoke("predict", synchronous.out, "in.txt", "--out", "out.conll"),
    ):
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
        assert "expected" in result.stderr
    assert not (tmp_path / "out.conll").exists()


def words_and_labels(stdout):
    blocks = stdout.removesuffix("\n").split("\n\n")
    return [[tuple(line.split("\t")) for line in block.split("\n")] for block in blocks]


MORNING = "Good morning\n" * 12


def test_lines_of_equally_many_words_on_standard_input_are_sentences(predict):
    assert words_and_labels(predict("-", MORNING).stdout) == [[("Good", "B-PER"), ("morning", "O")]] * 12


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
    assert words_and_labels(predict("-", "New\tYork\n", "--format", "text").stdout) == [
        [("New", "B-PER"), ("York", "B-PER")]
    ]


SENTENCES = [["Ana", "va\u00a0a", "Lima"], ["lee"]]
TAGS = [["B-PER", "O", "B-PER"], ["O"]]


def parquet(rows):
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


TABLES = {
    "in.jsonl": "".join(json.dumps({"id": i, "tokens": words}) + "\n" for i, words in enumerate(SENTENCES)),
    "in.csv": "id,text\r\n" + "".join(f"{i},{' '.join(words)}\r\n" for i, words in enumerate(SENTENCES)),
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


@pytest.mark.parametrize("name", ["in.txt", "in.conll"])
def test_the_suffix_of_out_asks_for_one_row_a_sentence(name, predict, tmp_path):
    texts = {"in.txt": "\n".join(map(" ".join, SENTENCES)), "in.conll": "\n\n".join(map("\n".join, SENTENCES))}
    for suffix in ("jsonl", "csv", "parquet"):
        assert predict(name, texts[name], "--out", f"out.{suffix}").exit_code == 0
    wanted = [{"tokens": words, "tags": tags} for words, tags in zip(SENTENCES, TAGS, strict=True)]
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()] == wanted
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == wanted
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [{key: cell.split(" ") for key, cell in row.items()} for row in rows] == wanted


def test_the_encoding_is_the_one_asked_for(predict):
    raw = "Ñ O\nó O\n".encode("latin-1")
    assert predict("in.conll", raw, "--encoding", "latin-1").stdout_bytes == "Ñ B-PER\nó O\n".encode("latin-1")
    assert (
        predict("-", raw, "--encoding", "latin-1", "--format", "text").stdout
        == "Ñ\tB-PER\nO\tB-PER\n\nó\tO\nO\tB-PER\n"
    )


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
        ('{"id": 1, "tokens": []}\n', ("--format", "jsonl"), "-:1: tokens is an empty list"),
        ("Ana lee\n", ("--columns", "tokens=0"), "columns: - has no columns by name"),
        ("Ana lee\n", ("--columns", "tokens"), "--columns: got 'tokens', expected ROLE=COLUMN"),
        (b"\xff\n", (), "-:1: byte 0xff is not utf-8"),
    ],
)
def test_what_is_wrong_on_standard_input_is_said_of_it_in_one_line(content, options, said, predict):
    result = predict("-", content, *options)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr


@pytest.mark.parametrize("out", [("--out", "out.conll"), ("--out", "-"), ()])
def test_a_signal_leaves_no_half_of_a_file_and_is_told_as_what_it_is(out, predict, tmp_path):
    def ended(sentences):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not reached")

    result = predict("in.conll", "Ana O\n", *out, tag=ended)
    assert (result.exit_code, result.stdout) == (143, "")
    assert result.stderr.startswith("uxla: terminated; nothing was written; repeat the command to start")
    assert not (tmp_path / "out.conll").exists()


def test_a_folder_is_no_file_to_write_and_that_is_said_before_any_work(predict):
    def never(sentences):
        raise AssertionError("no sentence is labelled")

    for out in (".", "run", ".."):
        result = predict("in.conll", "Ana O\n", "--out", out, tag=never)
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


def test_of_a_run_with_several_targets_the_folders_are_named(invoke, tmp_path):
    for target in ("sw", "es"):
        (tmp_path / "run" / target / "ensemble").mkdir(parents=True)
        (tmp_path / "run" / target / "ensemble/ensemble.json").write_text("{}")
    result = invoke("predict", "run", "-", input=b"a\n")
    assert result.exit_code == 2
    assert "run: a folder of several runs or targets; expected one of them: run/es, run/sw" in result.stderr
