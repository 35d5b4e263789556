"""The testbed's vocabulary: BPE pieces with XLM-R's special tokens; a piece that starts a word starts with `▁`."""

from __future__ import annotations

import string
from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_MASK = "<mask>"
MAX_PIECES = 128
"""The longest input in pieces, special tokens included."""


def train_tokenizer(lines: Iterable[str], *, pieces: int) -> PreTrainedTokenizerFast:
    """A tokenizer with at most `pieces` pieces, the five special tokens included, that loads with `AutoTokenizer`.

    All ASCII characters are pieces, so every word of every testbed language has pieces.
    """
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    backend.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    mask = AddedToken(_MASK, lstrip=True, normalized=False, special=True)
    trainer = trainers.BpeTrainer(
        vocab_size=pieces,
        special_tokens=[*_SPECIAL, mask],
        initial_alphabet=["▁", *string.ascii_letters, *string.digits, *string.punctuation],
        show_progress=False,
    )
    backend.train_from_iterator(lines, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, backend.token_to_id(token)) for token in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=mask,
        model_max_length=MAX_PIECES,
    )
