"""What Gen-LM is measured against: §2.2 word for word, and nlpaug."""

import importlib.util
import random
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from uxla.algorithm.vicinity import MaskRequest
from uxla.models.gen_lm.masked_lm import MaskedLM

BATCH = 32
"""nlpaug's batch. Lists given to it may not be longer: it would return the last batch's words alone."""


def cost(text: str) -> float:
    """In proportion to what a sample of a sentence costs by itself: its forwards times their length."""
    words = len(text.split())
    return max(1, int(0.3 * words)) * (1.3 * words + 2)


def naive(model: Callable[[torch.Tensor], Any], lm: MaskedLM, request: MaskRequest, forwards: float = 1.0) -> str:
    """Mask, forward one sentence, all logits, the best candidate, the next mask; some `forwards` more than once.

    `model` takes ids (1, L) on the CPU; of `lm` only tokenizer and candidates are used.
    """
    cells = lm.cutter.cut([request.text])[0]
    ids, number = [cell.ids for cell in cells], {cell[:2]: n for n, cell in enumerate(cells)}
    start = lm.candidates["start"]
    candidates, made, owed = torch.tensor(start.ids), [], 0.0
    for span in request.spans:
        unit = number[span]
        ids[unit] = (lm.mask,)
        row = torch.tensor([[*lm.tokenizer.prefix, *chain(*ids), *lm.tokenizer.suffix]])
        at, owed = len(lm.tokenizer.prefix) + sum(map(len, ids[:unit])), owed + forwards - 1
        with torch.inference_mode():
            logits = model(row).logits
            if owed >= 1:
                logits, owed = model(row).logits, owed - 1
            best = int(logits[0, at, candidates].argmax())
        ids[unit] = (start.ids[best],)
        made.append(start.surfaces[best])
    text = request.text
    for (first, last), surface in sorted(zip(request.spans, made, strict=True), reverse=True):
        text = text[:first] + surface + text[last:]
    return text


class Nlpaug:
    """nlpaug's `ContextualWordEmbsAug`: a call augments one batch of sentences of like length, and counts."""

    def __init__(self, folder: Path, sentences: Sequence[str], share: float) -> None:
        import nlpaug.augmenter.word as naw
        from nlpaug.model.lang_models import Roberta

        # Two shims for transformers 5, which renamed both, and SentencePiece's marker instead of byte-level BPE's.
        Roberta.token2id = lambda model, token: model.tokenizer.convert_tokens_to_ids(token)
        Roberta.id2token = lambda model, number: model.tokenizer.convert_ids_to_tokens(number)
        Roberta.SUBWORD_PREFIX = "▁"
        self.made = self.predictions = self.changed = 0
        plain = Roberta.predict

        def predict(model: Roberta, texts: list[str], target_words: object = None, n: int = 1) -> list[list[str]]:
            self.predictions += len(texts)
            return plain(model, texts, target_words, n)

        Roberta.predict = predict
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        settings = {"top_k": 1, "aug_p": share, "aug_min": 1, "aug_max": None, "batch_size": BATCH, "device": "cpu"}
        self.augmenter = naw.ContextualWordEmbsAug(model_path=str(folder), model_type="roberta", **settings)
        self.mean = sum(map(cost, sentences)) / len(sentences)
        batches = [list(sentences[i : i + BATCH]) for i in range(0, len(sentences), BATCH)]
        self.batches = [batch for batch in batches if len(batch) == BATCH]

    def __call__(self) -> float:
        """Augment a batch of short sentences and one of long ones; how many sentences of mean cost that is."""
        parts = [self.batches[len(self.batches) * fourth // 4] for fourth in (1, 3)]
        for batch in parts:
            made = self.augmenter.augment(batch)
            assert len(made) == len(batch)
            self.made += len(batch)
            self.changed += sum(a != b for a, b in zip(batch, made, strict=True))
        return sum(cost(text) for batch in parts for text in batch) / self.mean


def nlpaug_baseline(folder: Path, sentences: Sequence[str], share: float) -> Nlpaug | None:
    """nlpaug with the masked LM of a folder, or None where it is not installed."""
    if importlib.util.find_spec("nlpaug") is None:
        print("nlpaug is not installed (pip install 'uxla[bench]'): left out", file=sys.stderr)
        return None
    return Nlpaug(folder, sentences, share)
