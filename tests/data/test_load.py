import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data import files
from uxla.data.files import BOM, decode, refuse_inner_cr
from uxla.data.labels.schemes import label_names
from uxla.data.load import discover_labels, load_corpus, stream_format
from uxla.data.options import ReadOptions
from uxla.errors import DataError
from uxla.records import Corpus, Example

NAMES = label_names(["PER"])
CONLL = b"Ana\tB-PER\nlee\tO\n\nllueve\tO\n"
ABSURD = b"Ana\tB-\nlee\tE-X-Y\n\nllueve\tI-NONE\n"


@pytest.fixture
def load(tmp_path):
    def load(content, file="es.conll", **options):
        path = tmp_path / file
        path.write_bytes(content)
        asked = {"name": "train", "lang": "es", "label_names": NAMES, "labelled": False} | options
        return load_corpus(path, **asked)

    return load


def words_of(corpus):
    return [example.words for example in corpus]


def test_words_of_raw_text_are_cut_at_ascii_spaces_and_tabs_only(load):
    raw = "Ana  lee \r\n\n \t \nen\tla\u00a0casa\u3000.\u0085x\u2028\nfin".encode()
    expected = [["Ana", "lee"], ["en", "la\u00a0casa\u3000.\u0085x\u2028"], ["fin"]]
    assert words_of(load(raw, "es.txt")) == expected
    assert words_of(load(b"\xef\xbb\xbf" + raw, "es.txt")) == expected


def test_raw_text_in_latin_1_is_read_by_its_name(load):
    assert words_of(load("año\n".encode("latin-1"), "es.txt", encoding="latin-1")) == [["año"]]
    with pytest.raises(DataError, match=r"es.txt:1: byte 0xf1 is not utf-8; .*latin-1"):
        load("año\n".encode("latin-1"), "es.txt")


def test_raw_text_without_a_word_is_refused(load):
    with pytest.raises(DataError, match=r"es\.txt: no line has a word; expected one sentence a line"):
        load(b" \n\t\n", "es.txt")


ODD = [
    "\u00a0",
    "\u3000",
    "\u2028",
    "\u0085",
    "\x0b",
    "\x0c",
    "\x1c",
    "\0",
    "\ufeff",
    "\u200b",
    "\u200d",
    "\u200f",
    "\u202e",
]
PIECES = st.sampled_from(
    [" ", "\t", "\n", "\r\n", "\n\n", "\r", "a", "bc", "O", "-DOCSTART-", "\u05d0", "\u0627\u0644", *ODD]
)
RAW = st.lists(st.one_of(PIECES, st.text(st.characters(codec="utf-8"), max_size=2)), max_size=40).map("".join)


