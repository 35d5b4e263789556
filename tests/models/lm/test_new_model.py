"""A small masked LM made from text alone: vocabulary, weights, and what it learns."""

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ConfigError
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.lm.model import TrainableLM
from uxla.models.lm.new_model import write_new_model
from uxla.models.lm.settings import FEWEST, LMShape, Recipe
from uxla.models.lm.training import fit_lm
from uxla.models.runtime import Runtime
from uxla.records import Corpus, Example

SMALL = LMShape(pieces=FEWEST + 60, hidden=32, layers=2, heads=2, max_length=32, dropout=0.0)


def corpus(texts):
    return Corpus.from_examples("t", (), [Example(str(i), "", (text,)) for i, text in enumerate(texts)])


def counting(count):
    """Stretches of a cycle of thirty words: each word tells the next, and how often it occurs tells nothing."""
    words = [f"{a}{b}" for a in "kmnst" for b in ("a", "e", "i", "o", "u", "y")]
    rng = np.random.default_rng(0)
    starts, lengths = rng.integers(0, 30, count), rng.integers(5, 15, count)
    return [" ".join(words[(s + i) % 30] for i in range(n)) for s, n in zip(starts, lengths, strict=True)]


@pytest.fixture(scope="module")
def blank(tmp_path_factory, texts):
    """The folder of a blank model of sentences in many scripts."""
    folder = tmp_path_factory.mktemp("blank")
    write_new_model(folder, corpus(texts), SMALL, seed=0)
    return folder


def test_special_tokens_stand_where_xlm_r_has_them(blank):
    tokenizer = AutoTokenizer.from_pretrained(blank)
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"]) == [0, 1, 2, 3]
    assert tokenizer.mask_token_id == len(tokenizer) - 1
    a, b = (
        tokenizer("a", add_special_tokens=False)["input_ids"],
        tokenizer("b", add_special_tokens=False)["input_ids"],
    )
    assert tokenizer("a", "b")["input_ids"] == [0, *a, 2, 2, *b, 2]


def test_the_model_has_the_shape_that_was_asked_for(blank):
    config = AutoModelForMaskedLM.from_pretrained(blank).config
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (32, 2, 2)
    assert config.vocab_size == SMALL.pieces == len(AutoTokenizer.from_pretrained(blank))
    assert config.model_type == "xlm-roberta"


def test_a_text_is_cut_into_pieces_that_give_it_back(blank, texts):
    tokenizer = AutoTokenizer.from_pretrained(blank)
    for text in texts[:3]:
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text
    assert tokenizer.tokenize("the  old\u00a0miller")[0].startswith("▁")
    assert tokenizer("the  old\u00a0miller") == tokenizer("the old miller")


def test_it_serves_as_a_vicinity_model(blank):
    lm = MaskedLM.load(str(blank), Runtime(device="cpu"))
    assert len(lm.candidates["start"].ids) > 20


def test_equal_text_and_seed_give_equal_bytes_and_another_seed_other_weights(tmp_path, blank, texts):
    torch.rand(3)
    for seed in (0, 1):
        write_new_model(tmp_path / str(seed), corpus(texts), SMALL, seed=seed)
    before, same, other = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (blank, tmp_path / "0", tmp_path / "1")
    )
    assert before == same
    assert {name for name in same if same[name] != other[name]} == {"model.safetensors"}


def test_of_more_characters_than_fit_the_rarest_are_unknown(tmp_path):
    rare = [chr(0x4E00 + i) for i in range(400)]
    write_new_model(tmp_path, corpus([" ".join(rare), " ".join(rare[200:])]), SMALL, seed=0)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert len(tokenizer) <= SMALL.pieces
    known = [c for c in rare if tokenizer.unk_token_id not in tokenizer(c)["input_ids"]]
    assert known == rare[200 : 200 + len(known)]
    assert len(known) > 20


@pytest.mark.parametrize(
    ("values", "says"),
    [({"pieces": 10}, f"at least {FEWEST}"), ({"hidden": 30, "heads": 4}, "a multiple of heads = 4")],
)
def test_sizes_that_make_no_model_are_refused(values, says):
    with pytest.raises(ConfigError, match=says):
        LMShape(**values)


def test_trained_from_nothing_it_is_far_better_than_a_guess_by_frequency(tmp_path):
    """Thirty words alike: a guess by frequency costs ln 30 = 3.4 nats and is right once in thirty."""
    sentences = corpus(counting(600))
    write_new_model(tmp_path, sentences, SMALL.model_copy(update={"hidden": 64, "layers": 1, "heads": 4}), seed=0)
    lm = TrainableLM.open(tmp_path, Runtime("cpu", 32), masked=0.2)
    pieces = np.concatenate([lm.model.tokenizer.encode_text(example.segments[0]) for example in sentences])
    shares = np.bincount(pieces) / len(pieces)
    guess = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
    assert guess == pytest.approx(np.log(30), abs=0.05)
    recipe = Recipe(batch_size=32, learning_rate=3e-3, max_steps=200, masked=0.2)
    facts = fit_lm(lm, sentences, recipe, seed=0, label="t")
    assert facts["held_out_loss_before"] > guess
    assert facts["held_out_loss"] < 0.65 * guess
    assert facts["held_out_accuracy"] > 25
