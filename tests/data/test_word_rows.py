"""Tables with a row a word: the words of a sentence are read together, and every row comes back."""

import csv
import io
import json
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.checks.check import check
from uxla.data.discover import open_rewritable
from uxla.data.load import discover_labels, load_corpus, open_data
from uxla.data.options import ReadOptions
from uxla.data.writing.samples import Rewritten, open_writer
from uxla.errors import DataError
from uxla.models.mentions import Mention
from uxla.predict.table_writers import open_writer as open_answers
from uxla.predict.tables import AnsweredTable

NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
HEADER = ["Sentence #", "Word", "POS", "Tag"]
SENTENCES = [[("koru", "O"), ("mira", "B-PER"), ("tal", "I-PER")], [("sen", "B-LOC")], [("dav,", "O"), ('"nel"', "O")]]
WORDS = [[word for word, _ in sentence] for sentence in SENTENCES]
TAGS = [[tag for _, tag in sentence] for sentence in SENTENCES]


def rows(style="first", key="Sentence: {}".format, copies=1):
    found = []
    for number, sentence in enumerate(SENTENCES * copies, start=1):
        for place, (word, tag) in enumerate(sentence):
            found.append([key(number) if place == 0 or style == "each" else "", word, "X", tag])
    return found


def written(path, style="first", header=HEADER, copies=1):
    match path.suffix:
        case ".csv" | ".tsv":
            sink = io.StringIO()
            delimiter = "\t" if path.suffix == ".tsv" else ","
            csv.writer(sink, delimiter=delimiter, lineterminator="\n").writerows([header, *rows(style, copies=copies)])
            path.write_text(sink.getvalue())
        case ".jsonl":
            named = [dict(zip(header, row, strict=True)) for row in rows("each", int, copies)]
            path.write_text("".join(json.dumps(row) + "\n" for row in named))
        case ".parquet":
            pq.write_table(
                pa.Table.from_pylist([dict(zip(header, row, strict=True)) for row in rows("each", int, copies)]), path
            )
    return path


def load(path, **how):
    how = {"labelled": True, "label_names": NAMES, "columns": {"tokens": "Word"}} | how
    return load_corpus(path, name="t", lang="x", **how)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize(("style", "copies"), [("first", 1), ("each", 1), ("each", 3000)])
def test_the_rows_of_a_sentence_are_read_as_one(suffix, style, copies, tmp_path):
    """18,000 rows are read in two batches, the first of which ends within a sentence."""
    path = written(tmp_path / f"x.{suffix}", style, copies=copies)
    corpus = load(path)
    assert [example.words for example in corpus] == WORDS * copies
    assert [[NAMES[label] for label in example.labels] for example in corpus] == TAGS * copies
    assert discover_labels(path, columns={"tokens": "Word"}) == NAMES
    assert [example.words for example in load(path, labelled=False)] == WORDS * copies
    report = check(path, columns={"tokens": "Word"})
    assert (report.sentences, report.words, report.longest) == (3 * copies, 6 * copies, 3)


def test_usual_names_suffice_and_others_can_be_named(tmp_path):
    assert [example.words for example in load(written(tmp_path / "x.csv"), columns=None)] == WORDS
    path = written(tmp_path / "y.csv", header=["s", "w", "p", "t"])
    named = {"sentence": "s", "tokens": "w", "tags": "t"}
    assert [example.words for example in load(path, columns=named)] == WORDS


def test_a_table_with_a_row_a_sentence_may_number_its_sentences(tmp_path):
    (tmp_path / "x.csv").write_text("sentence_id,tokens,tags\n1,koru mira,O B-PER\n1,sen,B-LOC\n")
    assert [example.words for example in load(tmp_path / "x.csv", columns=None)] == [["koru", "mira"], ["sen"]]


