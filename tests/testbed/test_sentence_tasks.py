"""Pairs and single sentences: what the labels promise holds of the texts, and neither text tells the label alone."""

import csv
import io
from collections import Counter
from itertools import combinations, pairwise

import pytest

from uxla.errors import ConfigError
from uxla.testbed.concepts import OPPOSITES, TOPICS
from uxla.testbed.draws import Draws, key_of
from uxla.testbed.grammar import speaker
from uxla.testbed.languages import LANGUAGES, TARGETS
from uxla.testbed.lexicon import scene_names
from uxla.testbed.pairs import NLI, nli_pair, paraphrase_pair
from uxla.testbed.sentences import SENTENCE_TASKS, TOPIC_NAMES
from uxla.testbed.world import SPLITS, TASKS, World, write

SIZES = {"train": 8, "unlabelled": 6, "dev": 4, "test": 3}


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


def _pairs(make, label, count=400):
    scenes = scene_names(0)
    draws = Draws("test pairs", label)
    return [make(speaker(draws, scenes, draws.below(TOPICS)), label) for _ in range(count)]


def _details(clause):
    return {("time", clause.time), ("quality", clause.object.quality), *clause.adjuncts} - {
        ("time", None),
        ("quality", None),
    }


def _stands_for_all(phrase):
    return isinstance(phrase.head, str) and phrase.head.startswith("any-")


def _meaning(verb):
    return verb.split(".")[0]


def test_an_entailed_hypothesis_has_the_premises_core_and_no_detail_of_its_own():
    for premise, hypothesis in _pairs(nli_pair, "entailment"):
        assert premise.subject == hypothesis.subject
        assert _meaning(premise.verb) == _meaning(hypothesis.verb)
        assert premise.object.head == hypothesis.object.head or _stands_for_all(hypothesis.object)
        assert premise.negated == hypothesis.negated
        assert _details(hypothesis) <= _details(premise)


def test_under_a_negation_nothing_is_left_out_or_generalised():
    for label in NLI:
        for premise, hypothesis in _pairs(nli_pair, label):
            assert not (hypothesis.negated and _stands_for_all(hypothesis.object))
            if premise.negated:
                assert len(_details(premise)) == 1
                assert not _stands_for_all(hypothesis.object)


def test_a_neutral_hypothesis_has_the_same_subject_and_says_more_or_something_else_of_it():
    ways = Counter()
    for premise, hypothesis in _pairs(nli_pair, "neutral"):
        assert premise.subject == hypothesis.subject
        assert premise.negated == hypothesis.negated
        groups = [{verb, OPPOSITES.get(verb)} for verb in (_meaning(premise.verb), _meaning(hypothesis.verb))]
        same = bool(groups[0] & groups[1] - {None}) and premise.object.head == hypothesis.object.head
        if same:
            assert _meaning(premise.verb) == _meaning(hypothesis.verb)
            assert not _details(hypothesis) <= _details(premise)
        ways[same] += 1
    assert min(ways.values()) > 50


def test_a_contradiction_changes_verb_object_roles_or_negation_and_nothing_else():
    ways = Counter()
    for premise, hypothesis in _pairs(nli_pair, "contradiction"):
        verbs = {_meaning(premise.verb), _meaning(hypothesis.verb)}
        turned = premise.subject.head == hypothesis.object.head and premise.object.head == hypothesis.subject.head
        object_ = premise.object.head != hypothesis.object.head and not _stands_for_all(hypothesis.object)
        way = ["negated"] * (premise.negated != hypothesis.negated) + ["verb"] * (len(verbs) == 2)
        way += ["roles"] * turned + ["object"] * (object_ and not turned)
        assert len(way) == 1
        ways[way[0]] += 1
        if len(verbs) == 2:
            assert any({verb, contrary} == verbs for verb, contrary in OPPOSITES.items())
        assert _details(hypothesis) <= _details(premise)
    assert set(ways) == {"negated", "verb", "roles", "object"}


def test_a_paraphrase_says_the_same_and_a_scramble_has_the_same_phrases_elsewhere():
    def places(clause):
        return [("subject", clause.subject), ("object", clause.object), *sorted(clause.adjuncts, key=str)]

    for label in ("0", "1"):
        for first, second in _pairs(paraphrase_pair, label):
            assert _meaning(first.verb) == _meaning(second.verb)
            assert (first.past, first.time) == (second.past, second.time)
            assert (places(first) == places(second)) == (label == "1")
            assert Counter(str(phrase) for _, phrase in places(first)) == Counter(str(p) for _, p in places(second))


@pytest.mark.parametrize("task", ["nli", "paraphrase"])
@pytest.mark.parametrize("segments", [(0,), (1,), (0, 1)])
def test_bags_of_words_do_not_tell_the_label_of_a_pair(world, task, segments):
    """Naive Bayes on the words and the length of one text, or of both in one bag, stays near chance."""
    examples = world.examples("source", task, "train", 2400)
    features = [[*{word for s in segments for word in texts[s].split()}] for texts, _ in examples]
    sizes = [sum(len(texts[s].split()) for s in segments) for texts, _ in examples]
    labels = [label for _, label in examples]
    seen, right = {label: Counter() for label in labels}, 0
    for words, size, label in zip(features[:1800], sizes, labels, strict=False):
        seen[label].update([*words, size])
    for words, size, label in zip(features[1800:], sizes[1800:], labels[1800:], strict=True):

        def likelihood(guess, tokens=(*words, size)):
            product = 1.0
            for token in tokens:
                product *= (seen[guess][token] + 1) / (sum(seen[other][token] for other in seen) + len(seen))
            return product

        right += max(seen, key=likelihood) == label
    assert right / 600 < 1 / len(seen) + 0.08


