from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.errors import DataError
from uxla.records import Corpus, Example, Predictions, concatenate
from uxla.seeds import derive, generator

WORDS = st.text(st.characters(exclude_categories=["Cs", "Zs"]), min_size=1, max_size=5)


@st.composite
def examples(draw):
    words = draw(st.lists(WORDS, min_size=1, max_size=4))
    labels = draw(st.none() | st.just(tuple(range(len(words)))))
    return Example(draw(WORDS), "x", (" ".join(words),), labels)


CORPORA = st.lists(examples(), max_size=12).map(lambda rows: Corpus.from_examples("c", ["O", "B", "I", "J"], rows))


@given(CORPORA)
def test_a_corpus_gives_back_its_examples(corpus):
    rows = list(corpus)
    assert len(rows) == len(corpus)
    assert [corpus[i] for i in range(len(corpus))] == rows
    assert Corpus.from_examples("c", corpus.label_names, rows).digest == corpus.digest


@given(CORPORA)
def test_written_and_read_again_it_is_the_same(corpus):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        corpus.write(Path(folder) / "c.arrow")
        again = Corpus.read(Path(folder) / "c.arrow")
        assert (again.name, again.label_names, list(again)) == (corpus.name, corpus.label_names, list(corpus))
        assert again.digest == corpus.digest


@given(CORPORA, st.integers(0, 2**32))
def test_the_digest_depends_on_content_and_order_but_not_on_how_it_was_made(corpus, seed):
    order = np.random.default_rng(seed).permutation(len(corpus))
    shuffled = corpus.take(order)
    assert shuffled.take(np.argsort(order)).digest == corpus.digest
    assert (shuffled.digest == corpus.digest) == (list(shuffled) == list(corpus))
    half = len(corpus) // 2
    parts = [corpus.take(range(half)), corpus.take(range(half, len(corpus)))]
    assert concatenate("other name", parts).digest == corpus.digest
    assert (
        Corpus(
            "c",
            corpus.label_names,
            pa.concat_tables([corpus.table.slice(i, 1) for i in range(len(corpus))]) if len(corpus) else corpus.table,
        ).digest
        == corpus.digest
    )


def test_the_digest_depends_on_the_label_names():
    corpus = Corpus.from_examples("c", ["O", "B"], [Example("1", "x", ("a",), (1,))])
    assert Corpus("c", ("O", "I"), corpus.table).digest != corpus.digest


def test_the_digest_is_what_it_was_when_artifacts_were_stored_under_it():
    corpus = Corpus.from_examples("c", ["O", "B"], [Example("1", "x", ("a b",), (0, 1)), Example("2", "x", ("c",))])
    assert corpus.digest == "1fa8f8f95778d38efca8cf235e4390d5f4718285a2d7e3e2d0348d486fd10255"
    assert corpus.unlabelled().digest == "b82ef0d096c1d19550771312d571f0fd93285562e721b7e55717927d47818073"


def test_labels_are_removed_from_a_corpus_of_many_batches():
    corpus = Corpus.from_examples("c", ["O"], (Example(str(i), "x", ("w",), (0,)) for i in range(10_000)))
    bare = corpus.unlabelled()
    assert len(bare) == bare.table.column("labels").null_count == 10_000
    assert bare.digest == Corpus.from_examples("c", ["O"], (Example(str(i), "x", ("w",)) for i in range(10_000))).digest


@given(CORPORA)
def test_unlabelled_removes_every_label_and_nothing_else(corpus):
    bare = list(corpus.unlabelled())
    assert all(example.labels is None for example in bare)
    assert [(e.id, e.segments) for e in bare] == [(e.id, e.segments) for e in corpus]


def test_labels_are_put_beside_their_words():
    corpus = Corpus.from_examples("c", ["O", "B"], [Example("1", "x", ("a b",)), Example("2", "x", ("c",))])
    labelled = corpus.with_labels(np.array([1, 0, 1]), np.array([0, 2, 3]))
    assert [example.labels for example in labelled] == [(1, 0), (1,)]
    with pytest.raises(ValueError, match="do not fit"):
        corpus.with_labels(np.array([1, 0]), np.array([0, 2]))


