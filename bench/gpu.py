"""Does everything work on a GPU, how fast, and in how much memory? At most eight minutes.

    python bench/gpu.py [--short] [--json FILE] [--device auto|cuda|cpu] [--only PART]

The models have XLM-R large's shape, 24 layers of 1024 with 16 heads and 250,002 pieces, random weights and bfloat16;
sentences have 5 to 50 pieces; P = 0.3, δ = 3. Each part runs in a process of its own and with a limit of time: one that
fails loses only itself, and makes the exit status 1. Seconds are wall clock with the GPU caught up before and after,
behind a round that warms up. The peak is the best of the part's own square products. Work in FLOP: Gen-LM, the
products of its forward passes as torch counts them; labelling 2 · parameters · tokens, training 6 · parameters ·
tokens, with the parameters of the encoder's layers, and padding no token.

`--device cpu` measures 6 layers of 384 with 8,192 pieces in float32; with `--short` a tiny model, to prove in about a
minute that the script works.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from baselines import naive
from common import parser, peak_memory, table, write_json
from genlm import Material, cost_of, material, requests_of
from guarded import Guarded, guarded, side_by_side
from material import quiet
from torch.profiler import ProfilerActivity, profile

import uxla
from uxla import api
from uxla.config.compute import DeviceSettings
from uxla.config.run import load_config
from uxla.files import file_digest
from uxla.models.footprint import Footprint
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask, Tagging, Task
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.plan.arithmetic import operations
from uxla.predict.files import predict
from uxla.process_settings import process_settings
from uxla.records import Corpus, Example

TAGS, CLASSES = ("O", "B-X", "I-X"), ("entailment", "neutral", "contradiction")
TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
SMALL = ("testbed.train=200", "testbed.unlabelled=100", "testbed.dev=50", "testbed.test=100", "target=near")


@dataclass(frozen=True)
class Size:
    """How much work the parts are."""

    layers: int
    hidden: int
    heads: int
    pieces: int
    sentences: int
    pairs: int
    one_by_one: int
    rounds: int
    matrix: int
    precision: str
    run: tuple[str, ...] = SMALL


FULL = Size(24, 1024, 16, 250_002, 12_000, 19_635, 24, 2, 8192, "bf16")
"""So many pairs has 5 % of XNLI's train."""
SHORT = Size(24, 1024, 16, 250_002, 2000, 4000, 8, 1, 8192, "bf16")
ON_CPU = Size(6, 384, 6, 8192, 64, 64, 6, 2, 1536, "fp32")
PROOF = Size(2, 64, 2, 1024, 24, 16, 4, 1, 256, "bf16", (*SMALL, "testbed.train=32", "testbed.unlabelled=16"))


