"""A trimmed model says of the text what the whole one says, and is smaller."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BertConfig,
    BertForTokenClassification,
    BertTokenizerFast,
)

from uxla.compress.trim import trim
from uxla.confidence import Scaling
from uxla.corpora import read
from uxla.errors import ConfigError, ModelError
from uxla.models.ensemble import Ensemble
from uxla.models.ensemble_folder import save
from uxla.models.model_safety import ModelSafety
from uxla.raw_text import Splitter
from uxla.records import Corpus, Example
from uxla.testbed import asset

SHARED = Path(__file__).parents[3] / "shared"
SCALING = Scaling(0.8, -0.1)
SPLIT = Splitter(together=())
WORDS = [example.words for example in read("testbed:far/unlabelled", take=60)]


def corpus(*texts):
    return Corpus.from_examples("texts", (), [Example(str(i), "", (text,)) for i, text in enumerate(texts)])


TEXTS = corpus(*(" ".join(words) for words in WORDS))


@pytest.fixture
def tagger(tmp_path):
    """The shipped model as a tagger, with an `ensemble.json` as a run folder has it."""
    folder, labels = tmp_path / "tagger", ("O", "B-PER", "I-PER")
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_pretrained(asset(), id2label=dict(enumerate(labels)))
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(asset()).save_pretrained(folder)
    more = {"max_length": 64, "split": SPLIT, "scaling": SCALING}
    save(folder / "ensemble", task="ner", label_names=labels, members=[".."], **more)
    return folder


def test_the_trimmed_model_gives_the_same_probabilities_to_the_text_it_was_trimmed_for(tagger, tmp_path):
    trimmed = trim(tagger, TEXTS, tmp_path / "small")
    before, after = Ensemble.load(tagger), Ensemble.load(tmp_path / "small")
    assert torch.equal(*(torch.from_numpy(one.probabilities(WORDS).probs) for one in (before, after)))
    assert before.tag(WORDS) == after.tag(WORDS)
    assert (before.scaling, after.scaling) == (SCALING, None)
    assert after.split == SPLIT
    assert trimmed.after < trimmed.before
    config = json.loads((tmp_path / "small/config.json").read_text())
    rows = AutoModelForTokenClassification.from_pretrained(tmp_path / "small").get_input_embeddings().weight.shape[0]
    assert config["vocab_size"] == rows == len(AutoTokenizer.from_pretrained(tmp_path / "small")) == trimmed.after[0]
    assert not (tmp_path / "small/model.safetensors").stat().st_mode & 0o077 ^ 0o044


def test_answers_of_models_with_other_pieces_are_not_taken_for_one_another(tagger, tmp_path):
    for name, texts in (("one", corpus("ko mira")), ("other", corpus("ko sen"))):
        trim(tagger, texts, tmp_path / name)
    whole, again, one, other = map(Ensemble.load, (tagger, tagger, tmp_path / "one", tmp_path / "other"))
    assert (one.probabilities([["a"]]).probs == other.probabilities([["a"]]).probs).all()
    assert (one.probabilities([["sen"]]).probs != other.probabilities([["sen"]]).probs).any()
    assert len({ensemble.fingerprint for ensemble in (whole, one, other)}) == 3
    assert again.fingerprint == whole.fingerprint


def test_code_that_a_model_names_is_allowed_as_long_as_it_is_trimmed(tagger, tmp_path):
    config = json.loads((tagger / "config.json").read_text()) | {
        "attn_implementation": {"": "eager", "other_part": "me/kernel"}
    }
    (tagger / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="set trust_remote_code"):
        trim(tagger, TEXTS, tmp_path / "small")
    assert trim(tagger, TEXTS, tmp_path / "small", safety=ModelSafety(remote_code=True)).after[0] > 0


def test_what_is_printed_are_the_sizes_and_what_new_text_meets(tagger, tmp_path):
    trimmed = trim(tagger, corpus("ko mira sen", *["ko mira"] * 9), tmp_path / "small")
    assert f"| pieces | {trimmed.before[0]:,} | {trimmed.after[0]:,} |" in trimmed.table
    assert trimmed.new == pytest.approx(1 / 3), "`sen` stands in the tenth text alone"
    assert "about 33.3 % of the words will be read in other pieces" in trimmed.summary
    shutil.rmtree(tmp_path / "small")
    assert trim(tagger, corpus("ko 漢字 mira 漢"), tmp_path / "small").unknown == 0.5


def test_a_masked_lm_goes_on_guessing_the_pieces_that_are_left(tmp_path):
    trim(asset(), TEXTS, tmp_path / "small")
    logits = []
    for folder in (asset(), tmp_path / "small"):
        tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForMaskedLM.from_pretrained(folder)
        encoded = tokenizer(f"{WORDS[0][0]} <mask> {WORDS[0][1]}", return_tensors="pt")
        with torch.inference_mode():
            found = model(encoded["input_ids"]).logits[0]
        logits.append(found[:, tokenizer.convert_tokens_to_ids(tokenizer.tokenize(" ".join(WORDS[0])))])
    torch.testing.assert_close(*logits)


def test_special_tokens_in_the_middle_of_a_vocabulary_get_new_ids_in_the_configuration(tmp_path):
    names = ["a", "b", "c", "[PAD]", "x", "[CLS]", "[SEP]", "[UNK]", "[MASK]", "##a", "##b"]
    (tmp_path / "vocab.txt").write_text("\n".join(names))
    tokenizer = BertTokenizerFast(str(tmp_path / "vocab.txt"), do_lower_case=False)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(names) + 5, pad_token_id=3, sep_token_id=6, eos_token_id=[6], **sizes)
    BertForTokenClassification(config).save_pretrained(tmp_path / "whole")
    tokenizer.save_pretrained(tmp_path / "whole")
    trimmed = trim(tmp_path / "whole", corpus("ab b"), tmp_path / "small")
    config = json.loads((tmp_path / "small/config.json").read_text())
    less = AutoTokenizer.from_pretrained(tmp_path / "small")
    assert trimmed.after[0] == len(less) == config["vocab_size"] < trimmed.before[0] == len(names)
    assert [config["pad_token_id"], config["sep_token_id"]] == less.convert_tokens_to_ids(["[PAD]", "[SEP]"])
    assert config["eos_token_id"] == less.convert_tokens_to_ids(["[SEP]"])
    assert "token_type_ids" in less.model_input_names
    out = [
        AutoModelForTokenClassification.from_pretrained(folder)(
            **AutoTokenizer.from_pretrained(folder)("ab b", return_tensors="pt")
        ).logits
        for folder in (tmp_path / "whole", tmp_path / "small")
    ]
    assert torch.equal(*out)


def test_what_cannot_be_trimmed_is_refused_before_anything_is_written(tagger, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ConfigError, match="there: exists already; give the name of a new folder"):
        trim(tagger, TEXTS, tmp_path / "there")
    with pytest.raises(ModelError, match="nothing: no tokenizer could be loaded"):
        trim(tmp_path / "nothing", TEXTS, tmp_path / "small")
    (tagger / "config.json").write_text('{"model_type": "roberta", "architectures": ["Unheard"]}')
    with pytest.raises(ModelError, match="tagger: cannot be built"):
        trim(tagger, TEXTS, tmp_path / "small")
    assert not (tmp_path / "small").exists()


@pytest.mark.skipif(not (SHARED / "models/me5").is_dir(), reason="needs a real multilingual model")
def test_a_real_multilingual_model_is_trimmed_to_two_languages(tmp_path):
    labels = {0: "O", 1: "B-PER", 2: "I-PER"}
    sentences = [read(str(SHARED / f"data/conll/{lang}/test.conll"), take=200) for lang in ("es", "en")]
    texts = corpus(*(text for found in sentences for example in found for text in example.segments))
    torch.manual_seed(0)
    whole = AutoModelForTokenClassification.from_pretrained(SHARED / "models/me5", id2label=labels, dtype=torch.float32)
    whole.save_pretrained(tmp_path / "whole")
    AutoTokenizer.from_pretrained(SHARED / "models/me5").save_pretrained(tmp_path / "whole")
    save(tmp_path / "whole/ensemble", task="ner", label_names=tuple(labels.values()), members=[".."], max_length=128)
    trimmed = trim(tmp_path / "whole", texts, tmp_path / "small")
    assert trimmed.before[0] == 65_064
    assert trimmed.after[0] < 8_000
    words = [example.words for example in sentences[0]]
    before, after = (Ensemble.load(tmp_path / name).probabilities(words) for name in ("whole", "small"))
    assert (before.probs == after.probs).all()