def test_corpora_with_different_labels_are_not_joined():
    a, b = (Corpus.from_examples("c", [name], [Example("1", "x", ("w",))]) for name in "OP")
    with pytest.raises(ValueError, match="different label names"):
        concatenate("ab", [a, b])


def test_words_are_split_at_the_ascii_space_only():
    assert Example("1", "x", ("a\u00a0b c\u3000d",)).words == ["a\u00a0b", "c\u3000d"]


def test_ties_of_classes_go_to_the_lower_one():
    predictions = Predictions(np.array([[0.4, 0.4, 0.2]], dtype=np.float32), np.array([0, 1]))
    assert predictions.pseudo_labels.tolist() == [0]


@given(st.integers(), st.text())
def test_seeds_are_stable_and_differ_by_every_part(seed, part):
    assert derive(seed, part) == derive(seed, part)
    assert 0 <= derive(seed, part) < 2**63
    assert derive(seed, part) != derive(seed, part + "x")
    assert derive(seed, part) != derive(seed + 1, part)


def test_a_seed_is_the_same_on_every_machine():
    assert derive(0, "mix", 1) == 3884555974502946380
    assert generator(0, "mix", 1).integers(1000) == 823


THREE = Corpus.from_examples("c", ["O", "B"], [Example(word, "x", (word,), (0,)) for word in "abc"])


@pytest.mark.parametrize("indices", [[True, False, True], np.array([True, False, True]), [0, 2], np.array([0, 2])])
def test_rows_are_taken_by_a_mask_or_by_indices(indices):
    assert [example.id for example in THREE.take(indices)] == ["a", "c"]


@pytest.mark.parametrize(
    ("indices", "said"),
    [
        ([True], "take: got a mask of 1, expected one boolean for each of 3 examples"),
        ([1.9], r"take: got \[1.9\] \(list\), expected a list of indices, or a mask of booleans"),
        (1, r"take: got 1 \(int\), expected a list of indices"),
        ([1, [2]], "expected a list of indices"),
    ],
)
def test_what_says_no_rows_is_refused(indices, said):
    with pytest.raises(DataError, match=said):
        THREE.take(indices)


def test_a_slice_of_a_corpus_is_a_corpus():
    for part in (slice(0, 1), slice(1, None), slice(-2, None), slice(None, None, -1), slice(2, 1)):
        assert list(THREE[part]) == list(THREE)[part]
        assert THREE[part].label_names == THREE.label_names


@pytest.mark.parametrize(("names", "label"), [(["O", "B"], 2), (["O", "B"], -1), ([], 0)])
def test_a_label_that_has_no_name_is_refused_with_its_example(names, label):
    rows = [Example("x:0", "x", ("a",), (-100,)), Example("x:1", "x", ("a b",), (label, -100))]
    with pytest.raises(DataError, match=f"^example x:1: has label {label}, "):
        Corpus.from_examples("c", names, rows)


def test_predictions_are_counted_in_english():
    assert (
        repr(Predictions(np.ones((2, 1), dtype=np.float32), np.array([0, 2])))
        == "Predictions(1 example, 2 rows, 1 class)"
    )


def test_the_gold_labels_of_a_corpus_are_those_of_its_examples_one_after_the_other():
    rows = [Example("1", "x", ("a b",), (1, 0)), Example("2", "x", ("c",), (2,))]
    corpus = Corpus.from_examples("c", ["O", "B", "I"], rows)
    assert corpus.gold_labels.tolist() == [1, 0, 2]
    assert corpus.part(1).gold_labels.tolist() == [2]
    assert corpus.part(2).gold_labels.dtype == np.int64


def test_a_corpus_without_the_labels_of_an_example_has_no_gold_labels_and_names_it():
    rows = [Example("1", "x", ("a",), (0,)), Example("2", "x", ("b",))]
    with pytest.raises(ValueError, match="example 2 has no labels to learn from"):
        _ = Corpus.from_examples("c", ["O"], rows).gold_labels
