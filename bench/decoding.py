"""Which labels to make of a tagger's probabilities where the most probable ones are no valid IOB2: three decoders.

    python bench/decoding.py [--short] [--world-1 FOLDER] [--json FILE]

`to O`: an I- that continues nothing becomes O. `to B`: it becomes B-. `Viterbi`: the most probable valid sequence
(`uxla.decoding.decode`). On development data only: the testbed's worlds 0 and 1 (1 needs a masked LM of its own,
`--world-1`, or one is made), dev sentences of CoNLL and PAN-X where this machine has them. Prints one Markdown table:
entity F1 as seqeval's default counts it, of the three models (the mean) and of the mean of their probabilities, and in
how many percent of the sentences the ensemble's most probable labels are not valid. Below it: for how many entities of
the ensemble Viterbi gives another type than the one that is most probable over the entity's words, B- and I- together,
and which of the two is right where the gold entity has the same words. Trainings are kept in the store.
"""

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
import transformers
from common import parser, table, write_json
from material import SHARED
from testbed import TINY, TINY_LM

from uxla import api
from uxla.adapted import Adapted
from uxla.config.run import load_config
from uxla.console import showing
from uxla.decoding import decode
from uxla.metrics import span_f1, spans_in
from uxla.models.ensemble import average
from uxla.models.mentions import mentions
from uxla.records import IGNORED, Corpus, Ints, Predictions
from uxla.store.opening import default_root
from uxla.store.store import Store
from uxla.study.arguments import arguments_of
from uxla.study.inputs import load_inputs
from uxla.testbed.pretrain import build

Decoder = Callable[[Predictions, Sequence[str]], Ints]
WORLD = ("testbed.train=500", "testbed.unlabelled=300", "target=[near,far,low]")
MOST = 1000  # dev sentences that are scored
TRAINING = "{{batch_size: 16, accumulation: 1, learning_rate: {}, epochs: {}, lr_warmup: 0.1, selection: last}}"
REAL = {
    "CoNLL": ("encoder-en-es-de-nl", "[es,de]", 2000, TRAINING.format("1.0e-3", 3.0), "fp32"),
    "PAN-X": ("me5", "[fi,hi]", 500, TRAINING.format("1.0e-4", 2.0), "bf16"),
}
"""Model, targets, labelled English sentences, warm-up and precision: what a few minutes allow."""
WARM_UP = ("zero_shot", "penalty")
STATES = {"world 0": (*WARM_UP, "uxla"), "world 1": (*WARM_UP, "uxla"), "CoNLL": WARM_UP, "PAN-X": WARM_UP[:1]}
"""The methods whose last models are decoded."""


def main(given: Namespace) -> None:
    """Every study's models, every decoder."""
    rows: list[tuple[object, ...]] = []
    seen = Counter[str]()
    transformers.utils.logging.disable_progress_bar()
    with TemporaryDirectory() as place, showing():
        for name, overrides in cases(given, Path(place)):
            found = adapted(overrides, STATES[name])
            with found.run.config.process():
                rows += list(scored(name, found, seen))
    header = [f"{who}: {decoder}" for who in ("models", "ensemble") for decoder in DECODERS]
    table(
        ["development data", "models of", *header, "not valid, %"],
        [(*row[:2], *map("{:.2f}".format, row[2:])) for row in rows],
    )
    means = np.array([row[2:] for row in rows]).mean(axis=0)
    print(f"\nMean of all rows: {', '.join(f'{h} {m:.2f}' for h, m in zip(header, means, strict=False))}")
    print("Entities of another type than their words' most probable one:", dict(seen))
    write_json(given.json, {"header": header, "rows": rows, "types": seen})


