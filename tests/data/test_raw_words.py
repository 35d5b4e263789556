"""Raw text for `ner`: cut at blanks if it has been cut already, else around punctuation, as the source is."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import uxla
from uxla.config.run import load_config
from uxla.data.checks.check import check
from uxla.data.load import load_corpus
from uxla.errors import ConfigError
from uxla.progress import listening
from uxla.store.store import Store
from uxla.study.inputs import load_inputs

RAW = ["Ana viajó a Lima, con J. Pérez.", "El 3,5 % dijo que «no»; well-known."]
CUT = ["Ana viajó a Lima , con J. Pérez .", "El 3,5 % dijo que « no » ; well-known ."]


class Notes(list):
    def note(self, text):
        self.append(text)


@pytest.fixture
def file(tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write


def texts(path, **how):
    corpus = load_corpus(path, name="t", lang="x", label_names=(), labelled=False, **how)
    return [example.segments[0] for example in corpus]


def test_running_text_is_cut_around_punctuation_and_one_line_says_so(file):
    path, notes = file("a.txt", *RAW), Notes()
    with listening(notes):
        assert texts(path) == CUT
        assert texts(path) == CUT
    assert notes == [f"{path}: raw text; words are split from punctuation (set split: spaces to split at spaces only)"]


def test_text_that_is_cut_already_stays_as_it_is(file):
    lines = ["e-mail of the U.S. : 1,000.5 ( no ) 24/7 a\u00a0b AT&T n't \u200b", "don't , 'tis"]
    assert texts(file("a.txt", *lines)) == lines


def test_split_decides_instead_of_the_look(file):
    assert texts(file("raw.txt", *RAW), split="spaces") == RAW
    assert texts(file("cut.txt", "e.g. U.S. 24/7 ."), split="words") == ["e.g. U.S. 24 / 7 ."]
    assert texts(file("raw.txt", *RAW), together=["numbers"])[1] == "El 3,5 % dijo que « no » ; well - known ."


def test_lines_without_anything_to_see_stay_lines(file):
    assert texts(file("a.txt", *RAW, "\u200b", "\u00a0 \u200b", "...")) == [*CUT, "\u200b", "\u00a0 \u200b", "..."]


def test_columns_are_cut_where_that_is_asked_for_and_texts_in_memory_like_a_file(file, tmp_path):
    rows = [{"text": text} for text in RAW]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    file("a.jsonl", *map(json.dumps, rows))
    file("a.csv", "text", *(f'"{text}"' for text in RAW))
    for suffix in ("jsonl", "csv", "parquet"):
        assert texts(tmp_path / f"a.{suffix}", split="words") == CUT
        assert texts(tmp_path / f"a.{suffix}") == RAW
    assert [example.segments[0] for example in uxla.read(RAW, task="ner", lang="x")] == CUT


def test_words_with_tags_stand_between_blanks(file):
    path = file("a.csv", "tokens,tags", '"Ana, Lima.",B-PER B-LOC')
    corpus = load_corpus(path, name="t", lang="x", label_names=("O", "B-LOC", "I-LOC", "B-PER", "I-PER"), labelled=True)
    assert corpus[0].words == ["Ana,", "Lima."]


def test_a_check_counts_the_words_that_a_run_would_read(file):
    path = file("a.txt", *RAW)
    assert check(path).words == sum(len(text.split()) for text in CUT)
    assert check(path, split="spaces").words == sum(len(text.split()) for text in RAW)


SOURCE = "l' B-X\neau O\nwell O\n- O\nknown O\n. O\n"
FOLLOWED = ["l' eau , well - known ."]


def test_a_run_cuts_the_target_as_its_source_is_cut(file, tmp_path):
    source, target = file("en.conll", *SOURCE.splitlines()), file("fr.txt", "l'eau, well-known.")

    def target_of(*more):
        asked = [f"source.train={source}", f"target_data.train={target}", "source.name=en", "target=fr", *more]
        asked += ["warmup.selection=last", "adaptation.selection=last"]
        asked += [
            f"{key}=null"
            for key in (
                "source.dev",
                "source.test",
                *(f"target_data.{part}" for part in ("dev", "test", "labelled", "translated")),
            )
        ]
        config = load_config("testbed", [*asked, "methods=[uxla]"])
        return [e.segments[0] for e in load_inputs(config, Store(tmp_path / "store")).targets[0].train]

    assert target_of() == FOLLOWED
    assert target_of("target_data.together=[hyphens]") == ["l ' eau , well-known ."]
    assert target_of("target_data.split=spaces") == ["l'eau, well-known."]


def test_python_cuts_the_target_as_its_source_is_cut():
    from uxla.corpora import raw

    source = uxla.read([(["l'", "eau", "well", "-", "known"], ["B-X", "O", "O", "O", "O"])], lang="fr")
    for data in (["l'eau, well-known."], uxla.read(["l'eau, well-known."], lang="x")):
        assert [example.segments[0] for example in raw(data, source, "ner", "x")] == FOLLOWED


def test_what_cannot_stay_together_is_refused(file):
    with pytest.raises(ConfigError, match="together: got 'hyphen', expected 'hyphens', "):
        texts(file("a.txt", *RAW), together=["hyphen"])
