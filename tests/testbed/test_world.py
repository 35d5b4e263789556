import hashlib
from itertools import combinations
from pathlib import Path

import pytest

from uxla.errors import ConfigError
from uxla.testbed.concepts import KINDS, all_concepts, pair_concepts
from uxla.testbed.draws import Draws, key_of
from uxla.testbed.languages import LANGUAGES, TARGETS
from uxla.testbed.lexicon import build_lexicons
from uxla.testbed.world import LENGTHS, SPLITS, World, write

COUNT = 150


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path):
    sizes = {"train": 20, "unlabelled": 20, "dev": 10, "test": 10}
    write(tmp_path / "a", seed=3, **sizes)
    write(tmp_path / "b", seed=3, **sizes)
    write(tmp_path / "c", seed=4, **sizes)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    assert all(_bytes(tmp_path / "a")[name] != content for name, content in _bytes(tmp_path / "c").items())


def test_a_world_does_not_depend_on_the_process(world):
    """The digest is written down, so a draw that used Python's salted `hash` would change it from run to run.

    Where it changes on purpose, the shipped masked language model has to be built anew.
    """
    spaced = [language for language in LANGUAGES if language != "joined"]
    text = repr([world.sentences(language, "test", 5) for language in spaced])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "062e334a8058afda"
    text = repr([world.sentences("joined", "test", 5)])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "3769048a352a8f02"


def test_tagged_files_are_what_they_were_before_there_were_sentence_tasks(tmp_path):
    """The digest over the files of the four spaced languages, as the first version wrote them for these arguments."""
    write(tmp_path, world=3, seed=5, train=30, unlabelled=30, dev=20, test=20)
    digest = hashlib.sha256()
    for name, content in _bytes(tmp_path).items():
        if not name.startswith("joined") and "translated" not in name:
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    assert digest.hexdigest()[:16] == "7138b934d55f0018"


def test_a_language_is_the_same_whatever_others_are_asked_for(tmp_path):
    sizes = {"train": 20, "unlabelled": 20, "dev": 10, "test": 10}
    write(tmp_path / "all", **sizes)
    write(tmp_path / "one", **sizes, languages=("far",))
    one = {name: content for name, content in _bytes(tmp_path / "all").items() if name.startswith("far/")}
    assert len(one) == 5
    assert _bytes(tmp_path / "one") == one


def test_another_world_has_other_words(world):
    ours, theirs = (
        set(world.voice("source").lexicon.words.values()),
        set(World(1).voice("source").lexicon.words.values()),
    )
    assert len(ours & theirs) < 0.1 * len(ours)


def test_no_sentence_is_in_two_splits_or_twice_in_one(world):
    for language in LANGUAGES:
        drawn = {
            split: [" ".join(words) for seed in (0, 1) for words, _ in world.sentences(language, split, 50, seed)]
            for split in SPLITS
        }
        for one, other in combinations(SPLITS, 2):
            assert not set(drawn[one]) & set(drawn[other])
        assert all(len(set(lines[:50])) == 50 for lines in drawn.values())


def test_every_hundredth_belongs_to_exactly_one_split():
    assert sorted(part for parts in SPLITS.values() for part in parts) == list(range(100))


def test_fewer_sentences_are_the_beginning_of_more(world):
    assert world.sentences("far", "dev", 30)[:10] == world.sentences("far", "dev", 10)