def test_words_tell_the_topic(world):
    """So the task can be learnt: a word votes for the topic in which it was most often seen."""
    votes: dict[str, Counter[str]] = {}
    for (text,), label in world.examples("far", "topic", "train", 800):
        for word in text.split():
            votes.setdefault(word, Counter())[label] += 1
    test = world.examples("far", "topic", "test", 200)
    right = 0
    for (text,), label in test:
        score: Counter[str] = Counter()
        for word in text.split():
            counts = votes.get(word, Counter())
            score.update({topic: (n / counts.total()) ** 2 for topic, n in counts.items()})
        right += score.most_common(1)[0][0] == label
    assert right / len(test) > 0.6


@pytest.mark.parametrize("task", SENTENCE_TASKS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_are_balanced_and_fewer_examples_are_the_beginning_of_more(world, task, language):
    labels = SENTENCE_TASKS[task].labels
    examples = world.examples(language, task, "train", 5 * len(labels))
    assert Counter(label for _, label in examples) == dict.fromkeys(labels, 5)
    assert world.examples(language, task, "train", len(labels) + 1) == examples[: len(labels) + 1]
    assert all(len(texts) == len(SENTENCE_TASKS[task].columns) - 1 for texts, _ in examples)
    assert all(texts[0] != texts[-1] or len(texts) == 1 for texts, _ in examples)


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_no_first_text_is_in_two_splits_and_no_example_twice(world, task):
    drawn = {
        split: [x for seed in (0, 1) for x, _ in world.examples("near", task, split, 60, seed)] for split in SPLITS
    }
    for one, other in combinations(SPLITS, 2):
        assert not {texts[0] for texts in drawn[one]} & {texts[0] for texts in drawn[other]}
    assert all(len(set(texts[:60])) == 60 for texts in drawn.values())


def test_a_topic_sentence_is_in_no_split_of_the_tagged_sentences_but_its_own(world):
    """One rule shares all sentences out, so that what the language model has read is in no test set."""
    topics = {text for (text,), _ in world.examples("far", "topic", "test", 100)}
    assert not topics & {" ".join(words) for words, _ in world.sentences("far", "pretrain", 3000)}


def test_the_joined_language_has_no_spaces_between_words_of_its_own_letters(world):
    for (text,), _ in world.examples("joined", "topic", "train", 40):
        runs = text.split(" ")
        assert all((run and run.isascii()) or not any(char.isascii() for char in run) for run in runs)
        assert not any(not a.isascii() and not b.isascii() for a, b in pairwise(runs))
    words = [word for words, _ in world.sentences("joined", "train", 40) for word in words]
    assert any(not word.isascii() for word in words)
    assert any(word.isascii() and word.isalpha() for word in words)


def test_every_task_has_its_files_whatever_others_are_asked_for(tmp_path):
    write(tmp_path / "all", tasks=TASKS, **SIZES)
    write(tmp_path / "one", tasks=("nli",), **SIZES)
    names = {str(path.relative_to(tmp_path / "one")) for path in (tmp_path / "one").rglob("*.*")}
    splits = ("train", "dev", "test")
    assert names == {f"{language}/nli-{split}.tsv" for language in LANGUAGES for split in splits} | {
        f"{language}/nli-{file}" for language in TARGETS for file in ("train.txt", "translated.tsv")
    }
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "all" / name).read_bytes() for name in names)
    assert sum(path.is_file() for path in (tmp_path / "all").rglob("*")) == len(LANGUAGES) * 12 + len(TARGETS) * 8


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_translated_examples_have_the_labels_of_the_sources_and_no_text_that_is_scored_on(world, task):
    source, far = world.examples("source", task, "train", 60), world.translated_examples("far", task, 60)
    assert {label for _, label in far} == {label for _, label in source}
    assert len({texts for texts, _ in far}) == 60
    assert all(key_of("split", texts[0]) % 100 < 75 for texts, _ in far)
    assert {len(texts) for texts, _ in far} == {len(texts) for texts, _ in source}


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_tables_hold_what_the_world_says(tmp_path, world, task):
    write(tmp_path, seed=2, tasks=(task,), **SIZES)
    columns = list(SENTENCE_TASKS[task].columns)
    for language in LANGUAGES:
        count = SIZES["unlabelled"] if language in TARGETS else SIZES["train"]
        text = (tmp_path / language / f"{task}-train.tsv").read_text()
        read = list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
        expected = world.examples(language, task, "train", count, seed=2)
        assert read == [columns, *([*texts, label] for texts, label in expected)]
        if language in TARGETS:
            unlabelled = (tmp_path / language / f"{task}-train.txt").read_text()
            assert unlabelled == "".join("\t".join(texts) + "\n" for texts, _ in expected)


def test_every_topic_has_a_name():
    assert len(set(TOPIC_NAMES)) == TOPICS


def test_an_unknown_task_is_the_users_fault_and_nothing_is_written(tmp_path, world):
    with pytest.raises(ConfigError, match="expected one of ner, nli, paraphrase, topic"):
        write(tmp_path / "none", tasks=("ner", "nlu"))
    assert not (tmp_path / "none").exists()
    with pytest.raises(ConfigError, match="expected one of"):
        world.examples("near", "nli", "valid", 1)
