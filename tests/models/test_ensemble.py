"""What the ensemble's two methods take, and what they refuse, without a run: models of random classification layers."""

import pytest

from uxla.errors import DataError, ModelError
from uxla.models.ensemble import Ensemble
from uxla.models.loaded import Loaded, Runtime
from uxla.models.tasks import TASKS
from uxla.testbed import asset

NAMES = {"ner": ("O", "B-X", "I-X"), "nli": ("no", "yes"), "classification": ("no", "yes")}


@pytest.fixture(scope="module")
def ensembles():
    """An ensemble of one model for each kind of task."""

    def ensemble(task):
        labels = len(NAMES[task])
        return Ensemble(
            task, NAMES[task], (Loaded.open(TASKS[task](), asset(), asset(), Runtime("cpu", 32), num_labels=labels),)
        )

    return {task: ensemble(task) for task in NAMES}


def test_a_sentence_without_words_has_no_labels_and_moves_no_other(ensembles):
    tagger = ensembles["ner"]
    whole = tagger.tag([["ko", "mira"], ["sen"]])
    assert [len(tags) for tags in whole] == [2, 1]
    assert tagger.tag([[], ["ko", "mira"], [], ["sen"]]) == [[], whole[0], [], whole[1]]
    assert tagger.tag([[]]) == [[]]
    assert tagger.tag([]) == []


@pytest.mark.parametrize(
    ("sentences", "says"),
    [
        ([["ko"], ["New York", "ko"]], r"^sentence 1: got 'New York', expected words .* no space; cut it in two"),
        ([["ko", ""]], r"^sentence 0: got ''"),
        ([["ko", 3]], r"^sentence 0: got something else than str"),
        (["ko mira"], r"^sentence 0: got one str, expected a list of words; give text\.split\(\)"),
        ([["a\ud800"]], r"^sentence 0: half a surrogate pair"),
    ],
)
def test_what_is_no_list_of_words_is_refused_with_its_place(ensembles, sentences, says):
    with pytest.raises(DataError, match=says):
        ensembles["ner"].tag(sentences)


@pytest.mark.parametrize(
    ("task", "texts", "says"),
    [
        ("nli", ["one text"], r"^text 0: got 1 text, expected a pair; give \(first, second\)"),
        ("nli", [("a", "b"), ("a", "b", "c")], r"^text 1: got 3 texts, expected a pair"),
        ("classification", ["a", ("a", "b")], r"^text 1: got 2 texts, expected one; give it as a str"),
        ("classification", [("a", 3)], r"^text 0: got something else than str"),
        ("classification", "one", r"^texts is one str, expected a list of texts; write \[text\]"),
        ("classification", ["a\ud800"], r"^text 0: half a surrogate pair"),
    ],
)
def test_what_is_no_text_or_pair_is_refused_with_its_place(ensembles, task, texts, says):
    with pytest.raises(DataError, match=says):
        ensembles[task].classify(texts)


def test_texts_and_pairs_have_an_answer_each(ensembles):
    assert len(ensembles["nli"].classify([("a", "b"), ["c", ""]])) == 2
    assert len(ensembles["classification"].classify(["a", ("b",)])) == 2
    assert ensembles["classification"].classify([]) == []


def test_the_other_kind_of_task_is_refused_with_the_method_to_call(ensembles):
    with pytest.raises(ModelError, match=r"task ner.*call tag"):
        ensembles["ner"].classify(["ko mira"])
    with pytest.raises(ModelError, match=r"task nli.*call classify"):
        ensembles["nli"].tag([["ko"]])