@pytest.mark.parametrize("language", LANGUAGES)
def test_tags_are_valid_iob2_with_every_kind_and_lengths_hold(world, language):
    sentences = world.sentences(language, "train", COUNT)
    for words, tags in sentences:
        assert len(words) == len(tags)
        assert len(words) in LENGTHS
        assert all(word and " " not in word and "\t" not in word for word in words)
        for before, tag in zip(["O", *tags], tags, strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:]
    tags = {tag for _, tags in sentences for tag in tags}
    assert tags == {"O"} | {f"{place}-{kind}" for place in "BI" for kind in KINDS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_too_many_to_be_learnt_by_heart(world, language):
    """Most one-word names of test do not occur in a training set of the same language."""

    def names(split: str) -> set[str]:
        return {
            word
            for words, tags in world.sentences(language, split, 300)
            for word, tag in zip(words, tags, strict=True)
            if tag != "O"
        }

    seen, met = names("train"), names("test")
    assert len(met - seen) > 0.4 * len(met)


def test_one_spelling_can_be_a_name_of_several_kinds(world):
    kinds: dict[str, set[str]] = {}
    for words, tags in world.sentences("source", "train", 1000):
        for word, tag in zip(words, tags, strict=True):
            if tag != "O":
                kinds.setdefault(word, set()).add(tag[2:])
    assert sum(len(found) > 1 for found in kinds.values()) > 50


@pytest.mark.parametrize("language", TARGETS)
def test_as_many_words_are_shared_with_the_source_as_the_language_says(world, language):
    words, source = world.voice(language).lexicon.words, world.voice("source").lexicon.words
    for concepts in (all_concepts(), pair_concepts()):
        share = sum(words[concept] == source[concept] for concept in concepts) / len(concepts)
        assert share == pytest.approx(LANGUAGES[language].cognates, abs=0.5 / len(concepts))


def test_words_that_are_not_shared_occur_in_one_language_only():
    lexicons = build_lexicons(0, LANGUAGES.values())
    for one, other in combinations(LANGUAGES, 2):
        both = set(lexicons[one].words.values()) & set(lexicons[other].words.values())
        assert both <= set(lexicons["source"].words.values())
    assert all(len(set(lexicon.words.values())) == len(lexicon.words) for lexicon in lexicons.values())


def test_near_puts_the_verb_before_its_object_and_far_last(world):
    """Of sentences without a second clause, far ends all in a verb (before the full stop), source and near few."""

    def verb_last(language: str) -> float:
        lexicon = world.voice(language).lexicon
        verbs = {word for concept, word in lexicon.words.items() if concept.split(".")[0] == "hire"}
        verbs |= {verb + lexicon.suffixes["past"] for verb in verbs}
        found = [words for words, _ in world.sentences(language, "train", 300) if verbs & set(words)]
        joined = {lexicon.words[concept] for concept in ("and", "while", "that")}
        single = [words for words in found if not joined & set(words)]
        return sum(words[-2] in verbs for words in single) / len(single)

    assert verb_last("far") == verb_last("low") == 1.0
    assert verb_last("source") == verb_last("near") == 0.0


def test_files_hold_what_the_world_says(tmp_path, world):
    write(tmp_path, world=0, seed=2, train=7, unlabelled=5, dev=3, test=4)
    assert set(_bytes(tmp_path)) == {
        f"{name}/{split}.conll" for name in LANGUAGES for split in ("train", "dev", "test")
    } | {f"{name}/{file}" for name in TARGETS for file in ("train.txt", "translated.conll")}
    blocks = (tmp_path / "near/train.conll").read_text().removesuffix("\n\n").split("\n\n")
    read = [tuple(zip(*(line.split("\t") for line in block.split("\n")), strict=True)) for block in blocks]
    expected = world.sentences("near", "train", 5, seed=2)
    assert [(list(words), list(tags)) for words, tags in read] == expected
    assert (tmp_path / "near/train.txt").read_text() == "".join(" ".join(words) + "\n" for words, _ in expected)
    assert (tmp_path / "source/train.conll").read_text().count("\n\n") == 7


@pytest.mark.parametrize(("task", "prefix", "suffix"), [("ner", "", ".conll"), ("topic", "topic-", ".tsv")])
@pytest.mark.parametrize(("raw", "labelled"), [(3, 8), (8, 3)])
def test_raw_and_labelled_sentences_have_their_own_numbers_and_begin_alike(
    tmp_path, task, prefix, suffix, raw, labelled
):
    few = {"train": 4, "dev": 2, "test": 2, "tasks": (task,)}
    write(tmp_path / "a", unlabelled=raw, labelled=labelled, **few)
    write(tmp_path / "b", unlabelled=8, **few)
    mine, whole = _bytes(tmp_path / "a"), _bytes(tmp_path / "b")
    assert set(mine) == set(whole)
    text, gold = f"far/{prefix}train.txt", f"far/{prefix}train{suffix}"
    assert mine[text].count(b"\n") == raw
    assert whole[text].startswith(mine[text])
    assert whole[gold].startswith(mine[gold])
    assert (mine[gold] == whole[gold]) == (labelled == 8)
    assert {name for name in mine if mine[name] != whole[name]} == {
        name for name in mine if not name.startswith("source/") and name.endswith((text[3:], gold[3:])[raw == 8])
    }


def test_a_translation_says_what_the_source_says_in_the_targets_words(world):
    voices = {name: world.voice(name) for name in ("source", "far")}
    names = {voice: set(voices[voice].lexicon.words.values()) for voice in voices}
    source, far = world.sentences("source", "train", 200), world.translated("far", 150)
    entities = [sorted(tag for tag in tags if tag.startswith("B-")) for _, tags in source]
    rest = iter(entities)
    assert all(sorted(tag for tag in tags if tag.startswith("B-")) in rest for _, tags in far)
    spoken = {word for words, _ in far for word in words}
    assert len(spoken & names["far"]) > 5 * len(spoken & (names["source"] - names["far"]))


def test_no_translation_stands_in_a_split_that_is_scored_on(world):
    held_out = {" ".join(words) for split in ("dev", "test") for words, _ in world.sentences("near", split, 300)}
    translated = [" ".join(words) for words, _ in world.translated("near", 300)]
    assert len(set(translated)) == 300
    assert not held_out & set(translated)
    places = [key_of("split", sentence) % 100 for sentence in translated]
    assert max(places) < 75


@pytest.mark.parametrize(("language", "split"), [("nearr", "train"), ("near", "valid")])
def test_an_unknown_language_or_split_is_the_users_fault(world, language, split):
    with pytest.raises(ConfigError, match="expected one of"):
        world.sentences(language, split, 1)


def test_keys_depend_on_every_part_and_its_border():
    assert len({key_of("a", 1), key_of("a", 2), key_of("a1"), key_of("a", "b", 1), key_of("ab", 1)}) == 5
    assert [Draws("x").uniform() for _ in range(3)] == [Draws("x").uniform()] * 3
    assert sorted(Draws("y").shuffled(range(50))) == list(range(50))
