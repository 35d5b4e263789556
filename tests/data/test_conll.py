from pathlib import Path

import pytest

from uxla.data.conll.file import conll_lines, read_conll
from uxla.data.corpus import corpus_of
from uxla.data.labels.schemes import label_names
from uxla.errors import ConfigError, DataError, UxlaError, WriteError

NAMES = label_names(["PER", "LOC"])
SMALL = "Ana\tB-PER\nlee\tO\n\nen\tO\nNueva\tB-LOC\nLoma\tI-LOC\n"
WORDS = [["Ana", "lee"], ["en", "Nueva", "Loma"]]
TAGS = [["B-PER", "O"], ["O", "B-LOC", "I-LOC"]]


@pytest.fixture
def put(tmp_path):
    def put(content, name="es.conll"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def message_of(path, ask=lambda file: file, **options):
    with pytest.raises(UxlaError) as caught:
        ask(read_conll(path, **options))
    text = str(caught.value)
    assert "\n" not in text
    return text.replace(str(path), "FILE")


def labelled(file, names=NAMES, label_map=None):
    return corpus_of(file, name="dev", lang="es", label_names=names, labelled=True, label_map=label_map)


def unlabelled(path):
    return corpus_of(read_conll(path), name="train", lang="es", label_names=NAMES, labelled=False)


def test_words_and_tags(put):
    file = read_conll(put(SMALL))
    assert (file.sentences, file.tags, file.scheme) == (WORDS, TAGS, "IOB2")


@pytest.mark.parametrize(
    "content",
    [
        SMALL.removesuffix("\n"),
        SMALL.replace("\n", "\r\n"),
        SMALL.replace("\t", " "),
        SMALL.replace("\t", "   "),
        SMALL.replace("\n\n", "\n\n\n \t\n\n"),
        "\n\n" + SMALL + "\n \n",
        "\ufeff" + SMALL,
        "-DOCSTART-\tO\n\n" + SMALL,
        "-DOCSTART- -X- -X- O\n\n" + SMALL,
        "-DOCSTART-\n" + SMALL.replace("\n\n", "\n-DOCSTART-\tO\n"),
    ],
    ids=[
        "no-final-newline",
        "crlf",
        "space",
        "spaces",
        "blanks",
        "outer-blanks",
        "bom",
        "doc",
        "doc-columns",
        "doc-no-blank",
    ],
)
def test_the_same_sentences_in_other_dress(put, tmp_path, content):
    file = read_conll(put(content))
    assert (file.sentences, file.tags) == (WORDS, TAGS)
    file.write(tmp_path / "back.conll")
    assert (tmp_path / "back.conll").read_bytes() == content.encode()
    assert file.with_tags(TAGS).raw == content.encode()


@pytest.mark.parametrize(
    "odd", ["\u00a0", "\u3000", "\u0085", "\u2028", "\u200b", "\u200d", "\u200c", "\ufeff", "\x1c"]
)
def test_no_other_space_ends_a_word_or_a_line(put, odd):
    word = f"a{odd}b"
    for separator in "\t", " ":
        assert read_conll(put(f"{word}{separator}O\n")).sentences == [[word]]


def test_words_are_not_normalised(put):
    words = ["ﬁn", "e\u0301", "é", "ي", "ی", "ك", "ک", '"', "'", "#", "Ａ"]
    file = read_conll(put("".join(f"{word}\tO\n" for word in words)))
    assert file.sentences == [words]
    assert corpus_of(file, name="t", lang="fa", label_names=NAMES, labelled=True)[0].words == words


def test_latin_1_is_read_by_its_name_and_written_back(put, tmp_path):
    raw = "España\tB-LOC\nMúnich\tO\n".encode("latin-1")
    file = read_conll(put(raw), encoding="latin-1")
    assert file.sentences == [["España", "Múnich"]]
    assert file.with_tags([["O", "B-LOC"]]).raw == "España\tO\nMúnich\tB-LOC\n".encode("latin-1")


@pytest.mark.parametrize(
    ("raw", "encoding", "expected"),
    [
        (b"Ana\tO\n\nEspa\xf1a\tB-LOC\n", "utf-8", "FILE:3: byte 0xf1 is not utf-8; "),
        ("a\tO\n".encode("utf-16"), "utf-8", "encoding: utf-16"),
        (b"a\tO\n", "utf-9", "encoding: got 'utf-9', expected an encoding Python knows, as utf-8"),
        (b"a\tO\n", "hex", "encoding: got 'hex', expected an encoding"),
        (
            "\ufeffa\tO\n".encode(),
            "latin-1",
            "FILE:1: starts with the mark of UTF-8, read as latin-1; set encoding: utf-8",
        ),
    ],
)
def test_a_wrong_encoding_is_named_with_line_and_remedy(put, raw, encoding, expected):
    assert expected in message_of(put(raw), encoding=encoding)


def test_latin_1_is_proposed_for_bytes_that_are_not_utf_8(put):
    assert message_of(put(b"Espa\xf1a\tO\n")).endswith("(encoding: latin-1?)")


def test_a_tag_that_the_encoding_lacks_is_not_swallowed(put):
    file = read_conll(put("España\tO\n".encode("latin-1")), encoding="latin-1")
    with pytest.raises(DataError, match=r"es.conll:1: iso8859-1 has no '人' \(U\+4EBA\); use encoding: utf-8"):
        file.with_tags([["B-人"]])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "FILE: the file is empty; expected at least one sentence"),
        ("\n \n-DOCSTART- O\n", "FILE: no sentence; expected one word a line"),
        ("a\tO\nb\tX\tO\n", "FILE:2: 3 columns, expected 2 as on line 1; "),
        ("\na O\n\nb\n", "FILE:4: 1 column, expected 2 as on line 2; "),
        ("a\tO\n\tO\n", "FILE:2: column 0 is '', expected a word without spaces; write the word, or empty the line"),
        ("a\tO\nNew York\tO\n", "FILE:2: column 0 is 'New York', expected a word without spaces; "),
        ("Ana lee un libro .\nLuis duerme .\n", "FILE:2: 3 columns, expected 5 as on line 1; "),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(put, content, expected):
    assert message_of(put(content)).startswith(expected)


