"""Records with character spans and other words: offsets and quotes move along, every other byte stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data.formats.json_places import with_entries, with_values
from uxla.data.options import ReadOptions
from uxla.data.spans.file import open_spans
from uxla.data.spans.rewrite import moved, rewritten
from uxla.data.writing.derived_columns import copied_column, offset_column
from uxla.errors import DataError
from uxla.raw_text import split_words

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.sampled_from(['"', "\\", "[{,:}]"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
)


def leaves(value, at=()):
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*at, key), entry
        yield from leaves(entry, (*at, key))


@given(value=st.dictionaries(st.text(max_size=3), JSON, min_size=1, max_size=4), data=st.data(), ascii=st.booleans())
def test_one_value_changes_and_no_other_character(value, data, ascii):
    raw = json.dumps(value, ensure_ascii=ascii, indent=data.draw(st.sampled_from([None, 1])))
    keys, old = data.draw(st.sampled_from(list(leaves(value))))
    new = data.draw(JSON)
    written = with_values(raw, {keys: new})
    assert dict(leaves(json.loads(written)))[keys] == new
    same = with_values(raw, {keys: old})
    assert json.loads(same) == value
    before = next(i for i in range(len(raw) + 1) if raw[: i + 1] != written[: i + 1] or i == len(raw))
    assert written[:before] == raw[:before]
    assert json.loads(with_entries(raw, {"new": new})) == {**value, "new": new}


WORDS = st.text(st.characters(exclude_categories=["C", "Z", "P", "S"]), min_size=1, max_size=5)


@given(text=st.text(st.sampled_from(" \nab1.-日"), max_size=20), data=st.data())
def test_every_place_between_words_moves_with_the_word_before_it(text, data):
    places = split_words(text, together=())
    words = data.draw(st.lists(WORDS, min_size=len(places), max_size=len(places)))
    change = moved(text, places, words)
    assert [change.text[start:end] for start, end in change.new] == words
    edges = {edge for place in split_words(change.text, together=()) for edge in place}
    assert edges.issuperset(edge for place in change.new for edge in place) or any(not word.isalnum() for word in words)
    for old, new in zip(places, change.new, strict=True):
        assert (change.start(old[0]), change.end(old[1])) == new
    assert change.end(len(text)) == len(change.text)
    kept = moved(text, places, [text[start:end] for start, end in places])
    assert kept.text == text
    assert all(kept.start(place) == kept.end(place) == place for place in range(len(text) + 1))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["Mira", "bo", "tal"], "Mira bo tal"),
        (["Mira", ";", "tal"], "Mira; tal"),
        (["Mira", ",", "\u0301"], "Mira, \u0301"),
    ],
)
def test_a_new_word_does_not_grow_together_with_its_neighbour(words, text):
    change = moved("Mira, tal", [(0, 4), (4, 5), (6, 9)], words)
    assert change.text == text
    assert split_words(text, together=()) == change.new


def written(path, raw, words, **added):
    path.write_text(raw, encoding="utf-8", newline="")
    [entry] = [
        each for each in open_spans(path, "tagging", ReadOptions()).entries(labelled=True) if each.document.words
    ]
    return rewritten(entry, words, added)


def test_doccano_moves(tmp_path):
    raw = '{"id": 1.50, "text":"Koru Mira, tal",  "label": [[5, 10,"PER"], [11,14, "X"]], "Comments": []}'
    after = '{"id": 1.50, "text":"Bo Miramira, t",  "label": [[3, 12,"PER"], [13,14, "X"]], "Comments": []}'
    assert written(tmp_path / "a.jsonl", raw, ["Bo", "Miramira", ",", "t"]) == after


def test_a_space_between_new_words_is_in_no_span(tmp_path):
    raw = '{"text": "Mira,tal", "label": [[0, 4, "PER"], [4, 5, "X"], [5, 8, "LOC"]]}'
    after = '{"text": "Mira bo tal", "label": [[0, 4, "PER"], [5, 7, "X"], [8, 11, "LOC"]]}'
    assert written(tmp_path / "a.jsonl", raw, ["Mira", "bo", "tal"]) == after


def test_prodigy_moves_tokens_too(tmp_path):
    raw = (
        '{"text":"Ana \\u00e9l.","tokens":[{"text":"Ana","start":0,"end":3,"id":0,"ws":true},'
        '{"text":"\\u00e9l","start":4,"end":6,"id":1},{"text":".","start":6,"end":7,"id":2}],'
        '"spans":[{"start":4,"end":6,"label":"PER","token_start":1}]}'
    )
    after = (
        '{"text":"Bo \\u00e9l\\u00e9.","tokens":[{"text":"Bo","start":0,"end":2,"id":0,"ws":true},'
        '{"text":"\\u00e9l\\u00e9","start":3,"end":6,"id":1},{"text":".","start":6,"end":7,"id":2}],'
        '"spans":[{"start":3,"end":6,"label":"PER","token_start":1}]}'
    )
    assert written(tmp_path / "a.jsonl", raw, ["Bo", "élé", "."]) == after


def test_label_studio_moves_every_annotation_and_prediction(tmp_path):
    def task(text, start, end):
        value = {"start": start, "end": end, "text": text[start:end], "labels": ["PER"]}
        result = [{"value": value, "type": "labels"}, {"value": {"choices": ["x"]}}]
        predictions = [{"result": [{"value": {**value, "labels": ["X"]}}], "score": 0.5}]
        return {"id": 3, "data": {"text": text, "start": 1, "end": 2}, "annotations": [{"result": result}] * 2} | {
            "predictions": predictions
        }

    raw = json.dumps([task("tal Mira Sen", 4, 12)], indent=2)
    after = json.dumps(task("t Miramira Sen", 2, 14) | {"parent": 0}, indent=2)
    new = written(tmp_path / "a.json", raw, ["t", "Miramira", "Sen"], parent=0)
    assert json.loads(new) == json.loads(after)
    assert json.dumps([json.loads(new)], indent=2).replace(',\n    "parent": 0', "").count("\n") == raw.count("\n")


def test_brat_becomes_a_record_of_doccano_a_line(tmp_path):
    (tmp_path / "a.ann").write_text("T1\tPER 6 10\tMira\n")
    new = written(tmp_path / "a.txt", "\r\n\r\n  Mira tal\r\n", ["Bo", "tal"])
    assert json.loads(new) == {"text": "  Bo tal", "label": [[2, 4, "PER"]]}


def test_spans_that_cross_move_too_but_not_those_that_cut_a_word(tmp_path):
    raw = '{"text": "Koru Mira tal", "label": [[0, 9, "A"], [5, 13, "B"]]}'
    assert json.loads(written(tmp_path / "a.jsonl", raw, ["K", "M", "t"]))["label"] == [[0, 3, "A"], [2, 5, "B"]]
    with pytest.raises(DataError, match=r"a\.jsonl:1: span 0-7 .* ends inside the word 'Mira'"):
        written(tmp_path / "a.jsonl", raw.replace("[0, 9", "[0, 7"), ["K", "M", "t"])


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("label", [[5, 13, "PER"]]),
        ("entities", [{"id": 1, "start_offset": 0, "end_offset": 4}]),
        ("spans", [[0, 4], [5, 9]]),
        ("answers", {"text": ["Mira"], "answer_start": [5]}),
        ("meta", {"parts": [{"startOffset": 0}]}),
        ("start", 5),
        ("char_end", 9),
        ("label", "[[5, 13, 'PER']]"),
        ("entities", '[{"start": 0, "end": 4}]'),
        ("answer_start", "5"),
    ],
)
def test_columns_of_offsets_are_told(column, cell):
    assert offset_column({"id": 1, "text": "Koru Mira sen", column: cell}, ["text"]) == column


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("label", [0, 1]),
        ("label", 1),
        ("tokens", ["Koru", "Mira"]),
        ("time_start", 5),
        ("box", [[1, 2], [3, 4]]),
        ("pair", [1, 2, 3]),
        ("start", "Koru"),
        ("start", None),
        ("end", True),
        ("note", "[see 5, 13"),
        ("note", "[" * 200 + "]" * 200),
    ],
)
def test_other_columns_are_no_offsets(column, cell):
    assert offset_column({"id": 1, "text": "Koru Mira sen", column: cell}, ["text"]) is None


@pytest.mark.parametrize(
    ("column", "cell", "made"),
    [
        ("tokens", ["Koru", "Mira", "sen"], True),
        ("words", "['Koru', 'Mira', 'sen']", True),
        ("raw", "Koru  Mira sen", True),
        ("input_ids", [3, 8, 5], True),
        ("sentenceEmbedding", [0.5, -0.25], True),
        ("length", 13, True),
        ("n_chars", "13", True),
        ("tokens", ["Koru", "Mira"], False),
        ("label", ["Koru"], False),
        ("length", 12, False),
        ("fold", 13, False),
        ("n_tokens", 3, False),
        ("input_ids", [], False),
        ("vector", "tal", False),
        ("other", None, False),
    ],
)
def test_columns_that_were_made_of_the_text_are_told(column, cell, made):
    row = {"id": 13, "text": "Koru Mira sen", column: cell}
    assert copied_column(row, {"text": "Koru Mira sen"}) == (column if made else None)
