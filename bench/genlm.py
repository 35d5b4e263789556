"""Gen-LM (§2.2): a naive loop, the authors' cost, nlpaug, and uxla in float32 and bfloat16, on one thread.

    python bench/genlm.py [--short] [--json FILE]

Random weights in XLM-R's shape: 6 layers of 384 with 250,002 pieces and with 8,192, and 4 layers of 128 with 8,192.
Sentences of 5 to 50 pieces, P = 0.3, δ = 3. All variants get the same model and the same sentences; those done one by
one get a sample of them. The naive loop uses transformers' own model. Peaks are those of torch.mm and of the product
that uxla takes. Seconds are CPU seconds, rounds are interleaved, ratios are medians over the rounds. nlpaug is measured
where it is installed (pip install 'uxla[bench]').
"""

import random
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import torch
from baselines import cost, naive, nlpaug_baseline
from common import arguments, faster, matmul_peak, peak_memory, ratio, rounds, shares, table, write_json
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoModelForMaskedLM, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM
from transformers.utils import logging

from uxla.algorithm.vicinity import MaskRequest, Vicinity
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.runtime import Runtime
from uxla.plan.arithmetic import operations
from uxla.records import Corpus, Example

SHARE, COPIES = 0.3, 3
AUTHORS_FORWARDS = 5.4 / 5
"""Forwards for each masked word of a sentence that is kept: the authors throw some away."""
SHAPES = {"": (250_002, 6, 384), "_8k": (8192, 6, 384), "_8k_small": (8192, 4, 128)}
"""Pieces, layers and hidden size, by what follows the figures' names."""
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Material:
    """A masked LM in a folder, and how to write sentences for it."""

    folder: Path
    starts: list[str]
    insides: list[str]

    def sentences(self, count: int) -> list[str]:
        """Words of one piece, or (30 %) of two; lengths log-normal, 5 to 50 pieces, mean about 18."""
        lengths, rng, made = random.Random(1), random.Random(2), []
        for _ in range(count):
            wanted, words, have = min(50, max(5, round(lengths.lognormvariate(2.78, 0.5)))), [], 0
            while have < wanted:
                two = lengths.random() < 0.3 and have + 1 < wanted
                words.append(rng.choice(self.starts) + (rng.choice(self.insides) if two else ""))
                have += 1 + two
            made.append(" ".join(words))
        return made


def material(folder: Path, vocabulary: int, *, layers: int, hidden: int) -> Material:
    """Random weights and a tokenizer of random pieces, 62 % of them beginning a word, as of XLM-R's."""
    rng = random.Random(0)
    number = int((vocabulary - 5) * 0.62)
    starts = draw(rng, number, (3, 4, 5, 6))
    insides = draw(rng, vocabulary - 5 - number, (2, 3, 4))
    scored = [*((f"▁{piece}", -10.0) for piece in starts), *((piece, -10.0) for piece in insides)]
    pieces = [*((piece, 0.0) for piece in SPECIAL), *scored, ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = dict(zip(("cls_token", "pad_token", "sep_token", "unk_token"), SPECIAL, strict=True))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token="<mask>", **names).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": 4 * hidden}
    config = XLMRobertaConfig(
        vocab_size=vocabulary, **shape, num_attention_heads=hidden // 32, max_position_embeddings=514,
        initializer_range=0.1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return Material(folder, starts, insides)


def draw(rng: random.Random, count: int, lengths: Sequence[int]) -> list[str]:
    """So many different strings."""
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choices(LETTERS, k=rng.choice(lengths)))] = None
    return list(found)


class Requests:
    """A filler that keeps what it is asked for, so that all variants mask the same words."""

    def __init__(self, lm: MaskedLM) -> None:
        self.units, self.asked = lm.units, []

    def fill(self, requests: Sequence[MaskRequest]) -> list[str]:
        """Nothing replaced."""
        self.asked += requests
        return [request.text for request in requests]


def requests_of(lm: MaskedLM, sentences: Sequence[str]) -> list[MaskRequest]:
    """What uxla asks of its masked LM for these sentences."""
    kept = Requests(lm)
    Vicinity(kept, SHARE, (COPIES,), seed=0)(corpus_of(sentences))
    return kept.asked


def corpus_of(sentences: Sequence[str]) -> Corpus:
    """The sentences as a corpus."""
    return Corpus.from_examples("bench", ("O",), (Example(f"s{n}", "xx", (s,)) for n, s in enumerate(sentences)))


def cost_of(request: MaskRequest) -> float:
    """See `cost`."""
    return cost(request.text)


def drawn_words(request: MaskRequest, sample: str) -> list[str]:
    """What stands in a sample where its request's units stood: a word is replaced by a word."""
    number = {match.start(): n for n, match in enumerate(re.finditer(r"\S+", request.text))}
    words = sample.split(" ")
    return [words[number[start]] for start, _ in request.spans]


