"""The reader and writer over generated files, damaged files, and the real files where they are at hand."""

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uxla.data.checks.check import check
from uxla.data.conll.file import parse_conll, read_conll
from uxla.data.corpus import corpus_of, labels_of
from uxla.data.labels.schemes import SCHEMES, from_iob2, label_names
from uxla.data.load import stream_format
from uxla.data.options import ReadOptions
from uxla.errors import DataError

REAL = Path(__file__).parents[2].parent / "shared" / "data"
COUNTS = {
    "conll/en": (14_041, 3_250, 3_453),
    "conll/es": (8_323, 1_915, 1_517),
    "conll/de": (12_152, 2_867, 3_005),
    "panx/en": (20_000, 10_000, 10_000),
    "panx/es": (20_000, 10_000, 10_000),
    **{f"panx/{lang}": (20_000, 10_000) for lang in ("ar", "fi", "zh")},
    "panx/ur": (20_000, 1_000),
    "panx/hi": (5_000, 1_000),
    "panx/sw": (1_000, 1_000),
    "panx/my": (100, 100),
}

LATIN = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="ï")
ANY = st.characters(codec="utf-8", exclude_characters=" \t\n\r\ufeff")
CODECS = {"utf-8": ANY, "latin-1": LATIN, "utf-16": ANY}
ENTITY = st.tuples(st.sampled_from(["PER", "LOC"]), st.integers(1, 3)).map(
    lambda e: [f"B-{e[0]}", *[f"I-{e[0]}"] * (e[1] - 1)]
)
TAGS = st.lists(st.one_of(st.just(["O"]), ENTITY), min_size=1, max_size=5).map(lambda p: list(chain(*p)))
BREAK = st.sampled_from(["{n}", " {n}", "\t {n}", "{n}{n}", "-DOCSTART-\tO{n}", "{n}-DOCSTART- -X- O O{n}{n}"])


@st.composite
def well_formed(draw):
    """(bytes, encoding, words, IOB2 tags) of a file as any tool might have written it."""
    encoding = draw(st.sampled_from(sorted(CODECS)))
    words_of = st.text(CODECS[encoding], min_size=1, max_size=6).filter(lambda word: word != "-DOCSTART-")
    scheme, newline = draw(st.sampled_from(SCHEMES)), draw(st.sampled_from(["\n", "\r\n"]))
    separator = draw(st.sampled_from(["\t", " ", "  "]))
    extra = draw(st.integers(0, 2))
    tags = draw(st.lists(TAGS, min_size=1, max_size=4))
    words = [draw(st.lists(words_of, min_size=len(row), max_size=len(row))) for row in tags]
    blocks = []
    for sentence, row in zip(words, tags, strict=True):
        cells = zip(sentence, *[["X"] * len(row)] * extra, from_iob2(row, scheme), strict=True)
        blocks.append("".join(separator.join(line) + newline for line in cells))
        blocks.append(draw(BREAK).format(n=newline))
    text = draw(st.sampled_from(["", newline])) + "".join(blocks)
    text = text.removesuffix(newline) if draw(st.booleans()) else text
    bom = "\ufeff" if encoding == "utf-8" and draw(st.booleans()) else ""
    return (bom + text).encode(encoding), encoding, words, tags


@given(well_formed())
@settings(max_examples=150)
def test_a_well_formed_file_is_read_and_written_back_byte_for_byte(given_file):
    raw, encoding, words, tags = given_file
    file = parse_conll(raw, path=Path("x"), options=ReadOptions(encoding=encoding))
    assert (file.sentences, file.tags) == (words, tags)
    assert file.with_tags(tags).raw == raw


@given(well_formed(), st.data())
@settings(max_examples=75)
def test_new_tags_are_read_back_as_given_and_nothing_else_moves(given_file, data):
    raw, encoding, words, tags = given_file
    file = parse_conll(raw, path=Path("x"), options=ReadOptions(encoding=encoding))
    new = [data.draw(st.permutations(["B-NEW", *["O"] * (len(row) - 1)])) for row in tags]
    relabelled = file.with_tags(new)
    assert (relabelled.sentences, relabelled.tags) == (words, new)
    assert relabelled.with_tags(tags).raw == raw


def ask_everything(raw, encoding, path):
    path.write_bytes(raw)
    asked = {"name": "t", "lang": "xx", "label_names": label_names(["PER"])}
    calls = [
        lambda: corpus_of(read_conll(path, encoding=encoding), **asked, labelled=False),
        lambda: corpus_of(read_conll(path, encoding=encoding), **asked, labelled=True, label_map={"LOC": None}),
        lambda: retag(read_conll(path, encoding=encoding)),
        lambda: check(path, encoding=encoding),
        lambda: check(path, encoding=encoding, format="text"),
        lambda: stream_format(raw, path=Path("-"), options=ReadOptions(encoding=encoding)),
    ]
    for ask in calls:
        try:
            ask()
        except DataError as error:
            assert "\n" not in str(error)  # noqa: PT017 (the point is that nothing else is raised)


def retag(file):
    wanted = [["B-PER", *["I-PER"] * (len(row) - 1)] for row in file.sentences]
    again = file.with_tags(wanted)
    assert again.sentences == file.sentences
    assert again.tags == wanted


@given(well_formed(), st.data())
@settings(max_examples=150)
def test_damaged_bytes_raise_nothing_but_a_data_error_of_one_line(tmp_path_factory, given_file, data):
    raw, encoding, _, _ = given_file
    damaged = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        width = data.draw(st.integers(0, 3))
        new = data.draw(st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b"\t", b" ", b"\r", b"B-", b"O"])))
        damaged[at : at + width] = new
    path = tmp_path_factory.getbasetemp() / "damaged.conll"
    ask_everything(bytes(damaged), encoding, path)


@given(st.binary(max_size=60), st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-8-sig", "ascii"]))
@settings(max_examples=150)
def test_random_bytes_raise_nothing_but_a_data_error_of_one_line(tmp_path_factory, raw, encoding):
    ask_everything(raw, encoding, tmp_path_factory.getbasetemp() / "random.conll")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data (../shared/data) is not on this machine")
@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted(COUNTS))
def test_real_files_are_complete_and_come_back_byte_for_byte(folder):
    for split, count in zip(("train", "dev", "test"), COUNTS[folder], strict=False):
        path = REAL / folder / f"{split}.conll"
        file = read_conll(path)
        assert (split, len(file.sentences), file.scheme) == (split, count, "IOB2")
        assert file.with_tags(file.tags).raw == path.read_bytes()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data (../shared/data) is not on this machine")
@pytest.mark.parametrize("lang", ["swa", "hau", "yor"])
def test_masakhaner_has_its_types_and_comes_back_byte_for_byte(lang):
    path = REAL / "masakhaner2" / lang / "train.conll"
    file = read_conll(path)
    assert 5_000 <= len(file.sentences) < 8_000
    assert labels_of(file) == label_names(["DATE", "LOC", "ORG", "PER"])
    assert file.with_tags(file.tags).raw == path.read_bytes()
