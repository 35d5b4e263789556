"""A run folder made without a model: what `uxla run` leaves, small, with every fate a sentence can have."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.algorithm.agreement import Exact
from uxla.algorithm.events import CoLabelled, Step
from uxla.records import Corpus, Example, Predictions
from uxla.study.inputs import Target
from uxla.study.trace import Trace, write_trace

NAMES = ("O", "B-PER", "I-PER")
WORDS = ("Ana lives here", "the river Ebro", "7 \u0633\u0644\u0627\u0645 \u062f\u0646\u06cc\u0627 now", "Bo and Cy")


def score(*models):
    mean = sum(models) / len(models)
    return {"mean": mean, "sd": 1.0 if len(models) > 1 else 0.0, "models": list(models), "strict_f1": mean}


def results(target="far", source="src"):
    methods = {"zero_shot": score(40.0, 41.0, 42.0), "ensemble": score(43.0), "uxla": [score(50.0, 51.0, 52.0)] * 2}
    return {
        "version": 2,
        "task": "ner",
        "metric": "f1",
        "selection": "last",
        "source": {"name": source},
        "targets": {target: methods | {"uxla_ensemble": score(53.0)}},
        "trainings": trainings(target),
        "inputs": {},
    }


def corpus(name, texts, *, labels=NAMES, samples=False):
    ids = [f"{name}:{i}" for i in range(len(texts))]
    if not samples:
        return Corpus.from_examples(name, labels, [Example(i, name, (t,)) for i, t in zip(ids, texts, strict=True)])
    made = [Example(f"{i}~1", name, (t.rpartition(" ")[0] + " new",)) for i, t in zip(ids, texts, strict=True)]
    return Corpus.from_examples(f"{name}~", labels, made)


def predictions(of, labels):
    """One label for all words of an example, as sure as its place in the corpus is late."""
    counts = [len(example.words) for example in of]
    rows = np.repeat(labels, counts)
    probs = np.full((len(rows), len(NAMES)), 0.1, dtype=np.float32)
    probs[np.arange(len(rows)), rows] = np.repeat(np.linspace(0.5, 0.8, len(of)), counts)
    return Predictions(probs, np.concatenate([[0], np.cumsum(counts)]))


def decisions(of, epoch):
    """The first example is used, the second in dispute, the third not trusted, a peer of the fourth collapsed."""
    k, j = predictions(of, [0, 1, 0, 2]), predictions(of, [0, 2, 0, 2])
    trusted = np.array([True, True, False, True])
    return CoLabelled(
        step=Step(epoch, 0, 1, 2),
        corpus=of,
        predictions=(k, j),
        selected=(trusted, trusted),
        found=Exact()(k, j, (trusted, trusted)),
        chosen=np.array([True, False, False, False]),
        classes={},
    )


def trainings(target="far"):
    """One of epoch 1, and one of epoch 2 that a collapsed peer left nothing to learn from."""
    gold = {"kind": "source", "of": 2, "kept": None, "taught": 2, "drawn": 2, "collapsed": []}
    raw = {"kind": "target", "of": 4, "kept": [3, 3], "taught": 1, "drawn": 1, "collapsed": []}
    fallen = raw | {"taught": 0, "drawn": 0, "collapsed": [1]}
    one = {"method": "uxla", "target": target, "model": 3, "peers": [1, 2], "loss": 0.5, "dev": None, "steps": 60}
    own = gold | {"kind": "target_labelled"}
    return [
        one | {"epoch": 1, "learned_from": [gold, raw, own]},
        one | {"epoch": 2, "loss": None, "learned_from": [fallen]},
    ]


def write_predictions(path, target, texts, labels, *, right):
    offsets = np.concatenate([[0], np.cumsum([len(text.split(" ")) for text in texts])])
    gold = np.resize([1, 0, 0], offsets[-1]).astype(np.int16)
    lists = {
        "gold": gold,
        "uxla": gold if right else np.zeros_like(gold),
        "zero_shot": np.zeros_like(gold),
        "confidence": np.linspace(0.4, 1.0, len(gold), dtype=np.float32),
    }
    columns = {name: pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(v)) for name, v in lists.items()}
    columns = {"id": [str(i) for i in range(len(texts))], "segments": [[text] for text in texts], **columns}
    metadata = {"label_names": "\x00".join(labels), "final": "uxla"}
    path.mkdir(parents=True)
    pq.write_table(pa.table(columns, metadata=metadata), path / f"{target}.parquet")


@pytest.fixture
def make_run(tmp_path):
    """`make_run(name, words=…, source=…)`: a run folder, its sentences and names given."""

    def make(name="a-run", *, words=WORDS, source="src", target="far", labels=NAMES, right=True):
        folder = tmp_path / name
        write_predictions(folder / "predictions", target, list(words) * 5, labels, right=right)
        own, origin = corpus(target, words, labels=labels), corpus(source, words[:2], labels=labels)
        trace = Trace(100)
        trace(decisions(own, 1))
        trace(decisions(own, 2))
        trace(decisions(corpus(target, words, samples=True), 2))
        labelled = own.with_labels(np.zeros(sum(len(w.split(" ")) for w in words)), predictions(own, [0] * 4).offsets)
        write_trace(folder / "trace", trace, Target(own, labelled=labelled, name=target), origin)
        (folder / "results.json").write_text(json.dumps(results(target, source)), encoding="utf-8")
        return folder

    return make


@pytest.fixture
def samples_of():
    """`samples_of(run, words, samples)`: the run with a trace of these four sentences and of one sample of each."""

    def trace_them(run, words, samples):
        own = Corpus.from_examples("far", NAMES, [Example(f"far:{i}", "far", (w,)) for i, w in enumerate(words)])
        made = [Example(f"far:{i}~1", "far", (w,)) for i, w in enumerate(samples)]
        trace = Trace(100)
        for one in (own, Corpus.from_examples("far~", NAMES, made)):
            trace(decisions(one, 1))
        write_trace(run / "trace", trace, Target(own, name="far"), own.part(0, 0).renamed("src"))
        return run

    return trace_them


@pytest.fixture
def report():
    """`uxla report` in this process; only the command line around it is left out."""
    from uxla.cli.report import report as command

    return lambda *runs, out=None: command(list(runs), out)