def measure(folder: Path, shape: tuple[int, int, int], *, short: bool) -> tuple[dict[str, float], list[list[object]]]:
    """The figures of one model, and its rows of the table."""
    vocabulary, layers, hidden = shape
    made = material(folder, vocabulary, layers=layers, hidden=hidden)
    exact = MaskedLM.load(str(folder))
    one_by_one = partial(naive, AutoModelForMaskedLM.from_pretrained(folder).eval(), exact)
    fast = MaskedLM.load(str(folder), Runtime(precision="bf16"))
    sentences = made.sentences(150 if short else 1000)
    # One sample after the other costs what its masked words and their sentences are long.
    requests = sorted(requests_of(exact, sentences), key=cost_of)
    mean = sum(map(cost_of, requests)) / len(requests)
    outputs: dict[str, dict[MaskRequest, str]] = {"exact": {}, "bf16": {}, "naive": {}}
    few = (6 if short else 16) * (1 if vocabulary > 100_000 else 3)
    slices = (requests[n :: len(requests) // few] for n in count())

    def all_by(name: str, lm: MaskedLM) -> float:
        outputs[name].update(zip(requests, lm.fill(requests), strict=True))
        return len(requests)

    def few_by(name: str, work: Callable[[MaskRequest], str]) -> float:
        some = next(slices)
        outputs[name] = outputs.get(name, {}) | {request: work(request) for request in some}
        return sum(map(cost_of, some)) / mean

    variants: dict[str, Callable[[], float]] = {
        "naive": lambda: few_by("naive", one_by_one),
        "authors": lambda: few_by("authors", partial(one_by_one, forwards=AUTHORS_FORWARDS)),
        "exact": lambda: all_by("exact", exact),
        "bf16": lambda: all_by("bf16", fast),
    }
    baseline = nlpaug_baseline(folder, sorted(sentences * COPIES, key=len), SHARE)
    if baseline is not None:
        variants["nlpaug"] = baseline
    products = {"torch": torch.mm, "uxla": faster}
    peaks = [{name: matmul_peak(product) for name, product in products.items()}]
    seconds = rounds(variants, 1 if short else 3)
    peaks.append({name: matmul_peak(product) for name, product in products.items()})
    assert all(outputs["exact"][request] == sample for request, sample in outputs["naive"].items())
    speed = operations(lambda: exact.fill(requests)) / len(requests) / median(seconds["exact"])
    best = {name: max(peak[name] for peak in peaks) for name in products}
    pairs = [
        (word, other)
        for request in requests
        for word, other in zip(
            *(drawn_words(request, outputs[name][request]) for name in ("exact", "bf16")), strict=True
        )
    ]
    figures = {
        "ratio_exact_to_naive": ratio(seconds["naive"], seconds["exact"]),
        "ratio_exact_to_authors": ratio(seconds["authors"], seconds["exact"]),
        "ratio_bf16_to_exact": ratio(seconds["exact"], seconds["bf16"]),
        **{f"share_of_{name}_peak": speed / peak for name, peak in best.items()},
        **{f"time_share_{name}": part for name, part in shares(lambda: exact.fill(requests)).items()},
        "bf16_changed_share": sum(word != other for word, other in pairs) / len(pairs),
        **{f"{name}_peak_gflops": peak / 1e9 for name, peak in best.items()},
        "peak_memory_mb": peak_memory(),
    }
    masked = dict.fromkeys(variants, len(pairs) / len(requests))
    if baseline is not None:
        masked["nlpaug"] = baseline.predictions / baseline.made
        figures["ratio_exact_to_nlpaug"] = ratio(seconds["nlpaug"], seconds["exact"])
        figures["ratio_exact_to_nlpaug_per_word"] = (
            figures["ratio_exact_to_nlpaug"] * masked["exact"] / masked["nlpaug"]
        )
        figures["nlpaug_changed_share"] = baseline.changed / baseline.made
    rows = [
        [
            f"{name}, {vocabulary:,} pieces, {layers} x {hidden}",
            f"{1 / median(s):.2f}",
            f"{masked[name]:.2f}",
            f"{ratio(seconds['naive'], s):.1f}",
        ]
        for name, s in seconds.items()
    ]
    return figures, rows


def growth(folder: Path, most: int) -> dict[str, float]:
    """CPU seconds and memory of a whole vicinity, by the number of sentences, with a model of one small layer."""
    made, figures = material(folder, 8192, layers=1, hidden=32), {}
    lm = MaskedLM.load(str(folder))
    for number in (10**3, 10**4, 10**5):
        if number > most:
            break
        corpus = corpus_of(made.sentences(number))
        before, began = peak_memory(), time.process_time()
        Vicinity(lm, SHARE, (COPIES,), seed=0)(corpus)
        figures[f"us_a_sentence_{number}"] = (time.process_time() - began) / number / COPIES * 1e6
        figures[f"more_memory_mb_{number}"] = peak_memory() - before
    return figures


def main(short: bool, out: Path | None) -> None:
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    figures: dict[str, float] = {}
    rows = []
    with tempfile.TemporaryDirectory() as place:
        figures |= growth(Path(place, "tiny"), 10**3 if short else 10**5)
        for suffix, shape in SHAPES.items():
            found, more = measure(Path(place, f"model{suffix}"), shape, short=short)
            figures |= {name + suffix: value for name, value in found.items()}
            rows += more
    table(("variant", "sentences a second", "masked words a sentence", "times naive"), rows)
    print()
    table(("figure", "value"), [[name, f"{value:.3g}"] for name, value in figures.items()])
    write_json(out, figures)


if __name__ == "__main__":
    given = arguments(__doc__)
    main(given.short, given.json)