def cases(given: Namespace, place: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and what to write behind `uxla run`, the preset first."""
    small = TINY if given.short else ()
    yield "world 0", ("testbed", *WORLD, *small)
    folder = given.world_1 or build(place / "lm", world=1, seed=1, **(TINY_LM if given.short else {}))
    yield "world 1", ("testbed", *WORLD, *small, "testbed.world=1", f"model={folder.absolute()}")
    for name, (model, targets, count, warmup, precision) in {} if given.short else REAL.items():
        folder = SHARED / "data" / name.lower().replace("-", "")
        if not folder.is_dir() or not (SHARED / "models" / model).is_dir():
            print(f"{name}: left out, not on this machine")
            continue
        files = (f"source.{part}={folder}/en/{part}.conll" for part in ("train", "dev"))
        target = (
            f"target_data.{key}={folder}/{{target}}/{part}.conll" for key, part in (("train", "train"), ("dev", "dev"))
        )
        sizes = (
            f"source.take={count}",
            "target_data.take=100",
            f"precision={precision}",
            "max_length=128",
            "threads=1",
        )
        common = (f"model={SHARED / 'models' / model}", f"target={targets}", "methods=[uxla]")
        yield name, ("xner", *files, *target, *sizes, *common, f"warmup={warmup}")


def adapted(overrides: Sequence[str], methods: Sequence[str]) -> Adapted:
    """The models of these methods, from the store where they were made before."""
    config = load_config(overrides[0], [*overrides[1:], f"methods=[{','.join(methods)}]"])
    store = Store(default_root())
    inputs = load_inputs(config, store)
    return api.adapt(**arguments_of(config, inputs), store=store)


def scored(name: str, found: Adapted, seen: Counter[str]) -> Iterator[tuple[object, ...]]:
    """A row for each target and kind of model; `seen` counts entities by their types."""
    run = found.run
    assert run is not None
    for target in run.study.targets:
        assert target.dev is not None
        dev = target.dev.part(0, MOST)
        for method in STATES[name]:
            tables = [run.study.labelling.predict(model, dev) for model in run.models[target.name][method][-1]]
            both = average(tables)
            of_models = [
                fmean(f1(decoder(one, dev.label_names), dev) for one in tables) for decoder in DECODERS.values()
            ]
            of_ensemble = [f1(decoder(both, dev.label_names), dev) for decoder in DECODERS.values()]
            seen += of_types(both, dev)
            changed = np.flatnonzero(to_outside(both, dev.label_names) != both.pseudo_labels)
            share = 100 * len(np.unique(np.searchsorted(both.offsets, changed, side="right"))) / len(dev)
            yield f"{name}, {target.name}", method, *of_models, *of_ensemble, share


def of_types(table: Predictions, corpus: Corpus) -> Counter[str]:
    """How many entities there are, how many have another type than the most probable one of their words, and where the
    gold entity has the same words, which of the two is right."""
    names, seen = corpus.label_names, Counter[str]()
    types = list(dict.fromkeys(name[2:] for name in names if name != "O"))
    of_type = np.array([[name[2:] == kind for name in names] for kind in types], dtype=np.float64)
    for example, answer, start in zip(corpus, mentions(table, names, words=True), table.offsets, strict=False):
        gold = [names[label] if label != IGNORED else "O" for label in example.labels or ()]
        known = {(first, stop): kind for kind, first, stop in spans_in(gold, "strict")}
        for one in answer:
            probs = table.probs[start + one.first : start + one.stop] @ of_type.T
            likely = types[int(np.log(np.maximum(probs, 1e-30)).sum(axis=0).argmax())]
            true = known.get((one.first, one.stop))
            seen["entities"] += 1
            seen["other type"] += likely != one.label
            seen["Viterbi is right"] += likely != one.label == true
            seen["the other is right"] += likely != one.label and likely == true
    return seen


def f1(labels: Ints, corpus: Corpus) -> float:
    """As seqeval's default counts; words without a gold label are left out."""
    gold, found, start = [], [], 0
    for example in corpus:
        assert example.labels is not None
        kept = [i for i, label in enumerate(example.labels) if label != IGNORED]
        gold.append([corpus.label_names[example.labels[i]] for i in kept])
        found.append([corpus.label_names[labels[start + i]] for i in kept])
        start += len(example.labels)
    return span_f1(gold, found, mode="conlleval")


def to_outside(table: Predictions, tags: Sequence[str]) -> Ints:
    """The most probable labels, an I- that continues nothing as O."""
    return repaired(table, tags, lambda tag: "O")


def to_begin(table: Predictions, tags: Sequence[str]) -> Ints:
    """The most probable labels, an I- that continues nothing as B-."""
    return repaired(table, tags, lambda tag: f"B-{tag[2:]}")


def repaired(table: Predictions, tags: Sequence[str], instead: Callable[[str], str]) -> Ints:
    """The most probable labels, with another one in place of an I- that continues nothing before it."""
    labels = table.pseudo_labels.copy()
    for start, stop in pairwise(table.offsets):
        before = "O"
        for i in range(start, stop):
            tag = tags[labels[i]]
            if tag.startswith("I-") and before not in (tag, f"B-{tag[2:]}"):
                tag = instead(tag)
                labels[i] = list(tags).index(tag)
            before = tag
    return labels


DECODERS: dict[str, Decoder] = {"to O": to_outside, "to B": to_begin, "Viterbi": decode}

if __name__ == "__main__":
    wanted = parser(__doc__)
    wanted.add_argument(
        "--world-1", type=Path, default=None, metavar="FOLDER", help="a masked LM that has read world 1"
    )
    main(wanted.parse_args())