@dataclass(frozen=True)
class Machine:
    """Where the parts run, and on what."""

    device: str
    size: Size
    folder: Path
    """Everything that the parts write; `model` has the large model."""

    # --- the parts ------------------------------------------------------------------------------------------

    def smoke(self) -> dict[str, Any]:
        """A run, its table, labelling a file, and the models saved and loaded."""
        run, text, out = self.folder / "run", self.folder / "new.txt", self.folder / "out.jsonl"
        self._run(run)
        text.write_text("\n".join(self._made().sentences(50)) + "\n", encoding="utf-8")
        predict(run, text, out, device=DeviceSettings(device=self.device))
        loaded = uxla.load(run, device=self.device)
        copy = uxla.load(loaded.save(self.folder / "copy"), device=self.device)
        texts = text.read_text(encoding="utf-8").splitlines()
        return {
            "F1 of the ensemble": loaded.scores["near"]["uxla_ensemble"].mean,
            "rows labelled": len(out.read_text(encoding="utf-8").splitlines()),
            "saved and loaded it answers the same": loaded.ensemble.predict(texts) == copy.ensemble.predict(texts),
        }

    def training(self) -> dict[str, Any]:
        """Tokens a second of training, by the size of a step, and the most memory it took."""
        found: dict[str, Any] = {}
        for name, step in (("Table 8's 4 × 5", (4, 5)), ("512 sentences a step", (512, 1))):
            loaded, corpus = self._opened(), self._tagged()
            corpus = corpus if step[1] == 1 else corpus.part(0, max(20, len(corpus) // 8))
            settings = TrainingSettings(batch_size=step[0], accumulation=step[1], learning_rate=1e-6)
            seconds = self._seconds(lambda: fit(loaded, corpus, settings, seed=0, label="train"))  # noqa: B023
            found |= {f"{key}, {name}": value for key, value in self._speed(loaded, corpus, seconds, 6).items()}
        footprint = Footprint.of(loaded.module, loaded.precision)
        expected = footprint.fixed + footprint.token * loaded.budget.tokens
        memory = {"peak memory, GB": self._peak_gigabytes(), "expected by uxla plan, GB": expected / 1e9}
        return found | {"tokens a pass, at most": loaded.budget.tokens, **memory}

    def labelling(self) -> dict[str, Any]:
        """Tokens a second of labelling."""
        loaded, corpus = self._opened(), self._tagged()
        seconds = self._seconds(lambda: loaded.predict(corpus, "label"))
        found = self._speed(loaded, corpus, seconds, 2)
        return found | {"peak memory, GB": self._peak_gigabytes()}

    def genlm(self) -> dict[str, Any]:
        """Samples a second of Gen-LM, and how many times the naive loop that is."""
        lm = MaskedLM.load(str(self.folder / "model"), self._runtime(None))
        requests = sorted(requests_of(lm, self._made().sentences(self.size.sentences)), key=cost_of)
        seconds = self._seconds(lambda: lm.fill(requests)) / len(requests)
        some = requests[:: -(-len(requests) // self.size.one_by_one)]
        model = lm.heads["start"].model
        loop = partial(naive, lambda row: model(row.to(lm.device)), lm)
        weight = sum(map(cost_of, some)) / (sum(map(cost_of, requests)) / len(requests))
        slow = self._seconds(lambda: [loop(request) for request in some]) / weight
        return {
            "samples a second": 1 / seconds,
            "hours for a million": 1e6 * seconds / 3600,
            "share of the peak": operations(lambda: lm.fill(requests)) / len(requests) / seconds / self._peak(),
            "times the naive loop": slow / seconds,
            "peak memory, GB": self._peak_gigabytes(),
        }

    def deterministic(self) -> dict[str, Any]:
        """Whether two deterministic runs, and two trainings of the large model, end with the same bytes."""
        digests = []
        for number in range(2):
            self._run(run := self.folder / f"deterministic-{number}", "deterministic=true")
            files = [*sorted(run.glob("models/*/model.safetensors")), run / "results.json"]
            digests.append([file_digest(file) for file in files])
        weights = []
        with process_settings(deterministic=True):
            for _ in range(2):
                loaded, corpus = self._opened(), self._tagged().part(0, 64)
                fit(loaded, corpus, TrainingSettings(batch_size=32, learning_rate=1e-5), seed=0, label="train")
                weights.append([parameter.detach().cpu() for parameter in loaded.module.parameters()])
        same = all(torch.equal(one, other) for one, other in zip(*weights, strict=True))
        return {"two runs, same bytes": digests[0] == digests[1], "two trainings, same weights": same}

    def together(self) -> dict[str, Any]:
        """Three trainings of a small model at once on one device, against one after the other; and those of a run."""
        (alone,) = side_by_side(1, self._small_training)
        three = max(side_by_side(3, self._small_training))
        found = {"one training, s": alone, "three at once, s": three, "times faster than in turn": 3 * alone / three}
        for jobs in (1, 3):
            began = time.perf_counter()
            self._run(self.folder / f"jobs-{jobs}", "methods=[penalty]", f"jobs_per_device={jobs}")
            found[f"a run's warm-up with jobs_per_device={jobs}, s"] = time.perf_counter() - began
        return found

    def waits(self) -> dict[str, Any]:
        """How often the CPU waits for the GPU in one epoch of labelling pairs."""
        loaded, corpus, passes = self._opened(SentenceTask(2), CLASSES), self._pairs(), Counter[str]()
        loaded.predict(corpus.part(0, 16), "label")
        hook = loaded.module.base_model.register_forward_pre_hook(lambda *_: passes.update(["forward"]))
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self.device == "cuda" else [])]
        began = time.perf_counter()
        with profile(activities=activities) as seen:
            loaded.predict(corpus, "label")
        seconds = time.perf_counter() - began
        hook.remove()
        named = {event.key: event.count for event in seen.key_averages()}
        found = {"pairs": len(corpus), "pairs a second, profiled": len(corpus) / seconds, "passes": passes["forward"]}
        waited = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
        return found | {"waits": sum(named.get(name, 0) for name in waited)}

    # --- what they share ------------------------------------------------------------------------------------

    def make_model(self) -> dict[str, Any]:
        """The large model: `genlm.material` with XLM-R's number of heads, on which no weight's shape depends."""
        made = material(self.folder / "model", self.size.pieces, layers=self.size.layers, hidden=self.size.hidden)
        file = made.folder / "config.json"
        config = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**config, "num_attention_heads": self.size.heads}), encoding="utf-8")
        pieces = {"starts": made.starts, "insides": made.insides}
        (self.folder / "pieces.json").write_text(json.dumps(pieces), encoding="utf-8")
        name = torch.cuda.get_device_name() if self.device == "cuda" else "CPU"
        return {"device": name, "peak of square products, TFLOP/s": self._peak() / 1e12}

    def _made(self) -> Material:
        return Material(self.folder / "model", **json.loads((self.folder / "pieces.json").read_text(encoding="utf-8")))

    def _run(self, out: Path, *settings: str) -> dict[str, Any]:
        """A small run with a store of its own."""
        os.environ["UXLA_CACHE"] = str(out.with_name(f"store of {out.name}"))
        values = [*self.size.run, f"devices={self.device}", "methods=[penalty, uxla]", *settings]
        return api.run(load_config("testbed", values), out)

    def _runtime(self, max_length: int | None) -> Runtime:
        return Runtime(self.device, max_length, precision=self.size.precision)

    def _opened(self, task: Task | None = None, names: Sequence[str] = TAGS) -> TaskModel:
        labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
        folder = self.folder / "model"
        return TaskModel.open(task or Tagging(), folder, folder, self._runtime(256), head_seed=0, **labels)

    def _tagged(self) -> Corpus:
        texts = self._made().sentences(self.size.sentences)
        labels = (tuple(len(word) % 3 for word in text.split()) for text in texts)
        rows = enumerate(zip(texts, labels, strict=True))
        return Corpus.from_examples("tags", TAGS, (Example(str(n), "xx", (text,), tags) for n, (text, tags) in rows))

    def _pairs(self) -> Corpus:
        texts = self._made().sentences(2 * self.size.pairs)
        pairs = enumerate(zip(texts[::2], texts[1::2], strict=True))
        return Corpus.from_examples("pairs", CLASSES, (Example(str(n), "xx", pair, (n % 3,)) for n, pair in pairs))

    def _small_training(self, together: Any) -> float:
        """Wall-clock seconds of a training of the shipped model, begun at once with the others."""
        from uxla.testbed import asset

        names = {"id2label": dict(enumerate(TAGS)), "label2id": {name: i for i, name in enumerate(TAGS)}}
        loaded = TaskModel.open(Tagging(), asset(), asset(), Runtime(self.device, 64), head_seed=0, **names)
        corpus, settings = self._tagged().part(0, 640), TrainingSettings(batch_size=16, learning_rate=1e-4)
        with process_settings(threads=1):
            fit(loaded, corpus.part(0, 16), settings, seed=0, label="warm up")
            together.wait()
            return self._once(lambda: fit(loaded, corpus, settings, seed=0, label="train"))

    def _speed(self, loaded: TaskModel, corpus: Corpus, seconds: float, flop_a_weight: int) -> dict[str, float]:
        tokens = int(loaded.encode(corpus).lengths.sum())
        weights = sum(p.numel() for p in loaded.module.base_model.encoder.parameters())
        share = flop_a_weight * weights * tokens / seconds / self._peak()
        return {"tokens a second": tokens / seconds, "share of the peak": share}

    def _seconds(self, work: Callable[[], object]) -> float:
        work()
        return median(self._once(work) for _ in range(self.size.rounds))

    def _once(self, work: Callable[[], object]) -> float:
        self._catch_up()
        began = time.perf_counter()
        work()
        self._catch_up()
        return time.perf_counter() - began

    def _catch_up(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    def _peak(self) -> float:
        """The best FLOP a second of a square product."""
        size, kind = self.size.matrix, TYPES[self.size.precision]
        left, right = (torch.rand(size, size, device=self.device).to(kind) for _ in range(2))
        torch.mm(left, right)
        return 2 * size**3 / min(self._once(lambda: torch.mm(left, right)) for _ in range(20))

    def _peak_gigabytes(self) -> float:
        return torch.cuda.max_memory_allocated() / 1e9 if self.device == "cuda" else peak_memory() / 1e3


LIMITS = {"smoke": 70, "training": 80, "labelling": 50, "genlm": 70, "deterministic": 80, "together": 60, "waits": 30}
"""Seconds that each part may take on a GPU; with the model's making 480."""
MAKING = 40


def measured(machine: Machine, only: str | None) -> dict[str, Guarded]:
    """What each part found; none of them where the model cannot be made."""
    times = 1 if machine.device == "cuda" else 10
    found = {"model": guarded(MAKING * times, machine.make_model)}
    if not found["model"].failure:
        for name, limit in LIMITS.items():
            if only in (None, name):
                found[name] = guarded(limit * times, getattr(machine, name))
    return found


def shown(figure: object) -> str:
    """A figure in at most four digits, or as it is."""
    if isinstance(figure, float):
        return f"{figure:,.0f}" if abs(figure) >= 1000 else f"{figure:.3g}"
    return (
        ("yes" if figure else "no")
        if isinstance(figure, bool)
        else f"{figure:,}"
        if isinstance(figure, int)
        else str(figure)
    )


def rows(found: dict[str, Guarded]) -> Iterator[Sequence[object]]:
    """A row for each figure, the part's seconds in its first."""
    for name, part in found.items():
        figures = {"failed": part.failure} if part.failure else part.figures
        for number, (figure, value) in enumerate(figures.items()):
            yield (name, figure, shown(value), f"{part.seconds:.0f}" if number == 0 else "")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto")
    options.add_argument("--only", choices=tuple(LIMITS), help="this part alone")
    given = options.parse_args()
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # which looks for a GPU without taking it: parts are forked
    cuda = given.device != "cpu" and torch.cuda.is_available()
    if not cuda and given.device != "cpu":
        sys.exit("bench/gpu.py: no CUDA device here; --device cpu measures a smaller model, with --short a tiny one")
    size = (SHORT if given.short else FULL) if cuda else PROOF if given.short else ON_CPU
    quiet()
    shape = f"{size.layers} x {size.hidden}, {size.pieces:,} pieces, {size.precision}"
    print(f"{shape}{'' if cuda or not given.short else ': NO MEASUREMENT, the script is tried out'}\n")
    with tempfile.TemporaryDirectory() as place:
        found = measured(Machine("cuda" if cuda else "cpu", size, Path(place)), given.only)
    table(("part", "figure", "value", "seconds"), list(rows(found)))
    print(f"\n{sum(part.seconds for part in found.values()):.0f} s in all")
    parts = {name: {"seconds": part.seconds, "failure": part.failure, **part.figures} for name, part in found.items()}
    write_json(given.json, {"shape": shape, "measurement": cuda or not given.short, "parts": parts})
    sys.exit(any(part.failure for part in found.values()))


if __name__ == "__main__":
    main()
