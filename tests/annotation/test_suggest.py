"""Texts to label next: disputed ones, spread over the corpus, in the forms of annotation tools."""

import json
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uxla.annotation.files import suggest_from
from uxla.annotation.suggest import disagreement, spread, suggest
from uxla.data.options import ReadOptions
from uxla.errors import ConfigError, DataError
from uxla.models import entities
from uxla.models.entities import Entity
from uxla.raw_text import split_words
from uxla.records import Predictions

NAMES = ("O", "B-PER", "I-PER")


class Member:
    """A model that takes the words in `own` for persons."""

    def __init__(self, *own):
        self.own = own

    def predict(self, corpus, label):
        words = [example.words for example in corpus]
        sure = np.array([word in self.own for row in words for word in row])
        probs = np.where(sure[:, None], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]).astype(np.float32)
        return Predictions(probs, np.cumsum([0, *map(len, words)]))


class Toy:
    """An ensemble of such models; it finds the first word, or a label."""

    def __init__(self, *members, task="ner"):
        self.task, self.label_names, self.members, self.split = task, NAMES, members, split_words

    def predict(self, texts):
        if self.task != "ner":
            return [entities.Label("ja", 0.75, ("nein", 0.25)) for _ in texts]
        words = [text.split()[0] if isinstance(text, str) else text[0] for text in texts]
        return [[Entity(word, "PER", 0, len(word), 0.61237)] for word in words]


class Label:
    """A model of whole texts that calls texts with a word one thing, others the other."""

    def __init__(self, word):
        self.word = word

    def predict(self, corpus, label):
        found = [int(self.word in " ".join(example.segments)) for example in corpus]
        return Predictions(np.eye(3, dtype=np.float32)[found], np.arange(len(found) + 1))


DISPUTE = Toy(Member("Ana"), Member("Ana", "Bo"), Member("Ana"))
TEXTS = ["Ana lives here", "Bo", "Bo ran off today.", "Bo", "", "the river"]


def test_disagreement_is_the_mean_over_words_of_the_divergence():
    """One of three models differs in one of two words: H(1/3, 2/3) = ln 3 - 2/3 ln 2, halved; all three: ln 3."""
    tables = [Member(*own).predict(_corpus("Bo ran"), "") for own in ((), ("Bo",), ())]
    assert disagreement(tables).tolist() == pytest.approx([(log(3) - 2 / 3 * log(2)) / 2], abs=1e-6)
    apart = [Predictions(np.eye(3, dtype=np.float32)[[i]], np.array([0, 1])) for i in range(3)]
    assert disagreement(apart).tolist() == pytest.approx([log(3)])


def _corpus(*texts):
    from uxla.records import Corpus, Example

    return Corpus.from_examples("x", NAMES, [Example(str(i), "", (text,)) for i, text in enumerate(texts)])


def test_the_most_disputed_text_comes_first_and_one_that_is_there_twice_once():
    found = suggest(DISPUTE, TEXTS, 4)
    assert [one.row for one in found][:2] == [1, 2]
    assert 3 not in [one.row for one in found], "the same text"
    assert 4 not in [one.row for one in found], "nothing to label"
    assert found[0].text == "Bo"
    assert found[0].found == [Entity("Bo", "PER", 0, 2, 0.61237)]
    assert found == suggest(DISPUTE, iter(TEXTS), 4)


def test_texts_without_dispute_are_chosen_by_distance_alone():
    agreed = Toy(Member(), Member(), Member())
    assert sorted(one.row for one in suggest(agreed, TEXTS, 9)) == [0, 1, 2, 5]
    assert suggest(agreed, [""], 3) == suggest(agreed, [], 3) == []


def test_sentences_as_words_pairs_and_texts_of_other_tasks_are_taken():
    assert [one.row for one in suggest(DISPUTE, [["Ana", "ran"], ["Bo", "ran"]], 1)] == [1]
    pairs = Toy(Label("mira"), Label("mira"), Label("tal"), task="nli")
    assert [one.text for one in suggest(pairs, [("ko", "ru"), ("ko", "mira")], 1)] == [("ko", "mira")]


