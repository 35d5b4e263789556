"""How large a report is, and how fast it opens: a run whose trace has 100,000 samples, opened in headless Chromium.

    python bench/report.py [--short] [--json FILE]

The sentences are the testbed's; two models label each as it is but for one word in twenty. Opening is measured five
times from navigation until every sentence is unpacked (the page says so); without Chromium, chromedriver and selenium
only the file is made.
"""

import json
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from common import arguments, peak_memory, table, write_json

from uxla.algorithm.agreement import Exact
from uxla.algorithm.cotraining import triples
from uxla.algorithm.distil import MostConfident
from uxla.algorithm.events import CoLabelled, Step
from uxla.cli.report import report
from uxla.records import Bools, Corpus, Example, Predictions
from uxla.study.trace import Trace, write_trace
from uxla.targets import Target
from uxla.testbed.world import World

FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "no-first-run")


def main(short: bool, out: Path | None) -> None:
    """Make the run, the report, open it; print the figures."""
    sentences = 2_500 if short else 25_000
    with tempfile.TemporaryDirectory() as place:
        run = Path(place, "run")
        samples = make_run(run, sentences)
        began = time.monotonic()
        report([run], None)
        seconds, file = time.monotonic() - began, run / "report.html"
        figures: dict[str, Any] = {"samples": samples, "megabytes": round(file.stat().st_size / 1e6, 1)}
        figures |= {"seconds_to_make": round(seconds, 1), "peak_memory_mb": round(peak_memory())}
        figures |= opened(file)
    table(["figure", "value"], list(figures.items()))
    write_json(out, figures)


def make_run(folder: Path, count: int) -> int:
    """A run folder with `count` target sentences and three vicinity samples of each; how many samples in all."""
    rows = World(0).sentences("far", "train", count)
    names = tuple(sorted({tag for _, tags in rows for tag in tags}))
    gold = [[names.index(tag) for tag in tags] for _, tags in rows]
    words = np.array(sorted({word for row, _ in rows for word in row}))
    rng = np.random.default_rng(0)
    target = Corpus.from_examples(
        "far", names, (Example(str(i), "far", (" ".join(w),)) for i, (w, _) in enumerate(rows))
    )
    around = Corpus.from_examples("far~", names, virtual(rows, words, rng))
    trace = Trace(4 * count)
    for corpus, epoch in ((target, 1), (around, 2), (target, 3), (around, 3)):
        labels = gold if corpus is target else [labels for labels in gold for _ in range(3)]
        for k, j, l in triples("synchronous"):
            trace(decided((epoch, k, j, l), corpus, labels, rng))
    flat = np.concatenate([np.array(labels) for labels in gold])
    labelled = target.with_labels(flat, np.cumsum([0, *map(len, gold)]))
    write_trace(folder / "trace", trace, Target(target, labelled=labelled, name="far"), target.renamed("source"))
    score = {"mean": 50.0, "sd": 1.0, "models": [49.0, 50.0, 51.0], "strict_f1": 50.0}
    results = {
        "version": 2,
        "task": "ner",
        "metric": "f1",
        "selection": "last",
        "source": {"name": "source"},
        "inputs": {},
    }
    (folder / "results.json").write_text(json.dumps(results | {"targets": {"far": {"uxla": [score] * 3}}}))
    return len(target) + len(around)


def virtual(rows: Any, words: Any, rng: np.random.Generator) -> Any:
    """Three samples of each sentence, a third of its words replaced."""
    for i, (row, _) in enumerate(rows):
        for copy in range(3):
            new = list(row)
            for place in rng.choice(len(new), max(1, len(new) // 3), replace=False):
                new[place] = str(rng.choice(words))
            yield Example(f"{i}~{copy}", "far", (" ".join(new),))


def decided(place: Any, corpus: Corpus, labels: Any, rng: np.random.Generator) -> CoLabelled:
    """What two models that are right in 19 of 20 words say, distilled and compared."""
    k, j = labelled_by(corpus, labels, rng), labelled_by(corpus, labels, rng)
    trusted: tuple[Bools, Bools] = (MostConfident(0.8)(k, corpus), MostConfident(0.8)(j, corpus))
    found = Exact()(k, j, trusted)
    return CoLabelled(
        step=Step(*place),
        corpus=corpus,
        predictions=(k, j),
        selected=trusted,
        found=found,
        chosen=found.chosen,
        classes={},
    )


def labelled_by(corpus: Corpus, labels: Any, rng: np.random.Generator) -> Predictions:
    """Probabilities of which 19 in 20 are for the gold label."""
    flat, size = np.concatenate([np.array(found) for found in labels]), len(corpus.label_names)
    guess = np.where(rng.random(len(flat)) < 0.05, rng.integers(0, size, len(flat)), flat)
    probs = rng.random((len(flat), size), dtype=np.float32)
    probs[np.arange(len(flat)), guess] += 2 + 6 * rng.random(len(flat), dtype=np.float32)
    return Predictions(probs / probs.sum(1, keepdims=True), np.cumsum([0, *map(len, labels)]).astype(np.int64))


def opened(file: Path) -> dict[str, Any]:
    """Seconds until the page is ready, and its memory; empty without a browser."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        chromium = None
    if chromium is None or driver is None:
        return {"opened": "no Chromium, chromedriver or selenium here"}
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    seconds = []
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as browser:
        for _ in range(5):
            began = time.monotonic()
            browser.get(file.as_uri())
            while browser.execute_script("return document.documentElement.dataset.ready") != "yes":
                time.sleep(0.01)
            seconds.append(time.monotonic() - began)
    return {"seconds_to_open": round(median(seconds), 2), "slowest": round(max(seconds), 2)}


if __name__ == "__main__":
    given = arguments(__doc__)
    main(given.short, given.json)
