"""What a run says of its data and models before the work begins."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import combinations

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers import models as subwords
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedTokenizerFast

from uxla.config.run import load_config
from uxla.errors import ModelError, spelled_as
from uxla.events import DataRead, Doubted
from uxla.methods.method import Method, Start
from uxla.methods.registry import METHODS
from uxla.models.hub import resolve
from uxla.records import Corpus, Example, ModelHandle
from uxla.store.store import Store
from uxla.study.check_models import check_models
from uxla.study.data_doubts import describe
from uxla.study.inputs import Inputs, load_inputs
from uxla.targets import Target
from uxla.testbed import asset

NAMES = ("O", "B-DATE", "I-DATE", "B-PER", "I-PER")
TEXTS = [f"Koru mira {end} , tal sen{end} ." for end in ("ru", "dav", "osi", "nel", "hub", "wik")]
SIZES = ("testbed.train=150", "testbed.unlabelled=100", "testbed.dev=80", "testbed.test=80")


def corpus(name, texts, labels=(3, 0, 1, 0, 0, 0, 0)):
    """Seven words a sentence, the first a person, the third a date."""
    rows = (
        Example(str(i), "x", (text,), labels and tuple(labels[: len(text.split())])) for i, text in enumerate(texts)
    )
    return Corpus.from_examples(name, NAMES, rows)


@pytest.fixture
def study_of(make_study, tmp_path):
    """Of inputs and overrides a study with the shipped model or another, and what it tells."""

    def made(inputs, *overrides, model=None, vicinity_model=None):
        events = []
        model = model or resolve(str(asset()))
        more = {"vicinity_model": vicinity_model or resolve(str(asset()))}
        return make_study(overrides, inputs, store=Store(tmp_path), model=model, emit=events.append, **more), events

    return made


def target(train, **others):
    """A target of the name xx; of its further corpora those that are given."""
    parts = dict.fromkeys(("dev", "test", "labelled", "translated")) | others
    return Target(corpus("xx", train, None), **parts, name="xx")


def told(found, *, generates=True):
    """The lines that a person reads of what a study tells."""
    study, events = found
    events.clear()
    describe(study, generates=generates)
    return [f"{event.about}: {event.text}" for event in events if isinstance(event, Doubted)]


OTHER_TASKS = [pytest.param(task, marks=pytest.mark.slow) for task in ("nli", "paraphrase", "classification")]


@pytest.mark.parametrize("task", ["ner", *OTHER_TASKS])
def test_data_of_the_testbed_raises_no_doubt(task, study_of, tmp_path):
    for language in ("far", "joined"):
        overrides = [*SIZES, f"task={task}", f"target={language}"]
        inputs = load_inputs(load_config("testbed", overrides), Store(tmp_path))
        found = study_of(inputs, *overrides)
        assert told(found) == []
        assert found[1] == [DataRead(language, 150, 100, 80, 0)]


def test_each_doubt_is_said_once_on_the_screen_and_in_the_journal(study_of, tmp_path):
    glued = [text.replace(" ,", ",").replace(" .", ".") for text in TEXTS * 3]
    inputs = Inputs(corpus("en", TEXTS * 3), None, None, (target(glued, test=corpus("xx test", glued)),))
    found = study_of(inputs)
    lines = told(found)
    assert [line for line in lines if "words of their own" in line] == [
        "xx: marks are words of their own in en and stand at the end of words in xx ('mira ,' and 'mira,'); "
        "cut both into words alike"
    ]
    doubts = [event for event in found[1] if isinstance(event, Doubted)]
    assert [(event.about, event.kind) for event in doubts] == [("xx", "punctuation")]


def test_a_doubt_about_each_of_two_targets_is_said_of_each(study_of, tmp_path):
    prefixed = [" ".join(f"fr:{word}" for word in text.split()) for text in TEXTS]
    both = (target(prefixed), replace(target(prefixed), name="yy"))
    study = study_of(Inputs(corpus("en", TEXTS), None, None, both))
    assert [line.split(":")[0] for line in told(study) if "every word begins with 'fr:'" in line] == [
        "xx",
        "yy",
    ]


def test_a_table_of_several_languages_is_told_with_the_target_as_remedy(study_of, tmp_path):
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + "".join(f"koru {i}\t{i % 2}\n" for i in range(9)), "utf-8")
    rows = "".join(f"{lang}\tmira {i}\n" for i in range(9) for lang in ("en", "xx"))
    (tmp_path / "raw.tsv").write_text(f"lang\ttext\n{rows}", "utf-8")
    files = [f"source.train={tmp_path}/train.tsv", f"target_data.train={tmp_path}/raw.tsv", "source.name=yy"]
    empty = ["source.dev", "source.test", "target_data.dev", "target_data.test", "target_data.labelled"]
    given = [*files, *(f"{key}=null" for key in empty), "target=xx", "task=classification", "methods=[uxla]"]
    given += ["warmup.selection=last", "testbed=null"]
    seen = []
    with spelled_as("yaml"):
        load_inputs(load_config("testbed", given), Store(tmp_path, seen.append))
    assert [f"{event.about}: {event.text}" for event in seen if "column 'lang'" in event.text] == [
        "xx: column 'lang' has 2 values (en 9, xx 9), all of them are read; for one of them set where: {lang: xx}"
    ]


def test_what_becomes_of_a_backbones_own_layer_is_said_before_any_work(study_of, tmp_path):
    own = AutoModelForTokenClassification.from_pretrained(asset(), num_labels=3, dtype=torch.float32)
    own.save_pretrained(tmp_path / "own")
    AutoTokenizer.from_pretrained(asset()).save_pretrained(tmp_path / "own")
    inputs = Inputs(corpus("en", TEXTS), None, None, (target(TEXTS),))
    plain, events = study_of(inputs, "devices=cpu")
    check_models(plain, [], "testbed", generates=False)
    assert events == []
    study, events = study_of(inputs, "devices=cpu", model=resolve(str(tmp_path / "own")))
    check_models(study, [], "own", generates=False)
    assert [event.about for event in events] == ["own"]
    with pytest.raises(ModelError):  # a tagger has no layer that writes words
        check_models(study, [METHODS["mlm_tuned"]], "own", generates=False)
    tuned = Start("mine", lambda lab: lab.tuned().warm_up("mine"), "my warm-up", tunes=True)
    with pytest.raises(ModelError):
        check_models(study, [Method("x", "my own", start=tuned)], "own", generates=False)
    assert [event.text for event in events] == [
        f"the classification layer of {tmp_path / 'own'} is not used: its labels are LABEL_0, LABEL_1, LABEL_2, "
        "the data's O, B-DATE, I-DATE, B-PER, I-PER; a new one is drawn"
    ]


def test_three_models_begin_with_three_layers_where_the_backbones_own_is_not_used(study_of, tmp_path):
    own = AutoModelForTokenClassification.from_pretrained(asset(), num_labels=5, dtype=torch.float32)
    own.save_pretrained(tmp_path / "own")
    AutoTokenizer.from_pretrained(asset()).save_pretrained(tmp_path / "own")
    training = [f"warmup.{value}" for value in ("max_steps=1", "epochs=null", "learning_rate=1e-9", "selection=last")]
    own = resolve(str(tmp_path / "own"))
    study = study_of(Inputs(corpus("en", TEXTS), None, None, (target(TEXTS),)), "devices=cpu", *training, model=own)
    models = study[0].warm_up("zero_shot", penalty=False)
    layers = [load_file(model.path / "model.safetensors")["classifier.weight"] for model in models]
    first = load_file(tmp_path / "own/model.safetensors")["classifier.weight"]
    assert all(torch.dist(a, b) > 0.1 for a, b in combinations([first, *layers], 2))


@pytest.mark.parametrize("part", ["dev", "test", "labelled", "translated"])
def test_types_that_a_labelled_corpus_never_has_are_named(part, study_of, tmp_path):
    bare = corpus(f"xx {part}", TEXTS * 2, (3, 0, 0, 0, 0, 0, 0))
    study = study_of(Inputs(corpus("en", TEXTS * 2), None, None, (target(TEXTS, **{part: bare}),)))
    said = f"xx {part}: xx {part} has no DATE, 50% of the entities in en; does it have another name there?"
    assert said in told(study)


def test_a_dev_set_of_the_source_without_a_type_is_named_too(study_of, tmp_path):
    dev = corpus("en dev", TEXTS * 2, (0, 0, 1, 0, 0, 0, 0))
    study = study_of(Inputs(corpus("en", TEXTS * 2), dev, None, (target(TEXTS),)))
    assert any(line.startswith("en dev: en dev has no PER") for line in told(study))


def test_a_labelled_corpus_without_any_entity_is_named(study_of, tmp_path):
    bare = corpus("xx test", TEXTS, (0,) * 7)
    study = study_of(Inputs(corpus("en", TEXTS), None, None, (target(TEXTS, test=bare),)))
    assert "xx test: it has no entities at all; is it the right file and column?" in told(study)


def test_a_test_set_of_the_source_that_is_its_training_set_is_told(study_of):
    inputs = Inputs(corpus("en", TEXTS), None, corpus("en test", TEXTS), (target([f"bai {t}" for t in TEXTS]),))
    study = study_of(inputs)
    assert "en test: 100% of its texts also stand in en; is it the right file?" in told(study)


@pytest.mark.parametrize("part", ["dev", "labelled", "translated"])
def test_a_test_file_given_twice_is_doubted(part, study_of, tmp_path):
    one = target(TEXTS[:2], test=corpus("xx test", TEXTS[2:]), **{part: corpus(f"xx {part}", TEXTS[2:])})
    study = study_of(Inputs(corpus("en", TEXTS[:2]), None, None, (one,)))
    assert f"xx {part}: 100% of its texts also stand in xx test; is it the right file?" in told(study)


def test_a_script_that_the_vocabulary_does_not_have_is_told(tmp_path, study_of):
    strange = ["水 车 在 河边", "风 吹过 山谷"]
    study = study_of(Inputs(corpus("en", TEXTS), None, None, (target(strange),)))
    lines = [line for line in told(study) if "does not know" in line]
    assert [line.split("characters")[0] for line in lines] == ["xx: 100% of its words have "] * 2
    assert "the tokenizer of model does" in lines[0]
    assert "the tokenizer of vicinity.model does" in lines[1]
    assert not any("vicinity.model" in line for line in told(study, generates=False))


def test_a_tokenizer_with_far_fewer_pieces_than_embeddings_is_told(tmp_path, study_of):
    inputs = Inputs(corpus("en", TEXTS), None, None, (target(TEXTS),))
    for rows, lines in ((3200, 0), (4000, 1)):
        folder = shutil.copytree(asset(), tmp_path / str(rows))
        settings = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**settings, "vocab_size": rows}))
        other = study_of(inputs, model=ModelHandle(folder, str(rows)))
        said = f"{folder}: its tokenizer has 3,000 pieces, the model embeddings for {rows:,}; is it the model's own?"
        assert told(other).count(said) == lines


def test_a_dev_set_or_a_target_that_is_the_source_again_is_told(tmp_path, study_of):
    others = [f"bai {text}" for text in TEXTS]
    inputs = Inputs(corpus("en", TEXTS), corpus("en dev", TEXTS), None, (target([*TEXTS[:3], *others[:3]]),))
    study = study_of(inputs)
    assert [line for line in told(study) if "right file" in line] == [
        "xx: 50% of its texts also stand in en; is it the right file?",
        "en dev: 100% of its texts also stand in en; is it the right file?",
    ]
    inputs = Inputs(corpus("en", TEXTS), corpus("en dev", others), None, (target([*TEXTS[:1], *others]),))
    assert not any("right file" in line for line in told(study_of(inputs)))


def test_a_vicinity_model_of_small_letters_beside_one_of_capitals_is_told(tmp_path, study_of):
    words = {piece: i for i, piece in enumerate(["[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz,."])}
    backend = Tokenizer(subwords.WordPiece(words, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    folder = tmp_path / "small"
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", mask_token="[MASK]").save_pretrained(folder)
    (folder / "config.json").write_text("{}")
    study = study_of(Inputs(corpus("en", TEXTS), None, None, (target(TEXTS),)))
    assert not any("small letters" in line for line in told(study))
    model, inputs = ModelHandle(folder, "digest"), study[0].inputs
    small = study_of(inputs, vicinity_model=model)
    assert [line for line in told(small) if "small letters" in line] == [
        f"{folder}: the vicinity model writes small letters only, the model tells capitals apart: what is replaced "
        "loses them; take a vicinity model with capitals"
    ]
    assert not any("small letters" in line for line in told(study_of(inputs, model=model, vicinity_model=model)))


def test_a_contradiction_in_many_sentences_is_left_to_data_check(study_of, tmp_path):
    texts = [f"Koru mira {i} , tal sen ." for i in range(150)]
    rows = [*corpus("en", texts), Example("o", "x", (texts[7],), (0, 0, 0, 0, 0, 0, 0))]
    study = study_of(Inputs(Corpus.from_examples("en", NAMES, rows), None, None, (target(TEXTS),)))
    assert not any("different labels" in line for line in told(study))
    few = study_of(Inputs(Corpus.from_examples("en", NAMES, rows[100:]), None, None, (target(TEXTS),)))
    assert not any("different labels" in line for line in told(few))  # its other half is not among them
    again = [*rows, Example("p", "x", (texts[8],), (0,) * 7)]
    many = study_of(Inputs(Corpus.from_examples("en", NAMES, again), None, None, (target(TEXTS),)))
    assert "en: 2 texts have different labels in different places" in told(many)
