"""A small masked LM before its training: a vocabulary of the text's own, and weights drawn at random."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast, XLMRobertaConfig

from uxla import progress
from uxla.models.lm.settings import LMShape
from uxla.models.loading import usable_length
from uxla.process_settings import seeded
from uxla.records import Corpus
from uxla.save_tokenizer import save_tokenizer
from uxla.xlmr import ASCII, MASK, SPECIAL, xlmr_config, xlmr_tokenizer

_SPREAD, _WIDTH = 0.02, 768
"""The spread of XLM-R's initial weights and the width it goes with; a narrow model learns sooner from a wider one."""


def write_new_model(folder: Path, texts: Corpus, shape: LMShape, *, seed: int) -> None:
    """Fill `folder` with an untrained masked LM and its tokenizer: equal texts, shape and seed, equal bytes."""
    tokenizer = _tokenizer(texts, shape)
    with seeded(seed):
        model = AutoModelForMaskedLM.from_config(_config(tokenizer, shape))
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder, length=usable_length(model))


def _tokenizer(texts: Corpus, shape: LMShape) -> PreTrainedTokenizerFast:
    """BPE over what lies between spaces, a `▁` before each word; `<s> <pad> </s> <unk>` first, `<mask>` last (XLM-R).

    At most half of the pieces are single characters, ASCII and then the most frequent; rarer ones are unknown. They are
    chosen here, since the trainer breaks ties by chance.
    """
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    backend.decoder = decoders.Metaspace()
    alphabet = _alphabet(texts, shape.pieces // 2)
    trainer = trainers.BpeTrainer(
        vocab_size=shape.pieces - 1,
        special_tokens=list(SPECIAL),
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    with progress.bar("learning the vocabulary", len(texts)) as bar:
        backend.train_from_iterator(_lines(texts, bar), trainer)
    backend.add_special_tokens([MASK])
    return xlmr_tokenizer(backend, max_length=shape.max_length)


def _alphabet(texts: Corpus, most: int) -> list[str]:
    """ASCII, then the most frequent characters, at most so many in all."""
    counts: Counter[str] = Counter()
    with progress.bar("counting characters", len(texts)) as bar:
        for line in _lines(texts, bar):
            counts.update(unicodedata.normalize("NFKC", line))
    others = sorted((c for c in counts if c not in ASCII and not c.isspace()), key=lambda c: (-counts[c], c))
    return sorted(ASCII) + others[: most - len(ASCII)]


def _lines(texts: Corpus, bar: progress.Count) -> Iterator[str]:
    for example in texts:
        yield example.segments[0]
        bar.advance()


def _config(tokenizer: PreTrainedTokenizerFast, shape: LMShape) -> XLMRobertaConfig:
    return xlmr_config(
        tokenizer,
        hidden=shape.hidden,
        layers=shape.layers,
        heads=shape.heads,
        max_length=shape.max_length,
        initializer_range=_SPREAD * math.sqrt(_WIDTH / shape.hidden),
        hidden_dropout_prob=shape.dropout,
        attention_probs_dropout_prob=shape.dropout,
    )
