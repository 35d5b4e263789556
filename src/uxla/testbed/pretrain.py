"""The testbed's masked language model: built from a world's text in minutes on one core, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerFast, XLMRobertaForMaskedLM

from uxla.errors import ConfigError
from uxla.process_settings import process_settings, seeded
from uxla.progress import bar
from uxla.save_tokenizer import save_tokenizer
from uxla.testbed import SHIPPED_WORLD
from uxla.testbed import asset as asset  # offered here too: who builds a model also looks for the shipped one
from uxla.testbed.languages import LANGUAGES
from uxla.testbed.sentences import SENTENCE_TASKS
from uxla.testbed.world import World
from uxla.xlmr import ASCII, MASK, SPECIAL, xlmr_config, xlmr_tokenizer

_HEAD = 32
_BATCH = 128
_POOL = 16  # batches whose sentences are sorted by length together, so that little is padded
_LEARNING_RATE = 4e-3 * 64  # over the width
_MASKED = 0.3
_PAIRS = 0.25
_WARM_UP = 0.06
_CLIP = 1.0
_LENGTH = 128
"""The longest input in pieces, special tokens included."""
_WINDOW = 3
"""Pieces at most so far apart occur together."""
_SMOOTHING = 0.75  # context counts to this power (Levy et al. 2015): rare contexts weigh less
_SCALE = 0.05  # the standard deviation of the first embeddings


def build(
    folder: Path | str,
    *,
    world: int = SHIPPED_WORLD,
    seed: int = 0,
    sentences: int = 34_000,
    pieces: int = 3_000,
    steps: int = 3_800,
    hidden: int = 64,
    layers: int = 2,
) -> Path:
    """The folder, now with a tokenizer and an `XLMRobertaForMaskedLM` (fp16) that has read all languages of a world.

    `hidden`, a multiple of 32, is the width of its `layers`. The text is `sentences` of the world's `pretrain` split,
    shared out by `Language.text_share`. The number of steps is fixed and one thread computes, so the same arguments
    give the same bytes on the same machine.
    """
    if hidden % _HEAD:
        raise ConfigError(f"hidden {hidden}: expected a multiple of {_HEAD}, the width of a head")
    text = pretraining_text(World(world), sentences, seed)
    tokenizer = train_tokenizer((line for lines in text for line in lines), pieces=pieces)
    with process_settings(threads=1, deterministic=True), seeded(seed):
        rows = [tokenizer(*lines, truncation=True, max_length=_LENGTH)["input_ids"] for lines in text]
        model = _model(tokenizer, rows, hidden, layers)
        _train(model, tokenizer, rows, steps=steps, seed=seed)
    place = Path(folder)
    model.half().save_pretrained(place)
    save_tokenizer(tokenizer, place, length=_LENGTH)
    return place


def pretraining_text(world: World, sentences: int, seed: int) -> list[tuple[str, ...]]:
    """About `sentences` rows of all languages, language after language: one sentence, or two that go together.

    A quarter of the rows are pairs: a premise and what does not contradict it, or the same said twice, since running
    text does not contradict itself.
    """
    total = sum(language.text_share for language in LANGUAGES.values())
    rows: list[tuple[str, ...]] = []
    for name, language in LANGUAGES.items():
        count = round(sentences * language.text_share / total)
        pairs = round(_PAIRS * count)
        rows += _single_rows(world, name, count - pairs, seed)
        rows += _pair_rows(world, name, "nli", ("entailment", "neutral"), pairs - pairs // 3, seed)
        rows += _pair_rows(world, name, "paraphrase", ("1",), pairs // 3, seed)
    return rows


def _single_rows(world: World, language: str, count: int, seed: int) -> list[tuple[str, ...]]:
    """Sentences as they are written; every second one has spaces between its words, like files for tagging."""
    written = LANGUAGES[language].text
    drawn = [words for words, _ in world.sentences(language, "pretrain", count, seed)]
    return [(" ".join(words) if index % 2 else written(words),) for index, words in enumerate(drawn)]


def _pair_rows(
    world: World, language: str, task: str, labels: tuple[str, ...], count: int, seed: int
) -> list[tuple[str, ...]]:
    drawn = count * len(SENTENCE_TASKS[task].labels) // len(labels)
    return [texts for texts, label in world.examples(language, task, "pretrain", drawn, seed) if label in labels]


def train_tokenizer(lines: Iterable[str], *, pieces: int) -> PreTrainedTokenizerFast:
    """A tokenizer with at most `pieces` pieces, the five special tokens included, that loads with `AutoTokenizer`.

    All ASCII characters are pieces, so every word of every testbed language has pieces.
    """
    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    backend.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=pieces, special_tokens=[*SPECIAL, MASK], initial_alphabet=list(ASCII), show_progress=False
    )
    backend.train_from_iterator(lines, trainer)
    return xlmr_tokenizer(backend, max_length=_LENGTH)


def _model(
    tokenizer: PreTrainedTokenizerFast, rows: list[list[int]], hidden: int, layers: int
) -> XLMRobertaForMaskedLM:
    """The untrained model, initialised from counts: which pieces occur together, and how often each occurs."""
    heads = hidden // _HEAD
    config = xlmr_config(tokenizer, hidden=hidden, layers=layers, heads=heads, max_length=_LENGTH)
    model = XLMRobertaForMaskedLM(config)
    pieces = torch.tensor([piece for row in rows for piece in row])
    frequency = (torch.bincount(pieces, minlength=len(tokenizer)) + 1.0).log()
    with torch.no_grad():
        embedded = embed(rows, len(tokenizer), hidden, pad=tokenizer.pad_token_id)
        model.roberta.embeddings.word_embeddings.weight.copy_(embedded)
        model.lm_head.bias.copy_(frequency - frequency.mean())
    return model


def _train(
    model: XLMRobertaForMaskedLM,
    tokenizer: PreTrainedTokenizerFast,
    rows: list[list[int]],
    *,
    steps: int,
    seed: int,
) -> None:
    """Train in place; without dropout, the head only where a piece is masked."""
    generator = torch.Generator().manual_seed(seed)
    rate = _LEARNING_RATE / model.config.hidden_size
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    warm_up = max(1, round(_WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm_up, (steps - step) / max(1, steps - warm_up))
    )
    model.eval()  # no dropout: so small a model does not overfit
    batches = _batches(rows, tokenizer.pad_token_id, generator)
    with bar("pretraining the testbed's masked language model", steps) as progress:
        for _ in range(steps):
            loss = _loss(model, tokenizer, next(batches), generator)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            optimiser.step()
            schedule.step()
            progress.advance()


def _loss(
    model: XLMRobertaForMaskedLM, tokenizer: PreTrainedTokenizerFast, ids: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """The mean cross-entropy of the masked pieces of `ids` (B, T)."""
    special = torch.isin(ids, torch.tensor(tokenizer.all_special_ids))
    masked = (torch.rand(ids.shape, generator=generator) < _MASKED) & ~special
    inputs = ids.masked_fill(masked, tokenizer.mask_token_id)
    states = model.roberta(inputs, attention_mask=(ids != tokenizer.pad_token_id).long()).last_hidden_state
    scores: torch.Tensor = model.lm_head.forward(states[masked])
    return cross_entropy(scores, ids[masked])


def _batches(rows: list[list[int]], pad: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Endless padded batches (B, T): shuffled, then sorted by length within a pool, then shuffled as batches."""
    while True:
        order = torch.randperm(len(rows), generator=generator).tolist()
        for start in range(0, len(order), _BATCH * _POOL):
            pool = sorted(order[start : start + _BATCH * _POOL], key=lambda row: len(rows[row]))
            chunks = [pool[at : at + _BATCH] for at in range(0, len(pool), _BATCH)]
            for at in torch.randperm(len(chunks), generator=generator).tolist():
                batch = [torch.tensor(rows[row]) for row in chunks[at]]
                yield pad_sequence(batch, batch_first=True, padding_value=pad)


