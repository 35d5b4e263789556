"""What the ensemble's two methods take, and what they refuse, without a run: models of random classification layers."""

import json
import shutil
from copy import copy
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from transformers.utils import logging

from uxla.errors import ArtifactError, ConfigError, DataError, ModelError
from uxla.models.ensemble import Ensemble
from uxla.models.ensemble_folder import read_card, save
from uxla.models.loading import load_tokenizer
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import TASKS
from uxla.raw_text import Splitter
from uxla.records import Corpus, Example
from uxla.testbed import asset

NAMES = {"ner": ("O", "B-X", "I-X"), "nli": ("no", "yes"), "classification": ("no", "yes")}


@pytest.fixture(scope="module")
def ensembles():
    """An ensemble of one model for each kind of task."""

    def ensemble(task):
        labels = len(NAMES[task])
        return Ensemble(
            task, NAMES[task], (TaskModel.open(TASKS[task](), asset(), asset(), Runtime("cpu", 32), num_labels=labels),)
        )

    return {task: ensemble(task) for task in NAMES}


@pytest.mark.parametrize("size", [0, -5, "a"])
def test_a_batch_has_at_least_one_text(ensembles, size):
    with pytest.raises(ConfigError, match=rf"^batch_size: got {size!r}, expected a whole number of at least 1$"):
        ensembles["ner"].predict(["Ana"], batch_size=size)


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
        ([["ko"], ["New York", "ko"]], r"^sentence 1, word 0: got 'New York', expected a word .*; cut it in two"),
        ([["ko", ""]], r"^sentence 0, word 1: got '', .*; leave it out"),
        ([["ko", 3]], r"^sentence 0, word 1: got 3 \(int\), expected a str; write str\(value\)"),
        ([["ko"], ["mira", None]], r"^sentence 1, word 1: got None, a missing value, expected a str; leave it out"),
        ([["ko", float("nan")]], r"^sentence 0, word 1: got nan, a missing value"),
        ([["ko", b"sen"]], r"^sentence 0, word 1: got b'sen' \(bytes\), expected a str; decode it"),
        ([["ko"], None], r"^sentence 1: got None, a missing value, expected a list of words"),
        ([["ko"], 3.5], r"^sentence 1: got 3.5 \(float\), expected a list of words"),
        ([["ko"], float("nan")], r"^sentence 1: got nan, a missing value, expected a list of words"),
        ([b"ko mira"], r"^sentence 0: got b'ko mira' \(bytes\), expected a list of words"),
        ([{"ko": 1}], r"^sentence 0: got {'ko': 1} \(dict\), expected a list of words"),
        ([{"ko"}], r"^sentence 0: got {'ko'} \(set\), expected a list of words"),
        (np.array(["ko", "mira"]), r"^sentence 0: got one str, expected a list of words"),
        (iter(["ko mira"]), r"^sentence 0: got one str"),
        ("ko mira", r"^sentences is one str, expected a list of lists of words; write \[sentence\]"),
        (None, r"^sentences: got None, a missing value, expected a list of lists of words"),
        (7, r"^sentences: got 7 \(int\), expected a list of lists of words"),
        (np.array("ko"), r"^sentences: got array\('ko'"),
        (pa.table({"words": [["ko"]]}), r"^sentences: got a table \(Table\), .*; give one of its columns"),
        (["ko mira"], r"^sentence 0: got one str, expected a list of words; give text\.split\(\)"),
        ([["a\ud800"]], r"^sentence 0, word 0: half a surrogate pair"),
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
        ("classification", ["a", 3], r"^text 1: got 3 \(int\), expected a str"),
        ("classification", ["a", None], r"^text 1: got None, a missing value, expected a str; leave it out"),
        ("classification", [float("nan")], r"^text 0: got nan, a missing value, expected a str"),
        ("classification", [np.float32("nan")], r"^text 0: got nan, a missing value, expected a str"),
        ("classification", [b"a"], r"^text 0: got b'a' \(bytes\), expected a str; decode it"),
        ("classification", [{"text": "a"}], r"^text 0: got {'text': 'a'} \(dict\), expected a list of texts"),
        ("classification", {"a": 1}, r"^texts: got {'a': 1} \(dict\), expected a list of texts"),
        ("classification", {"a"}, r"^texts: got {'a'} \(set\), expected a list of texts"),
        ("classification", None, r"^texts: got None, a missing value, expected a list of texts"),
        ("nli", [("a", None)], r"^text 0, part 1: got None, a missing value, expected a str"),
        ("nli", [("a", "b"), None], r"^text 1: got None, a missing value, expected a pair; give \(first"),
        ("nli", [{"first": "a"}], r"^text 0: got {'first': 'a'} \(dict\), expected a pair; give \(first, second\)"),
        ("nli", [("a", b"b")], r"^text 0, part 1: got b'b' \(bytes\), expected a str; decode it"),
        ("classification", "one", r"^texts is one str, expected a list of texts; write \[text\]"),
        ("classification", ["a\ud800"], r"^text 0: half a surrogate pair"),
    ],
)
def test_what_is_no_text_or_pair_is_refused_with_its_place(ensembles, task, texts, says):
    with pytest.raises(DataError, match=says):
        ensembles[task].classify(texts)


