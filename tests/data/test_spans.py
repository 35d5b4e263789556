"""Character spans: what annotation tools export is read as words and tags, and what does not fit is said with its
place."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.config.run import load_config
from uxla.data.checks.check import check
from uxla.data.conll.repair import fix_scheme
from uxla.data.load import discover_labels, load_corpus
from uxla.data.spans.document import Document, Span, spans_of
from uxla.errors import ConfigError, DataError
from uxla.progress import listening
from uxla.raw_text import split_words

TEXT = "Koru Mira-Sen, tal 😀 Ru!"
PLACES = {"PER": (5, 13), "LOC": (21, 23)}
WORDS = ["Koru", "Mira", "-", "Sen", ",", "tal", "😀", "Ru", "!"]
TAGS = ["O", "B-PER", "I-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path, **how):
    """The words and tags of each sentence."""
    names = discover_labels(path, **how)
    corpus = load_corpus(path, name="t", lang="x", label_names=names, labelled=True, **how)
    return [(example.words, [names[label] for label in example.labels]) for example in corpus]


def jsonl(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def doccano(text=TEXT, places=PLACES):
    return jsonl({"id": 1, "text": text, "label": [[*place, label] for label, place in places.items()]})


def doccano_entities():
    entities = [
        {"id": i, "label": label, "start_offset": start, "end_offset": end}
        for i, (label, (start, end)) in enumerate(PLACES.items())
    ]
    return jsonl({"id": 1, "text": TEXT, "entities": entities, "relations": [], "Comments": []})


def regions(places, units=0):
    """Label Studio's regions, those behind the emoji moved by so many units."""
    for label, (start, end) in places.items():
        moved = units * (start > 19)
        value = {"start": start + moved, "end": end + moved, "text": TEXT[start:end], "labels": [label]}
        yield {"value": value, "id": label, "from_name": "label", "to_name": "text", "type": "labels"}


def label_studio(units=0):
    result = [*regions(PLACES, units), {"type": "choices", "value": {"choices": ["good"]}}, {"type": "relation"}]
    task = {"id": 7, "data": {"text": TEXT}, "annotations": [{"id": 1, "was_cancelled": False, "result": result}]}
    return json.dumps([task], indent=2, ensure_ascii=False)


def json_min():
    return json.dumps([{"id": 7, "text": TEXT, "label": [each["value"] for each in regions(PLACES)], "annotator": 1}])


def prodigy():
    spans = [{"start": start, "end": end, "label": label} for label, (start, end) in PLACES.items()]
    return jsonl({"text": TEXT, "_input_hash": -5, "spans": spans, "answer": "accept"})


FORMS = {
    "doccano.jsonl": doccano(),
    "entities.jsonl": doccano_entities(),
    "studio.json": label_studio(),
    "units.json": label_studio(units=1),
    "min.json": json_min(),
    "prodigy.jsonl": prodigy(),
}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_is_recognised_and_gives_the_same_words_and_tags(name, file):
    path = file(name, FORMS[name])
    assert read(path) == [(WORDS, TAGS)]
    report = check(path)
    assert (report.format, report.scheme, report.entities) == ("spans", "IOB2", {"LOC": 1, "PER": 1})


@pytest.mark.parametrize("name", FORMS)
def test_unlabelled_the_text_is_cut_in_the_same_way_and_no_label_is_looked_at(name, file):
    absurd = FORMS[name].replace("PER", "").replace("[5, 13", "[7, 7777")
    corpus = load_corpus(file(name, absurd), name="t", lang="x", label_names=("O",), labelled=False)
    assert [example.words for example in corpus] == [WORDS]