def embed(rows: list[list[int]], pieces: int, size: int, *, pad: int) -> torch.Tensor:
    """Embeddings (pieces, size) float32 of `rows` of piece ids; the padding's is zero."""
    values, vectors = torch.linalg.eigh(_ppmi(_counts(rows, pieces)))
    largest = values.abs().argsort(descending=True, stable=True)[:size]
    table: torch.Tensor = vectors[:, largest] * values[largest].abs().sqrt()
    table = table / table.norm(dim=1, keepdim=True).clamp_min(1e-6) * size**0.5 * _SCALE
    table[pad] = 0.0
    return table.float()


def _counts(rows: list[list[int]], pieces: int) -> torch.Tensor:
    """How often two pieces (pieces, pieces) stand at most `_WINDOW` apart in a row, in either order."""
    ids = torch.tensor([piece for row in rows for piece in row])
    row_of = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor([len(row) for row in rows]))
    counts = torch.zeros(pieces * pieces, dtype=torch.float64)
    for distance in range(1, _WINDOW + 1):
        same = row_of[distance:] == row_of[:-distance]
        pairs = ids[distance:][same] * pieces + ids[:-distance][same]
        counts += torch.bincount(pairs, minlength=pieces * pieces)
    table = counts.reshape(pieces, pieces)
    return table + table.T


def _ppmi(counts: torch.Tensor) -> torch.Tensor:
    """The symmetric positive pointwise mutual information of `counts`."""
    share = counts.sum(dim=1) + 1e-12
    smooth = share**_SMOOTHING / (share**_SMOOTHING).sum()
    expected = torch.outer(share / share.sum(), smooth)
    expected = (expected + expected.T) / 2
    ratio: torch.Tensor = counts / counts.sum() / expected
    return ratio.clamp_min(1e-12).log().clamp_min(0.0)
