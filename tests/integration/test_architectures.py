"""Each architecture that users will name, small and random, through a whole run: trained, generating and labelling."""

import json
from functools import partial

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as subwords
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    EuroBertConfig,
    EuroBertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from uxla.testbed.world import World

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
NAMES = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
PLACES = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "cls_token_id": 0, "sep_token_id": 2}
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def sentences():
    return [
        " ".join(words) for language in ("source", "far") for words, _ in World(0).sentences(language, "train", 200)
    ]


def unigram(size):
    """As XLM-R's: pieces with a probability each, a marker for the space before a word; `size` of them in all."""
    words = dict.fromkeys(word for text in sentences() for word in text.split(" "))
    letters = sorted({letter for word in words for letter in word} | set("0123456789"))
    invented = (f"zq{number}" for number in range(size))
    pieces = [*((word, -8.0) for word in SPECIAL), ("▁", -6.0), *((letter, -9.0) for letter in letters)]
    pieces += [(f"▁{word}", -7.0) for word in words][: size - len(pieces)]
    pieces += [(f"▁{next(invented)}", -12.0) for _ in range(size - len(pieces))]
    tokenizer = Tokenizer(subwords.Unigram(pieces, unk_id=SPECIAL.index("<unk>")))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return tokenizer


def wordpiece():
    """As BERT's: continuations are marked, the words' beginnings are not."""
    tokenizer = Tokenizer(subwords.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
    tokenizer.train_from_iterator(sentences(), trainers.WordPieceTrainer(vocab_size=600, special_tokens=[*SPECIAL]))
    return tokenizer


def gemma():
    """As Gemma's: a space becomes a marker of what follows, so the first word of a text has none."""
    alphabet = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(subwords.BPE(unk_token="<unk>", byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = [*SPECIAL, *alphabet]
    tokenizer.train_from_iterator(sentences(), trainers.BpeTrainer(vocab_size=900, special_tokens=special))
    return tokenizer


def llama():
    """As EuroBERT's, which is Llama 3's: bytes, words found by a regular expression, nothing unknown."""
    tokenizer = Tokenizer(subwords.BPE())
    words = pre_tokenizers.Split(Regex(r" ?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=[*SPECIAL], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(sentences(), trainer)
    return tokenizer


ARCHITECTURES = {
    "XLM-R": (partial(unigram, 600), XLMRobertaConfig, XLMRobertaForMaskedLM, {"max_position_embeddings": 66}),
    "BERT": (wordpiece, BertConfig, BertForMaskedLM, {"max_position_embeddings": 64}),
    "mDeBERTa": (
        partial(unigram, 600),
        DebertaV2Config,
        DebertaV2ForMaskedLM,
        {
            "legacy": False,  # the head's names in the checkpoint of its authors
            "relative_attention": True,
            "position_buckets": 16,
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
    ),
    "mmBERT": (gemma, ModernBertConfig, ModernBertForMaskedLM, {"local_attention": 16}),
    "EuroBERT": (llama, EuroBertConfig, EuroBertForMaskedLM, {"num_key_value_heads": 1, "mask_token_id": 4}),
    "256,000 pieces": (
        partial(unigram, 256_000),
        XLMRobertaConfig,
        XLMRobertaForMaskedLM,
        {"max_position_embeddings": 66, "hidden_size": 8},
    ),
}


def write(folder, name):
    made, config, model, more = ARCHITECTURES[name]
    tokenizer = made()
    around = (("<s>", 0), ("</s>", 2))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=around)
    size = tokenizer.get_vocab_size()
    torch.manual_seed(0)
    model(config(**{"vocab_size": size, "initializer_range": 0.2, **SIZES, **PLACES, **more})).save_pretrained(folder)
    names = {key: name for key, name in NAMES.items() if made is not llama or key != "unk_token"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings.pop("legacy", None)  # a key of transformers alone
    if name == "EuroBERT":  # its checkpoints name code that transformers has since then
        settings["auto_map"] = {"AutoConfig": "configuration_eurobert.EuroBertConfig"}
        settings["auto_map"] |= {f"AutoModel{of}": f"modeling_eurobert.EuroBert{of}" for of in ("ForMaskedLM",)}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return size


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_goes_through_a_whole_run_as_backbone_and_vicinity_model(name, adapt, tiny, invoke, tmp_path):
    size = write(tmp_path / "model", name)
    assert name != "256,000 pieces" or size == 256_000
    overrides = [f"model={tmp_path / 'model'}", "methods=[mlm_tuned, uxla]", "warmup.epochs=1", "warmup.penalty=0"]
    overrides += ["agree=none", "collapse_share=1.0", "vicinity.copies=1", "mlm.epochs=1.0"]
    overrides += ["schedule=[{data: [source, target, target_vicinity], select: {kind: confidence, share: 1.0}}]"]
    run = adapt(tmp_path / "run", tmp_path / "store", *tiny, *overrides)
    assert set(run.results["targets"]["far"]) >= {"mlm_tuned", "uxla", "uxla_ensemble"}
    assert len(set(run.weights)) == 3
    events = [json.loads(line) for line in (run.out / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    trained = [event for event in events if event["event"] == "train" and "drawn" in event]
    assert trained[-1]["drawn"]["far~"] > 0, "virtual sentences were generated and learnt from"
    texts = [" ".join(words) for words, _ in World(0).sentences("far", "test", 3)]
    answer = invoke("predict", run.out, "-", input="\n".join(texts).encode())
    assert answer.exit_code == 0, answer.stderr
    assert [json.loads(line)["text"] for line in answer.stdout.splitlines()] == texts
