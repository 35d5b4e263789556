"""The vocabulary of a fast tokenizer (tokenizer.json) cut to some of its pieces.

What is kept reads every text whose pieces are all kept as before: Viterbi's best path (Unigram), the longest match
(WordPiece) and the merges in their order (BPE) stay what they were when only other pieces go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any

from tokenizers.pre_tokenizers import ByteLevel

from uxla.errors import ModelError

Settings = dict[str, Any]
"""What tokenizer.json holds."""

_KINDS = ("Unigram", "BPE", "WordPiece", "WordLevel")


def pieces(tokenizer: Settings) -> dict[str, int]:
    """The pieces of the tokenizer's model by their text. ModelError for a kind of model that cannot be cut."""
    model = tokenizer["model"]
    if model["type"] not in _KINDS:
        raise ModelError(f"its tokenizer is of type {model['type']}, expected one of {', '.join(_KINDS)}")
    vocabulary = model["vocab"]
    if model["type"] == "Unigram":
        return {piece: i for i, (piece, _) in enumerate(vocabulary)}
    return dict(vocabulary)


def closed(tokenizer: Settings, found: Collection[int]) -> list[int]:
    """The ids to keep, in ascending order, so that what reads as the ids `found` goes on to do so.

    Beside these they are special tokens, bytes, and every single character that occurs in a piece, so that words of
    other pieces can be spelled; of Unigram the least probable piece, which says what an unknown character costs; of BPE
    the pieces that others are merged from.
    """
    model, known = tokenizer["model"], pieces(tokenizer)
    kept = {*found, *(token["id"] for token in tokenizer["added_tokens"]), *_template_ids(tokenizer["post_processor"])}
    unknown = model.get("unk_token")
    kept |= {known[unknown]} if unknown in known else set()
    prefix = model.get("continuing_subword_prefix") or ""
    texts = {piece for piece, i in known.items() if i in kept}
    characters = {*chain.from_iterable(texts), *(ByteLevel.alphabet() if _reads_bytes(tokenizer) else ())}
    kept |= {
        i
        for piece, i in known.items()
        if piece in characters or piece.removeprefix(prefix) in characters or _is_byte(piece)
    }
    if model["type"] == "Unigram":
        kept |= {model["unk_id"]} if model.get("unk_id") is not None else set()
        kept.add(min(range(len(model["vocab"])), key=lambda i: model["vocab"][i][1]))
    if model["type"] == "BPE":
        kept |= _parts(model, known, kept)
    return sorted(kept)


def cut(tokenizer: Settings, kept: list[int]) -> Settings:
    """The tokenizer with the pieces `kept` alone, whose new ids are their places in that list."""
    model, new = dict(tokenizer["model"]), {old: i for i, old in enumerate(kept)}
    if model["type"] == "Unigram":
        model["vocab"] = [entry for i, entry in enumerate(model["vocab"]) if i in new]
        model["unk_id"] = None if model.get("unk_id") is None else new[model["unk_id"]]
    else:
        model["vocab"] = {piece: new[i] for piece, i in model["vocab"].items() if i in new}
    if model["type"] == "BPE":
        model["merges"] = [pair for pair, result in _merges(model) if {*pair, result} <= model["vocab"].keys()]
    added = [{**token, "id": new[token["id"]]} for token in tokenizer["added_tokens"]]
    template = _renumbered(tokenizer["post_processor"], new)
    return {**tokenizer, "model": model, "added_tokens": added, "post_processor": template}


def _parts(model: Settings, known: Mapping[str, int], kept: Collection[int]) -> set[int]:
    """The ids of all pieces that the pieces `kept` can be merged from, and these from."""
    made_from: dict[str, list[str]] = {}
    for pair, result in _merges(model):
        made_from.setdefault(result, []).extend(pair)
    texts = {i: piece for piece, i in known.items()}
    todo, done = [texts[i] for i in kept if i in texts], set()
    while todo:
        piece = todo.pop()
        if piece not in done:
            done.add(piece)
            todo += made_from.get(piece, ())
    return {known[piece] for piece in done if piece in known}


def _merges(model: Settings) -> Iterator[tuple[list[str], str]]:
    """Each merge, as its two pieces, and the piece that it makes."""
    prefix = model.get("continuing_subword_prefix") or ""
    for merge in model["merges"]:
        first, second = merge.split(" ") if isinstance(merge, str) else merge
        yield [first, second], first + second.removeprefix(prefix)


def _reads_bytes(tokenizer: Settings) -> bool:
    """Whether the characters of pieces stand for bytes."""
    return "ByteLevel" in f"{tokenizer['pre_tokenizer']}{tokenizer['normalizer']}"


def _is_byte(piece: str) -> bool:
    """Whether it is one of the pieces that spell unknown characters: `<0x41>`."""
    return len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">")


def _template_ids(part: Any) -> Iterator[int]:
    """The ids of special tokens that a post-processor puts around a text."""
    match part:
        case {"type": "BertProcessing" | "RobertaProcessing"}:
            yield from (part[name][1] for name in ("sep", "cls"))
        case {"ids": [*ids]}:
            yield from ids
        case dict() | list():
            for inner in part.values() if isinstance(part, dict) else part:
                yield from _template_ids(inner)


def _renumbered(part: Any, new: Mapping[int, int]) -> Any:
    """A post-processor with the new ids."""
    match part:
        case {"type": "BertProcessing" | "RobertaProcessing"}:
            return {**part, **{name: [part[name][0], new[part[name][1]]] for name in ("sep", "cls")}}
        case {"ids": [*ids]}:
            return {**part, "ids": [new[i] for i in ids]}
        case dict():
            return {name: _renumbered(inner, new) for name, inner in part.items()}
        case list():
            return [_renumbered(inner, new) for inner in part]
    return part
