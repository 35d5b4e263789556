"""`uxla.augment` with the shipped model: what texts it takes, what comes out in which order, what it refuses."""

from itertools import count, islice

import pyarrow as pa
import pytest

import uxla
from uxla.errors import ConfigError, DataError, ModelError

SENTENCES = ["ko mira sen tal ru", "pogrin  triju\u00a0ga", "sen", "tal ru ko"]


def augmented(texts, **options):
    return list(uxla.augment(texts, **{"model": "testbed", "keep_unchanged": True, **options}))


def test_samples_come_in_the_order_of_their_parents_numbered_from_1():
    found = [(sample.parent, sample.number) for sample in augmented(SENTENCES)]
    assert found == [(parent, number) for parent in range(len(SENTENCES)) for number in (1, 2, 3)]


def test_a_sample_is_what_its_parent_was():
    assert {type(sample.text) for sample in augmented(SENTENCES)} == {str}
    words = [text.split(" ") for text in SENTENCES]
    assert {type(sample.text) for sample in augmented(words)} == {list}
    pairs = augmented([("ko mira", "sen tal ru")])
    assert {(type(sample.text), len(sample.text), len(sample.changed)) for sample in pairs} == {(tuple, 2, 2)}


def test_a_corpus_is_taken_as_the_texts_the_pairs_or_the_words_that_are_in_it():
    words = [text.split(" ") for text in ("ko mira sen tal", "sen tal")]
    tagged = uxla.read([(row, ["B-PER", *["O"] * (len(row) - 1)]) for row in words])
    assert augmented(tagged) == augmented(words)
    assert augmented(uxla.read([" ".join(row) for row in words])) == augmented([" ".join(row) for row in words])
    assert augmented(uxla.read([("ko mira", "sen")], task="nli")) == augmented([("ko mira", "sen")])


def test_the_sentences_of_a_pair_are_crossed_and_by_default_two_times_two():
    texts = [sample.text for sample in augmented([("ko mira sen tal", "sen tal ru ko")])]
    assert texts == [(a, b) for a in (texts[0][0], texts[2][0]) for b in (texts[0][1], texts[1][1])]
    assert len(augmented([("ko mira", "sen tal")], copies=(1, 3))) == 3
    assert len(augmented([("ko mira", "sen tal")], copies=3)) == 9


def test_what_is_dropped_leaves_a_gap_in_the_numbers():
    whole, kept = augmented(SENTENCES, copies=8), augmented(SENTENCES, copies=8, keep_unchanged=False)
    assert 0 < len(kept) < len(whole)
    assert all(sample.changed != ((),) for sample in kept)
    texts = [(sample.parent, sample.text) for sample in kept]
    assert len(set(texts)) == len(texts)
    assert set(kept) < set(whole)


def test_texts_are_taken_from_an_endless_iterable_only_as_they_are_needed():
    taken = []

    def endless():
        for i in count():
            taken.append(i)
            yield SENTENCES[i % 4]

    first = list(islice(uxla.augment(endless(), model="testbed", keep_unchanged=True), 5))
    assert [sample.parent for sample in first] == [0, 0, 0, 1, 1]
    assert len(taken) <= 64


def test_neither_how_many_texts_follow_nor_how_they_are_cut_into_parts_changes_a_sample(monkeypatch):
    texts = [f"{text} {other}" for text in SENTENCES for other in SENTENCES]
    whole = augmented(texts, top=5)
    assert augmented(texts[:7], top=5) == whole[: 7 * 3]
    monkeypatch.setattr("uxla.augmentation.memory._FIRST", 1)
    monkeypatch.setattr("uxla.augmentation.memory._MOST", 3)
    assert augmented(texts, top=5, tokens_per_batch=9) == whole


def test_the_seed_decides_and_nothing_else():
    assert augmented(SENTENCES, seed=1) == augmented(SENTENCES, seed=1) != augmented(SENTENCES, seed=2)


def test_words_in_a_list_keep_nbsp_and_empty_words():
    words = ["12\u00a0km", "", "mira", "\u3000"]
    for sample in augmented([words], share=1.0):
        assert len(sample.text) == 4
        assert "\u00a0" in sample.text[0]
        assert (sample.text[1], sample.text[3]) == ("", "\u3000")


def test_no_text_no_sample_and_an_empty_text_none():
    assert augmented([]) == augmented([""]) == augmented([[]]) == augmented([("", " ")]) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 30}, "30 % is 0.3"),
        ({"copies": 0}, "copies"),
        ({"unit": "letter"}, "'word', 'piece' or 'auto'"),
        ({"top": 0}, "top: got 0, expected at least 1"),
    ],
)
def test_values_that_make_no_sense_are_refused_at_the_call(options, says):
    with pytest.raises(ConfigError, match=says):
        uxla.augment(["a b"], model="testbed", **options)


@pytest.mark.parametrize(("texts", "copies"), [(["a b"], (2, 2)), ([["a", "b"]], (2, 2)), ([("a", "b")], (2, 2, 2))])
def test_copies_that_do_not_fit_the_texts_are_refused(texts, copies):
    with pytest.raises(ConfigError, match="copies: got "):
        augmented(texts, copies=copies)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([3], "text 0: got int"),
        (["a", ("a", "b")], "text 1: got tuple, the first was str"),
        ([("a",)], "text 0: got 1 text, expected a pair"),
        ([["a", "a b"]], "text 0, word 1: got 'a b', with a space in it"),
        ({"ko": 1}, r"^texts: got {'ko': 1} \(dict\), expected a list of texts"),
        (pa.table({"text": ["ko"]}), r"^texts: got a table \(Table\)"),
        ([["a", None]], "text 0, word 1: got None, a missing value, expected a str"),
        (["a", "\ud800"], "text 1: half a surrogate"),
    ],
)
def test_what_is_no_text_is_named_by_its_number(texts, says):
    with pytest.raises(DataError, match=says):
        augmented(texts)


def test_columns_of_other_libraries_are_texts_too():
    words = [sentence.split() for sentence in SENTENCES]
    assert augmented(pa.array(SENTENCES)) == augmented(SENTENCES)
    assert augmented(pa.chunked_array([words])) == augmented(words)


def test_one_str_instead_of_a_list_of_them_is_not_taken_letter_by_letter():
    with pytest.raises(DataError, match=r"write \[text\]"):
        uxla.augment("ko mira", model="testbed")


def test_a_model_that_is_not_there_is_refused_at_the_call(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        uxla.augment([], model=str(tmp_path / "none"))


@pytest.mark.parametrize(("unit", "told"), [("word", 1), ("auto", 0)])
def test_words_asked_for_where_a_text_has_no_spaces_are_remarked_on_once(hearing, unit, told):
    with hearing() as notes:
        augmented(["老磨坊在河边没有人看守"] * 200, unit=unit)
    assert len(notes) == told
    assert all("unit `auto`" in note for note in notes)


def test_the_package_offers_augment_and_nothing_that_is_not_there():
    assert uxla.Sample.__module__ == uxla.augment.__module__ == "uxla.augmentation.memory"
    assert not hasattr(uxla, "augmentations")
