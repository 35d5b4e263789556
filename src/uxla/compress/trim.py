"""`uxla trim`: a model without the pieces, and their embeddings, that some text does not need."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save
from tokenizers import Tokenizer
from transformers import AutoConfig, PreTrainedTokenizerFast

from uxla.compress.vocabulary import closed, cut, pieces
from uxla.errors import ModelError
from uxla.files import atomic_folder, check_new
from uxla.markup import Figure, Row, Table
from uxla.models import ensemble_folder
from uxla.models.batches import chunks
from uxla.models.loading import original_tokenizer, usable_length
from uxla.models.model_safety import SAFE, ModelSafety, offline, reason, tensor_shapes, weight_files
from uxla.records import Corpus
from uxla.save_tokenizer import save_tokenizer

_TOGETHER = 4096
_EVERY = 10
"""Of so many texts one stands for text that is yet to come."""


@dataclass(frozen=True)
class Trimmed:
    """What became of a model: `before` and `after` are its pieces, its parameters and the bytes of its weights."""

    before: tuple[int, int, int]
    after: tuple[int, int, int]
    unknown: float
    """The share of the text's words that have a character which the tokenizer never knew."""
    new: float
    """The share of words in every tenth text that need a piece which the other texts lack."""

    @property
    def table(self) -> str:
        """The sizes, in Markdown."""
        sizes = zip(("pieces", "parameters", "bytes of weights"), self.before, self.after, strict=True)
        rows = [
            Row((name,), (Figure(f"{before:,}"), Figure(f"{after:,}"), Figure(f"{100 * after / before:.0f} %")))
            for name, before, after in sizes
        ]
        return Table(("size",), ("before", "after", "left"), tuple(rows)).markdown()

    @property
    def summary(self) -> str:
        """What holds for the text that was given, and for other text."""
        unknown, new = f"{100 * self.unknown:.2f} %", f"{100 * self.new:.1f} %"
        return (
            f"Your text is read in the same pieces as before, so it gets the same labels. {unknown} of its words have "
            f"characters that the tokenizer does not know, as before.\nIn new text of this kind, about {new} of the "
            "words will be read in other pieces (measured: every tenth text against the others)."
        )


def trim(model: Path, texts: Corpus, out: Path, *, safety: ModelSafety = SAFE) -> Trimmed:
    """Write to `out` the model of the folder `model` with only the pieces that `texts` need.

    It is exact for these texts and for all others of the same pieces: the same pieces give the same output. The model
    may be a run folder's, which `Ensemble.load` reads afterwards, too, or a pretrained one to train. ModelError for a
    model or a tokenizer that cannot be cut, ConfigError where `out` is there already.
    """
    check_new(out)
    tokenizer, network = _tokenizer(model, safety), _network(model, safety)
    settings, reading = json.loads(tokenizer.backend_tokenizer.to_str()), _Reading.of(tokenizer, texts)
    always = {*tokenizer.all_special_ids, *_token_ids(network.config.to_dict()), *range(_first_position(network))}
    try:
        kept, most = (closed(settings, found | always) for found in (reading.ids, reading.most_ids))
        new = _with(tokenizer, cut(settings, kept))
    except ModelError as error:
        raise ModelError(f"{model}: {error}") from None
    reading.check(new.backend_tokenizer, kept, model)
    with atomic_folder(out) as into:
        _write_weights(model, into, network, kept, safety)
        _write_config(model, into, kept)
        save_tokenizer(new, into, length=min(tokenizer.model_max_length, usable_length(network)))
        if (model / "ensemble/ensemble.json").is_file():
            _write_ensemble(model, into)
    unknown, lost = reading.share(reading.words, {tokenizer.unk_token_id}), {*range(len(tokenizer))}.difference(most)
    sizes = _size(model, len(pieces(settings)), safety), _size(out, len(kept), safety)
    return Trimmed(*sizes, unknown=unknown, new=reading.share(reading.new_words, lost))


@dataclass(frozen=True)
class _Reading:
    """How a tokenizer reads texts: each as it stands, and each of their words as in mid-sentence."""

    backend: Tokenizer
    texts: Corpus
    words: Counter[str]
    new_words: Counter[str]
    """Those of every tenth text."""
    ids: set[int]
    most_ids: set[int]
    """Those in words of the other texts."""

    @classmethod
    def of(cls, tokenizer: Any, texts: Corpus) -> _Reading:
        backend, words, new_words = tokenizer.backend_tokenizer, Counter[str](), Counter[str]()
        for number, text in enumerate(_texts(texts)):
            found = [word for word in text.split(" ") if word]
            words.update(found)
            new_words.update(found if number % _EVERY == 0 else ())
        ids = {i for row in _read(backend, texts, words) for i in row}
        others = (f" {word}" for word in words - new_words)
        return cls(backend, texts, words, new_words, ids, {i for row in _rows(backend, others) for i in row})

    def check(self, new: Tokenizer, kept: Sequence[int], model: Path) -> None:
        """ModelError where the new tokenizer reads anything in other pieces."""
        for before, after in zip(_read(self.backend, *self._all), _read(new, *self._all), strict=True):
            if before != [kept[i] for i in after]:
                read = f"{self.backend.decode(before)!r} would be read in other pieces"
                raise ModelError(f"{model}: its tokenizer cannot be cut: {read}")

    def share(self, words: Counter[str], ids: Collection[int | None]) -> float:
        """The share of words with a piece among `ids`."""
        rows = zip(words.values(), _rows(self.backend, (f" {word}" for word in words)), strict=True)
        return sum(count for count, row in rows if not set(ids).isdisjoint(row)) / max(1, words.total())

    @property
    def _all(self) -> tuple[Corpus, Iterable[str]]:
        return self.texts, self.words