OTHERS = "R1\tnear Arg1:T1 Arg2:T2\n#1\tNote T1\thm\n\nE1\tSee:T1\n*\tSame T1 T2\n"
ANN = "T1\tPER 5 9\tMira\nT2\tLOC {0} {1}\tSen Ru\n" + OTHERS


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Koru Mira.\n\nSen Ru\n", (12, 18)),
        ("Koru Mira.\r\n\r\nSen Ru\r\n", (14, 20)),
        ("Koru Mira.\r\n\r\nSen Ru\r\n", (12, 18)),
        ("\ufeffKoru Mira.\n\nSen Ru", (12, 18)),
    ],
)
@pytest.mark.parametrize("opened", ["a.txt", "a.ann", "."])
def test_brat_is_a_text_with_annotations_beside_it_and_a_sentence_a_line(text, place, opened, file, tmp_path):
    file("a.txt", text)
    file("a.ann", ANN.format(*place))
    assert read(tmp_path / opened) == [
        (["Koru", "Mira", "."], ["O", "B-PER", "O"]),
        (["Sen", "Ru"], ["B-LOC", "I-LOC"]),
    ]


def test_a_folder_of_brat_has_all_its_texts_and_those_without_annotations_file_are_left_out(file, tmp_path):
    for name in ("b", "a"):
        file(f"{name}.txt", f"Mira {name}\n")
        file(f"{name}.ann", "T1\tPER 0 4\tMira\n")
    file("c.txt", "tal\n")
    file("d.txt", "ru\n")
    file("d.ann", "")  # looked at, and nothing found
    assert [words for words, _ in read(tmp_path)] == [["Mira", "a"], ["Mira", "b"], ["ru"]]
    assert check(tmp_path).sentences == 3
    corpus = load_corpus(tmp_path, name="t", lang="x", label_names=("O",), labelled=False)
    assert [example.words[-1] for example in corpus] == ["a", "b", "tal", "ru"]


def test_raw_text_is_cut_in_the_same_way_where_the_format_is_asked_for(file):
    path = file("a.txt", "Mira-Sen, tal.\n\nru\n")
    corpus = load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False, format="spans")
    assert [example.words for example in corpus] == [["Mira", "-", "Sen", ",", "tal", "."], ["ru"]]


def test_tokens_of_prodigy_are_the_words(file):
    tokens = [(0, 8), (8, 9), (9, 10), (10, 14)]
    row = {
        "text": "Mira-Sen\n,tal ",
        "tokens": [{"text": "Mira-Sen\n,tal "[a:b], "start": a, "end": b, "id": a} for a, b in tokens],
        "spans": [{"start": 0, "end": 8, "label": "PER", "token_start": 0, "token_end": 0}],
    }
    assert read(file("a.jsonl", jsonl(row))) == [(["Mira-Sen", ",", "tal"], ["B-PER", "O", "O"])]
    assert read(file("b.jsonl", jsonl(row | {"tokens": []})))[0][0] == ["Mira", "-", "Sen", ",", "tal"]
    with pytest.raises(DataError, match="',tal' is in no token; correct tokens, or leave them out"):
        read(file("b.jsonl", jsonl(row | {"tokens": row["tokens"][:2]})))
    row["tokens"][2]["end"] = 12
    with pytest.raises(DataError, match=r"a\.jsonl:1: token 2, ',', is not at 9-12"):
        read(file("a.jsonl", jsonl(row)))


class Heard:
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_what_nobody_labelled_or_somebody_rejected_is_left_out_of_the_labels_and_counted(file):
    spans = [{"start": 0, "end": 4, "label": "PER"}]
    rejected = {"text": "Sen", "spans": [{"start": 0, "end": 3, "label": "LOC"}], "answer": "reject"}
    rows = [{"text": "Mira", "spans": spans, "answer": "accept"}, rejected, {"text": "tal", "answer": "accept"}]
    path, heard = file("a.jsonl", jsonl(*rows)), Heard()
    with listening(heard):
        assert read(path) == [(["Mira"], ["B-PER"]), (["tal"], ["O"])]
    [told] = load_corpus(path, name="t", lang="x", label_names=("O", "B-PER", "I-PER"), labelled=True).left_out
    assert told == "1 of 3 texts left out: nobody labelled them, or their labels were rejected"
    assert heard.notes == [f"{path}: {told}"]
    tasks = [
        {"data": {"text": "Mira"}, "annotations": [{"result": [{"value": {**spans[0], "labels": ["PER"]}}]}]},
        {"data": {"text": "tal"}, "annotations": []},
        {"data": {"text": "ru"}, "annotations": [{"was_cancelled": True, "result": []}]},
    ]
    path = file("a.json", json.dumps(tasks))
    assert read(path) == [(["Mira"], ["B-PER"])]
    report = check(path)
    assert report.sentences == 1
    assert [(doubt.about, doubt.text[:6]) for doubt in report.doubts] == [("left out", "2 of 3")]
    assert len(load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False)) == 3


