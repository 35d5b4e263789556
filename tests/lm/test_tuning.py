"""Masked LMs behind the store, and the folder `uxla mlm` writes."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, DebertaV2Config, DebertaV2ForMaskedLM

from uxla.config.compute import LMSource
from uxla.data.discover import open_rewritable
from uxla.errors import ConfigError, DataError, ModelError, WriteError
from uxla.lm import folder as mlm_folder
from uxla.lm.tuning import LMTraining
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.hub import resolve, weights_digest
from uxla.models.lm.settings import FEWEST, LMShape, Recipe
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import TrainingLoop
from uxla.records import Corpus, Example
from uxla.store.journal import Journal, read
from uxla.store.store import Store
from uxla.testbed import asset
from uxla.testbed.world import World

RECIPE = Recipe(batch_size=4, learning_rate=1e-3, max_steps=5, held_out=0.1)
RUNTIME = Runtime("cpu", 64)
TESTBED = LMSource(model="testbed")


@pytest.fixture
def store(tmp_path):
    """A store of the test's own, its journal written at once."""
    journal = Journal(tmp_path / "journal.jsonl")
    journal.open()
    return Store(tmp_path / "store", journal)


def corpus(language, *, labelled):
    rows = World(0).sentences(language, "train", 30)
    examples = [
        Example(f"{i}", language, (" ".join(w),), (0,) * len(w) if labelled else None) for i, (w, _) in enumerate(rows)
    ]
    return Corpus.from_examples(language, ("O",), examples)


def corpora(*, labelled=True):
    return [corpus("source", labelled=labelled), corpus("near", labelled=False)]


def done(store):
    """How often a masked LM was trained."""
    return sum(
        event["event"] == "stage" and event["stage"] == "mlm" and not event["hit"] for event in read(store.emit.path)
    )


# --- tuned, for Table 7 -------------------------------------------------------------------------------------------


def tuned(model, given, recipe, runtime, store, seed, **values):
    return LMTraining(recipe, runtime, store, seed, **values).tuned(model, given)


def test_the_tuned_model_is_a_masked_lm_and_a_backbone_with_its_tokenizer(store):
    handle = tuned(resolve(str(asset())), corpora(), RECIPE, RUNTIME, store, 0)
    assert weights_digest(handle.path) != weights_digest(asset())
    _, info = AutoModelForMaskedLM.from_pretrained(handle.path, output_loading_info=True)
    assert not info["missing_keys"]
    text = " ".join(World(0).sentences("near", "test", 1)[0][0])
    assert AutoTokenizer.from_pretrained(handle.path)(text) == AutoTokenizer.from_pretrained(asset())(text)
    assert MaskedLM.load(str(handle.path), Runtime(device="cpu")).candidates
    loaded = TaskModel.open(Tagging(), handle.path, handle.path, RUNTIME, num_labels=1)
    assert len(loaded.predict(corpus("near", labelled=False), "t")) == 30


def test_a_head_that_debertas_authors_name_otherwise_is_tuned_and_written_under_its_usual_name(store, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(asset())
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = DebertaV2Config(vocab_size=len(tokenizer), max_position_embeddings=64, legacy=False, **sizes)
    DebertaV2ForMaskedLM(config).save_pretrained(tmp_path / "deberta")
    tokenizer.save_pretrained(tmp_path / "deberta")
    handle = tuned(resolve(str(tmp_path / "deberta")), corpora(), RECIPE, RUNTIME, store, 0)
    model, info = AutoModelForMaskedLM.from_pretrained(handle.path, output_loading_info=True)
    assert model.legacy
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]


def test_it_is_remembered_and_made_anew_for_other_text_or_settings(store):
    model = resolve(str(asset()))
    first = tuned(model, corpora(), RECIPE, RUNTIME, store, 0)
    assert tuned(model, corpora(), RECIPE, RUNTIME, store, 0) == first
    assert done(store) == 1
    others = [
        tuned(model, corpora()[:1], RECIPE, RUNTIME, store, 0),
        tuned(model, corpora(), RECIPE.model_copy(update={"masked": 0.3}), RUNTIME, store, 0),
        tuned(model, corpora(), RECIPE, Runtime("cpu", 32), store, 0),
        tuned(model, corpora(), RECIPE, RUNTIME, store, 1),
        tuned(first, corpora(), RECIPE, RUNTIME, store, 0),
    ]
    assert len({handle.path for handle in [first, *others]}) == 6


