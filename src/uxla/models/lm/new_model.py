"""A small masked LM before its training: a vocabulary of the text's own, and weights drawn at random."""

from __future__ import annotations

import math
import string
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from uxla import progress
from uxla.errors import ConfigError
from uxla.models.loading import usable_length
from uxla.models.tokenizer_folder import save_tokenizer
from uxla.records import Corpus

_SPECIAL = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
_MASK = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
_ASCII = {"▁", *string.ascii_letters, *string.digits, *string.punctuation}
_SPREAD, _WIDTH = 0.02, 768
"""The spread of XLM-R's initial weights and the width it goes with; a narrow model learns sooner from a wider one."""
FEWEST = 2 * (len(_ASCII) + len(_SPECIAL) + 1)
"""Pieces of the smallest vocabulary."""


@dataclass(frozen=True)
class LMShape:
    """The shape of an XLM-R-like masked LM, feed-forward layers four times as wide as `hidden`.

    ConfigError for sizes that make no model.
    """

    pieces: int = 8000
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    max_length: int = 128
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.pieces < FEWEST:
            raise ConfigError(f"pieces = {self.pieces}, expected at least {FEWEST}, half of them ASCII characters")
        if self.hidden % self.heads:
            raise ConfigError(f"hidden = {self.hidden}, expected a multiple of heads = {self.heads}")


def write_new_model(folder: Path, texts: Corpus, shape: LMShape, *, seed: int) -> None:
    """Fill `folder` with an untrained masked LM and its tokenizer: equal texts, shape and seed, equal bytes."""
    tokenizer = _tokenizer(texts, shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = XLMRobertaForMaskedLM(_config(tokenizer, shape))
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder, length=usable_length(model))


def _tokenizer(texts: Corpus, shape: LMShape) -> PreTrainedTokenizerFast:
    """BPE over what lies between spaces, a `▁` before each word; `<s> <pad> </s> <unk>` first, `<mask>` last (XLM-R).

    At most half of the pieces are single characters, ASCII and then the most frequent; rarer ones are unknown. They are
    chosen here, since the trainer breaks ties by chance.
    """
    backend = Tokenizer(models.BPE(unk_token=_SPECIAL["unk"]))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    backend.decoder = decoders.Metaspace()
    alphabet = _alphabet(texts, shape.pieces // 2)
    trainer = trainers.BpeTrainer(
        vocab_size=shape.pieces - 1,
        special_tokens=list(_SPECIAL.values()),
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    with progress.bar("vocabulary", len(texts)) as bar:
        backend.train_from_iterator(_lines(texts, bar), trainer)
    backend.add_special_tokens([_MASK])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, backend.token_to_id(token)) for token in ("<s>", "</s>")],
    )
    named = {f"{name}_token": token for name, token in _SPECIAL.items()}
    more = {"cls_token": "<s>", "sep_token": "</s>", "mask_token": _MASK, "model_max_length": shape.max_length}
    return PreTrainedTokenizerFast(tokenizer_object=backend, **named, **more)


def _alphabet(texts: Corpus, most: int) -> list[str]:
    """ASCII, then the most frequent characters, at most so many in all."""
    counts: Counter[str] = Counter()
    with progress.bar("characters", len(texts)) as bar:
        for line in _lines(texts, bar):
            counts.update(unicodedata.normalize("NFKC", line))
    others = sorted((c for c in counts if c not in _ASCII and not c.isspace()), key=lambda c: (-counts[c], c))
    return sorted(_ASCII) + others[: most - len(_ASCII)]


def _lines(texts: Corpus, bar: progress.Bar) -> Iterator[str]:
    for example in texts:
        yield example.segments[0]
        bar.advance()


def _config(tokenizer: PreTrainedTokenizerFast, shape: LMShape) -> XLMRobertaConfig:
    return XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.hidden,
        initializer_range=_SPREAD * math.sqrt(_WIDTH / shape.hidden),
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=shape.dropout,
        max_position_embeddings=shape.max_length + tokenizer.pad_token_id + 1,  # counted from the padding's id on
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
