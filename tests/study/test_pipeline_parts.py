"""The small parts of a run: the journal, the number of draws, the sentences about what happened."""

import json

import pytest

from uxla.errors import ArtifactError
from uxla.events import Began, Doubted, Measured, StageEnded
from uxla.store.journal import Journal, read


def test_a_journal_writes_nothing_before_it_is_opened(tmp_path):
    journal = Journal(tmp_path / "run" / "journal.jsonl")
    journal(Doubted("fa", "words", "three"))
    assert not (tmp_path / "run").exists()
    journal.open()
    journal(Doubted("ქართული", "words", ""))
    first, second = read(journal.path)
    assert (first["event"], first["about"], first["text"]) == ("doubt", "fa", "three")
    assert second["about"] == "ქართული"
    assert 0 <= first["at"] <= second["at"]


def test_a_journal_goes_on_where_an_earlier_run_stopped(tmp_path):
    for number in (1, 2):
        journal = Journal(tmp_path / "journal.jsonl")
        journal(Doubted(str(number), "words", ""))
        journal.open()
    assert [event["about"] for event in read(tmp_path / "journal.jsonl")] == ["1", "2"]


def test_what_is_no_line_of_a_journal_is_not_written(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal(Measured("fit", {"loss": 0.5}))
    journal(Began())
    journal(StageEnded("fit", "key", False, 1.5, {"steps": 3}))
    journal.open()
    [event] = read(journal.path)
    assert {**event, "at": 0} == {"event": "stage", "at": 0, "stage": "fit", "key": "key", "hit": False, **FIT}


FIT = {"seconds": 1.5, "steps": 3}


def test_a_run_folder_that_cannot_be_made_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"cannot be written .* --out"):
        Journal(tmp_path / "file" / "journal.jsonl").open()


def test_a_line_of_the_journal_is_one_json_object(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.open()
    journal(Doubted("", "", "a\nb\u2028c"))
    [line] = journal.path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert json.loads(line)["text"] == "a\nb\u2028c"


def test_the_number_of_draws_follows_epochs_or_steps():
    from uxla.config.training import Adaptation

    training = {"batch_size": 4, "accumulation": 2, "learning_rate": 1e-3, "selection": "last"}
    assert Adaptation(**training, epochs=1.5).draws(10) == 15
    assert Adaptation(**training, epochs=0.01).draws(10) == 1
    assert Adaptation(**training, max_steps=3).draws(10) == 24


def test_test_sentences_that_also_stand_in_train_are_counted():
    from uxla.records import Corpus, Example
    from uxla.study.data_doubts import _duplicates

    def corpus(*texts):
        return Corpus.from_examples("c", ["O"], [Example(str(i), "x", (text,)) for i, text in enumerate(texts)])

    assert _duplicates(corpus("a b", "c", "a b"), corpus("a b", "a  b", "A b", "a b", "d")) == 2