@pytest.mark.parametrize("n", [0, -1, 2.5, "3"])
def test_a_number_that_is_none_is_refused(n):
    with pytest.raises(ConfigError, match=r"^n: got .*, expected a whole number of at least 1"):
        suggest(DISPUTE, TEXTS, n)


def test_what_is_no_text_is_refused_with_its_place():
    with pytest.raises(DataError, match=r"^text 1: "):
        suggest(DISPUTE, ["Ana", 3], 1)


@settings(max_examples=40)
@given(st.lists(st.text("ab \u0633", min_size=1, max_size=6), min_size=1, max_size=12), st.integers(1, 14))
def test_no_text_is_chosen_twice_and_all_different_ones_come_in_the_end(texts, n):
    worth = np.arange(len(texts), dtype=float)
    chosen = spread(worth, texts, n)
    assert len(set(chosen)) == len(chosen) <= n
    assert chosen[0] == int(np.argmax(worth)) or worth.max() == 0
    assert chosen == spread(worth, texts, len(texts))[: len(chosen)], "more only adds at the end"


def _written(tmp_path, name, content, form="jsonl", ensemble=DISPUTE, suffix=".jsonl"):
    (tmp_path / name).write_text(content, encoding="utf-8")
    out = tmp_path / f"out{suffix}"
    suggest_from(ensemble, tmp_path / name, ReadOptions(), n=2, form=form, out=out)
    return out.read_text(encoding="utf-8")


def test_raw_text_comes_out_as_json_lines_with_what_is_found_by_now(tmp_path):
    rows = [json.loads(line) for line in _written(tmp_path, "raw.txt", "\n".join(TEXTS)).splitlines()]
    assert [row["text"] for row in rows] == ["Bo", "Bo ran off today."]
    assert rows[0]["entities"] == [{"start": 0, "end": 2, "text": "Bo", "label": "PER", "confidence": 0.6124}]
    assert rows[0]["disagreement"] == pytest.approx(0.6365, abs=1e-4)
    assert rows[0]["id"] == 2, "the second text"


def test_the_id_of_raw_text_is_its_line(tmp_path):
    (tmp_path / "raw.txt").write_text("\n\nAna lee\n", "utf-8")
    suggest_from(DISPUTE, tmp_path / "raw.txt", ReadOptions(), n=5, form="jsonl", out=tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["id"] == 3


def test_ids_of_a_table_stay_and_words_are_words(tmp_path):
    table = "".join(json.dumps({"id": f"n{i}", "text": text}) + "\n" for i, text in enumerate(TEXTS) if text)
    assert [json.loads(line)["id"] for line in _written(tmp_path, "raw.jsonl", table).splitlines()] == ["n1", "n2"]
    assert '"text": "Bo ran"' in _written(tmp_path, "raw.conll", "Bo\tO\nran\tO\n\nAna\tO\nran\tO\n")


def test_label_studio_has_pre_annotations(tmp_path):
    tasks = json.loads(_written(tmp_path, "raw.txt", "\n".join(TEXTS), "label-studio", suffix=".json"))
    assert tasks[0]["data"]["text"] == "Bo"
    [region] = tasks[0]["predictions"][0]["result"]
    assert region["value"] == {"start": 0, "end": 2, "text": "Bo", "labels": ["PER"]}


def test_whole_texts_have_their_label_and_only_json_lines(tmp_path):
    labels = Toy(Label("mira"), Label("tal"), Label("tal"), task="classification")
    rows = [
        json.loads(line) for line in _written(tmp_path, "a.csv", "text\nko mira\nru\n", ensemble=labels).splitlines()
    ]
    assert (rows[0]["text"], rows[0]["label"], rows[0]["confidence"]) == ("ko mira", "ja", 0.75)
    with pytest.raises(ConfigError, match=r"^--to conll: is for entities"):
        _written(tmp_path, "a.csv", "text\nko\n", "conll", labels)