ITERABLES = {
    "generator": lambda rows: (row for row in rows),
    "map": lambda rows: map(copy, rows),
    "iter": iter,
    "array of objects": lambda rows: np.array([*rows, None], dtype=object)[:-1],
    "tuple": tuple,
    "values of a dict": lambda rows: dict(enumerate(rows)).values(),
}


@pytest.mark.parametrize("kind", ITERABLES)
def test_any_iterable_is_walked_once_and_has_an_answer_for_each_entry(ensembles, kind):
    sentences, texts = [["ko", "mira"], [], ["sen"]], ["ko mira", "sen", "tal"]
    assert ensembles["ner"].tag(ITERABLES[kind](sentences)) == ensembles["ner"].tag(sentences)
    assert ensembles["classification"].classify(ITERABLES[kind](texts)) == ensembles["classification"].classify(texts)


def test_words_and_parts_may_be_of_any_iterable_too(ensembles):
    words = ["ko", "mira"]
    for row in (iter(words), tuple(words), np.array(words), (word for word in words)):
        assert ensembles["ner"].tag([row]) == ensembles["ner"].tag([words])
    pairs = [("a", "b"), ("c", "d")]
    for rows in (zip("ac", "bd", strict=True), np.array(pairs), map(iter, pairs)):
        assert ensembles["nli"].classify(rows) == ensembles["nli"].classify(pairs)
    assert ensembles["ner"].tag(pa.array([words, None, words])[::2]) == ensembles["ner"].tag([words, words])
    texts = ensembles["classification"].classify(["a", "b"])
    assert ensembles["classification"].classify(pa.chunked_array([["a"], ["b"]])) == texts
    assert ensembles["classification"].classify(np.array(["a", "b"])) == texts


def test_a_column_of_pandas_is_read_as_a_list_and_its_table_is_refused(ensembles):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["a", "b"], "words": [["ko"], ["mira", "sen"]]}, index=[7, 9])
    assert ensembles["classification"].classify(frame["text"]) == ensembles["classification"].classify(["a", "b"])
    assert [len(tags) for tags in ensembles["ner"].tag(frame["words"])] == [1, 2]
    with pytest.raises(DataError, match=r"^texts: got a table \(DataFrame\)"):
        ensembles["classification"].classify(frame)
    for missing in (pandas.NA, pandas.NaT):
        with pytest.raises(DataError, match=r"^text 1: got .*, a missing value"):
            ensembles["classification"].classify(pandas.Series(["a", missing], dtype=object))


def test_an_ensemble_shows_itself_on_one_short_line(ensembles):
    assert repr(ensembles["ner"]) == "Ensemble(ner: 1 models; labels O, B-X, I-X)"


def test_texts_and_pairs_have_an_answer_each(ensembles):
    assert len(ensembles["nli"].classify([("a", "b"), ["c", ""]])) == 2
    assert len(ensembles["classification"].classify(["a", ("b",)])) == 2
    assert ensembles["classification"].classify([]) == []


def test_the_other_kind_of_task_is_refused_with_the_method_to_call(ensembles):
    with pytest.raises(ModelError, match=r"task ner.*call tag"):
        ensembles["ner"].classify(["ko mira"])
    with pytest.raises(ModelError, match=r"task nli.*call classify"):
        ensembles["nli"].tag([["ko"]])


@pytest.fixture
def own_settings():
    """What the test does to transformers' settings is undone."""
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    yield
    logging.set_verbosity(level)
    (logging.enable_progress_bar if bars else logging.disable_progress_bar)()


