"""Saved models and tokenizers: what other programs read of them."""

import json

import pytest
import torch
import transformers
from transformers import AutoModelForMaskedLM, AutoModelForTokenClassification, AutoTokenizer, pipeline
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

from uxla.compress.trim import trim
from uxla.errors import ModelError
from uxla.models.hub import resolve
from uxla.models.loading import load_model, load_tokenizer, usable_length
from uxla.models.saving import check_objects, folders_length, objects_digest, write_objects
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus
from uxla.save_tokenizer import save_tokenizer
from uxla.testbed import asset

KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert"]
LONG = "koru mira tal " * 300


@pytest.mark.parametrize("kind", KINDS)
def test_the_usable_length_is_read_off_the_folder_without_its_weights(kind, folder_of):
    folder = folder_of(kind)
    assert folders_length(folder) == 64 == usable_length(load_model(AutoModelForTokenClassification, folder)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipeline_of_a_delivered_model_reads_nine_hundred_words(kind, folder_of, tmp_path):
    load_model(AutoModelForTokenClassification, folder_of(kind), id2label={0: "O", 1: "B-X"})[0].save_pretrained(
        tmp_path
    )
    save_tokenizer(load_tokenizer(folder_of(kind)), tmp_path, length=folders_length(folder_of(kind)))
    assert AutoTokenizer.from_pretrained(tmp_path).model_max_length == 64
    assert pipeline("token-classification", str(tmp_path), device="cpu")(LONG) is not None


def test_a_pipeline_with_a_stride_reads_a_long_text_to_its_end(folder_of, tmp_path):
    model = load_model(AutoModelForTokenClassification, folder_of("wordpiece"), id2label={0: "B-X", 1: "B-Y"})[0]
    model.save_pretrained(tmp_path)
    save_tokenizer(load_tokenizer(folder_of("wordpiece")), tmp_path, length=64)
    tagger = pipeline("token-classification", str(tmp_path), aggregation_strategy="first", stride=16, device="cpu")
    assert tagger(LONG)[-1]["end"] == len(LONG.rstrip())


@pytest.mark.parametrize("kind", KINDS)
def test_a_tokenizer_that_was_set_to_cut_and_to_pad_does_neither_when_it_is_delivered(kind, make_tokenizer, tmp_path):
    tokenizer = make_tokenizer(kind if kind != "albert" else "wordpiece")
    tokenizer(["a b", "a"], truncation=True, max_length=3, padding="max_length")
    save_tokenizer(tokenizer, tmp_path, length=64)
    stored = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    assert stored["truncation"] is None is stored["padding"]


def test_how_a_tokenizer_was_loaded_is_no_setting_of_it(folder_of, tmp_path):
    save_tokenizer(load_tokenizer(folder_of("wordpiece")), tmp_path, length=64)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert not {"is_local", "local_files_only", "trust_remote_code", "backend"} & settings.keys()


def test_the_class_of_a_delivered_tokenizer_is_one_that_every_transformers_has(folder_of, tmp_path):
    save_tokenizer(load_tokenizer(folder_of("wordpiece")), tmp_path, length=64)
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert hasattr(transformers, settings["tokenizer_class"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivered_tokenizer_reads_as_it_did(kind, folder_of, texts, tmp_path):
    before = load_tokenizer(folder_of(kind))
    before.add_special_tokens({"additional_special_tokens": ["<e>"]})
    ids = before(texts)["input_ids"]
    save_tokenizer(before, tmp_path, length=64)
    for after in (AutoTokenizer.from_pretrained(tmp_path), load_tokenizer(tmp_path)):
        assert after(texts)["input_ids"] == ids
        assert (after.mask_token_id, after.pad_token_id) == (before.mask_token_id, before.pad_token_id)
        assert "<e>" in after.all_special_tokens


# --- a model that a program has in memory ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair():
    return AutoModelForMaskedLM.from_pretrained(asset()), AutoTokenizer.from_pretrained(asset())


def test_the_folder_is_a_model_as_any_other(pair, tmp_path):
    write_objects(*check_objects(pair), tmp_path)
    again = AutoModelForMaskedLM.from_pretrained(resolve(str(tmp_path)).path)
    for name, tensor in pair[0].state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert AutoTokenizer.from_pretrained(tmp_path)("ko mira") == pair[1]("ko mira")


def test_equal_models_have_one_digest_and_others_another(pair):
    model, tokenizer = pair
    again = AutoModelForMaskedLM.from_pretrained(asset())
    assert objects_digest(again, tokenizer) == objects_digest(model, tokenizer)
    with torch.no_grad():
        next(again.parameters()).view(-1)[0] += 1
    assert objects_digest(again, tokenizer) != objects_digest(model, tokenizer)
    assert objects_digest(model.bfloat16(), tokenizer) != objects_digest(again, tokenizer)
    model.float()


@pytest.mark.parametrize("given", [3, ("a", "b"), (None,), object()])
def test_what_is_no_pair_of_transformers_is_refused(given):
    with pytest.raises(ModelError, match=r"^model: got .*, expected a folder, a Hub id, or \(model, tokenizer\)"):
        check_objects(given)


def test_a_tokenizer_in_python_is_refused_in_the_same_words_everywhere(pair, tmp_path, monkeypatch):
    (tmp_path / "vocab.txt").write_text("[UNK]\na\n")
    slow = BertTokenizerLegacy(str(tmp_path / "vocab.txt"))
    monkeypatch.setattr("uxla.models.loading.AutoTokenizer.from_pretrained", lambda *_, **__: slow)
    said = "BertTokenizerLegacy is no fast tokenizer, which uxla needs; take one that AutoTokenizer loads from a tok"
    with pytest.raises(ModelError, match=rf"^model: {said}"):
        check_objects((pair[0], slow))
    with pytest.raises(ModelError, match=rf"^name: {said}"):
        WordTokenizer.of(slow, "name")
    for read in (load_tokenizer, lambda folder: trim(folder, Corpus.from_examples("t", (), []), tmp_path / "out")):
        with pytest.raises(ModelError, match=rf"^{asset()}: {said}"):
            read(asset())


def test_the_model_alone_is_refused(pair):
    with pytest.raises(ModelError, match=r"^model: got XLMRobertaForMaskedLM, expected"):
        check_objects(pair[0])
