"""The testbed's vocabulary: BPE pieces with XLM-R's special tokens; a piece that starts a word starts with `▁`."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from uxla.xlmr import ASCII, MASK, SPECIAL, xlmr_tokenizer

MAX_PIECES = 128
"""The longest input in pieces, special tokens included."""


def train_tokenizer(lines: Iterable[str], *, pieces: int) -> PreTrainedTokenizerFast:
    """A tokenizer with at most `pieces` pieces, the five special tokens included, that loads with `AutoTokenizer`.

    All ASCII characters are pieces, so every word of every testbed language has pieces.
    """
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    backend.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.BpeTrainer(
        vocab_size=pieces, special_tokens=[*SPECIAL, MASK], initial_alphabet=list(ASCII), show_progress=False
    )
    backend.train_from_iterator(lines, trainer)
    return xlmr_tokenizer(backend, max_length=MAX_PIECES)