def test_what_changes_rounding_is_in_the_key_only_where_it_is_asked_for(store):
    model, texts = resolve(str(asset())), corpus("near", labelled=False)
    plain, other = (
        LMTraining(RECIPE, r, store, 0).inputs(model, texts) for r in (RUNTIME, replace(RUNTIME, attention="eager"))
    )
    assert set(plain) == {"model", "texts", "recipe", "seed", "max_length", "precision"}
    assert other == plain | {"attention": "eager"}


def test_no_label_is_looked_at(store):
    with_labels = tuned(resolve(str(asset())), corpora(), RECIPE, RUNTIME, store, 0)
    assert tuned(resolve(str(asset())), corpora(labelled=False), RECIPE, RUNTIME, store, 0) == with_labels


def test_after_a_kill_it_goes_on_to_the_same_model(store, tmp_path, monkeypatch):
    model, plain = resolve(str(asset())), TrainingLoop.step
    whole = tuned(model, corpora(), RECIPE, RUNTIME, Store(tmp_path / "other", store.emit), 0)
    steps = []

    def step(self, examples):
        if len(steps) == 4:
            raise SystemExit
        steps.append(self.done)
        plain(self, examples)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(TrainingLoop, "step", step)
        tuned(model, corpora(), RECIPE, RUNTIME, store, 0, checkpoint_minutes=1e-9)
    monkeypatch.setattr(TrainingLoop, "step", lambda self, examples: steps.append(self.done) or plain(self, examples))
    assert tuned(model, corpora(), RECIPE, RUNTIME, store, 0, checkpoint_minutes=1e-9).digest == whole.digest
    assert steps == [0, 1, 2, 3, 4]


# --- the folder ---------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    """A CoNLL file, raw text and a table of pairs."""
    rows = [words for words, _ in World(0).sentences("source", "train", 30)]
    (tmp_path / "a.conll").write_text(
        "\n\n".join("\n".join(f"{word}\tO" for word in words) for words in rows[:10]) + "\n"
    )
    (tmp_path / "b.txt").write_text("\n".join(" ".join(words) for words in rows[10:20]) + "\n")
    pairs = [f"{' '.join(a)}\t{' '.join(b)}\tyes\n" for a, b in zip(rows[20:25], rows[25:], strict=True)]
    (tmp_path / "c.tsv").write_text("premise\thypothesis\tlabel\n" + "".join(pairs))
    return [open_rewritable(tmp_path / name) for name in ("a.conll", "b.txt", "c.tsv")], [
        " ".join(words) for words in rows
    ]


def course(store, **values):
    return LMTraining(RECIPE.model_copy(update=values), RUNTIME, store, 0)


def test_every_sentence_of_every_file_is_read_and_nothing_else(files):
    sources, sentences = files
    found = mlm_folder.read_texts(sources)
    halves = [sentences[i] for pair in zip(range(20, 25), range(25, 30), strict=True) for i in pair]
    assert [example.segments[0] for example in found.texts] == [*sentences[:20], *halves]
    assert found.files == [("a.conll", 10), ("b.txt", 10), ("c.tsv", 5)]