def test_an_export_that_nobody_has_labelled_yet_is_text_with_spans_all_the_same(file):
    path = file("a.jsonl", jsonl({"text": "Mira, tal", "label": []}, {"text": "ru.", "label": []}))
    corpus = load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False)
    assert [example.words for example in corpus] == [["Mira", ",", "tal"], ["ru", "."]]


def test_what_was_predicted_is_read_only_where_nobody_looked(file):
    found = [{"start": 0, "end": 4, "label": "LOC"}]
    rows = [
        {"text": "Mira", "label": [], "predicted": found},
        {"text": "Mira", "label": [[0, 4, "PER"]], "predicted": found},
    ]
    assert [tags for _, tags in read(file("a.jsonl", jsonl(*rows)))] == [["O"], ["B-PER"]]
    assert read(file("b.jsonl", jsonl({"text": "Mira", "predicted": found}))) == [(["Mira"], ["B-LOC"])]


@pytest.mark.parametrize(
    "row",
    [
        {"text": "koru mira", "labels": ["O", "B-PER"], "segments": [{"start": 0, "end": 4}]},
        {"text": "koru mira", "labels": ["O", "B-PER"]},
        {"tokens": ["koru", "mira"], "ner_tags": ["O", "B-PER"], "text": "koru mira", "spans": []},
    ],
)
def test_a_table_of_words_and_tags_stays_one(row, file):
    assert read(file("a.jsonl", jsonl(row))) == [(["koru", "mira"], ["O", "B-PER"])]


def test_blanks_at_the_ends_of_a_span_and_what_cannot_be_seen_do_not_count(file):
    places = {"PER": (4, 10), "LOC": (10, 14)}
    assert read(file("a.jsonl", doccano("Koru Mira\u200b Sen ", places))) == [
        (["Koru", "Mira", "Sen"], ["O", "B-PER", "B-LOC"])
    ]


def test_a_label_has_no_blank_in_it(file):
    [(_, tags)] = read(file("a.jsonl", doccano("Mira tal", {" Big  Place": (0, 8)})))
    assert tags == ["B-Big_Place", "I-Big_Place"]


def test_a_span_that_is_there_twice_counts_once(file):
    row = {"text": "Mira tal", "label": [[0, 4, "PER"], [0, 4, "PER"]]}
    assert read(file("a.jsonl", jsonl(row))) == [(["Mira", "tal"], ["B-PER", "O"])]


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([[0, 4, "PER"], [0, 8, "LOC"]], "span 0-8 'Mira tal' (LOC) crosses 0-4 'Mira' (PER); a word has one label"),
        ([[0, 6, "PER"]], "span 0-6 'Mira t' (PER) ends inside the word 'tal' (5-8); move it to 5 or 8"),
        ([[2, 4, "PER"]], "span 2-4 'ra' (PER) begins inside the word 'Mira' (0-4); move it to 0 or 4"),
        ([[4, 5, "PER"]], "span 4-5 ' ' (PER) has no word; leave it out"),
        ([[4, 4, "PER"]], "span 4-4 '' (PER) has no word; leave it out"),
        ([[5, 4, "PER"]], "span 5-4 '' (PER) ends before it begins"),
        ([[5, 9, "PER"]], "span 5-9 'tal' (PER) lies outside the text of 8 characters; count code points from 0"),
        ([[-1, 4, "PER"]], "lies outside the text of 8 characters"),
        ([[0, 4, ""]], "a span has the label ''; give it one, or leave it out"),
        ([[0, 4, "null"]], "a span has the label 'null'"),
        ([{"start": 0, "end": 4, "label": None}], "a span has the label None"),
        ([{"start": 0, "end": 4, "labels": ["A", "B"]}], "a span has 2 labels; a word has one"),
        ([{"start": "0", "end": 4, "label": "PER"}], "a span from '0' to 4; expected offsets into a plain text"),
        ([{"start": 0, "end": 4, "label": "PER", "text": "Mia"}], "quotes 'Mia', but 'Mira' stands there"),
        ([[0, 4, "PER"], {"from": 0}], "'spans' has something else than spans; expected [start, end, type]"),
        ([[0, 4, "\ud800"]], "half a surrogate pair"),
    ],
)
def test_a_span_that_does_not_fit_is_an_error_with_its_place_and_remedy(spans, said, file):
    rows = json.dumps({"text": "tal", "spans": []}) + "\n\n" + json.dumps({"text": "Mira tal", "spans": spans}) + "\n"
    with pytest.raises(DataError) as caught:
        read(file("a.jsonl", rows), format="spans")
    assert "a.jsonl:3: " in str(caught.value)
    assert said in str(caught.value)


