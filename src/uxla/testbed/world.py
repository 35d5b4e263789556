"""A world of synthetic languages: sentences with entity labels in every language and split, and files of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from uxla.errors import ConfigError
from uxla.testbed import SIZES
from uxla.testbed.draws import Draws, key_of
from uxla.testbed.grammar import Sentence, sentence
from uxla.testbed.languages import LANGUAGES, SOURCE, TARGETS, language_named
from uxla.testbed.lexicon import build_lexicons, scene_names
from uxla.testbed.realise import Tokens, Voice
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
        return self._different(count, self._meanings(language, split, seed), language, lambda _: True)

    def translated(self, language: str, count: int, seed: int = 0) -> list[Labelled]:
        """The source's first `count` training sentences in `language`, without those of its dev and test split."""
        return self._different(count, self._meanings(SOURCE.name, "train", seed), language, _is_free)

    def _different(
        self, count: int, meanings: Iterator[Sentence], language: str, wanted: Callable[[Sequence[str]], bool]
    ) -> list[Labelled]:
        """`count` different sentences of a language, of those whose words are wanted."""
        voice, found = self.voice(language), dict[str, Labelled]()
        while len(found) < count:
            words, tags = _split(voice.sentence(next(meanings)))
            if wanted(words):
                found.setdefault(" ".join(words), (words, tags))
        return list(found.values())

    def _meanings(self, language: str, split: str, seed: int) -> Iterator[Sentence]:
        """The meanings of a split's sentences."""
        draws = Draws("sentences", self.seed, language, split, seed)
        voice = self.voice(language)
        while True:
            said = sentence(draws, self._scenes)
            words, _ = _split(voice.sentence(said))
            if len(words) in LENGTHS and _hundredth(words) in SPLITS[split]:
                yield said

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

    def translated_examples(self, language: str, task: str, count: int, seed: int = 0) -> list[Example]:
        """As `translated`, of the source's training examples of a sentence task."""
        asked, source, voice = sentence_task(task), self.voice(SOURCE.name), self.voice(language)
        draws = Draws("examples", self.seed, SOURCE.name, task, "train", seed)
        found: dict[tuple[str, ...], str] = {}
        while len(found) < count:
            for label in draws.shuffled(asked.labels):
                said = None
                while said is None or not self._lines(source, said, "train") or not _is_free(_words(voice, said[0])):
                    said = asked.draw(draws, self._scenes, label)
                found.setdefault(tuple(voice.language.text(_words(voice, line)) for line in said), label)
        return list(found.items())[:count]

    def _texts(self, task: SentenceTask, voice: Voice, split: str, label: str, draws: Draws) -> tuple[str, ...] | None:
        """The texts of one example, or None if what was drawn belongs to another split or has too many words."""
        lines = self._lines(voice, task.draw(draws, self._scenes, label), split)
        return tuple(voice.language.text(words) for words in lines) if lines else None

    def _lines(self, voice: Voice, said: Sequence[Sentence], split: str) -> list[list[str]]:
        """The words of an example's texts; none if they belong to another split, are too many, or twice the same."""
        lines = [_words(voice, line) for line in said]
        too_long = len(lines) == 1 and len(lines[0]) not in LENGTHS
        same = len(lines) > 1 and lines[0] == lines[-1]
        return [] if too_long or same or _hundredth(lines[0]) not in SPLITS[split] else lines


def _split(tokens: Tokens) -> Labelled:
    return [word for word, _ in tokens], [tag for _, tag in tokens]


def _words(voice: Voice, said: Sentence) -> list[str]:
    return _split(voice.sentence(said))[0]


def _hundredth(words: Sequence[str]) -> int:
    """The hundredth of all sentences to which one belongs."""
    return key_of("split", " ".join(words)) % 100


def _is_free(words: Sequence[str]) -> bool:
    """Whether a sentence may be trained on."""
    return _hundredth(words) not in SPLITS["dev"] and _hundredth(words) not in SPLITS["test"]


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise ConfigError(f"unknown testbed split {split!r}, expected one of {', '.join(SPLITS)}")


def write(
    folder: Path | str,
    *,
    world: int = 0,
    seed: int = 0,
    train: int = SIZES["train"],
    unlabelled: int = SIZES["unlabelled"],
    labelled: int | None = None,
    dev: int = SIZES["dev"],
    test: int = SIZES["test"],
    tasks: Sequence[str] = ("ner",),
    languages: Collection[str] = tuple(LANGUAGES),
) -> None:
    """Write languages of a world, a folder each, for some of the tasks `ner`, `nli`, `paraphrase`, `topic`.

    `ner`: `{train,dev,test}.conll`, and for the targets `train.txt`, without labels. Others:
    `{task}-{train,dev,test}.tsv` with a header, and for the targets `{task}-train.txt`, a TAB between two texts.
    `translated.conll`, `{task}-translated.tsv`: the source's training sentences, as the targets say them.
    `train` counts the source's sentences, `unlabelled` each target's raw ones and `labelled` those of its train file,
    as many where it is not given; the fewer are the beginning of the more. The same arguments give the same bytes,
    whatever other tasks and languages are asked for.
    """
    for task in tasks:
        if task != "ner":
            sentence_task(task)
    drawn = World(world)
    for language in languages:
        place = Path(folder) / language
        place.mkdir(parents=True, exist_ok=True)
        raw = unlabelled if language in TARGETS else 0
        sizes = {"train": labelled or raw if raw else train, "dev": dev, "test": test}
        for task in tasks:
            for split, count in sizes.items():
                _write_split(drawn, place, task, split, count, raw if split == "train" else 0, seed)
            if raw and task == "ner":
                _write_tagged(place, "translated", drawn.translated(language, train, seed))
            elif raw:
                _write_examples(place, task, "translated", drawn.translated_examples(language, task, train, seed))


def _write_split(world: World, place: Path, task: str, split: str, count: int, raw: int, seed: int) -> None:
    """The first `count` of a split's sentences with labels, and the first `raw` without, if there are any."""
    most, texts = max(count, raw), place / ("train.txt" if task == "ner" else f"{task}-train.txt")
    if task == "ner":
        sentences = world.sentences(place.name, split, most, seed)
        _write_tagged(place, split, sentences[:count])
        lines = [" ".join(words) for words, _ in sentences]
    else:
        examples = world.examples(place.name, task, split, most, seed)
        _write_examples(place, task, split, examples[:count])
        lines = ["\t".join(found) for found, _ in examples]
    if raw:
        _write_text(texts, "".join(line + "\n" for line in lines[:raw]))


def _write_tagged(place: Path, split: str, sentences: Sequence[Labelled]) -> None:
    _write_text(place / f"{split}.conll", "".join(_conll(words, tags) for words, tags in sentences))


def _write_examples(place: Path, task: str, split: str, examples: Sequence[Example]) -> None:
    rows = [sentence_task(task).columns, *((*texts, label) for texts, label in examples)]
    _write_text(place / f"{task}-{split}.tsv", "".join("\t".join(row) + "\n" for row in rows))


def _conll(words: Sequence[str], tags: Sequence[str]) -> str:
    return "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags, strict=True)) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
