"""A world of synthetic languages: sentences with entity labels in every language and split, and files of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from uxla.errors import ConfigError
from uxla.testbed.draws import Draws, key_of
from uxla.testbed.grammar import sentence
from uxla.testbed.languages import LANGUAGES, SOURCE, TARGETS, language_named
from uxla.testbed.lexicon import build_lexicons
from uxla.testbed.names import scene_names
from uxla.testbed.realise import Voice

Labelled = tuple[list[str], list[str]]
"""A sentence: its words and their IOB2 tags."""

SPLITS = {"pretrain": range(0, 40), "train": range(40, 75), "dev": range(75, 85), "test": range(85, 100)}
"""Which hundredths of all sentences belong to a split: the sentence's own digest decides, so no sentence is in two."""

LENGTHS = range(6, 21)
"""The numbers of words a sentence may have."""


class World:
    """Languages that express the same concepts; the same seed gives the same world on every machine."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._scenes = scene_names(seed)
        lexicons = build_lexicons(seed, LANGUAGES.values())
        source = lexicons[SOURCE.name]
        self._voices = {name: Voice(LANGUAGES[name], lexicons[name], source) for name in LANGUAGES}

    def voice(self, language: str) -> Voice:
        """The language of that name with its words; a `ConfigError` when there is none."""
        return self._voices[language_named(language).name]

    def sentences(self, language: str, split: str, count: int, seed: int = 0) -> list[Labelled]:
        """`count` different sentences with PER, LOC, ORG and MISC in IOB2, 6–20 words each.

        `split` is pretrain, train, dev or test; no sentence belongs to two of them, whatever the seeds. A smaller
        `count` gives the beginning of a larger one.
        """
        if split not in SPLITS:
            raise ConfigError(f"unknown testbed split {split!r}, expected one of {', '.join(SPLITS)}")
        found: dict[str, Labelled] = {}
        stream = self._stream(language, split, seed)
        while len(found) < count:
            words, tags = next(stream)
            found.setdefault(" ".join(words), (words, tags))
        return list(found.values())

    def _stream(self, language: str, split: str, seed: int) -> Iterator[Labelled]:
        draws = Draws("sentences", self.seed, language, split, seed)
        voice = self.voice(language)
        while True:
            tokens = voice.sentence(sentence(draws, self._scenes))
            words = [word for word, _ in tokens]
            if len(words) in LENGTHS and key_of("split", " ".join(words)) % 100 in SPLITS[split]:
                yield words, [tag for _, tag in tokens]


def write(
    folder: Path | str,
    *,
    world: int = 0,
    seed: int = 0,
    train: int = 1000,
    unlabelled: int = 1000,
    dev: int = 300,
    test: int = 500,
) -> None:
    """Write `{language}/{train,dev,test}.conll` of a world, and for the targets `train.txt`: train without its labels.

    `train` counts the source's sentences, `unlabelled` each target's. The same arguments give the same bytes.
    """
    drawn = World(world)
    for language in LANGUAGES:
        sizes = {"train": unlabelled if language in TARGETS else train, "dev": dev, "test": test}
        place = Path(folder) / language
        place.mkdir(parents=True, exist_ok=True)
        for split, count in sizes.items():
            sentences = drawn.sentences(language, split, count, seed)
            _write_text(place / f"{split}.conll", "".join(_conll(words, tags) for words, tags in sentences))
            if split == "train" and language in TARGETS:
                _write_text(place / "train.txt", "".join(" ".join(words) + "\n" for words, _ in sentences))


def _conll(words: Sequence[str], tags: Sequence[str]) -> str:
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
