from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from uxla.models.loading import load_tokenizer
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.models.windows import longest_first
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import IGNORED, Corpus, Example, Predictions, concatenate
from uxla.testbed import asset

NAMES = ("no", "yes")
WORDS = ["red", "blue", "sun", "moon", "river", "stone", "bird", "tree"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    """A BERT-class encoder, whose pairs have segment numbers and two separators of one kind."""
    folder = tmp_path_factory.mktemp("bert")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    named = {f"{key}_token": token for key, token in special.items()}
    named["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    PreTrainedTokenizerFast(tokenizer_object=backend, **named).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    sizes["initializer_range"] = 0.5  # so that segment numbers are seen in the output
    torch.manual_seed(0)
    BertForMaskedLM(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **sizes)).save_pretrained(folder)
    return folder


def opened(folder, segments, *, max_length=64):
    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
    return TaskModel.open(SentenceTask(segments), folder, folder, Runtime("cpu", max_length, Budget(512)), **labels)


def pairs(count):
    """Pairs that are labelled yes where the second text is the first one again."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        first, other = (" ".join(rng.choice(WORDS, size=3)) for _ in range(2))
        rows.append(Example(str(i), "x", (first, first if i % 2 else other), (i % 2,)))
    return Corpus.from_examples("pairs", NAMES, rows)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=2), st.integers(2, 60))
def test_the_longest_segment_gives_way_first_and_no_piece_too_many_is_lost(lengths, budget):
    kept = longest_first(lengths, budget)
    assert sum(kept) == min(sum(lengths), budget)
    assert all(0 <= now <= before for now, before in zip(kept, lengths, strict=True))
    shortened = [now for now, before in zip(kept, lengths, strict=True) if now < before]
    assert not shortened or max(kept) - min(shortened) <= 1


def test_longest_first_worked_out_by_hand():
    """10 + 4 pieces into 12: the first gives 2. 10 + 9 into 8: both down to 4."""
    assert longest_first([10, 4], 12) == [8, 4]
    assert longest_first([10, 9], 8) == [4, 4]


@pytest.mark.parametrize("segments", [1, 2])
def test_texts_are_encoded_as_the_tokenizer_itself_does(bert, segments):
    for folder in (bert, asset()):
        tokenizer = load_tokenizer(folder)
        texts = ["red sun  moon", "blue\tstone"][:segments]
        expected = tokenizer(*texts)
        corpus = Corpus.from_examples("t", NAMES, [Example("1", "x", tuple(texts))])
        windows = SentenceTask(segments).encode(corpus, WordTokenizer.of(tokenizer, "t"), 64)
        assert windows.ids.tolist() == [expected["input_ids"]]
        assert windows.cut.tolist() == [0]
        if any(expected.get("token_type_ids", [])):
            assert windows.types.tolist() == [expected["token_type_ids"]]


def test_segment_numbers_reach_the_model(bert):
    loaded = opened(bert, 2)
    loaded.module.eval()
    example = pairs(1)[0]
    ids = load_tokenizer(bert)(*example.segments, return_tensors="pt")
    with torch.inference_mode():
        expected = loaded.module(**ids).logits.softmax(-1)
        without = loaded.module(ids["input_ids"]).logits.softmax(-1)
    found = loaded.predict(pairs(1), "t").probs
    assert found == pytest.approx(expected.numpy(), abs=1e-6)
    assert found != pytest.approx(without.numpy(), abs=1e-6)


def test_a_pair_that_is_too_long_is_cut_counted_and_keeps_its_special_tokens(bert):
    loaded = opened(bert, 2, max_length=10)
    long = Corpus.from_examples("long", NAMES, [Example("1", "x", (" ".join(WORDS), "red sun"), (0,))])
    [ids] = loaded.encode(long).ids.tolist()
    assert len(ids) == 10
    assert ids.count(3) == 2
    assert loaded.encode(concatenate("more", [long, pairs(2), long])).cut.tolist() == [3, 0, 0, 3]


def test_the_pairs_of_a_training_that_are_cut_are_counted_and_those_of_the_development_set_are_not(bert):
    long = Corpus.from_examples("long", NAMES, [Example("1", "x", (" ".join(WORDS), "red sun"), (0,))])
    settings = TrainingSettings(batch_size=2, learning_rate=1e-3, lr_warmup=1, selection="source_dev")
    mix = concatenate("mix", [pairs(3), long])
    facts = fit(opened(bert, 2, max_length=10), mix, settings, seed=0, label="t", dev=concatenate("dev", [long, long]))
    assert (facts["examples"], facts["cut"]) == (4, 1)


def test_an_empty_text_still_has_a_prediction(bert):
    empty = Corpus.from_examples("empty", NAMES, [Example("1", "x", ("", ""))])
    assert opened(bert, 2).predict(empty, "t").probs.shape == (1, 2)


def test_batches_and_order_change_no_label_of_a_sentence(bert):
    corpus = pairs(40)
    reference = opened(bert, 2).predict(corpus, "t").probs
    order = np.random.default_rng(1).permutation(40)
    shuffled = opened(bert, 2).predict(corpus.take(order), "t").probs
    assert shuffled == pytest.approx(reference[order], abs=1e-6)


def test_pairs_are_learnt():
    corpus = pairs(400)
    loaded = opened(asset(), 2)
    mix = corpus.take(np.tile(np.arange(400), 8))
    fit(loaded, mix, TrainingSettings(batch_size=16, learning_rate=2e-3, dropout=0.0), seed=0, label="t")
    assert loaded.task.score(corpus, loaded.predict(corpus, "t"))["accuracy"] > 75


def test_accuracy_and_macro_f1_worked_out_by_hand():
    """Gold 0 0 0 1 and a text without, predicted 0 0 1 1 1: accuracy 3/4; F1 of class 0 is 4/5, of class 1 2/3, their
    mean 11/15."""
    rows = [Example(str(i), "x", ("a",), (label,)) for i, label in enumerate([0, 0, 0, 1, IGNORED])]
    table = Predictions(np.eye(len(NAMES), dtype=np.float32)[[0, 0, 1, 1, 1]], np.arange(6))
    found = SentenceTask(1).score(Corpus.from_examples("c", NAMES, rows), table)
    assert found == pytest.approx({"accuracy": 75.0, "macro_f1": 100 * 11 / 15})