def test_raw_text_taken_for_conll_is_told_how_to_say_so(put):
    assert "format: text" in message_of(put("Ana lee un libro .\nLuis duerme .\n"))


def test_missing_files_and_folders_are_refused(tmp_path):
    assert message_of(tmp_path / "no.conll").startswith("FILE: no such file; check the path")
    assert message_of(tmp_path).startswith("FILE: cannot be read (Is a directory)")


def test_columns_are_chosen_and_the_others_kept(put):
    content = "B-PER Ana NNP\nO lee VB\n"
    file = read_conll(put(content), token_column=1, label_column=0)
    assert (file.sentences, file.tags) == ([["Ana", "lee"]], [["B-PER", "O"]])
    assert file.with_tags([["O", "B-PER"]]).raw == b"O Ana NNP\nB-PER lee VB\n"


def test_extra_columns_and_their_spaces_stay(put):
    content = "Ana  NNP   B-PER \nlee  VB    O\n"
    relabelled = read_conll(put(content)).with_tags([["O", "B-PER"]])
    assert relabelled.raw.decode() == "Ana  NNP   O \nlee  VB    B-PER\n"


def test_a_column_that_is_not_there_is_named(put):
    path = put(SMALL)
    assert message_of(path, token_column=2) == (
        "FILE:1: token_column 2, but the line has 2 columns; set token_column (0 is the first)"
    )
    asked = message_of(path, lambda file: file.tags, label_column=3)
    assert asked == (
        "FILE:1: no column of labels (2 columns, label_column 3); set label_column, or read the file as unlabelled"
    )
    with pytest.raises(DataError, match="no column of labels"):
        read_conll(path, label_column=3).with_tags(TAGS)


def test_words_alone_get_a_column_of_labels(put):
    file = read_conll(put("\ufeffAna\r\nlee\r\n\r\n-DOCSTART-\nen\nNueva\nLoma"))
    with pytest.raises(DataError, match="no column of labels"):
        _ = file.tags
    tagged = file.with_tags(TAGS)
    assert tagged.tags == TAGS
    expected = "\ufeffAna\tB-PER\r\nlee\tO\r\n\r\n-DOCSTART-\nen\tO\nNueva\tB-LOC\nLoma\tI-LOC"
    assert tagged.raw.decode() == expected


def test_words_alone_get_labels_in_the_scheme_asked_for(put):
    file = read_conll(put("Nueva\nLoma\n"), scheme="BIOES")
    assert file.with_tags([["B-LOC", "I-LOC"]]).raw == b"Nueva\tB-LOC\nLoma\tE-LOC\n"


@pytest.mark.parametrize(
    ("labels", "scheme", "written"),
    [
        ("I-PER O I-LOC I-LOC", "IOB1", "O I-PER I-LOC B-LOC"),
        ("S-PER O B-LOC E-LOC", "BIOES", "O S-PER S-LOC S-LOC"),
        ("U-PER O B-LOC L-LOC", "BILOU", "O U-PER U-LOC U-LOC"),
    ],
)
def test_labels_go_back_into_the_scheme_they_came_in(put, labels, scheme, written):
    file = read_conll(put("".join(f"w\t{label}\n" for label in labels.split())))
    assert (file.scheme, file.tags) == (scheme, [["B-PER", "O", "B-LOC", "I-LOC"]])
    relabelled = file.with_tags([["O", "B-PER", "B-LOC", "B-LOC"]])
    assert [line.split("\t")[1] for line in relabelled.raw.decode().splitlines()] == written.split()