@given(text=RAW, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), block=st.sampled_from([16, 1 << 22]))
def test_raw_text_read_in_parts_is_what_it_is_in_one_piece(tmp_path_factory, text, encoding, block):
    path, raw = tmp_path_factory.getbasetemp() / "raw.txt", text.encode(encoding)
    path.write_bytes(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_BLOCK_BYTES", block)
        found = outcome(
            lambda: load_corpus(
                path,
                name="n",
                lang="l",
                label_names=NAMES,
                labelled=False,
                format="text",
                encoding=encoding,
                split="spaces",
            )
        )
    assert found == outcome(lambda: whole(raw, path, encoding))


def outcome(read):
    """The corpus' digest and ids, or what was said instead."""
    try:
        corpus = read()
        return corpus.digest, [(example.id, example.words) for example in corpus]
    except DataError as error:
        return str(error)


def whole(raw, path, encoding):
    if not raw:
        raise DataError("the file is empty; expected at least one sentence", file=path)
    text = decode(raw, encoding, file=path).removeprefix(BOM)
    refuse_inner_cr(text, file=path)
    lines = [line.rstrip("\r").replace("\t", " ").split(" ") for line in text.split("\n")]
    sentences = [words for line in lines if (words := [word for word in line if word])]
    if not sentences:
        raise DataError("no line has a word; expected one sentence a line", file=path)
    examples = (Example(f"l:n:{i}", "l", (" ".join(words),)) for i, words in enumerate(sentences))
    return Corpus.from_examples("n", NAMES, examples)


def test_raw_text_is_not_held_as_words(load, monkeypatch):
    """The file is a hundred blocks long; read in one piece its words would take fifty bytes each."""
    monkeypatch.setattr(files, "_BLOCK_BYTES", 1 << 12)
    content = b"".join(b"w%d " % i + b"ab " * 20 + b"\n" for i in range(6000))
    tracemalloc.start()
    load(content[:4096], "es.txt", format="text")  # what is loaded once
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    load(content, "es.txt", format="text")
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < len(content)


def test_the_format_goes_by_the_suffix(load):
    text = b"Ana lee\nllueve\n"
    assert words_of(load(text, "es.txt")) == words_of(load(CONLL)) == [["Ana", "lee"], ["llueve"]]
    assert words_of(load(text, "es.conll", format="text")) == [["Ana", "lee"], ["llueve"]]
    assert words_of(load(CONLL, "es.txt", format="conll")) == [["Ana", "lee"], ["llueve"]]


@pytest.mark.parametrize("content", [CONLL, CONLL.replace(b"\t", b" ") * 4])
def test_conll_called_txt_is_not_taken_for_raw_text(load, content):
    with pytest.raises(DataError, match="every line has 2 columns; set format: conll, or format: text"):
        load(content, "es.txt")


def test_standard_input_is_recognised_by_its_look():
    assert stream_format(CONLL, path=Path("-")) == "conll"
    assert stream_format(CONLL.replace(b"\t", b" ") * 5, path=Path("-")) == "conll"
    assert stream_format(b"Ana lee\n", path=Path("-")) == "text"
    assert stream_format(b"Ana\nlee\n", path=Path("-")) == "text"


def test_lines_of_equally_many_words_on_standard_input_are_no_conll():
    assert stream_format(b"good morning\n" * 12, path=Path("-")) == "text"
    assert stream_format(b"vitamin B-12\n", path=Path("-")) == "text"


def test_columns_without_labels_on_standard_input_are_refused_until_their_format_is_said():
    raw, path = b"New\tYork\n", Path("-")
    with pytest.raises(DataError, match="-: every line has 2 columns between TABs; set format: conll, or format: text"):
        stream_format(raw, path=path)
    for format in ("text", "conll"):
        assert stream_format(raw, path=path, options=ReadOptions(format=format)) == format


def test_labels_are_read_when_asked_for_only(load):
    assert [example.labels for example in load(CONLL, labelled=True)] == [(1, 0), (0,)]
    assert [example.labels for example in load(CONLL)] == [None, None]


@pytest.mark.parametrize("options", [{}, {"take": 1}, {"share": 0.5, "seed": 3}])
@pytest.mark.parametrize("file", ["es.conll", "es.tsv"])
def test_gold_labels_of_an_unlabelled_corpus_change_nothing(load, options, file):
    assert load(ABSURD, file, **options).digest == load(CONLL, file, **options).digest


def test_labels_of_raw_text_are_refused(load):
    with pytest.raises(DataError, match=r"es.txt: raw text has no labels; give a CoNLL file, or its format"):
        load(b"Ana lee\n", "es.txt", labelled=True)


def test_a_subset_keeps_order_ids_and_labels(load):
    content = b"".join(b"w%d\tB-PER\n\n" % i for i in range(40))
    whole = load(content, labelled=True)
    part = load(content, labelled=True, share=0.25, seed=4)
    assert len(part) == 10
    indices = [int(example.id.rsplit(":", 1)[1]) for example in part]
    assert indices == sorted(indices)
    assert list(part) == [whole[i] for i in indices]


def test_a_subset_of_nothing_is_refused(load):
    with pytest.raises(DataError, match=r"es.conll: share 0.1 of 2 sentences is less than one; raise the share"):
        load(CONLL, share=0.1)


def test_all_settings_of_the_reader_arrive(load):
    content = "S-LOC Múnich x\nS-PER Ana x\n".encode("latin-1")
    options = {"encoding": "latin-1", "token_column": 1, "label_column": 0, "scheme": "BIOES"}
    corpus = load(content, labelled=True, label_map={"LOC": None}, **options)
    assert [(example.words, example.labels) for example in corpus] == [(["Múnich", "Ana"], (0, 1))]


def test_a_missing_file_is_refused_with_where_it_was_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"nope.conll: no such file; check the path \(it is looked up from /"):
        load_corpus(tmp_path / "nope.conll", name="t", lang="es", label_names=NAMES, labelled=False)


def test_types_are_discovered_after_the_map(tmp_path):
    path = tmp_path / "en.conll"
    path.write_bytes(b"a B-PER\nb B-LOC\nc B-MISC\nd B-GPE\n")
    assert discover_labels(path) == label_names(["GPE", "LOC", "MISC", "PER"])
    assert discover_labels(path, label_map={"MISC": None, "GPE": "LOC"}) == label_names(["LOC", "PER"])
