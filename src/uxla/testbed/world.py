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
from uxla.testbed.sentences import SENTENCE_TASKS, SentenceTask, sentence_task

Labelled = tuple[list[str], list[str]]
"""A sentence: its words and their IOB2 tags."""

Example = tuple[tuple[str, ...], str]
"""One text or two, and their label."""

TASKS = ("ner", *SENTENCE_TASKS)

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
        _check_split(split)
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

    def examples(self, language: str, task: str, split: str, count: int, seed: int = 0) -> list[Example]:
        """`count` different examples of a sentence task (`nli`, `paraphrase`, `topic`), all labels equally often.

        Splits and `count` are as in `sentences`: no first text is in two splits. Single texts have 6–20 words.
        """
        _check_split(split)
        asked = sentence_task(task)
        draws = Draws("examples", self.seed, language, task, split, seed)
        voice = self.voice(language)
        found: dict[tuple[str, ...], str] = {}
        while len(found) < count:
            for label in draws.shuffled(asked.labels):
                texts = None
                while texts is None or texts in found:
                    texts = self._texts(asked, voice, split, label, draws)
                found[texts] = label
        return list(found.items())[:count]

    def _texts(self, task: SentenceTask, voice: Voice, split: str, label: str, draws: Draws) -> tuple[str, ...] | None:
        """The texts of one example, or None if what was drawn belongs to another split or has too many words."""
        lines = [[word for word, _ in voice.sentence(said)] for said in task.draw(draws, self._scenes, label)]
        if len(lines) == 1 and len(lines[0]) not in LENGTHS:
            return None
        if lines[0] == lines[-1] and len(lines) > 1:
            return None
        if key_of("split", " ".join(lines[0])) % 100 not in SPLITS[split]:
            return None
        return tuple(voice.language.text(words) for words in lines)


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise ConfigError(f"unknown testbed split {split!r}, expected one of {', '.join(SPLITS)}")


def write(
    folder: Path | str,
    *,
    world: int = 0,
    seed: int = 0,
    train: int = 1000,
    unlabelled: int = 1000,
    dev: int = 300,
    test: int = 500,
    tasks: Sequence[str] = ("ner",),
) -> None:
    """Write the languages of a world, a folder each, for some of the tasks `ner`, `nli`, `paraphrase`, `topic`.

    `ner`: `{train,dev,test}.conll`, and for the targets `train.txt`, which is train without its labels. Others:
    `{task}-{train,dev,test}.tsv` with a header, and for the targets `{task}-train.txt`, a TAB between two texts.
    `train` counts the source's sentences, `unlabelled` each target's. The same arguments give the same bytes, whatever
    other tasks are asked for.
    """
    for task in tasks:
        if task != "ner":
            sentence_task(task)
    drawn = World(world)
    for language in LANGUAGES:
        sizes = {"train": unlabelled if language in TARGETS else train, "dev": dev, "test": test}
        place = Path(folder) / language
        place.mkdir(parents=True, exist_ok=True)
        for task in tasks:
            for split, count in sizes.items():
                if task == "ner":
                    _write_tagged(place, split, drawn.sentences(language, split, count, seed))
                else:
                    _write_examples(place, task, split, drawn.examples(language, task, split, count, seed))


def _write_tagged(place: Path, split: str, sentences: Sequence[Labelled]) -> None:
    _write_text(place / f"{split}.conll", "".join(_conll(words, tags) for words, tags in sentences))
    if split == "train" and place.name in TARGETS:
        _write_text(place / "train.txt", "".join(" ".join(words) + "\n" for words, _ in sentences))


def _write_examples(place: Path, task: str, split: str, examples: Sequence[Example]) -> None:
    rows = [sentence_task(task).columns, *((*texts, label) for texts, label in examples)]
    _write_text(place / f"{task}-{split}.tsv", "".join("\t".join(row) + "\n" for row in rows))
    if split == "train" and place.name in TARGETS:
        _write_text(place / f"{task}-train.txt", "".join("\t".join(texts) + "\n" for texts, _ in examples))


def _conll(words: Sequence[str], tags: Sequence[str]) -> str:
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