def test_a_wrong_offset_behind_an_emoji_says_who_counts_it_twice(file):
    with pytest.raises(DataError, match="characters that count twice in a browser"):
        read(file("a.jsonl", doccano("😀 Mira tal", {"PER": (3, 7)})))


def test_offsets_that_are_not_the_utf_16_units_they_claim_to_be_are_told_so(file):
    row = {"text": "😀 Mira", "offsets": "utf-16", "spans": [{"start": 2, "end": 6, "label": "PER", "text": "Mira"}]}
    with pytest.raises(DataError, match="not at these UTF-16 units, but at these code points; leave out 'offsets'"):
        read(file("a.jsonl", json.dumps(row) + "\n"), format="spans")


@pytest.mark.parametrize(
    ("ann", "said"),
    [
        ("T1\tPER 0 4;9 12\tMira Sen\n", r"a\.ann:1: the entity 'T1.*' has several pieces"),
        ("T1\tPER 5 12\ttal Sen\n", r"a\.txt:1: span 5-12 'tal' \(PER\) crosses a line break"),
        ("T1\tPER 9 11\tSe\n", r"a\.txt:2: span 9-11 'Se' \(PER\) ends inside the word 'Sen' \(9-12\)"),
        ("T1\tPER 0 4\tMiro\n", r"a\.ann: the span 0-4 \(PER\) quotes 'Miro', but 'Mira' stands there"),
        (
            "T1 PER 0 4 Mira\n",
            r"a\.ann:1: got 'T1 PER 0 4 Mira', expected T1, TAB, TYPE START END, TAB, text; is",
        ),
        ("Mira\n", r"a\.ann:1: got 'Mira', expected"),
    ],
)
def test_what_is_wrong_in_brat_is_said_with_its_place(ann, said, file):
    path = file("a.txt", "Mira tal\nSen\n")
    file("a.ann", ann)
    with pytest.raises(DataError, match=said):
        read(path)


@pytest.mark.parametrize("text", ["", "\n\n", "tal\n \n"])
def test_a_span_where_there_is_no_word_is_not_passed_over(text, file):
    path = file("a.txt", text)
    file("a.ann", "T1\tPER 4 5\n" if text else "T1\tPER 0 4\tMira\n")
    with pytest.raises(DataError, match=r"has no word|outside the text|stands there"):
        read(path)
    with pytest.raises(DataError, match="has no word"):
        read(file("a.jsonl", doccano("  ", {"PER": (0, 1)})))


