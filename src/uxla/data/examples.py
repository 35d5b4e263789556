"""Sentences as a tagging corpus: the one place where words are joined and ids are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat

from uxla.records import Corpus, Example


def tagging_corpus(
    sentences: Sequence[Sequence[str]],
    labels: Iterable[tuple[int, ...]] | None,
    *,
    name: str,
    lang: str,
    label_names: Sequence[str],
) -> Corpus:
    """A corpus with one example a sentence, its id `lang:name:i` with i from 0 in the order of the file.

    `labels` has one tuple a sentence with one int a word; None for a corpus without labels.
    """
    given = repeat(None, len(sentences)) if labels is None else labels
    rows = enumerate(zip(sentences, given, strict=True))
    examples = (Example(f"{lang}:{name}:{i}", lang, (" ".join(words),), ids) for i, (words, ids) in rows)
    return Corpus.from_examples(name, label_names, examples)
