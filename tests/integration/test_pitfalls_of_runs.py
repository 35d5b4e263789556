"""Whole runs on files that hold what trips people: other label sets, leaked sentences, long pairs, no spaces."""

import json
from itertools import chain

import pytest

from uxla.records import Corpus

QUICK = ("warmup.epochs=1", "warmup.selection=last", "warmup.learning_rate=1e-3", "threads=1", "testbed=null")
SCHEDULE = "schedule=[{data: [target_vicinity], select: {kind: confidence, share: 1.0}}]"
SOURCE = [(["Ana", "in", "Lima"], ["B-PER", "O", "B-LOC"]), (["the", "Inca"], ["O", "B-MISC"])] * 4
TEST = [(["علي", "می\u200cروم"], ["B-HUMAN", "O"]), (["كتاب", "ﬁn", "שלום"], ["O", "B-WORK", "O"])]
LONG, NO_SPACES = "river " * 90, "ရေစက်ဟောင်းသည်မြစ်နားမှာရှိသည်"


def conll_text(sentences, tags):
    """The text of a CoNLL file."""
    rows = (zip(words, row, strict=True) for words, row in zip(sentences, tags, strict=True))
    return "\n".join("".join(f"{word}\t{tag}\n" for word, tag in pairs) for pairs in rows)


def told(adapt, hearing, folder, *overrides):
    """A run, what its person was told, and its journal."""
    with hearing() as notes:
        run = adapt(folder / "run", folder / "store", *QUICK, *overrides)
    lines = (run.out / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return run, notes, [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def tagged(adapt, hearing, tmp_path_factory):
    """MISC is no type of the target, HUMAN and WORK none of the source; one test sentence leaked into train."""
    folder = tmp_path_factory.mktemp("tagged")
    for name, rows in (("en.conll", SOURCE), ("test.conll", TEST)):
        (folder / name).write_text(conll_text(*zip(*rows, strict=True)), encoding="utf-8")
    (folder / "train.txt").write_text("a b c\n" + " ".join(TEST[0][0]) + "\nd e\n", encoding="utf-8")
    files = [f"source.train={folder}/en.conll", "source.dev=null", "source.test=null", "source.labels={MISC: null}"]
    files += ["target=xx", f"target_data.train={folder}/train.txt", f"target_data.test={folder}/test.conll"]
    files += ["target_data.dev=null", "target_data.labelled=null", "target_data.labels={HUMAN: PER, WORK: null}"]
    return told(adapt, hearing, folder, *files, "methods=[penalty]")


@pytest.fixture(scope="module")
def pairs(adapt, hearing, tmp_path_factory):
    """Three of six source pairs and one of two target pairs are too long; the second texts have no spaces."""
    folder = tmp_path_factory.mktemp("pairs")
    texts = {"en": ["red sun", LONG] * 3, "xx": ["blue sun", LONG]}
    for name, firsts in texts.items():
        rows = "".join(f"{first}\t{NO_SPACES}\t{'yes' if i % 2 else 'no'}\n" for i, first in enumerate(firsts))
        (folder / f"{name}.tsv").write_text(f"premise\thypothesis\tlabel\n{rows}", encoding="utf-8")
    files = ["task=nli", f"source.train={folder}/en.tsv", "source.dev=null", "source.test=null", "target=xx"]
    files += [f"target_data.{part}={folder}/xx.tsv" for part in ("train", "test")]
    files += ["target_data.dev=null", "target_data.labelled=null", "collapse_share=1.0", "vicinity.unit=auto"]
    return told(adapt, hearing, folder, *files, SCHEDULE, "methods=[uxla]")


def test_label_sets_meet_through_the_map_of_each_side(tagged):
    run, _, _ = tagged
    known = json.loads((run.out / "models/1/config.json").read_text(encoding="utf-8"))["label2id"]
    assert sorted(known) == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    assert [gold for _, gold, _ in predicted(run)] == ["B-PER", "O", "O", "O", "O"]


def test_words_of_the_predictions_are_those_of_the_test_set(tagged):
    run, _, _ = tagged
    assert [word for word, _, _ in predicted(run)] == list(chain(*(words for words, _ in TEST)))


def predicted(run):
    text = (run.out / "predictions/xx.conll").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.split("\n") if line]


def test_test_sentences_that_stand_in_train_are_told_and_journaled(tagged):
    _, notes, journal = tagged
    assert [event["test_sentences_also_in_train"] for event in journal if event["event"] == "data"] == [1]
    assert "xx: 1 of 2 test sentences are also in its training data" in notes


def test_texts_that_were_cut_are_told_and_journaled(pairs):
    _, notes, journal = pairs
    fits = [event for event in journal if event.get("stage") == "fit" and not event["hit"]]
    assert fits[0]["cut"] == 3
    labelled = [event for event in journal if event.get("stage") == "predict" and event["corpus"] == "xx test"]
    assert {event["cut"] for event in labelled} == {1}
    assert any("3 of 6 longer than" in note and note.endswith("cut") for note in notes)


def test_text_without_spaces_is_changed_piece_by_piece(pairs):
    run, _, _ = pairs
    made = [Corpus.read(path) for path in (run.store / "vicinity").rglob("corpus.arrow")]
    changed = {example.segments[1] for corpus in made for example in corpus} - {NO_SPACES}
    assert changed
    for text in changed:
        assert text[0] == NO_SPACES[0] or text[-1] == NO_SPACES[-1]


def test_a_run_warns_of_raw_text_in_the_old_burmese_font_encoding(pairs, adapt, hearing, tmp_path):
    _, notes, _ = pairs
    assert not any("Zawgyi" in note for note in notes)
    zawgyi = "\u1031\u1014\u1031\u1000\u102c\u1004\u1039\u1038\u101c\u102c\u1038"
    (tmp_path / "raw.txt").write_text(f"{zawgyi}\n", encoding="utf-8")
    (tmp_path / "en.conll").write_text(conll_text(*zip(*SOURCE, strict=True)), encoding="utf-8")
    files = [f"source.train={tmp_path}/en.conll", "source.dev=null", "source.test=null", "target=my"]
    files += [f"target_data.train={tmp_path}/raw.txt", "target_data.test=null", "target_data.dev=null"]
    _, notes, _ = told(
        adapt, hearing, tmp_path, *files, "target_data.labelled=null", "methods=[uxla]", "vicinity.unit=piece"
    )
    assert any("my: its Burmese looks like Zawgyi" in note for note in notes)