def _texts(texts: Corpus) -> Iterator[str]:
    return (text for example in texts for text in example.segments)


def _read(backend: Tokenizer, texts: Corpus, words: Iterable[str]) -> Iterator[list[int]]:
    yield from _rows(backend, _texts(texts))
    yield from _rows(backend, (f" {word}" for word in words))


def _rows(backend: Tokenizer, texts: Iterable[str]) -> Iterator[list[int]]:
    for some in chunks(texts, _TOGETHER):
        yield from (row.ids for row in backend.encode_batch_fast(some, add_special_tokens=False))


def _tokenizer(model: Path, safety: ModelSafety) -> Any:
    """That of the model, not set up for words: the trimmed one is to read texts everywhere as it does."""
    tokenizer = original_tokenizer(model, safety=safety)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def _with(tokenizer: Any, settings: dict[str, Any]) -> PreTrainedTokenizerFast:
    """The same tokenizer with other settings, of a class that takes them as they are."""
    named = {name: token for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    tokens = {str(token): token for token in tokenizer.added_tokens_decoder.values()}  # with the blanks they swallow
    named = {name: tokens.get(token, token) for name, token in named.items()}
    more = {name: getattr(tokenizer, name) for name in ("model_input_names", "padding_side", "truncation_side")}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(settings)), **named, **more)


def _network(model: Path, safety: ModelSafety) -> Any:
    """The model without its weights."""
    weight_files(model, safety)
    try:
        config = AutoConfig.from_pretrained(str(model), **offline(safety))
        with torch.device("meta"):
            return getattr(transformers, (config.architectures or ["AutoModel"])[0])(config)
    except Exception as error:
        raise ModelError(f"{model}: cannot be built ({reason(error)})") from error


def _first_position(network: Any) -> int:
    """The position of a text's first piece. The RoBERTa family counts on from the padding's id, which has to stay."""
    return int(network.config.max_position_embeddings) - usable_length(network)


def _token_ids(config: dict[str, Any]) -> Iterator[int]:
    for name, value in config.items():
        if name.endswith("_token_id") and value is not None:
            yield from value if isinstance(value, list) else [value]


def _write_weights(model: Path, into: Path, network: Any, kept: Sequence[int], safety: ModelSafety) -> None:
    """The weights, with the kept rows of all that has a row for each piece."""
    output = network.get_output_embeddings()
    tables = [network.get_input_embeddings().weight, *(() if output is None else output.parameters())]
    of_pieces = {
        name
        for name, parameter in network.named_parameters(remove_duplicate=False)
        if any(parameter is table for table in tables)
    }
    rows = torch.tensor(kept)
    for path in weight_files(model, safety):
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 # no mapping
        fewer = {name: tensor[rows] if name in of_pieces else tensor for name, tensor in tensors.items()}
        (into / path.name).write_bytes(save(fewer, {"format": "pt"}))  # save_file writes for the owner alone


def _write_config(model: Path, into: Path, kept: Sequence[int]) -> None:
    """The configuration, with the new size and the new ids of special tokens."""
    config, new = json.loads((model / "config.json").read_text(encoding="utf-8")), {i: n for n, i in enumerate(kept)}
    for name, value in config.items():
        if name.endswith("_token_id") and value is not None:
            config[name] = [new[i] for i in value] if isinstance(value, list) else new[value]
    config["vocab_size"] = len(kept)
    (into / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_ensemble(model: Path, into: Path) -> None:
    """An ensemble of one, so that the folder labels text as a run folder does. The scaling was that of three."""
    card = ensemble_folder.read_card(model)
    ensemble_folder.save(
        into / "ensemble",
        task=card.task,
        label_names=card.label_names,
        members=[".."],
        max_length=card.max_length,
        split=card.split,
        precision=card.precision,
    )


def _size(model: Path, count: int, safety: ModelSafety) -> tuple[int, int, int]:
    """How many pieces, as told, parameters and bytes a model has."""
    parameters = sum(map(prod, tensor_shapes(model, safety).values()))
    return count, parameters, sum(file.stat().st_size for file in weight_files(model, safety))
