"""Before the work begins: how much data there is, and what is doubtful about data and models, each doubt once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow.compute as pc

from uxla.data.checks.differences import differences, missing_labels, shared_texts
from uxla.data.checks.doubts import Doubt, doubts, name_doubts
from uxla.data.checks.statistics import Statistics
from uxla.data.columns import SHAPES
from uxla.data.labels.schemes import entity_type
from uxla.events import DataRead, Doubted
from uxla.models.model_safety import ModelSafety
from uxla.models.task_model import tokenizer_of
from uxla.records import Corpus, ModelHandle
from uxla.study.inputs import Inputs
from uxla.study.study import Study
from uxla.targets import Target

_LOOKED_AT = 10_000
"""The examples of a corpus that are examined."""
_UNREAD = 0.05
_FULL = 0.9
"""A tokenizer should have pieces for at least this share of the embeddings; the rest may be padding."""
_OTHERS = ("dev", "test", "labelled", "translated")


def describe(study: Study, *, generates: bool) -> None:
    """Emit the sizes of the data and every doubt. `generates` says whether the vicinity model is used."""
    inputs, said = study.inputs, set[tuple[str, str]]()
    for target in inputs.targets:
        _sizes(study, inputs.train, target)
    for about, doubt in _all_doubts(study, generates=generates):
        if (about, doubt.about) not in said:
            said.add((about, doubt.about))
            study.emit(Doubted(about, doubt.about, doubt.text))


def _sizes(study: Study, source: Corpus, target: Target) -> None:
    shared = _duplicates(target.train, target.test) if target.test is not None else 0
    study.emit(DataRead(target.name, len(source), len(target.train), len(target.test or ()), shared))


def _duplicates(train: Corpus, test: Corpus) -> int:
    """How many examples of `test` stand in `train` too; only `test` is held in memory."""
    copies = Counter(example.segments for example in test)
    found = {example.segments for example in train if example.segments in copies}
    return sum(copies[segments] for segments in found)


def _all_doubts(study: Study, *, generates: bool) -> Iterator[tuple[str, Doubt]]:
    """Each doubt, with the name of what it is about."""
    inputs, task = study.inputs, study.labelling.task_name
    backbone, vicinity, safety = study.labelling.backbone, study.vicinity.model, study.labelling.runtime.safety
    used = {"model": backbone} | ({"vicinity.model": vicinity} if generates else {})
    source = _portrait(inputs.train, task)
    names = label_counts(inputs.train, task)
    yield from _named(inputs.train.name, [*doubts(source), *name_doubts(names, "type" if task == "ner" else "label")])
    for target in inputs.targets:
        raw = _portrait(target.train, task)
        yield from _named(target.name, doubts(raw))
        yield from _named(target.name, differences(source, raw, (inputs.train.name, target.name)))
        yield from _named(target.name, shared_texts(raw, source, inputs.train.name))
        yield from _named(target.name, _unread(used, safety, raw))
        if target.test is not None:
            test = _portrait(target.test, task)
            yield from _named(target.name, doubts(test))
            yield from _named(target.name, differences(source, test, (inputs.train.name, target.test.name)))
            for part in (target.dev, target.labelled, target.translated):
                if part is not None:
                    yield from _named(part.name, shared_texts(_portrait(part, task), test, target.test.name))
    for held_out in (inputs.dev, inputs.test):
        if held_out is not None:
            yield from _named(held_out.name, shared_texts(_portrait(held_out, task), source, inputs.train.name))
    yield from _labels(inputs, task)
    yield from _spare((backbone, vicinity), safety)
    if generates:
        yield from _named(str(vicinity.path), _small_letters(backbone, vicinity, safety))


def _named(about: str, found: Iterable[Doubt]) -> Iterator[tuple[str, Doubt]]:
    return ((about, doubt) for doubt in found if not doubt.minor)


def _portrait(corpus: Corpus, task: str) -> Statistics:
    portrait = Statistics(SHAPES[task])
    for example in corpus.part(0, _LOOKED_AT):
        portrait.add(example.segments, example.labels)
    return portrait


def label_counts(corpus: Corpus, task: str) -> Counter[str]:
    """How often each label occurs; with tagging, each entity type."""
    flat = pc.list_flatten(corpus.table["labels"]).to_numpy()
    counts = np.bincount(flat[flat >= 0], minlength=len(corpus.label_names))
    named = zip(corpus.label_names, counts.tolist(), strict=True)
    if task == "ner":
        return Counter({entity_type(name): count for name, count in named if name[0] == "B"})
    return Counter(dict(named))


def _labels(inputs: Inputs, task: str) -> Iterator[tuple[str, Doubt]]:
    """Labels of the source that another labelled corpus never has."""
    trained, what = label_counts(inputs.train, task), "entities" if task == "ner" else "labels"
    targets = [getattr(target, part) for target in inputs.targets for part in _OTHERS]
    for corpus in (inputs.dev, inputs.test, *targets):
        if corpus is not None:
            names, found = (inputs.train.name, corpus.name), label_counts(corpus, task)
            if not found.total():
                yield corpus.name, Doubt("labels", f"it has no {what} at all; is it the right file and column?")
            yield from _named(corpus.name, missing_labels(trained, found, names, what))


def _unread(models: Mapping[str, ModelHandle], safety: ModelSafety, portrait: Statistics) -> Iterator[Doubt]:
    """A doubt for each tokenizer that does not know the characters of many words."""
    for key, model in models.items():
        share = tokenizer_of(model.path, safety).unknown_share(portrait.words.counts)
        if share > _UNREAD:
            text = f"{share:.0%} of its words have characters that the tokenizer of {key} does not know"
            yield Doubt(f"tokenizer of {key}", f"{text}; take a model that has read this language")


def _spare(models: Iterable[ModelHandle], safety: ModelSafety) -> Iterator[tuple[str, Doubt]]:
    """A doubt for each model with far more embeddings than its tokenizer has pieces: it may be another model's."""
    for model in dict.fromkeys(models):
        size = tokenizer_of(model.path, safety).size
        rows = json.loads((model.path / "config.json").read_bytes()).get("vocab_size")
        if isinstance(rows, int) and size < _FULL * rows:
            text = f"its tokenizer has {size:,} pieces, the model embeddings for {rows:,}; is it the model's own?"
            yield str(model.path), Doubt("tokenizer", text)


def _small_letters(backbone: ModelHandle, vicinity: ModelHandle, safety: ModelSafety) -> Iterator[Doubt]:
    """A doubt where the vicinity model writes small letters only, and the backbone tells capitals apart."""
    ignores, tells = (tokenizer_of(model.path, safety).ignores_case for model in (vicinity, backbone))
    if ignores and not tells:
        text = "the vicinity model writes small letters only, the model tells capitals apart"
        yield Doubt("capitals", f"{text}: what is replaced loses them; take a vicinity model with capitals")