def test_annotations_without_a_text_are_refused(file, tmp_path):
    path = file("a.ann", "T1\tPER 0 4\tMira\n")
    with pytest.raises(DataError, match=r"no a\.txt beside it, which has the text"):
        read(path)
    with pytest.raises(DataError, match=r"a\.ann has no \.txt"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "[", r"a\.json:1: not JSON"),
        ("a.json", '[{"data": {"text": "x"}}', "no object after number 1"),
        ("a.json", '[{"data": {"text": "x"}},\n 5]', "no object after number 1"),
        ("a.json", "[\n5]", "a.json:2: entry 1 is a JSON int"),
        ("a.json", '[{"data": {"text": "x"}}] x', "there is something after the array"),
        ("a.json", "[]", "no sentence"),
        ("a.json", '[{"data": {"a": "x", "b": "y"}}]', "task 1: no text in its data"),
        ("a.jsonl", '{"spans": []}', "no 'text' with a text in it; the keys are spans"),
        ("a.jsonl", '{"text": " ", "spans": []}', "no sentence; expected a labelled text with a word in it"),
        ("a.xyz", "x", "character spans are read from .json, .jsonl, .ndjson, or .ann beside .txt"),
    ],
)
def test_what_is_no_file_of_spans_is_refused_in_one_line(name, content, said, file):
    with pytest.raises(DataError, match=said):
        read(file(name, content), format="spans")


def test_annotators_who_differ_are_refused(file):
    def annotation(end):
        return {"result": [{"value": {"start": 0, "end": end, "labels": ["PER"]}}]}

    tasks = [{"data": {"text": "Mira tal"}, "annotations": [annotation(4), annotation(end)]} for end in (4, 8)]
    assert len(read(file("a.json", json.dumps(tasks[:1])))) == 1
    with pytest.raises(DataError, match="task 2: 2 annotations that differ; keep the one that holds"):
        read(file("a.json", json.dumps(tasks)))


def test_spans_are_for_words_only(file):
    with pytest.raises(DataError, match="character spans are labels of words"):
        discover_labels(file("a.jsonl", doccano()), shape="single", format="spans")


def test_another_scheme_that_is_asked_for_is_no_fault(file):
    assert read(file("a.jsonl", doccano()), scheme="BIOES") == [(WORDS, TAGS)]


def test_there_is_no_scheme_to_repair(file, tmp_path):
    with pytest.raises(DataError, match="character spans have no scheme to break"):
        fix_scheme(file("a.jsonl", doccano()), tmp_path / "b.jsonl")


def test_a_configuration_takes_a_folder_of_brat_but_no_other(file, tmp_path):
    for name in ("folder/a.txt", "folder/a.ann"):
        file(name, "")
    (tmp_path / "empty").mkdir()
    config = load_config("testbed", [f"target_data.train={tmp_path / 'folder'}"])
    assert config.target_data.train == str(tmp_path / "folder")
    with pytest.raises(ConfigError, match="is a folder"):
        load_config("testbed", [f"target_data.train={tmp_path / 'empty'}"])


ANY = st.text(st.one_of(st.sampled_from(" \n\u200d\u00ad-.\u0301ab1日ကေ😀"), st.characters(exclude_categories=["Cs"])))


@given(text=ANY)
def test_words_lie_apart_in_order_and_have_nothing_blank_in_them(text):
    places = split_words(text, together=())
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    words = [text[start:end] for start, end in places]
    assert all(word and not set(word) & set(" \t\r\n\u00a0\u3000") for word in words)
    assert sum(map(str.isalnum, text)) == sum(char.isalnum() for word in words for char in word)


@given(text=ANY, data=st.data())
def test_spans_of_whole_words_become_tags_and_the_same_spans_again(text, data):
    places = split_words(text, together=())
    labels = st.sampled_from(["PER", "LOC", "B-X", "é"])
    edges = data.draw(st.lists(st.integers(0, len(places)), unique=True, max_size=8).map(sorted))
    pairs = [pair for pair in pairwise(edges) if data.draw(st.booleans())]
    asked = [Span(places[first][0], places[last - 1][1], data.draw(labels)) for first, last in pairs]
    document = Document(text, places, tuple(asked), "x", 1)
    assert document.cut() == [text[start:end] for start, end in places]
    assert spans_of(document.tags(), places) == asked


def test_records_with_spans_are_not_chosen_by_a_key_unseen(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"id": 1, "text": "koru Mira", "label": [[5, 9, "PER"]]}\n')
    with pytest.raises(ConfigError, match="character spans; rows can be chosen of tables"):
        check(tmp_path / "x.jsonl", where={"id": [2]})