def test_the_scheme_outlives_tags_that_do_not_show_it(put):
    file = read_conll(put("Nueva S-LOC\nLoma O\n"))
    again = file.with_tags([["O", "O"]]).with_tags([["B-LOC", "I-LOC"]])
    assert again.raw == b"Nueva B-LOC\nLoma E-LOC\n"


def test_tags_that_do_not_fit_the_words_are_a_bug_of_the_caller(put):
    with pytest.raises(ValueError, match="one tag a word"):
        read_conll(put(SMALL)).with_tags([["O"], ["O", "O", "O"]])


def test_a_broken_scheme_is_refused_when_the_tags_are_asked_for(put):
    path = put("-DOCSTART- O\n\nAna B-PER\nlee O\n\nen O\nLoma I-LOC\n")
    assert read_conll(path).sentences == [["Ana", "lee"], ["en", "Loma"]]
    expected = "FILE:7: I-LOC cannot follow O in IOB2; correct the line, or set scheme or label_column; "
    assert message_of(path, lambda file: file.tags).startswith(expected)
    with pytest.raises(DataError, match=r"es.conll:4: O cannot follow B-PER in BILOU"):
        _ = read_conll(path, scheme="BILOU").tags


def test_a_corpus_has_stable_ids_words_and_labels(put):
    corpus = labelled(read_conll(put(SMALL)))
    assert (corpus.name, corpus.label_names) == ("dev", ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"))
    assert [(e.id, e.lang, e.segments, e.labels) for e in corpus] == [
        ("es:dev:0", "es", ("Ana lee",), (3, 0)),
        ("es:dev:1", "es", ("en Nueva Loma",), (0, 1, 2)),
    ]


def test_a_map_renames_types_and_drops_them(put):
    file = read_conll(put(SMALL))
    corpus = labelled(file, label_names(["HUMAN"]), {"PER": "HUMAN", "LOC": None})
    assert [e.labels for e in corpus] == [(1, 0), (0, 0, 0)]


def test_a_map_may_name_types_the_file_does_not_have(put):
    corpus = labelled(read_conll(put(SMALL)), NAMES, {"MISC": None})
    assert corpus[0].labels == (3, 0)


def test_an_unmapped_type_is_refused_with_the_first_line_that_has_it(put):
    path = put(SMALL.replace("B-LOC", "S-LOC").replace("I-LOC", "S-LOC").replace("B-PER", "S-PER"))
    said = message_of(path, lambda file: labelled(file, label_names(["PER", "ORG"])))
    assert said == (
        "FILE:5: label S-LOC: unknown type LOC, expected one of ORG, PER; map the type (labels: {LOC: null} makes it O)"
    )


def test_a_map_onto_an_unknown_type_is_refused(put):
    with pytest.raises(ConfigError, match="labels: PER -> HUMAN, expected one of LOC, PER, or null for O"):
        labelled(read_conll(put(SMALL)), NAMES, {"PER": "HUMAN"})


@pytest.mark.parametrize("absurd", ["O", "I-X", "S-PER", "nonsense", "-DOCSTART-", "", "B-", "\u2028", "\u00a0"])
def test_an_unlabelled_corpus_never_looks_at_the_labels(put, absurd):
    right = unlabelled(put(SMALL))
    lines = [f"{line.split(chr(9))[0]}\t{absurd}" if line else "" for line in SMALL.split("\n")]
    wrong = unlabelled(put("\n".join(lines), "absurd.conll"))
    assert wrong.digest == right.digest
    assert [e.labels for e in wrong] == [None, None]


def test_label_names_are_sorted_by_type_and_unique():
    assert label_names(["PER", "LOC", "PER"]) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert label_names([]) == ("O",)


def test_new_files_are_written_with_a_tab_and_read_back(put):
    text = "".join(map(conll_lines(), WORDS, TAGS))
    file = read_conll(put(text))
    assert (file.sentences, file.tags) == (WORDS, TAGS)
    assert text == SMALL


def test_what_cannot_be_written_leaves_nothing_behind(put, tmp_path):
    file = read_conll(put(SMALL))
    (tmp_path / "taken").mkdir()
    with pytest.raises(WriteError, match="cannot be written"):
        file.write(tmp_path / "absent" / "out.conll")
    for folder in (tmp_path / "taken", Path()):
        with pytest.raises(WriteError, match=r"cannot be written \(it is a folder\)"):
            file.write(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["es.conll", "taken"]
