"""What ten million pairs cost where no model is asked: CPU seconds a million rows and peak memory, from 10^5 to 10^7.

    python bench/scale.py [--rows 10000000] [--folder DIR]

Reading, drawing, digests, and everything Algorithm 1 does around its models, through the store as in a run. The masked
LM is faked by upper case, the classifier by numbers drawn from the digest of what it labels. Peak memory is the
largest anonymous memory of the process (RssAnon, sampled); pages of mapped files are the system's to take back, and
are in the last line's maximum only. Linux. Needs about 1 kB of disk a row in DIR, and in TMPDIR.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from uxla.algorithm.agreement import Exact
from uxla.algorithm.cotraining import CoTraining
from uxla.algorithm.distil import CleanCluster, MostConfident
from uxla.algorithm.events import Step
from uxla.algorithm.mixing import balanced_mix
from uxla.algorithm.vicinity import Vicinity
from uxla.data.load import load_corpus, subset
from uxla.models.runtime import Runtime
from uxla.models.tasks import SentenceTask
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, ModelHandle, Predictions
from uxla.seeds import generator
from uxla.store.store import Store
from uxla.study.remembered import StoredLearner, StoredVicinity

LABELS = ("entailment", "neutral", "contradiction")
PEERS = ModelHandle(Path("k"), "k"), ModelHandle(Path("j"), "j")
NO_TRAINING = TrainingSettings(batch_size=1, learning_rate=1e-5, lr_warmup=0)


class UpperCase:
    """A masked LM that puts each unit in upper case."""

    def units(self, texts):
        return [[(at, at + 3) for at in range(0, len(text) - 3, 4)] for text in texts]

    def fill(self, requests):
        return [_upper(request.text, request.spans) for request in requests]


def _upper(text, spans):
    for start, stop in spans:
        text = text[:start] + text[start:stop].upper() + text[stop:]
    return text


class Drawn:
    """A classifier whose probabilities are drawn by the digest of what it is asked about."""

    max_length = 280

    def __init__(self, model: ModelHandle) -> None:
        self.model = model
        self.seen = Counter()

    def encode(self, corpus: Corpus) -> None:
        """Nothing is read."""

    def predict(self, corpus: Corpus, label: str) -> Predictions:
        raw = generator(0, self.model.digest, corpus.digest).random((len(corpus), len(LABELS)), dtype=np.float32) ** 3
        return Predictions(raw / raw.sum(1, keepdims=True), np.arange(len(corpus) + 1))


class FakedLearner(StoredLearner):
    def _open(self, model, **values):
        return Drawn(model)

    def _predict(self, opened, encode, part, into, scratch):
        found = opened().predict(part, "")
        save_file({"probs": found.probs, "offsets": found.offsets}, into / "predictions.safetensors")
        return {"corpus": part.name, "examples": len(part), "cut": 0}


class Watch:
    """Prints, for each stage, its CPU seconds and the largest anonymous memory seen in it, in bytes."""

    def __init__(self) -> None:
        self.largest = 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            self.largest = max(self.largest, anonymous())
            time.sleep(0.02)

    def __call__(self, stage: str, work: Callable):
        self.largest = anonymous()
        began = time.process_time()
        result = work()
        seconds = time.process_time() - began
        print(json.dumps([stage, seconds, max(self.largest, anonymous())]), flush=True)
        return result


def anonymous() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def stages(rows: int, folder: Path) -> None:
    write(folder / "rows.tsv", rows)
    watch = Watch()
    watch("(start)", lambda: None)
    options = {"name": "rows", "lang": "xx", "label_names": LABELS, "labelled": True, "shape": "pair"}
    corpus = watch("load", partial(load_corpus, folder / "rows.tsv", **options))
    watch("draw 5 %", lambda: corpus.take(subset(rows, share=0.05, seed=1)))
    watch("digest", lambda: corpus.digest)
    watch("iterate", lambda: sum(1 for _ in corpus))
    store = Store(folder / "store")
    learner = FakedLearner("nli", SentenceTask(2), PEERS[0], NO_TRAINING, Runtime(), store, "bench")
    vicinity = StoredVicinity(lambda: Vicinity(UpperCase(), 0.3, (1, 1), seed=0), {}, store)
    target = corpus.unlabelled().renamed("target")
    around = watch("generate", lambda: vicinity(target, 1))
    distil(watch, learner, target)
    loop = CoTraining(learner, vicinity)
    labelled = watch("co-label", lambda: loop.co_label(target, PEERS, MostConfident(0.8), corpus, Step(1, 0, 1, 2)))
    both = [corpus, labelled.corpus, around]
    mix, _ = watch("mix", lambda: balanced_mix(both, alpha=0.7, rng=generator(0), draws=rows))
    watch("digest of the mix", lambda: mix.digest)
    print(json.dumps(["(resident)", 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))


def distil(watch: Watch, learner: StoredLearner, target: Corpus) -> None:
    """The parts of co-labelling one by one; what they found is let go of, as after each co-labelling."""
    k = watch("label", lambda: learner.predict(PEERS[0], target))
    j = watch("label, second peer", lambda: learner.predict(PEERS[1], target))
    watch("most confident", lambda: MostConfident(0.8)(k, target))
    watch("clean cluster", lambda: CleanCluster(0.5)(k, target))
    everything = np.ones(len(k), dtype=np.bool_)
    watch("agree", lambda: Exact()(k, j, (everything, everything)))


def write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("premise\thypothesis\tlabel\n")
        file.writelines(
            f"row {i} says that the river was high\tthe river of row {i} was low\t{LABELS[i % 3]}\n"
            for i in range(rows)
        )


def measured(rows: int, place: str | None) -> Iterator[tuple[str, float, float]]:
    """Stage, CPU seconds a million rows, peak MB: each size in a process of its own."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        command = [sys.executable, __file__, "--rows", str(rows), "--folder", folder, "--one"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                stage, seconds, peak = json.loads(line)
                print(f"{rows:>11,}  {stage:20} {seconds:8.2f} s  {peak / 1e6:8.0f} MB", file=sys.stderr, flush=True)
                yield stage, seconds * 1e6 / rows, peak / 1e6
    if process.returncode:
        sys.exit(process.returncode)


def table(sizes: list[int], place: str | None) -> None:
    found = [list(measured(rows, place)) for rows in sizes]
    print("| CPU seconds a million rows, peak memory | " + " | ".join(f"{rows:,} rows" for rows in sizes) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    for row in zip(*found, strict=True):
        cells = [f"{seconds:.2f} s, {peak:,.0f} MB" for _, seconds, peak in row]
        print(f"| {row[0][0]} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", help="where the corpus and the store stand, by default in TMPDIR")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        stages(asked.rows, Path(asked.folder))
    else:
        table([10**n for n in range(5, len(str(asked.rows))) if 10**n <= asked.rows], asked.folder)