@pytest.mark.parametrize(
    ("content", "columns", "says"),
    [
        ("s,w\n1,koru mira\n", {"sentence": "s", "tokens": "w"}, r"x\.csv:2: several words in one row"),
        ("s,w\n,koru\n1,mira\n", {"sentence": "s", "tokens": "w"}, r"x\.csv:2: the first row has no sentence"),
        ("w\n" + "koru\n" * 30, {"tokens": "w"}, r"each of 30 rows has one word.*\(columns: {sentence: NAME}\)"),
    ],
)
def test_what_cannot_be_put_together_is_refused(content, columns, says, tmp_path):
    (tmp_path / "x.csv").write_text(content)
    for read in (lambda path: load(path, columns=columns, labelled=False), lambda path: check(path, columns=columns)):
        with pytest.raises(DataError, match=says):
            read(tmp_path / "x.csv")


def answered(path, form):
    source = AnsweredTable(open_data(path, "tagging", ReadOptions(columns={"tokens": "Word"})), "tags")
    sink, found = io.BytesIO(), list(chain.from_iterable(source.batches()))
    assert [row.parts for row in found if row.parts] == WORDS
    with open_answers(source, form, sink) as write:
        write(found, [[Mention(i, i + 1, "LOC", 1.0) for i in range(len(row.parts))] for row in found])
    return sink.getvalue()


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_answers_stand_beside_each_word_and_all_else_comes_back(suffix, tmp_path):
    path = written(tmp_path / f"x.{suffix}")
    raw = answered(path, suffix)
    if suffix == "parquet":
        back = pq.read_table(io.BytesIO(raw))
        assert back.column("predicted_tags").to_pylist() == ["B-LOC"] * 6
        assert back.drop_columns(["predicted_tags"]).equals(pq.read_table(path))
    elif suffix == "jsonl":
        back = [json.loads(line) for line in raw.splitlines()]
        assert back == [{**json.loads(line), "predicted_tags": "B-LOC"} for line in path.read_text().splitlines()]
    else:
        cut = "," if suffix == "csv" else "\t"
        first, *rest = path.read_text().splitlines()
        assert raw.decode().splitlines() == [f"{first}{cut}predicted_tags", *(f"{line}{cut}B-LOC" for line in rest)]


def test_answers_can_be_written_as_conll(tmp_path):
    raw = answered(written(tmp_path / "x.csv"), "conll").decode()
    assert raw == "\n".join("".join(f"{word}\tB-LOC\n" for word in words) for words in WORDS)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_augmented_sentences_keep_their_rows_and_are_read_apart(suffix, tmp_path):
    path = written(tmp_path / f"x.{suffix}")
    source, sink = open_rewritable(path, shape="tagging", columns={"tokens": "Word"}), io.BytesIO()
    kept = list(source.rows())
    assert source.count() == len(kept) == 3
    new = [Rewritten(row, (" ".join(["ru", *row.texts[0].split(" ")[1:]]),), n, ((0,),)) for n, row in enumerate(kept)]
    with open_writer(source, suffix, sink) as write:
        write([each for each in new for _ in range(2)])
    (tmp_path / f"y.{suffix}").write_bytes(sink.getvalue())
    corpus = load(tmp_path / f"y.{suffix}")
    assert [example.words for example in corpus] == [["ru", *words[1:]] for words in WORDS for _ in range(2)]
    assert [[NAMES[label] for label in example.labels] for example in corpus] == [
        tags for tags in TAGS for _ in range(2)
    ]
    back = [
        row.record
        for row in open_rewritable(tmp_path / f"y.{suffix}", shape="tagging", columns={"tokens": "Word"}).rows()
    ]
    assert [[str(row["changed"]) for row in record] for record in back[:2]] == [["1", "0", "0"]] * 2
    assert [{str(row["parent"]) for row in record} for record in back] == [{str(n)} for n in (0, 0, 1, 1, 2, 2)]
    assert all(row["POS"] == "X" for record in back for row in record)


def test_a_label_beside_a_word_is_its_tag(tmp_path):
    (tmp_path / "x.csv").write_text("sentence_id,word,label\n1,koru,O\n1,mira,B-PER\n2,sen,O\n")
    assert check(tmp_path / "x.csv").entities == {"PER": 1}
    (tmp_path / "x.csv").write_text("text,label\nkoru mira,ja\n")  # a class of the whole text
    assert check(tmp_path / "x.csv").entities == {}