@pytest.mark.parametrize("names", [["no", "yes"], ["LABEL_1", "LABEL_0"], ["LABEL_0", "LABEL_1", "LABEL_2"]])
def test_a_member_with_other_labels_than_the_ensemble_is_refused(names, tmp_path):
    save(tmp_path / "ensemble", task="nli", label_names=names, members=["../models/1"], max_length=32)
    shutil.copytree(asset(), tmp_path / "models/1")
    with pytest.raises(ArtifactError, match=r"models/1: its labels are LABEL_0, LABEL_1, the ensemble's " + names[0]):
        Ensemble.load(tmp_path)


@pytest.mark.usefixtures("own_settings")
def test_loading_prints_nothing_and_leaves_the_caller_s_settings(tmp_path, capfd):
    for bars, level in ((True, logging.WARNING), (False, logging.INFO)):
        (logging.enable_progress_bar if bars else logging.disable_progress_bar)()
        logging.set_verbosity(level)
        save(
            tmp_path / "ensemble",
            task="nli",
            label_names=["LABEL_0", "LABEL_1"],
            members=["../models/1"],
            max_length=32,
        )
        (tmp_path / "models").mkdir(exist_ok=True)
        shutil.copytree(asset(), tmp_path / "models/1", dirs_exist_ok=True)
        Ensemble.load(tmp_path)
        assert (logging.is_progress_bar_enabled(), logging.get_verbosity()) == (bars, level)
    assert capfd.readouterr() == ("", "")


def test_a_text_has_entities_where_its_words_have_tags(ensembles):
    tagger, text = ensembles["ner"], "ko mira, (sen) tal."
    words = ["ko", "mira", ",", "(", "sen", ")", "tal", "."]
    [tags] = tagger.tag([words])
    found = tagger.predict(text)
    assert [entity.label for entity in found] == [tag[2:] for tag in tags if tag[0] == "B"]
    assert found, "the layer is random, but not so that nothing is found: the test would say nothing"
    assert all(text[entity.start : entity.end] == entity.text and 0 < entity.confidence <= 1 for entity in found)
    assert tagger.predict([text, "", words]) == [found, [], tagger.predict([words])[0]]
    assert [entity.label for entity in tagger.predict([words])[0]] == [entity.label for entity in found]


def test_what_is_predicted_of_a_text_or_a_pair_is_its_label(ensembles):
    single, pairs = ensembles["classification"], ensembles["nli"]
    found = single.predict("ko mira")
    assert [(found.label, found.confidence)] == single.classify(["ko mira"])
    assert {found.label, found.second[0]} == {"no", "yes"}
    assert found.confidence + found.second[1] == pytest.approx(1)
    assert single.predict(["ko mira", "sen"])[0] == found
    found = pairs.predict(("a", "b"))
    assert [(found.label, found.confidence)] == pairs.classify([("a", "b")])
    assert pairs.predict([("a", "b")]) == [found]


@pytest.mark.parametrize("text", [None, {"text": "a"}, 3])
def test_what_a_tagger_reads_is_said_where_it_is_given_something_else(ensembles, text):
    with pytest.raises(DataError, match=r"^text 0: got .*, expected a text \(str\) or a list of words$"):
        ensembles["ner"].predict([text])


@pytest.mark.parametrize("texts", [["ko", 3], 3, None, {"ko"}, [["ko", "two words"]]])
def test_what_is_no_text_is_refused_by_predict_too(ensembles, texts):
    with pytest.raises(DataError, match=r"^text 1?0?|^texts"):
        ensembles["ner"].predict(texts)


def test_probabilities_are_those_of_a_corpus_or_a_list(ensembles):
    words = [["ko", "mira"], ["sen"]]
    corpus = Corpus.from_examples("c", NAMES["ner"], [Example(str(i), "", (" ".join(w),)) for i, w in enumerate(words)])
    of_list, of_corpus = ensembles["ner"].probabilities(words), ensembles["ner"].probabilities(corpus)
    assert of_list.probs.shape == (3, 3)
    assert (of_list.probs == of_corpus.probs).all()
    assert (of_list.offsets == of_corpus.offsets).all()
    raw = Corpus.from_examples("raw", (), corpus.unlabelled())
    assert (ensembles["ner"].probabilities(raw).probs == of_list.probs).all()
    assert ensembles["classification"].probabilities(["ko mira"]).probs.shape == (1, 2)


def corpus_of(*rows, names=()):
    return Corpus.from_examples("c", names, [Example(str(i), "", segments) for i, segments in enumerate(rows)])


