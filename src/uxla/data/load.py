"""A file of sentences, in whatever format, as the corpus a run asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from uxla.data.conll import ConllFile, parse_conll, read_conll
from uxla.data.examples import tagging_corpus
from uxla.data.files import BOM, decode, read_bytes, split_lines
from uxla.data.rows import Layout, cells_of
from uxla.data.schemes import Scheme
from uxla.data.subset import subset
from uxla.data.text import parse_text
from uxla.errors import DataError
from uxla.records import Corpus

Format = Literal["auto", "conll", "text"]

_TEXT_SUFFIXES = (".txt", ".text")
_LOOKED_AT = 1000
_TELLING = 10  # that many lines of raw text do not have the same number of words by chance


def load_corpus(
    path: Path | str,
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
    labelled: bool,
    format: Format = "auto",
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
    label_map: Mapping[str, str | None] | None = None,
    take: int | None = None,
    share: float = 1.0,
    seed: int = 0,
) -> Corpus:
    """The sentences of `path`, or those that `subset` draws, in the order of the file.

    With `labelled` False no label is read, whatever the file holds. DataError, with file and line, for whatever the
    file has wrong, for labels asked of raw text, and for a subset of nothing.
    """
    path = Path(path)
    layout = Layout(encoding, token_column, label_column, scheme)
    content = open_sentences(read_bytes(path), path=path, format=format, layout=layout)
    if isinstance(content, list):
        if labelled:
            raise DataError("raw text has no labels; name a CoNLL file (format: conll)", file=path)
        corpus = tagging_corpus(content, None, name=name, lang=lang, label_names=label_names)
    elif labelled:
        corpus = content.corpus(name, lang, label_names, label_map)
    else:
        corpus = content.unlabelled_corpus(name, lang, label_names)
    chosen = subset(len(corpus), share=share, take=take, seed=seed)
    if len(chosen) == 0:
        raise DataError(f"share {share} of {len(corpus)} sentences is none; raise the share", file=path)
    return corpus if len(chosen) == len(corpus) else corpus.take(chosen)


def discover_types(
    path: Path | str,
    *,
    encoding: str = "utf-8",
    token_column: int = 0,
    label_column: int = -1,
    scheme: Scheme | Literal["auto"] = "auto",
    label_map: Mapping[str, str | None] | None = None,
) -> tuple[str, ...]:
    """The entity types of a labelled CoNLL file after `label_map`, sorted: the source's label set."""
    file = read_conll(path, encoding=encoding, token_column=token_column, label_column=label_column, scheme=scheme)
    mapped = {(label_map or {}).get(type_, type_) for type_ in file.types}
    return tuple(sorted(type_ for type_ in mapped if type_ is not None))


def open_sentences(
    raw: bytes, *, path: Path, format: Format = "auto", layout: Layout | None = None
) -> ConllFile | list[list[str]]:
    """The content of a file, or of standard input with `path` "-": a ConllFile, or the words of raw text."""
    layout = layout or Layout()
    if format_of(raw, path=path, format=format, encoding=layout.encoding) == "text":
        return parse_text(raw, path=path, encoding=layout.encoding)
    return parse_conll(raw, path=path, layout=layout)


def format_of(raw: bytes, *, path: Path, format: Format = "auto", encoding: str = "utf-8") -> Literal["conll", "text"]:
    """The format asked for; else by suffix: .txt and .text are raw text, others CoNLL; standard input by its look.

    DataError for a .txt whose lines all have the same number of columns: many CoNLL files are called so, and guessing
    wrong would make words of the labels. Only columns are counted, so labels decide nothing.
    """
    if format != "auto":
        return format
    if str(path) == "-":
        return "conll" if _columns(raw, path, encoding) > 1 else "text"
    if path.suffix.lower() not in _TEXT_SUFFIXES:
        return "conll"
    if (columns := _columns(raw, path, encoding)) > 1:
        message = f"raw text by its name, but every line has {columns} columns; set format: conll, or format: text"
        raise DataError(message, file=path)
    return "text"


def _columns(raw: bytes, path: Path, encoding: str) -> int:
    """The number of columns if the first lines look like a table, else 0."""
    text = decode(raw, encoding, file=path).removeprefix(BOM)
    words = (line for line in split_lines(text) if cells_of(line, 0))
    lines = list(islice(words, _LOOKED_AT))
    counts = {len(cells_of(line, 0)) for line in lines}
    telling = len(lines) >= _TELLING or all("\t" in line for line in lines)
    return counts.pop() if len(counts) == 1 and telling else 0
