"""Small models of XLM-R's kind: its special tokens around BPE pieces, and its sizes in small."""

from __future__ import annotations

import string
from typing import Any

from tokenizers import AddedToken, Tokenizer, processors
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""The first pieces of the vocabulary."""
MASK = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
ASCII = ("▁", *string.ascii_letters, *string.digits, *string.punctuation)
"""Single characters that every vocabulary has."""


def xlmr_tokenizer(backend: Tokenizer, *, max_length: int) -> PreTrainedTokenizerFast:
    """A trained `backend`, which knows the special tokens and the mask, as a tokenizer that `AutoTokenizer` loads."""
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
        mask_token=MASK,
        model_max_length=max_length,
    )


def xlmr_config(
    tokenizer: PreTrainedTokenizerFast, *, hidden: int, layers: int, heads: int, max_length: int, **values: Any
) -> XLMRobertaConfig:
    """The configuration of a model for the tokenizer, feed-forward layers four times as wide as `hidden`."""
    return XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=max_length + tokenizer.pad_token_id + 1,  # counted from the padding's id on
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **values,
    )