def test_the_folder_has_the_model_and_a_card_with_what_it_read_and_its_figures(files, store, tmp_path):
    told = course(store).tune(files[0], TESTBED, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    for expected in (
        "`testbed`",
        "- `a.conll`: 10 sentences",
        "- `c.tsv`: 5 sentences",
        "- max_steps: 5",
        "- masked: 0.15",
        "- weight_decay: 0.01",
    ):
        assert expected in card
    assert "epochs" not in card
    figures = [line for line in told.splitlines() if line.startswith("|")]
    assert len(figures) == 5
    assert "\n".join(figures) in card
    assert AutoModelForMaskedLM.from_pretrained(tmp_path / "out").num_parameters() > 0
    assert AutoTokenizer.from_pretrained(tmp_path / "out").mask_token == "<mask>"
    assert "meta.json" not in [path.name for path in (tmp_path / "out").iterdir()]


def test_the_figures_are_those_of_the_training(files, store, tmp_path):
    told = course(store).tune(files[0], TESTBED, tmp_path / "out")
    [facts] = [event for event in read(store.emit.path) if event.get("stage") == "mlm"]
    assert f"| {facts['held_out_loss_before']:.3f} | {facts['held_out_loss']:.3f} |" in told
    assert f"| {facts['held_out_accuracy_before']:.1f} % | {facts['held_out_accuracy']:.1f} % |" in told
    assert "5 steps over 27 sentences (20 drawn); 3 held out" in told


def test_nothing_held_out_is_said_in_the_card(files, store, tmp_path):
    told = course(store, held_out=0.0).tune(files[0], TESTBED, tmp_path / "out")
    assert "|" not in told
    assert "No text was held out." in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_the_same_command_again_finds_the_folder_and_another_is_refused(files, store, tmp_path):
    out = tmp_path / "out"
    first = course(store).tune(files[0], TESTBED, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert course(store).tune(files[0], TESTBED, out) == first
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before
    with pytest.raises(ConfigError, match="has a model made from other text or settings"):
        course(store, masked=0.3).tune(files[0], TESTBED, out)
    assert done(store) == 1


def entries(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def again(store, tmp_path, *, fresh=False, empty=False):
    """The store as another command sees it, or an empty one; its journal goes on."""
    return Store(tmp_path / "emptied" if empty else store.root, store.emit, fresh)


def test_a_whole_folder_is_said_to_be_there_before_a_training_that_nobody_needs(files, store, tmp_path, hearing):
    out = tmp_path / "out"
    first = course(store).tune(files[0], TESTBED, out)
    with hearing() as notes:
        assert course(again(store, tmp_path, empty=True)).tune(files[0], TESTBED, out) == first
    assert done(store) == 1
    assert notes == [f"--out {out}: already has this model, so nothing is trained; --fresh trains it again"]


@pytest.mark.parametrize("out", [".", ".."])
def test_a_folder_without_a_name_is_refused_before_any_work(out, files, store, tmp_path, monkeypatch):
    (tmp_path / "above/here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "above/here")
    with pytest.raises(ConfigError, match=rf"--out {out}: has no name to write a folder under; give its name"):
        course(store).tune(files[0], TESTBED, Path(out))
    assert done(store) == 0


def test_what_was_made_afresh_replaces_the_folder(files, store, tmp_path):
    out = tmp_path / "out"
    course(store).tune(files[0], TESTBED, out)
    before, inode = entries(out), out.stat().st_ino
    (out / "model.safetensors").write_bytes(b"damaged")
    course(again(store, tmp_path, fresh=True)).tune(files[0], TESTBED, out)
    assert done(store) == 2
    assert entries(out) == before
    assert out.stat().st_ino != inode
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_folder_that_lacks_a_file_is_written_anew(files, store, tmp_path, hearing, name):
    out = tmp_path / "out"
    course(store).tune(files[0], TESTBED, out)
    before = entries(out)
    (out / name).unlink()
    with hearing() as notes:
        course(again(store, tmp_path)).tune(files[0], TESTBED, out)
    assert f"--out {out}: {name} is missing; the folder is written again" in notes
    assert entries(out) == before
    assert done(store) == 1


def test_what_a_person_changed_or_added_is_not_written_over(files, store, tmp_path):
    out = tmp_path / "out"
    course(store).tune(files[0], TESTBED, out)
    (out / "README.md").write_text("my own card")
    (out / "notes.txt").write_text("mine")
    course(store).tune(files[0], TESTBED, out)  # neither is part of the model
    (out / "config.json").rename(out / "old.json")
    with pytest.raises(ConfigError, match=r"notes\.txt is not known to be from `uxla mlm` and would be lost; move it"):
        course(again(store, tmp_path)).tune(files[0], TESTBED, out)
    (out / "config.json").write_text("{}")
    with pytest.raises(
        ConfigError, match=r"config\.json was changed since `uxla mlm` wrote it; give another folder, or --fresh"
    ):
        course(again(store, tmp_path)).tune(files[0], TESTBED, out)
    assert (out / "README.md").read_text() == "my own card"
    assert done(store) == 1


def test_a_replacement_that_was_cut_short_loses_no_folder(files, store, tmp_path, monkeypatch):
    out, plain = tmp_path / "out", os.replace
    course(store).tune(files[0], TESTBED, out)
    before = entries(out)

    def replace_(source, target):
        if Path(source).name.endswith("unfinished") and target == out:
            raise OSError(5, "Input/output error")
        plain(source, target)

    with monkeypatch.context() as patched, pytest.raises(WriteError, match="Input/output error"):
        patched.setattr(os, "replace", replace_)
        course(again(store, tmp_path, fresh=True)).tune(files[0], TESTBED, out)
    assert entries(out) == before
    plain(out, tmp_path / ".out.replaced")  # as a kill between the two renames leaves it
    course(again(store, tmp_path)).tune(files[0], TESTBED, out)
    assert entries(out) == before
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_of_something_else_and_a_file_are_left_alone(files, store, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("mine")
    for name in ("full", "b.txt"):
        with pytest.raises(ConfigError, match="exists and was not made by `uxla mlm`"):
            course(store).tune(files[0], TESTBED, tmp_path / name)
    with pytest.raises(ConfigError, match="no such folder"):
        course(store).tune(files[0], TESTBED, tmp_path / "none" / "out")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["x"]


def test_a_folder_that_cannot_be_finished_is_not_there(files, store, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    course(store).tune(files[0], TESTBED, tmp_path / "before")  # so that the folder alone is left to write
    with (
        monkeypatch.context() as patched,
        pytest.raises(WriteError, match=r"No space left on device.*the trained model is kept"),
    ):
        patched.setattr(os, "fsync", full)
        course(store).tune(files[0], TESTBED, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]
    course(store).tune(files[0], TESTBED, tmp_path / "out")
    assert done(store) == 1
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_a_fault_of_a_file_or_of_the_model_leaves_no_folder(store, tmp_path):
    (tmp_path / "d.jsonl").write_text('{"text": "ko"}\n{"text": 3}\n')
    with pytest.raises(DataError, match=r"d\.jsonl:2"):
        course(store).tune([open_rewritable(tmp_path / "d.jsonl")], TESTBED, tmp_path / "out")
    (tmp_path / "e.txt").write_text("ko mira\n")
    with pytest.raises(ModelError, match="none/at/all"):
        course(store).tune([open_rewritable(tmp_path / "e.txt")], LMSource(model="none/at/all"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# --- from nothing -------------------------------------------------------------------------------------------------


def test_a_model_is_made_from_the_text_alone(files, store, tmp_path):
    shape = LMShape(pieces=FEWEST + 30, hidden=16, layers=1, heads=2, max_length=32)
    told = course(store).pretrain(files[0], shape, tmp_path / "out")
    assert re.search(r"5 steps over 27 sentences", told)
    tokenizer, model = (auto.from_pretrained(tmp_path / "out") for auto in (AutoTokenizer, AutoModelForMaskedLM))
    assert len(tokenizer) == model.config.vocab_size <= FEWEST + 30
    assert "from this text alone (1 layers of 16, 2 heads)" in (tmp_path / "out" / "README.md").read_text("utf-8")
    assert MaskedLM.load(str(tmp_path / "out"), Runtime(device="cpu")).candidates
    assert torch.isfinite(model(**tokenizer(files[1][0], return_tensors="pt")).logits).all()


def test_what_the_folder_was_made_from_is_on_record(files, store, tmp_path):
    course(store).tune(files[0], TESTBED, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "mlm.json").read_text("utf-8"))
    assert told["model"] == resolve(str(asset())).digest
    assert told["recipe"]["max_steps"] == 5
    assert Path(tmp_path / "out").is_dir()