@pytest.mark.parametrize(
    ("task", "rows", "said"),
    [
        ("ner", [("ko mira",), ("a", "b")], "^c: example 1 has 2 texts, the models read single texts"),
        ("classification", [("a", "b")], "^c: example 0 has 2 texts, the models read single texts"),
        ("nli", [("a",)], "^c: example 0 has 1 text, the models read pairs"),
        (
            "ner",
            [("ko",), ("ko  mira",)],
            r"^c: example 1 is not words with single spaces between them; read it",
        ),
        ("ner", [(" ko",)], "^c: example 0 is not words"),
        ("ner", [("",)], "^c: example 0 is not words"),
    ],
)
def test_a_corpus_of_another_kind_is_refused(ensembles, task, rows, said):
    with pytest.raises(DataError, match=said):
        ensembles[task].probabilities(corpus_of(*rows))
    if "not words" not in said:
        with pytest.raises(DataError, match=said):
            ensembles[task].predict(corpus_of(*rows))


def test_a_corpus_is_labelled_as_the_texts_or_the_words_that_are_in_it(ensembles):
    tagger, text = ensembles["ner"], "ko mira-sen tal."
    assert tagger.predict(corpus_of((text,))) == tagger.predict([text])
    assert tagger.predict(corpus_of((text,), names=NAMES["ner"])) == tagger.predict([text.split(" ")])
    assert tagger.tag(corpus_of((text,), ("sen",))) == tagger.tag([text.split(" "), ["sen"]])
    assert ensembles["classification"].predict(corpus_of(("a b",))) == ensembles["classification"].predict(["a b"])
    assert ensembles["nli"].classify(corpus_of(("a", "b"))) == ensembles["nli"].classify([("a", "b")])


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (Splitter(together=("hyphens",)), ["Ana-Li", "."]),
        (Splitter(together=()), ["Ana", "-", "Li", "."]),
        (Splitter("spaces"), ["Ana-Li."]),
    ],
)
def test_a_text_is_cut_as_the_text_was_that_the_models_have_read(split, words, tmp_path):
    seen = []

    class Words(Ensemble):
        def answers(self, rows):
            seen.extend(rows)
            return [[] for _ in rows]

    save(tmp_path / "ensemble", task="ner", label_names=("O",), members=["1"], max_length=8, split=split)
    assert Words("ner", ("O",), (), read_card(tmp_path / "ensemble").split).predict("Ana-Li.") == []
    assert seen == [words]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_folder_says_what_the_run_computed_in_and_a_cpu_is_exact_where_nobody_asks(tmp_path, precision):
    names = NAMES["classification"]
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    opened = TaskModel.open(TASKS["classification"](), asset(), asset(), Runtime("cpu", 32), **labels)
    opened.module.save_pretrained(tmp_path / "1")
    load_tokenizer(asset()).save_pretrained(tmp_path / "1")
    card = {"task": "classification", "label_names": names, "members": ["../1"], "max_length": 32}
    save(tmp_path / "ensemble", **card, precision=precision)
    assert read_card(tmp_path).precision == precision
    found = {asked: Ensemble.load(tmp_path, **({"precision": asked} if asked else {})) for asked in ("", "bf16")}
    assert [ensemble.members[0].precision for ensemble in found.values()] == ["fp32", "bf16"]


def test_a_run_of_the_hub_is_for_uxla_load():
    with pytest.raises(ArtifactError, match=r"^me/x: no such folder; for a run of the Hub call uxla.load\('me/x'\)"):
        Ensemble.load("me/x")


def test_models_with_one_other_weight_or_label_have_another_fingerprint(ensembles):
    tagger = ensembles["ner"]
    before = tagger.fingerprint
    assert replace(tagger, label_names=("O", "B-X,I-X", "")).fingerprint != before
    unread = tagger.members[0].module.get_input_embeddings().weight.data[-1]  # no piece of "a"
    unread += 1
    assert tagger.fingerprint != before
    unread -= 1


def test_who_reads_the_card_while_a_new_one_is_written_reads_the_earlier_one_whole(tmp_path):
    card = {"task": "ner", "members": ["../1"], "max_length": 8}
    save(tmp_path, label_names=["O"], **card)
    with (tmp_path / "ensemble.json").open(encoding="utf-8") as reader:
        save(tmp_path, label_names=["O", "B-X"], **card)
        assert json.load(reader)["label_names"] == ["O"]


def test_a_folder_of_an_unknown_precision_is_damaged(tmp_path):
    save(tmp_path / "ensemble", task="ner", label_names=["O"], members=["../1"], max_length=8, precision="fp8")
    with pytest.raises(ArtifactError, match=r"damaged .precision 'fp8'"):
        read_card(tmp_path)
